//! Folders of things that can be made again: what was not used for long goes, and what is too much.

use crate::Sys;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;
use wheelhaul_base::hex::hex;

/// How much a folder keeps.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// what was not used for longer goes, by the file's time
    pub longest_unused: Duration,
    /// of the rest the newest, up to so many bytes
    pub most_bytes: u64,
}

impl Bounds {
    /// For what is made again within minutes.
    pub const USUAL: Self = Self { longest_unused: Duration::from_secs(30 * 24 * 3600), most_bytes: 1 << 30 };

    /// Removes from a folder what is beyond, as far as it is this tool's; what cannot be removed stays.
    pub fn hold(self, folder: &Utf8Path) {
        let entries = folder.read_dir_utf8().into_iter().flatten().flatten().filter_map(|entry| {
            let data = entry.metadata().ok().filter(|data| data.is_file() && is_made_here(entry.file_name()))?;
            let unused = data.modified().ok()?.elapsed().unwrap_or_default();
            Some((unused, data.len(), entry.into_path()))
        });
        for path in self.superfluous(entries.collect()) {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Of files by how long they were not used and by size, those that go.
    fn superfluous(self, mut entries: Vec<(Duration, u64, Utf8PathBuf)>) -> BTreeSet<Utf8PathBuf> {
        entries.sort();
        let mut kept = 0;
        let mut gone = BTreeSet::new();
        for (unused, size, path) in entries {
            kept += size;
            if unused > self.longest_unused || kept > self.most_bytes {
                gone.insert(path);
            }
        }
        gone
    }
}

/// Whether a name is one that this tool gives to what it keeps: a sha256 in hex, with or without an ending.
pub fn is_made_here(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The folder that all caches of a repository, or of a user, are in; nothing else is.
pub const CACHES: &str = "kept";

/// A folder of things that can be made again, each in a file whose name is a key: a sha256 in hex.
///
/// Values are kept as JSON with a digest of key and value, so what is damaged or was put elsewhere is made again. What
/// has a format of its own (pieces, byte-code) uses the folder and the bounds alone.
#[derive(Debug, Clone)]
pub struct Cache {
    /// none where nothing can be kept
    folder: Option<Utf8PathBuf>,
    bounds: Bounds,
}

/// A value as it lies on disk.
#[derive(Serialize, Deserialize)]
struct Kept<T> {
    /// of the key and of `value`
    sha256: String,
    value: T,
}

impl Cache {
    /// In a folder that is known to be this user's own.
    pub fn in_folder(folder: Option<Utf8PathBuf>, bounds: Bounds) -> Self {
        Self { folder, bounds }
    }

    /// Where it is; none where nothing can be kept.
    pub fn folder(&self) -> Option<&Utf8Path> {
        self.folder.as_deref()
    }

    /// The value of a key; none where it is not there or is damaged.
    pub fn read<T: Serialize + DeserializeOwned>(&self, key: &str) -> Option<T> {
        let path = self.place(key)?;
        // Opening a FIFO would block.
        path.symlink_metadata().ok().filter(|data| data.is_file())?;
        let file = fs_err::File::open(path).ok()?;
        let kept: Kept<T> = serde_json::from_reader(std::io::BufReader::new(&file)).ok()?;
        if checksum(key, &kept.value)? != kept.sha256 {
            return None;
        }
        // Its time tells that it is still used.
        let _ = file.file().set_modified(std::time::SystemTime::now());
        Some(kept.value)
    }

    /// Keeps a value, and removes what is beyond the bounds. Where that fails, it is made again another time.
    pub fn keep<T: Serialize>(&self, sys: &Sys, key: &str, value: &T) {
        let Some(path) = self.place(key) else { return };
        let write = || -> anyhow::Result<()> {
            let sha256 = checksum(key, value).context("it is no JSON")?;
            sys.write(&path, &serde_json::to_vec(&Kept { sha256, value })?)
        };
        match write() {
            Ok(()) => self.hold(),
            Err(error) => sys.detail(format!("`{path}` is not kept: {error:#}")),
        }
    }

    /// Removes what is beyond the bounds.
    pub fn hold(&self) {
        self.folder.iter().for_each(|folder| self.bounds.hold(folder));
    }

    fn place(&self, key: &str) -> Option<Utf8PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{key}.json")))
    }
}

impl Sys {
    /// A cache of this user.
    pub fn user_cache(&self, name: &str, bounds: Bounds) -> Cache {
        let folder = self.cache().and_then(|cache| self.own(&cache.join(CACHES).join(name)));
        Cache::in_folder(folder, bounds)
    }

    /// A cache of this repository.
    pub fn repository_cache(&self, name: &str, bounds: Bounds) -> Cache {
        Cache::in_folder(self.own(&self.workspace().join(CACHES).join(name)), bounds)
    }
}

/// A key for words, whose borders count: `ab`, `c` is not `a`, `bc`.
pub fn key_of<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> String {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update((word.len() as u64).to_le_bytes());
        hasher.update(word);
    }
    hex(&hasher.finalize())
}

fn checksum<T: Serialize>(key: &str, value: &T) -> Option<String> {
    let bytes = serde_json::to_vec(value).ok()?;
    Some(key_of([key.as_bytes(), &bytes]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verbosity;

    #[test]
    fn what_is_not_this_tools_is_never_removed() {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        let digest = "0a".repeat(32);
        let files = [digest.clone(), format!("{digest}.json"), "notes.txt".to_owned(), ".xtask-mine".to_owned()];
        for name in &files {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        std::fs::create_dir_all(folder.join("tmp-thesis").join(&digest)).unwrap();
        Bounds { longest_unused: Duration::ZERO, most_bytes: 0 }.hold(folder);
        let left: Vec<bool> = files.iter().map(|name| folder.join(name).exists()).collect();
        assert_eq!(left, [false, false, true, true]);
        assert!(folder.join("tmp-thesis").join(&digest).is_dir());
    }

    #[test]
    fn what_is_old_or_too_much_goes() {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let bounds = Bounds { longest_unused: 30 * DAY, most_bytes: 1 << 30 };
        let entries = [("new", 0, 1 << 29), ("used", 2, 1 << 29), ("more", 3, 1), ("old", 31, 1), ("less", 1, 0)];
        let entries = entries.map(|(name, days, size)| (days * DAY, size, Utf8PathBuf::from(name)));
        let gone = bounds.superfluous(entries.into());
        assert_eq!(gone.iter().map(|path| path.as_str()).collect::<Vec<_>>(), ["more", "old"]);
    }

    #[test]
    fn what_is_kept_is_read_unless_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let sys = Sys { root: root.to_owned(), verbosity: Verbosity::Quiet, offline: false };
        let cache =
            Cache::in_folder(Some(root.join("kept")), Bounds { longest_unused: Duration::MAX, most_bytes: 1 << 20 });
        let (key, other) = ("0a".repeat(32), "0b".repeat(32));
        let place = root.join(format!("kept/{key}.json"));
        assert_eq!(cache.read::<Vec<String>>(&key), None);
        cache.keep(&sys, &key, &vec!["fine".to_owned()]);
        assert_eq!(cache.read::<Vec<String>>(&key), Some(vec!["fine".to_owned()]));
        let text = std::fs::read_to_string(&place).unwrap();
        for damaged in [text.replace("fine", "fina"), text.replace("]", ""), String::new()] {
            std::fs::write(&place, damaged).unwrap();
            assert_eq!(cache.read::<Vec<String>>(&key), None);
        }
        // Under another name it is the value of another key.
        std::fs::write(root.join(format!("kept/{other}.json")), text).unwrap();
        assert_eq!(cache.read::<Vec<String>>(&other), None);
    }

    #[test]
    fn words_do_not_run_into_each_other() {
        let of = |words: &[&str]| key_of(words.iter().map(|word| word.as_bytes()));
        let different = [of(&["ab", "c"]), of(&["a", "bc"]), of(&["abc"]), of(&["abc", ""]), of(&[])];
        for (place, digest) in different.iter().enumerate() {
            assert!(!different[..place].contains(digest), "{place}");
        }
        assert_eq!(of(&["ab", "c"]), different[0]);
    }
}
