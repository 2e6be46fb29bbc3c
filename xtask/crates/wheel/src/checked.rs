//! What was unpacked and found to be what RECORD says, in this run: targets share wheels, and a payload that takes
//! deflated bytes as they are need not unpack them once more.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::Xxh3;

/// The checked members of one wheel, by their place: a checksum of the bytes that each was unpacked from. It finds a
/// file that is changed while the tool runs; that it was the right one before, its digest said.
#[derive(Debug, Default)]
pub struct Checked(Mutex<BTreeMap<usize, u128>>);

impl Checked {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, u128>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the member at a place is right, with the bytes that it was unpacked from.
    pub fn note(&self, place: usize, packed: &PackedSum) {
        self.lock().insert(place, packed.0.digest128());
    }

    /// Whether the member at a place was found right; then whether these are the bytes that it was unpacked from can be
    /// asked.
    pub fn has(&self, place: usize) -> bool {
        self.lock().contains_key(&place)
    }

    /// Whether the member at a place was found right, and was unpacked from these bytes.
    pub fn is_of(&self, place: usize, packed: &PackedSum) -> bool {
        self.lock().get(&place) == Some(&packed.0.digest128())
    }
}

/// The checksum of packed bytes.
#[derive(Default)]
pub struct PackedSum(Xxh3);

impl PackedSum {
    /// Takes more of them.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_noted_is_right() {
        let sum = |bytes: &[u8]| {
            let mut sum = PackedSum::default();
            bytes.chunks(3).for_each(|chunk| sum.update(chunk));
            sum
        };
        let checked = Checked::default();
        assert!(!checked.has(7) && !checked.is_of(7, &sum(b"deflated")));
        checked.note(7, &sum(b"deflated"));
        assert!(checked.has(7) && checked.is_of(7, &sum(b"deflated")));
        assert!(!checked.is_of(7, &sum(b"deflater")) && !checked.is_of(8, &sum(b"deflated")) && !checked.has(8));
    }
}
