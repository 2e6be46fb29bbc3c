//! A CPython of this host by its minor: of any patch release, for what does not depend on the processor.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::time::UNIX_EPOCH;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{MagicTag, Target};
use wheelhaul_host::{Bounds, Program, Sys, all_on_path, key_of, own_folder};

/// What an interpreter says of itself, in words.
const WHO: &str = "import sys, importlib.util as u; v = sys.version_info; print(sys.implementation.name, '%d.%d.%d' % v[:3], v[3], int.from_bytes(u.MAGIC_NUMBER[:2], 'little'), ascii(sys.executable))";

/// An interpreter of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interpreter {
    /// where it is
    pub path: Utf8PathBuf,
    /// `3.11.7`
    pub version: String,
}

/// Finds a final release of CPython with the target's minor, whose byte-code the target's Python takes.
///
/// Asking takes as long as packing a small package, so the answer is kept until a candidate changes.
pub(crate) fn find(sys: &Sys, target: &Target, tag: MagicTag) -> anyhow::Result<Interpreter> {
    let minor = target.python();
    let candidates = candidates(&minor);
    let cache = sys.user_cache("interpreters", Bounds::USUAL);
    let key = key_for(&minor, &candidates);
    // What is kept names no program that this host does not offer now.
    let is_offered = |found: &Option<Interpreter>| found.as_ref().is_none_or(|found| candidates.contains(&found.path));
    let found = cache.read(&key).filter(is_offered).unwrap_or_else(|| {
        let found = candidates.iter().find_map(|path| ask(sys, path, &minor, tag));
        cache.keep(sys, &key, &found);
        found
    });
    found.ok_or_else(|| {
        Problem::with_hint(
            format!("no CPython {minor} on this host"),
            format!("put a `python{minor}` of any patch release on the PATH: the distribution's package, `uv python install {minor}`, or pyenv"),
        )
    })
}

/// The interpreter at a path, if it is of this minor and writes byte-code of this tag.
fn ask(sys: &Sys, path: &Utf8Path, minor: &str, tag: MagicTag) -> Option<Interpreter> {
    let said = sys.run(&Program::new(path).args(["-I", "-S", "-B", "-c", WHO])).ok()?.out;
    let words: Vec<&str> = said.split_whitespace().collect();
    let [name, version, level, number, ..] = words.as_slice() else { return None };
    let fits = *name == "cpython"
        && version.rsplit_once('.').is_some_and(|(of, _)| of == minor)
        && *level == "final"
        && *number == tag.number.to_string();
    fits.then(|| Interpreter { path: path.to_owned(), version: (*version).to_owned() })
}

/// Where a Python of a minor may be: by its own name on the PATH, in pyenv with the newest first, and by
/// names that say less. Shims of pyenv are left out: they start bash to find what stands in pyenv. Those of virtual
/// environments come last, so that one which is active does not change what is taken where there is another.
pub fn candidates(minor: &str) -> Vec<Utf8PathBuf> {
    let named = all_on_path(&format!("python{minor}"));
    let others = ["python3", "python"].into_iter().flat_map(all_on_path);
    let mut found: Vec<Utf8PathBuf> = Vec::new();
    for path in named.into_iter().chain(of_pyenv(minor)).chain(others) {
        let is_shim = path.parent().and_then(Utf8Path::file_name) == Some("shims");
        if !is_shim && !found.contains(&path) {
            found.push(path);
        }
    }
    environments_last(found)
}

fn environments_last(mut found: Vec<Utf8PathBuf>) -> Vec<Utf8PathBuf> {
    found.sort_by_key(|path| is_of_environment(path));
    found
}

/// Whether a program is one of a virtual environment (PEP 405), or of conda's.
fn is_of_environment(path: &Utf8Path) -> bool {
    let Some(folder) = path.parent().and_then(Utf8Path::parent) else { return false };
    folder.join("pyvenv.cfg").is_file() || folder.join("conda-meta").is_dir()
}

/// What pyenv installed, newest patch release first; nothing where somebody else could have (`sudo` may keep `HOME`).
fn of_pyenv(minor: &str) -> Vec<Utf8PathBuf> {
    let home = |name: &str| std::env::var(name).ok().map(Utf8PathBuf::from);
    let Some(root) = home("PYENV_ROOT").or_else(|| Some(home("HOME")?.join(".pyenv"))) else { return Vec::new() };
    let prefix = format!("{minor}.");
    let versions = root.join("versions");
    let Some(versions) = versions.is_dir().then(|| own_folder(&versions).ok()).flatten() else { return Vec::new() };
    let mut found: Vec<(u32, Utf8PathBuf)> = versions
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let patch = entry.file_name().strip_prefix(&prefix)?.parse().ok()?;
            Some((patch, entry.path().join("bin").join(format!("python{minor}"))))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Changes when a candidate comes, goes or is another file.
fn key_for(minor: &str, candidates: &[Utf8PathBuf]) -> String {
    let files = candidates.iter().map(|path| {
        let data = path.metadata().ok();
        let time = data.as_ref().and_then(|data| data.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        format!("{path} {:?} {time:?}", data.map(|data| data.len()))
    });
    let words: Vec<String> = [WHO.to_owned(), minor.to_owned()].into_iter().chain(files).collect();
    key_of(words.iter().map(String::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_active_changes_nothing_where_there_is_another() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        for (folder, mark) in [("venv", "pyvenv.cfg"), ("conda", "conda-meta/history"), ("usr", "share")] {
            let mark = root.join(folder).join(mark);
            fs_err::create_dir_all(mark.parent().unwrap()).unwrap();
            fs_err::write(mark, "").unwrap();
        }
        let [venv, conda, usr] = ["venv", "conda", "usr"].map(|folder| root.join(folder).join("bin/python3.11"));
        let local = root.join("local/bin/python3.11");
        let found = environments_last(vec![venv.clone(), usr.clone(), conda.clone(), local.clone()]);
        assert_eq!(found, [usr, local, venv.clone(), conda]);
        assert_eq!(environments_last(vec![venv.clone()]), [venv]);
    }
}
