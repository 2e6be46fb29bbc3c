//! Check of RECORD: what is installed is what it lists.

use crate::hex::hex;
use crate::verify::{Evidence, Finding, Outcome, count};
use crate::wheel::{DigestKind, Record};
use std::collections::BTreeSet;

/// `record`
pub fn record(evidence: &Evidence) -> Outcome {
    let again = "build the RPM again; a wheel that differs from its RECORD is not to be trusted";
    let mut findings = Vec::new();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let dists = evidence.dist_infos();
    for dist_info in &dists {
        let path = format!("{dist_info}/RECORD");
        let record = match evidence.texts.get(&path).map(|text| Record::parse(text)) {
            Some(Ok(record)) => record,
            Some(Err(error)) => {
                findings.push(Finding::error(&path, format!("it cannot be read: {error:#}"), "a RECORD", again));
                continue;
            }
            None => {
                findings.push(Finding::error(&path, "it is not there", "a RECORD", again));
                continue;
            }
        };
        let base = dist_info.rsplit_once('/').map_or("", |(base, _)| base);
        for (relative, row) in &record.rows {
            let file = absolute(base, relative);
            let found = evidence.described.files.get(&file);
            match (found, &row.digest) {
                (None, _) => findings.push(Finding::error(
                    &file,
                    "it is not there",
                    format!("the file that `{path}` lists"),
                    again,
                )),
                (Some(found), Some(digest)) if digest.kind == DigestKind::Sha256 => {
                    if hex(&digest.bytes) != found.digest {
                        let found = format!("it has the SHA-256 digest {}", found.digest);
                        let expected = format!("{}, as `{path}` says", hex(&digest.bytes));
                        findings.push(Finding::error(&file, found, expected, again));
                    }
                }
                (Some(_), Some(_)) => {
                    let found = format!("`{path}` has a digest of it of another kind");
                    findings.push(Finding::error(&file, found, "sha256", again));
                }
                (Some(_), None) if !file.ends_with("/RECORD") => {
                    findings.push(Finding::error(&file, format!("`{path}` has no digest of it"), "sha256", again));
                }
                (Some(_), None) => {}
            }
            listed.insert(file);
        }
    }
    // Config files and the launchers of this tool belong to no distribution.
    let root = evidence.root();
    let own = ["python", "self-signed-certificate", "wait-until-ready"].map(|program| format!("{root}/bin/{program}"));
    for (path, row) in &evidence.described.files {
        let is_own = own.contains(path) || row.is_config();
        if row.is_file() && path.starts_with(&format!("{root}/")) && !is_own && !listed.contains(path) {
            findings.push(Finding::error(path, "no RECORD lists it", "nothing but what a distribution lists", again));
        }
    }
    Outcome::Made {
        looked_at: format!("{}, {}", count(dists.len(), "distribution"), count(listed.len(), "file")),
        findings,
    }
}

/// Resolves a path of RECORD against the folder that it is relative to.
pub fn absolute(base: &str, relative: &str) -> String {
    if relative.starts_with('/') {
        return relative.to_owned();
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    for part in relative.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_record_are_resolved() {
        assert_eq!(absolute("/opt/x/lib", "a/b.py"), "/opt/x/lib/a/b.py");
        assert_eq!(absolute("/opt/x/lib", "../bin/flask"), "/opt/x/bin/flask");
        assert_eq!(absolute("/opt/x/lib", "/etc/x"), "/etc/x");
    }
}
