//! The text of `package.toml` as a table whose keys know their lines.

use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use wheelhaul_base::problem::{Problem, hints_of, shortened};
use wheelhaul_base::toml_text::check_depth;

/// A fault with the line that it is shown by; what belongs to no line comes last.
pub(super) type Placed = (usize, anyhow::Error);

/// After so many errors a person has enough to mend.
const MOST_ERRORS: usize = 100;

/// A parsed text.
pub(super) struct Document<'a> {
    pub text: &'a str,
    pub root: DeTable<'a>,
    /// where each line ends
    ends: Vec<usize>,
}

impl<'a> Document<'a> {
    /// Parses a text as far as that is possible, and gives its syntax errors, at most one a line.
    pub(crate) fn parse(text: &'a str) -> (Self, Vec<Placed>) {
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        if let Err(error) = check_depth(text) {
            return (Self { text, root: DeTable::new(), ends }, vec![(0, error)]);
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { text, root: root.into_inner(), ends };
        let mut faults: Vec<Placed> = Vec::new();
        let mut told = BTreeSet::new();
        for error in errors {
            let line = error.span().map_or(0, |span| document.line_at(span.start));
            if faults.len() < MOST_ERRORS && told.insert(line) {
                faults.push((line, document.syntax_error(line, error.message())));
            }
        }
        (document, faults)
    }

    fn syntax_error(&self, line: usize, message: &str) -> anyhow::Error {
        let start = line.checked_sub(2).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        let written = self.text[start..].lines().next().unwrap_or_default().trim();
        let cure = match written.strip_prefix('[') {
            Some(_) if !written.contains(']') => "a table starts with a line such as `[app]`",
            _ if message.starts_with("duplicate key") => "leave one of the two out",
            _ => "a line is `key = value`; texts are in quotes, and lists in brackets: `config = [\"config.yaml\"]`",
        };
        // What the parser says may go over several lines.
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        Problem::with_hint(format!("line {line}: `{}` is not TOML: {message}", shortened(written).escape_debug()), cure)
    }

    /// The line of a byte, from 1 on.
    pub(crate) fn line_at(&self, byte: usize) -> usize {
        self.ends.partition_point(|end| *end < byte) + 1
    }

    /// What is written between two bytes.
    pub(crate) fn written(&self, value: &Spanned<DeValue<'_>>) -> &'a str {
        self.text.get(value.span()).unwrap_or_default()
    }

    /// The value of a key at the top.
    pub(crate) fn get(&self, key: &str) -> Option<&Spanned<DeValue<'a>>> {
        self.root.get(key)
    }

    /// The line of a key, `service.port`, or of the deepest table above it that is there.
    ///
    /// - Takes: `index`, in which entry of an array of tables the rest of the path is.
    pub(crate) fn line_of(&self, path: &str, index: usize) -> Option<usize> {
        let mut found = None;
        let mut table = &self.root;
        for part in path.split('.') {
            let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else { break };
            found = Some(self.line_at(key.span().start));
            table = match value.get_ref() {
                DeValue::Table(inner) => inner,
                DeValue::Array(entries) => match entries.get(index) {
                    Some(entry) if matches!(entry.get_ref(), DeValue::Table(_)) => {
                        found = Some(self.line_at(entry.span().start));
                        let DeValue::Table(inner) = entry.get_ref() else { break };
                        inner
                    }
                    _ => break,
                },
                _ => break,
            };
        }
        found
    }

    /// A fault that begins with the key that it is about, or with its table, with the line of that.
    pub(crate) fn placed(&self, error: anyhow::Error, table: &str, index: usize) -> Placed {
        let text = format!("{error:#}");
        let key = text.split_once("key `").and_then(|(_, rest)| rest.split_once('`')).map_or("", |(key, _)| key);
        let path = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
        match self.line_of(&path, index) {
            None => (usize::MAX, error),
            Some(line) => {
                let hints = hints_of(&error).join("; ");
                let hint = if hints.is_empty() { hints } else { format!("line {line}: {hints}") };
                (line, Problem::with_hint(format!("line {line}: {text}"), hint))
            }
        }
    }

    /// Reads a value that was held to the schema.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &str, value: &Spanned<DeValue<'a>>) -> Result<T, Placed> {
        T::deserialize(ValueDeserializer::from(value.clone())).map_err(|error| {
            let line = self.line_at(error.span().unwrap_or(value.span()).start);
            let message = error.message().replace('\n', " ");
            (line, Problem::with_hint(format!("line {line}: key `{key}`: {message}"), ""))
        })
    }
}
