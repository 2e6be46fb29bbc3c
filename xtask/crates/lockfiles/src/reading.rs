//! For the tests of this crate: locks from hand-made texts, and what a box gets of them in a line.

use crate::{Application, LockSource, LockTexts, Pins, Selection, filter, parse};
use camino::Utf8Path;
use wheelhaul_base::problem::hints_of;
use wheelhaul_boxes::Target;

pub(crate) const DIGEST: &str = "aa00000000000000000000000000000000000000000000000000000000000000";

/// Reads a lock in the folder `app`, the application's.
///
/// `texts` are by file name, the lock first; `wanted` has `+EXTRA` and `GROUP` with spaces between.
pub(crate) fn read(texts: &[(&str, &str)], wanted: &str) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new("app").join(texts[0].0);
    let texts: LockTexts =
        texts.iter().map(|(name, text)| (Utf8Path::new("app").join(name), Some((*text).to_owned()))).collect();
    let mut selection = Selection::default();
    for word in wanted.split_whitespace() {
        match word.strip_prefix('+') {
            Some(extra) => selection.extras.push(extra.parse()?),
            None => selection.groups.push(word.parse()?),
        }
    }
    let app = Application::in_folder(Utf8Path::new("app"));
    parse(&LockSource { lock: &lock, app, texts: &texts, selection: &selection, variable: &|_| None })
}

/// What el9 with a Python gets, as `name-version[extras]` with spaces between, or the error with its hints.
pub(crate) fn kept(pins: &Pins, python: &str) -> String {
    let target = Target::find("el9-x86_64", Some(python), None).unwrap();
    match filter(pins, &target) {
        Ok(filtered) => {
            let entry = |kept: &crate::KeptPin<'_>| {
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
pub(crate) fn said(error: &anyhow::Error) -> String {
    format!("{error:#} | {}", hints_of(error).join(" | "))
}
