//! What the installation test passed through.

use crate::review::Review;
use crate::{Verdict, count};
use serde::Serialize;

/// Lines of one step; `rpm -V` may have one for each file.
const MOST_LINES: usize = 40;

/// What was lived through on a throw-away machine. It has no time, no path of a host and no journal: the page of one RPM
/// stays the same.
#[derive(Debug, Clone)]
pub struct LivedThrough {
    /// what the machine's root is, `Red Hat Enterprise Linux 9.4`
    pub system: String,
    /// whether systemd was process 1
    pub booted: bool,
    /// in the order that they were made
    pub steps: Vec<LivedStep>,
}

/// A step of it.
#[derive(Debug, Clone)]
pub struct LivedStep {
    /// as the report of `trial` calls it
    pub name: &'static str,
    /// what came of it
    pub lot: Lot,
    /// what was seen, what went wrong, or why it was not made; texts of one line or more
    pub said: Vec<String>,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lot {
    /// made, and it went well
    Passed,
    /// made, and something went wrong
    Failed,
    /// not made for want of something on this host or in the root
    NotMade,
    /// not made after what failed
    Skipped,
}

#[derive(Debug, Serialize)]
pub(super) struct Lived {
    failed: bool,
    about: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// `ok`, `failed`, `unmade`
    state: &'static str,
    word: &'static str,
    said: Vec<String>,
}

impl Lot {
    fn state_and_word(self) -> (&'static str, &'static str) {
        match self {
            Self::Passed => ("ok", "passed"),
            Self::Failed => ("failed", Verdict::Failed.word()),
            Self::NotMade => ("unmade", Verdict::NotMade.word()),
            Self::Skipped => ("unmade", "skipped"),
        }
    }
}

impl Row {
    fn of(step: &LivedStep) -> Self {
        let (state, word) = step.lot.state_and_word();
        let lines: Vec<&str> = step.said.iter().flat_map(|text| text.lines()).collect();
        let mut said: Vec<String> = lines.iter().take(MOST_LINES).map(|line| (*line).to_owned()).collect();
        if lines.len() > MOST_LINES {
            said.push(format!("and {}", count(lines.len() - MOST_LINES, "more line")));
        }
        Self { name: step.name, state, word, said }
    }
}

impl Review {
    /// With what was lived through, which the verdict then counts.
    pub fn lived(mut self, lived: &LivedThrough) -> Self {
        let of = |lot: Lot| lived.steps.iter().filter(|step| step.lot == lot).map(|step| step.name).collect::<Vec<_>>();
        let (failed, not_made) = (of(Lot::Failed), of(Lot::NotMade));
        let line = match (failed.is_empty(), not_made.is_empty()) {
            (false, _) => format!("the installation test failed: {}", failed.join(", ")),
            (true, false) if !lived.booted => "the installation test was not made".to_owned(),
            (true, false) => format!("the installation test passed, but not made were: {}", not_made.join(", ")),
            (true, true) => "the installation test passed".to_owned(),
        };
        if !failed.is_empty() && self.state != "failed" {
            (self.state, self.word) = ("failed", "The installation test failed");
        } else if !not_made.is_empty() && self.state == "ok" {
            (self.state, self.word) = ("unmade", "No errors; not every step of the installation test could be made");
        }
        self.verdict = format!("{}; {line}", self.verdict);
        let about = match lived.booted {
            true => format!("On a throw-away machine without network, of {}, booted by its systemd.", lived.system),
            false => format!("Nothing of the package was run: {} could not be booted.", lived.system),
        };
        let rows = lived.steps.iter().map(Row::of).collect();
        Self { lived: Some(Lived { failed: !failed.is_empty(), about, rows }), ..self }
    }
}
