//! What `verify` says of an RPM, to people and to programs.

use crate::commands::verify::Examined;
use crate::verify::{Finding, Judged, Outcome, Severity, Verdict};
use serde_json::{Value, json};

/// Whether the exit code is 1.
pub fn is_bad(examined: &Examined, strict: bool) -> bool {
    let least = if strict { Verdict::Warning } else { Verdict::Failed };
    examined.evidence.is_err() || examined.judged.iter().any(|judged| judged.outcome.verdict() >= least)
}

const UNREADABLE: &str =
    "it is damaged, or no RPM of this tool: copy it again and compare its SHA256SUMS, or build it again";

/// For people.
pub fn text(examined: &Examined) -> String {
    let shown = &examined.shown;
    let evidence = match &examined.evidence {
        Ok(evidence) => evidence,
        Err(error) => {
            return format!("{shown}\n  FAILED    readable     {error:#}\n              cure: {UNREADABLE}\n");
        }
    };
    let target = evidence.target.as_ref().map_or("unknown target", |target| target.name.as_str());
    let mut text = format!("{shown} for {target}\n");
    text.extend(examined.judged.iter().map(lines));
    text
}

/// For programs.
pub fn json(examined: &Examined, strict: bool) -> Value {
    let evidence = match &examined.evidence {
        Ok(evidence) => evidence,
        Err(error) => {
            return json!({"path": examined.shown, "fine": false, "unreadable": format!("{error:#}"), "checks": []});
        }
    };
    let target = evidence.target.as_ref().map(|target| target.name.as_str());
    let checks: Vec<Value> = examined.judged.iter().map(check_json).collect();
    json!({"path": examined.shown, "target": target, "fine": !is_bad(examined, strict), "checks": checks})
}

/// Over what a check was made, or why it was not, and what it found.
fn said_by(outcome: &Outcome) -> (&str, &[Finding]) {
    match outcome {
        Outcome::Made { looked_at, findings } => (looked_at, findings),
        Outcome::NotMade { why, .. } => (why, &[]),
    }
}

fn lines(judged: &Judged) -> String {
    let (looked_at, findings) = said_by(&judged.outcome);
    let mut text = format!("  {:<9} {:<12} {looked_at}\n", judged.outcome.verdict().word(), judged.check.name);
    for Finding { path, found, expected, cure, .. } in findings {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        text.push_str(&format!(
            "            {place}{found}\n              expected: {expected}\n              cure: {cure}\n"
        ));
    }
    text
}

fn check_json(judged: &Judged) -> Value {
    let (looked_at, findings) = said_by(&judged.outcome);
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
            let Finding { path, found, expected, cure, .. } = finding;
            json!({"severity": severity, "path": path, "found": found, "expected": expected, "cure": cure})
        })
        .collect();
    let result = judged.outcome.verdict().word().to_lowercase();
    json!({"name": judged.check.name, "result": result, "looked_at": looked_at, "findings": findings})
}
