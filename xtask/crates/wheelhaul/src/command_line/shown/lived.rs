//! What a package lived through on a machine, for people: every step.

use wheelhaul_base::text::line;
use wheelhaul_engine::verify::{Ending, Trial, TrialStep};

/// The steps; with `quiet`, only those that failed or were not made, and nothing where there is none.
pub(super) fn of_trial(lived: &Trial, quiet: bool) -> String {
    let is_shown = |step: &&TrialStep| !quiet || matches!(step.ending, Ending::Failed { .. } | Ending::NotMade { .. });
    let mut before: &[String] = &[];
    let mut text = String::new();
    for step in lived.steps.iter().filter(is_shown) {
        let mut lines = step.said();
        if let Ending::Failed { journal, .. } = &step.ending {
            lines.extend(journal_lines(before, journal));
            before = journal;
        }
        text.push_str(&format!("{}\n", step.headline()));
        text.extend(lines.iter().map(|said| line(&format!("                         {said}"))));
    }
    match text.is_empty() {
        true => text,
        false => line(&format!("  lived through in {}", lived.root)) + &text,
    }
}

/// The journal without what was shown of it before.
fn journal_lines(before: &[String], journal: &[String]) -> Vec<String> {
    let known = (0..=before.len().min(journal.len())).rev().find(|&count| before.ends_with(&journal[..count]));
    let (known, new) = journal.split_at(known.unwrap_or(0));
    let title = match (known.is_empty(), new.is_empty()) {
        (true, true) => return Vec::new(),
        (true, false) => "the service's last lines:",
        (false, true) => "the service's last lines: as above",
        (false, false) => "the service's last lines: as above, then",
    };
    std::iter::once(title.to_owned()).chain(new.iter().map(|line| format!("| {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_journal_is_shown_once() {
        #[rustfmt::skip]
        let cases = [ // before   now        what is said of it
            ("",      "",        ""),
            ("",      "a b",     "the service's last lines:\n| a\n| b"),
            ("a b",   "a b",     "the service's last lines: as above"),
            ("a b",   "b c",     "the service's last lines: as above, then\n| c"),
            ("a b",   "c",       "the service's last lines:\n| c"),
            ("a a",   "a a a",   "the service's last lines: as above, then\n| a"),
        ];
        for (before, now, said) in cases {
            assert_eq!(journal_lines(&lines(before), &lines(now)).join("\n"), said, "{before:?} {now:?}");
        }
    }

    fn lived() -> Trial {
        let step = |name, ending| TrialStep { name, ending, milliseconds: 7, notes: Vec::new() };
        let failed = |cause: &str| Ending::Failed {
            errors: vec![cause.to_owned()],
            hints: vec!["try".to_owned()],
            journal: lines("a b"),
        };
        let steps = vec![
            step("boot", Ending::NotMade { why: "no systemd".to_owned() }),
            step("install", Ending::Passed),
            step("start", failed("it ends")),
            step("answer", Ending::Skipped { why: "it did not start before" }),
            step("remove", failed("it stays")),
        ];
        Trial { root: "r.tar (Demo 9)".to_owned(), system: "Demo 9".to_owned(), booted: false, steps }
    }

    #[test]
    fn quiet_shows_what_failed_or_was_not_made() {
        let shown = |quiet| {
            let text = of_trial(&lived(), quiet);
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        let (loud, quiet) = (shown(false), shown(true));
        assert!(
            loud.contains(&"ok 7 ms install".to_owned()) && loud.contains(&"skipped answer".to_owned()),
            "{loud:?}"
        );
        assert!(loud.contains(&"it did not start before".to_owned()), "{loud:?}");
        #[rustfmt::skip]
        let expected = [
            "lived through in r.tar (Demo 9)", "NOT MADE boot", "no systemd",
            "FAILED 7 ms start", "it ends", "cure: try", "the service's last lines:", "| a", "| b",
            "FAILED 7 ms remove", "it stays", "cure: try", "the service's last lines: as above",
        ];
        assert_eq!(quiet, expected);
        let mut fine = lived();
        fine.steps.retain(|step| matches!(step.ending, Ending::Passed));
        assert_eq!(of_trial(&fine, true), "");
    }
}
