//! The flags of `dist`.

use crate::command_line::flags::rpm::BuildFlags;
use camino::Utf8PathBuf;
use clap::Args;
use clap::builder::{NonEmptyStringValueParser, TypedValueParser as _};
use wheelhaul_engine::dist::Options;

/// Do all of it: lock, fetch, wheel, RPM and verify for every target, then the bundle to carry over
///
/// The bundle, `dist/out/NAME-dist-VERSION.tar.gz`, has the RPMs with their SHA256SUMS, the locks, the same
/// as `requirements.<target>.txt` with hashes, INSTALL notes made for this package, what is in it as CycloneDX, and a
/// page for the reviewer, `report.<target>.html`.
/// Nothing is bundled that `verify` finds faulty. With `[sign] key` in `dist/package.toml`, gpg signs the RPMs, and the
/// public key travels in the bundle as RPM-GPG-KEY-NAME.
///
/// An RPM, a bundle and a verdict that would be those of an earlier run are not made again, once the files were found
/// whole; a verdict is so said. `cargo xtask verify` always judges anew, and after `cargo xtask clean` all is made anew.
/// Where the time and the bytes went is told at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask dist                      the main job\n  \
    cargo xtask dist --locked             in CI: fail if a lock is stale, instead of writing it\n  \
    cargo xtask dist --locked --offline   rebuild a commit from a filled `dist/wheels`, without a network\n  \
    cargo xtask dist --repo /srv/repo     and into a dnf repository, beside the releases that it has\n  \
    cargo xtask dist --no-sign            leave signing to the machine that has the key")]
pub(crate) struct Flags {
    /// Fail with exit code 1 if a lock is not what the team's lock says now, instead of making it anew
    #[arg(long)]
    locked: bool,
    /// Put the RPMs into the dnf repository in DIR too, which is made if it is not there, and signed when they are
    #[arg(long, value_name = "DIR", value_parser = NonEmptyStringValueParser::new().map(Utf8PathBuf::from))]
    repo: Option<Utf8PathBuf>,
    /// Sign nothing, although `dist/package.toml` names a key
    #[arg(long)]
    no_sign: bool,
    #[command(flatten)]
    build: BuildFlags,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { locked: self.locked, repo: self.repo.clone(), no_sign: self.no_sign, build: self.build.options() }
    }
}
