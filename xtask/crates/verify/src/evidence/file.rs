//! One file of the payload on its way past: all that looks at its bytes, piece by piece.

use crate::evidence::crypto::{CryptoMarks, CryptoScan};
use crate::secret_scan::{Spotted, Spotter};
use sha2::{Digest as _, Sha256};
use std::io::BufRead;
use wheelhaul_base::hex::hex;
use wheelhaul_wheel::SourceHash;
use wheelhaul_wheel::elf::{ElfFacts, ElfReader};

/// The first bytes of a file, enough for a `#!` line.
const HEAD: usize = 256;

/// What looks at a file; what is none of its affairs is none.
pub(super) struct Observers {
    pub elf: ElfReader,
    /// of ELF files
    pub crypto: Option<CryptoScan>,
    /// of the application's own
    pub spotter: Option<Spotter>,
    /// of sources whose byte-code is shipped
    pub source: Option<SourceHash>,
    /// whether all of it is kept
    pub keeps: bool,
}

/// What was seen of a file.
pub(super) struct Seen {
    /// SHA-256 in hex
    pub digest: String,
    /// in bytes
    pub size: u64,
    /// the first bytes
    pub head: Vec<u8>,
    /// all of it, where that was asked for
    pub kept: Vec<u8>,
    /// of an ELF file, or why it cannot be read
    pub elf: Option<Result<ElfFacts, String>>,
    /// where there are any
    pub crypto: Option<CryptoMarks>,
    /// none where nobody looked
    pub spotted: Option<Vec<Spotted>>,
    /// as byte-code holds it
    pub source: Option<[u8; 8]>,
}

impl Observers {
    /// Reads a file to its end.
    pub(super) fn watch(mut self, content: &mut dyn BufRead) -> anyhow::Result<Seen> {
        let mut hasher = Sha256::new();
        let mut size = 0;
        let mut head = Vec::new();
        let mut kept = Vec::new();
        loop {
            let piece = content.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            hasher.update(piece);
            head.extend_from_slice(&piece[..piece.len().min(HEAD.saturating_sub(head.len()))]);
            self.elf.take(piece)?;
            self.crypto.iter_mut().filter(|_| !self.elf.is_none()).for_each(|scan| scan.take(piece));
            self.spotter.iter_mut().for_each(|spotter| spotter.take(piece));
            self.source.iter_mut().for_each(|source| source.take(piece));
            if self.keeps {
                kept.extend_from_slice(piece);
            }
            let count = piece.len();
            content.consume(count);
            size += count as u64;
        }
        let elf = self.elf.finish()?;
        let is_elf = elf.is_some();
        Ok(Seen {
            digest: hex(&hasher.finalize()),
            size,
            head,
            kept,
            elf,
            crypto: self.crypto.filter(|_| is_elf).map(CryptoScan::finish).filter(CryptoMarks::is_any),
            spotted: self.spotter.map(Spotter::finish),
            source: self.source.as_ref().map(SourceHash::finish),
        })
    }
}
