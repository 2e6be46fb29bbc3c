//! `trial` for people: what `verify` says, and every step that was lived through.

use super::{Shown, verify};
use serde::Serialize;
use wheelhaul_engine::verify::Report;

/// The report of `trial`: that of `verify`, but `-q` shows nothing where nothing was found.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct OfTrial(pub Report);

impl Shown for OfTrial {
    fn text(&self) -> String {
        self.0.text()
    }

    fn quiet_text(&self) -> String {
        if self.0.findings() { self.0.quiet_text() } else { String::new() }
    }

    fn findings(&self) -> bool {
        self.0.findings()
    }

    fn paint(text: &str) -> String {
        verify::paint(text)
    }
}
