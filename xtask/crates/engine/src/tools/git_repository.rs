//! git: what it knows of a whole repository, and what it ignores there.

use crate::tools::git::git;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use wheelhaul_host::Sys;

/// The top of the work tree that the repository is in; none where git knows none.
pub(crate) fn top(sys: &Sys) -> Option<Utf8PathBuf> {
    let said = sys.run(&git(&["rev-parse", "--show-toplevel"])).ok()?;
    Some(said.out.trim_end_matches(['\n', '\r']).into()).filter(|top: &Utf8PathBuf| !top.as_str().is_empty())
}

/// Every file of the repository that git tracks or would add; none where git does not know the folder.
pub(crate) fn names(sys: &Sys) -> Option<BTreeSet<String>> {
    let said = sys.run(&git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])).ok()?;
    Some(said.out.split_terminator('\0').map(str::to_owned).collect())
}

/// What git ignores, folders with a `/` at their end and without what is in them.
pub(crate) fn ignored(sys: &Sys) -> Vec<String> {
    let words = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
    let said = sys.run(&git(&words)).map(|said| said.out).unwrap_or_default();
    said.split_terminator('\0').map(str::to_owned).collect()
}

/// The rule that makes git ignore a path, as in "`lib/` in line 14 of `.gitignore`"; none where it is not ignored.
pub(crate) fn ignored_by(sys: &Sys, path: &Utf8Path) -> Option<String> {
    // git wants a folder's `/` for rules that are for folders alone.
    let path = if path.is_dir() { format!("{path}/") } else { path.to_string() };
    let said = sys.run(&git(&["check-ignore", "--verbose", "--no-index", "--", &path])).ok()?;
    let (place, _) = said.out.lines().next()?.rsplit_once('\t')?;
    let (place, rule) = place.rsplit_once(':').filter(|(_, rule)| !rule.starts_with('!'))?;
    let (file, line) = place.rsplit_once(':')?;
    Some(format!("`{rule}` in line {line} of `{file}`"))
}
