//! The hash of a source that its byte-code holds (PEP 552): `importlib.util.source_hash`.

use crate::target::MagicTag;
use siphasher::sip::{SipHasher13, SipHasher24};
use std::hash::Hasher as _;

/// Takes a source piece by piece.
///
/// CPython's is SipHash-2-4, and from 3.11 on SipHash-1-3 (`_Py_KeyedHash` in `pyhash.c`), with the whole magic
/// number as the first half of the key and 0 as the other, whatever hash its strings have.
#[derive(Debug, Clone)]
pub enum SourceHash {
    /// up to 3.10
    Old(SipHasher24),
    /// from 3.11 on
    New(SipHasher13),
}

impl SourceHash {
    /// For the byte-code of one Python.
    pub fn new(tag: MagicTag) -> Self {
        let [low, high] = tag.number.to_le_bytes();
        let key = u64::from(u32::from_le_bytes([low, high, b'\r', b'\n']));
        match tag.has_new_hash() {
            true => Self::New(SipHasher13::new_with_keys(key, 0)),
            false => Self::Old(SipHasher24::new_with_keys(key, 0)),
        }
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) {
        match self {
            Self::Old(hasher) => hasher.write(piece),
            Self::New(hasher) => hasher.write(piece),
        }
    }

    /// The hash, as it stands in bytes 8 to 16 of the file.
    pub fn finish(&self) -> [u8; 8] {
        match self {
            Self::Old(hasher) => hasher.finish(),
            Self::New(hasher) => hasher.finish(),
        }
        .to_le_bytes()
    }
}
