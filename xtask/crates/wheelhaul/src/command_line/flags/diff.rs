//! The flags of `diff`.

use camino::Utf8PathBuf;
use clap::Args;
use wheelhaul_engine::diff::Options;

/// Show what an upgrade from one RPM to another changes, and first what to look at
///
/// Nothing is judged: what differs is no finding. Needs no repository.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// The RPM that is installed, or was delivered last
    #[arg(value_name = "OLD")]
    old: Utf8PathBuf,
    /// The RPM that takes its place
    #[arg(value_name = "NEW")]
    new: Utf8PathBuf,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { old: self.old.clone(), new: self.new.clone() }
    }
}
