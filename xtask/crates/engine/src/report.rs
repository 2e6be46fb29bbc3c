//! What a task has to say at its end: text for people, the same as JSON for programs.

use serde_json::{Value, json};
pub use wheelhaul_verify::count;
pub use wheelhaul_verify::review::size;

/// The result of a task.
#[derive(Debug)]
pub struct Report {
    /// for standard output
    pub text: String,
    /// for `--format json`; an object
    pub json: Value,
    /// whether the exit code is 1
    pub findings: bool,
    /// what is said on standard error after it, unless `-q` is given
    pub talk: String,
}

impl Report {
    /// A task that went well.
    pub fn fine(text: String, json: Value) -> Self {
        Self { text, json, findings: false, talk: String::new() }
    }

    /// The same as a finding.
    pub fn found(text: String, json: Value) -> Self {
        Self { findings: true, ..Self::fine(text, json) }
    }

    /// The same with something to be said after it.
    pub fn saying(self, talk: String) -> Self {
        Self { talk, ..self }
    }
}

/// A file that was made, as JSON.
pub fn made(path: &str, bytes: u64, sha256: &str) -> Value {
    json!({"path": path, "size": bytes, "sha256": sha256})
}
