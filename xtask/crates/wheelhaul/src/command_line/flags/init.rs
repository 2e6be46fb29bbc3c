//! The flags of `init`.

use clap::{Args, ValueEnum};
use wheelhaul_engine::init;
use wheelhaul_engine::init::Options;

/// Set this tool up in a repository: write `dist/package.toml` from what is there
///
/// Looks for the lock, the project file, the application's object and its server, config files, example variables,
/// migrations and a Procfile. Asks on a terminal for what it cannot see, and before it writes. Adds to `.gitignore` the
/// lines by which the configuration and the locks are committed, to `.pre-commit-config.yaml` the hook that compares
/// the locks, and writes a pipeline where the repository has those of GitHub or GitLab.
///
/// A file that is there is never overwritten: what it lacks is said. Where files do not tell which Python the lock is
/// for, the index is asked which is the newest of the box that every locked package has a file for.
#[derive(Debug, Args)]
#[command(
    after_help = "Boxes are chosen by `--target`, el9-x86_64 if none is given; `cargo xtask target` shows them.\n\n\
    Examples:\n  cargo xtask init                                look, ask, write\n  \
    cargo xtask init --yes --target el8-x86_64      ask nothing\n  \
    cargo xtask init --cargo --from ../wheelhaul    with a small `xtask/` that depends on this tool"
)]
pub(crate) struct Flags {
    /// Ask nothing: take what was found
    #[arg(short, long)]
    yes: bool,
    /// Ask no index for the Python
    #[arg(long)]
    offline: bool,
    /// Write a `.pre-commit-config.yaml` where there is none
    #[arg(long)]
    hook: bool,
    /// Write this pipeline, where the repository has none yet
    #[arg(long, value_enum, value_name = "SERVICE")]
    ci: Option<Service>,
    /// Write `xtask/` of a few lines and its alias, for `cargo xtask`
    #[arg(long)]
    cargo: bool,
    /// What that depends on: the folder of this tool's library, or `URL#TAG` of its git repository
    #[arg(long, value_name = "PLACE", requires = "cargo")]
    from: Option<String>,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options {
            yes: self.yes,
            offline: self.offline,
            hook: self.hook,
            ci: self.ci.map(Into::into),
            cargo: self.cargo,
            from: self.from.clone(),
        }
    }
}

/// Who runs pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    Github,
    Gitlab,
}

impl From<Service> for init::CiService {
    fn from(service: Service) -> Self {
        match service {
            Service::Github => Self::Github,
            Service::Gitlab => Self::Gitlab,
        }
    }
}
