//! An ELF file piece by piece, in memory that does not grow with it.

use crate::elf::ElfFacts;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};

/// How an ELF file starts.
const MAGIC: &[u8] = b"\x7fELF";
/// An ELF file up to this is looked at in memory, a larger one from a temporary file.
const MOST_IN_MEMORY: u64 = 8 << 20;

/// Takes a file piece by piece and keeps it while it may be an ELF file.
pub struct ElfReader {
    is_large: bool,
    kept: Kept,
}

enum Kept {
    Memory(Vec<u8>),
    Disk(File),
    Nothing,
}

impl ElfReader {
    /// Takes the size of the file, in bytes, as it is claimed.
    pub fn new(size: u64) -> Self {
        Self { is_large: size > MOST_IN_MEMORY, kept: Kept::Memory(Vec::new()) }
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.kept {
            Kept::Nothing => {}
            Kept::Disk(file) => file.write_all(piece)?,
            Kept::Memory(bytes) => {
                bytes.extend_from_slice(piece);
                let known = bytes.len().min(MAGIC.len());
                if bytes[..known] != MAGIC[..known] {
                    self.kept = Kept::Nothing;
                } else if self.is_large && known == MAGIC.len() {
                    let mut file = tempfile::tempfile()?;
                    file.write_all(bytes)?;
                    self.kept = Kept::Disk(file);
                }
            }
        }
        Ok(())
    }

    /// Whether the rest of the file need not be read: it is none.
    pub fn is_none(&self) -> bool {
        matches!(self.kept, Kept::Nothing)
    }

    /// What it is, or why it cannot be read; nothing where it is no ELF file.
    pub fn finish(self) -> io::Result<Option<Result<ElfFacts, String>>> {
        Ok(match self.kept {
            Kept::Memory(bytes) if bytes.starts_with(MAGIC) => Some(ElfFacts::read_bytes(&bytes)),
            Kept::Disk(mut file) => {
                file.seek(SeekFrom::Start(0))?;
                Some(ElfFacts::read_file(file))
            }
            Kept::Memory(_) | Kept::Nothing => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_otherwise_is_no_elf_file_however_it_comes() {
        #[rustfmt::skip]
        let cases: [(&[&[u8]], u64, bool); 6] = [ // pieces             size       is one
            (&[b"\x7fELF\x02rest"],                  9,         true),
            (&[b"\x7f", b"EL", b"F", b"\x02"],       5,         true),
            (&[b"\x7f", b"EL", b"F", b"\x02"],       1 << 30,   true),
            (&[b"\x7fEL"],                           3,         false),
            (&[b"#!/bin/sh"],                        9,         false),
            (&[],                                    0,         false),
        ];
        for (pieces, size, is_one) in cases {
            let mut reader = ElfReader::new(size);
            pieces.iter().for_each(|piece| reader.take(piece).unwrap());
            // It is cut short, so what is read of it is why not.
            let found = reader.finish().unwrap();
            assert_eq!(found.is_some_and(|facts| facts.is_err()), is_one, "{pieces:?}");
        }
    }
}
