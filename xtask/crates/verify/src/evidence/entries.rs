//! The sources of the modules that the service may start at.

use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_rpmfile::FileRow;

/// A module that is longer is no place to start at.
const MOST_SOURCE: u64 = 1 << 20;
/// All of them together; what is beyond is not looked into.
const MOST_SOURCES: u64 = 16 << 20;

/// The application's own sources, and those of dependencies that a script or a unit names before they come.
#[derive(Debug, Default)]
pub struct Entries {
    /// path → text
    pub sources: BTreeMap<String, String>,
    named: BTreeSet<String>,
    bytes: u64,
}

impl Entries {
    /// Takes note of the modules that a text of `bin` or a unit names.
    pub fn note(&mut self, root: &str, text: &str) {
        let scripts = text.lines().filter_map(|line| line.strip_prefix("from ")?.split_once(" import "));
        let units = text.split_whitespace().filter_map(|word| word.trim_matches('"').split_once(':'));
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        for (module, _) in
            scripts.chain(units).filter(|(module, _)| module.len() < 1000 && module.chars().all(is_plain))
        {
            self.named.extend(places(root, module));
        }
    }

    /// Whether a file's text is to be kept; it is counted as if it were.
    pub fn wants(&mut self, root: &str, path: &str, row: &FileRow) -> bool {
        let own = path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/') && !rest.starts_with("/lib/"));
        let is_wanted = path.ends_with(".py") && (own || self.named.contains(path)) && row.size <= MOST_SOURCE;
        if !is_wanted || self.bytes + row.size > MOST_SOURCES {
            return false;
        }
        self.bytes += row.size;
        true
    }
}

/// Where the source of a module may be.
pub(crate) fn places(root: &str, module: &str) -> [String; 4] {
    let path = module.replace('.', "/");
    [
        format!("{root}/{path}/__init__.py"),
        format!("{root}/{path}.py"),
        format!("{root}/lib/{path}/__init__.py"),
        format!("{root}/lib/{path}.py"),
    ]
}
