//! `cargo xtask schema`: the JSON Schema of `dist/package.toml`.

use serde::Serialize;
use serde_json::Value;

/// The schema.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// JSON Schema 2020-12
    pub schema: Value,
}

/// The task.
pub(crate) fn run() -> Report {
    Report { schema: wheelhaul_config::schema().clone() }
}
