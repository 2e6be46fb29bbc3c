//! Bytes → gzip members (RFC 1952). A file that a wheel has deflated becomes a member as it is: what a member holds
//! is what a zip archive holds, a deflate stream, so that nothing of it is compressed again.

use anyhow::ensure;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};
use wheelhaul_base::hex::hex;
use wheelhaul_wheel::{Member, Sink};

/// Deflated, without a name and a time, from an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// A file from this on, in bytes before compression, is a member of its own where it is deflated already. Smaller ones
/// are smaller together.
pub(super) const OWN_MEMBER: u64 = 32 << 10;

/// What deflates, kept from piece to piece.
pub(super) struct Deflater {
    compress: Compress,
    packed: Vec<u8>,
}

impl Deflater {
    /// - Takes: `level`, 1 to 9; what is beyond is taken as the nearest.
    pub fn new(level: i32) -> Self {
        let level = Compression::new(level.clamp(1, 9).unsigned_abs());
        Self { compress: Compress::new(level, false), packed: Vec::with_capacity(64 << 10) }
    }
}

/// Which deflate this is, in 64 digits: no crate says so, what it makes of a sample does.
pub(super) fn deflate_identity(level: i32) -> io::Result<String> {
    // Words with short and long repetitions.
    let mut number = 1_u32;
    let words = (0..6000).map(|_| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 20) % 600
    });
    let sample: String = words.map(|word| format!("w{word:x} ")).collect();
    let mut packed = Vec::new();
    let mut deflater = Deflater::new(level);
    let mut members = Members::new(&mut packed, &mut deflater);
    members.write_all(sample.as_bytes())?;
    members.flush()?;
    Ok(hex(&Sha256::digest(packed)))
}

/// Takes bytes and gives members: each ends where it is flushed, and where a deflated file comes.
pub(super) struct Members<'a> {
    out: &'a mut dyn Write,
    deflater: &'a mut Deflater,
    /// of the member that is open
    content: Option<Crc>,
}

impl<'a> Members<'a> {
    pub fn new(out: &'a mut dyn Write, deflater: &'a mut Deflater) -> Self {
        deflater.compress.reset();
        Self { out, deflater, content: None }
    }

    /// Makes a member of a deflated file.
    ///
    /// - Takes: `copy`, which hands on the file's deflate stream and nothing else, and fails where that does not unpack
    ///   to what `member` says.
    pub fn take_deflated(
        &mut self,
        member: &Member,
        copy: impl FnOnce(&mut Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        ensure!(member.is_deflated, "`{}` is not deflated", member.path);
        self.flush()?;
        self.out.write_all(&HEAD)?;
        copy(&mut |packed| Ok(self.out.write_all(packed)?))?;
        Ok(self.out.write_all(&tail(member.crc32, member.size))?)
    }

    fn deflate(&mut self, mut bytes: &[u8], flush: FlushCompress) -> io::Result<()> {
        let Deflater { compress, packed } = &mut *self.deflater;
        loop {
            packed.clear();
            let before = compress.total_in();
            let status = compress.compress_vec(bytes, packed, flush).map_err(io::Error::other)?;
            bytes = &bytes[(compress.total_in() - before) as usize..];
            self.out.write_all(packed)?;
            let has_room = packed.len() < packed.capacity();
            if status == Status::StreamEnd || (bytes.is_empty() && has_room && matches!(flush, FlushCompress::None)) {
                return Ok(());
            }
        }
    }
}

impl Write for Members<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.content.is_none() {
            self.out.write_all(&HEAD)?;
        }
        self.content.get_or_insert_default().update(bytes);
        self.deflate(bytes, FlushCompress::None)?;
        Ok(bytes.len())
    }

    /// Ends the member that is open.
    fn flush(&mut self) -> io::Result<()> {
        let Some(content) = self.content.take() else { return Ok(()) };
        self.deflate(&[], FlushCompress::Finish)?;
        let size = self.deflater.compress.total_in();
        self.deflater.compress.reset();
        self.out.write_all(&tail(content.sum(), size))
    }
}

/// CRC-32, and the size by 32 bits (RFC 1952, 2.3.1: "modulo 2^32").
fn tail(crc32: u32, size: u64) -> [u8; 8] {
    let mut tail = [0; 8];
    tail[..4].copy_from_slice(&crc32.to_le_bytes());
    tail[4..].copy_from_slice(&(size as u32).to_le_bytes());
    tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::MultiGzDecoder;
    use rawzip::{CompressionMethod, ZipArchiveWriter};
    use std::io::Read as _;
    use wheelhaul_wheel::{Archive, Scratch};

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
                let encoder = flate2::write::DeflateEncoder::new(&mut entry, Compression::fast());
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
    fn whatever_is_written_comes_back() {
        let mut deflater = Deflater::new(6);
        // Small writes, writes larger than the buffer, none, and what shrinks to nothing.
        for sizes in [&[0][..], &[1, 0, 3], &[110, 1 << 20, 3], &[63 << 10, 64 << 10, 65 << 10], &[]] {
            for filler in [None, Some(0)] {
                let parts: Vec<Vec<u8>> = sizes
                    .iter()
                    .map(|size| filler.map_or_else(|| content(*size), |byte| vec![byte; *size as usize]))
                    .collect();
                let mut packed = Vec::new();
                let mut members = Members::new(&mut packed, &mut deflater);
                parts.iter().for_each(|part| members.write_all(part).unwrap());
                members.flush().unwrap();
                members.flush().unwrap();
                let is_nothing = sizes.iter().all(|size| *size == 0);
                assert!(is_nothing || unpacked(&packed) == parts.concat(), "{sizes:?}");
                assert_eq!(count_of_heads(&packed), usize::from(!is_nothing), "{sizes:?}");
            }
        }
        // What another left open is none of the next one's.
        let mut abandoned = Vec::new();
        Members::new(&mut abandoned, &mut deflater).write_all(&content(1000)).unwrap();
        let mut packed = Vec::new();
        let mut members = Members::new(&mut packed, &mut deflater);
        members.write_all(b"next").unwrap();
        members.flush().unwrap();
        assert_eq!(unpacked(&packed), b"next");
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
        let (mut deflater, mut scratch, mut packed) = (Deflater::new(9), Scratch::default(), Vec::new());
        let mut members = Members::new(&mut packed, &mut deflater);
        let mut take = |members: &mut Members<'_>, path: &str| {
            let place = archive.find(path).unwrap();
            members.take_deflated(&archive.members()[place], |out| {
                archive.unpack_with_packed(place, &mut scratch, out, &mut |_| Ok(()))
            })
        };
        members.write_all(b"head").unwrap();
        take(&mut members, "large").unwrap();
        take(&mut members, "large").unwrap();
        members.write_all(b"between").unwrap();
        take(&mut members, "empty").unwrap();
        let error = take(&mut members, "stored").unwrap_err();
        assert_eq!(error.to_string(), "`stored` is not deflated");
        members.write_all(b"end").unwrap();
        members.flush().unwrap();
        assert!(unpacked(&packed) == [&b"head"[..], &large, &large, b"between", b"end"].concat());
        assert_eq!(count_of_heads(&packed), 6);
        // The archive's own bytes.
        let stream = &bytes[35..50_000];
        assert_eq!(packed.windows(stream.len()).filter(|window| *window == stream).count(), 2);
    }

    #[test]
    fn levels_are_other_deflates() {
        let all: std::collections::BTreeSet<String> = (1..=9).map(|level| deflate_identity(level).unwrap()).collect();
        assert!(all.len() > 4 && all.iter().all(|identity| identity.len() == 64), "{all:?}");
        assert_eq!(deflate_identity(19).unwrap(), deflate_identity(9).unwrap());
    }
}
