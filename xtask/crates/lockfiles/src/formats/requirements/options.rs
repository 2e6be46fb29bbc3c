//! The options of a line, by the rules of the parsers that pip hands them to: Python's `shlex` and `optparse`.

use anyhow::bail;
use wheelhaul_base::problem::{Problem, shortened};
use wheelhaul_base::python_text::shell_words;

/// What an option means for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// `--requirement`
    Requirement,
    /// `--constraint`
    Constraint,
    /// `--editable`
    Editable,
    /// `--hash`
    Hash,
    /// `--require-hashes`
    RequireHashes,
    /// says where packages are got, which is configured elsewhere
    Index,
    /// changes how an sdist becomes a wheel
    Build,
    /// means nothing where every version is exact
    Nothing,
}

/// An option that pip knows in a file: all its long names, its letter, whether a value follows.
struct Known {
    long: &'static [&'static str],
    short: Option<char>,
    has_value: bool,
    meaning: Meaning,
}

const fn known(long: &'static [&'static str], short: Option<char>, has_value: bool, meaning: Meaning) -> Known {
    Known { long, short, has_value, meaning }
}

#[rustfmt::skip]
const KNOWN: [Known; 19] = [
    known(&["--requirement"],                Some('r'), true,  Meaning::Requirement),
    known(&["--constraint"],                 Some('c'), true,  Meaning::Constraint),
    known(&["--editable"],                   Some('e'), true,  Meaning::Editable),
    known(&["--hash"],                       None,      true,  Meaning::Hash),
    known(&["--require-hashes"],             None,      false, Meaning::RequireHashes),
    known(&["--index-url", "--pypi-url"],    Some('i'), true,  Meaning::Index),
    known(&["--extra-index-url"],            None,      true,  Meaning::Index),
    known(&["--no-index"],                   None,      false, Meaning::Index),
    known(&["--find-links"],                 Some('f'), true,  Meaning::Index),
    known(&["--trusted-host"],               None,      true,  Meaning::Index),
    known(&["--no-binary"],                  None,      true,  Meaning::Build),
    known(&["--config-settings"],            Some('C'), true,  Meaning::Build),
    known(&["--no-require-hashes"],          None,      false, Meaning::Nothing),
    known(&["--only-binary"],                None,      true,  Meaning::Nothing),
    known(&["--prefer-binary"],              None,      false, Meaning::Nothing),
    known(&["--pre"],                        None,      false, Meaning::Nothing),
    known(&["--all-releases"],               None,      true,  Meaning::Nothing),
    known(&["--only-final"],                 None,      true,  Meaning::Nothing),
    known(&["--use-feature"],                None,      true,  Meaning::Nothing),
];

/// One option as it was given; the value may hold a credential.
pub(super) struct Given {
    /// its first long name
    pub name: &'static str,
    /// what it means
    pub meaning: Meaning,
    /// empty where none belongs to it
    pub value: String,
}

/// The options of a line.
#[derive(Default)]
pub(super) struct Options {
    /// in their order
    pub given: Vec<Given>,
    /// how many words are none of an option: pip passes over them
    pub strays: usize,
}

impl Options {
    /// The value of the first option of a meaning.
    pub(super) fn first(&self, meaning: Meaning) -> Option<&str> {
        self.given.iter().find(|given| given.meaning == meaning).map(|given| given.value.as_str())
    }
}

/// Cuts a line where its options start: at the first word that starts with `-`.
pub(super) fn cut(line: &str) -> (&str, &str) {
    let at = if line.starts_with('-') { 0 } else { line.find(" -").map_or(line.len(), |space| space + 1) };
    (line[..at].trim_end_matches(' '), &line[at..])
}

/// Reads options.
///
/// - Fails: for what pip refuses, without showing a value.
pub(super) fn parse(text: &str) -> anyhow::Result<Options> {
    let mut options = Options::default();
    let mut words = shell_words(text)?.into_iter();
    while let Some(word) = words.next() {
        if word == "--" {
            options.strays += words.len();
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let (known, name) = by_long_name(&format!("--{name}"))?;
            let value = match (known.has_value, value) {
                (true, None) => Some(words.next().ok_or_else(|| no_value(name))?),
                (false, Some(_)) => bail!("the option `{name}` takes no value"),
                (_, value) => value,
            };
            options.given.push(checked(known, value)?);
        } else if word.len() > 1 && word.starts_with('-') {
            // Every letter takes a value, so none stands behind another.
            let letter = word.chars().nth(1).unwrap_or_default();
            let Some(known) = KNOWN.iter().find(|known| known.short == Some(letter)) else {
                return Err(unknown(&format!("-{letter}")));
            };
            let value = match &word[1 + letter.len_utf8()..] {
                "" => words.next().ok_or_else(|| no_value(known.long[0]))?,
                rest => rest.to_owned(),
            };
            options.given.push(checked(known, Some(value))?);
        } else {
            options.strays += 1;
        }
    }
    Ok(options)
}

/// A long option by its name, or by a beginning that only one has.
fn by_long_name(name: &str) -> anyhow::Result<(&'static Known, &'static str)> {
    let all = || KNOWN.iter().flat_map(|known| known.long.iter().map(move |long| (known, *long)));
    if let Some(exact) = all().find(|(_, long)| *long == name) {
        return Ok(exact);
    }
    let begun: Vec<_> = all().filter(|(_, long)| long.starts_with(name)).collect();
    match begun.as_slice() {
        [one] => Ok(*one),
        [] => Err(unknown(name)),
        several => {
            let several: Vec<String> = several.iter().map(|(_, long)| format!("`{long}`")).collect();
            bail!("the option `{name}` can be {}", several.join(" and "))
        }
    }
}

fn unknown(name: &str) -> anyhow::Error {
    Problem::with_hint(
        format!("the option `{}` is none that pip knows in a file", shortened(name)),
        "take it out: a lock has pinned requirements, `-r`, `-c` and `--hash`",
    )
}

fn no_value(name: &str) -> anyhow::Error {
    anyhow::anyhow!("the option `{name}` has no value")
}

fn checked(known: &Known, value: Option<String>) -> anyhow::Result<Given> {
    let name = known.long[0];
    let value = value.unwrap_or_default();
    match name {
        "--hash" => match value.split_once(':') {
            Some(("sha256" | "sha384" | "sha512", _)) => {}
            _ => {
                return Err(Problem::with_hint(
                    format!("`{}` is not a hash that pip takes", shortened(&value)),
                    "hashes are written `--hash=sha256:…`; lock again with sha256 hashes",
                ));
            }
        },
        "--config-settings" if !value.contains('=') => bail!("the value of `{name}` is not `KEY=VALUE`"),
        "--no-binary" | "--only-binary" | "--all-releases" | "--only-final" if value.starts_with('-') => {
            return Err(no_value(name));
        }
        _ => {}
    }
    Ok(Given { name, meaning: known.meaning, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        match parse(text) {
            Ok(options) => {
                let given: Vec<String> = options.given.iter().map(|g| format!("{}={}", g.name, g.value)).collect();
                format!("{} {}", given.join(" "), options.strays)
            }
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn options_are_read_in_every_spelling_that_pip_takes() {
        #[rustfmt::skip]
        let cases = [
            ("-r a.txt",                        "--requirement=a.txt 0"),
            ("-ra.txt",                         "--requirement=a.txt 0"),
            ("-r=a.txt",                        "--requirement==a.txt 0"),
            ("--requirement=a.txt",             "--requirement=a.txt 0"),
            ("--requirement a.txt -- -x",       "--requirement=a.txt 1"),
            ("--requirem 'a b.txt'",            "--requirement=a b.txt 0"),
            ("--req a",                         "the option `--req` can be"),
            ("--ha sha256:x --pre stray",       "--hash=sha256:x --pre= 1"),
            ("--pypi-url x -i y",               "--index-url=x --index-url=y 0"),
            ("--pre=x",                         "takes no value"),
            ("-r",                              "has no value"),
            ("--hash=md5:x",                    "not a hash that pip takes"),
            ("-x",                              "the option `-x` is none that pip knows"),
            ("--secret=s3cr3t",                 "the option `--secret` is none that pip knows"),
            ("-C x",                            "is not `KEY=VALUE`"),
            ("--no-binary -x",                  "has no value"),
            ("-e 'x",                           "quote is not closed"),
            ("-e \"a\\\"b\\c\" ''",             "--editable=a\"b\\c 1"),
            ("-e x\\",                          "stands for nothing"),
            ("-",                               " 1"),
        ];
        for (text, expected) in cases {
            assert!(said(text).contains(expected), "{text}: {}", said(text));
        }
    }

    #[test]
    fn a_line_is_cut_where_its_options_start() {
        assert_eq!(cut("a==1 ; x == 'b c'  --hash x"), ("a==1 ; x == 'b c'", "--hash x"));
        assert_eq!(cut("-r x"), ("", "-r x"));
        assert_eq!(cut("a-b"), ("a-b", ""));
    }
}
