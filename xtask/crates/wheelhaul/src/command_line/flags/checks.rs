//! The flags of `checks`.

use clap::Args;
use wheelhaul_engine::checks::Options;

/// List the checks of `verify` with their reasons, or explain one of them
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Tell why this check is made, and what to do about its findings
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { name: self.name.clone() }
    }
}
