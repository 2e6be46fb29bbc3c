//! Check of RECORD: what is installed is what it lists.

use crate::evidence::absolute;
use crate::{Evidence, Finding, Outcome, count};
use std::collections::BTreeSet;
use wheelhaul_base::hex::{hex, is_hex_of};
use wheelhaul_wheel::{Digest, fault_of_data};

/// `record`
pub(crate) fn record(evidence: &Evidence) -> Outcome {
    let again = "build the RPM again; a wheel that differs from its RECORD is not to be trusted";
    let mut findings = Vec::new();
    let distributions = evidence.distributions();
    // Those that the package has are counted by their owners.
    let mut absent: BTreeSet<String> = BTreeSet::new();
    for dist in &distributions.all {
        let path = format!("{}/RECORD", dist.info);
        let listed = match &dist.record {
            Some(Ok(listed)) => listed,
            Some(Err(error)) => {
                findings.push(Finding::error(&path, format!("it cannot be read: {error:#}"), "a RECORD", again));
                continue;
            }
            None => {
                findings.push(Finding::error(&path, "it is not there", "a RECORD", again));
                continue;
            }
        };
        for row in listed {
            // The application's own modules are in the folder that data files land in; those of others are below it.
            let data = row.relative.strip_prefix("../").filter(|path| !path.starts_with("bin/"));
            if let Some((what, cure)) = data.and_then(fault_of_data) {
                let file = absolute(dist.folder(), &row.relative);
                let found = format!("a data file, by `{path}`: {what}");
                findings.push(Finding::error(&file, found, "data files that Python does not import", cure));
            }
            let found = row.path.as_deref().and_then(|file| Some((file, evidence.described.files.get(file)?)));
            let Some((file, found)) = found else {
                let file = absolute(dist.folder(), &row.relative);
                let expected = format!("the file that `{path}` lists");
                findings.push(Finding::error(&file, "it is not there", expected, again));
                absent.insert(file);
                continue;
            };
            match &row.digest {
                Some(Digest::Sha256(bytes)) if is_hex_of(&found.digest, bytes) => {}
                Some(Digest::Sha256(bytes)) => {
                    let found = format!("it has the SHA-256 digest {}", found.digest);
                    let expected = format!("{}, as `{path}` says", hex(bytes));
                    findings.push(Finding::error(file, found, expected, again));
                }
                Some(_) => {
                    let found = format!("`{path}` has a digest of it of another kind");
                    findings.push(Finding::error(file, found, "sha256", again));
                }
                None if !file.ends_with("/RECORD") => {
                    findings.push(Finding::error(file, format!("`{path}` has no digest of it"), "sha256", again));
                }
                None => {}
            }
        }
    }
    // Config files and the launchers of this tool belong to no distribution.
    let root = evidence.root();
    let own = ["python", "self-signed-certificate", "wait-until-ready"].map(|program| format!("{root}/bin/{program}"));
    for (path, row) in &evidence.described.files {
        let is_own = || own.contains(path) || row.is_config();
        let is_below = path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
        if row.is_file() && is_below && distributions.owner_of(path).is_none() && !is_own() {
            findings.push(Finding::error(path, "no RECORD lists it", "nothing but what a distribution lists", again));
        }
    }
    let files = distributions.files() + absent.len();
    Outcome::Made {
        looked_at: format!("{}, {}", count(distributions.all.len(), "distribution"), count(files, "file")),
        findings,
    }
}
