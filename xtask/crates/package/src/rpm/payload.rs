//! Tree → payload: cpio, in compressed pieces that are made side by side, or taken from where they are kept.
//!
//! A piece is one or more zstd frames, or gzip members; rpm reads a row of them as one stream. The
//! header is sorted by path and the archive is not: rpm finds each entry by its name.

use crate::layout::Wheel;
use crate::rpm::piece::{KeptPieces, NewPiece, Piece, PieceKey};
use crate::tree::{Content, EntryKind, Tree, TreeEntry};
use anyhow::{Context as _, bail, ensure};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};
use std::sync::Mutex;
use wheelhaul_boxes::Compression;
use wheelhaul_payload::{Inflater, OWN_MEMBER, PackBuffers, Packer, cpio, deflate_identity, in_order, zstd_identity};
use wheelhaul_wheel::PackedSum;

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
            Compression::Zstd => format!("zstd {}", zstd_identity(level)),
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
    /// Plans the pieces; `wheels` is the list that the tree was laid out from.
    pub(crate) fn plan<R: ReaderAt>(
        tree: &'a Tree,
        wheels: &[Wheel<R>],
        compressor: Compressor,
    ) -> anyhow::Result<Self> {
        let identity = compressor.identity()?;
        let taken = |entry: &TreeEntry| {
            let taken = deflated(entry, wheels).filter(|_| compressor.compression == Compression::Gzip);
            taken.map(|(wheel, place)| format!("{} {place}", wheel.sha256))
        };
        let pieces = Piece::cut(tree).into_iter().map(|piece| Ok((piece.key(&identity, taken)?, piece)));
        Ok(Self { pieces: pieces.collect::<anyhow::Result<_>>()?, compressor })
    }

    /// The size of the archive before compression, in bytes.
    pub(crate) fn archive_size(&self) -> u64 {
        self.pieces.iter().map(|(_, piece)| piece.size()).sum()
    }

    /// What names the bytes of the compressed payload, piece by piece.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &PieceKey> {
        self.pieces.iter().map(|(key, _)| key)
    }

    /// Writes the compressed payload, piece by piece in order, to `take`, and gives the pieces. The bytes do not depend
    /// on what was kept. `wheels` is the list that the tree was laid out from.
    ///
    /// # Errors
    /// Where a file of a wheel does not have the digest that its RECORD says.
    pub(crate) fn write<R: ReaderAt + Sync>(
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

/// What a thread keeps from piece to piece.
#[derive(Default)]
struct Worker {
    inflater: Inflater,
    buffers: PackBuffers,
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

/// Writes a compressed piece: its entries, or the end of the archive.
fn write_piece<R: ReaderAt>(
    piece: &Piece<'_>,
    wheels: &[Wheel<R>],
    by: Compressor,
    with: &mut Worker,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Worker { inflater, buffers } = with;
    let mut packer = match by.compression {
        Compression::Zstd => Packer::zstd(out, by.level, buffers)?,
        Compression::Gzip => Packer::gzip(out, by.level, buffers),
    };
    if piece.is_end() {
        cpio::write_trailer(&mut packer)?;
    }
    for (place, item) in piece.items.iter().enumerate() {
        let mut write = || -> anyhow::Result<()> {
            piece.write_head(place, &mut packer)?;
            match deflated(item.entry, wheels).filter(|_| packer.takes_deflated()) {
                Some((wheel, place)) => take_deflated(item.entry, wheel, place, inflater, &mut packer)?,
                None => write_content(item.entry, wheels, inflater, &mut packer)?,
            }
            Ok(cpio::write_padding(&mut packer, item.entry.size())?)
        };
        write().with_context(|| format!("failed to pack `{}` of {}", item.path, item.entry.source))?;
    }
    Ok(packer.flush()?)
}

/// The wheel of an entry, and its place there, where a member of gzip can be made of it as it is.
fn deflated<'w, R: ReaderAt>(entry: &TreeEntry, wheels: &'w [Wheel<R>]) -> Option<(&'w Wheel<R>, usize)> {
    match entry.kind {
        EntryKind::File { content: Content::Member { wheel, place }, size, .. } if size >= OWN_MEMBER => {
            let wheel = &wheels[wheel];
            wheel.archive.members()[place].is_deflated.then_some((wheel, place))
        }
        _ => None,
    }
}

/// Writes a file of a wheel as it is deflated there, and unpacks it to see that it is what it ought to be, unless that
/// was seen with another target.
///
/// # Errors
/// Where a file of a wheel does not have the digest that its RECORD says.
fn take_deflated<R: ReaderAt>(
    entry: &TreeEntry,
    wheel: &Wheel<R>,
    place: usize,
    inflater: &mut Inflater,
    packer: &mut Packer<'_>,
) -> anyhow::Result<()> {
    let mut sum = PackedSum::default();
    let mut hasher = (!wheel.checked.has(place)).then(Sha256::new);
    packer.take_deflated(wheel.archive.members()[place].packed_file(), |out| {
        let mut packed = |bytes: &[u8]| {
            sum.update(bytes);
            out(bytes)
        };
        match &mut hasher {
            Some(hasher) => wheel.archive.unpack_with_packed(place, inflater, &mut packed, &mut |bytes| {
                hasher.update(bytes);
                Ok(())
            }),
            None => wheel.archive.copy_packed(place, inflater, &mut packed),
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

fn check_digest(entry: &TreeEntry, hasher: Sha256) -> anyhow::Result<()> {
    let found = hasher.finalize();
    match &entry.kind {
        EntryKind::File { sha256, .. } if found.as_slice() != sha256 => {
            bail!("its content does not have the digest that its RECORD says")
        }
        _ => Ok(()),
    }
}

/// Writes the content of an entry, as many bytes as it says; a folder has none.
///
/// # Errors
/// Where a file of a wheel does not have the digest that its RECORD says.
pub(super) fn write_content<R: ReaderAt>(
    entry: &TreeEntry,
    wheels: &[Wheel<R>],
    inflater: &mut Inflater,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match &entry.kind {
        EntryKind::Folder => Ok(()),
        EntryKind::File { content: Content::Bytes(bytes), .. } => Ok(out.write_all(bytes)?),
        EntryKind::File {
            content: content @ (Content::Member { wheel, .. } | Content::ByteCode { wheel, .. }),
            ..
        } => {
            let mut hasher = Sha256::new();
            let mut sum = PackedSum::default();
            let (archive, place) = wheels[*wheel].find(content).context("its wheel has no byte-code")?;
            let packed = &mut |bytes: &[u8]| {
                sum.update(bytes);
                Ok(())
            };
            archive.unpack_with_packed(place, inflater, packed, &mut |bytes| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::MultiGzDecoder;
    use rawzip::{CompressionMethod, ZipArchiveWriter};
    use std::io::Read as _;
    use wheelhaul_wheel::Archive;

    /// What every member starts with.
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

    /// What shrinks, and does not repeat itself within the reach of deflate.
    fn content(size: u64) -> Vec<u8> {
        let mut number = 7_u32;
        let mut byte = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 27) as u8
        };
        (0..size).map(|_| byte()).collect()
    }

    fn archive(files: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
        let mut zip = ZipArchiveWriter::new(Vec::new());
        for (path, bytes, method) in files {
            let (mut entry, config) = zip.new_file(path).compression_method(*method).start().unwrap();
            let descriptor = if *method == CompressionMethod::STORE {
                let mut writer = config.wrap(&mut entry);
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap().1
            } else {
                let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
                let mut writer = config.wrap(encoder);
                writer.write_all(bytes).unwrap();
                let (encoder, descriptor) = writer.finish().unwrap();
                encoder.finish().unwrap();
                descriptor
            };
            entry.finish(descriptor).unwrap();
        }
        zip.finish().unwrap()
    }

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        MultiGzDecoder::new(packed).read_to_end(&mut content).unwrap();
        content
    }

    fn count_of_heads(packed: &[u8]) -> usize {
        packed.windows(HEAD.len()).filter(|window| *window == HEAD).count()
    }

    #[test]
    fn a_deflated_file_is_taken_as_it_is() {
        let (large, empty) = (content(200_000), Vec::new());
        let deflate = CompressionMethod::DEFLATE;
        let bytes = archive(&[
            ("large", &large, deflate),
            ("empty", &empty, deflate),
            ("stored", b"x", CompressionMethod::STORE),
        ]);
        let archive = Archive::open(bytes.as_slice(), bytes.len() as u64).unwrap();
        let (mut buffers, mut inflater, mut packed) = (PackBuffers::default(), Inflater::default(), Vec::new());
        let mut members = Packer::gzip(&mut packed, 9, &mut buffers);
        let mut take = |members: &mut Packer<'_>, path: &str| {
            let place = archive.find(path).unwrap();
            members.take_deflated(archive.members()[place].packed_file(), |out| {
                archive.unpack_with_packed(place, &mut inflater, out, &mut |_| Ok(()))
            })
        };
        members.write_all(b"head").unwrap();
        take(&mut members, "large").unwrap();
        take(&mut members, "large").unwrap();
        members.write_all(b"between").unwrap();
        take(&mut members, "empty").unwrap();
        let error = take(&mut members, "stored").unwrap_err();
        assert_eq!(error.to_string(), "it is not deflated");
        members.write_all(b"end").unwrap();
        members.flush().unwrap();
        assert!(unpacked(&packed) == [&b"head"[..], &large, &large, b"between", b"end"].concat());
        assert_eq!(count_of_heads(&packed), 6);
        // The archive's own bytes.
        let stream = &bytes[35..50_000];
        assert_eq!(packed.windows(stream.len()).filter(|window| *window == stream).count(), 2);
    }
}
