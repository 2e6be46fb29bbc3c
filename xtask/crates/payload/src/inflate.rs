//! One file of a zip archive → its bytes, with its size and its CRC-32 checked.

use anyhow::{Context as _, bail};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::io::Read;

const BUFFER: usize = 64 << 10;

/// Takes the bytes of a file, some at a time and in order.
pub type Sink<'a> = dyn FnMut(&[u8]) -> anyhow::Result<()> + 'a;

/// What an archive says of a file in it.
#[derive(Debug, Clone, Copy)]
pub struct PackedFile {
    /// whether it is deflated; else it is stored
    pub is_deflated: bool,
    /// in bytes, unpacked
    pub size: u64,
    /// of its bytes, unpacked
    pub crc32: u32,
}

/// What unpacking works with, kept from file to file: making it again costs more than a small file.
pub struct Inflater {
    buffer: Vec<u8>,
    state: Decompress,
    packed: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { buffer: vec![0; BUFFER], state: Decompress::new(false), packed: vec![0; BUFFER] }
    }
}

impl Inflater {
    /// Memory for whatever else has to be read, between two files.
    pub fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    /// Unpacks a file. `as_packed` gets, in order, the bytes that it is unpacked from: of a deflated file one whole
    /// deflate stream (RFC 1951), and nothing else. `sink` gets what it is unpacked to.
    ///
    /// # Errors
    /// If size or CRC-32 differ, or there is data after the end of the deflate stream; what the sinks got until then is
    /// not to be used.
    pub fn unpack(
        &mut self,
        reader: &mut dyn Read,
        file: PackedFile,
        as_packed: &mut Sink<'_>,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let Self { buffer, state, packed } = self;
        let mut crc = Crc::new();
        let mut size = 0_u64;
        let mut take = |bytes: &[u8]| -> anyhow::Result<()> {
            size += bytes.len() as u64;
            if size > file.size {
                bail!("it has more than the {} bytes that it claims", file.size);
            }
            crc.update(bytes);
            sink(bytes)
        };
        let mut content = Seen { reader, as_packed };
        if file.is_deflated {
            state.reset(false);
            inflate(&mut content, state, packed, buffer, &mut take)?;
        } else {
            read_stored(&mut content, buffer, &mut take)?;
        }
        if size != file.size {
            bail!("it has {size} bytes instead of the {} that it claims", file.size);
        }
        if crc.sum() != file.crc32 {
            bail!("its CRC-32 is {:08x} instead of {:08x}", crc.sum(), file.crc32);
        }
        Ok(())
    }

    /// Hands on what an archive holds of a file, without unpacking it.
    ///
    /// # Errors
    /// If it cannot be read, or `sink` fails.
    pub fn copy(&mut self, reader: &mut dyn Read, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        read_stored(&mut Seen { reader, as_packed: &mut |_| Ok(()) }, &mut self.buffer, sink)
    }
}

/// Shows to another what is read.
struct Seen<'a, 'b> {
    reader: &'a mut dyn Read,
    as_packed: &'a mut Sink<'b>,
}

impl Seen<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> anyhow::Result<usize> {
        let count = self.reader.read(buffer).context("its data is damaged")?;
        (self.as_packed)(&buffer[..count])?;
        Ok(count)
    }
}

fn read_stored(content: &mut Seen<'_, '_>, buffer: &mut [u8], take: &mut Sink<'_>) -> anyhow::Result<()> {
    loop {
        match content.read(buffer)? {
            0 => return Ok(()),
            count => take(&buffer[..count])?,
        }
    }
}

fn inflate(
    content: &mut Seen<'_, '_>,
    inflater: &mut Decompress,
    packed: &mut [u8],
    buffer: &mut [u8],
    take: &mut Sink<'_>,
) -> anyhow::Result<()> {
    let (mut from, mut to) = (0, 0);
    loop {
        if from == to {
            (from, to) = (0, content.read(packed)?);
        }
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress(&packed[from..to], buffer, FlushDecompress::None);
        let status = status.context("its data is damaged")?;
        from += usize::try_from(inflater.total_in() - read)?;
        let made = usize::try_from(inflater.total_out() - written)?;
        take(&buffer[..made])?;
        match status {
            Status::StreamEnd if from < to || content.read(packed)? > 0 => bail!("its data goes on behind its end"),
            Status::StreamEnd => return Ok(()),
            _ if made == 0 && to == 0 => bail!("its data ends too early"),
            _ => {}
        }
    }
}
