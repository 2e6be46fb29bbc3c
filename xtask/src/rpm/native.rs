//! The native builder: header and payload in one pass into one file, nothing whole in memory.
//!
//! The header stands before the payload and has its digest. All but that is known beforehand, and a
//! digest is always as long, so room is left for the header, and it is written last.

use crate::hex::hex;
use crate::layout::Wheel;
use crate::rpm::Package;
use crate::rpm::header::{PayloadFacts, encode};
use crate::rpm::payload::{Compressor, Payload, WrittenPiece};
use crate::rpm::piece::KeptPieces;
use crate::tree::Tree;
use anyhow::{Context as _, ensure};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::io::{Seek, SeekFrom, Write};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// the whole RPM, in bytes
    pub size: u64,
    /// of the payload before compression, in bytes
    pub archive_size: u64,
    /// files and folders
    pub entries: usize,
    /// the pieces of the payload, in its order
    pub pieces: Vec<WrittenPiece>,
}

/// Names the file that [`write`] would write: equal names are equal bytes, whatever is kept.
///
/// - Gives: a sha256 in lower-case hex, over the header without the payload's digest, and the keys of the pieces.
pub fn plan(package: &Package, tree: &Tree) -> anyhow::Result<String> {
    let payload = Payload::plan(tree);
    let compressor = Compressor { compression: package.compression, level: package.level };
    let mut hasher = Sha256::new();
    hasher.update(encode(package, tree, &placeholder(payload.archive_size()))?);
    hasher.update(payload.name(compressor)?);
    Ok(hex(&hasher.finalize()))
}

/// What is said of a payload that is not written yet. Its size decides only which tags the signature header has, at 4 GiB.
fn placeholder(archive_size: u64) -> PayloadFacts {
    PayloadFacts { digest: "0".repeat(64), size: 0, archive_size }
}

/// Writes an RPM.
///
/// - Takes: `wheels`, the list that `tree` was laid out from; `kept`, the pieces of earlier runs, and the place for
///   new ones; `out`, empty and at its start.
/// - Fails: where a wheel's file differs from its RECORD; `out` then is to be thrown away.
pub fn write<R: ReaderAt + Sync>(
    package: &Package,
    tree: &Tree,
    wheels: &[Wheel<R>],
    kept: &dyn KeptPieces,
    out: &mut (impl Write + Seek),
) -> anyhow::Result<Written> {
    let payload = Payload::plan(tree);
    let archive_size = payload.archive_size();
    let room = encode(package, tree, &placeholder(archive_size))?.len() as u64;
    out.seek(SeekFrom::Start(room))?;
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    let compressor = Compressor { compression: package.compression, level: package.level };
    let pieces = payload.write(wheels, compressor, kept, |bytes| {
        hasher.update(bytes);
        size += bytes.len() as u64;
        out.write_all(bytes).context("failed to write the payload")
    })?;
    let digest = hex(&hasher.finalize());
    let header = encode(package, tree, &PayloadFacts { digest, size, archive_size })?;
    ensure!(header.len() as u64 == room, "the header needs {} bytes, and {room} were left for it", header.len());
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&header).context("failed to write the header")?;
    out.flush()?;
    Ok(Written { size: room + size, archive_size, entries: tree.entries().len(), pieces })
}
