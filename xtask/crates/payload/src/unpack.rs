//! The payload unpacked, and on the way the digest of what it is packed into.

use crate::FRAME_BYTES as CHUNK;
use crate::read_ahead::Fill;
use anyhow::bail;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufReader, Read};
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, find_frame_compressed_size, get_error_name, get_frame_content_size};

/// Room for a frame of [`CHUNK`] that cannot be compressed.
const INPUT: usize = CHUNK + (256 << 10);
/// So much is read and hashed at once: it is still in the processor's cache.
const STEP: usize = 256 << 10;

/// A payload, unpacked as it is read.
pub struct Unpacked<'a>(Kind<'a>);

enum Kind<'a> {
    Zstd(Box<Frames<'a>>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<BufReader<Hashed<'a>>>>),
}

impl<'a> Unpacked<'a> {
    /// Begins to unpack; `compressor` is named as in the header of an RPM.
    ///
    /// # Errors
    /// For a compressor that this tool does not write.
    pub fn new(compressor: &str, packed: &'a mut (dyn Read + Send)) -> anyhow::Result<Self> {
        let packed = Hashed { packed, hasher: Sha256::new() };
        Ok(Self(match compressor {
            "zstd" => Kind::Zstd(Box::new(Frames::new(packed)?)),
            "gzip" => {
                let packed = BufReader::with_capacity(STEP, packed);
                Kind::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(packed)))
            }
            other => bail!("its payload is compressed by `{other}`, which this tool does not write"),
        }))
    }

    /// The SHA-256 of all that it is packed into; what was not unpacked is read for it.
    ///
    /// # Errors
    /// If the rest cannot be read.
    pub fn digest(self) -> io::Result<[u8; 32]> {
        let mut packed = match self.0 {
            Kind::Zstd(frames) => frames.packed,
            Kind::Gzip(decoder) => decoder.into_inner().into_inner(),
        };
        let mut rest = vec![0; STEP];
        while packed.read(&mut rest)? > 0 {}
        Ok(packed.hasher.finalize().into())
    }
}

impl Fill for Unpacked<'_> {
    fn fill(&mut self, chunk: &mut [u8], filled: &mut usize) -> io::Result<()> {
        match &mut self.0 {
            Kind::Zstd(frames) => frames.fill(chunk, filled),
            Kind::Gzip(decoder) => loop {
                match decoder.read(&mut chunk[*filled..])? {
                    0 => return Ok(()),
                    count => *filled += count,
                }
            },
        }
    }
}

/// What is read is hashed.
struct Hashed<'a> {
    packed: &'a mut (dyn Read + Send),
    hasher: Sha256,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// A row of zstd frames.
///
/// zstd unpacks a frame that is there to its end, says its size and has room for it, straight into that room; any
/// other goes through a window and is copied. So frames are kept whole, and a chunk that has no room for the next one
/// is left as it is.
struct Frames<'a> {
    packed: Hashed<'a>,
    context: DCtx<'static>,
    input: Vec<u8>,
    /// what of `input` is still to be unpacked
    at: usize,
    end: usize,
    /// whether the end of a frame is still to come
    is_open: bool,
    is_read: bool,
}

impl<'a> Frames<'a> {
    fn new(packed: Hashed<'a>) -> io::Result<Self> {
        let mut context = DCtx::create();
        context.init().map_err(error)?;
        Ok(Self { packed, context, input: vec![0; INPUT], at: 0, end: 0, is_open: false, is_read: false })
    }

    /// Reads until there is no room, or no more.
    fn refill(&mut self) -> io::Result<()> {
        self.input.copy_within(self.at..self.end, 0);
        (self.at, self.end) = (0, self.end - self.at);
        while self.end < self.input.len() && !self.is_read {
            let until = self.input.len().min(self.end + STEP);
            match self.packed.read(&mut self.input[self.end..until]) {
                Ok(0) => self.is_read = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn has_whole_frame(&self) -> bool {
        find_frame_compressed_size(&self.input[self.at..self.end]).is_ok()
    }

    /// The size of what comes next, where it is a frame that says it and fits into a chunk.
    fn next_size(&self) -> Option<usize> {
        let size = get_frame_content_size(&self.input[self.at..self.end]).ok()??;
        usize::try_from(size).ok().filter(|size| *size <= CHUNK)
    }
}

impl Fill for Frames<'_> {
    fn fill(&mut self, chunk: &mut [u8], filled: &mut usize) -> io::Result<()> {
        while *filled < chunk.len() {
            if self.at == self.end || (!self.is_open && !self.has_whole_frame()) {
                self.refill()?;
            }
            if self.at == self.end {
                return match self.is_open {
                    true => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its last frame is cut short")),
                    false => Ok(()),
                };
            }
            let room = chunk.len() - *filled;
            if !self.is_open && *filled > 0 && self.next_size().is_some_and(|size| size > room) {
                return Ok(());
            }
            let mut input = InBuffer::around(&self.input[self.at..self.end]);
            let mut output = OutBuffer::around(&mut chunk[*filled..]);
            let unpacked = self.context.decompress_stream(&mut output, &mut input);
            *filled += output.pos();
            self.at += input.pos();
            self.is_open = unpacked.map_err(error)? != 0;
        }
        Ok(())
    }
}

fn error(code: usize) -> io::Error {
    io::Error::other(get_error_name(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_ahead::read_ahead;
    use flate2::Compression;
    use std::io::Write as _;
    use wheelhaul_base::hex::hex;

    /// Bytes that are compressed to about a half.
    fn content(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        (0..length.div_ceil(8)).flat_map(|_| (random() & 0x0f0f_0f0f_0f0f_0f0f).to_le_bytes()).take(length).collect()
    }

    fn unpacked(compressor: &str, mut packed: &[u8]) -> (io::Result<Vec<u8>>, [u8; 32]) {
        let mut all = Vec::new();
        let (read, source) =
            read_ahead(Unpacked::new(compressor, &mut packed).unwrap(), |ahead| ahead.read_to_end(&mut all));
        (read.map(|_| all), source.digest().unwrap())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A frame that does not say its size.
    fn stream(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn rows_of_frames_are_unpacked_and_hashed_however_they_are_cut() {
        let frame = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).unwrap();
        let noise: Vec<u8> = Sha256::digest(b"x").iter().copied().cycle().take(CHUNK).collect();
        let all = content(2 * CHUNK + 100_000);
        type Row = (&'static str, &'static str, Vec<Vec<u8>>, Vec<u8>);
        #[rustfmt::skip]
        let cases: [Row; 10] = [
            ("none",            "zstd", vec![],                                                          vec![]),
            ("an empty one",    "zstd", vec![frame(b"")],                                                vec![]),
            ("one a chunk",     "zstd", all.chunks(CHUNK).map(frame).collect(),                          all.clone()),
            ("odd ones",        "zstd", all.chunks(CHUNK / 3 + 1).map(frame).collect(),                  all.clone()),
            ("small ones",      "zstd", all.chunks(50_000).map(frame).collect(),                         all.clone()),
            ("one for all",     "zstd", vec![frame(&all)],                                               all.clone()),
            ("no size said",    "zstd", vec![stream(&all)],                                              all.clone()),
            ("mixed",           "zstd", vec![frame(&all[..9]), stream(&all[9..CHUNK]), frame(&all[CHUNK..])], all.clone()),
            ("not compressed",  "zstd", vec![frame(&noise), frame(&noise)],                              [&noise[..], &noise].concat()),
            ("members",         "gzip", all.chunks(CHUNK / 2).map(gzip).collect(),                       all.clone()),
        ];
        for (what, compressor, frames, expected) in cases {
            let packed = frames.concat();
            let (read, digest) = unpacked(compressor, &packed);
            assert!(read.unwrap() == expected, "{what}");
            assert_eq!(hex(&digest), hex(&Sha256::digest(&packed)), "{what}");
            if packed.is_empty() || expected.is_empty() {
                continue;
            }
            let cut = &packed[..packed.len() - 1];
            let (read, digest) = unpacked(compressor, cut);
            assert!(read.is_err(), "{what}, cut");
            assert_eq!(hex(&digest), hex(&Sha256::digest(cut)), "{what}, cut");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for packed in [&b"x"[..], &[0; 100], &[stream(b"a"), b"rest".to_vec()].concat()] {
            assert!(unpacked("zstd", packed).0.is_err(), "{packed:?}");
        }
        assert!(Unpacked::new("xz", &mut &b""[..]).is_err());
    }
}
