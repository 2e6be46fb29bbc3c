//! A repository's files and texts, as `init` looks at them.

use crate::discover::{Seen, wanted};
use crate::tools::{git_repository, git_version};
use camino::Utf8Path;
use std::collections::BTreeSet;
use wheelhaul_host::{Sys, typed_name};

/// Larger texts tell nothing but what a lock has.
const LARGEST: u64 = 64 << 20;
/// More files than a repository of an application has, where git does not tell which are its.
const MOST_FILES: usize = 100_000;

/// Looks at a repository; without git at every file that is not obviously made.
pub(super) fn look(sys: &Sys, below: &str) -> anyhow::Result<Seen> {
    let files = match git_repository::names(sys) {
        Some(names) => names,
        None => {
            let mut found = BTreeSet::new();
            walk(&sys.root, "", &mut found);
            found
        }
    };
    let name = sys.root.file_name().unwrap_or("app").to_owned();
    let has_tag = git_version::has_tag(sys);
    let ignored = git_repository::ignored(sys);
    let mut seen = Seen {
        name,
        files,
        below: below.to_owned(),
        has_tag,
        ignored,
        typed: typed_name().to_owned(),
        ..Seen::default()
    };
    for path in wanted(&seen.files) {
        let whole = sys.root.join(&path);
        if whole.metadata().is_ok_and(|data| data.is_file() && data.len() <= LARGEST)
            && let Ok(text) = sys.read_text(&whole)
        {
            seen.texts.insert(path, text);
        }
    }
    Ok(seen)
}

fn walk(root: &Utf8Path, folder: &str, found: &mut BTreeSet<String>) {
    const MADE: [&str; 8] = ["__pycache__", "build", "dist", "env", "node_modules", "site-packages", "target", "venv"];
    for entry in root.join(folder).read_dir_utf8().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Ok(kind) = entry.file_type() else { continue };
        if found.len() >= MOST_FILES {
            return;
        }
        if kind.is_file() {
            found.insert(format!("{folder}{name}"));
        } else if kind.is_dir() && !name.starts_with('.') && !MADE.contains(&name) {
            walk(root, &format!("{folder}{name}/"), found);
        }
    }
}
