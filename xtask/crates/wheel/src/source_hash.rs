//! The hash of a source that its byte-code holds (PEP 552): `importlib.util.source_hash`.

use siphasher::sip::{SipHasher13, SipHasher24};
use std::hash::Hasher as _;
use wheelhaul_boxes::MagicTag;

/// Takes a source piece by piece.
///
/// CPython's is SipHash-2-4, and from 3.11 on SipHash-1-3 (`_Py_KeyedHash` in `pyhash.c`), with the whole magic
/// number as the first half of the key and 0 as the other, whatever hash its strings have.
#[derive(Debug, Clone)]
pub struct SourceHash(Algorithm);

#[derive(Debug, Clone)]
enum Algorithm {
    Old(SipHasher24),
    New(SipHasher13),
}

impl SourceHash {
    /// For the byte-code of one Python.
    pub fn new(tag: MagicTag) -> Self {
        let [low, high] = tag.number.to_le_bytes();
        let key = u64::from(u32::from_le_bytes([low, high, b'\r', b'\n']));
        Self(match tag.has_new_hash() {
            true => Algorithm::New(SipHasher13::new_with_keys(key, 0)),
            false => Algorithm::Old(SipHasher24::new_with_keys(key, 0)),
        })
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) {
        match &mut self.0 {
            Algorithm::Old(hasher) => hasher.write(piece),
            Algorithm::New(hasher) => hasher.write(piece),
        }
    }

    /// The hash, as it stands in bytes 8 to 16 of the file.
    pub fn finish(&self) -> [u8; 8] {
        match &self.0 {
            Algorithm::Old(hasher) => hasher.finish(),
            Algorithm::New(hasher) => hasher.finish(),
        }
        .to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::hex::hex;

    /// `importlib.util.source_hash` of CPython 3.11, and SipHash-2-4 as its authors describe it.
    #[test]
    fn it_is_that_of_cpython() {
        let source: Vec<u8> = (0..300_u32).map(|number| (number * 7 % 251) as u8).collect();
        for (name, expected) in [("a.cpython-38.pyc", "c478eb60ff37d6cf"), ("a.cpython-311.pyc", "385637e1b51ab438")] {
            let mut hash = SourceHash::new(MagicTag::of_name(name).unwrap());
            hash.take(&source);
            assert_eq!(hex(&hash.finish()), expected, "{name}");
        }
    }

    #[test]
    fn it_is_the_same_however_the_source_is_cut() {
        let source: Vec<u8> = (0..300_u32).map(|number| (number * 7 % 251) as u8).collect();
        for name in ["a.cpython-38.pyc", "a.cpython-310.pyc", "a.cpython-311.pyc", "a.cpython-313.pyc"] {
            let tag = MagicTag::of_name(name).unwrap();
            for length in (0..40).chain([255, 256, 300]) {
                let mut whole = SourceHash::new(tag);
                whole.take(&source[..length]);
                for step in [1, 3, 7, 8, 9, 64, 300] {
                    let mut hash = SourceHash::new(tag);
                    source[..length].chunks(step).for_each(|piece| hash.take(piece));
                    assert_eq!(hash.finish(), whole.finish(), "{tag}: {length} bytes by {step}");
                }
            }
        }
    }
}
