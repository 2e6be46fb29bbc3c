//! Check of known vulnerabilities: what is in the package, held against data that was fetched elsewhere.

use crate::advisories::{Advisories, Advisory, Affectedness, AuditReport, Records, Reported, least_fix};
use crate::{Evidence, Finding, Outcome, count};
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use wheelhaul_wheel::Metadata;

/// More identifiers of one vulnerability, or versions that fix it, are not listed.
const MOST_LISTED: usize = 6;

/// A distribution of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    path: String,
    /// normalized
    pub name: PackageName,
    version: Version,
}

/// What an index knows of the package: its distributions without the application itself, which the lock lacks.
///
/// Of those whose metadata cannot be read, the paths.
pub fn installed(evidence: &Evidence) -> (Vec<Installed>, Vec<String>) {
    let locked: Option<BTreeSet<&PackageName>> =
        evidence.lock.as_ref().map(|lock| lock.packages.iter().map(|package| &package.name).collect());
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    for dist in &evidence.distributions().all {
        match dist.readable() {
            Some(Metadata { name, version, .. }) => {
                if locked.as_ref().is_none_or(|locked| locked.contains(name)) {
                    let (name, version) = (name.clone(), version.clone());
                    found.push(Installed { path: dist.info.to_string(), name, version });
                }
            }
            None => unreadable.push(dist.info.to_string()),
        }
    }
    (found, unreadable)
}

/// `audit`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let Some(audit) = &evidence.audit else { return Outcome::not_made("there is no data on vulnerabilities") };
    let (dists, unreadable) = installed(evidence);
    let mut said = Said { ignored: &audit.ignored, used: BTreeSet::new(), findings: Vec::new() };
    for path in unreadable {
        said.findings.push(Finding::error(
            path,
            "its METADATA cannot be read, so it is not known what it is",
            "core metadata",
            "build the RPM again",
        ));
    }
    let data = match &audit.advisories {
        Advisories::Records(records) => said.records(records, &dists),
        Advisories::AuditReport(report) => match said.report(report, &dists) {
            Some(data) => data,
            None => return Outcome::not_made("the report of pip-audit is of other packages, and of none in this one"),
        },
    };
    let Said { used, mut findings, .. } = said;
    let is_used = |id: &&String| used.iter().any(|used| used.eq_ignore_ascii_case(id));
    for id in audit.ignored.iter().filter(|id| !is_used(id)) {
        let found = format!("`--audit-ignore {id}` leaves out nothing: no package has that vulnerability");
        findings.push(Finding::error("", found, "what is needed", "leave it out").warning());
    }
    let ignored: Vec<&str> = audit.ignored.iter().filter(is_used).map(String::as_str).collect();
    let ignored = if ignored.is_empty() { String::new() } else { format!("; ignored: {}", ignored.join(", ")) };
    Outcome::Made { looked_at: format!("{}, {data}{ignored}", count(dists.len(), "distribution")), findings }
}

/// What is said so far.
struct Said<'a> {
    ignored: &'a BTreeSet<String>,
    /// what was left out
    used: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Said<'_> {
    /// By records; gives what they are, in words.
    fn records(&mut self, records: &Records, dists: &[Installed]) -> String {
        for dist in dists {
            let all = records.of.get(&dist.name).map(Vec::as_slice).unwrap_or_default();
            let mut affected = Vec::new();
            for advisory in all {
                match advisory.affected.judge(&dist.version) {
                    Affectedness::Affected => affected.push(advisory),
                    Affectedness::Unaffected => {}
                    Affectedness::Unknown(why) => self.unknown(dist, advisory, &why),
                }
            }
            self.advisories(dist, &affected);
        }
        let newest = match records.newest.as_str() {
            "" => "of no known day".to_owned(),
            day => format!("the newest of {day}"),
        };
        format!("{}, {newest}", count_of_advisories(records.count))
    }

    /// By a report; gives what it is, in words, and nothing where it is of other packages.
    fn report(&mut self, report: &AuditReport, dists: &[Installed]) -> Option<String> {
        const EXPECTED: &str = "a report on what is in the package";
        const CURE: &str = "run pip-audit on the lock that the package was built from";
        if !dists.is_empty() && !dists.iter().any(|dist| report.of.contains_key(&dist.name)) {
            return None;
        }
        for dist in dists {
            let found = match report.of.get(&dist.name) {
                None => "the report of pip-audit does not have it".to_owned(),
                Some(Reported::Skipped(why)) => {
                    let found = format!("pip-audit left it out: {why}");
                    self.findings.push(Finding::error(&dist.path, found, EXPECTED, CURE).warning());
                    continue;
                }
                Some(Reported::Audited { version, advisories }) => {
                    if Version::from_str(version).is_ok_and(|version| version == dist.version) {
                        self.advisories(dist, &advisories.iter().collect::<Vec<_>>());
                        continue;
                    }
                    format!("the report of pip-audit is of {version}, and the package has {}", dist.version)
                }
            };
            self.findings.push(Finding::error(&dist.path, found, EXPECTED, CURE));
        }
        Some(format!("a report of pip-audit on {}", count(report.of.len(), "package")))
    }

    fn unknown(&mut self, dist: &Installed, advisory: &Advisory, why: &str) {
        if self.leaves_out(&[advisory]) {
            return;
        }
        let found = format!("{}: it is not known whether {} has it: {why}", named(&[advisory]), dist.version);
        let cure = format!("look at the advisory; `--audit-ignore {}` where it is none", advisory.id);
        self.findings.push(Finding::error(&dist.path, found, "data that tells", cure).warning());
    }

    /// One finding for each vulnerability, however many databases have it.
    fn advisories(&mut self, dist: &Installed, affected: &[&Advisory]) {
        for group in groups(affected) {
            if self.leaves_out(&group) {
                continue;
            }
            let mut fixed: Vec<&Version> = group.iter().flat_map(|advisory| &advisory.affected.fixed).collect();
            fixed.sort();
            fixed.dedup();
            let expected = match fixed.as_slice() {
                [] => "a version without it, of which none is known".to_owned(),
                fixed => format!("a version that fixes it: {}", listed(fixed.iter().map(ToString::to_string))),
            };
            let id = sorted_ids(&group)[0].to_owned();
            let judged = format!("`--audit-ignore {id}` where somebody has judged that it does not matter here");
            let cure = match least_fix(&group, &dist.version) {
                Some(least) => {
                    format!("let the team's lock have {} {least}, lock and build again; or {judged}", dist.name)
                }
                None => format!("take another package than {}; or {judged}", dist.name),
            };
            self.findings.push(Finding::error(&dist.path, named(&group), expected, cure));
        }
    }

    /// Whether somebody has judged it.
    fn leaves_out(&mut self, group: &[&Advisory]) -> bool {
        let ids = || group.iter().flat_map(|advisory| advisory.ids());
        let used: Vec<String> =
            self.ignored.iter().filter(|id| ids().any(|known| known.eq_ignore_ascii_case(id))).cloned().collect();
        let is_any = !used.is_empty();
        self.used.extend(used);
        is_any
    }
}

fn count_of_advisories(number: usize) -> String {
    if number == 1 { "1 advisory".to_owned() } else { format!("{number} advisories") }
}

/// Advisories that share an identifier, in whatever number of steps, are of one vulnerability.
fn groups<'a>(advisories: &[&'a Advisory]) -> Vec<Vec<&'a Advisory>> {
    // Each place points to one of its group, the first of which points to itself.
    let mut parents: Vec<usize> = (0..advisories.len()).collect();
    fn top(parents: &mut [usize], mut place: usize) -> usize {
        while parents[place] != place {
            parents[place] = parents[parents[place]];
            place = parents[place];
        }
        place
    }
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, advisory) in advisories.iter().enumerate() {
        for id in advisory.ids() {
            let first = *known.entry(id).or_insert(place);
            let (a, b) = (top(&mut parents, first), top(&mut parents, place));
            parents[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Advisory>> = BTreeMap::new();
    for (place, advisory) in advisories.iter().enumerate() {
        groups.entry(top(&mut parents, place)).or_default().push(advisory);
    }
    groups.into_values().collect()
}

/// Identifiers, the best known first.
fn sorted_ids<'a>(group: &[&'a Advisory]) -> Vec<&'a str> {
    const FAMILIES: [&str; 3] = ["CVE-", "GHSA-", "PYSEC-"];
    let rank = |id: &str| FAMILIES.iter().position(|family| id.starts_with(family)).unwrap_or(FAMILIES.len());
    let ids: BTreeSet<(usize, &str)> =
        group.iter().flat_map(|advisory| advisory.ids()).map(|id| (rank(id), id)).collect();
    ids.into_iter().map(|(_, id)| id).collect()
}

/// `CVE-2020-28493 (GHSA-g3rq-g295-4j3m, PYSEC-2021-66): a summary [CVSS:3.1/AV:N/…]`
fn named(group: &[&Advisory]) -> String {
    let ids = sorted_ids(group);
    let others = match &ids[1..] {
        [] => String::new(),
        others => format!(" ({})", listed(others.iter().map(ToString::to_string))),
    };
    // GitHub's summaries are a line, PyPI's are the start of a page.
    let mut summaries: Vec<&&Advisory> = group.iter().filter(|advisory| !advisory.summary.is_empty()).collect();
    summaries.sort_by_key(|advisory| !advisory.id.starts_with("GHSA-"));
    let summary = summaries.first().map(|advisory| format!(": {}", advisory.summary)).unwrap_or_default();
    let scores: BTreeSet<&String> = group.iter().flat_map(|advisory| &advisory.severity).collect();
    let scores = match scores.is_empty() {
        true => String::new(),
        false => format!(" [{}]", listed(scores.into_iter().cloned())),
    };
    format!("{}{others}{summary}{scores}", ids[0])
}

fn listed(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    let more = words.len().saturating_sub(MOST_LISTED);
    words.truncate(MOST_LISTED);
    let text = words.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisories::Affected;

    fn advisory(id: &str, aliases: &[&str], summary: &str) -> Advisory {
        let mut affected = Affected::of_events(&[("introduced", "0"), ("fixed", "2.0")]);
        affected.fixed.sort();
        Advisory {
            id: id.to_owned(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            summary: summary.to_owned(),
            severity: vec!["CVSS:3.1/AV:N".to_owned()],
            affected,
        }
    }

    fn dist() -> Installed {
        Installed { path: "/x.dist-info".into(), name: "x".parse().unwrap(), version: "1.0".parse().unwrap() }
    }

    #[test]
    fn one_vulnerability_is_one_finding_however_many_databases_have_it() {
        let all = [
            advisory("PYSEC-1", &["CVE-1"], "a long page"),
            advisory("GHSA-2", &["CVE-2"], ""),
            advisory("MAL-3", &["GHSA-1"], ""),
            advisory("GHSA-1", &["CVE-1"], "a line"),
        ];
        let mut said = Said { ignored: &BTreeSet::new(), used: BTreeSet::new(), findings: Vec::new() };
        said.advisories(&dist(), &all.iter().collect::<Vec<_>>());
        let found: Vec<&str> = said.findings.iter().map(|finding| finding.found.as_str()).collect();
        assert_eq!(found, ["CVE-1 (GHSA-1, PYSEC-1, MAL-3): a line [CVSS:3.1/AV:N]", "CVE-2 (GHSA-2) [CVSS:3.1/AV:N]"]);
        assert_eq!(said.findings[0].expected, "a version that fixes it: 2.0");
        assert!(said.findings[0].cure.starts_with("let the team's lock have x 2.0, lock"), "{:?}", said.findings);
    }

    #[test]
    fn what_is_ignored_goes_by_any_of_its_names() {
        for id in ["CVE-1", "cve-1", "PYSEC-1", "GHSA-1"] {
            let ignored: BTreeSet<String> = [id.to_owned(), "CVE-9".to_owned()].into();
            let mut said = Said { ignored: &ignored, used: BTreeSet::new(), findings: Vec::new() };
            let all = [advisory("PYSEC-1", &["CVE-1"], ""), advisory("GHSA-1", &["CVE-1"], "")];
            said.advisories(&dist(), &all.iter().collect::<Vec<_>>());
            assert!(said.findings.is_empty() && said.used == BTreeSet::from([id.to_owned()]), "{id}");
        }
    }
}
