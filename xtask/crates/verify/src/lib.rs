//! The finished RPM, judged against its target from its bytes alone: evidence → findings, by a table of
//! checks. Judging reads nothing; [`Evidence::gather`] goes once through the payload.

mod accepted;
pub mod advisories;
mod audit;
mod byte_code;
mod checks;
mod config;
mod difference;
mod elf;
mod evidence;
mod files;
mod fips;
mod of_wheels;
mod on_box;
mod owners;
mod places;
mod python;
mod rebuilt;
pub mod review;
mod rhel_names;
mod scriptlets;
mod secret_scan;
mod secrets;
mod service;
mod sysusers;
mod units;
mod verdict;

pub use accepted::{Acceptance, Judge};
pub use audit::installed;
pub use checks::{CHECKS, Check, When};
pub use difference::{
    Change, ChangeKind, ConfigChange, Difference, Direction, Dist, DistChange, Dists, FileChange, FileChanges,
    FileGroup, KeyChange, LookAt, Names, Side, TextChange, UnitChange, Upgrade,
};
pub use evidence::{
    Audit, CompileReport, CryptoMarks, Distributions, Evidence, Fips, InstalledDistribution, Listed, Module, OnHost,
    ParsedBy, ScriptFault, Site, for_each_source,
};
pub use of_wheels::{OfOneWheel, WheelEvidence, judge_wheels};
pub use on_box::OnBox;
pub use owners::{Owner, Owners};
pub use python::Importers;
pub use rebuilt::{Rebuilt, reasons};
pub use rhel_names::is_system_folder;
pub use scriptlets::{MOST_SCRIPT, ShellText, scripts_of, shown as script_shown};
pub use secret_scan::{SecretKind, Spotted, Spotter};
pub use verdict::{Verdict, in_a_line};

/// More findings of one check than anybody reads; a hostile package could have millions.
const MOST_FINDINGS: usize = 1000;
/// What to do about those that are only counted; it tells their row from all others.
const ABOUT_REST: &str = "see to those above, and verify again";

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// the site that verifies has judged it: it counts for nothing
    Accepted,
    /// to look at; the exit code stays 0
    Warning,
    /// it will not work, or must not ship
    Error,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// how much it weighs
    pub severity: Severity,
    /// where, on the box; empty for the package as a whole
    pub path: String,
    /// what is there
    pub found: String,
    /// what ought to be
    pub expected: String,
    /// what to do
    pub cure: String,
    /// who has judged it, where somebody has
    pub accepted: Option<Acceptance>,
}

impl Finding {
    fn error(
        path: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            path: path.into(),
            found: found.into(),
            expected: expected.into(),
            cure: cure.into(),
            accepted: None,
        }
    }

    fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The row for findings that are not shown.
    fn rest(more: usize, severity: Severity) -> Self {
        Self { severity, ..Self::error("", format!("{more} findings more"), "none", ABOUT_REST) }
    }

    /// How many findings its row stands for, where it is of [`Self::rest`].
    fn stands_for(&self) -> Option<usize> {
        let number = self.found.split(' ').next().filter(|_| self.cure == ABOUT_REST);
        number?.parse().ok()
    }
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// it was made; `looked_at` says over what
    Made {
        /// `794 files`
        looked_at: String,
        /// sorted by path
        findings: Vec<Finding>,
    },
    /// it could not be made; that is no pass
    NotMade {
        /// `the package has no lock`
        why: String,
        /// a warning where this host lacks a program, an error where the package itself is to blame
        severity: Severity,
    },
}

impl Outcome {
    /// The package lacks what the check needs.
    fn not_made(why: impl Into<String>) -> Self {
        Self::NotMade { why: why.into(), severity: Severity::Error }
    }

    /// This host lacks what the check needs.
    fn not_asked(why: impl Into<String>) -> Self {
        Self::NotMade { why: why.into(), severity: Severity::Warning }
    }
}

/// A check with what it said.
#[derive(Clone)]
pub struct Judged {
    /// the row of the table
    pub check: &'static Check,
    /// what it said
    pub outcome: Outcome,
}

/// Makes every check that is asked for, and all of them whatever they find.
pub fn judge(evidence: &Evidence) -> Vec<Judged> {
    let is_asked = |check: &&Check| match check.when {
        When::Always => true,
        When::Fips => evidence.fips.is_some(),
        When::Audit => evidence.audit.is_some(),
        When::OnBox => evidence.on_box.is_some(),
        When::Accepted => accepted::is_asked(evidence),
    };
    let asked: Vec<&Check> = CHECKS.iter().filter(is_asked).collect();
    let names: Vec<&str> = asked.iter().map(|check| check.name).collect();
    let mut lists = accepted::Lists::of(evidence);
    asked
        .into_iter()
        .map(|check| {
            // It is the last one, and about what all others found.
            let mut outcome = match check.when {
                When::Accepted => lists.outcome(&names),
                _ => (check.judge)(evidence),
            };
            lists.weigh(check.name, &mut outcome);
            if let Outcome::Made { findings, .. } = &mut outcome {
                settle(findings);
            }
            Judged { check, outcome }
        })
        .collect()
}

/// Sorts findings, and says of more than [`MOST_FINDINGS`] only how many they are: errors stay before warnings.
fn settle(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| (&a.path, &a.found).cmp(&(&b.path, &b.found)));
    let Some(more) = findings.len().checked_sub(MOST_FINDINGS).filter(|more| *more > 0) else { return };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let severity = findings[MOST_FINDINGS].severity;
    findings.truncate(MOST_FINDINGS);
    findings.sort_by(|a, b| (&a.path, &a.found).cmp(&(&b.path, &b.found)));
    findings.push(Finding::rest(more, severity));
}

/// Findings to show, errors first, and how many are not shown: no more than [`judge`] leaves of a check.
pub fn most_of(findings: &[Finding]) -> (Vec<&Finding>, usize) {
    let counted: usize = findings.iter().filter_map(Finding::stands_for).sum();
    let mut shown: Vec<&Finding> = findings.iter().filter(|finding| finding.stands_for().is_none()).collect();
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let more = shown.len().saturating_sub(MOST_FINDINGS);
    shown.truncate(MOST_FINDINGS);
    (shown, counted + more)
}

/// The checks that need the target, without one.
fn no_target() -> Outcome {
    Outcome::not_made("the package has no lock that says for which target it is")
}

/// `1 file`, `2 files`
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_findings_than_anybody_reads_are_counted_and_no_error_is_lost_to_warnings() {
        let of = |errors: usize, warnings: usize| {
            let one = |kind: char, number: usize| Finding::error(format!("/{kind}{number:05}"), "x", "y", "z");
            let warnings = (0..warnings).map(|number| one('a', number).warning());
            let mut findings: Vec<Finding> = warnings.chain((0..errors).map(|number| one('b', number))).collect();
            settle(&mut findings);
            findings
        };
        #[rustfmt::skip]
        let cases = [ // errors, warnings, errors shown, the last one
            (0,    0,    0,    None),
            (900,  100,  900,  None),
            (900,  101,  900,  Some(("1 findings more", Severity::Warning))),
            (1,    5000, 1,    Some(("4001 findings more", Severity::Warning))),
            (1002, 5,    1001, Some(("7 findings more", Severity::Error))),
        ];
        for (errors, warnings, shown, last) in cases {
            let findings = of(errors, warnings);
            let is_error = |finding: &&Finding| finding.severity == Severity::Error;
            assert_eq!(findings.iter().filter(is_error).count(), shown, "{errors} errors, {warnings} warnings");
            let more = findings.last().filter(|finding| finding.path.is_empty());
            assert_eq!(more.map(|finding| (finding.found.as_str(), finding.severity)), last, "{errors}, {warnings}");
            let (most, left_out) = most_of(&findings);
            assert_eq!(most.len() + left_out, errors + warnings, "{errors}, {warnings}");
            assert!(most.len() <= MOST_FINDINGS && most.iter().all(|finding| !finding.path.is_empty()));
            assert!(most.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)), "{errors}, {warnings}");
        }
    }
}
