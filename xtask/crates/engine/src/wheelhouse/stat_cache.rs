//! Which files of the wheelhouse were found to have which sha256: a file that did not change since is not read for it again.
//!
//! A file is the same where its number, size and both times are, as git's index has it. The time of the last change of
//! its inode cannot be set, so a file that was exchanged, however well, is read. What rots on the disk without anybody
//! having written is found where it is used: each file of a wheel has its CRC-32, and its digest in RECORD.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::sync::Mutex;
use wheelhaul_host::{Bounds, Cache, Sys, key_of};

/// What was seen, by path.
#[derive(Debug, Default)]
pub(super) struct StatCache {
    before: BTreeMap<String, File>,
    now: Mutex<BTreeMap<String, File>>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    identity: String,
    sha256: String,
}

impl StatCache {
    /// What earlier runs saw; nothing where that cannot be read.
    pub(super) fn read(sys: &Sys) -> Self {
        Self { before: cache(sys).read(&key()).unwrap_or_default(), now: Mutex::default() }
    }

    /// Whether a file was found to have a sha256, and did not change since.
    pub(super) fn has(&self, path: &Utf8Path, data: &Metadata, sha256: &str) -> bool {
        let Some(file) = self.before.get(path.as_str()) else { return false };
        let is_same = file.sha256 == sha256 && identity(data).is_some_and(|identity| identity == file.identity);
        if is_same {
            self.put(path, file.clone());
        }
        is_same
    }

    /// Notes that a file was found to have a sha256.
    ///
    /// - Takes: `data`, what the file was before it was read.
    pub(super) fn note(&self, path: &Utf8Path, data: &Metadata, sha256: &str) {
        if let Some(identity) = identity(data).filter(|_| has_settled(data)) {
            self.put(path, File { identity, sha256: sha256.to_owned() });
        }
    }

    fn put(&self, path: &Utf8Path, file: File) {
        self.now.lock().expect("no thread panics").insert(path.to_string(), file);
    }

    /// Writes it, where something is new. What this run did not ask for stays as long as it is there.
    pub(super) fn write(self, sys: &Sys) {
        let Self { mut before, now } = self;
        let now = now.into_inner().expect("no thread panics");
        if now.iter().all(|(path, file)| before.get(path) == Some(file)) {
            return;
        }
        before.retain(|path, _| Utf8Path::new(path).is_file());
        before.extend(now);
        cache(sys).keep(sys, &key(), &before);
    }
}

fn cache(sys: &Sys) -> Cache {
    sys.repository_cache("wheels", Bounds::USUAL)
}

/// All of them are one value: a run asks for most.
fn key() -> String {
    key_of([b"wheels".as_slice()])
}

/// Names the bytes that are in a file now; none where the system has no time that nobody can set.
#[cfg(unix)]
fn identity(data: &Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let times = format!("{}.{} {}.{}", data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec());
    Some(format!("{} {} {} {times}", data.dev(), data.ino(), data.size()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<String> {
    None
}

/// Whether a file that changes from now on gets another time than it has: times go on in steps, of two seconds at most.
#[cfg(unix)]
fn has_settled(data: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    i64::try_from(now).is_ok_and(|now| data.ctime() + 2 < now)
}

#[cfg(not(unix))]
fn has_settled(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;
    use std::time::Duration;
    use wheelhaul_host::{Verbosity, sha256_of};

    fn note(sys: &Sys) -> Utf8PathBuf {
        cache(sys).folder().unwrap().join(format!("{}.json", key()))
    }

    fn data(path: &Utf8Path) -> Metadata {
        path.symlink_metadata().unwrap()
    }

    #[test]
    fn a_file_that_was_seen_is_known_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let sys = Sys { root: folder.clone(), verbosity: Verbosity::Quiet, offline: false };
        let file = folder.join("a.whl");
        fs_err::write(&file, "bytes").unwrap();
        let sha256 = sha256_of(&file).unwrap();
        let seen = StatCache::read(&sys);
        assert!(!seen.has(&file, &data(&file), &sha256));
        // Who changes it in this second could leave its times as they are.
        seen.note(&file, &data(&file), &sha256);
        seen.write(&sys);
        assert!(!StatCache::read(&sys).has(&file, &data(&file), &sha256) && !note(&sys).exists());

        while !has_settled(&data(&file)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let keep = || {
            let seen = StatCache::read(&sys);
            seen.note(&file, &data(&file), &sha256);
            seen.write(&sys);
            assert!(StatCache::read(&sys).has(&file, &data(&file), &sha256));
        };
        keep();
        assert!(!StatCache::read(&sys).has(&file, &data(&file), &sha256.replace(&sha256[..1], "x")));
        assert!(!StatCache::read(&sys).has(&folder.join("other.whl"), &data(&file), &sha256));
        // A note that is damaged, and the same bytes of another length: nothing is known.
        let note = note(&sys);
        let good = fs_err::read_to_string(&note).unwrap();
        for bad in [good.replace(&sha256, &sha256.replace(&sha256[..1], "0")), good[..good.len() / 2].to_owned()] {
            assert_ne!(bad, good);
            fs_err::write(&note, bad).unwrap();
            assert!(!StatCache::read(&sys).has(&file, &data(&file), &sha256));
        }
        fs_err::write(&note, &good).unwrap();
        assert!(StatCache::read(&sys).has(&file, &data(&file), &sha256));
        // Exchanged for one of the same size, with the time that it had.
        let before = data(&file).modified().unwrap();
        fs_err::write(&file, "Bytes").unwrap();
        fs_err::File::options().append(true).open(&file).unwrap().file().set_modified(before).unwrap();
        assert_eq!(data(&file).modified().unwrap(), before);
        assert!(!StatCache::read(&sys).has(&file, &data(&file), &sha256));
    }
}
