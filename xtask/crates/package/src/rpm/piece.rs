//! What a payload is cut into: pieces that depend on nothing but what is in them. So they can be compressed side
//! by side, kept, and taken again by whichever package has the same files.

use crate::rpm::header::mode_of;
use crate::tree::{BoxPath, Content, EntryKind, Tree, TreeEntry};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, Write};
use wheelhaul_base::hex::hex;
use wheelhaul_payload::cpio::LARGE_FILE;
use wheelhaul_payload::{FRAME_BYTES, cpio};

/// A piece is closed when it has reached this, in bytes before compression …
const PIECE_BYTES: u64 = FRAME_BYTES as u64;
/// … or this, in files.
const PIECE_FILES: usize = 512;
/// Stands for how pieces are made here: raised when the same entries give other bytes.
const RULES: &str = "2";

/// Names the bytes of a piece: equal keys are equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PieceKey([u8; 32]);

impl PieceKey {
    /// Of all that decides what the bytes are.
    pub fn of(all: &[u8]) -> Self {
        Self(Sha256::digest(all).into())
    }
}

impl fmt::Display for PieceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Where pieces are kept between runs. What it cannot do costs time, and nothing else.
pub trait KeptPieces: Sync {
    /// Writes a kept piece to `out`, once it was found whole; gives its size in bytes, and none where there is none.
    ///
    /// # Errors
    /// Only where `out` does.
    fn copy(&self, key: &PieceKey, out: &mut dyn Write) -> io::Result<Option<u64>>;
    /// Begins to keep a piece of `size` bytes before compression; none where it is not to be kept.
    fn begin(&self, key: &PieceKey, size: u64) -> Option<Box<dyn NewPiece + '_>>;
}

/// A piece on its way to be kept. It is not, unless it is finished.
pub trait NewPiece: Write {
    /// Keeps it.
    fn finish(self: Box<Self>);
}

/// Keeps nothing.
pub struct NothingKept;

impl KeptPieces for NothingKept {
    fn copy(&self, _: &PieceKey, _: &mut dyn Write) -> io::Result<Option<u64>> {
        Ok(None)
    }

    fn begin(&self, _: &PieceKey, _: u64) -> Option<Box<dyn NewPiece + '_>> {
        None
    }
}

/// One entry of a piece.
pub(super) struct Item<'a> {
    /// in the header's list of files
    pub place: u32,
    pub path: &'a BoxPath,
    pub entry: &'a TreeEntry,
}

/// Entries in the order of the archive.
pub(super) struct Piece<'a> {
    /// the wheel that all of them come with; none for what comes with the package itself
    pub wheel: Option<usize>,
    pub items: Vec<Item<'a>>,
}

impl<'a> Piece<'a> {
    /// Cuts a tree: folders and what comes with the package first, then each wheel's files, then what was made for
    /// that wheel. The last piece is empty: the archive ends there.
    pub(crate) fn cut(tree: &'a Tree) -> Vec<Self> {
        let mut items: Vec<Item<'a>> =
            (0..).zip(tree.entries()).map(|(place, (path, entry))| Item { place, path, entry }).collect();
        // Stable: of a group in the order of paths.
        items.sort_by_key(|item| group(item.entry));
        let mut pieces: Vec<Self> = Vec::new();
        let mut bytes = 0;
        for item in items {
            let joins = pieces.last().is_some_and(|piece| {
                group(piece.items[0].entry) == group(item.entry)
                    && bytes < PIECE_BYTES
                    && piece.items.len() < PIECE_FILES
            });
            if !joins {
                pieces.push(Self { wheel: item.entry.wheel, items: Vec::new() });
                bytes = 0;
            }
            bytes += item.entry.size();
            pieces.last_mut().expect("one was pushed").items.push(item);
        }
        pieces.push(Self { wheel: None, items: Vec::new() });
        pieces
    }

    /// Whether it is the one that ends the archive.
    pub(crate) fn is_end(&self) -> bool {
        self.items.is_empty()
    }

    /// In bytes before compression.
    pub(crate) fn size(&self) -> u64 {
        match self.is_end() {
            true => cpio::entry_size(cpio::TRAILER, 0),
            false => self.items.iter().map(|item| cpio::entry_size(&archive_name(item.path), item.entry.size())).sum(),
        }
    }

    /// Writes what the archive says of the entry at a place in the piece. No two entries of a piece have the same inode,
    /// and entries of two pieces may: readers look at inodes only where there are several links.
    pub(crate) fn write_head(&self, place: usize, out: &mut dyn Write) -> anyhow::Result<()> {
        let item = &self.items[place];
        let size = item.entry.size();
        if size >= LARGE_FILE {
            return Ok(cpio::write_place(out, item.place)?);
        }
        let head = cpio::CpioEntry {
            name: archive_name(item.path),
            inode: u32::try_from(place + 1)?,
            mode: u32::from(mode_of(item.entry)),
            mtime: item.entry.mtime,
            size: u32::try_from(size)?,
        };
        Ok(cpio::write_header(out, &head)?)
    }

    /// Names what the piece will be: by the heads of its entries, and the digests that are known of their contents.
    ///
    /// `compressor` tells all that decides how the same bytes are compressed; `taken` names the compressed bytes of an
    /// entry where they are taken as they are.
    pub(crate) fn key(
        &self,
        compressor: &str,
        taken: impl Fn(&TreeEntry) -> Option<String>,
    ) -> anyhow::Result<PieceKey> {
        let mut all = Vec::with_capacity(256 * self.items.len());
        writeln!(all, "{RULES} {compressor}")?;
        for (place, item) in self.items.iter().enumerate() {
            self.write_head(place, &mut all)?;
            if let EntryKind::File { sha256, .. } = &item.entry.kind {
                all.extend_from_slice(sha256);
            }
            // No head starts like this, and all that is variable in one is as long as it says.
            if let Some(bytes) = taken(item.entry) {
                writeln!(all, "as in {bytes}")?;
            }
        }
        Ok(PieceKey::of(&all))
    }
}

/// What stands together. Modules are apart from what was made of them, which is another for each Python.
fn group(entry: &TreeEntry) -> (usize, bool) {
    let content = match &entry.kind {
        EntryKind::Folder => return (0, false),
        EntryKind::File { content, .. } => content,
    };
    match entry.wheel {
        None => (0, true),
        Some(wheel) => (wheel + 1, !matches!(content, Content::Member { .. })),
    }
}

fn archive_name(path: &BoxPath) -> String {
    format!(".{path}")
}
