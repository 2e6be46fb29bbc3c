//! What is in a package: its distributions, and how large they are.

use crate::review::shares::{Share, shares};
use crate::review::words::{grouped, size};
use crate::{Evidence, Owner, Owners};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use wheelhaul_pylock::LockedPackage;

/// So many bars are drawn, and one for the rest.
const MOST_BARS: usize = 12;

/// What is in it.
#[derive(Debug, Serialize)]
pub(super) struct Contents {
    dists: Vec<DistRow>,
    bars: Vec<Bar>,
    size: String,
    /// number and noun
    figures: Vec<(String, &'static str)>,
}

fn figure(number: usize, one: &'static str, many: &'static str) -> (String, &'static str) {
    (grouped(number as u64), if number == 1 { one } else { many })
}

/// A distribution.
#[derive(Debug, Serialize)]
struct DistRow {
    name: String,
    version: String,
    license: String,
    /// of its wheel, as the lock says; empty where the lock has none
    sha256: String,
    /// what stands there instead
    origin: &'static str,
    size: String,
    files: usize,
    compiled: usize,
    #[serde(skip)]
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Bar {
    label: String,
    size: String,
    /// of the widest bar, in per cent
    width: String,
    share: String,
    rest: bool,
}

impl Contents {
    pub(super) fn of(evidence: &Evidence, owners: &Owners<'_>) -> Self {
        let licenses = licenses_of_sbom(evidence);
        let locked = evidence.lock.iter().flat_map(|lock| &lock.packages);
        let locked: HashMap<&str, &LockedPackage> = locked.map(|package| (package.name.as_ref(), package)).collect();
        let row = |owned| DistRow::of(owned, &licenses, &locked);
        let mut dists: Vec<DistRow> = shares(evidence, owners).map(row).collect();
        dists.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        let files = || evidence.described.files.values().filter(|row| row.is_file());
        let bytes: u64 = files().map(|row| row.size).sum();
        Self {
            size: size(bytes),
            figures: vec![
                figure(files().count(), "file", "files"),
                figure(dists.len(), "Python package", "Python packages"),
                figure(evidence.elf.len(), "compiled file", "compiled files"),
            ],
            bars: bars(&dists, bytes),
            dists,
        }
    }
}

impl DistRow {
    fn of(
        (owner, share): (&Owner<'_>, Share),
        licenses: &BTreeMap<String, String>,
        locked: &HashMap<&str, &LockedPackage>,
    ) -> Self {
        let metadata = owner.metadata;
        let name = owner.name.clone();
        let locked = locked.get(name.as_str());
        let version = metadata.map_or_else(|| "not readable".to_owned(), |metadata| metadata.version.to_string());
        let said =
            || metadata.map(|metadata| metadata.license.judge(&[]).map_or_else(|why| why, |spdx| spdx.to_string()));
        let license = licenses.get(&name).cloned().or_else(said);
        Self {
            license: license.unwrap_or_default(),
            sha256: locked.map(|package| package.sha256.clone()).unwrap_or_default(),
            origin: match (locked, owner.is_application) {
                (Some(package), _) if package.built_from.is_some() => "built here from its source distribution",
                (Some(_), _) => "",
                (None, true) => "the application itself",
                (None, false) => "not in the lock that travels in the package",
            },
            size: size(share.bytes),
            bytes: share.bytes,
            files: share.files,
            compiled: share.compiled,
            name,
            version,
        }
    }
}

/// Name → licence, from the SBOM that travels in the package, which was made with the texts of the licences at hand.
fn licenses_of_sbom(evidence: &Evidence) -> BTreeMap<String, String> {
    let path = format!("/usr/share/doc/{}/sbom.cdx.json", evidence.described.name);
    let text = evidence.texts.get(&path).map_or("", String::as_str);
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let components = document["components"].as_array().into_iter().flatten();
    components
        .filter_map(|component| {
            let license = component["licenses"][0]["expression"].as_str()?;
            Some((component["name"].as_str()?.to_owned(), license.to_owned()))
        })
        .collect()
}

/// The largest, and the rest in one.
fn bars(dists: &[DistRow], all: u64) -> Vec<Bar> {
    let mut sizes: Vec<(&str, u64)> = dists.iter().map(|dist| (dist.name.as_str(), dist.bytes)).collect();
    sizes.sort_by_key(|(name, bytes)| (std::cmp::Reverse(*bytes), *name));
    // One more in place of a rest that is one.
    let most = if sizes.len() == MOST_BARS + 1 { MOST_BARS + 1 } else { MOST_BARS };
    let others = sizes.len().saturating_sub(most);
    sizes.truncate(most);
    let shown: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    let mut rows: Vec<(String, u64, bool)> =
        sizes.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes, false)).collect();
    let rest = match others {
        0 => "launcher, units, texts".to_owned(),
        others => format!("{others} others, units, texts"),
    };
    rows.push((rest, all.saturating_sub(shown), true));
    let widest = rows.iter().map(|(_, bytes, _)| *bytes).max().unwrap_or(0).max(1);
    let per_cent = |bytes: u64, of: u64| bytes as f64 * 100.0 / of.max(1) as f64;
    rows.into_iter()
        .map(|(label, bytes, rest)| Bar {
            label,
            size: size(bytes),
            // A bar of nothing could not be seen.
            width: format!("{:.1}%", per_cent(bytes, widest).max(0.3)),
            share: format!("{:.1} %", per_cent(bytes, all)),
            rest,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_drawn_and_the_rest_is_one_bar() {
        let dist = |name: String, bytes| DistRow {
            name,
            version: String::new(),
            license: String::new(),
            sha256: String::new(),
            origin: "",
            size: String::new(),
            files: 1,
            compiled: 0,
            bytes,
        };
        for (dists, bars_drawn) in [(0_u64, 1), (1, 2), (12, 13), (13, 14), (14, 13), (100, 13)] {
            let rows: Vec<DistRow> = (0..dists).map(|index| dist(format!("d{index:03}"), index * 1000)).collect();
            let all = rows.iter().map(|row| row.bytes).sum::<u64>() + 500;
            let drawn = bars(&rows, all);
            assert_eq!(drawn.len(), bars_drawn, "{dists}");
            assert!(drawn.last().unwrap().rest);
        }
        // Nothing at all divides by nothing.
        assert_eq!(bars(&[], 0)[0].share, "0.0 %");
    }
}
