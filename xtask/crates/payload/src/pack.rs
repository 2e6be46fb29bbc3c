//! Bytes → zstd frames or gzip members, of which rpm reads a row as one stream.

use crate::FRAME_BYTES;
use crate::gzip::{Deflater, Members};
use crate::{PackedFile, Sink};
use anyhow::bail;
use std::io::{self, Write};

/// What packing works with, kept from piece to piece: memory that is mapped again costs a page fault every 4 KiB.
#[derive(Default)]
pub struct PackBuffers {
    compressor: Option<zstd::bulk::Compressor<'static>>,
    content: Vec<u8>,
    frame: Vec<u8>,
    deflater: Option<Deflater>,
}

/// Which zstd this is, and how it is told to compress: all that decides how the same bytes are compressed.
pub fn zstd_identity(level: i32) -> String {
    format!("{} {level}", zstd::zstd_safe::version_number())
}

/// Compresses what is written to it; [`Write::flush`] ends the frame or member.
pub struct Packer<'a>(Kind<'a>);

enum Kind<'a> {
    Zstd(Frames<'a>),
    Gzip(Members<'a>),
}

impl<'a> Packer<'a> {
    /// Makes zstd frames, each of [`FRAME_BYTES`] but the last. All that share `buffers` have one level.
    ///
    /// # Errors
    /// For a level that zstd does not have.
    pub fn zstd(out: &'a mut dyn Write, level: i32, buffers: &'a mut PackBuffers) -> io::Result<Self> {
        let PackBuffers { compressor, content, frame, .. } = buffers;
        let compressor = match compressor {
            Some(compressor) => compressor,
            None => compressor.insert(zstd::bulk::Compressor::new(level)?),
        };
        Ok(Self(Kind::Zstd(Frames { out, compressor, content, frame })))
    }

    /// Makes gzip members. The level is 1 to 9; what is beyond is taken as the nearest. All that share `buffers` have
    /// one level.
    pub fn gzip(out: &'a mut dyn Write, level: i32, buffers: &'a mut PackBuffers) -> Self {
        let deflater = buffers.deflater.get_or_insert_with(|| Deflater::new(level));
        Self(Kind::Gzip(Members::new(out, deflater)))
    }

    /// Whether deflated files can become members as they are.
    pub fn takes_deflated(&self) -> bool {
        matches!(self.0, Kind::Gzip(_))
    }

    /// Makes a member of a deflated file. `copy` hands on the file's deflate stream and nothing else, and fails where
    /// that does not unpack to what `file` says.
    ///
    /// # Errors
    /// If the file is not deflated, the packer makes no gzip members, or `copy` fails.
    pub fn take_deflated(
        &mut self,
        file: PackedFile,
        copy: impl FnOnce(&mut Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match &mut self.0 {
            Kind::Gzip(members) if file.is_deflated => members.take_deflated(file, copy),
            Kind::Gzip(_) => bail!("it is not deflated"),
            Kind::Zstd(_) => bail!("zstd frames cannot hold a deflated file as it is"),
        }
    }
}

impl Write for Packer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Zstd(frames) => frames.write(bytes),
            Kind::Gzip(members) => members.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Zstd(frames) => frames.flush(),
            Kind::Gzip(members) => members.flush(),
        }
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
