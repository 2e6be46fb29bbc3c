//! What `verify` says of an RPM, to people and to programs.

use crate::commands::verify::Examined;
use crate::verify::{Finding, Judged, Outcome, Severity, count};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warning,
    /// for want of a program of this host
    Unasked,
    Failed,
    /// for want of something in the package
    NotMade,
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::NotMade { severity: Severity::Warning, .. } => Verdict::Unasked,
        Outcome::NotMade { .. } => Verdict::NotMade,
        Outcome::Made { findings, .. } => match findings.iter().map(|finding| finding.severity).max() {
            None => Verdict::Ok,
            Some(Severity::Warning) => Verdict::Warning,
            Some(Severity::Error) => Verdict::Failed,
        },
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "FAILED",
        Verdict::NotMade | Verdict::Unasked => "NOT MADE",
    }
}

/// Whether the exit code is 1.
pub fn is_bad(examined: &Examined, strict: bool) -> bool {
    let least = if strict { Verdict::Warning } else { Verdict::Failed };
    examined.evidence.is_err() || examined.judged.iter().any(|judged| verdict(&judged.outcome) >= least)
}

const UNREADABLE: &str =
    "it is damaged, or no RPM of this tool: copy it again and compare its SHA256SUMS, or build it again";

/// How a text looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// for a terminal
    pub colours: bool,
    /// findings alone
    pub quiet: bool,
}

impl Look {
    /// A verdict's word, as wide as its column.
    fn word(self, verdict: Verdict) -> String {
        let padded = format!("{:<9}", word(verdict));
        let colour = match verdict {
            Verdict::Ok => "32",
            Verdict::Warning | Verdict::Unasked => "33",
            Verdict::Failed | Verdict::NotMade => "31",
        };
        if self.colours { format!("\x1b[{colour}m{padded}\x1b[0m") } else { padded }
    }
}

/// For people.
pub fn text(examined: &Examined, look: Look) -> String {
    let shown = &examined.shown;
    let evidence = match &examined.evidence {
        Ok(evidence) => evidence,
        Err(error) => {
            let failed = look.word(Verdict::Failed);
            return format!("{shown}\n  {failed} readable     {error:#}\n              cure: {UNREADABLE}\n");
        }
    };
    let target = evidence.target.as_ref().map_or("unknown target", |target| target.name.as_str());
    let said = examined.judged.iter().filter(|judged| !look.quiet || verdict(&judged.outcome) != Verdict::Ok);
    let lines: String = said.map(|judged| lines(judged, look)).collect();
    match (look.quiet, lines.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{shown} for {target}\n{lines}"),
        (false, _) => format!("{shown} for {target}\n{lines}  {}\n", summary(&examined.judged)),
    }
}

/// `15 checks: 13 ok, 1 warning, 1 not made`
fn summary(judged: &[Judged]) -> String {
    let number = |of: &[Verdict]| judged.iter().filter(|judged| of.contains(&verdict(&judged.outcome))).count();
    let parts = [
        (number(&[Verdict::Ok]), "ok"),
        (number(&[Verdict::Warning]), "with warnings"),
        (number(&[Verdict::Failed]), "failed"),
        (number(&[Verdict::NotMade, Verdict::Unasked]), "not made"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    format!("{}: {}", count(judged.len(), "check"), parts.join(", "))
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

fn lines(judged: &Judged, look: Look) -> String {
    let (looked_at, findings) = said_by(&judged.outcome);
    let word = look.word(verdict(&judged.outcome));
    let mut text = format!("  {word} {:<12} {looked_at}\n", judged.check.name);
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
    let result = word(verdict(&judged.outcome)).to_lowercase();
    json!({"name": judged.check.name, "result": result, "looked_at": looked_at, "findings": findings})
}
