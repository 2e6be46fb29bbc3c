//! `cargo xtask schema`: the JSON Schema of `dist/package.toml`.

use crate::commands::report::Report;
use clap::Args;
use serde_json::json;

/// Print the JSON Schema of `dist/package.toml`
///
/// Editors complete and check the file with it, where its first line names the schema: `#:schema package.schema.json`
/// (Even Better TOML, Taplo, Tombi). It is made from the types that this tool reads the file into. Works outside of a
/// repository too.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask schema > dist/package.schema.json")]
pub struct Flags {}

/// The task.
pub fn run() -> Report {
    let schema = wheelhaul_config::schema();
    Report::fine(format!("{schema:#}\n"), json!({"schema": schema}))
}
