//! What a task has to say at its end: text for people, the same as JSON for programs.

pub use crate::review::size;
pub use crate::verify::count;
use serde_json::{Value, json};

/// The result of a task.
#[derive(Debug)]
pub struct Report {
    /// for standard output
    pub text: String,
    /// for `--format json`; an object
    pub json: Value,
    /// whether the exit code is 1
    pub findings: bool,
}

impl Report {
    /// A task that went well.
    pub fn fine(text: String, json: Value) -> Self {
        Self { text, json, findings: false }
    }
}

/// A file that was made, as JSON.
pub fn made(path: &str, bytes: u64, sha256: &str) -> Value {
    json!({"path": path, "size": bytes, "sha256": sha256})
}
