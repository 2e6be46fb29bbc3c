//! The native builder: header and payload in one pass into one file, nothing whole in memory.
//!
//! The header stands before the payload and has its digest. All but that is known beforehand, and a
//! digest is always as long, so the header is written first, with room for it that is filled in the end.

use crate::layout::Wheel;
use crate::rpm::header::Preamble;
use crate::rpm::package::RpmPackage;
use crate::rpm::payload::{Compressor, Payload, WrittenPiece};
use crate::rpm::piece::KeptPieces;
use crate::tree::Tree;
use anyhow::Context as _;
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::io::{Read, Seek, Write};
use wheelhaul_base::hex::hex;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRpm {
    /// the whole RPM, in bytes
    pub size: u64,
    /// of the payload before compression, in bytes
    pub archive_size: u64,
    /// files and folders
    pub entries: usize,
    /// the pieces of the payload, in its order
    pub pieces: Vec<WrittenPiece>,
}

/// An RPM before it is written: all of its header but the payload's digest, and what names each piece of the payload.
pub struct RpmPlan<'a, R> {
    preamble: Preamble,
    payload: Payload<'a>,
    wheels: &'a [Wheel<R>],
    entries: usize,
}

impl<'a, R: ReaderAt + Sync> RpmPlan<'a, R> {
    /// Plans an RPM; `wheels` is the list that `tree` was laid out from.
    ///
    /// # Errors
    /// For a header that rpm would not read, and for a level that the compressor does not have.
    pub fn new(package: &RpmPackage, tree: &'a Tree, wheels: &'a [Wheel<R>]) -> anyhow::Result<Self> {
        let compressor = Compressor { compression: package.compression, level: package.level };
        let payload = Payload::plan(tree, wheels, compressor)?;
        let preamble = Preamble::new(package, tree, payload.archive_size())?;
        Ok(Self { preamble, payload, wheels, entries: tree.entries().len() })
    }

    /// Names the file that [`Self::write`] would write: equal names are equal bytes, whatever is kept. It is a sha256 in
    /// lower-case hex, over the header without the payload's digest, and the keys of the pieces.
    pub fn name(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.preamble.header());
        self.payload.keys().for_each(|key| hasher.update(key.to_string()));
        hex(&hasher.finalize())
    }

    /// Writes it to `out`, which is empty and at its start. `kept` has the pieces of earlier runs, and takes new ones.
    ///
    /// # Errors
    /// Where a wheel's file differs from its RECORD; `out` is not to be used then.
    pub fn write(self, kept: &dyn KeptPieces, out: &mut (impl Read + Write + Seek)) -> anyhow::Result<WrittenRpm> {
        let Self { preamble, payload, wheels, entries } = self;
        let (preamble, room) = preamble.write(out)?;
        let mut hasher = Sha256::new();
        let mut size = 0_u64;
        let archive_size = payload.archive_size();
        let pieces = payload.write(wheels, kept, |bytes| {
            hasher.update(bytes);
            size += bytes.len() as u64;
            out.write_all(bytes).context("failed to write the payload")
        })?;
        preamble.finish(&hex(&hasher.finalize()), size, out)?;
        Ok(WrittenRpm { size: room + size, archive_size, entries, pieces })
    }
}
