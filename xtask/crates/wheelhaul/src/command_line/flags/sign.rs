//! The flags of `sign`.

use camino::Utf8PathBuf;
use clap::Args;
use wheelhaul_engine::sign::Options;

/// Sign finished RPMs of any builder in place, through your gpg; needs no repository
///
/// gpg signs the header, which has the payload's digest, with your agent, smart card or HSM. The signature goes into
/// the signature header, in place of any other, and all else stays byte for byte. A signature holds the time when it
/// was made.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask sign dist/out/*.rpm                 what `dist --no-sign` left\n  \
    cargo xtask sign a.rpm --key ops@corp.example   anywhere, any RPM of format 4")]
pub(crate) struct Flags {
    /// RPMs to sign
    #[arg(value_name = "FILE", required = true)]
    rpms: Vec<Utf8PathBuf>,
    /// The key to sign with, as gpg takes it; `[sign] key` of `dist/package.toml` if not given
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { rpms: self.rpms.clone(), key: self.key.clone() }
    }
}
