//! Tree → payload: cpio, in compressed pieces that are made side by side, or taken from where they are kept.
//!
//! A piece is one or more zstd frames, or gzip members; rpm reads a row of them as one stream. The
//! header is sorted by path and the archive is not: rpm finds each entry by its name.

use crate::layout::Wheel;
use crate::rpm::gzip::{Deflater, Members, OWN_MEMBER, deflate_identity};
use crate::rpm::piece::{KeptPieces, NewPiece, PIECE_BYTES, Piece, PieceKey};
use crate::tree::{Content, Entry, Kind, Tree};
use anyhow::{Context as _, bail, ensure};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};
use std::sync::Mutex;
use wheelhaul_boxes::Compression;
use wheelhaul_rpmfile::cpio;
use wheelhaul_rpmfile::ordered::in_order;
use wheelhaul_wheel::{PackedSum, Scratch};

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
            Compression::Gzip => format!("gzip {} {level}", deflate_identity(level)?),
        })
    }
}

/// A tree that is ready to be written as a payload.
pub(super) struct Payload<'a> {
    pieces: Vec<(PieceKey, Piece<'a>)>,
    compressor: Compressor,
}

impl<'a> Payload<'a> {
    /// Plans the pieces.
    ///
    /// - Takes: `wheels`, the list that the tree was laid out from.
    pub fn plan<R: ReaderAt>(tree: &'a Tree, wheels: &[Wheel<R>], compressor: Compressor) -> anyhow::Result<Self> {
        let identity = compressor.identity()?;
        let taken = |entry: &Entry| {
            let taken = deflated(entry, wheels).filter(|_| compressor.compression == Compression::Gzip);
            taken.map(|(wheel, place)| format!("{} {place}", wheel.sha256))
        };
        let pieces = Piece::cut(tree).into_iter().map(|piece| Ok((piece.key(&identity, taken)?, piece)));
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
    deflater: Option<Deflater>,
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

/// What the entries of a piece go into.
enum Packer<'a> {
    Zstd(Frames<'a>),
    Gzip(Members<'a>),
}

impl Write for Packer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(frames) => frames.write(bytes),
            Self::Gzip(members) => members.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(frames) => frames.flush(),
            Self::Gzip(members) => members.flush(),
        }
    }
}

/// Writes a compressed piece: its entries, or the end of the archive.
fn write_piece<R: ReaderAt>(
    piece: &Piece<'_>,
    wheels: &[Wheel<R>],
    by: Compressor,
    with: &mut Worker,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Worker { scratch, compressor, content, frame, deflater } = with;
    let mut packer = match by.compression {
        Compression::Zstd => {
            let compressor = match compressor {
                Some(compressor) => compressor,
                None => compressor.insert(zstd::bulk::Compressor::new(by.level)?),
            };
            Packer::Zstd(Frames { out, compressor, content, frame })
        }
        Compression::Gzip => Packer::Gzip(Members::new(out, deflater.get_or_insert_with(|| Deflater::new(by.level)))),
    };
    if piece.is_end() {
        cpio::write_trailer(&mut packer)?;
    }
    for (place, item) in piece.items.iter().enumerate() {
        let mut write = || -> anyhow::Result<()> {
            piece.write_head(place, &mut packer)?;
            match (&mut packer, deflated(item.entry, wheels)) {
                (Packer::Gzip(members), Some((wheel, place))) => {
                    take_deflated(item.entry, wheel, place, scratch, members)?;
                }
                _ => write_content(item.entry, wheels, scratch, &mut packer)?,
            }
            Ok(cpio::write_padding(&mut packer, item.entry.size())?)
        };
        write().with_context(|| format!("failed to pack `{}` of {}", item.path, item.entry.source))?;
    }
    Ok(packer.flush()?)
}

/// The wheel of an entry, and its place there, where a member of gzip can be made of it as it is.
fn deflated<'w, R: ReaderAt>(entry: &Entry, wheels: &'w [Wheel<R>]) -> Option<(&'w Wheel<R>, usize)> {
    match entry.kind {
        Kind::File { content: Content::Member { wheel, place }, size, .. } if size >= OWN_MEMBER => {
            let wheel = &wheels[wheel];
            wheel.archive.members()[place].is_deflated.then_some((wheel, place))
        }
        _ => None,
    }
}

/// Writes a file of a wheel as it is deflated there, and unpacks it to see that it is what it ought to be, unless that
/// was seen with another target.
///
/// - Fails: where a file of a wheel does not have the digest that its RECORD says.
fn take_deflated<R: ReaderAt>(
    entry: &Entry,
    wheel: &Wheel<R>,
    place: usize,
    scratch: &mut Scratch,
    members: &mut Members<'_>,
) -> anyhow::Result<()> {
    let mut sum = PackedSum::default();
    let mut hasher = (!wheel.checked.has(place)).then(Sha256::new);
    members.take_deflated(&wheel.archive.members()[place], |out| {
        let mut packed = |bytes: &[u8]| {
            sum.update(bytes);
            out(bytes)
        };
        match &mut hasher {
            Some(hasher) => wheel.archive.unpack_with_packed(place, scratch, &mut packed, &mut |bytes| {
                hasher.update(bytes);
                Ok(())
            }),
            None => wheel.archive.copy_packed(place, scratch, &mut packed),
        }
    })?;
    match hasher {
        Some(hasher) => {
            check_digest(entry, hasher)?;
            wheel.checked.note(place, &sum);
        }
        None => ensure!(wheel.checked.is_of(place, &sum), "the wheel was changed while it was packed"),
    }
    Ok(())
}

fn check_digest(entry: &Entry, hasher: Sha256) -> anyhow::Result<()> {
    let found = hasher.finalize();
    match &entry.kind {
        Kind::File { sha256, .. } if found.as_slice() != sha256 => {
            bail!("its content does not have the digest that its RECORD says")
        }
        _ => Ok(()),
    }
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
        Kind::File { content: content @ (Content::Member { wheel, .. } | Content::ByteCode { wheel, .. }), .. } => {
            let mut hasher = Sha256::new();
            let mut sum = PackedSum::default();
            let (archive, place) = wheels[*wheel].find(content).context("its wheel has no byte-code")?;
            let packed = &mut |bytes: &[u8]| {
                sum.update(bytes);
                Ok(())
            };
            archive.unpack_with_packed(place, scratch, packed, &mut |bytes| {
                hasher.update(bytes);
                Ok(out.write_all(bytes)?)
            })?;
            check_digest(entry, hasher)?;
            if let Some((wheel, place)) = deflated(entry, wheels) {
                wheel.checked.note(place, &sum);
            }
            Ok(())
        }
    }
}
