//! The flags of `rpm`.

use clap::{Args, ValueEnum};
use wheelhaul_config::LEVELS;
use wheelhaul_engine::builder;
use wheelhaul_engine::builder::BuildOptions;
use wheelhaul_engine::rpm::Options;

/// Write an RPM for each target into `dist/out`
///
/// Takes the committed locks as they are. Fetches, through pip, the wheels that `dist/wheels` lacks; builds
/// the application's wheel; and streams both into the RPM in one pass. Each file is checked against its
/// wheel's RECORD on the way, each wheel against its lock. Two builds of one commit are equal byte for byte.
#[derive(Debug, Args)]
#[command(
    after_help = "Look at the result with `rpm -qip`, `rpm -qlp` and `rpm -K`; judge it with `cargo xtask verify`; sign it \
        with `cargo xtask sign`."
)]
pub(crate) struct Flags {
    #[command(flatten)]
    build: BuildFlags,
    /// Print the spec of each target and write no RPM
    #[arg(long, conflicts_with_all = ["builder", "source"])]
    spec_only: bool,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { build: self.build.options() }
    }

    /// Whether specs are printed, and no RPM is written.
    pub(crate) fn wants_specs(&self) -> bool {
        self.spec_only
    }
}

/// How RPMs are built; also of `dist`.
#[derive(Debug, Clone, Args)]
pub(crate) struct BuildFlags {
    /// Start no program that reaches the network: every wheel must be in `dist/wheels`, and what builds the application in
    /// `dist/wheels/tools`
    #[arg(long)]
    offline: bool,
    /// Compression level of the payload, instead of `package.compression-level`: 1 to 19 for zstd (el9 and later; 9 if
    /// neither is given), 1 to 9 for gzip (el7, el8; 6), where larger files stay as their wheels have them deflated
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(i64::from(*LEVELS.start())..=i64::from(*LEVELS.end())))]
    level: Option<i32>,
    /// What writes the RPM
    #[arg(long, value_enum, default_value_t = Builder::Native, value_name = "BUILDER")]
    builder: Builder,
    /// Let rpmbuild write a source package beside each RPM, which `rpmbuild --rebuild` turns into it again
    #[arg(long)]
    source: bool,
}

impl BuildFlags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> BuildOptions {
        BuildOptions { offline: self.offline, level: self.level, builder: self.builder.into(), source: self.source }
    }
}

/// What writes the RPM; files, owners, scriptlets and dependencies are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Builder {
    /// this tool, in one pass
    Native,
    /// the real rpmbuild, from a spec and sources below `dist/rpmbuild`
    Rpmbuild,
}

impl From<Builder> for builder::Builder {
    fn from(builder: Builder) -> Self {
        match builder {
            Builder::Native => Self::Native,
            Builder::Rpmbuild => Self::Rpmbuild,
        }
    }
}
