//! `verify` for people: every check of every RPM, and what it found.

use super::Shown;
use super::lived::of_trial;
use wheelhaul_base::text::{line, visible};
use wheelhaul_engine::report::{count, size};
use wheelhaul_engine::verify::{
    Accepted, By, CheckResult, Reading, Report, ReportedCheck, ReportedFinding, Rpm, Weight,
};

impl Shown for Report {
    fn text(&self) -> String {
        text(self, false)
    }

    // There are findings that leave the exit code 0.
    fn quiet_text(&self) -> String {
        text(self, true)
    }

    fn findings(&self) -> bool {
        self.findings()
    }

    fn paint(text: &str) -> String {
        paint(text)
    }
}

fn text(report: &Report, quiet: bool) -> String {
    let mut text = String::new();
    for rpm in &report.rpms {
        let said = of_rpm(rpm, quiet);
        let lived = rpm.trial.as_ref().map(|trial| of_trial(trial, quiet)).unwrap_or_default();
        text.push_str(&said);
        if said.is_empty() && !lived.is_empty() {
            text.push_str(&line(&rpm.path));
        }
        text.push_str(&lived);
    }
    if let Some(page) = &report.report {
        text.push_str(&format!("{}: {}, for the reviewer\n", page.path, size(page.size)));
    }
    text
}

const UNREADABLE: &str =
    "it is damaged, or no RPM of this tool: copy it again and compare its SHA256SUMS, or build it again";

/// A result's word, as wide as its column.
fn word(result: CheckResult) -> String {
    let word = match result {
        CheckResult::Ok => "ok",
        CheckResult::Warning => "warning",
        CheckResult::Failed => "FAILED",
        CheckResult::NotMade => "NOT MADE",
    };
    format!("{word:<9}")
}

/// Colours the results in a text: the words in their column, and nothing that a package says.
pub(super) fn paint(text: &str) -> String {
    const ALL: [(CheckResult, &str); 4] = [
        (CheckResult::Ok, "32"),
        (CheckResult::Warning, "33"),
        (CheckResult::NotMade, "33"),
        (CheckResult::Failed, "31"),
    ];
    let painted = |line: &str| {
        let (word, colour, rest) = ALL.iter().find_map(|(result, colour)| {
            let word = word(*result);
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

/// The checks of an RPM; with `quiet`, only those that found something or were not made.
pub(super) fn of_rpm(rpm: &Rpm, quiet: bool) -> String {
    let shown = &plain(&rpm.path);
    let (target, checks) = match &rpm.reading {
        Reading::Read { target, checks } => (target.as_deref().unwrap_or("unknown target"), checks),
        Reading::Unreadable { unreadable, .. } => {
            let (failed, why) = (word(CheckResult::Failed), plain(unreadable));
            return format!("{shown}\n  {failed} readable     {why}\n              cure: {UNREADABLE}\n");
        }
    };
    let said = checks.iter().filter(|check| !quiet || check.result != CheckResult::Ok);
    let lines: String = said.map(lines).collect();
    match (quiet, lines.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{shown} for {target}\n{lines}"),
        (false, _) => format!("{shown} for {target}\n{lines}  {}\n", summary(checks)),
    }
}

/// `15 checks: 13 ok, 1 warning, 1 not made`
fn summary(checks: &[ReportedCheck]) -> String {
    let parts = [
        (CheckResult::Ok, "ok"),
        (CheckResult::Warning, "with warnings"),
        (CheckResult::Failed, "failed"),
        (CheckResult::NotMade, "not made"),
    ];
    let parts = parts.map(|(of, word)| (checks.iter().filter(|check| check.result == of).count(), word));
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    format!("{}: {}", count(checks.len(), "check"), parts.join(", "))
}

fn lines(check: &ReportedCheck) -> String {
    let mut text = format!("  {} {:<12} {}\n", word(check.result), check.name, plain(&check.looked_at));
    let is_mixed = check.result == CheckResult::Failed;
    for ReportedFinding { path, found, expected, cure, severity, accepted } in &check.findings {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let weight = match severity {
            Weight::Warning if is_mixed => "warning: ",
            Weight::Accepted => "accepted: ",
            _ => "",
        };
        let [place, found, expected, cure] = [&place, found, expected, cure].map(|text| plain(text));
        text.push_str(&format!(
            "            {weight}{place}{found}\n              expected: {expected}\n              cure: {cure}\n"
        ));
        if let Some(Accepted { by, why }) = accepted {
            let by = match by {
                By::Builder => "the builder",
                By::Site => "this site's policy",
            };
            text.push_str(&format!("              {}\n", plain(&format!("accepted by {by}: {why}"))));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_says_steers_no_terminal_and_makes_no_line_of_its_own() {
        let evil = "\x1b[2J\u{202e}\u{9b}31m\r\n  ok        digests\x07";
        let reading = Reading::Unreadable { unreadable: evil.to_owned(), checks: [] };
        let text = of_rpm(&Rpm { path: evil.to_owned(), fine: false, reading, trial: None }, false);
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
