//! Whether what is packed is what the commit has. `git status` does not tell: it is silent about files that git
//! ignores, and about those whose index entry says `skip-worktree` (a sparse checkout) or `assume-unchanged`.

use super::{Head, git};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_host::Sys;

/// In bytes: a command line of Windows holds 32 KiB.
const LONGEST_LINE: usize = 16 << 10;

/// What decides the bytes of an RPM, relative to the root of the project.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// the application's folder: every file below it that git does not ignore; `.` for the root itself
    pub app: &'a Utf8Path,
    /// what is passed over at the top of the application's folder
    pub skipped: &'a [&'a str],
    /// single files, ignored or not
    pub files: &'a [Utf8PathBuf],
}

/// How the inputs differ from the commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differing {
    /// those that the commit has otherwise or not at all, and those that it has and the work tree lacks
    pub all: BTreeSet<String>,
    /// the single files among them that git's index does not have
    pub unknown: BTreeSet<Utf8PathBuf>,
}

/// Compares the inputs with the commit, by the digests that git stores them under.
///
/// Git's own notes of size and times are trusted for a file that neither flag is set for, as `git diff-files` does;
/// any other is read and hashed as git would store it.
///
/// # Errors
/// Where git cannot list the files.
pub fn differing(sys: &Sys, head: Option<&Head>, inputs: &Inputs<'_>) -> anyhow::Result<Differing> {
    let mut found = Differing::default();
    let mut repositories: BTreeMap<Utf8PathBuf, BTreeSet<Utf8PathBuf>> = BTreeMap::new();
    let mut within =
        |path: &Utf8Path| repositories.entry(repository_of(&sys.root, path)).or_default().insert(path.into());
    let (app, link) = resolved(&sys.root, inputs.app);
    let app = app.unwrap_or_else(|| inputs.app.to_owned());
    within(&app);
    let _ = link.is_some_and(|link| within(&link));
    let mut single = BTreeSet::new();
    for file in inputs.files {
        let (file, link) = match resolved(&sys.root, file) {
            (Some(real), link) => (real, link),
            (None, _) => {
                found.all.insert(file.to_string());
                continue;
            }
        };
        // A link of the repository is compared too: it could lead to another file of the commit.
        for path in link.into_iter().chain([file]) {
            within(&path);
            single.insert(path);
        }
    }
    for (repository, paths) in repositories {
        let commit = commit_of(sys, head, &repository);
        for (path, state) in compare(sys, &repository, commit.as_deref(), &paths)? {
            let path = below(&repository, &path);
            let is_single = single.contains(&path);
            let in_app = inputs.app == "." || path.starts_with(&app);
            let is_skipped = path.strip_prefix(&app).unwrap_or(&path).components().next();
            let is_skipped = is_skipped.is_some_and(|top| inputs.skipped.contains(&top.as_str()));
            if !is_single && (!in_app || is_skipped) {
                continue;
            }
            if state == State::Unknown && is_single {
                found.unknown.insert(path.clone());
            }
            if state != State::Same {
                found.all.insert(slashed(&path));
            }
        }
    }
    Ok(found)
}

/// How a file is, compared with the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Same,
    Differs,
    /// git's index does not have it
    Unknown,
}

/// What git's index says of a path.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    mode: String,
    blob: String,
    /// whether its content may be another one: git saw that, or does not look
    is_doubtful: bool,
    /// whether a merge left several
    is_unmerged: bool,
}

/// Compares what is at or below `paths` in a repository, `commit` being what its files ought to be.
///
/// - Gives: a row for each path of the index, of the commit, and of what git would add; and for each of `paths` itself.
fn compare(
    sys: &Sys,
    repository: &Utf8Path,
    commit: Option<&str>,
    paths: &BTreeSet<Utf8PathBuf>,
) -> anyhow::Result<BTreeMap<String, State>> {
    let folder = sys.root.join(repository);
    let asked: Vec<String> = paths.iter().map(|path| slashed(path.strip_prefix(repository).unwrap_or(path))).collect();
    let asked: Vec<&str> = asked.iter().map(|path| if path.is_empty() { "." } else { path }).collect();
    let index = index(sys, &folder, &asked)?;
    let tree = match commit.map(|commit| tree(sys, &folder, commit, &asked)) {
        Some(Ok(tree)) => tree,
        Some(Err(error)) if repository == "" => return Err(error),
        // A submodule at another commit may lack the one that it ought to be at: then nothing of it is that one's.
        Some(Err(_)) | None => BTreeMap::new(),
    };
    let mut states = BTreeMap::new();
    let mut doubtful = Vec::new();
    for (path, entry) in &index {
        let stored = tree.get(path);
        let is_plain = entry.mode.starts_with("100") && !entry.is_unmerged;
        let state = match (entry, stored) {
            (Entry { mode, .. }, _) if mode.is_empty() => State::Unknown,
            (Entry { mode, .. }, Some(stored)) if *mode != stored.mode => State::Differs,
            (_, Some(stored)) if !entry.is_doubtful && !entry.is_unmerged && entry.blob == stored.blob => State::Same,
            (_, Some(stored)) if is_plain && folder.join(path).is_file() => {
                doubtful.push((path.as_str(), stored.blob.as_str()));
                State::Differs
            }
            _ => State::Differs,
        };
        states.insert(path.clone(), state);
    }
    // What the commit has and the index no longer has was taken out of git.
    for path in tree.keys().filter(|path| !index.contains_key(*path)) {
        let state = if folder.join(path).is_file() { State::Unknown } else { State::Differs };
        states.insert(path.clone(), state);
    }
    for path in unchanged(sys, &folder, &doubtful) {
        states.insert(path.to_owned(), State::Same);
    }
    // A single file that git ignores is in no list. A folder without a file is nothing that could be packed.
    let is_file = |path: &&&str| folder.join(path).is_file() && !states.contains_key(**path);
    let unlisted: Vec<String> = asked.iter().filter(is_file).map(|path| (*path).to_owned()).collect();
    states.extend(unlisted.into_iter().map(|path| (path, State::Unknown)));
    Ok(states)
}

/// What the index has at or below `paths`, and what could be added to it, which has no mode.
fn index(sys: &Sys, folder: &Utf8Path, paths: &[&str]) -> anyhow::Result<BTreeMap<String, Entry>> {
    let words = ["--literal-pathspecs", "ls-files", "-z", "-v", "--stage", "--cached", "--modified", "--others"];
    let words = git(&words).args(["--exclude-standard", "--"]).args(paths.iter().copied());
    let said = sys.run(&words.in_folder(folder)).map_err(|error| super::not_listed(error, folder))?;
    let mut index: BTreeMap<String, Entry> = BTreeMap::new();
    for line in said.out.split_terminator('\0') {
        let read = || {
            let (tag, rest) = line.split_at_checked(1)?;
            let rest = rest.strip_prefix(' ')?;
            if tag == "?" {
                return Some((rest, Entry::default()));
            }
            let (facts, path) = rest.split_once('\t')?;
            let mut facts = facts.split(' ');
            let (mode, blob) = (facts.next()?.to_owned(), facts.next()?.to_owned());
            // `H` is what git looked at and found unchanged; a lower-case letter and `S` are what it does not look at.
            let is_unmerged = facts.next()? != "0";
            Some((path, Entry { mode, blob, is_doubtful: tag != "H", is_unmerged }))
        };
        let (path, entry) = read().ok_or_else(|| anyhow::anyhow!(super::odd(line)))?;
        let known = index.entry(path.to_owned()).or_default();
        let (is_doubtful, is_unmerged) = (known.is_doubtful, known.is_unmerged);
        *known = entry;
        known.is_doubtful |= is_doubtful;
        known.is_unmerged |= is_unmerged;
    }
    Ok(index)
}

/// What a commit has at a path.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    mode: String,
    blob: String,
}

/// What the commit has at or below `paths`.
fn tree(sys: &Sys, folder: &Utf8Path, commit: &str, paths: &[&str]) -> anyhow::Result<BTreeMap<String, Stored>> {
    // For `ls-tree`, no path is the whole folder.
    let paths = if paths.contains(&".") { &[] } else { paths };
    let words = git(&["--literal-pathspecs", "ls-tree", "-r", "-z", commit, "--"]).args(paths.iter().copied());
    let said = sys.run(&words.in_folder(folder))?;
    let mut tree = BTreeMap::new();
    for line in said.out.split_terminator('\0') {
        let read = || {
            let (facts, path) = line.split_once('\t')?;
            let mut facts = facts.split(' ');
            let (mode, _, blob) = (facts.next()?, facts.next()?, facts.next()?);
            Some((path.to_owned(), Stored { mode: mode.to_owned(), blob: blob.to_owned() }))
        };
        tree.extend([read().ok_or_else(|| anyhow::anyhow!(super::odd(line)))?]);
    }
    Ok(tree)
}

/// Those of `files`, each with the digest that the commit has, whose content in the work tree has that digest.
fn unchanged<'a>(sys: &Sys, folder: &Utf8Path, files: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    // CRLF of a checkout is shipped as LF, whatever this host's `core.autocrlf` is. With the plain bytes as well,
    // a file that was committed with CRLF is known, which `hash-object` would otherwise turn into LF.
    const WAYS: [&[&str]; 2] =
        [&["-c", "core.autocrlf=input", "hash-object", "--"], &["hash-object", "--no-filters", "--"]];
    let mut same = Vec::new();
    let mut rest = files;
    while !rest.is_empty() {
        let mut length = 0;
        let fits = |(path, _): &&(&str, &str)| {
            length += path.len() + 3;
            length <= LONGEST_LINE
        };
        let (these, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        for way in WAYS {
            let words = git(way).args(these.iter().map(|(path, _)| *path)).in_folder(folder);
            // What cannot be hashed differs.
            let said = sys.run(&words).map(|said| said.out).unwrap_or_default();
            let told = these.iter().zip(said.lines());
            same.extend(told.filter(|((_, stored), blob)| stored == blob).map(|((path, _), _)| *path));
        }
        rest = others;
    }
    same
}

/// The commit that the files of a repository ought to be of: the project's, or what that has of a submodule.
fn commit_of(sys: &Sys, head: Option<&Head>, repository: &Utf8Path) -> Option<String> {
    let head = head?;
    let Some(parent) = repository.parent() else { return Some(head.commit.clone()) };
    let outer = repository_of(&sys.root, parent);
    let commit = commit_of(sys, Some(head), &outer)?;
    let path = slashed(repository.strip_prefix(&outer).unwrap_or(repository));
    let stored = tree(sys, &sys.root.join(&outer), &commit, &[&path]).ok()?.remove(&path)?;
    (stored.mode == "160000").then_some(stored.blob)
}

/// The innermost repository below the root that a path is in, relative to the root; empty for the project's own.
pub(super) fn repository_of(root: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    let is_repository =
        |folder: &&Utf8Path| !matches!(folder.as_str(), "" | ".") && root.join(folder).join(".git").exists();
    path.ancestors().find(is_repository).map(Utf8Path::to_owned).unwrap_or_default()
}

/// Follows links: the file that a path leads to, relative to the root, and the first link on the way.
///
/// - Gives: no file where it lies outside of the root; the path itself where nothing is there.
fn resolved(root: &Utf8Path, path: &Utf8Path) -> (Option<Utf8PathBuf>, Option<Utf8PathBuf>) {
    let plain = (Some(path.to_owned()), None);
    if cfg!(windows) || path == "." {
        return plain;
    }
    let Ok(real) = root.join(path).canonicalize_utf8() else { return plain };
    if real == root.join(path) {
        return plain;
    }
    let ancestors: Vec<&Utf8Path> = path.ancestors().filter(|part| !part.as_str().is_empty()).collect();
    let link = ancestors.into_iter().rev().find(|part| root.join(part).is_symlink());
    (real.strip_prefix(root).ok().map(Utf8Path::to_owned), link.map(Utf8Path::to_owned))
}

fn below(repository: &Utf8Path, path: &str) -> Utf8PathBuf {
    if repository.as_str().is_empty() { Utf8PathBuf::from(path) } else { repository.join(path) }
}

/// A path as git writes it.
pub(super) fn slashed(path: &Utf8Path) -> String {
    if cfg!(windows) { path.as_str().replace('\\', "/") } else { path.to_string() }
}
