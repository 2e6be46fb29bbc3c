//! The native builder: header and payload in one pass into one file, nothing whole in memory.
//!
//! The header stands before the payload and has its digest. All but that is known beforehand, and a
//! digest is always as long, so room is left for the header, and it is written last.

use crate::hex::hex;
use crate::layout::Wheel;
use crate::rpm::Package;
use crate::rpm::header::{PayloadFacts, encode};
use crate::rpm::payload::Payload;
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
}

/// Writes an RPM.
///
/// - Takes: `wheels`, the list that `tree` was laid out from; `out`, empty and at its start.
/// - Fails: where a wheel's file differs from its RECORD; `out` then is to be thrown away.
pub fn write<R: ReaderAt + Sync>(
    package: &Package,
    tree: &Tree,
    wheels: &[Wheel<R>],
    out: &mut (impl Write + Seek),
) -> anyhow::Result<Written> {
    let payload = Payload::plan(tree);
    let archive_size = payload.archive_size();
    let placeholder = PayloadFacts { digest: "0".repeat(64), size: 0, archive_size };
    let room: u64 = encode(package, tree, &placeholder)?.map(|part| part.len() as u64).iter().sum();
    out.seek(SeekFrom::Start(room))?;
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    payload.write(wheels, package.compression, package.level, |bytes| {
        hasher.update(bytes);
        size += bytes.len() as u64;
        out.write_all(bytes).context("failed to write the payload")
    })?;
    let digest = hex(&hasher.finalize());
    let parts = encode(package, tree, &PayloadFacts { digest, size, archive_size })?;
    let needed: u64 = parts.iter().map(|part| part.len() as u64).sum();
    ensure!(needed == room, "the header needs {needed} bytes, and {room} were left for it");
    out.seek(SeekFrom::Start(0))?;
    parts.iter().try_for_each(|part| out.write_all(part)).context("failed to write the header")?;
    out.flush()?;
    Ok(Written { size: room + size, archive_size, entries: tree.entries().len() })
}
