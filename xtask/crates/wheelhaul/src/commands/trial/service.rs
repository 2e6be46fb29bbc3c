//! The service on a machine: started, stopped and asked, by systemd or by what stands in for it.

use crate::commands::trial::unit::Place;
use crate::machine::{Kind, Machine};
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::cell::{Cell, RefCell};
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Lines of the journal that a failure shows.
const MOST_LINES: &str = "40";
/// From start to the first answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// The same, where it was asked in vain before.
const SHORT_LIMIT: Duration = Duration::from_secs(5);
/// How long it is asked before somebody looks whether it still runs: seconds.
const ANSWER_ROUND: &str = "3";
/// For the stand-in to start or stop the service.
const STAND_IN_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
const STATE: &str = "/run/stand-in.state";

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
pub struct Service<'m> {
    pub machine: &'m Machine,
    pub name: &'m str,
    /// the package's own interpreter, on the machine
    pub python: &'m str,
    stand_in: RefCell<Option<Child>>,
    /// what the service wrote, where no journal does
    log: NamedTempFile,
    starts: Cell<u32>,
    /// whether it was asked in vain, the last time
    is_silent: Cell<bool>,
}

impl<'m> Service<'m> {
    /// - Takes: `folder`, where what it writes is kept.
    pub fn new(
        machine: &'m Machine,
        name: &'m str,
        python: &'m str,
        folder: &camino::Utf8Path,
    ) -> anyhow::Result<Self> {
        let log = tempfile::Builder::new().prefix("service-").tempfile_in(folder)?;
        Ok(Self {
            machine,
            name,
            python,
            stand_in: RefCell::new(None),
            log,
            starts: Cell::new(0),
            is_silent: Cell::new(false),
        })
    }

    fn is_booted(&self) -> bool {
        self.machine.kind() == Kind::Booted
    }

    fn unit(&self) -> String {
        format!("{}.service", self.name)
    }

    pub fn start(&self) -> anyhow::Result<()> {
        if self.is_booted() {
            return self.machine.text(&["systemctl", "start", &self.unit()]).map(drop);
        }
        self.machine.text(&["rm", "-f", STATE])?;
        let command = [self.python, "-I", "/mnt/stand_in.py", self.name];
        let log = self.log.reopen()?;
        *self.stand_in.borrow_mut() = Some(self.machine.spawn(&command, append(log)?)?);
        self.starts.set(self.starts.get() + 1);
        let began = Instant::now();
        loop {
            match self.stand_in_state()? {
                Some(state) if state == "started" => return Ok(()),
                Some(state) => bail!("{state}"),
                None if began.elapsed() > STAND_IN_LIMIT => bail!("it had not started after {STAND_IN_LIMIT:?}"),
                None => {
                    if let Some(child) = self.stand_in.borrow_mut().as_mut()
                        && let Some(status) = child.try_wait()?
                        && self.stand_in_state()?.is_none()
                    {
                        bail!("what runs the service in place of systemd ended ({status})");
                    }
                }
            }
            std::thread::sleep(POLL);
        }
    }

    fn stand_in_state(&self) -> anyhow::Result<Option<String>> {
        let ended = self.machine.run(&["cat", STATE])?;
        Ok(ended.succeeded().then(|| ended.stdout.trim().to_owned()))
    }

    pub fn stop(&self) -> anyhow::Result<()> {
        if self.is_booted() {
            return self.machine.text(&["systemctl", "stop", &self.unit()]).map(drop);
        }
        let Some(mut child) = self.stand_in.borrow_mut().take() else { return Ok(()) };
        // one that has ended by itself is as good
        self.machine.run(&["sh", "-c", "kill -TERM $(cat /run/stand-in.pid)"])?;
        let began = Instant::now();
        while child.try_wait()?.is_none() {
            ensure!(began.elapsed() < STAND_IN_LIMIT, "it had not stopped after {STAND_IN_LIMIT:?}");
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    pub fn restart(&self) -> anyhow::Result<()> {
        if self.is_booted() {
            return self.machine.text(&["systemctl", "restart", &self.unit()]).map(drop);
        }
        self.stop()?;
        self.start()
    }

    /// Changes with every start.
    pub fn invocation(&self) -> anyhow::Result<String> {
        match self.is_booted() {
            true => self.machine.property(&self.unit(), "InvocationID"),
            false => Ok(self.starts.get().to_string()),
        }
    }

    /// Whether it runs.
    pub fn is_active(&self) -> anyhow::Result<bool> {
        match self.is_booted() {
            true => Ok(self.machine.property(&self.unit(), "ActiveState")? == "active"),
            false => Ok(self.stand_in_state()?.is_some_and(|state| state == "started")),
        }
    }

    /// Whether it runs, or is on the way there.
    fn may_answer(&self) -> anyhow::Result<bool> {
        match self.is_booted() {
            true => Ok(!matches!(self.machine.property(&self.unit(), "ActiveState")?.as_str(), "failed" | "inactive")),
            false => self.is_active(),
        }
    }

    /// Its last lines; what cannot be had is said in a line.
    pub fn journal(&self) -> Vec<String> {
        let text = match self.is_booted() {
            true => {
                let unit = self.unit();
                let words = ["journalctl", "--no-pager", "--quiet", "--output=short", "--lines", MOST_LINES, "--unit"];
                self.machine.text(&[&words[..], &[&unit]].concat())
            }
            false => fs_err::read(self.log.path())
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(Into::into),
        };
        let text = text.unwrap_or_else(|error| format!("the journal cannot be read: {error:#}"));
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(40)..].to_vec()
    }

    /// What the journal has of its unit at the level of errors and above.
    pub fn errors(&self) -> anyhow::Result<Vec<String>> {
        let unit = self.unit();
        let words = ["journalctl", "--quiet", "--no-pager", "--priority=err", "--unit", &unit];
        Ok(self.machine.text(&words)?.lines().map(str::to_owned).collect())
    }

    /// Asks for `/` until there is an answer; any code below 500 is one.
    pub fn asks(&self, place: &Place) -> anyhow::Result<Vec<String>> {
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
    pub fn is_closed(&self, place: &Place) -> anyhow::Result<bool> {
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

/// Of a stand-in that is still there when something failed, the machine's end is the end.
impl Drop for Service<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.stand_in.borrow_mut().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn append(mut log: std::fs::File) -> anyhow::Result<std::fs::File> {
    use std::io::Seek as _;
    log.seek(std::io::SeekFrom::End(0))?;
    Ok(log)
}
