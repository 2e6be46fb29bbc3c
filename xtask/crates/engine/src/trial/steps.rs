//! The steps that were made: each with its result, its time, and after a failure what finds the cause.

use crate::verify::{Ending, TrialStep};
use std::time::{Duration, Instant};
use wheelhaul_host::Sys;

/// What a step that passed saw.
pub(super) type Notes = Vec<String>;

/// The steps on one machine.
#[derive(Debug)]
pub(super) struct Steps<'a> {
    sys: &'a Sys,
    made: Vec<TrialStep>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(sys: &'a Sys) -> Self {
        Self { sys, made: Vec::new() }
    }

    /// Makes a step.
    ///
    /// - Takes: `journal`, asked for its last lines after a failure.
    /// - Gives: whether it passed.
    pub(super) fn make(
        &mut self,
        name: &'static str,
        journal: impl FnOnce() -> Vec<String>,
        step: impl FnOnce() -> anyhow::Result<Notes>,
    ) -> bool {
        let spinner = self.sys.spinner(name);
        let started = Instant::now();
        let outcome = step();
        let milliseconds = milliseconds(started.elapsed());
        spinner.finish_and_clear();
        let (ending, notes) = match outcome {
            Ok(notes) => (Ending::Passed, notes),
            Err(error) => {
                let errors = error.chain().map(ToString::to_string).collect();
                let hints = wheelhaul_base::problem::hints_of(&error);
                (Ending::Failed { errors, hints, journal: journal() }, Vec::new())
            }
        };
        let passed = matches!(ending, Ending::Passed);
        self.add(TrialStep { name, ending, milliseconds, notes });
        passed
    }

    /// Notes a step that was made elsewhere.
    pub(super) fn passed(&mut self, name: &'static str, took: Duration, notes: Notes) {
        self.add(TrialStep { name, ending: Ending::Passed, milliseconds: milliseconds(took), notes });
    }

    /// Notes a step that cannot be made here.
    pub(super) fn not_made(&mut self, name: &'static str, why: impl Into<String>) {
        self.add(TrialStep { name, ending: Ending::NotMade { why: why.into() }, milliseconds: 0, notes: Vec::new() });
    }

    /// Notes steps that cannot pass any more.
    pub(super) fn skip(&mut self, names: &[&'static str], why: &'static str) {
        for name in names {
            self.add(TrialStep { name, ending: Ending::Skipped { why }, milliseconds: 0, notes: Vec::new() });
        }
    }

    /// Notes a step, and says it at once: a log that stands still for minutes looks dead.
    fn add(&mut self, step: TrialStep) {
        self.sys.say(step.headline());
        self.made.push(step);
    }

    pub(super) fn finish(self) -> Vec<TrialStep> {
        self.made
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
