//! git: which files belong to the application, when its commit was made, and what differs from it.

mod absent;
mod differing;
mod ignored;

pub(crate) use absent::refuse_incomplete;
pub use differing::{Inputs, differing};
pub(crate) use ignored::ignored;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::{Program, Sys};

/// A file of the work tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tracked {
    /// relative to the folder that was asked
    pub path: Utf8PathBuf,
    /// what git's index says, so that it is the same on hosts whose files have no such bit
    pub executable: bool,
    /// whether git stores LF where this work tree has CRLF
    pub to_lf: bool,
    /// whether it is in git's index, and not only where git would add it
    pub in_index: bool,
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

/// What of the user's, the system's and the repository's settings is overruled. Without these, git would trust less
/// of a file's times than it knows, or run a program that the repository's own settings name.
const SETTINGS: [&str; 3] = ["core.fsmonitor=", "core.trustCTime=true", "core.checkStat=default"];

/// What git runs with: it writes nothing that it need not, fetches no missing object, and shows commits as they were
/// made and not what `refs/replace` puts in their place.
const VARIABLES: [(&str, &str); 3] =
    [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_NO_LAZY_FETCH", "1"), ("GIT_NO_REPLACE_OBJECTS", "1")];

/// Git's variables that stay as they are: where settings are (`safe.directory` of a container is one), where git's own
/// programs are, and how far up a repository is looked for.
const KEPT_VARIABLES: [&str; 4] =
    ["GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"];

/// git, for the repository that its working directory is in. A hook's `GIT_DIR` and `GIT_INDEX_FILE` would make it
/// look elsewhere, and others (`GIT_LITERAL_PATHSPECS`, `GIT_TRACE`, `GIT_ATTR_SOURCE`) would change what it says.
pub(super) fn git(words: &[&str]) -> Program {
    let program = VARIABLES.iter().fold(Program::new("git"), |git, (name, value)| git.env(name, *value));
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_dropped = |name: &String| {
        name.starts_with("GIT_")
            && !VARIABLES.iter().any(|(set, _)| name == set)
            && !KEPT_VARIABLES.iter().any(|kept| name.starts_with(kept))
    };
    let program = names.filter(is_dropped).fold(program, Program::without);
    program.args(SETTINGS.iter().flat_map(|setting| ["-c", setting])).args(words.iter().copied())
}

/// The last commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// its name in lower-case hex
    pub commit: String,
    /// when it was committed, in seconds since 1970, as git writes it
    time: String,
}

/// The last commit; none in a repository without one.
///
/// # Errors
/// Where there is no repository, or git refuses to look at it.
pub fn head(sys: &Sys) -> anyhow::Result<Option<Head>> {
    // `rev-list` is plumbing: no setting changes what it prints, as `log.showSignature` changes what `log` does.
    let error = match sys.run(&git(&["rev-list", "--max-count=1", "--timestamp", "HEAD", "--"])) {
        Ok(said) => {
            let (time, commit) = said.out.trim().split_once(' ').context("git does not tell the last commit")?;
            return Ok(Some(Head { commit: commit.to_owned(), time: time.to_owned() }));
        }
        Err(error) => error,
    };
    match sys.end(&git(&["rev-parse", "--verify", "--quiet", "HEAD"])) {
        Ok(ended) if ended.code == Some(1) => Ok(None),
        _ => Err(Problem::around(error, "the last commit is not known", NEEDS_GIT)),
    }
}

/// The time that everything made here carries, in seconds since 1970: `SOURCE_DATE_EPOCH`, or that of the commit.
///
/// # Errors
/// For a `SOURCE_DATE_EPOCH` that is no number, and where there is no commit.
pub fn epoch(head: Option<&Head>) -> anyhow::Result<u32> {
    if let Some(given) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|given| !given.is_empty()) {
        let text = given.to_string_lossy();
        return text
            .trim()
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, and not a number of seconds that RPM can hold"));
    }
    let Some(Head { commit, time }) = head else {
        return Err(Problem::with_hint("the repository has no commit, whose time the package would carry", NEEDS_GIT));
    };
    time.parse().with_context(|| format!("the time of commit {commit} is `{time}`, which RPM cannot hold"))
}

/// Whether a file is of a repository that git trusts: its owner is this user, or `safe.directory` names it.
pub(crate) fn trusts(sys: &Sys, path: &str) -> bool {
    sys.end(&git(&["--literal-pathspecs", "ls-files", "--error-unmatch", "--", path]))
        .is_ok_and(|ended| ended.succeeded())
}

const NEEDS_GIT: &str = "install git, and commit the application: what is packed and its time are what git says";

/// The files below `folder` that git tracks or would track, sorted; what it ignores is left out.
///
/// - Takes: `skipped`, folders and files at the top of `folder` that are passed over.
/// - Fails: once, naming every file that cannot be packed: links, submodules, names that are not UTF-8; and for files
///   that git knows and the work tree lacks.
pub fn files(sys: &Sys, folder: &Utf8Path, skipped: &[&str]) -> anyhow::Result<Vec<Tracked>> {
    files_at(sys, folder, &[".".to_owned()], skipped)
}

/// The same of some files and folders below `folder` alone.
pub(crate) fn files_below(sys: &Sys, folder: &Utf8Path, paths: &[&Utf8Path]) -> anyhow::Result<Vec<Tracked>> {
    let paths: Vec<String> = paths.iter().map(|path| format!(":(literal){path}")).collect();
    files_at(sys, folder, &paths, &[])
}

/// What git lists at `paths` below `folder`, without what is passed over.
fn candidates(sys: &Sys, folder: &Utf8Path, paths: &[String], skipped: &[&str]) -> anyhow::Result<Vec<Listed>> {
    let large = large_files(sys, folder, paths)?;
    let excluded = large.iter().map(|file| format!(":(exclude,literal){}", file.path));
    let words = ["--exclude-standard", "--"].map(str::to_owned).into_iter().chain(paths.iter().cloned());
    let words: Vec<String> = words.chain(excluded).collect();
    let mut files = list(sys, folder, &words)?;
    files.extend(large);
    files.retain(|file| !file.path.split('/').next().is_some_and(|top| skipped.contains(&top)));
    Ok(files)
}

fn files_at(sys: &Sys, folder: &Utf8Path, paths: &[String], skipped: &[&str]) -> anyhow::Result<Vec<Tracked>> {
    let files = candidates(sys, folder, paths, skipped)?;
    let mut tracked = Vec::new();
    let mut faults = Vec::new();
    let mut missing = Vec::new();
    for Listed { path, mode, to_lf, is_left_out } in files {
        match check(folder, &path, mode.as_deref()) {
            Ok(false) if mode.is_some() => missing.push((path, is_left_out)),
            Ok(false) => {}
            Ok(true) => tracked.push(Tracked {
                executable: mode.as_ref().map_or_else(|| is_executable(&folder.join(&path)), |mode| mode == "100755"),
                in_index: mode.is_some(),
                path: path.into(),
                to_lf,
            }),
            Err(fault) => faults.push(fault.context(format!("`{}`", path.escape_debug()))),
        }
    }
    faults.extend(absent::are_missing(folder, &missing));
    all_of("files of the application cannot be packed", faults)?;
    tracked.sort();
    tracked.dedup_by(|a, b| a.path == b.path);
    Ok(tracked)
}

/// Single files below `folder`, in the order of `paths`; none in the place of each that git's index does not have.
pub(crate) fn known(sys: &Sys, folder: &Utf8Path, paths: &[Utf8PathBuf]) -> anyhow::Result<Vec<Option<Tracked>>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let literal = paths.iter().map(|path| format!(":(literal){}", differing::slashed(path)));
    let words: Vec<String> = ["--".to_owned()].into_iter().chain(literal).collect();
    let listed = list(sys, folder, &words)?;
    let known = |path: &Utf8PathBuf| {
        let file = listed.iter().find(|file| file.path == differing::slashed(path) && file.mode.is_some())?;
        Some(Tracked { path: path.clone(), executable: false, to_lf: file.to_lf, in_index: true })
    };
    Ok(paths.iter().map(known).collect())
}

fn not_listed(error: anyhow::Error, folder: &Utf8Path) -> anyhow::Error {
    Problem::around(error, format!("git does not know the files of `{folder}`"), NEEDS_GIT)
}

/// A line of `git ls-files`.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    path: String,
    /// of what is in the index: `100644`, `100755`, `120000` for a link, `160000` for a submodule
    mode: Option<String>,
    to_lf: bool,
    /// whether git is told not to have it in the work tree, as in a sparse checkout
    is_left_out: bool,
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
fn large_files(sys: &Sys, folder: &Utf8Path, paths: &[String]) -> anyhow::Result<Vec<Listed>> {
    const LARGE: u64 = 16 << 20;
    let words: Vec<String> = ["--".to_owned()].into_iter().chain(paths.iter().cloned()).collect();
    let said = ask(sys, folder, "--exclude-standard", &words)?;
    let mut large = Vec::new();
    for line in said.split_terminator('\0') {
        let (mode, path) = mode_of(line).with_context(|| odd(line))?;
        if folder.join(path).symlink_metadata().is_ok_and(|data| data.is_file() && data.len() > LARGE) {
            large.push(Listed { path: path.to_owned(), mode, to_lf: false, is_left_out: false });
        }
    }
    Ok(large)
}

fn ask(sys: &Sys, folder: &Utf8Path, option: &str, more: &[String]) -> anyhow::Result<String> {
    let words = ["ls-files", "-z", "-t", "--cached", "--stage", "--others", option];
    let said = sys.run(&git(&words).args(more.iter().map(String::as_str)).in_folder(folder));
    Ok(said.map_err(|error| not_listed(error, folder))?.out)
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
    Some(Listed { path: path.to_owned(), mode, to_lf: is_to_lf(line_ends)?, is_left_out: line.starts_with('S') })
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
        let row = |path: &str, mode: Option<&str>| Listed {
            path: path.into(),
            mode: mode.map(Into::into),
            to_lf: true,
            is_left_out: false,
        };
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
