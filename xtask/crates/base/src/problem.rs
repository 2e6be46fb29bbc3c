//! A problem with its cure: what the front door prints as `hint:` under the chain of causes.

use std::fmt;

/// An error that knows how to be cured.
///
/// It is one link of an `anyhow` chain; the front door shows the links as causes and gathers the
/// hints of all of them on lines of their own.
#[derive(Debug)]
pub struct Problem {
    message: String,
    hint: String,
    cause: Option<anyhow::Error>,
}

impl Problem {
    /// Makes the problem as an error; lower case, names in backticks, no final dot.
    pub fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { message: message.into(), hint: hint.into(), cause: None })
    }

    /// Puts the problem around its cause, which stays in the chain with its own hints.
    pub fn around(cause: anyhow::Error, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { message: message.into(), hint: hint.into(), cause: Some(cause) })
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(AsRef::as_ref)
    }
}

/// A program that ended badly: what a person is shown, and all that it said, for code that has to know why.
#[derive(Debug)]
pub struct ProgramFailure {
    /// the command line, how it ended, and its last lines
    pub shown: String,
    /// everything that it wrote to standard error, or to standard output where that was nothing
    pub said: String,
}

impl ProgramFailure {
    /// The failure in a chain of causes, if a program's is there.
    pub fn of(error: &anyhow::Error) -> Option<&Self> {
        error.chain().find_map(|link| link.downcast_ref())
    }

    /// Whether a failed program is in a chain of causes and said one of these words.
    pub fn says(error: &anyhow::Error, words: &[&str]) -> bool {
        Self::of(error).is_some_and(|failure| words.iter().any(|words| failure.said.contains(words)))
    }
}

impl fmt::Display for ProgramFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::error::Error for ProgramFailure {}

/// More findings than a person reads at once.
const MOST_SHOWN: usize = 100;

/// One error for several findings, so that all of them are shown before failing once.
///
/// Gives `Ok` for none and the finding itself for one.
pub fn all_of(what: &str, mut findings: Vec<anyhow::Error>) -> anyhow::Result<()> {
    // What holds for several targets is said once.
    let mut said = std::collections::BTreeSet::new();
    findings.retain(|finding| said.insert((format!("{finding:#}"), hints_of(finding))));
    match findings.len() {
        0 => Ok(()),
        1 => Err(findings.remove(0)),
        count => {
            let mut text = format!("{count} {what}");
            let mut hints: Vec<String> = Vec::new();
            for finding in findings.iter().take(MOST_SHOWN) {
                text.push_str("\n  - ");
                text.push_str(&format!("{finding:#}").replace('\n', "\n    "));
                for hint in hints_of(finding) {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                }
            }
            if count > MOST_SHOWN {
                text.push_str(&format!("\n  and {} more", count - MOST_SHOWN));
            }
            Err(Problem::with_hint(text, hints.join("\n")))
        }
    }
}

/// The hints of every link of a chain, outermost first, without empty ones; of a full disk alone where that is
/// the cause, whatever was tried.
pub fn hints_of(error: &anyhow::Error) -> Vec<String> {
    const NO_ROOM: &str = "No space left on device";
    let is_full = |link: &(dyn std::error::Error + 'static)| {
        let kind = link.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let failure = link.downcast_ref::<ProgramFailure>();
        kind == Some(std::io::ErrorKind::StorageFull) || failure.is_some_and(|failure| failure.said.contains(NO_ROOM))
    };
    if error.chain().any(is_full) {
        return vec!["the disk is full: make room there, and run it again; what was there before is whole".to_owned()];
    }
    error
        .chain()
        .filter_map(|link| link.downcast_ref::<Problem>())
        .map(|problem| problem.hint.clone())
        .filter(|hint| !hint.is_empty())
        .collect()
}

/// A text from outside as a message shows it: not more than a line or two of it.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The known name that a misspelt one most likely means, if any is near.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_the_likely_one_or_none() {
        let known = ["release", "name", "command"];
        assert_eq!(nearest("relase", known), Some("release"));
        assert_eq!(nearest("comand", known), Some("command"));
        assert_eq!(nearest("zzz", known), None);
    }

    #[test]
    fn all_findings_stand_in_one_error_with_each_hint_once() {
        let findings =
            vec![Problem::with_hint("first", "cure"), Problem::with_hint("second", "cure"), anyhow::anyhow!("third")];
        let error = all_of("faults", findings).unwrap_err();
        assert_eq!(error.to_string(), "3 faults\n  - first\n  - second\n  - third");
        assert_eq!(hints_of(&error), ["cure"]);
    }

    #[test]
    fn a_full_disk_is_the_one_hint() {
        let own = anyhow::Error::new(std::io::Error::from(std::io::ErrorKind::StorageFull)).context("failed to write");
        let said = "OSError: [Errno 28] No space left on device".to_owned();
        let failure = ProgramFailure { shown: "`pip` ended with 2".to_owned(), said };
        let of_program = Problem::around(failure.into(), "pip could not download", "proxy");
        for error in [own, of_program] {
            let hints = hints_of(&error);
            assert!(hints.len() == 1 && hints[0].starts_with("the disk is full"), "{hints:?}");
        }
    }

    #[test]
    fn every_link_keeps_its_hint() {
        let inner = Problem::with_hint("inner", "first cure").context("between");
        let error = Problem::around(inner, "outer", "second cure").context("top");
        assert_eq!(format!("{error:#}"), "top: outer: between: inner");
        assert_eq!(hints_of(&error), ["second cure", "first cure"]);
    }
}
