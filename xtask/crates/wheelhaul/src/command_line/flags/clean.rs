//! The flags of `clean`.

use clap::Args;
use wheelhaul_engine::clean::Options;

/// Remove what the tool keeps between runs and can make again
///
/// From `xtask` in the user's cache folder, which all repositories share: the compressed pieces of payloads, and what
/// interpreters and shells said. From `target/xtask` of the repository, where there is one: byte-code, notes of what was
/// made, verified and read. From both, what killed runs left behind; not what a run works with at this moment. The next
/// `dist` makes the same bytes, only slower.
///
/// Wheels, RPMs, bundles and the private uv and pip stay, unless they are asked for. Only files of names that the tool gives
/// are removed. No link is followed, and none is removed; a folder that somebody else can write is left alone, and that is
/// said. What is not there is no error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask clean --dry-run           how much it is\n  \
    cargo xtask clean                     outside of a repository too: the user's cache alone\n  \
    cargo xtask clean --pieces            compress everything anew\n  \
    cargo xtask clean --out --wheels      as after a fresh clone, but for the private tools")]
pub(crate) struct Flags {
    /// Say what would go, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Only the compressed pieces
    #[arg(long, conflicts_with_all = ["wheels", "out", "tools"])]
    pieces: bool,
    /// Also the wheels in `dist/wheels`, which then are fetched again
    #[arg(long)]
    wheels: bool,
    /// Also what is in `dist/out` and `dist/rpmbuild`
    #[arg(long)]
    out: bool,
    /// Also the private uv, pip and other tools in `target/xtask`, which then are installed again
    #[arg(long)]
    tools: bool,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { dry_run: self.dry_run, pieces: self.pieces, wheels: self.wheels, out: self.out, tools: self.tools }
    }
}
