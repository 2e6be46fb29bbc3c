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
    /// whether git stores LF where this work tree has CRLF
    pub to_lf: bool,
}

impl Tracked {
    /// The bytes that are shipped: those of the work tree, with LF where git stores LF.
    pub fn read(&self, folder: &Utf8Path) -> anyhow::Result<Vec<u8>> {
        let bytes = fs_err::read(folder.join(&self.path))?;
        Ok(if self.to_lf { with_lf(bytes) } else { bytes })
    }
}

/// Bytes with LF for each CRLF.
fn with_lf(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.contains(&b'\r') {
        return bytes;
    }
    let is_before_lf = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    (0..bytes.len()).filter(|at| !is_before_lf(*at)).map(|at| bytes[at]).collect()
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

/// Whether a file is of a repository that git trusts: its owner is this user, or `safe.directory` names it.
pub fn trusts(sys: &Sys, path: &str) -> bool {
    sys.end(&git(&["ls-files", "--error-unmatch", "--", path])).is_ok_and(|ended| ended.succeeded())
}

const NEEDS_GIT: &str = "install git, and commit the application: what is packed and its time are what git says";

/// The files below `folder` that git tracks or would track, sorted; what it ignores is left out.
///
/// - Takes: `skipped`, folders and files at the top of `folder` that are passed over.
/// - Fails: once, naming every file that cannot be packed: links, submodules, names that are not UTF-8.
pub fn files(sys: &Sys, folder: &Utf8Path, skipped: &[&str]) -> anyhow::Result<Vec<Tracked>> {
    let large = large_files(sys, folder)?;
    let excluded = large.iter().map(|file| format!(":(exclude,literal){}", file.path));
    let words: Vec<String> = ["--exclude-standard", "--", "."].map(str::to_owned).into_iter().chain(excluded).collect();
    let mut files = list(sys, folder, &words)?;
    files.extend(large);
    files.retain(|file| !file.path.split('/').next().is_some_and(|top| skipped.contains(&top)));
    let mut tracked = Vec::new();
    let mut faults = Vec::new();
    for Listed { path, mode, to_lf } in files {
        match check(folder, &path, mode.as_deref()) {
            Ok(false) => {}
            Ok(true) => tracked.push(Tracked {
                executable: mode.map_or_else(|| is_executable(&folder.join(&path)), |mode| mode == "100755"),
                path: path.into(),
                to_lf,
            }),
            Err(fault) => faults.push(fault.context(format!("`{}`", path.escape_debug()))),
        }
    }
    all_of("files of the application cannot be packed", faults)?;
    tracked.sort();
    tracked.dedup_by(|a, b| a.path == b.path);
    Ok(tracked)
}

/// What is shipped of single files below `folder`, in their order; git may ignore them.
pub fn contents(sys: &Sys, folder: &Utf8Path, paths: &[Utf8PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let literal = paths.iter().map(|path| format!(":(literal){path}"));
    let words: Vec<String> = ["--".to_owned()].into_iter().chain(literal).collect();
    let listed = list(sys, folder, &words)?;
    let read = |path: &Utf8PathBuf| {
        // What git does not list lies in a repository within this one.
        let to_lf = listed.iter().find(|file| file.path == path.as_str()).is_some_and(|file| file.to_lf);
        Tracked { path: path.clone(), executable: false, to_lf }.read(folder)
    };
    paths.iter().map(read).collect()
}

/// A line of `git ls-files`.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    path: String,
    /// of what is in the index: `100644`, `100755`, `120000` for a link, `160000` for a submodule
    mode: Option<String>,
    to_lf: bool,
}

/// Lists what the index has and what it could have.
fn list(sys: &Sys, folder: &Utf8Path, more: &[String]) -> anyhow::Result<Vec<Listed>> {
    ask(sys, folder, "--eol", more)?
        .split_terminator('\0')
        .map(|line| listed(line).with_context(|| odd(line)))
        .collect()
}

/// The files that are too large to be text, without looking at their line ends: git reads a file whole for that,
/// and what is in the index beside it.
fn large_files(sys: &Sys, folder: &Utf8Path) -> anyhow::Result<Vec<Listed>> {
    const LARGE: u64 = 16 << 20;
    let said = ask(sys, folder, "--exclude-standard", &[])?;
    let mut large = Vec::new();
    for line in said.split_terminator('\0') {
        let (mode, path) = mode_of(line).with_context(|| odd(line))?;
        if folder.join(path).symlink_metadata().is_ok_and(|data| data.is_file() && data.len() > LARGE) {
            large.push(Listed { path: path.to_owned(), mode, to_lf: false });
        }
    }
    Ok(large)
}

fn ask(sys: &Sys, folder: &Utf8Path, option: &str, more: &[String]) -> anyhow::Result<String> {
    let words = ["ls-files", "-z", "-t", "--cached", "--stage", "--others", option];
    let said = sys.run(&git(&words).args(more.iter().map(String::as_str)).in_folder(folder));
    let said =
        said.map_err(|error| Problem::around(error, format!("git does not know the files of `{folder}`"), NEEDS_GIT))?;
    Ok(said.out)
}

fn odd(line: &str) -> String {
    format!("git lists files in a way that is not known: `{}`", line.escape_debug())
}

/// Reads `H MODE SHA STAGE<tab>REST` of what is in the index, `? REST` of what could be.
fn mode_of(line: &str) -> Option<(Option<String>, &str)> {
    match line.strip_prefix("? ") {
        Some(rest) => Some((None, rest)),
        None => {
            let (facts, rest) = line.split_once('\t')?;
            Some((Some(facts.split(' ').nth(1)?.to_owned()), rest))
        }
    }
}

/// Reads `H MODE SHA STAGE<tab>LINE-ENDS<tab>PATH` of what is in the index, `? LINE-ENDS<tab>PATH` of what could be.
fn listed(line: &str) -> Option<Listed> {
    let (mode, rest) = mode_of(line)?;
    let (line_ends, path) = rest.split_once('\t')?;
    Some(Listed { path: path.to_owned(), mode, to_lf: is_to_lf(line_ends)? })
}

/// Whether git stores LF where the work tree has CRLF (gitattributes(5), "End-of-line conversion").
///
/// What neither an attribute nor a commit speaks of is taken as `text=auto` takes it: `core.autocrlf` is the host's.
///
/// - Takes: `i/INDEX w/WORKTREE attr/ATTRIBUTES`, as `git ls-files --eol` prints it.
fn is_to_lf(line_ends: &str) -> Option<bool> {
    let (in_index, rest) = line_ends.strip_prefix("i/")?.split_once(' ')?;
    let (in_work_tree, attributes) = rest.trim_start().strip_prefix("w/")?.split_once(' ')?;
    let attributes = attributes.trim().strip_prefix("attr/")?;
    let has_crlf = matches!(in_work_tree, "crlf" | "mixed");
    Some(match attributes.split(' ').next()? {
        "-text" => false,
        // With CRLF in the index, git leaves such a file alone both ways.
        "" | "text=auto" => has_crlf && matches!(in_index, "lf" | "none" | ""),
        // By order of the attribute, whatever it looks like.
        _ => has_crlf || in_work_tree == "-text",
    })
}

/// Whether a file is there still; refuses what is no plain one: a link could bring in what lies outside.
///
/// - Takes: `mode`, of the index: where a host has no links, git writes a file in the place of one.
fn check(folder: &Utf8Path, path: &str, mode: Option<&str>) -> anyhow::Result<bool> {
    let remedy = |what: &str, cure: &str| Problem::with_hint(what.to_owned(), cure.to_owned());
    if path.contains('\u{fffd}') {
        return Err(remedy("its name is not UTF-8", "rename it"));
    }
    let kind = match folder.join(path).symlink_metadata() {
        Ok(data) => data.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if kind.is_symlink() || mode == Some("120000") {
        return Err(remedy(
            "it is a symbolic link",
            "put the file itself there, and `git add` it; or let git ignore it",
        ));
    }
    if !kind.is_file() {
        return Err(remedy(
            "it is no plain file (a submodule?)",
            "put its files into this repository, or let git ignore it",
        ));
    }
    Ok(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crlf_of_a_checkout_is_told_from_crlf_of_the_commit() {
        #[rustfmt::skip]
        let cases = [ // index, work tree, attributes                    to LF
            ("i/lf    w/lf    attr/                 ",                   false),
            ("i/lf    w/crlf  attr/                 ",                   true),
            ("i/lf    w/mixed attr/text=auto        ",                   true),
            ("i/none  w/crlf  attr/text=auto eol=crlf ",                 true),
            ("i/      w/crlf  attr/                 ",                   true),
            ("i/      w/-text attr/                 ",                   false),
            ("i/crlf  w/crlf  attr/                 ",                   false),
            ("i/mixed w/mixed attr/text=auto eol=lf ",                   false),
            ("i/-text w/-text attr/                 ",                   false),
            ("i/lf    w/-text attr/text=auto        ",                   false),
            ("i/lf    w/crlf  attr/-text            ",                   false),
            ("i/lf    w/crlf  attr/text eol=crlf    ",                   true),
            ("i/crlf  w/crlf  attr/text             ",                   true),
            ("i/-text w/-text attr/text             ",                   true),
            ("i/lf    w/      attr/text             ",                   false),
        ];
        for (line_ends, to_lf) in cases {
            assert_eq!(is_to_lf(line_ends), Some(to_lf), "{line_ends}");
        }
        for odd in ["", "i/lf", "i/lf w/lf", "w/lf i/lf attr/"] {
            assert_eq!(is_to_lf(odd), None, "{odd}");
        }
    }

    #[test]
    fn lines_of_ls_files_are_read() {
        let row =
            |path: &str, mode: Option<&str>| Listed { path: path.into(), mode: mode.map(Into::into), to_lf: true };
        #[rustfmt::skip]
        let cases = [
            ("H 100755 5d5abea 0\ti/lf    w/crlf  attr/text eol=crlf    \ta/b.py", Some(row("a/b.py", Some("100755")))),
            ("? i/      w/crlf  attr/                 \ta\tb",                   Some(row("a\tb", None))),
            ("H 100644 5d5abea 0\ta/b.py",                                       None),
            ("? a",                                                              None),
            ("",                                                                 None),
        ];
        for (line, read) in cases {
            assert_eq!(listed(line), read, "{line}");
        }
    }

    #[test]
    fn only_pairs_become_one() {
        #[rustfmt::skip]
        let cases: [(&[u8], &[u8]); 5] = [
            (b"a\r\nb\r\n", b"a\nb\n"),
            (b"a\rb\r",      b"a\rb\r"),
            (b"\r\r\n",      b"\r\n"),
            (b"a\nb",        b"a\nb"),
            (b"",            b""),
        ];
        for (before, after) in cases {
            assert_eq!(with_lf(before.to_vec()), after);
        }
    }
}
