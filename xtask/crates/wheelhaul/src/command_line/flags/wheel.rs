//! The flags of `wheel`.

use clap::Args;
use wheelhaul_engine::wheel::Options;

/// Build the application's wheel, reproducibly
///
/// Copies what git knows of `app.path` into a fresh folder, with the permissions and line ends that git stores and
/// not those of this host, and lets `uv build --wheel` build it with SOURCE_DATE_EPOCH from the commit. So neither
/// build litter nor ignored files get in. The archive is then written anew, with modes and times by rule: it is the
/// same from every host. With nothing changed, the wheel on disk is kept.
///
/// A wheel that is tagged for this host is refused: the box may be another.
#[derive(Debug, Args)]
#[command(
    after_help = "Pin the build backend in `pyproject.toml` (`requires = [\"setuptools==…\"]`): another version\n\
    of it makes other bytes."
)]
pub(crate) struct Flags {
    /// Start no program that reaches the network: the build backend must be in `dist/wheels/tools`
    #[arg(long)]
    offline: bool,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { offline: self.offline }
    }
}
