//! git: which files belong to the application, and when its commit was made.

use crate::problem::{Problem, all_of};
use crate::sys::{Program, Sys};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

/// A file of the work tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tracked {
    /// relative to the folder that was asked
    pub path: Utf8PathBuf,
    /// what git's index says, so that it is the same on hosts whose files have no such bit
    pub executable: bool,
}

/// git, for this repository: a hook's `GIT_DIR` and the like would make it look elsewhere.
fn git(words: &[&str]) -> Program {
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"]
        .into_iter()
        .fold(Program::new("git"), Program::without)
        .args(words.iter().copied())
}

/// The time that everything made here carries: `SOURCE_DATE_EPOCH`, or that of the commit.
///
/// - Gives: seconds since 1970.
/// - Fails: for a `SOURCE_DATE_EPOCH` that is no number, and outside of a repository with a commit.
pub fn epoch(sys: &Sys) -> anyhow::Result<u32> {
    if let Some(given) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|given| !given.is_empty()) {
        let text = given.to_string_lossy();
        return text
            .trim()
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, and not a number of seconds that RPM can hold"));
    }
    let said = sys
        .run(&git(&["log", "-1", "--format=%ct"]))
        .map_err(|error| Problem::around(error, "the time of the commit is not known", NEEDS_GIT))?;
    said.out.trim().parse().context("git gave no time of the commit")
}

/// The last commit, in lower-case hex; none in a repository without one.
pub fn commit(sys: &Sys) -> Option<String> {
    let said = sys.run(&git(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])).ok()?;
    Some(said.out.trim().to_owned()).filter(|commit| !commit.is_empty())
}

/// The files at or below `paths` that differ from the last commit, sorted; without those that git ignores.
pub fn uncommitted(sys: &Sys, paths: &[&Utf8Path]) -> anyhow::Result<Vec<String>> {
    let words = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--"];
    let said = sys.run(&git(&words).args(paths.iter().map(|path| path.as_str())))?;
    Ok(said.out.split_terminator('\0').filter_map(|line| line.get(3..)).map(str::to_owned).collect())
}

const NEEDS_GIT: &str = "install git, and commit the application: what is packed and its time are what git says";

/// The files below `folder` that git tracks or would track, sorted; what it ignores is left out.
///
/// - Takes: `skipped`, folders and files at the top of `folder` that are passed over.
/// - Fails: once, naming every file that cannot be packed: links, submodules, names that are not UTF-8.
pub fn files(sys: &Sys, folder: &Utf8Path, skipped: &[&str]) -> anyhow::Result<Vec<Tracked>> {
    // With `-t`, "H MODE SHA STAGE<tab>PATH" for what is in the index, "? PATH" for what could be.
    let words = ["ls-files", "-z", "-t", "--cached", "--stage", "--others", "--exclude-standard"];
    let said = sys
        .run(&git(&words).in_folder(folder))
        .map_err(|error| Problem::around(error, format!("git does not know the files of `{folder}`"), NEEDS_GIT))?;
    let mut files = Vec::new();
    for line in said.out.split_terminator('\0') {
        files.push(match (line.strip_prefix("? "), line.split_once('\t')) {
            (Some(path), _) => (path.to_owned(), None),
            (None, Some((facts, path))) => (path.to_owned(), Some(facts.contains(" 100755 "))),
            _ => anyhow::bail!("git lists files in a way that is not known: `{}`", line.escape_debug()),
        });
    }
    files.retain(|(path, _)| !path.split('/').next().is_some_and(|top| skipped.contains(&top)));
    let mut tracked = Vec::new();
    let mut faults = Vec::new();
    for (path, executable) in files {
        match check(folder, &path) {
            Ok(false) => {}
            Ok(true) => tracked.push(Tracked {
                executable: executable.unwrap_or_else(|| is_executable(&folder.join(&path))),
                path: path.into(),
            }),
            Err(fault) => faults.push(fault.context(format!("`{}`", path.escape_debug()))),
        }
    }
    all_of("files of the application cannot be packed", faults)?;
    tracked.sort();
    tracked.dedup_by(|a, b| a.path == b.path);
    Ok(tracked)
}

/// Whether a file is there still; refuses what is no plain one: a link could bring in what lies outside.
fn check(folder: &Utf8Path, path: &str) -> anyhow::Result<bool> {
    let remedy = |what: &str, cure: &str| Problem::with_hint(what.to_owned(), cure.to_owned());
    if path.contains('\u{fffd}') {
        return Err(remedy("its name is not UTF-8", "rename it"));
    }
    let kind = match folder.join(path).symlink_metadata() {
        Ok(data) => data.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    match (kind.is_file(), kind.is_symlink()) {
        (true, _) => Ok(true),
        (_, true) => Err(remedy("it is a symbolic link", "put the file itself there, or let git ignore it")),
        _ => Err(remedy(
            "it is no plain file (a submodule?)",
            "put its files into this repository, or let git ignore it",
        )),
    }
}

#[cfg(unix)]
fn is_executable(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|data| data.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Utf8Path) -> bool {
    false
}
