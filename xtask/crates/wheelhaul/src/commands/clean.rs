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
use std::path::Path;
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
        // The user may have a cache on another disk; a repository has no business in another folder.
        if Some(place) == workspace.as_ref() && place.is_symlink() {
            broom.take(place);
            continue;
        }
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
    let (report, told) = broom.report(root);
    all_of("things could not be removed", broom.faults)
        .with_context(|| format!("not everything could be removed; for the rest: {told}"))?;
    Ok(report)
}

/// Cleans the user's cache or a workspace; what is not known there stays.
fn sweep(broom: &mut Broom, place: &Utf8Path, with_tools: bool) {
    for entry in broom.entries(place) {
        let name = entry.file_name().unwrap_or_default();
        let starts_with = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let version = name.strip_prefix("python").and_then(|rest| rest.strip_suffix(".json"));
        let is_answer = version.is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
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

    /// The report, and its last line.
    fn report(&self, root: Option<&Utf8Path>) -> (Report, String) {
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
        let told = match (files, self.is_dry) {
            (0, _) => "there is nothing to remove".to_owned(),
            (_, true) => format!("would remove {}", of(files, bytes)),
            (_, false) => format!("removed {}", of(files, bytes)),
        };
        text.push_str(&format!("{told}\n"));
        let json = json!({"dry-run": self.is_dry, "files": files, "bytes": bytes, "removed": rows});
        (Report::fine(text, json), told)
    }
}

fn is_young(data: &Metadata) -> bool {
    // A time to come is young as well.
    data.modified().is_ok_and(|time| time.elapsed().unwrap_or_default() < IN_USE)
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
            ("python-mine.json", false, false),
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
                let (report, _) = broom.report(Some(root));
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
        assert_eq!(broom.report(None).0.text, "there is nothing to remove\n");
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
        // Of one whose name cannot be told the others know nothing.
        let odd: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(b"a\xff".to_vec());
        fs::write(place.as_std_path().join("compiled").join(odd), "x").unwrap();
        fs::write(place.join("compiled/b.json"), "{}").unwrap();
        sweep(&mut broom, place, false);
        assert_eq!((broom.faults.len(), broom.removed.len()), (2, 2));
        assert!(!place.join("compiled/b.json").exists());
    }
}
