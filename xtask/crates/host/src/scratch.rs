//! Folders for one piece of work, in a folder that belongs to this tool, and what is left of runs that were killed.
//!
//! Beside each folder `NAME` is a file `NAME.lock`, which the process that works there holds locked (flock) as long as it
//! lives: suspended, in a container or on another host too. What nobody holds is removed by the next run, whatever its age.

use crate::own::{only_owner, own_folder};
use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use tempfile::NamedTempFile;

/// The end of a lock's name; before it is the name of the folder.
const LOCK: &str = ".lock";
/// New names that are tried, where other runs take those before away.
const TRIES: usize = 20;

/// A folder that goes when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: Utf8PathBuf,
    // Dropped last: as long as it is locked, nobody else removes the folder.
    lock: NamedTempFile,
}

impl Scratch {
    /// Makes one in `place`, and removes what nobody holds there.
    ///
    /// # Errors
    /// Where `place` cannot be made, or is not this user's own.
    pub fn new_in(place: &Utf8Path, prefix: &str) -> anyhow::Result<Self> {
        Self::new_after(place, prefix, &|_| ())
    }

    /// The same; `before` sees each folder that nobody holds before it is removed.
    pub fn new_after(place: &Utf8Path, prefix: &str, before: &dyn Fn(&Utf8Path)) -> anyhow::Result<Self> {
        let place = own_folder(place).with_context(|| format!("`{place}` cannot be used"))?;
        sweep(&place, before);
        for _ in 0..TRIES {
            let lock = tempfile::Builder::new().prefix(prefix).rand_bytes(8).suffix(LOCK).tempfile_in(&place)?;
            match lock.as_file().try_lock() {
                Ok(()) => {}
                // Another run sees it before it is held.
                Err(TryLockError::WouldBlock) => continue,
                // Where the file system has no locks nobody removes anything.
                Err(TryLockError::Error(_)) => {}
            }
            // Between making and holding it another run may have removed it.
            if !lock.path().exists() {
                continue;
            }
            let path = Utf8Path::from_path(lock.path()).context("its name is UTF-8")?;
            let folder = folder_of(path).context("it ends so")?;
            let mut builder = DirBuilder::new();
            only_owner(&mut builder);
            builder.create(&folder).with_context(|| format!("failed to make `{folder}`"))?;
            return Ok(Self { folder, lock });
        }
        bail!("no folder could be held in `{place}`: other runs remove each")
    }

    /// Where it is.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// The open file that is locked: a process that has it too holds the folder as well.
    pub fn lock(&self) -> std::io::Result<File> {
        self.lock.as_file().try_clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now, the next run removes.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn folder_of(lock: &Utf8Path) -> Option<Utf8PathBuf> {
    Some(lock.with_file_name(lock.file_name()?.strip_suffix(LOCK)?))
}

/// The folders in `place` that nobody holds, each with the lock that holds them from now on.
pub fn left_in(place: &Utf8Path) -> Vec<(Utf8PathBuf, Utf8PathBuf, File)> {
    let mut left = Vec::new();
    for entry in place.read_dir_utf8().into_iter().flatten().flatten() {
        let path = entry.into_path();
        let Some(folder) = folder_of(&path) else { continue };
        if !path.symlink_metadata().is_ok_and(|data| data.is_file()) {
            continue;
        }
        let Ok(lock) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
        if lock.try_lock().is_ok() && path.exists() {
            left.push((folder, path, lock));
        }
    }
    left.sort_by(|a, b| a.0.cmp(&b.0));
    left
}

/// Removes the folders that nobody holds; what cannot be removed stays.
fn sweep(place: &Utf8Path, before: &dyn Fn(&Utf8Path)) {
    for (folder, path, lock) in left_in(place) {
        before(&folder);
        let gone = match folder.symlink_metadata() {
            Ok(data) if data.is_dir() => std::fs::remove_dir_all(&folder).is_ok(),
            Ok(_) => false,
            Err(_) => true,
        };
        if gone {
            let _ = std::fs::remove_file(&path);
        }
        drop(lock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    /// Makes a file and a folder as old as those that no run of today has.
    fn age(path: &Utf8Path) {
        File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(90_000)).unwrap();
    }

    #[test]
    fn what_is_held_stays_however_old_and_what_nobody_holds_goes_however_new() {
        let keep = tempfile::tempdir().unwrap();
        let place = Utf8Path::from_path(keep.path()).unwrap().join("scratch");
        let held = Scratch::new_in(&place, "work-").unwrap();
        std::fs::write(held.folder().join("file"), "x").unwrap();
        #[cfg(unix)]
        for path in [&held.folder().join("file"), held.folder(), Utf8Path::from_path(held.lock.path()).unwrap()] {
            age(path);
        }
        // As a killed run leaves it: the lock's file is there, and nobody has it open.
        let orphan = place.join("work-orphan");
        std::fs::create_dir_all(orphan.join("deep")).unwrap();
        std::fs::write(place.join("work-orphan.lock"), "").unwrap();
        // Not made by this.
        std::fs::create_dir_all(place.join("tmp-thesis")).unwrap();
        #[cfg(unix)]
        age(&place.join("tmp-thesis"));

        let seen = std::cell::RefCell::new(Vec::new());
        let other = Scratch::new_after(&place, "work-", &|left| seen.borrow_mut().push(left.to_owned())).unwrap();
        assert_eq!(seen.into_inner(), std::slice::from_ref(&orphan));
        assert!(held.folder().join("file").exists() && other.folder().is_dir() && place.join("tmp-thesis").is_dir());
        assert!(!orphan.exists() && !place.join("work-orphan.lock").exists());

        // Whoever has the open file too, holds it as well.
        let also = held.lock().unwrap();
        let (folder, file) = (held.folder().to_owned(), Utf8PathBuf::try_from(held.lock.path().to_owned()).unwrap());
        std::mem::forget(held);
        assert!(left_in(&place).is_empty());
        drop(also);
        assert!(folder.exists() && file.exists());
        drop(other);
        assert_eq!(place.read_dir().unwrap().count(), 3, "its own two and the thesis");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let keep = tempfile::tempdir().unwrap();
        let place = &Utf8Path::from_path(keep.path()).unwrap().canonicalize_utf8().unwrap();
        std::fs::create_dir_all(place.join("mine")).unwrap();
        std::fs::create_dir_all(place.join("scratch")).unwrap();
        std::os::unix::fs::symlink(place.join("mine"), place.join("scratch/work-x")).unwrap();
        std::fs::write(place.join("scratch/work-x.lock"), "").unwrap();
        std::fs::write(place.join("held"), "").unwrap();
        std::os::unix::fs::symlink(place.join("held"), place.join("scratch/work-y.lock")).unwrap();
        std::fs::create_dir(place.join("scratch/work-y")).unwrap();
        drop(Scratch::new_in(&place.join("scratch"), "work-").unwrap());
        assert!(place.join("mine").is_dir() && place.join("scratch/work-x").is_symlink());
        assert!(place.join("scratch/work-y").is_dir() && place.join("held").exists());
    }
}
