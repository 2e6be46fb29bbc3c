//! Bytes → gzip members (RFC 1952). A file that a wheel has deflated becomes a member as it is: what a member holds
//! is what a zip archive holds, a deflate stream, so that nothing of it is compressed again.

use crate::{PackedFile, Sink};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};
use wheelhaul_base::hex::hex;

/// Deflated, without a name and a time, from an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// A file from this on, in bytes before compression, is a member of its own where it is deflated already. Smaller ones
/// are smaller together.
pub const OWN_MEMBER: u64 = 32 << 10;

/// What deflates, kept from piece to piece.
pub(crate) struct Deflater {
    compress: Compress,
    packed: Vec<u8>,
}

impl Deflater {
    /// The level is 1 to 9; what is beyond is taken as the nearest.
    pub(crate) fn new(level: i32) -> Self {
        let level = Compression::new(level.clamp(1, 9).unsigned_abs());
        Self { compress: Compress::new(level, false), packed: Vec::with_capacity(64 << 10) }
    }
}

/// Which deflate this is, in 64 digits: no crate says so, what it makes of a sample does.
pub fn deflate_identity(level: i32) -> io::Result<String> {
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
pub(crate) struct Members<'a> {
    out: &'a mut dyn Write,
    deflater: &'a mut Deflater,
    /// of the member that is open
    content: Option<Crc>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, deflater: &'a mut Deflater) -> Self {
        deflater.compress.reset();
        Self { out, deflater, content: None }
    }

    /// Makes a member of the deflate stream that `copy` hands on, and nothing else.
    pub(crate) fn take_deflated(
        &mut self,
        file: PackedFile,
        copy: impl FnOnce(&mut Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.flush()?;
        self.out.write_all(&HEAD)?;
        copy(&mut |packed| Ok(self.out.write_all(packed)?))?;
        Ok(self.out.write_all(&tail(file.crc32, file.size))?)
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
    use std::io::Read as _;

    /// What shrinks, and does not repeat itself within the reach of deflate.
    fn content(size: u64) -> Vec<u8> {
        let mut number = 7_u32;
        let mut byte = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 27) as u8
        };
        (0..size).map(|_| byte()).collect()
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
        // What an abandoned writer left open is not in the next one's member.
        let mut abandoned = Vec::new();
        Members::new(&mut abandoned, &mut deflater).write_all(&content(1000)).unwrap();
        let mut packed = Vec::new();
        let mut members = Members::new(&mut packed, &mut deflater);
        members.write_all(b"next").unwrap();
        members.flush().unwrap();
        assert_eq!(unpacked(&packed), b"next");
    }

    #[test]
    fn levels_are_other_deflates() {
        let all: std::collections::BTreeSet<String> = (1..=9).map(|level| deflate_identity(level).unwrap()).collect();
        assert!(all.len() > 4 && all.iter().all(|identity| identity.len() == 64), "{all:?}");
        assert_eq!(deflate_identity(19).unwrap(), deflate_identity(9).unwrap());
    }
}
