//! What `verify` says of an RPM, to people and to programs.

use crate::verify::Examined;
use serde_json::{Value, json};
use wheelhaul_base::text::visible;
use wheelhaul_verify::{Finding, Judged, Outcome, Severity, Verdict, count};

/// Whether the exit code is 1.
pub fn is_bad(examined: &Examined, strict: bool) -> bool {
    let least = if strict { Verdict::Warning } else { Verdict::Failed };
    examined.evidence.is_err() || examined.judged.iter().any(|judged| judged.outcome.verdict() >= least)
}

const UNREADABLE: &str =
    "it is damaged, or no RPM of this tool: copy it again and compare its SHA256SUMS, or build it again";

/// A verdict's word, as wide as its column.
fn word(verdict: Verdict) -> String {
    format!("{:<9}", verdict.word())
}

/// Colours the verdicts of a text: the words in their column, and nothing that a package says.
pub fn paint(text: &str) -> String {
    const ALL: [(Verdict, &str); 5] = [
        (Verdict::Ok, "32"),
        (Verdict::Warning, "33"),
        (Verdict::Unasked, "33"),
        (Verdict::Failed, "31"),
        (Verdict::NotMade, "31"),
    ];
    let painted = |line: &str| {
        let (word, colour, rest) = ALL.iter().find_map(|(verdict, colour)| {
            let word = word(*verdict);
            let rest = line.strip_prefix("  ")?.strip_prefix(&word)?.to_owned();
            rest.starts_with(' ').then_some((word, colour, rest))
        })?;
        Some(format!("  \x1b[{colour}m{word}\x1b[0m{rest}"))
    };
    text.split_inclusive('\n').map(|line| painted(line).unwrap_or_else(|| line.to_owned())).collect()
}

/// What a package says, as text alone: it steers no terminal, and starts no line that this tool would.
fn plain(text: &str) -> String {
    visible(text).replace('\n', "\n                ")
}

/// For people.
///
/// - Takes: `quiet`, to show findings alone.
pub fn text(examined: &Examined, quiet: bool) -> String {
    let shown = &plain(&examined.shown);
    let evidence = match &examined.evidence {
        Ok(evidence) => evidence,
        Err(error) => {
            let (failed, why) = (word(Verdict::Failed), plain(&format!("{error:#}")));
            return format!("{shown}\n  {failed} readable     {why}\n              cure: {UNREADABLE}\n");
        }
    };
    let target = evidence.target.as_ref().map_or("unknown target", |target| target.name.as_str());
    let said = examined.judged.iter().filter(|judged| !quiet || judged.outcome.verdict() != Verdict::Ok);
    let lines: String = said.map(lines).collect();
    match (quiet, lines.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{shown} for {target}\n{lines}"),
        (false, _) => format!("{shown} for {target}\n{lines}  {}\n", summary(&examined.judged)),
    }
}

/// `15 checks: 13 ok, 1 warning, 1 not made`
fn summary(judged: &[Judged]) -> String {
    let number = |of: &[Verdict]| judged.iter().filter(|judged| of.contains(&judged.outcome.verdict())).count();
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

fn lines(judged: &Judged) -> String {
    let (looked_at, findings) = said_by(&judged.outcome);
    let word = word(judged.outcome.verdict());
    let mut text = format!("  {word} {:<12} {}\n", judged.check.name, plain(looked_at));
    let is_mixed = judged.outcome.verdict() == Verdict::Failed;
    for Finding { path, found, expected, cure, severity, accepted } in findings {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let weight = match severity {
            Severity::Warning if is_mixed => "warning: ",
            Severity::Accepted => "accepted: ",
            _ => "",
        };
        let [place, found, expected, cure] = [&place, found, expected, cure].map(|text| plain(text));
        text.push_str(&format!(
            "            {weight}{place}{found}\n              expected: {expected}\n              cure: {cure}\n"
        ));
        if let Some(accepted) = accepted {
            text.push_str(&format!("              {}\n", plain(&accepted.in_words())));
        }
    }
    text
}

fn check_json(judged: &Judged) -> Value {
    let (looked_at, findings) = said_by(&judged.outcome);
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Accepted => "accepted",
            };
            let Finding { path, found, expected, cure, .. } = finding;
            let mut json =
                json!({"severity": severity, "path": path, "found": found, "expected": expected, "cure": cure});
            if let Some(accepted) = &finding.accepted {
                json["accepted"] = json!({"by": accepted.by.word(), "why": accepted.why});
            }
            json
        })
        .collect();
    let result = judged.outcome.verdict().word().to_lowercase();
    json!({"name": judged.check.name, "result": result, "looked_at": looked_at, "findings": findings})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_says_steers_no_terminal_and_makes_no_line_of_its_own() {
        let evil = "\x1b[2J\u{202e}\u{9b}31m\r\n  ok        digests\x07";
        let examined = Examined {
            shown: evil.into(),
            path: evil.into(),
            evidence: Err(anyhow::anyhow!(evil)),
            judged: Vec::new(),
            lived: None,
        };
        let text = text(&examined, false);
        assert!(!text.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("  ok ")), "{text:?}");
    }
    #[test]
    fn colours_are_on_verdicts_in_their_column_alone() {
        let text =
            "  ok        digests      10 files\n            ok        a\n  FAILED    record\n  okay\nok        x";
        let painted = paint(text);
        assert_eq!(painted.matches('\x1b').count(), 4, "{painted:?}");
        assert!(painted.starts_with("  \x1b[32mok       \x1b[0m digests"), "{painted:?}");
        assert!(painted.contains("\n  \x1b[31mFAILED   \x1b[0m record"), "{painted:?}");
    }
}
