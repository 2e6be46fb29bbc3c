//! The files that a requirements file takes in by `-r` and `-c`.

use super::lines::{logical_lines, next_variable};
use super::options::{Meaning, Options, cut, parse};
use crate::paths::{folder_of, inside};
use crate::source::LockTexts;
use anyhow::ensure;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use wheelhaul_base::problem::{Problem, shortened};

/// A file that a line takes in.
pub(super) struct Include {
    /// relative to the repository
    pub path: Utf8PathBuf,
    /// whether it holds constraints
    pub is_constraints: bool,
}

/// What a line without a requirement takes in; `-r` goes before `-c`, and of several only the first counts.
///
/// - Takes: `file` that the line is in, from whose folder the path starts.
/// - Fails: for a path that is none of the repository.
pub(super) fn include(file: &Utf8Path, options: &Options) -> anyhow::Result<Option<Include>> {
    let of = |meaning| options.first(meaning).map(|value| (value, meaning == Meaning::Constraint));
    let Some((value, is_constraints)) = of(Meaning::Requirement).or_else(|| of(Meaning::Constraint)) else {
        return Ok(None);
    };
    ensure!(
        !value.contains("://"),
        Problem::with_hint("it takes in a file from elsewhere", "put that file into the repository and name its path",)
    );
    if let Some((_, name, _)) = next_variable(value) {
        return Err(Problem::with_hint(
            format!("which file it takes in would depend on the variable `{name}`"),
            "write the path out",
        ));
    }
    match inside(folder_of(file), value) {
        Some(path) => Ok(Some(Include { path, is_constraints })),
        None => Err(Problem::with_hint(
            format!("`{}` is not in the repository", shortened(value)),
            "put that file into the repository; a path starts in the folder of the file that names it",
        )),
    }
}

/// The files that reading `lock` needs and `texts` does not have yet.
pub(in crate::formats) fn wanted(lock: &Utf8Path, texts: &LockTexts) -> Vec<Utf8PathBuf> {
    let mut missing = BTreeSet::new();
    let mut seen = BTreeSet::from([lock.to_owned()]);
    let mut waiting = vec![lock.to_owned()];
    while let Some(file) = waiting.pop() {
        let Some(text) = texts.get(&file).and_then(Option::as_deref) else { continue };
        for (_, line) in logical_lines(text.trim_start_matches('\u{feff}')) {
            let (requirement, options) = cut(&line);
            let options = if requirement.is_empty() { parse(options).ok() } else { None };
            let path = options.and_then(|options| include(&file, &options).ok().flatten()).map(|include| include.path);
            for path in path.into_iter().filter(|path| seen.insert(path.clone())) {
                if !texts.contains_key(&path) {
                    missing.insert(path.clone());
                }
                waiting.push(path);
            }
        }
    }
    missing.into_iter().collect()
}
