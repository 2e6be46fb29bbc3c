//! Every check with what it said.

use crate::{Finding, Judged, Outcome, Severity, Verdict, count, most_of};
use serde::Serialize;

/// Those behind the first of these are folded.
const UNFOLDED: usize = 10;

/// A check.
#[derive(Debug, Serialize)]
pub(super) struct CheckRow {
    name: &'static str,
    /// `ok`, `warning`, `failed`, `unmade`
    state: &'static str,
    word: &'static str,
    reason: &'static str,
    explanation: Vec<String>,
    /// over what it was made, or why it was not
    said: String,
    findings: Vec<FindingRow>,
    folded: Vec<FindingRow>,
    /// how many are folded, in words
    behind: String,
    /// what is not shown at all, in words; empty where all is
    left_out: String,
}

#[derive(Debug, Serialize)]
struct FindingRow {
    kind: &'static str,
    state: &'static str,
    path: String,
    found: String,
    expected: String,
    cure: String,
    /// by whom, and why; empty where nobody has
    accepted: String,
}

/// The name that the stylesheet knows.
pub(super) fn state(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "failed",
        Verdict::NotMade | Verdict::Unasked => "unmade",
    }
}

/// What a whole package comes to.
pub(super) fn sentence(worst: Verdict) -> &'static str {
    match worst {
        Verdict::Ok => "All checks passed",
        Verdict::Warning => "No errors; there are warnings to look at",
        Verdict::Unasked => "No errors; not every check could be made",
        Verdict::Failed => "Not fit to be installed",
        Verdict::NotMade => "Not proved: what a check needs is not in the package",
    }
}

impl CheckRow {
    pub(super) fn of(judged: &Judged) -> Self {
        let (said, findings): (&str, &[Finding]) = match &judged.outcome {
            Outcome::Made { looked_at, findings } => (looked_at, findings),
            Outcome::NotMade { why, .. } => (why, &[]),
        };
        // Errors first: what stops a delivery must not be behind a thousand warnings.
        let (findings, left_out) = most_of(findings);
        let mut rows = findings.into_iter().map(FindingRow::of);
        let shown: Vec<FindingRow> = rows.by_ref().take(UNFOLDED).collect();
        let folded: Vec<FindingRow> = rows.collect();
        let verdict = judged.outcome.verdict();
        Self {
            name: judged.check.name,
            state: state(verdict),
            word: match verdict {
                Verdict::Ok => "passed",
                other => other.word(),
            },
            reason: judged.check.reason(),
            explanation: judged.check.explanation().split("\n\n").map(str::to_owned).collect(),
            said: said.to_owned(),
            behind: count(folded.len(), "more finding"),
            findings: shown,
            folded,
            left_out: if left_out == 0 { String::new() } else { count(left_out, "more finding") },
        }
    }
}

impl FindingRow {
    fn of(finding: &Finding) -> Self {
        let (kind, state) = match finding.severity {
            Severity::Error => ("error", "failed"),
            Severity::Warning => ("warning", "warning"),
            Severity::Accepted => ("accepted", "ok"),
        };
        let Finding { path, found, expected, cure, accepted, .. } = finding.clone();
        let accepted = accepted.map(|accepted| accepted.in_words()).unwrap_or_default();
        Self { kind, state, path, found, expected, cure, accepted }
    }
}
