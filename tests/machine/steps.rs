//! The test's report: one line a step, and after a failure all that is needed to find its cause.

use std::time::Instant;

use anyhow::bail;

use super::Machine;

/// Runs steps and counts the failed ones.
#[derive(Debug, Default)]
pub struct Steps<'m> {
    /// Of the machine: several run at once, and their lines mix.
    machine: &'static str,
    /// Machine and unit whose journal is shown after a failure.
    watched: Option<(&'m Machine, String)>,
    /// What was last shown of that journal.
    shown: String,
    run: usize,
    failed: Vec<String>,
}

impl<'m> Steps<'m> {
    /// The steps on one machine.
    pub fn on(machine: &'static str) -> Self {
        Self { machine, ..Self::default() }
    }

    /// From now on a failure shows the end of this unit's journal.
    pub fn watch(&mut self, machine: &'m Machine, unit: &str) {
        self.watched = Some((machine, unit.to_owned()));
    }

    /// A step that the rest cannot do without.
    pub fn must<T>(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        match self.time(name, step) {
            Some(value) => Ok(value),
            None => bail!("nothing can be tested after `{name}`; {}", self.summary()),
        }
    }

    /// A step after whose failure the rest still makes sense.
    pub fn check(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) {
        self.time(name, step);
    }

    /// Fails if any step did, naming all that did.
    pub fn finish(self) -> anyhow::Result<()> {
        if !self.failed.is_empty() {
            bail!(self.summary());
        }
        println!("{}: all {} steps passed", self.machine, self.run);
        Ok(())
    }

    fn time<T>(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<T>) -> Option<T> {
        let started = Instant::now();
        let outcome = step();
        let millis = started.elapsed().as_millis();
        self.run += 1;
        match outcome {
            Ok(value) => {
                println!("{}  ok      {millis:>6} ms  {name}", self.machine);
                Some(value)
            }
            Err(error) => {
                let mut text =
                    format!("{}  FAILED  {millis:>6} ms  {name}\n", self.machine) + &indented(&error.to_string());
                for cause in error.chain().skip(1) {
                    text += &indented(&format!("caused by: {cause}"));
                }
                // in one piece, or another machine's lines get between
                print!("{text}{}", self.journal());
                self.failed.push(name.to_owned());
                None
            }
        }
    }

    /// The end of the watched journal, unless that was shown before.
    fn journal(&mut self) -> String {
        let Some((machine, unit)) = &self.watched else {
            return String::new();
        };
        let tail = machine.text(&["journalctl", "--no-pager", "--quiet", "--lines=40", "--unit", unit]);
        match tail {
            Ok(lines) if lines.is_empty() => indented(&format!("no journal of {unit}")),
            Ok(lines) if lines == self.shown => indented(&format!("journal of {unit}: as above")),
            Ok(lines) => {
                let text = indented(&format!("journal of {unit}:\n{lines}"));
                self.shown = lines;
                text
            }
            Err(error) => indented(&format!("the journal cannot be read: {error:#}")),
        }
    }

    fn summary(&self) -> String {
        let names: String = self.failed.iter().map(|name| format!("\n  - {name}")).collect();
        format!("{} of {} steps failed (details above):{names}", self.failed.len(), self.run)
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}\n")).collect()
}
