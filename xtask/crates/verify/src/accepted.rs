//! `accepted`: findings that somebody has judged, and what is wrong with their list.
//!
//! What the builder has judged stays a warning for everybody else, since the builder is who is judged here; what the site
//! that verifies has judged itself counts for nothing any more.

use crate::{Evidence, Finding, Outcome, Severity, count};
use std::collections::BTreeSet;
use wheelhaul_base::calendar::Day;
use wheelhaul_base::problem::shortened;
use wheelhaul_config::{ACCEPTABLE, ACCEPTED_FILE, Accept, Policy};

/// Who has judged a finding, and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// whose judgement it is
    pub by: Judge,
    /// in a line
    pub why: String,
}

/// Who may accept findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// whoever made the package, in its own `[[accept]]`
    Builder,
    /// the site that verifies it, in its policy
    Site,
}

impl Judge {
    /// In a word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Site => "site",
        }
    }
}

impl Acceptance {
    /// `accepted by the builder: WHY`
    pub fn in_words(&self) -> String {
        let by = match self.by {
            Judge::Builder => "the builder",
            Judge::Site => "this site's policy",
        };
        format!("accepted by {by}: {}", self.why)
    }
}

/// The lists that findings are looked up in.
pub(super) struct Lists<'a> {
    evidence: &'a Evidence,
    /// of the package, or why they cannot be read
    of_builder: Result<Vec<Accept>, String>,
    day: Option<Day>,
    /// the places of those of the builder that some finding was accepted by, or might be: their check was not made
    used: BTreeSet<usize>,
    findings: usize,
}

impl<'a> Lists<'a> {
    pub(crate) fn of(evidence: &'a Evidence) -> Self {
        let text = evidence.texts.get(&path_of(evidence));
        let of_builder = text.map_or(Ok(Vec::new()), |text| Policy::of_package(text));
        Self {
            evidence,
            of_builder: of_builder.map_err(|error| format!("{error:#}")),
            // The builder compares with the commit's time, which is the package's.
            day: Some(evidence.today.unwrap_or_else(|| Day::at(evidence.described.build_time))),
            used: BTreeSet::new(),
            findings: 0,
        }
    }

    /// Notes of each finding of a check who accepts it.
    pub(crate) fn weigh(&mut self, check: &str, outcome: &mut Outcome) {
        let builders = self.of_builder.as_deref().unwrap_or_default();
        let Outcome::Made { findings, .. } = outcome else {
            self.used.extend(builders.iter().enumerate().filter(|(_, one)| one.check == check).map(|(place, _)| place));
            return;
        };
        if !ACCEPTABLE.contains(&check) {
            return;
        }
        let root = self.evidence.root();
        let target = self.evidence.target.as_ref().map_or("", |target| target.name.as_str());
        for finding in findings {
            let is_for = |one: &Accept| {
                let is_meant = one.is_for_target(target) && one.is_for(check, root, &finding.path);
                is_meant && self.day.as_ref().is_none_or(|day| one.holds_on(day))
            };
            let sites = self.evidence.site.iter().flat_map(|site| &site.accept);
            let by_site = sites.into_iter().find(|one| is_for(one)).map(|one| (Judge::Site, Severity::Accepted, one));
            let by_builder = builders.iter().enumerate().find(|(_, one)| is_for(one));
            self.used.extend(by_builder.map(|(place, _)| place));
            let by_builder = by_builder.map(|(_, one)| (Judge::Builder, Severity::Warning, one));
            if let Some((by, severity, one)) = by_site.or(by_builder) {
                finding.severity = severity;
                finding.accepted = Some(Acceptance { by, why: one.why.clone() });
                self.findings += 1;
            }
        }
    }

    /// What is wrong with the lists.
    ///
    /// - Takes: `made`, the checks that were asked for.
    pub(crate) fn outcome(&self, made: &[&str]) -> Outcome {
        let path = path_of(self.evidence);
        let mut findings = Vec::new();
        let builders = match &self.of_builder {
            Ok(builders) => builders.as_slice(),
            Err(why) => {
                let found = format!("it cannot be read: {why}");
                findings.push(Finding::error(&path, found, "entries as `[[accept]]` has them", "build the RPM again"));
                &[]
            }
        };
        for (place, one) in builders.iter().enumerate() {
            let shown = |text: &str| shortened(text).escape_debug().to_string();
            let entry = format!("`[[accept]]` of `{}` for `{}`", shown(&one.check), shown(&one.path));
            let mut say = |found: String, expected: &str, cure: &str| {
                findings.push(Finding::error(&path, found, expected, cure).warning());
            };
            if !ACCEPTABLE.contains(&one.check.as_str()) {
                let expected = "checks whose findings can be accepted";
                say(format!("{entry}: what this check finds cannot be accepted"), expected, "leave it out");
            } else if let Some(until) =
                one.until.as_ref().filter(|_| self.day.as_ref().is_some_and(|day| !one.holds_on(day)))
            {
                let found = format!("{entry} held until {}: {}", shown(until), shown(&one.why));
                say(found, "a judgement that still holds", "mend what was found, or judge it again");
            } else if !self.used.contains(&place) && made.contains(&one.check.as_str()) {
                let cure = "leave it out of `dist/package.toml`; where another target needs it, name that one: `target = \"NAME\"`";
                say(format!("{entry} is for no finding"), "what is needed", cure);
            }
        }
        let entries = |number: usize| if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") };
        let mut looked_at = format!("{} of the builder", entries(builders.len()));
        if let Some(site) = &self.evidence.site {
            let of_site = entries(site.accept.len());
            looked_at.push_str(&format!(", {of_site} of `{}` (sha256 {})", site.shown, site.sha256));
        }
        looked_at.push_str(&format!("; {}", count(self.findings, "finding")));
        Outcome::Made { looked_at, findings }
    }
}

/// Whether there is anything that findings could be accepted by.
pub(super) fn is_asked(evidence: &Evidence) -> bool {
    evidence.site.is_some() || evidence.has(&path_of(evidence))
}

/// The check, as far as it goes without the others.
pub(super) fn judge(evidence: &Evidence) -> Outcome {
    Lists::of(evidence).outcome(&[])
}

fn path_of(evidence: &Evidence) -> String {
    format!("/usr/share/doc/{}/{ACCEPTED_FILE}", evidence.described.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CHECKS, When};
    use wheelhaul_config::NEVER;

    #[test]
    fn each_check_can_be_accepted_or_cannot() {
        let known: BTreeSet<&str> = ACCEPTABLE.iter().chain(NEVER).copied().collect();
        let checks = CHECKS.iter().filter(|check| check.when != When::Accepted);
        let all: BTreeSet<&str> = checks.map(|check| check.name).collect();
        let differ: Vec<&&str> = known.symmetric_difference(&all).collect();
        assert!(
            differ.is_empty(),
            "not both in `verify/src/checks.rs` and in one list of `config/src/checks.rs`: {differ:?}"
        );
        assert_eq!(known.len(), ACCEPTABLE.len() + NEVER.len(), "a check is in both lists of `config/src/checks.rs`");
    }
}
