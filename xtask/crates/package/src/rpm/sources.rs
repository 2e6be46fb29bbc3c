//! Tree → the archives that a spec is built from: gzipped tars of what lands on the box, the same bytes on
//! every host, unpacked from the wheels on the way and never laid out on a disk.

use crate::layout::Wheel;
use crate::rpm::payload::write_content;
use crate::tree::{BoxPath, EntryKind, Tree, TreeEntry};
use anyhow::Context as _;
use flate2::{Compression, GzBuilder};
use rawzip::ReaderAt;
use std::io::Write;
use wheelhaul_wheel::Inflater;

/// The effort of gzip: these are unpacked once, on the host that builds.
const EFFORT: Compression = Compression::new(6);

/// What a tar is aligned to, in bytes.
const BLOCK: u64 = 512;

/// Which part of the tree an archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourcePart {
    /// what is not a dependency's, and every folder
    App,
    /// the files that come from the dependencies' wheels
    Dependencies,
}

/// Where every entry of a tree goes.
pub struct SourceArchives<'a, R> {
    tree: &'a Tree,
    wheels: &'a [Wheel<R>],
}

impl<'a, R: ReaderAt> SourceArchives<'a, R> {
    /// Takes `wheels`, the list that `tree` was laid out from: the application's is the last.
    pub fn new(tree: &'a Tree, wheels: &'a [Wheel<R>]) -> Self {
        Self { tree, wheels }
    }

    /// Whether a part has anything in it.
    pub fn has(&self, part: SourcePart) -> bool {
        self.entries(part).next().is_some()
    }

    /// Each folder with all that is in it at once: tar sets a folder's time when it leaves it.
    fn entries(&self, part: SourcePart) -> impl Iterator<Item = (&'a BoxPath, &'a TreeEntry)> {
        let is_of = move |entry: &TreeEntry| {
            let is_dependency = entry.wheel.is_some_and(|wheel| wheel + 1 < self.wheels.len());
            is_dependency == (part == SourcePart::Dependencies)
        };
        let mut entries: Vec<_> = self.tree.entries().filter(move |(_, entry)| is_of(entry)).collect();
        entries.sort_by(|(a, _), (b, _)| a.as_str().split('/').cmp(b.as_str().split('/')));
        entries.into_iter()
    }

    /// Writes the archive of a part: paths from the root of the box, sorted, root's, with their modes and times.
    ///
    /// # Errors
    /// Where a file of a wheel does not have the digest that its RECORD says.
    pub fn write(&self, part: SourcePart, out: impl Write) -> anyhow::Result<()> {
        // No name and no time in gzip's header.
        let gzip = GzBuilder::new().mtime(0).operating_system(255).write(out, EFFORT);
        let mut archive = tar::Builder::new(gzip);
        let mut inflater = Inflater::default();
        for (path, entry) in self.entries(part) {
            self.append(&mut archive, path, entry, &mut inflater)
                .with_context(|| format!("failed to pack `{path}` of {}", entry.source))?;
        }
        archive.into_inner()?.finish()?.flush()?;
        Ok(())
    }

    fn append(
        &self,
        archive: &mut tar::Builder<impl Write>,
        path: &BoxPath,
        entry: &TreeEntry,
        inflater: &mut Inflater,
    ) -> anyhow::Result<()> {
        let mut header = tar::Header::new_ustar();
        let (kind, name) = match entry.kind {
            EntryKind::Folder => (tar::EntryType::Directory, format!("{}/", relative(path))),
            EntryKind::File { .. } => (tar::EntryType::Regular, relative(path).to_owned()),
        };
        header.set_entry_type(kind);
        header.set_size(entry.size());
        header.set_mode(entry.mode.into());
        header.set_mtime(entry.mtime.into());
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        if header.set_path(&name).is_err() {
            // Names that are too long for ustar stand in front, as pax has them.
            archive.append_pax_extensions([("path", name.as_bytes())])?;
            header.set_path("long-name")?;
        }
        header.set_cksum();
        let out = archive.get_mut();
        out.write_all(header.as_bytes())?;
        write_content(entry, self.wheels, inflater, out)?;
        let rest = entry.size().next_multiple_of(BLOCK) - entry.size();
        Ok(out.write_all(&[0; BLOCK as usize][..usize::try_from(rest)?])?)
    }
}

fn relative(path: &BoxPath) -> &str {
    path.as_str().trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn archives_hold_the_tree_by_its_rules() {
        let mut tree = Tree::default();
        let long = format!("/opt/x/{}/{}", "a long name ".repeat(20), "b".repeat(200));
        for (path, bytes, mode) in [
            ("/opt/x/b", "", 0o755),
            ("/opt/x/c/d", "content\n", 0o640),
            ("/opt/x/c-1", "", 0o644),
            (long.as_str(), "1", 0o644),
        ] {
            tree.claim(BoxPath::new(path).unwrap(), TreeEntry::made(bytes, 7, "a test").with_mode(mode)).unwrap();
        }
        tree.own_folders(&BoxPath::new("/opt/x").unwrap(), 9).unwrap();
        let sources: SourceArchives<'_, Vec<u8>> = SourceArchives::new(&tree, &[]);
        assert!(sources.has(SourcePart::App) && !sources.has(SourcePart::Dependencies));
        let mut bytes = Vec::new();
        sources.write(SourcePart::App, &mut bytes).unwrap();
        let mut again = Vec::new();
        sources.write(SourcePart::App, &mut again).unwrap();
        assert_eq!(bytes, again);
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some("root"), Some("root")));
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            found.push((path, header.mode().unwrap(), header.mtime().unwrap(), content));
        }
        let folder = long.rsplit_once('/').unwrap().0;
        #[rustfmt::skip]
        let expected = [
            ("opt/x/".to_owned(),             0o755, 9, ""),
            (format!("{}/", &folder[1..]),    0o755, 9, ""),
            (long[1..].to_owned(),            0o644, 7, "1"),
            ("opt/x/b".to_owned(),            0o755, 7, ""),
            ("opt/x/c/".to_owned(),           0o755, 9, ""),
            ("opt/x/c/d".to_owned(),          0o640, 7, "content\n"),
            ("opt/x/c-1".to_owned(),          0o644, 7, ""),
        ];
        assert_eq!(found, expected.map(|(path, mode, mtime, content)| (path, mode, mtime, content.to_owned())));
    }
}
