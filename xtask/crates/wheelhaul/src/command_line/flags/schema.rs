//! The flags of `schema`.

use clap::Args;

/// Print the JSON Schema of `dist/package.toml`
///
/// Editors complete and check the file with it, where its first line names the schema: `#:schema package.schema.json`
/// (Even Better TOML, Taplo, Tombi). It is made from the types that this tool reads the file into. Works outside of a
/// repository too.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask schema > dist/package.schema.json")]
pub(crate) struct Flags {}
