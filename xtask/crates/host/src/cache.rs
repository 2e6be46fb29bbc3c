//! Folders of things that can be made again: what was not used for long goes, and what is too much.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::time::Duration;

/// How much a folder keeps.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// what was not used for longer goes, by the file's time
    pub longest_unused: Duration,
    /// of the rest the newest, up to so many bytes
    pub most_bytes: u64,
}

impl Bounds {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
