//! What a task has to say at its end: text for people, the same as JSON for programs.

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

/// A size as people read it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A file that was made, as JSON.
pub fn made(path: &str, bytes: u64, sha256: &str) -> Value {
    json!({"path": path, "size": bytes, "sha256": sha256})
}
