//! Reports as the command line prints them: a file for each task turns its report into text, and JSON is the report
//! itself, serialised.

mod checks;
mod clean;
mod diff;
mod dist;
mod init;
mod lived;
mod lock;
mod rebuild;
mod rpm;
mod schema;
mod sign;
mod summary;
mod target;
pub(super) mod trial;
mod verify;
mod wheel;

use serde::Serialize;
use serde_json::Value;
use wheelhaul_host::Verbosity;

/// A report that the command line can print: as text by these functions, as JSON by its `Serialize`.
pub trait Shown: Serialize {
    /// What is printed on standard output.
    fn text(&self) -> String;

    /// What is printed there with `-q`, which asks for errors and findings only.
    fn quiet_text(&self) -> String {
        if self.findings() { self.text() } else { String::new() }
    }

    /// Whether the exit code is 1.
    fn findings(&self) -> bool {
        false
    }

    /// What is said on standard error after the result; never with `-q`.
    fn talk(&self, _verbosity: Verbosity) -> String {
        String::new()
    }

    /// The text with colours, for a terminal.
    fn paint(text: &str) -> String
    where
        Self: Sized,
    {
        text.to_owned()
    }
}

/// The JSON schema of `verify --schema`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct VerifySchema {
    pub(super) json_schema: Value,
}

impl Shown for VerifySchema {
    fn text(&self) -> String {
        format!("{:#}\n", self.json_schema)
    }

    fn quiet_text(&self) -> String {
        self.text()
    }
}

/// A report that is ready to be printed.
pub struct Printed {
    pub(super) text: String,
    pub(super) paint: fn(&str) -> String,
    /// called for `--format json` alone: a report can have 10,000 rows
    pub(super) json: Box<dyn FnOnce() -> serde_json::Result<Value>>,
    pub(super) findings: bool,
    pub(super) talk: String,
}

impl Printed {
    /// Makes a report ready.
    pub fn of<R: Shown + 'static>(report: R, verbosity: Verbosity) -> Self {
        let is_quiet = verbosity == Verbosity::Quiet;
        Self {
            text: if is_quiet { report.quiet_text() } else { report.text() },
            paint: R::paint,
            findings: report.findings(),
            talk: if is_quiet { String::new() } else { report.talk(verbosity) },
            json: Box::new(move || serde_json::to_value(report)),
        }
    }
}
