//! `symbols`: what ELF files ask of the box is not newer than the box.

use super::fitting;
use super::owners::Owned;
use crate::{Evidence, Finding, Outcome, count, no_target};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::runtimes;
use wheelhaul_wheel::elf::level_name;

/// The check.
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let owned = Owned::of(evidence, target);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let brought: Vec<BTreeSet<&str>> = owned.dists.iter().map(|dist| dist.names()).collect();
    for (place, dist) in owned.dists.iter().enumerate() {
        names.extend(dist.files.iter().map(|file| (format!("{}/{}", evidence.root(), file.path), place)));
    }
    let cure = format!("lock a wheel for {}", target.in_words());
    let fits = format!("what fits {}", target.in_words());
    let mut findings = Vec::new();
    let (mut looked_at, mut glibc, mut level) = (0, None, 0);
    let mut highest: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (path, facts) in fitting(evidence, target) {
        let own = names.get(path).map(|place| &brought[*place]);
        let brought = |library: &str| own.is_some_and(|own| own.contains(library));
        findings.extend(
            facts.too_new(target, &brought).iter().map(|what| Finding::error(path, format!("it {what}"), &fits, &cure)),
        );
        looked_at += 1;
        glibc = glibc.max(facts.glibc);
        level = level.max(facts.x86_level);
        for (family, numbers) in facts.of_gcc(&brought) {
            let best = highest.entry(family.to_owned()).or_default();
            if numbers > *best {
                *best = numbers;
            }
        }
    }
    let mut asked: Vec<String> = glibc.map(|(major, minor)| format!("GLIBC_{major}.{minor}")).into_iter().collect();
    let known = runtimes(target);
    if let Some(known) = known {
        for (family, _) in known.families {
            let numbers = highest.get(family).into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
            asked.extend((!numbers.is_empty()).then(|| format!("{family}_{}", numbers.join("."))));
        }
        asked.extend((level > 1).then(|| level_name(level)));
    }
    let mut text = count(looked_at, "ELF file");
    if !asked.is_empty() {
        text.push_str(&format!(", {} at most", asked.join(", ")));
    }
    if known.is_none() && looked_at > 0 {
        text.push_str("; which libstdc++, libgcc and level of x86-64 this box has is not known, and not judged");
    }
    Outcome::Made { looked_at: text, findings }
}
