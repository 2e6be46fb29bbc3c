//! Folders of things that can be made again: what was not used for long goes, and what is too much.

use crate::sys::sweep;
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
    /// Removes from a folder what is beyond; what cannot be removed stays.
    pub fn hold(self, folder: &Utf8Path) {
        sweep(folder);
        let entries = folder.read_dir_utf8().into_iter().flatten().flatten().filter_map(|entry| {
            let data = entry.metadata().ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
