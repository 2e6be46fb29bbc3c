//! What boxes have of gcc's libraries, held against auditwheel's policies: what a manylinux may ask for, each box has
//! whose glibc is as new.

use crate::ask;
use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;
use wheelhaul_boxes::{known_targets, runtimes};

/// name → processor → family → versions
type Policies = BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>;

fn numbers(text: &str) -> Vec<u64> {
    text.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[test]
fn boxes_have_what_the_manylinux_of_their_glibc_may_ask_for() -> anyhow::Result<()> {
    let policies: Policies = serde_json::from_str(&ask(&["policies"])?)?;
    let (mut compared, mut equal, mut faults) = (0, 0, Vec::new());
    for target in known_targets() {
        let runtimes = runtimes(&target).context("a known box has runtimes")?;
        for (name, policy) in &policies {
            let Some(minor) = name.strip_prefix("manylinux_2_").and_then(|minor| minor.parse::<u16>().ok()) else {
                continue;
            };
            let Some(families) = policy.get(&target.arch).filter(|_| minor <= target.distribution.glibc.1) else {
                continue;
            };
            for (family, most) in runtimes.families {
                let highest = families.get(family).into_iter().flatten().map(|text| numbers(text)).max();
                let Some(highest) = highest else { continue };
                compared += 1;
                equal += usize::from(highest == most);
                if highest.as_slice() > most {
                    faults
                        .push(format!("{}: {name} allows {family} {highest:?}, and the box has {most:?}", target.name));
                }
            }
        }
        // And one that is newer than the box is not had, or the table says too much.
        let newer = policies.iter().filter_map(|(name, policy)| {
            let minor = name.strip_prefix("manylinux_2_")?.parse::<u16>().ok()?;
            (minor > target.distribution.glibc.1 + 6)
                .then(|| policy.get(&target.arch)?.get("GLIBCXX").cloned())
                .flatten()
        });
        for version in newer.filter_map(|versions| versions.iter().map(|text| numbers(text)).max()) {
            compared += 1;
            if version.as_slice() <= runtimes.families[0].1 {
                faults.push(format!("{}: GLIBCXX {version:?} is of a newer manylinux", target.name));
            }
        }
    }
    println!("{compared} comparisons, {equal} equal");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    ensure!(compared > 200 && equal > 50, "{compared} comparisons, {equal} equal");
    Ok(())
}
