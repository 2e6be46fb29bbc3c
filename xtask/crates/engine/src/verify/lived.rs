//! What a package lived through on a machine: each step with its result, its time, and after a failure what finds the
//! cause.

use schemars::JsonSchema;
use serde::Serialize;
use wheelhaul_verify::review::{LivedStep, LivedThrough, Lot};

/// What a package lived through.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "trial")]
pub struct Trial {
    /// the root, and what it is
    pub root: String,
    /// what the root is, without where it lies
    #[serde(skip)]
    pub system: String,
    /// whether systemd was process 1
    pub booted: bool,
    /// in the order that they were made
    pub steps: Vec<TrialStep>,
}

/// A step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "step")]
pub struct TrialStep {
    /// `install`
    pub name: &'static str,
    /// what came of it
    #[serde(flatten)]
    pub ending: Ending,
    /// how long it took
    pub milliseconds: u64,
    /// what was seen, a line each
    pub notes: Vec<String>,
}

/// What came of a step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "result")]
pub enum Ending {
    /// it passed
    #[serde(rename = "ok")]
    Passed,
    /// it failed
    #[serde(rename = "failed")]
    Failed {
        /// the chain of causes, outermost first
        errors: Vec<String>,
        /// cures
        hints: Vec<String>,
        /// the last lines of the service's journal
        journal: Vec<String>,
    },
    /// on this host, or in this root, it cannot be made
    #[serde(rename = "not made")]
    NotMade {
        /// the reason
        why: String,
    },
    /// it cannot pass after what failed
    #[serde(rename = "skipped")]
    Skipped {
        /// the reason
        why: &'static str,
    },
}

impl Trial {
    /// Whether the exit code is 1; with `strict`, also for a step that could not be made.
    pub(super) fn is_bad(&self, strict: bool) -> bool {
        self.steps.iter().any(|step| match step.ending {
            Ending::Failed { .. } => true,
            Ending::NotMade { .. } => strict,
            // only after a failure
            Ending::Passed | Ending::Skipped { .. } => false,
        })
    }

    /// For the page: without times, and so without the journal.
    pub(super) fn for_page(&self) -> LivedThrough {
        let lot = |ending: &Ending| match ending {
            Ending::Passed => Lot::Passed,
            Ending::Failed { .. } => Lot::Failed,
            Ending::NotMade { .. } => Lot::NotMade,
            Ending::Skipped { .. } => Lot::Skipped,
        };
        let row = |step: &TrialStep| LivedStep { name: step.name, lot: lot(&step.ending), said: step.said() };
        LivedThrough { system: self.system.clone(), booted: self.booted, steps: self.steps.iter().map(row).collect() }
    }
}

impl TrialStep {
    /// `  ok            12 ms  start`
    pub fn headline(&self) -> String {
        let word = match self.ending {
            Ending::Passed => "ok",
            Ending::Failed { .. } => "FAILED",
            Ending::NotMade { .. } => "NOT MADE",
            Ending::Skipped { .. } => "skipped",
        };
        let time = match self.ending {
            Ending::Passed | Ending::Failed { .. } => format!("{:>6} ms", self.milliseconds),
            Ending::NotMade { .. } | Ending::Skipped { .. } => " ".repeat(9),
        };
        format!("  {word:<9} {time}  {}", self.name)
    }

    /// What was seen or went wrong, but for the journal: a line each.
    pub fn said(&self) -> Vec<String> {
        let mut lines = self.notes.clone();
        match &self.ending {
            Ending::Passed => {}
            Ending::Skipped { why } => lines.push((*why).to_owned()),
            Ending::NotMade { why } => lines.push(why.clone()),
            Ending::Failed { errors, hints, .. } => {
                for (depth, cause) in errors.iter().enumerate() {
                    let start = if depth == 0 { "" } else { "caused by: " };
                    lines.extend(format!("{start}{cause}").lines().map(str::to_owned));
                }
                lines.extend(hints.iter().map(|hint| format!("cure: {hint}")));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lived() -> Trial {
        let step = |name, ending| TrialStep { name, ending, milliseconds: 7, notes: Vec::new() };
        let failed = |cause: &str| Ending::Failed {
            errors: vec![cause.to_owned()],
            hints: vec!["try".to_owned()],
            journal: vec!["a".to_owned(), "b".to_owned()],
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
    fn the_page_gets_no_times() {
        let rows = lived().for_page();
        let said: Vec<String> = rows.steps.iter().map(|step| format!("{} {:?}", step.name, step.said)).collect();
        assert_eq!(said[2], r#"start ["it ends", "cure: try"]"#);
        assert!(said.iter().all(|line| !line.contains('7')), "{said:?}");
    }

    #[test]
    fn a_step_says_in_json_what_came_of_it() {
        let steps = serde_json::to_value(lived()).unwrap()["steps"].take();
        let expected = serde_json::json!([
            {"name": "boot", "result": "not made", "milliseconds": 7, "notes": [], "why": "no systemd"},
            {"name": "install", "result": "ok", "milliseconds": 7, "notes": []},
            {"name": "start", "result": "failed", "milliseconds": 7, "notes": [], "errors": ["it ends"],
             "hints": ["try"], "journal": ["a", "b"]},
            {"name": "answer", "result": "skipped", "milliseconds": 7, "notes": [], "why": "it did not start before"},
            {"name": "remove", "result": "failed", "milliseconds": 7, "notes": [], "errors": ["it stays"],
             "hints": ["try"], "journal": ["a", "b"]},
        ]);
        assert_eq!(steps, expected);
    }
}
