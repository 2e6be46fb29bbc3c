//! `dist/wheels`: the wheels of the locks, each checked by its sha256 whenever it may have changed.

mod stat_cache;

use crate::tools::pip::Pip;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use rawzip::FileReader;
use stat_cache::StatCache;
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::str::FromStr as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::Target;
use wheelhaul_host::{Stop, Sys, open_regular, sha256_of};
use wheelhaul_lockfiles::FileLocation;
use wheelhaul_pylock::{Lock, LockedPackage};
use wheelhaul_select::Candidate;
use wheelhaul_wheel::{Archive, Contents, WheelName};

/// A batch ends at this many bytes, or `BATCH_FILES`. To start pip costs half a second of a core, in which one that
/// runs fetches twenty small files: the 21 of the sample come in 0.9 s by one pip, in 1.3 by two, in 3 by five.
const BATCH_BYTES: u64 = 8 << 20;
const BATCH_FILES: usize = 24;
/// How many pips run at once; they wait for the network most of the time.
const AT_ONCE: usize = 6;

/// The folder of wheels.
#[derive(Debug)]
pub(crate) struct Wheelhouse {
    folder: Utf8PathBuf,
}

/// A wheel that a lock names and the wheelhouse lacks, with where it can be had.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    /// the box that needs it
    pub target: &'a Target,
    /// the file
    pub candidate: Candidate,
}

impl Wheelhouse {
    /// The wheelhouse beside the locks in `dist`.
    pub(crate) fn beside(dist: &Utf8Path) -> Self {
        Self { folder: dist.join(wheelhaul_pylock::WHEELS) }
    }

    /// Where a package's wheel is.
    pub(crate) fn path(&self, package: &LockedPackage) -> Utf8PathBuf {
        self.folder.join(package.wheel.to_string())
    }

    /// The packages whose wheel is not there, or not with the right bytes, each with the first target that needs it.
    ///
    /// - Takes: `locks`. A wheel that several of them have is read once.
    pub(crate) fn missing<'l>(
        &self,
        sys: &Sys,
        locks: &[(&'l Target, &'l Lock)],
    ) -> anyhow::Result<Vec<(&'l Target, &'l LockedPackage)>> {
        let mut known = BTreeSet::new();
        let of_all =
            locks.iter().flat_map(|(target, lock)| lock.packages.iter().map(move |package| (*target, package)));
        let packages: Vec<(&Target, &LockedPackage)> =
            of_all.filter(|(_, package)| known.insert((package.wheel.to_string(), &package.sha256))).collect();
        let next = AtomicUsize::new(0);
        let missing = Mutex::new(Vec::new());
        let failure = Mutex::new(None);
        let seen = StatCache::read(sys);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some((_, package)) = packages.get(index) else { return };
                match self.holds(sys, package, &seen) {
                    Ok(true) => {}
                    Ok(false) => missing.lock().expect("no thread panics").push(index),
                    Err(error) => *failure.lock().expect("no thread panics") = Some(error),
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        seen.write(sys);
        if let Some(error) = failure.into_inner().expect("no thread panics") {
            return Err(error);
        }
        let mut missing = missing.into_inner().expect("no thread panics");
        missing.sort_unstable();
        Ok(missing.into_iter().map(|index: usize| packages[index]).collect())
    }

    fn holds(&self, sys: &Sys, package: &LockedPackage, seen: &StatCache) -> anyhow::Result<bool> {
        let path = self.path(package);
        sys.inside(&self.folder)?;
        let Some(data) = look_at(&path)? else { return Ok(false) };
        if seen.has(&path, &data, &package.sha256) {
            return Ok(true);
        }
        let same = sha256_of(&path)? == package.sha256;
        match same {
            true => seen.note(&path, &data, &package.sha256),
            false => sys.say(format!("`{path}` does not have the sha256 of the lock")),
        }
        Ok(same)
    }

    /// Puts a wheel that was built into its place.
    pub(crate) fn take(&self, sys: &Sys, from: &Utf8Path, package: &LockedPackage) -> anyhow::Result<()> {
        sys.create(&self.path(package), |file| Ok(std::io::copy(&mut fs_err::File::open(from)?, file)?))?;
        Ok(())
    }

    /// Opens the wheel of a package, each file matched with its RECORD.
    pub(crate) fn open(&self, package: &LockedPackage) -> anyhow::Result<(Archive<FileReader>, Contents)> {
        let path = self.path(package);
        look_at(&path)?;
        open_wheel(&path, &package.wheel)
    }

    /// Downloads wheels, several at once, and puts each in place once its sha256 matched.
    ///
    /// - Gives: false where it was asked to `stop`.
    /// - Fails: with the first failure; what was downloaded until then stays.
    pub(crate) fn fetch(&self, sys: &Sys, pip: &Pip, wanted: &[Wanted<'_>], stop: &Stop) -> anyhow::Result<bool> {
        sys.inside(&self.folder)?;
        fs_err::create_dir_all(&self.folder)?;
        let batches = batches(wanted);
        let total = wanted.iter().map(size_of).sum();
        let bar = sys.bar(total, &format!("fetching {} wheels", wanted.len()));
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<anyhow::Error>> = Mutex::new(None);
        let work = || {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                if stop.is_asked() || failure.lock().expect("no thread panics").is_some() {
                    return;
                }
                match self.fetch_batch(sys, pip, batch, stop) {
                    Ok(()) => bar.inc(batch.iter().map(|wanted| size_of(wanted)).sum()),
                    // A pip that was ended did not fail.
                    Err(_) if stop.is_asked() => return,
                    Err(error) => {
                        failure.lock().expect("no thread panics").get_or_insert(error);
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(batches.len()) {
                scope.spawn(work);
            }
        });
        bar.finish_and_clear();
        failure.into_inner().expect("no thread panics").map_or(Ok(!stop.is_asked()), Err)
    }

    fn fetch_batch(&self, sys: &Sys, pip: &Pip, batch: &[&Wanted<'_>], stop: &Stop) -> anyhow::Result<()> {
        let (_keep, folder) = &sys.scratch()?;
        let files: Vec<&Candidate> = batch.iter().map(|wanted| &wanted.candidate).collect();
        let mut remote = Vec::new();
        for file in &files {
            match &file.at {
                FileLocation::Url(_) => remote.push(*file),
                FileLocation::Path(path) => {
                    let mut into = fs_err::File::create(folder.join(file.name.to_string()))?;
                    std::io::copy(&mut sys.open(&sys.root.join(path))?, &mut into)?;
                }
            }
        }
        if !remote.is_empty() {
            pip.download(sys, &remote, batch[0].target, folder, stop)?;
        }
        for file in files {
            let got = folder.join(file.name.to_string());
            let sha256 = sha256_of(&got).with_context(|| format!("`{}` did not come", file.name))?;
            if sha256 != file.sha256 {
                return Err(Problem::with_hint(
                    format!("`{}` came with the sha256 {sha256} instead of {}", file.name, file.sha256),
                    match file.at {
                        FileLocation::Path(_) => {
                            "the file of the repository is another than the one that was locked: lock it again"
                        }
                        FileLocation::Url(_) => {
                            "what is served there changed since it was locked: ask whoever runs it, or lock again"
                        }
                    },
                ));
            }
            sys.put(&got, &self.folder.join(file.name.to_string()))?;
        }
        Ok(())
    }
}

/// Says what is missing, for `--offline`.
pub(crate) fn refuse_missing<'a>(missing: impl Iterator<Item = &'a LockedPackage>) -> anyhow::Result<()> {
    let names: Vec<String> = missing.map(|package| package.wheel.to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`dist/wheels` lacks {} of the locked wheels: {}", names.len(), names.join(", ")),
        "run `cargo xtask rpm` where there is a network, and carry `dist/wheels` here",
    ))
}

/// What lies at a wheel's place; `None` if there is nothing.
///
/// # Errors
/// If it is not a file itself: a link could lead anywhere.
fn look_at(path: &Utf8Path) -> anyhow::Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to look at `{path}`")),
        Ok(data) if !data.is_file() => {
            Err(Problem::with_hint(format!("`{path}` is no file"), "remove it; a wheel belongs there"))
        }
        Ok(data) => Ok(Some(data)),
    }
}

/// Opens a wheel, each file matched with its RECORD.
pub(crate) fn open_wheel(path: &Utf8Path, name: &WheelName) -> anyhow::Result<(Archive<FileReader>, Contents)> {
    let open = || -> anyhow::Result<_> {
        let file = open_regular(path)?;
        let size = file.metadata()?.len();
        let archive = Archive::open(FileReader::from(file.into_parts().0), size)?;
        let contents = Contents::read(&archive, name)?;
        Ok((archive, contents))
    };
    open().with_context(|| format!("wheel `{name}`"))
}

/// The name of the one wheel in a folder that something was built into.
pub(crate) fn only_wheel(folder: &Utf8Path) -> anyhow::Result<WheelName> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.extend(entry?.file_name().to_str().filter(|name| name.ends_with(".whl")).map(str::to_owned));
    }
    ensure!(names.len() == 1, "{} wheels were built instead of one", names.len());
    WheelName::from_str(&names[0])
}

fn size_of(wanted: &Wanted<'_>) -> u64 {
    wanted.candidate.size.unwrap_or(1 << 20)
}

/// Splits into batches of one target each, the largest files first: a pip takes one file of a package.
fn batches<'a>(wanted: &'a [Wanted<'a>]) -> Vec<Vec<&'a Wanted<'a>>> {
    let mut sorted: Vec<&Wanted<'_>> = wanted.iter().collect();
    sorted.sort_by_key(|wanted| {
        (wanted.target.name.clone(), std::cmp::Reverse(size_of(wanted)), wanted.candidate.name.to_string())
    });
    let mut batches: Vec<Vec<&Wanted<'_>>> = Vec::new();
    for wanted in sorted {
        let joins = batches.last().is_some_and(|batch| {
            let bytes: u64 = batch.iter().map(|wanted| size_of(wanted)).sum();
            batch[0].target.name == wanted.target.name
                && batch.len() < BATCH_FILES
                && bytes + size_of(wanted) <= BATCH_BYTES
        });
        if !joins {
            batches.push(Vec::new());
        }
        batches.last_mut().expect("one was pushed").push(wanted);
    }
    batches
}
