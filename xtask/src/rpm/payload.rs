//! Tree → payload: cpio, in compressed pieces that are made side by side, or taken from where they are kept.
//!
//! A piece is one or more zstd frames, or a gzip member; rpm reads a row of them as one stream. The
//! header is sorted by path and the archive is not: rpm finds each entry by its name.

use crate::hex::hex;
use crate::layout::Wheel;
use crate::rpm::cpio;
use crate::rpm::ordered::in_order;
use crate::rpm::piece::{KeptPieces, NewPiece, PIECE_BYTES, Piece, PieceKey};
use crate::target::Compression;
use crate::tree::{Content, Entry, Kind, Tree};
use crate::wheel::Scratch;
use anyhow::{Context as _, bail};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};
use std::sync::Mutex;

/// What is compressed at once. zstd is a third faster on a whole frame than on a stream, whose window
/// wraps around; a larger frame wins little and takes its size in memory on every core.
const FRAME_BYTES: usize = PIECE_BYTES as usize;

/// A piece in a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPiece {
    /// the wheel that its files come with; none for what comes with the package itself
    pub wheel: Option<usize>,
    /// in bytes before compression
    pub archive_size: u64,
    /// in bytes
    pub size: u64,
    /// whether it was kept from an earlier run
    pub is_kept: bool,
}

/// How a payload is compressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compressor {
    pub compression: Compression,
    pub level: i32,
}

impl Compressor {
    /// All that decides how the same bytes are compressed.
    fn identity(self) -> anyhow::Result<String> {
        let Self { compression, level } = self;
        Ok(match compression {
            Compression::Zstd => format!("zstd {} {level}", zstd::zstd_safe::version_number()),
            // Which deflate this is no crate says; what it makes of a sample does.
            Compression::Gzip => format!("gzip {} {level}", hex(&Sha256::digest(gzipped_sample(level)?))),
        })
    }

    fn gzip_level(level: i32) -> flate2::Compression {
        flate2::Compression::new(level.clamp(1, 9).unsigned_abs())
    }
}

/// Bytes with short and long repetitions, compressed.
fn gzipped_sample(level: i32) -> io::Result<Vec<u8>> {
    let mut number = 1_u32;
    let words = (0..6000).map(|_| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 20) % 600
    });
    let sample: String = words.map(|word| format!("w{word:x} ")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compressor::gzip_level(level));
    encoder.write_all(sample.as_bytes())?;
    encoder.finish()
}

/// A tree that is ready to be written as a payload.
pub(super) struct Payload<'a> {
    pieces: Vec<(PieceKey, Piece<'a>)>,
    compressor: Compressor,
}

impl<'a> Payload<'a> {
    /// Plans the pieces.
    pub fn plan(tree: &'a Tree, compressor: Compressor) -> anyhow::Result<Self> {
        let identity = compressor.identity()?;
        let pieces = Piece::cut(tree).into_iter().map(|piece| Ok((piece.key(&identity)?, piece)));
        Ok(Self { pieces: pieces.collect::<anyhow::Result<_>>()?, compressor })
    }

    /// The size of the archive before compression, in bytes.
    pub fn archive_size(&self) -> u64 {
        self.pieces.iter().map(|(_, piece)| piece.size()).sum()
    }

    /// What names the bytes of the compressed payload, piece by piece.
    pub fn keys(&self) -> impl Iterator<Item = &PieceKey> {
        self.pieces.iter().map(|(key, _)| key)
    }

    /// Writes the compressed payload, piece by piece in order, to `take`.
    ///
    /// - Takes: `wheels`, the list that the tree was laid out from.
    /// - Gives: the pieces, in order. The bytes do not depend on what was kept.
    /// - Fails: where a file of a wheel does not have the digest that its RECORD says.
    pub fn write<R: ReaderAt + Sync>(
        &self,
        wheels: &[Wheel<R>],
        kept: &dyn KeptPieces,
        take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<WrittenPiece>> {
        let written = Mutex::new(Vec::new());
        let make = |with: &mut Worker, place: usize, out: &mut dyn Write| -> anyhow::Result<()> {
            let (key, piece) = &self.pieces[place];
            let archive_size = piece.size();
            let known = if piece.is_end() { None } else { kept.copy(key, out)? };
            let size = match known {
                Some(size) => size,
                None => {
                    let keep = if piece.is_end() { None } else { kept.begin(key, archive_size) };
                    let mut out = Tee { out, keep, size: 0 };
                    write_piece(piece, wheels, self.compressor, with, &mut out)?;
                    out.finish()
                }
            };
            let piece = WrittenPiece { wheel: piece.wheel, archive_size, size, is_kept: known.is_some() };
            written.lock().expect("no thread panics").push((place, piece));
            Ok(())
        };
        in_order(self.pieces.len(), make, take)?;
        let mut written = written.into_inner().expect("no thread panics");
        written.sort_by_key(|(place, _)| *place);
        Ok(written.into_iter().map(|(_, piece)| piece).collect())
    }
}

/// What a thread keeps from piece to piece: memory that is mapped anew costs a page fault every 4 KiB.
#[derive(Default)]
struct Worker {
    scratch: Scratch,
    compressor: Option<zstd::bulk::Compressor<'static>>,
    content: Vec<u8>,
    frame: Vec<u8>,
}

/// Writes to the payload, and to where the piece is kept as long as that goes well.
struct Tee<'a> {
    out: &'a mut dyn Write,
    keep: Option<Box<dyn NewPiece + 'a>>,
    size: u64,
}

impl Tee<'_> {
    /// Keeps the piece; gives its size in bytes.
    fn finish(self) -> u64 {
        self.keep.into_iter().for_each(NewPiece::finish);
        self.size
    }
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.size += bytes.len() as u64;
        if self.keep.as_mut().is_some_and(|keep| keep.write_all(bytes).is_err()) {
            self.keep = None;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Takes bytes and gives zstd frames, each of [`FRAME_BYTES`] but the last.
struct Frames<'a> {
    out: &'a mut dyn Write,
    compressor: &'a mut zstd::bulk::Compressor<'static>,
    content: &'a mut Vec<u8>,
    frame: &'a mut Vec<u8>,
}

impl Write for Frames<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(FRAME_BYTES - self.content.len());
        self.content.extend_from_slice(&bytes[..taken]);
        if self.content.len() == FRAME_BYTES {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
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

/// Writes a compressed piece.
fn write_piece<R: ReaderAt>(
    piece: &Piece<'_>,
    wheels: &[Wheel<R>],
    by: Compressor,
    with: &mut Worker,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match by.compression {
        Compression::Zstd => {
            let Worker { scratch, compressor, content, frame } = with;
            let compressor = match compressor {
                Some(compressor) => compressor,
                None => compressor.insert(zstd::bulk::Compressor::new(by.level)?),
            };
            let mut frames = Frames { out, compressor, content, frame };
            write_items(piece, wheels, scratch, &mut frames)?;
            Ok(frames.flush()?)
        }
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, Compressor::gzip_level(by.level));
            write_items(piece, wheels, &mut with.scratch, &mut encoder)?;
            encoder.finish()?;
            Ok(())
        }
    }
}

/// Writes the entries of a piece, or the end of the archive.
fn write_items<R: ReaderAt>(
    piece: &Piece<'_>,
    wheels: &[Wheel<R>],
    scratch: &mut Scratch,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if piece.is_end() {
        return Ok(cpio::write_trailer(out)?);
    }
    for (place, item) in piece.items.iter().enumerate() {
        let mut write = || -> anyhow::Result<()> {
            piece.write_head(place, out)?;
            write_content(item.entry, wheels, scratch, out)?;
            Ok(cpio::write_padding(out, item.entry.size())?)
        };
        write().with_context(|| format!("failed to pack `{}` of {}", item.path, item.entry.source))?;
    }
    Ok(())
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
