//! For the tests of this room: locks from hand-made texts, and what a box gets of them in a line.

use crate::{Application, Format, Pins, Selection, Source, Texts, filter, parse};
use camino::Utf8Path;
use wheelhaul_base::problem::hints_of;
use wheelhaul_boxes::Target;

pub const DIGEST: &str = "aa00000000000000000000000000000000000000000000000000000000000000";

/// Reads a lock in the folder `app`, the application's.
///
/// - Takes: `texts` by file name, the lock first; `wanted` as `+EXTRA` and `GROUP`, with spaces between.
pub fn read(texts: &[(&str, &str)], wanted: &str) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new("app").join(texts[0].0);
    let texts: Texts =
        texts.iter().map(|(name, text)| (Utf8Path::new("app").join(name), Some((*text).to_owned()))).collect();
    let mut selection = Selection::default();
    for word in wanted.split_whitespace() {
        match word.strip_prefix('+') {
            Some(extra) => selection.extras.push(extra.parse()?),
            None => selection.groups.push(word.parse()?),
        }
    }
    let format = Format::of(&lock)?;
    let app = Application::in_folder(Utf8Path::new("app"));
    parse(&Source { format, lock: &lock, app, texts: &texts, selection: &selection, variable: &|_| None })
}

/// What el9 with a Python gets, as `name-version[extras]` with spaces between, or the error with its hints.
pub fn kept(pins: &Pins, python: &str) -> String {
    let target = Target::find("el9-x86_64", Some(python), None).unwrap();
    match filter(pins, &target) {
        Ok(filtered) => {
            let entry = |kept: &crate::Kept<'_>| {
                let extras: Vec<&str> = kept.extras.iter().map(AsRef::as_ref).collect();
                let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
                format!("{}-{}{extras}", kept.pin.name, kept.pin.version)
            };
            filtered.kept.iter().map(entry).collect::<Vec<_>>().join(" ")
        }
        Err(error) => said(&error),
    }
}

/// An error with its causes and hints.
pub fn said(error: &anyhow::Error) -> String {
    format!("{error:#} | {}", hints_of(error).join(" | "))
}
