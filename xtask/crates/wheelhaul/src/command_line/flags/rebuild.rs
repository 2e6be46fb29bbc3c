//! The flags of `rebuild`.

use camino::Utf8PathBuf;
use clap::Args;
use wheelhaul_engine::rebuild::Options;

/// See whether a repository makes finished RPMs again, byte for byte but for a signature
///
/// The repository is built with its own build backend; its `dist/out` is left alone. What differs is shown with the
/// likely reasons, and makes the exit code 1.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// A checkout of the commit that they were made from
    #[arg(value_name = "DIR")]
    folder: Utf8PathBuf,
    /// RPMs that this tool made
    #[arg(value_name = "FILE", required = true)]
    rpms: Vec<Utf8PathBuf>,
    /// Start no program that reaches the network
    #[arg(long)]
    offline: bool,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { folder: self.folder.clone(), rpms: self.rpms.clone(), offline: self.offline }
    }
}
