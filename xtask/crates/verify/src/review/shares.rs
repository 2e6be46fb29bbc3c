//! How much each distribution brought.

use crate::{Evidence, Owner, Owners};

/// What a distribution brought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    pub files: usize,
    /// in bytes
    pub bytes: u64,
    /// so many of the files are ELF
    pub compiled: usize,
}

/// Each distribution with its share.
pub(super) fn shares<'o, 'a>(
    evidence: &Evidence,
    owners: &'o Owners<'a>,
) -> impl Iterator<Item = (&'o Owner<'a>, Share)> {
    let mut shares = vec![Share::default(); owners.dists.len()];
    for (path, row) in evidence.described.files.iter().filter(|(_, row)| row.is_file()) {
        let Some(place) = owners.place_of(path) else { continue };
        let share = &mut shares[place];
        share.files += 1;
        share.bytes += row.size;
        share.compiled += usize::from(evidence.elf.contains_key(path));
    }
    owners.dists.iter().zip(shares)
}
