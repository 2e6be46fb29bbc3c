//! What lands on the box: sorted path → entry, with every content known by size and sha256 before a
//! byte of it is unpacked. A second claim on a path is an error that names both sources.

use anyhow::{bail, ensure};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Claim;
use std::fmt;
use std::sync::Arc;
use wheelhaul_payload::cpio::LARGE_FILE;

/// An absolute path on the box; the only way to get one is through the check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoxPath(String);

impl BoxPath {
    /// Takes an absolute path without empty, `.` or `..` parts.
    pub fn new(path: impl Into<String>) -> anyhow::Result<Self> {
        let path = path.into();
        let parts = path.strip_prefix('/').map(|rest| rest.split('/'));
        let good = parts.is_some_and(|mut parts| parts.all(|part| !matches!(part, "" | "." | "..")));
        let has_control = match path.is_ascii() {
            true => path.bytes().any(|byte| byte.is_ascii_control()),
            false => path.chars().any(char::is_control),
        };
        ensure!(good && !has_control, "`{}` is not an absolute path on the box", path.escape_debug());
        ensure!(path.len() < 4096, "`{path}` is longer than a path may be");
        Ok(Self(path))
    }

    /// A path below this one.
    pub fn join(&self, relative: &str) -> anyhow::Result<Self> {
        Self::new(format!("{}/{relative}", self.0))
    }

    /// The path as text, from `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder, with its `/` at the end, and the name in it.
    pub fn split(&self) -> (&str, &str) {
        self.0.split_at(self.0.rfind('/').map_or(0, |at| at + 1))
    }

    /// The folder that it is in, unless that is `/`.
    pub fn parent(&self) -> Option<Self> {
        let (folder, _) = self.split();
        let folder = folder.trim_end_matches('/');
        (!folder.is_empty()).then(|| Self(folder.to_owned()))
    }
}

impl fmt::Display for BoxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a file's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// made by this tool
    Bytes(Vec<u8>),
    /// unpacked from a wheel, checked against its RECORD on the way
    Member {
        /// place of the wheel in the list that the tree was laid out from
        wheel: usize,
        /// place in the wheel's archive
        place: usize,
    },
    /// unpacked from what was compiled from a wheel
    ByteCode {
        /// place of the wheel in the list that the tree was laid out from
        wheel: usize,
        /// place in the archive of its byte-code
        place: usize,
    },
}

/// What RPM is told about a file, beside its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// nothing
    Plain,
    /// `%config(noreplace)`: an administrator's changes are kept
    Config,
    /// `%doc`
    Doc,
    /// `%license`
    License,
}

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// a folder that the package owns, and that goes with it
    Folder,
    /// a file
    File {
        /// where its bytes come from
        content: Content,
        /// in bytes
        size: u64,
        /// 32 raw bytes
        sha256: [u8; 32],
        /// what RPM is told
        role: Role,
    },
}

/// One entry of the tree. The owner is always root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// file or folder
    pub kind: EntryKind,
    /// permission bits, `0o644`
    pub mode: u16,
    /// `root`, or the service's group for what only it may read
    pub group: Cow<'static, str>,
    /// seconds since 1970
    pub mtime: u32,
    /// who claims the path, for messages: a wheel's name, or a part of this tool
    pub source: Arc<str>,
    /// the wheel that it comes with, by its place in the list that the tree was laid out from; none for what comes
    /// with the package itself
    pub wheel: Option<usize>,
}

impl TreeEntry {
    /// A file of bytes that this tool made; `root:root`, 0644.
    pub fn made(bytes: impl Into<Vec<u8>>, mtime: u32, source: &str) -> Self {
        let bytes = bytes.into();
        Self {
            kind: EntryKind::File {
                size: bytes.len() as u64,
                sha256: Sha256::digest(&bytes).into(),
                content: Content::Bytes(bytes),
                role: Role::Plain,
            },
            mode: 0o644,
            group: Cow::Borrowed("root"),
            mtime,
            source: source.into(),
            wheel: None,
        }
    }

    /// A folder that the package owns; `root:root`, 0755.
    pub fn folder(mtime: u32) -> Self {
        Self {
            kind: EntryKind::Folder,
            mode: 0o755,
            group: Cow::Borrowed("root"),
            mtime,
            source: "the folders of the package".into(),
            wheel: None,
        }
    }

    /// The same as a part of what a wheel brings, by the wheel's place.
    pub fn of_wheel(mut self, wheel: usize) -> Self {
        self.wheel = Some(wheel);
        self
    }

    /// The same with another mode.
    pub fn with_mode(mut self, mode: u16) -> Self {
        self.mode = mode;
        self
    }

    /// The same with another role; folders have none.
    pub fn with_role(mut self, wanted: Role) -> Self {
        if let EntryKind::File { role, .. } = &mut self.kind {
            *role = wanted;
        }
        self
    }

    /// The size of its content, in bytes; a folder has none.
    pub fn size(&self) -> u64 {
        match &self.kind {
            EntryKind::Folder => 0,
            EntryKind::File { size, .. } => *size,
        }
    }

    /// Whether it is byte-code that this tool had compiled.
    pub fn is_byte_code(&self) -> bool {
        matches!(self.kind, EntryKind::File { content: Content::ByteCode { .. }, .. })
    }

    /// Whether two claims are for the same bytes in the same way.
    fn same_as(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (EntryKind::Folder, EntryKind::Folder) => self.mode == other.mode,
            (
                EntryKind::File { size: a, sha256: x, role: r, .. },
                EntryKind::File { size: b, sha256: y, role: s, .. },
            ) => (a, x, r, self.mode, &self.group) == (b, y, s, other.mode, &other.group),
            _ => false,
        }
    }
}

/// Everything that lands on the box.
#[derive(Debug, Default)]
pub struct Tree {
    /// In boxes: most paths come sorted, and nodes that are filled in order are half empty.
    entries: BTreeMap<BoxPath, Box<TreeEntry>>,
}

impl Tree {
    /// Adds an entry.
    ///
    /// # Errors
    /// Where the path is claimed already, by other bytes or in another way. Equal files, as legacy namespace packages
    /// share their `__init__.py`, are one.
    pub fn claim(&mut self, path: BoxPath, entry: TreeEntry) -> anyhow::Result<()> {
        match self.entries.entry(path) {
            Claim::Occupied(before) if !before.get().same_as(&entry) => {
                bail!(
                    "`{}` is claimed by {} and by {}, with different content, mode or owner",
                    before.key(),
                    before.get().source,
                    entry.source
                )
            }
            Claim::Occupied(_) => {}
            Claim::Vacant(place) => {
                place.insert(Box::new(entry));
            }
        }
        Ok(())
    }

    /// Adds the folders between `root` and each file below it, `root` included.
    pub fn own_folders(&mut self, root: &BoxPath, mtime: u32) -> anyhow::Result<()> {
        let below = format!("{root}/");
        let mut folders = std::collections::BTreeSet::from([root.clone()]);
        for path in self.entries.keys().filter(|path| path.as_str().starts_with(&below)) {
            let mut folder = path.parent();
            while let Some(path) = folder.filter(|folder| folder.as_str().starts_with(&below)) {
                folder = path.parent();
                if !folders.insert(path) {
                    break;
                }
            }
        }
        for folder in folders {
            self.claim(folder, TreeEntry::folder(mtime))?;
        }
        Ok(())
    }

    /// The entries, sorted by path.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&BoxPath, &TreeEntry)> {
        self.entries.iter().map(|(path, entry)| (path, &**entry))
    }

    /// Whether a file is one of [`LARGE_FILE`].
    pub fn has_large_file(&self) -> bool {
        self.entries.values().any(|entry| entry.size() >= LARGE_FILE)
    }

    /// The entry at a path.
    pub fn get(&self, path: &BoxPath) -> Option<&TreeEntry> {
        self.entries.get(path).map(|entry| &**entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> BoxPath {
        BoxPath::new(text).unwrap()
    }

    #[test]
    fn only_plain_absolute_paths_are_paths_on_the_box() {
        for bad in ["", "/", "a", "/a//b", "/a/../b", "/a/.", "/a\n", "/a/"] {
            assert!(BoxPath::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(path("/opt/x/y").split(), ("/opt/x/", "y"));
        assert_eq!(path("/opt").parent(), None);
    }

    #[test]
    fn a_second_claim_is_refused_unless_it_is_the_same_file() {
        let mut tree = Tree::default();
        tree.claim(path("/opt/x/a"), TreeEntry::made("1", 0, "one")).unwrap();
        tree.claim(path("/opt/x/a"), TreeEntry::made("1", 0, "two")).unwrap();
        let error = tree.claim(path("/opt/x/a"), TreeEntry::made("2", 0, "three")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/opt/x/a` is claimed by one and by three, with different content, mode or owner"
        );
    }

    #[test]
    fn every_folder_below_the_root_is_owned_and_a_file_in_its_place_is_an_error() {
        let mut tree = Tree::default();
        tree.claim(path("/opt/x/a/b/c"), TreeEntry::made("1", 0, "one")).unwrap();
        tree.claim(path("/usr/lib/y"), TreeEntry::made("1", 0, "one")).unwrap();
        tree.own_folders(&path("/opt/x"), 0).unwrap();
        let paths: Vec<&str> = tree.entries().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/opt/x", "/opt/x/a", "/opt/x/a/b", "/opt/x/a/b/c", "/usr/lib/y"]);
        tree.claim(path("/opt/x/a/b/c/d"), TreeEntry::made("1", 0, "two")).unwrap();
        assert!(tree.own_folders(&path("/opt/x"), 0).is_err());
    }
}
