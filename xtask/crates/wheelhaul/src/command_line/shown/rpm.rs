//! `rpm` for people: each RPM in a line, or the specs.

use super::Shown;
use super::summary::table;
use wheelhaul_engine::report::{count, size};
use wheelhaul_engine::rpm::{Report, RpmFile, Specs};
use wheelhaul_host::Verbosity;

impl Shown for Report {
    fn text(&self) -> String {
        self.rpms.iter().map(lines).collect()
    }

    fn talk(&self, verbosity: Verbosity) -> String {
        if verbosity == Verbosity::Verbose { table(&self.summary) } else { String::new() }
    }
}

/// The RPM in a line, and its source package in another.
pub(super) fn lines(rpm: &RpmFile) -> String {
    let mut text = format!("{}: {}, {}\n", rpm.path, size(rpm.size), count(rpm.entries, "path"));
    if let Some(source) = &rpm.source {
        text.push_str(&format!("{}: {}\n", source.path, size(source.size)));
    }
    text
}

impl Shown for Specs {
    fn text(&self) -> String {
        self.specs.iter().map(|spec| spec.spec.as_str()).collect::<Vec<_>>().join("\n")
    }
}
