//! The hash of a source that its byte-code holds (PEP 552): `importlib.util.source_hash`.

use crate::MagicTag;

/// Takes a source piece by piece.
///
/// CPython's is SipHash-2-4, and from 3.11 on SipHash-1-3 (`_Py_KeyedHash` in `pyhash.c`), with the whole magic
/// number as the first half of the key and 0 as the other, whatever hash its strings have.
///
/// It is written here, as its authors describe it (Aumasson, Bernstein: "SipHash: a fast short-input PRF", section
/// 2.1), since every source of a package goes through it: a crate's, generic and spread over many small functions, is
/// compiled into this one, and takes three times as long in the profile that `cargo xtask` runs.
#[derive(Debug, Clone)]
pub struct SourceHash {
    state: [u64; 4],
    /// how often the state is mixed for a word, and at the end
    rounds: (usize, usize),
    /// bytes of a word that is not whole yet
    tail: [u8; 8],
    length: usize,
}

impl SourceHash {
    /// For the byte-code of one Python.
    pub fn new(tag: MagicTag) -> Self {
        let [low, high] = tag.number.to_le_bytes();
        let key = u64::from(u32::from_le_bytes([low, high, b'\r', b'\n']));
        let state =
            [key ^ 0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, key ^ 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
        let rounds = if tag.has_new_hash() { (1, 3) } else { (2, 4) };
        Self { state, rounds, tail: [0; 8], length: 0 }
    }

    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) {
        let at = self.length % 8;
        self.length += piece.len();
        let mut rest = piece;
        if at > 0 {
            let (front, behind) = piece.split_at(piece.len().min(8 - at));
            self.tail[at..at + front.len()].copy_from_slice(front);
            if at + front.len() < 8 {
                return;
            }
            self.state = mixed(self.state, self.rounds.0, &self.tail);
            rest = behind;
        }
        let whole = rest.len() / 8 * 8;
        self.state = mixed(self.state, self.rounds.0, &rest[..whole]);
        self.tail[..rest.len() - whole].copy_from_slice(&rest[whole..]);
    }

    /// The hash, as it stands in bytes 8 to 16 of the file.
    pub fn finish(&self) -> [u8; 8] {
        let mut last = [0; 8];
        let known = self.length % 8;
        last[..known].copy_from_slice(&self.tail[..known]);
        last[7] = self.length as u8;
        let mut state = mixed(self.state, self.rounds.0, &last);
        state[2] ^= 0xff;
        for _ in 0..self.rounds.1 {
            state = round(state);
        }
        (state[0] ^ state[1] ^ state[2] ^ state[3]).to_le_bytes()
    }
}

/// The state with words taken in.
///
/// - Takes: `bytes`, whole words.
fn mixed(mut state: [u64; 4], rounds: usize, bytes: &[u8]) -> [u64; 4] {
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes([word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7]]);
        state[3] ^= word;
        for _ in 0..rounds {
            state = round(state);
        }
        state[0] ^= word;
    }
    state
}

/// Turns by shifts, which are one instruction in every profile; `rotate_left` is a call in the one that is run.
#[allow(clippy::manual_rotate, reason = "see above")]
#[inline(always)]
fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    b = (b << 13 | b >> 51) ^ a;
    a = a << 32 | a >> 32;
    c = c.wrapping_add(d);
    d = (d << 16 | d >> 48) ^ c;
    a = a.wrapping_add(d);
    d = (d << 21 | d >> 43) ^ a;
    c = c.wrapping_add(b);
    b = (b << 17 | b >> 47) ^ c;
    c = c << 32 | c >> 32;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use siphasher::sip::{SipHasher13, SipHasher24};
    use std::hash::Hasher as _;

    #[test]
    fn it_is_the_hash_of_the_crate_however_the_source_is_cut() {
        let source: Vec<u8> = (0..300_u32).map(|number| (number * 7 % 251) as u8).collect();
        let tags = ["a.cpython-38.pyc", "a.cpython-310.pyc", "a.cpython-311.pyc", "a.cpython-313.pyc"];
        for tag in tags.map(|name| MagicTag::of_name(name).unwrap()) {
            let [low, high] = tag.number.to_le_bytes();
            let key = u64::from(u32::from_le_bytes([low, high, b'\r', b'\n']));
            for length in (0..40).chain([255, 256, 300]) {
                let (mut new, mut old) = (SipHasher13::new_with_keys(key, 0), SipHasher24::new_with_keys(key, 0));
                new.write(&source[..length]);
                old.write(&source[..length]);
                let expected = if tag.has_new_hash() { new.finish() } else { old.finish() }.to_le_bytes();
                for step in [1, 3, 7, 8, 9, 64, 300] {
                    let mut hash = SourceHash::new(tag);
                    source[..length].chunks(step).for_each(|piece| hash.take(piece));
                    assert_eq!(hash.finish(), expected, "{tag}: {length} bytes by {step}");
                }
            }
        }
    }
}
