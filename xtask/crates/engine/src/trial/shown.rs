//! What was lived through, to people and to programs.

use crate::trial::bench::Lived;
use crate::trial::steps::{Ending, Step, headline, word};
use serde_json::{Value, json};
use wheelhaul_base::text::line;
use wheelhaul_verify::review::{LivedStep, LivedThrough, Lot};

/// Whether the exit code is 1.
pub fn is_bad(lived: &Lived, strict: bool) -> bool {
    lived.steps.iter().any(|step| match step.ending {
        Ending::Failed { .. } => true,
        Ending::NotMade(_) => strict,
        // only after a failure
        Ending::Passed | Ending::Skipped(_) => false,
    })
}

/// For people.
///
/// - Takes: `quiet`, to show what failed or was not made alone.
/// - Gives: nothing where that is nothing.
pub fn text(lived: &Lived, quiet: bool) -> String {
    let is_shown = |step: &&Step| !quiet || matches!(step.ending, Ending::Failed { .. } | Ending::NotMade(_));
    let mut before: &[String] = &[];
    let mut text = String::new();
    for step in lived.steps.iter().filter(is_shown) {
        let mut lines = details(step);
        if let Ending::Failed { journal, .. } = &step.ending {
            lines.extend(journal_lines(before, journal));
            before = journal;
        }
        text.push_str(&format!("{}\n", headline(step)));
        text.extend(lines.iter().map(|said| line(&format!("                         {said}"))));
    }
    match text.is_empty() {
        true => text,
        false => line(&format!("  lived through in {}", lived.root)) + &text,
    }
}

/// What was seen or went wrong, but for the journal: a line each.
fn details(step: &Step) -> Vec<String> {
    let mut lines = step.notes.clone();
    match &step.ending {
        Ending::Passed => {}
        Ending::Skipped(why) => lines.push((*why).to_owned()),
        Ending::NotMade(why) => lines.push(why.clone()),
        Ending::Failed { causes, hints, .. } => {
            for (depth, cause) in causes.iter().enumerate() {
                let start = if depth == 0 { "" } else { "caused by: " };
                lines.extend(format!("{start}{cause}").lines().map(str::to_owned));
            }
            lines.extend(hints.iter().map(|hint| format!("cure: {hint}")));
        }
    }
    lines
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

/// For the page: without times, and so without the journal.
pub fn rows(lived: &Lived) -> LivedThrough {
    let result = |ending: &Ending| match ending {
        Ending::Passed => Lot::Passed,
        Ending::Failed { .. } => Lot::Failed,
        Ending::NotMade(_) => Lot::NotMade,
        Ending::Skipped(_) => Lot::Skipped,
    };
    let row = |step: &Step| LivedStep { name: step.name, lot: result(&step.ending), said: details(step) };
    LivedThrough { system: lived.system.clone(), booted: lived.booted, steps: lived.steps.iter().map(row).collect() }
}

/// For programs.
pub fn json(lived: &Lived) -> Value {
    let steps: Vec<Value> = lived.steps.iter().map(step_json).collect();
    json!({"root": lived.root, "booted": lived.booted, "steps": steps})
}

fn step_json(step: &Step) -> Value {
    let mut value = json!({
        "name": step.name,
        "result": word(&step.ending).to_lowercase(),
        "milliseconds": step.milliseconds,
        "notes": step.notes,
    });
    match &step.ending {
        Ending::Passed => {}
        Ending::Skipped(why) => value["why"] = json!(why),
        Ending::NotMade(why) => value["why"] = json!(why),
        Ending::Failed { causes, hints, journal } => {
            value["errors"] = json!(causes);
            value["hints"] = json!(hints);
            value["journal"] = json!(journal);
        }
    }
    value
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

    fn lived() -> Lived {
        let step = |name, ending| Step { name, ending, milliseconds: 7, notes: Vec::new() };
        let failed = |cause: &str| Ending::Failed {
            causes: vec![cause.to_owned()],
            hints: vec!["try".to_owned()],
            journal: lines("a b"),
        };
        let steps = vec![
            step("boot", Ending::NotMade("no systemd".to_owned())),
            step("install", Ending::Passed),
            step("start", failed("it ends")),
            step("answer", Ending::Skipped("it did not start before")),
            step("remove", failed("it stays")),
        ];
        Lived { root: "r.tar (Demo 9)".to_owned(), system: "Demo 9".to_owned(), booted: false, steps }
    }

    #[test]
    fn quiet_shows_what_failed_or_was_not_made() {
        let shown = |quiet| {
            let text = text(&lived(), quiet);
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
        assert_eq!(text(&fine, true), "");
    }

    #[test]
    fn the_page_gets_no_times() {
        let rows = rows(&lived());
        let said: Vec<String> = rows.steps.iter().map(|step| format!("{} {:?}", step.name, step.said)).collect();
        assert_eq!(said[2], r#"start ["it ends", "cure: try"]"#);
        assert!(said.iter().all(|line| !line.contains('7')), "{said:?}");
    }
}
