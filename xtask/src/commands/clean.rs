//! `cargo xtask clean`: what the tool keeps between runs, and can make again, goes.

use crate::commands::byte_code::BYTE_CODE;
use crate::commands::outputs::NOTES;
use crate::commands::report::{Report, count, size};
use crate::pieces::PIECES;
use crate::problem::all_of;
use crate::sys::user_cache;
use crate::wheelhouse::SEEN;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::{Value, json};
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Remove what the tool keeps between runs and can make again
///
/// From `xtask` in the user's cache folder, which all repositories share: the compressed pieces of payloads, and what
/// interpreters said. From `target/xtask` of the repository, where there is one: byte-code, the same answers, notes of
/// what was made, verified and read, and what killed runs left behind. The next `dist` makes the same bytes, only slower;
/// so does one that runs at this moment.
///
/// Wheels, RPMs, bundles and the private uv and pip stay, unless they are asked for. A link goes, and what it leads to
/// stays. What is not there is no error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask clean --dry-run           how much it is\n  \
    cargo xtask clean                     outside of a repository too: the user's cache alone\n  \
    cargo xtask clean --pieces            compress everything anew\n  \
    cargo xtask clean --out --wheels      as after a fresh clone, but for the private tools")]
pub struct Flags {
    /// Say what would go, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Only the compressed pieces
    #[arg(long, conflicts_with_all = ["wheels", "out", "tools"])]
    pieces: bool,
    /// Also the wheels in `dist/wheels`, which then are fetched again
    #[arg(long)]
    wheels: bool,
    /// Also what is in `dist/out` and `dist/rpmbuild`
    #[arg(long)]
    out: bool,
    /// Also the private uv, pip and other tools in `target/xtask`, which then are installed again
    #[arg(long)]
    tools: bool,
}

impl Flags {
    /// Whether something is asked for that only a repository has.
    pub fn needs_repository(&self) -> bool {
        self.wheels || self.out || self.tools
    }
}

/// Folders of things that can be made again, in the workspace or in the user's cache; they themselves stay, since
/// another run may be about to write into them.
const KEPT: [&str; 6] = [PIECES, BYTE_CODE, "compiled", "parsed", NOTES, "build-cache"];
/// What is being written, and what killed runs left behind; it may be in use for an hour.
const TEMPORARY: [&str; 3] = [".xtask-", ".fetch-", "tmp-"];
const IN_USE: Duration = Duration::from_secs(3600);
/// Environments with programs of Python.
const TOOLS: [&str; 2] = ["tools-", "build-"];
/// What was said of the wheel in `dist/out`.
const OF_OUT: &str = "app-wheel.json";
/// A folder that another run writes into is emptied so often.
const TRIES: usize = 3;

/// The task.
///
/// - Takes: `root`, the repository; none outside of one.
pub fn run(root: Option<&Utf8Path>, flags: &Flags) -> anyhow::Result<Report> {
    let mut broom = Broom { is_dry: flags.dry_run, removed: Vec::new(), faults: Vec::new() };
    let workspace = root.map(|root| root.join("target/xtask"));
    for place in user_cache().iter().chain(&workspace) {
        match flags.pieces {
            true => broom.empty(&place.join(PIECES)),
            false => sweep(&mut broom, place, flags.tools),
        }
    }
    if let (Some(root), Some(workspace)) = (root, &workspace) {
        if flags.wheels {
            broom.empty(&root.join("dist/wheels"));
        }
        if flags.out {
            ["dist/out", "dist/rpmbuild"].iter().for_each(|folder| broom.empty(&root.join(folder)));
            broom.take(&workspace.join(OF_OUT));
        }
    }
    let report = broom.report(root);
    all_of("things could not be removed", broom.faults)?;
    Ok(report)
}

/// Cleans the user's cache or a workspace; what is not known there stays.
fn sweep(broom: &mut Broom, place: &Utf8Path, with_tools: bool) {
    for entry in broom.entries(place) {
        let name = entry.file_name().unwrap_or_default();
        let starts_with = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let is_answer = name.strip_prefix("python").is_some_and(|rest| rest.ends_with(".json"));
        if KEPT.contains(&name) {
            broom.empty(&entry);
        } else if is_answer || name == SEEN || starts_with(&TEMPORARY) || (with_tools && starts_with(&TOOLS)) {
            broom.take(&entry);
        }
    }
}

/// What was removed from a place.
struct Removed {
    place: Utf8PathBuf,
    files: usize,
    bytes: u64,
}

/// Removes, or only looks; goes on after a fault.
struct Broom {
    is_dry: bool,
    removed: Vec<Removed>,
    faults: Vec<anyhow::Error>,
}

impl Broom {
    /// Removes what lies in a folder; one that is not there is as good as empty.
    fn empty(&mut self, folder: &Utf8Path) {
        if folder.symlink_metadata().is_ok_and(|data| !data.is_dir()) {
            return self.take(folder);
        }
        let all: Vec<_> = self.entries(folder).iter().filter_map(|entry| self.remove(entry)).collect();
        let files = all.iter().map(|(files, _)| files).sum();
        self.note(folder, files, all.iter().map(|(_, bytes)| bytes).sum());
    }

    /// Removes a file, a link, or a folder with all that is in it.
    fn take(&mut self, path: &Utf8Path) {
        if let Some((files, bytes)) = self.remove(path) {
            self.note(path, files, bytes);
        }
    }

    fn note(&mut self, place: &Utf8Path, files: usize, bytes: u64) {
        if files > 0 {
            self.removed.push(Removed { place: place.to_owned(), files, bytes });
        }
    }

    /// Removes something; gives how many files and bytes it was.
    fn remove(&mut self, path: &Utf8Path) -> Option<(usize, u64)> {
        let name = path.file_name().unwrap_or_default();
        let removed = path.symlink_metadata().and_then(|data| {
            if TEMPORARY.iter().any(|prefix| name.starts_with(prefix)) && is_young(&data) {
                return Ok((0, 0));
            }
            let size = measure(path, &data)?;
            if !self.is_dry {
                remove(path, &data)?;
            }
            Ok(size)
        });
        self.seen(path, removed)
    }

    /// In the order of their names; none where there is no such folder.
    fn entries(&mut self, folder: &Utf8Path) -> Vec<Utf8PathBuf> {
        let read = folder.read_dir_utf8().and_then(|entries| {
            let mut paths = entries.map(|entry| Ok(entry?.into_path())).collect::<io::Result<Vec<_>>>()?;
            paths.sort();
            Ok(paths)
        });
        self.seen(folder, read).unwrap_or_default()
    }

    /// What another run removed first is no fault.
    fn seen<T>(&mut self, path: &Utf8Path, result: io::Result<T>) -> Option<T> {
        let seen = result.map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                self.faults.push(anyhow::Error::from(error).context(format!("`{path}`")));
            }
        });
        seen.ok()
    }

    fn report(&self, root: Option<&Utf8Path>) -> Report {
        let shown = |path: &Utf8Path| {
            let below = root.and_then(|root| path.strip_prefix(root).ok());
            below.unwrap_or(path).as_str().replace('\\', "/")
        };
        let of = |files: usize, bytes: u64| format!("{}, {}", count(files, "file"), size(bytes));
        let mut text = String::new();
        let mut rows: Vec<Value> = Vec::new();
        for Removed { place, files, bytes } in &self.removed {
            text.push_str(&format!("{}: {}\n", shown(place), of(*files, *bytes)));
            rows.push(json!({"path": shown(place), "files": files, "bytes": bytes}));
        }
        let files = self.removed.iter().map(|removed| removed.files).sum();
        let bytes = self.removed.iter().map(|removed| removed.bytes).sum();
        text.push_str(&match (files, self.is_dry) {
            (0, _) => "there is nothing to remove\n".to_owned(),
            (_, true) => format!("would remove {}\n", of(files, bytes)),
            (_, false) => format!("removed {}\n", of(files, bytes)),
        });
        let json = json!({"dry-run": self.is_dry, "files": files, "bytes": bytes, "removed": rows});
        Report::fine(text, json)
    }
}

fn is_young(data: &Metadata) -> bool {
    // A time to come is young as well.
    data.modified().is_ok_and(|time| time.elapsed().unwrap_or_default() < IN_USE)
}

/// Files and links in it, and their bytes; no link is followed.
fn measure(path: &Utf8Path, data: &Metadata) -> io::Result<(usize, u64)> {
    if !data.is_dir() {
        return Ok((1, data.len()));
    }
    let (mut files, mut bytes) = (0, 0);
    for entry in path.as_std_path().read_dir()? {
        let entry = entry?;
        let inner = Utf8PathBuf::try_from(entry.path()).map_err(io::Error::other)?;
        let (more, size) = measure(&inner, &entry.metadata()?)?;
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
pub fn repository(
    found: anyhow::Result<Utf8PathBuf>,
    is_named: bool,
    flags: &Flags,
) -> anyhow::Result<Option<Utf8PathBuf>> {
    match found {
        Ok(root) => Ok(Some(root)),
        Err(error) if is_named || flags.needs_repository() => Err(error).context("there is no repository to clean"),
        Err(_) => Ok(None),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn known_things_go_and_links_are_not_followed() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let outside = root.join("outside");
        let place = root.join("place");
        for folder in
            ["outside/deep", "place/pieces/odd", "place/byte-code", "place/tools-x/bin", "place/tmp-new", "place/mine"]
        {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        #[rustfmt::skip]
        let files = [ // path, whether it goes, whether it goes with the tools
            ("pieces/0123",      true,  true),
            ("pieces/odd/file",  true,  true),
            ("pieces/.xtask-new", false, false),
            ("byte-code/a.zip",  true,  true),
            ("python3.11.json",  true,  true),
            ("pythonic",         false, false),
            ("app-wheel.json",   false, false),
            ("tmp-new/file",     false, false),
            ("tools-x/bin/uv",   false, true),
            ("mine/file",        false, false),
        ];
        let fill = || {
            for (path, ..) in files {
                fs::create_dir_all(place.join(path).parent().unwrap()).unwrap();
                fs::write(place.join(path), "12345").unwrap();
            }
            fs::write(outside.join("deep/file"), "x").unwrap();
            for link in ["pieces/link", "compiled", "tools-link"] {
                let _ = fs::remove_file(place.join(link));
                symlink(&outside, place.join(link)).unwrap();
            }
        };
        for with_tools in [false, true] {
            fill();
            let mut sums = Vec::new();
            for is_dry in [true, false] {
                let mut broom = Broom { is_dry, removed: Vec::new(), faults: Vec::new() };
                sweep(&mut broom, &place, with_tools);
                assert!(broom.faults.is_empty(), "{:?}", broom.faults);
                let report = broom.report(Some(root));
                sums.push((report.json["files"].clone(), report.json["bytes"].clone(), report.json["removed"].clone()));
                for (path, always, by_tools) in files {
                    let goes = !is_dry && (always || (with_tools && by_tools));
                    assert_eq!(place.join(path).exists(), !goes, "{path}, {with_tools}, {is_dry}");
                }
                assert!(outside.join("deep/file").exists() && place.join("pieces").is_dir());
                assert_eq!(place.join("compiled").symlink_metadata().is_ok(), is_dry);
            }
            assert_eq!(sums[0], sums[1], "what is said beforehand is what goes");
            assert_eq!(sums[0].0, if with_tools { 8 } else { 6 });
        }
        let mut broom = Broom { is_dry: false, removed: Vec::new(), faults: Vec::new() };
        sweep(&mut broom, &place, true);
        sweep(&mut broom, &root.join("none"), true);
        assert!(broom.removed.is_empty() && broom.faults.is_empty());
        assert_eq!(broom.report(None).text, "there is nothing to remove\n");
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told_of_and_the_rest_goes() {
        let keep = tempfile::tempdir().unwrap();
        let place = Utf8Path::from_path(keep.path()).unwrap();
        fs::create_dir_all(place.join("compiled")).unwrap();
        fs::write(place.join("compiled/a.json"), "{}").unwrap();
        let mut broom = Broom { is_dry: false, removed: Vec::new(), faults: Vec::new() };
        broom.seen::<()>(place, Err(io::Error::from(ErrorKind::PermissionDenied)));
        sweep(&mut broom, place, false);
        assert_eq!((broom.faults.len(), broom.removed.len()), (1, 1));
        assert!(format!("{:#}", broom.faults[0]).contains(place.as_str()));
    }
}
