//! An ELF file piece by piece, in memory that does not grow with it.

use crate::elf::ElfFacts;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};

/// How an ELF file starts.
const MAGIC: &[u8] = b"\x7fELF";
/// An ELF file up to this is looked at in memory, a larger one from a temporary file, where nothing else is said.
const MOST_IN_MEMORY: u64 = 8 << 20;

/// Takes a file piece by piece and keeps it while it may be an ELF file.
pub struct ElfReader {
    size: u64,
    most_in_memory: u64,
    kept: Kept,
}

enum Kept {
    Memory(Vec<u8>),
    Disk(File),
    /// it came in one piece, and was not kept
    Read(Box<Result<ElfFacts, String>>),
    Nothing,
}

impl ElfReader {
    /// Takes the size of the file, in bytes, as it is claimed.
    pub fn new(size: u64) -> Self {
        Self { size, most_in_memory: MOST_IN_MEMORY, kept: Kept::Memory(Vec::new()) }
    }

    /// With so many bytes in memory at most, where files come one after another.
    pub fn with_memory(self, most: u64) -> Self {
        Self { most_in_memory: most, ..self }
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.kept {
            Kept::Nothing => {}
            Kept::Disk(file) => file.write_all(piece)?,
            Kept::Read(facts) => {
                if !piece.is_empty() {
                    **facts = Err("it is longer than it was said to be".to_owned());
                }
            }
            Kept::Memory(bytes) if bytes.is_empty() && !may_be_elf(piece) => self.kept = Kept::Nothing,
            Kept::Memory(bytes) if bytes.is_empty() && piece.len() as u64 == self.size => {
                self.kept = match piece.starts_with(MAGIC) {
                    true => Kept::Read(Box::new(ElfFacts::read_bytes(piece))),
                    false => Kept::Nothing,
                };
            }
            Kept::Memory(bytes) => {
                // Once, and not again and again as it grows; what is claimed is not trusted further.
                if bytes.is_empty() && self.size <= self.most_in_memory {
                    bytes.reserve_exact(self.size as usize);
                }
                bytes.extend_from_slice(piece);
                if !may_be_elf(bytes) {
                    self.kept = Kept::Nothing;
                } else if self.size > self.most_in_memory && bytes.len() >= MAGIC.len() {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "a file without a name in place of memory; nothing reads it by a path"
                    )]
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
            Kept::Read(facts) => Some(*facts),
            Kept::Memory(_) | Kept::Nothing => None,
        })
    }
}

/// Whether what a file starts with may be the start of an ELF file.
fn may_be_elf(start: &[u8]) -> bool {
    let known = start.len().min(MAGIC.len());
    start[..known] == MAGIC[..known]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_otherwise_is_no_elf_file_however_it_comes() {
        #[rustfmt::skip]
        let cases: [(&[&[u8]], u64, bool); 8] = [ // pieces             size       is one
            (&[b"\x7fELF\x02rest"],                  9,         true),
            (&[b"\x7fELF\x02rest", b"more"],         9,         true),
            (&[b"\x7fELF\x02", b"rest"],             9,         true),
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
