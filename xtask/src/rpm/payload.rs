//! Tree → payload: cpio, in compressed pieces that are made side by side.
//!
//! A piece is one or more zstd frames, or a gzip member; rpm reads a row of them as one stream. The
//! header is sorted by path and the archive is not: rpm finds each entry by its name.

use crate::layout::Wheel;
use crate::rpm::cpio;
use crate::rpm::ordered::in_order;
use crate::target::Compression;
use crate::tree::{BoxPath, Content, Entry, Kind, LARGE_FILE, Tree};
use crate::wheel::Scratch;
use anyhow::{Context as _, bail};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::io::Write;

/// A piece is closed when it has reached this, in bytes before compression …
const PIECE_BYTES: u64 = FRAME_BYTES as u64;
/// … or this, in files.
const PIECE_FILES: usize = 512;
/// What is compressed at once. zstd is a third faster on a whole frame than on a stream, whose window
/// wraps around; a larger frame wins little and takes its size in memory on every core.
const FRAME_BYTES: usize = 4 << 20;

/// One entry with its place in the header.
struct Item<'a> {
    index: usize,
    path: &'a BoxPath,
    entry: &'a Entry,
}

/// A tree that is ready to be written as a payload.
pub struct Payload<'a> {
    pieces: Vec<Vec<Item<'a>>>,
}

impl<'a> Payload<'a> {
    /// Plans the pieces: folders and files made by this tool first, then each wheel's files and its byte-code.
    pub fn plan(tree: &'a Tree) -> Self {
        let mut items: Vec<Item<'a>> =
            tree.entries().enumerate().map(|(index, (path, entry))| Item { index, path, entry }).collect();
        items.sort_by_key(|item| (group(item.entry), item.index));
        let mut pieces: Vec<Vec<Item<'a>>> = Vec::new();
        let mut bytes = 0;
        for item in items {
            let joins = pieces.last().is_some_and(|piece: &Vec<Item<'_>>| {
                group(piece[0].entry).0 == group(item.entry).0 && bytes < PIECE_BYTES && piece.len() < PIECE_FILES
            });
            if !joins {
                pieces.push(Vec::new());
                bytes = 0;
            }
            bytes += item.entry.size();
            pieces.last_mut().expect("one was pushed").push(item);
        }
        Self { pieces }
    }

    /// The size of the archive before compression, in bytes.
    pub fn archive_size(&self) -> u64 {
        let items = self.pieces.iter().flatten();
        let entries: u64 = items.map(|item| cpio::entry_size(&archive_name(item.path), item.entry.size())).sum();
        entries + cpio::entry_size(cpio::TRAILER, 0)
    }

    /// Writes the compressed payload, piece by piece in order, to `take`.
    ///
    /// - Takes: `wheels`, the list that the tree was laid out from.
    /// - Fails: where a file of a wheel does not have the digest that its RECORD says.
    pub fn write<R: ReaderAt + Sync>(
        &self,
        wheels: &[Wheel<R>],
        compression: Compression,
        level: i32,
        take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let make = |with: &mut Worker, piece: usize, out: &mut dyn Write| match compression {
            Compression::Zstd => {
                let Worker { scratch, compressor, content, frame } = with;
                let compressor = match compressor {
                    Some(compressor) => compressor,
                    None => compressor.insert(zstd::bulk::Compressor::new(level)?),
                };
                let mut frames = Frames { out, compressor, content, frame };
                self.write_piece(piece, wheels, scratch, &mut frames)?;
                Ok(frames.flush()?)
            }
            Compression::Gzip => {
                let level = flate2::Compression::new(level.clamp(1, 9).unsigned_abs());
                let mut encoder = flate2::write::GzEncoder::new(out, level);
                self.write_piece(piece, wheels, &mut with.scratch, &mut encoder)?;
                encoder.finish()?;
                Ok(())
            }
        };
        in_order(self.pieces.len(), make, take)
    }

    fn write_piece<R: ReaderAt>(
        &self,
        piece: usize,
        wheels: &[Wheel<R>],
        scratch: &mut Scratch,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        for item in &self.pieces[piece] {
            write_item(item, wheels, scratch, out)
                .with_context(|| format!("failed to pack `{}` of {}", item.path, item.entry.source))?;
        }
        if piece + 1 == self.pieces.len() {
            cpio::write_trailer(out)?;
        }
        Ok(())
    }
}

fn group(entry: &Entry) -> (usize, bool) {
    match &entry.kind {
        Kind::Folder => (0, false),
        Kind::File { content: Content::Bytes(_), .. } => (0, true),
        Kind::File { content: Content::Member { wheel, .. }, .. } => (2 * wheel + 1, false),
        Kind::File { content: Content::ByteCode { wheel, .. }, .. } => (2 * wheel + 2, false),
    }
}

fn archive_name(path: &BoxPath) -> String {
    format!(".{path}")
}

/// What a thread keeps from piece to piece: memory that is mapped anew costs a page fault every 4 KiB.
#[derive(Default)]
struct Worker {
    scratch: Scratch,
    compressor: Option<zstd::bulk::Compressor<'static>>,
    content: Vec<u8>,
    frame: Vec<u8>,
}

/// Takes bytes and gives zstd frames, each of [`FRAME_BYTES`] but the last.
struct Frames<'a> {
    out: &'a mut dyn Write,
    compressor: &'a mut zstd::bulk::Compressor<'static>,
    content: &'a mut Vec<u8>,
    frame: &'a mut Vec<u8>,
}

impl Write for Frames<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(FRAME_BYTES - self.content.len());
        self.content.extend_from_slice(&bytes[..taken]);
        if self.content.len() == FRAME_BYTES {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.content.is_empty() {
            return Ok(());
        }
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(self.content.len()));
        self.compressor.compress_to_buffer(self.content.as_slice(), self.frame)?;
        self.content.clear();
        self.out.write_all(self.frame)
    }
}

fn write_item<R: ReaderAt>(
    item: &Item<'_>,
    wheels: &[Wheel<R>],
    scratch: &mut Scratch,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let size = item.entry.size();
    if size >= LARGE_FILE {
        cpio::write_place(out, u32::try_from(item.index)?)?;
    } else {
        let head = cpio::Entry {
            name: archive_name(item.path),
            inode: u32::try_from(item.index + 1)?,
            mode: u32::from(super::header::mode_of(item.entry)),
            mtime: item.entry.mtime,
            size: u32::try_from(size)?,
        };
        cpio::write_header(out, &head)?;
    }
    write_content(item.entry, wheels, scratch, out)?;
    Ok(cpio::write_padding(out, size)?)
}

/// Writes the content of an entry, as many bytes as it says; a folder has none.
///
/// - Fails: where a file of a wheel does not have the digest that its RECORD says.
pub(super) fn write_content<R: ReaderAt>(
    entry: &Entry,
    wheels: &[Wheel<R>],
    scratch: &mut Scratch,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match &entry.kind {
        Kind::Folder => Ok(()),
        Kind::File { content: Content::Bytes(bytes), .. } => Ok(out.write_all(bytes)?),
        Kind::File {
            content: content @ (Content::Member { wheel, .. } | Content::ByteCode { wheel, .. }),
            sha256,
            ..
        } => {
            let mut hasher = Sha256::new();
            let (archive, place) = wheels[*wheel].find(content).context("its wheel has no byte-code")?;
            archive.unpack(place, scratch, &mut |bytes| {
                hasher.update(bytes);
                Ok(out.write_all(bytes)?)
            })?;
            if hasher.finalize().as_slice() != sha256 {
                bail!("its content does not have the digest that its RECORD says");
            }
            Ok(())
        }
    }
}
