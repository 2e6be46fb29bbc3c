//! The Python distributions of two packages.

use crate::Evidence;
use crate::difference::Change;
use pep440_rs::Version;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

/// The distributions that differ, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dists {
    /// new ones
    pub added: Vec<Dist>,
    /// those that are gone
    pub removed: Vec<Dist>,
    /// those of another version
    pub changed: Vec<DistChange>,
    /// those of another licence: `what` is the distribution's name
    pub relicensed: Vec<Change>,
    /// how many have the version that they had
    pub unchanged: usize,
}

/// A distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dist {
    /// normalized
    pub name: String,
    /// as its metadata has it
    pub version: String,
    /// an SPDX expression, or in words what its metadata says instead
    pub license: String,
}

/// A distribution of another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DistChange {
    /// normalized
    pub name: String,
    /// before
    pub old: String,
    /// now
    pub new: String,
    /// which way
    pub direction: Direction,
}

/// Which way a version went (PEP 440).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// it is newer
    Up,
    /// it is older
    Down,
    /// another spelling, or no version that can be compared
    Sideways,
}

/// The distributions of a package, by name; one that cannot be read goes by the name of its folder.
pub(super) fn of(evidence: &Evidence) -> BTreeMap<String, Dist> {
    let dists = evidence.distributions().all.iter().map(|installed| {
        let dist = match installed.readable() {
            Some(metadata) => Dist {
                name: metadata.name.to_string(),
                version: metadata.version.to_string(),
                license: match metadata.license.judge(&[]) {
                    Ok(license) => license.to_string(),
                    Err(said) => format!("not clear: {said}"),
                },
            },
            None => {
                let stem = installed.info.rsplit('/').next().unwrap_or_default().trim_end_matches(".dist-info");
                let (name, version) = stem.split_once('-').unwrap_or((stem, ""));
                Dist { name: name.to_owned(), version: version.to_owned(), license: "not readable".to_owned() }
            }
        };
        (dist.name.clone(), dist)
    });
    dists.collect()
}

pub(super) fn between(old: &Evidence, new: &Evidence) -> Dists {
    let (old, new) = (of(old), of(new));
    let mut dists = Dists::default();
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(name), new.get(name)) {
            (Some(before), Some(now)) => {
                if before.version == now.version {
                    dists.unchanged += 1;
                } else {
                    let direction = direction(&before.version, &now.version);
                    let (old, new) = (before.version.clone(), now.version.clone());
                    dists.changed.push(DistChange { name: name.clone(), old, new, direction });
                }
                if before.license != now.license {
                    let (old, new) = (before.license.clone(), now.license.clone());
                    dists.relicensed.push(Change { what: name.clone(), old, new });
                }
            }
            (None, now) => dists.added.extend(now.cloned()),
            (before, None) => dists.removed.extend(before.cloned()),
        }
    }
    dists
}

fn direction(old: &str, new: &str) -> Direction {
    match (Version::from_str(old), Version::from_str(new)) {
        (Ok(old), Ok(new)) => match new.cmp(&old) {
            Ordering::Greater => Direction::Up,
            Ordering::Less => Direction::Down,
            Ordering::Equal => Direction::Sideways,
        },
        _ => Direction::Sideways,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_up_down_or_nowhere() {
        #[rustfmt::skip]
        let cases = [
            ("1.9",   "1.10",    Direction::Up),
            ("1.0",   "1.0rc1",  Direction::Down),
            ("1.0",   "1.0.0",   Direction::Sideways),
            ("1.0",   "strange", Direction::Sideways),
        ];
        for (old, new, expected) in cases {
            assert_eq!(direction(old, new), expected, "{old} {new}");
        }
    }
}
