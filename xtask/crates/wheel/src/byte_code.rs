//! Byte-code that was compiled from a wheel's modules: a stored archive with a RECORD of its own, as
//! `templates/compile.py` writes it.

use crate::{Archive, Digest, Inflater, WheelRecord};
use anyhow::{Context as _, ensure};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// One file of byte-code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// in the archive
    pub place: usize,
    /// in bytes
    pub size: u64,
    /// 32 raw bytes
    pub sha256: [u8; 32],
}

/// The byte-code of a wheel; each file is checked.
pub struct ByteCode<R> {
    /// its archive
    pub archive: Archive<R>,
    /// by path, relative as in the wheel's library
    pub files: BTreeMap<String, Compiled>,
}

impl<R: ReaderAt> ByteCode<R> {
    /// Reads the archive, and every file of it.
    ///
    /// - Takes: `reader` over the whole archive; `size` of it in bytes.
    /// - Fails: for a file that RECORD lacks or says otherwise, and for a row without a file.
    pub fn open(reader: R, size: u64) -> anyhow::Result<Self> {
        let archive = Archive::open(reader, size)?;
        let record = archive.find("RECORD").context("there is no `RECORD`")?;
        let record = WheelRecord::parse(&archive.read_text(record)?).context("`RECORD`")?;
        ensure!(record.rows.len() + 1 == archive.members().len(), "it has other files than its RECORD lists");
        let mut files = BTreeMap::new();
        let mut inflater = Inflater::default();
        for (path, row) in record.rows {
            let place = archive.find(&path).with_context(|| format!("RECORD lists `{path}`, which is not there"))?;
            let mut hasher = Sha256::new();
            archive.unpack(place, &mut inflater, &mut |piece| {
                hasher.update(piece);
                Ok(())
            })?;
            let sha256: [u8; 32] = hasher.finalize().into();
            ensure!(row.digest == Some(Digest::Sha256(sha256)), "`{path}` does not have the digest of RECORD");
            files.insert(path, Compiled { place, size: archive.members()[place].size, sha256 });
        }
        Ok(Self { archive, files })
    }
}
