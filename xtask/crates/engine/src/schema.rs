//! `cargo xtask schema`: the JSON Schema of `dist/package.toml`.

use crate::report::Report;
use serde_json::json;

/// The task.
pub fn run() -> Report {
    let schema = wheelhaul_config::schema();
    Report::fine(format!("{schema:#}\n"), json!({"schema": schema}))
}
