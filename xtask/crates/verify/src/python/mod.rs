//! Checks of the installed distributions: RECORD, lock, modules, tags, dependencies.

mod attributes;
mod imports;
mod lock;
mod record;
mod source;

use crate::{Evidence, Finding, Outcome, count, no_target};
use pep508_rs::PackageName;
use std::collections::BTreeMap;
use wheelhaul_base::problem::shortened;
use wheelhaul_boxes::TagRanks;
use wheelhaul_wheel::closure::{ChosenDist, walk};
use wheelhaul_wheel::{WheelFile, expand_tags};

pub(crate) use attributes::plainly_lacks;
pub use imports::Importers;
pub(crate) use imports::imports;
pub(crate) use lock::lock;
pub(crate) use record::record;

/// `tags`
pub(crate) fn tags(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let ranks = TagRanks::new(target.tags());
    let mut findings = Vec::new();
    let dists = &evidence.distributions().all;
    for dist in dists {
        let path = format!("{}/WHEEL", dist.info);
        let file = evidence.texts.get(&path).map(|text| WheelFile::parse(text));
        let cure = format!("lock a wheel for {}", target.in_words());
        match file {
            Some(Ok(file)) => {
                if !file
                    .tags
                    .iter()
                    .filter_map(|line| expand_tags(line))
                    .flatten()
                    .any(|tag| ranks.rank(&tag).is_some())
                {
                    let found = format!("its tags are {}", file.tags.join(", "));
                    findings.push(Finding::error(&path, found, format!("a tag that fits {}", target.in_words()), cure));
                }
            }
            Some(Err(error)) => {
                findings.push(Finding::error(&path, format!("it cannot be read: {error:#}"), "a WHEEL file", cure))
            }
            None => findings.push(Finding::error(&path, "it is not there", "a WHEEL file", cure)),
        }
    }
    Outcome::Made { looked_at: count(dists.len(), "distribution"), findings }
}

/// `requires`
pub(crate) fn requires(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let relock = "lock it again, and build the RPM again";
    let mut findings = Vec::new();
    let mut paths: BTreeMap<PackageName, String> = BTreeMap::new();
    let mut all = Vec::new();
    for dist in &evidence.distributions().all {
        let path = format!("{}/METADATA", dist.info);
        match &dist.metadata {
            Some(Ok(metadata)) => {
                paths.insert(metadata.name.clone(), path);
                all.push(metadata);
            }
            Some(Err(error)) => {
                findings.push(Finding::error(&path, format!("it cannot be read: {error:#}"), "core metadata", relock))
            }
            None => findings.push(Finding::error(&path, "it is not UTF-8 text", "core metadata", relock)),
        }
    }
    let dists: Vec<ChosenDist<'_>> = all.iter().map(|metadata| ChosenDist { metadata, extras: &[] }).collect();
    let closure = walk(&dists, target);
    let unmet = evidence.lock.iter().flat_map(|lock| &lock.unmet);
    for fault in closure.faults {
        let (path, found, expected) =
            (&paths[&fault.by], format!("it {}", fault.what), "requirements that are satisfied");
        let covering = unmet.clone().find(|unmet| unmet.covers(&fault.by, fault.of.as_ref()));
        findings.push(match covering {
            Some(unmet) => {
                let found = format!("{found}; `{unmet}` of the lock says that it need not");
                let cure =
                    "nothing, where the application works so: whoever locked it overrode or excluded that on purpose";
                Finding::error(path, found, expected, cure).warning()
            }
            None => Finding::error(path, found, expected, fault.cure),
        });
    }
    for asks in &closure.asks {
        let lenient = all.iter().filter(|metadata| metadata.name == asks.by).flat_map(|metadata| &metadata.lenient);
        findings.extend(lenient.filter(|lenient| lenient.name == asks.name).map(|lenient| {
            let found = format!(
                "it requires `{}`, whose versions cannot be read: any version counts",
                shortened(&lenient.line)
            );
            Finding::error(&paths[&asks.by], found, "versions by PEP 440", "try that the two work together").warning()
        }));
    }
    findings.sort_by(|a, b| (&a.path, &a.found).cmp(&(&b.path, &b.found)));
    findings.dedup();
    Outcome::Made {
        looked_at: format!("{} of {}", count(closure.judged, "requirement"), count(dists.len(), "distribution")),
        findings,
    }
}
