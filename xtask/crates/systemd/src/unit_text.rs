//! A unit as text → its keys and what is wrong with its lines: systemd.syntax(7), as `config_parse` of systemd reads.

use std::collections::BTreeMap;

/// Larger than any unit of this tool; what is larger is not read.
const MOST_TEXT: usize = 256 << 10;

/// A key of a unit with its section.
pub struct UnitKey<'a> {
    /// `Service`
    pub section: &'a str,
    /// `ExecStart`
    pub key: &'a str,
    /// continued lines joined by a space
    pub value: String,
    /// the line that it ends in, from 1
    pub line: usize,
}

/// A unit that was read.
#[derive(Default)]
pub struct UnitText<'a> {
    /// in their order, those with an empty value too
    pub keys: Vec<UnitKey<'a>>,
    /// line, and what systemd would ignore or refuse there
    pub faults: Vec<(usize, String)>,
}

impl UnitText<'_> {
    /// The values of a key that count, in their order: an empty one takes back those before it.
    pub fn all(&self, section: &str, key: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for other in self.keys.iter().filter(|other| other.section == section && other.key == key) {
            match other.value.as_str() {
                "" => values.clear(),
                value => values.push(value),
            }
        }
        values
    }

    /// The value that counts of a key with one: the last.
    pub fn last(&self, section: &str, key: &str) -> Option<&str> {
        self.all(section, key).pop()
    }
}

/// The sections of a kind of unit, by the end of its name; those that start with `X-` are passed over by systemd.
fn sections_of(path: &str) -> Vec<&'static str> {
    let own = match path.rsplit_once('.') {
        Some((_, "service")) => "Service",
        Some((_, "socket")) => "Socket",
        Some((_, "timer")) => "Timer",
        _ => return vec!["Unit", "Install"],
    };
    vec!["Unit", own, "Install"]
}

impl<'a> UnitText<'a> {
    /// Reads a unit; what is wrong with it is among its faults.
    /// The end of `path` says which sections there are.
    pub fn parse(path: &str, text: &'a str) -> Self {
        let mut parsed = Self::default();
        if text.len() > MOST_TEXT {
            parsed.faults.push((1, format!("it has {} bytes, and is not read", text.len())));
            return parsed;
        }
        let known = sections_of(path);
        let mut section = None;
        let mut begun: Option<(&str, String)> = None;
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let number = index + 1;
            let bare = line.trim();
            if bare.starts_with(['#', ';']) {
                continue;
            }
            // systemd takes the line end off, so what is behind the backslash makes it an ordinary one.
            let (kept, goes_on) = match line.strip_suffix('\\') {
                Some(kept) if !ends_escaped(kept) => (kept, true),
                _ => (line, false),
            };
            let whole = match begun.take() {
                Some((key, value)) => Some((key, format!("{value} {kept}"))),
                None if bare.is_empty() => None,
                None if bare.starts_with('[') => {
                    match bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                        Some(name) if known.contains(&name) => section = Some(name),
                        Some(name) if name.starts_with("X-") => section = None,
                        Some(name) => {
                            parsed.faults.push((number, format!("[{name}] is no section of such a unit")));
                            section = None;
                        }
                        None => {
                            parsed.faults.push((number, "a section has no `]`: systemd refuses the unit".to_owned()))
                        }
                    }
                    if section.is_none() {
                        skip_section(&mut lines);
                    }
                    None
                }
                None => match kept.split_once('=') {
                    None => {
                        parsed.faults.push((number, "a line is no `KEY=VALUE`".to_owned()));
                        None
                    }
                    Some((key, _)) if key.trim().is_empty() => {
                        parsed.faults.push((number, "there is no key before `=`".to_owned()));
                        None
                    }
                    Some((key, value)) => Some((key.trim(), value.to_owned())),
                },
            };
            let Some((key, value)) = whole else { continue };
            if goes_on && lines.peek().is_some() {
                begun = Some((key, value));
                continue;
            }
            match section {
                None => parsed.faults.push((number, format!("`{key}` stands before any section"))),
                Some(_) if key.starts_with("X-") => {}
                Some(section) => {
                    parsed.keys.push(UnitKey { section, key, value: value.trim().to_owned(), line: number })
                }
            }
        }
        parsed
    }
}

/// Whether a backslash behind this text is one that is escaped.
fn ends_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// What is in a section that is passed over.
fn skip_section<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = (usize, &'a str)>>) {
    while lines.next_if(|(_, line)| !line.trim_start().starts_with('[')).is_some() {}
}

/// Keys of which the last one counts, where one stands more than once: the others are dead.
pub fn doubled<'a>(parsed: &'a UnitText<'a>) -> Vec<&'a UnitKey<'a>> {
    #[rustfmt::skip]
    const ONCE: [&str; 14] = [
        "Description", "Group", "KillMode", "ProtectHome", "ProtectProc", "ProtectSystem", "Restart", "RestartSec",
        "TimeoutStartSec", "TimeoutStopSec", "Type", "UMask", "User", "WorkingDirectory",
    ];
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut again = Vec::new();
    for key in parsed.keys.iter().filter(|key| ONCE.contains(&key.key) && !key.value.is_empty()) {
        let times = seen.entry((key.section, key.key)).or_default();
        *times += 1;
        if *times == 2 {
            again.push(key);
        }
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_systemd_reads_them() {
        #[rustfmt::skip]
        let cases: &[(&str, &[&str], &[&str])] = &[ // text       section, key and value                 line and fault
            ("[Service]\nA=b\n",                  &["Service A=b"],                                &[]),
            ("[Service]\n A = b \n",              &["Service A=b"],                                &[]),
            ("[Service]\n# c\n; c\n\nA=b=c",      &["Service A=b=c"],                              &[]),
            ("[Service]\nA=b\\\n  c\nD=e",        &["Service A=b   c", "Service D=e"],             &[]),
            ("[Service]\nA=\\\n# c\nb",           &["Service A=b"],                                &[]),
            ("[Service]\nA=b\\\\\nC=d",           &["Service A=b\\\\", "Service C=d"],             &[]),
            ("[Service]\nA=b\\",                  &["Service A=b"],                                &[]),
            ("[Service]\nX-A=b\n[X-Y]\nA\n[Unit]\nB=c", &["Unit B=c"],                            &[]),
            ("A=b\n[Service]\nA=",                &["Service A="],                                 &["1 `A` stands before any section"]),
            ("[Socket]\nA=b\n[Unit]\nA=c",        &["Unit A=c"],                                   &["1 [Socket] is no section of such a unit"]),
            ("[Service\nA=b",                     &[],                                             &["1 a section has no `]`: systemd refuses the unit"]),
            ("[Service]\nA\n=b\n",                &[],                                             &["2 a line is no `KEY=VALUE`", "3 there is no key before `=`"]),
        ];
        for (text, keys, faults) in cases {
            let parsed = UnitText::parse("/usr/lib/systemd/system/a.service", text);
            let found: Vec<String> =
                parsed.keys.iter().map(|k| format!("{} {}={}", k.section, k.key, k.value)).collect();
            let said: Vec<String> = parsed.faults.iter().map(|(line, what)| format!("{line} {what}")).collect();
            assert_eq!((found.as_slice(), said.as_slice()), (own(keys).as_slice(), own(faults).as_slice()), "{text}");
        }
        assert_eq!(UnitText::parse("a.service", &"A=b\n".repeat(MOST_TEXT)).faults.len(), 1);
        assert!(UnitText::parse("a.timer", "[Timer]\nOnCalendar=daily").faults.is_empty());
    }

    #[test]
    fn an_empty_value_takes_back_those_before_it() {
        let unit = UnitText::parse("a.service", "[Service]\nUser=x\nUser=\nUser=y\nA=1\nA=2\nB=1\nB=\n[Unit]\nA=3\n");
        assert_eq!((unit.all("Service", "A"), unit.last("Service", "User")), (vec!["1", "2"], Some("y")));
        assert_eq!((unit.last("Service", "B"), unit.last("Service", "C")), (None, None));
        for text in ["", "[", "[]", "=", "\\", "a=\\", "[x]\n\\\n"] {
            assert!(UnitText::parse("a.service", text).keys.is_empty(), "{text}");
        }
    }

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_key_with_one_value_stands_once() {
        #[rustfmt::skip]
        let cases = [
            ("[Service]\nType=simple\nType=notify\n",        vec!["Type"]),
            ("[Service]\nEnvironment=A=1\nEnvironment=B=2\n", vec![]),
            ("[Unit]\nDescription=a\n[Service]\nUser=a\nUser=b\nUser=c\n", vec!["User"]),
            ("[Service]\nUser=\nUser=a\n",                   vec![]),
        ];
        for (text, keys) in cases {
            let parsed = UnitText::parse("a.service", text);
            assert_eq!(doubled(&parsed).iter().map(|key| key.key).collect::<Vec<_>>(), keys, "{text}");
        }
    }
}
