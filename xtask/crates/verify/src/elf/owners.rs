//! The ELF files by distribution, and which distributions each asks for.

use crate::{Evidence, Owner, Owners};
use pep508_rs::PackageName;
use std::collections::BTreeSet;
use wheelhaul_boxes::Target;
use wheelhaul_wheel::Metadata;
use wheelhaul_wheel::closure::{ChosenDist, reach, walk};
use wheelhaul_wheel::elf::{ElfFile, OfWheel};

/// The ELF files by distribution, as [`wheelhaul_wheel::elf::asked_of_box`] takes them.
pub(super) struct Owned {
    /// a distribution each, then one of what no RECORD lists; paths below [`Evidence::root`]
    pub dists: Vec<OfWheel>,
    /// for each of them those that it asks for; the application's asks for all
    pub asks: Vec<BTreeSet<usize>>,
    /// the files that nothing on the box loads
    pub aside: BTreeSet<String>,
}

impl Owned {
    /// What other checks find fault with, a RECORD or a METADATA that cannot be read, owns and asks for nothing.
    pub(super) fn of(evidence: &Evidence, target: &Target) -> Self {
        let root = evidence.root();
        let owners = Owners::of(evidence);
        let of_dist =
            |owner: &Owner<'_>| OfWheel { files: Vec::new(), is_any: owner.is_any(evidence), ..OfWheel::default() };
        let mut dists: Vec<OfWheel> = owners.dists.iter().map(of_dist).collect();
        dists.push(OfWheel::default());
        for (path, facts) in &evidence.elf {
            let below = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
            let owner = owners.place_of(path).unwrap_or(owners.dists.len());
            let file = ElfFile { path: below.unwrap_or(path).to_owned(), facts: facts.clone() };
            dists[owner].files.push(file);
        }
        let aside = dists.iter_mut().flat_map(|dist| dist.set_aside(target));
        let aside = aside.map(|file| format!("{root}/{}", file.path)).collect();
        let mut asks: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); dists.len()];
        let placed = owners.dists.iter().enumerate();
        let metadata: Vec<(usize, &Metadata)> =
            placed.filter_map(|(place, owner)| Some((place, owner.metadata?))).collect();
        // Which extras the team asked for is not said in the package: all may have been.
        let of_all: Vec<ChosenDist<'_>> =
            metadata.iter().map(|(_, metadata)| ChosenDist { metadata, extras: &metadata.extras }).collect();
        let names: Vec<&PackageName> = metadata.iter().map(|(_, metadata)| &metadata.name).collect();
        // Who has no ELF file asks the box for none.
        let has_files = |of: usize| !dists[metadata[of].0].files.is_empty();
        let reached = reach(&names, &walk(&of_all, target).asks, &has_files);
        for ((place, _), reached) in metadata.iter().zip(reached) {
            asks[*place] = reached.into_iter().map(|of| metadata[of].0).collect();
        }
        for (place, _) in owners.dists.iter().enumerate().filter(|(_, owner)| owner.is_application) {
            asks[place] = (0..dists.len()).collect();
        }
        Self { dists, asks, aside }
    }
}
