//! Lines of a unit: sections, keys that the target's systemd knows, and how words are quoted.

use wheelhaul_boxes::Target;

/// A section of a unit on its way to text; keys that the target's systemd does not know are left out.
pub(super) struct Section<'a> {
    name: &'static str,
    target: &'a Target,
    lines: Vec<(String, String)>,
}

impl<'a> Section<'a> {
    pub(super) fn new(name: &'static str, target: &'a Target) -> Self {
        Self { name, target, lines: Vec::new() }
    }

    /// Adds a line, where the target's systemd knows the key.
    pub(super) fn add(&mut self, key: &str, value: impl Into<String>) {
        if self.target.knows(self.name, key) {
            self.lines.push((key.to_owned(), value.into()));
        }
    }

    /// Puts lines in the place of those with the same key, or at the end.
    pub(super) fn replace(&mut self, key: &str, values: &[String]) {
        let at = self.lines.iter().position(|(other, _)| other == key).unwrap_or(self.lines.len());
        self.lines.retain(|(other, _)| other != key);
        self.lines.splice(at..at, values.iter().map(|value| (key.to_owned(), value.clone())));
    }

    pub(super) fn text(&self) -> String {
        let lines: String = self.lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        format!("[{}]\n{lines}", self.name)
    }
}

/// Text of a line that is no list of words: `%` is taken literally.
pub(super) fn plain(text: &str) -> String {
    // A backslash at the end would join the next line.
    text.replace('%', "%%").trim_end_matches('\\').to_owned()
}

/// Writes words as a line of systemd.service(5): quoted where needed, `%` and `$` taken literally.
pub(super) fn line_of(words: &[String]) -> String {
    let quoted = |word: &String| {
        let word = word.replace('%', "%%").replace('$', "$$");
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:=@%$+,[]{}".contains(c)) {
            word
        } else {
            quote(&word)
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// An assignment of systemd.exec(5), "Environment=": quoted where needed, `%` taken literally; `$` is no
/// special character there.
pub(super) fn assignment(name: &str, value: &str) -> String {
    let both = format!("{name}={}", value.replace('%', "%%"));
    if both.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:=@%$+,[]{}".contains(c)) { both } else { quote(&both) }
}

fn quote(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_reach_the_application_as_they_are() {
        #[rustfmt::skip]
        let cases = [ // value              line
            ("",                            "A="),
            ("/var/x:y@z",                  "A=/var/x:y@z"),
            ("two words",                   "\"A=two words\""),
            ("100%",                        "A=100%%"),
            ("$HOME",                       "A=$HOME"),
            ("say \"hi\" \\n 'x'",          "\"A=say \\\"hi\\\" \\\\n 'x'\""),
            ("postgres://a;b#c",            "\"A=postgres://a;b#c\""),
        ];
        for (value, line) in cases {
            assert_eq!(assignment("A", value), line);
        }
    }

    #[test]
    fn a_line_that_is_replaced_keeps_its_place() {
        let target = Target::find("el8-x86_64", None, None).unwrap();
        let mut section = Section::new("Service", &target);
        for (key, value) in [("User", "a"), ("ProtectProc", "invisible"), ("Nice", "1"), ("Nice", "2"), ("UMask", "7")]
        {
            section.add(key, value);
        }
        section.replace("Nice", &["3".to_owned()]);
        section.replace("MemoryMax", &["1G".to_owned(), String::new()]);
        assert_eq!(section.text(), "[Service]\nUser=a\nNice=3\nUMask=7\nMemoryMax=1G\nMemoryMax=\n");
    }
}
