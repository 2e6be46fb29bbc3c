//! The service on a machine: started, stopped and asked.

use crate::trial::unit::Place;
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::cell::Cell;
use std::time::{Duration, Instant};
use wheelhaul_trial::Machine;

/// Lines of the journal that a failure shows.
const MOST_LINES: &str = "40";
/// From start to the first answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// The same, where it was asked in vain before.
const SHORT_LIMIT: Duration = Duration::from_secs(5);
/// How long it is asked before somebody looks whether it still runs: seconds.
const ANSWER_ROUND: &str = "3";

/// What `ask.py` writes.
#[derive(Debug, Deserialize)]
struct Answer {
    code: Option<u16>,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    names: Vec<String>,
    unnamed: Option<String>,
    error: Option<String>,
}

/// The service of a package on a machine.
pub(super) struct Service<'m> {
    pub machine: &'m Machine,
    pub name: &'m str,
    /// the package's own interpreter, on the machine
    pub python: &'m str,
    /// whether it was asked in vain, the last time
    is_silent: Cell<bool>,
}

impl<'m> Service<'m> {
    pub(super) fn new(machine: &'m Machine, name: &'m str, python: &'m str) -> Self {
        Self { machine, name, python, is_silent: Cell::new(false) }
    }

    fn unit(&self) -> String {
        format!("{}.service", self.name)
    }

    pub(super) fn start(&self) -> anyhow::Result<()> {
        self.machine.text(&["systemctl", "start", &self.unit()]).map(drop)
    }

    pub(super) fn stop(&self) -> anyhow::Result<()> {
        self.machine.text(&["systemctl", "stop", &self.unit()]).map(drop)
    }

    pub(super) fn restart(&self) -> anyhow::Result<()> {
        self.machine.text(&["systemctl", "restart", &self.unit()]).map(drop)
    }

    /// Changes with every start.
    pub(super) fn invocation(&self) -> anyhow::Result<String> {
        self.machine.property(&self.unit(), "InvocationID")
    }

    /// Whether it runs.
    pub(super) fn is_active(&self) -> anyhow::Result<bool> {
        Ok(self.machine.property(&self.unit(), "ActiveState")? == "active")
    }

    /// Whether it runs, or is on the way there.
    fn may_answer(&self) -> anyhow::Result<bool> {
        Ok(!matches!(self.machine.property(&self.unit(), "ActiveState")?.as_str(), "failed" | "inactive"))
    }

    /// Its last lines; what cannot be had is said in a line.
    pub(super) fn journal(&self) -> Vec<String> {
        let unit = self.unit();
        let words = ["journalctl", "--no-pager", "--quiet", "--output=short", "--lines", MOST_LINES, "--unit", &unit];
        let text = self.machine.text(&words).unwrap_or_else(|error| format!("the journal cannot be read: {error:#}"));
        text.lines().map(str::to_owned).collect()
    }

    /// What the journal has of its unit at the level of errors and above.
    pub(super) fn errors(&self) -> anyhow::Result<Vec<String>> {
        let unit = self.unit();
        let words = ["journalctl", "--quiet", "--no-pager", "--priority=err", "--unit", &unit];
        Ok(self.machine.text(&words)?.lines().map(str::to_owned).collect())
    }

    /// Asks for `/` until there is an answer; any code below 500 is one.
    pub(super) fn asks(&self, place: &Place) -> anyhow::Result<Vec<String>> {
        let limit = if self.is_silent.get() { SHORT_LIMIT } else { ANSWER_LIMIT };
        let answered = self.asks_within(place, limit);
        self.is_silent.set(answered.is_err());
        answered
    }

    fn asks_within(&self, place: &Place, limit: Duration) -> anyhow::Result<Vec<String>> {
        let began = Instant::now();
        let answer = loop {
            let answer = self.ask(place, ANSWER_ROUND)?;
            let Some(error) = &answer.error else { break answer };
            ensure!(self.may_answer()?, "no answer at {place}, and the service has ended: {error}");
            ensure!(began.elapsed() < limit, "no answer at {place} for {} seconds: {error}", limit.as_secs());
        };
        let code = answer.code.context("no code in the answer")?;
        ensure!(code < 500, "{place} answered with {code}");
        let kind = if answer.kind.is_empty() { String::new() } else { format!(", {}", answer.kind) };
        let mut notes = vec![format!("{place} answered with {code}{kind}")];
        if !answer.names.is_empty() {
            notes.push(format!("its certificate is for {}", answer.names.join(", ")));
        }
        notes.extend(answer.unnamed.map(|why| format!("the names of its certificate cannot be read: {why}")));
        Ok(notes)
    }

    /// Whether nothing answers any more.
    pub(super) fn is_closed(&self, place: &Place) -> anyhow::Result<bool> {
        Ok(self.ask(place, "0")?.code.is_none())
    }

    fn ask(&self, place: &Place, seconds: &str) -> anyhow::Result<Answer> {
        let port = place.port.to_string();
        let words = [self.python, "-I", "/mnt/ask.py", &place.address, &port, seconds];
        let tls = if place.tls { &["tls"][..] } else { &[] };
        let said = self.machine.text(&[&words[..], tls].concat())?;
        serde_json::from_str(&said).with_context(|| format!("the question ended with `{said}`"))
    }
}
