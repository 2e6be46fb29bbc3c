//! git: which files belong to the application, and when its commit was made.

use crate::problem::Problem;
use crate::sys::{Program, Sys};
use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

/// A file of the work tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tracked {
    /// relative to the folder that was asked
    pub path: Utf8PathBuf,
    /// what git's index says, so that it is the same on hosts whose files have no such bit
    pub executable: bool,
}

/// The time that everything made here carries: `SOURCE_DATE_EPOCH`, or that of the commit.
///
/// - Gives: seconds since 1970.
/// - Fails: for a `SOURCE_DATE_EPOCH` that is no number, and outside of a repository with a commit.
pub fn epoch(sys: &Sys) -> anyhow::Result<u32> {
    if let Some(given) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let text = given.to_string_lossy();
        return text
            .trim()
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, and not a number of seconds that RPM can hold"));
    }
    let hint = "commit the application to git, or set SOURCE_DATE_EPOCH to seconds since 1970";
    let said = sys
        .run(&Program::new("git").args(["log", "-1", "--format=%ct"]))
        .map_err(|error| Problem::around(error, "the time of the commit is not known", hint))?;
    said.out.trim().parse().context("git gave no time of the commit")
}

/// The files below `folder` that git tracks or would track, sorted; what it ignores is left out.
pub fn files(sys: &Sys, folder: &Utf8Path) -> anyhow::Result<Vec<Tracked>> {
    let list = |words: &[&str]| -> anyhow::Result<String> {
        let git = Program::new("git").args(["ls-files", "-z"]).args(words.iter().copied()).in_folder(folder);
        Ok(sys.run(&git)?.out)
    };
    let mut files = Vec::new();
    for line in list(&["--cached", "--stage"])?.split_terminator('\0') {
        let (facts, path) = line.split_once('\t').context("git lists files in a way that is not known")?;
        if facts.starts_with("160000") {
            bail!("`{path}` is a submodule, which cannot be packed");
        }
        files.push(Tracked { path: path.into(), executable: facts.starts_with("100755") });
    }
    for path in list(&["--others", "--exclude-standard"])?.split_terminator('\0') {
        files.push(Tracked { path: path.into(), executable: is_executable(&folder.join(path)) });
    }
    files.retain(|file| folder.join(&file.path).is_file());
    files.sort();
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
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
