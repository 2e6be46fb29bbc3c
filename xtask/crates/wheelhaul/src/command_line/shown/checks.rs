//! `checks` for people: a line a check, or the whole explanation of one.

use super::Shown;
use wheelhaul_engine::checks::{ListedCheck, Report};

impl Shown for Report {
    fn text(&self) -> String {
        self.checks.iter().map(text).collect()
    }
}

fn text(check: &ListedCheck) -> String {
    let ListedCheck { name, when, is_always_made, reason, explanation } = check;
    match explanation {
        Some(explanation) => format!("{name}: {reason}\n\nMade: {when}.\n\n{explanation}\n"),
        None if *is_always_made => format!("{name:<12} {reason}\n"),
        None => format!("{name:<12} {reason} ({when})\n"),
    }
}
