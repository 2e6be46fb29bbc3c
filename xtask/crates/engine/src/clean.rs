//! `cargo xtask clean`: what the tool keeps between runs, and can make again, goes.

use crate::pieces::PIECES;
use crate::report::{count, size};
use crate::tools::build::CACHE_OF_PIP;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::Path;
use wheelhaul_base::problem::all_of;
use wheelhaul_host::{CACHES, ELSEWHERE, SCRATCH, Sys, is_made_here, left_in, own_folder, user_cache};

/// What `clean` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Say what would go, and remove nothing
    pub dry_run: bool,
    /// Only the compressed pieces
    pub pieces: bool,
    /// Also the wheels in `dist/wheels`, which then are fetched again
    pub wheels: bool,
    /// Also what is in `dist/out` and `dist/rpmbuild`
    pub out: bool,
    /// Also the private uv, pip and other tools in `target/xtask`, which then are installed again
    pub tools: bool,
}

impl Options {
    /// Whether something is asked for that only a repository has.
    pub(crate) fn needs_repository(&self) -> bool {
        self.wheels || self.out || self.tools
    }
}

/// What was removed, or would be.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// whether nothing was removed, because only that was asked
    pub dry_run: bool,
    /// how many files and links
    pub files: usize,
    /// of all of them
    pub bytes: u64,
    /// place by place
    pub removed: Vec<Removed>,
    /// places that were not touched
    pub left_alone: Vec<LeftAlone>,
}

/// What was removed from a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// relative to the repository where it is inside of it
    pub path: String,
    /// how many files and links
    pub files: usize,
    /// of all of them
    pub bytes: u64,
}

/// A place that was not touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftAlone {
    /// relative to the repository where it is inside of it
    pub path: String,
    /// the reason
    pub why: String,
}

impl Report {
    /// `removed 3 files, 1.2 MB`
    pub fn sum(&self) -> String {
        let all = format!("{}, {}", count(self.files, "file"), size(self.bytes));
        match (self.files, self.dry_run) {
            (0, _) => "there is nothing to remove".to_owned(),
            (_, true) => format!("would remove {all}"),
            (_, false) => format!("removed {all}"),
        }
    }
}

/// Environments with programs of Python.
const TOOLS: [&str; 2] = ["tools-", "build-"];
/// What is made in `dist/out` and `dist/rpmbuild`, by the ends of names.
const OUTPUTS: [&str; 5] = [".whl", ".rpm", ".tar.gz", ".spec", ".toml"];
/// What rpmbuild works in; it gives the names there.
const OF_RPMBUILD: [&str; 2] = ["BUILD", "BUILDROOT"];
/// A folder that another run writes into is emptied so often.
const TRIES: usize = 3;

/// The task; `root` is the repository, and `None` outside of one.
pub(crate) fn run(sys: &Sys, root: Option<&Utf8Path>, options: &Options) -> anyhow::Result<Report> {
    let mut broom = Broom { is_dry: options.dry_run, removed: Vec::new(), left: Vec::new(), faults: Vec::new() };
    let cache = user_cache().filter(|cache| cache.exists()).and_then(|_| sys.cache());
    let elsewhere = cache.iter().flat_map(|cache| broom.entries(&cache.join(ELSEWHERE))).collect::<Vec<_>>();
    let workspace = root.map(|root| root.join("target/xtask")).filter(|place| broom.may_clean(place));
    for place in cache.iter().chain(&workspace).chain(&elsewhere) {
        match options.pieces {
            true => broom.empty(&place.join(CACHES).join(PIECES), &is_made_here),
            false => sweep(&mut broom, place, options.tools),
        }
    }
    if let Some(root) = root {
        outputs(&mut broom, root, options);
    }
    let report = broom.report(root);
    all_of("things could not be removed", broom.faults)
        .with_context(|| format!("not everything could be removed; for the rest: {}", report.sum()))?;
    Ok(report)
}

/// Removes what a repository has for others, as far as it is asked for.
fn outputs(broom: &mut Broom, root: &Utf8Path, options: &Options) {
    if options.wheels {
        let wheels = root.join("dist/wheels");
        broom.empty(&wheels, &|name| name.ends_with(".whl"));
        // What a build without a network needs.
        let of_tools = wheels.join("tools");
        broom.empty(&of_tools, &|name| name.ends_with(".whl") || name == "backend.txt");
        if !broom.is_dry {
            // It stays where something is left in it.
            let _ = std::fs::remove_dir(of_tools);
        }
    }
    if options.out {
        let is_output = |name: &str| OUTPUTS.iter().any(|end| name.ends_with(end));
        broom.empty(&root.join("dist/out"), &is_output);
        broom.empty_all(&root.join("dist/rpmbuild"), &is_output);
    }
}

/// Cleans the user's cache or a workspace; what is not known there stays.
fn sweep(broom: &mut Broom, place: &Utf8Path, with_tools: bool) {
    for entry in broom.entries(place) {
        let name = entry.file_name().unwrap_or_default();
        let is_tool = TOOLS.iter().any(|prefix| name.starts_with(prefix)) && entry.join("pyvenv.cfg").is_file();
        if name == CACHES {
            broom.empty_caches(&entry);
        } else if name == SCRATCH {
            broom.free(&entry);
        } else if with_tools && is_tool {
            broom.take(&entry);
        }
    }
}

/// What was removed from a place on disk.
struct Swept {
    place: Utf8PathBuf,
    files: usize,
    bytes: u64,
}

/// Removes, or only looks; goes on after a fault.
struct Broom {
    is_dry: bool,
    removed: Vec<Swept>,
    /// what was left alone, and why
    left: Vec<(Utf8PathBuf, String)>,
    faults: Vec<anyhow::Error>,
}

impl Broom {
    /// Whether a folder is there, in which nobody but this user could exchange what is removed; no link leads to it.
    fn may_clean(&mut self, folder: &Utf8Path) -> bool {
        if folder.symlink_metadata().is_err() {
            return false;
        }
        let why = match own_folder(folder) {
            Ok(real) if real == folder => return true,
            Ok(_) => "a link leads to it".to_owned(),
            Err(why) => why.to_string(),
        };
        self.left.push((folder.to_owned(), why));
        false
    }

    /// Removes the files in a folder whose names are `ours`; one that is not there is as good as empty.
    fn empty(&mut self, folder: &Utf8Path, ours: &dyn Fn(&str) -> bool) {
        if is_link(folder) || (cfg!(unix) && folder.canonicalize_utf8().is_ok_and(|real| real != folder)) {
            self.left.push((folder.to_owned(), "a link leads to it".to_owned()));
            return;
        }
        if folder.exists() && !folder.is_dir() {
            self.left.push((folder.to_owned(), "it is not a folder".to_owned()));
            return;
        }
        let entries = self.entries(folder);
        let is_ours = |path: &Utf8PathBuf| {
            path.file_name().is_some_and(ours) && path.symlink_metadata().is_ok_and(|data| data.is_file())
        };
        self.remove_all(folder, entries.into_iter().filter(is_ours));
    }

    /// Empties every cache in a folder of caches; they themselves stay, since another run may be about to write into them.
    fn empty_caches(&mut self, folder: &Utf8Path) {
        if is_link(folder) {
            self.left.push((folder.to_owned(), "a link leads to it".to_owned()));
            return;
        }
        for cache in self.entries(folder) {
            match cache.file_name() == Some(CACHE_OF_PIP) {
                // pip gives the names in it.
                true => self.clear(&cache),
                false => self.empty(&cache, &is_made_here),
            }
        }
    }

    /// The same, in the folders below as well, which go when they are empty.
    fn empty_all(&mut self, folder: &Utf8Path, ours: &dyn Fn(&str) -> bool) {
        self.empty(folder, ours);
        for entry in self.entries(folder) {
            if is_link(&entry) || !entry.is_dir() {
                continue;
            }
            match OF_RPMBUILD.contains(&entry.file_name().unwrap_or_default()) {
                true => self.clear(&entry),
                false => self.empty_all(&entry, ours),
            }
            if !self.is_dry {
                // It stays where something is left in it.
                let _ = std::fs::remove_dir(entry);
            }
        }
    }

    /// Removes all that is in a folder.
    fn clear(&mut self, folder: &Utf8Path) {
        if !is_link(folder) {
            let entries = self.entries(folder);
            self.remove_all(folder, entries.into_iter());
        }
    }

    /// Removes the folders that killed runs left behind, with what held them.
    fn free(&mut self, folder: &Utf8Path) {
        if is_link(folder) {
            return;
        }
        for (left, held_by, lock) in left_in(folder) {
            self.remove_all(folder, [left, held_by].into_iter());
            drop(lock);
        }
    }

    fn remove_all(&mut self, folder: &Utf8Path, entries: impl Iterator<Item = Utf8PathBuf>) {
        let all: Vec<_> = entries.filter_map(|entry| self.remove(&entry)).collect();
        let files = all.iter().map(|(files, _)| files).sum();
        self.note(folder, files, all.iter().map(|(_, bytes)| bytes).sum());
    }

    /// Removes a file, or a folder with all that is in it; a link stays.
    fn take(&mut self, path: &Utf8Path) {
        if !is_link(path)
            && let Some((files, bytes)) = self.remove(path)
        {
            self.note(path, files, bytes);
        }
    }

    fn note(&mut self, place: &Utf8Path, files: usize, bytes: u64) {
        if files > 0 {
            self.removed.push(Swept { place: place.to_owned(), files, bytes });
        }
    }

    /// Removes something; gives how many files and bytes it was.
    fn remove(&mut self, path: &Utf8Path) -> Option<(usize, u64)> {
        let removed = path.symlink_metadata().and_then(|data| {
            let size = measure(path.as_std_path(), &data)?;
            if !self.is_dry {
                remove(path, &data)?;
            }
            Ok(size)
        });
        self.seen(path, removed)
    }

    /// In the order of their names; none where there is no such folder.
    fn entries(&mut self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let entries = self.seen(folder, folder.read_dir_utf8());
        // One that has no name that can be told is a fault, and none of the others'.
        let mut paths: Vec<_> =
            entries.into_iter().flatten().filter_map(|entry| Some(self.seen(folder, entry)?.into_path())).collect();
        paths.sort();
        paths
    }

    /// What another run removed first is no fault.
    fn seen<T>(&mut self, path: &Utf8Path, result: io::Result<T>) -> Option<T> {
        let seen = result.map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                self.faults.push(anyhow::Error::from(error).context(format!("failed to clean `{path}`")));
            }
        });
        seen.ok()
    }

    /// What was done; places in the repository are shown relative to its root.
    fn report(&self, root: Option<&Utf8Path>) -> Report {
        let shown = |path: &Utf8Path| {
            let below = root.and_then(|root| path.strip_prefix(root).ok());
            below.unwrap_or(path).as_str().replace('\\', "/")
        };
        let removed =
            self.removed.iter().map(|one| Removed { path: shown(&one.place), files: one.files, bytes: one.bytes });
        let left = self.left.iter().map(|(place, why)| LeftAlone { path: shown(place), why: why.clone() });
        Report {
            dry_run: self.is_dry,
            files: self.removed.iter().map(|one| one.files).sum(),
            bytes: self.removed.iter().map(|one| one.bytes).sum(),
            removed: removed.collect(),
            left_alone: left.collect(),
        }
    }
}

fn is_link(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok_and(|data| data.is_symlink())
}

/// Files and links in it, and their bytes; no link is followed.
fn measure(path: &Path, data: &Metadata) -> io::Result<(usize, u64)> {
    if !data.is_dir() {
        return Ok((1, data.len()));
    }
    let (mut files, mut bytes) = (0, 0);
    for entry in path.read_dir()? {
        let entry = entry?;
        let (more, size) = measure(&entry.path(), &entry.metadata()?)?;
        files += more;
        bytes += size;
    }
    Ok((files, bytes))
}

fn remove(path: &Utf8Path, data: &Metadata) -> io::Result<()> {
    if !data.is_dir() {
        // On Windows a link to a folder is removed like one.
        return std::fs::remove_file(path)
            .or_else(|error| if data.is_symlink() { std::fs::remove_dir(path) } else { Err(error) });
    }
    let mut tries = 1;
    loop {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && tries < TRIES => tries += 1,
            result => return result,
        }
    }
}

/// The repository that is cleaned along, if there is one.
///
/// - Takes: `found`, what looking for one gave; `is_named`, whether the command line names a folder.
pub(crate) fn repository(
    found: anyhow::Result<Utf8PathBuf>,
    is_named: bool,
    options: &Options,
) -> anyhow::Result<Option<Utf8PathBuf>> {
    match found {
        Ok(root) => Ok(Some(root)),
        Err(error) if is_named || options.needs_repository() => Err(error).context("there is no repository to clean"),
        Err(_) => Ok(None),
    }
}

#[cfg(all(test, unix))]
mod tests;
