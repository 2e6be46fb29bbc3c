//! The flags of `lock`.

use clap::Args;
use pep508_rs::PackageName;
use wheelhaul_boxes::Requirement;
use wheelhaul_engine::lock::Options;

/// Filter the team's lock for each target and write `dist/pylock.<target>.toml`
///
/// Judges every marker for the target, never for this host; asks the index, through uv, for the files of
/// the pins that are left; and takes for each the one wheel that fits best, whose sha256 must be among the
/// team's hashes where their lock has any. Then fetches the wheels and walks what they require: a dependency
/// that the lock lacks, or has at a version that will not do, is named with who wants it. Commit the result:
/// everything after it is a function of it.
///
/// With nothing changed it asks nobody, starts no program but git and writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask lock                      write the locks of all targets\n  \
    cargo xtask lock -v                   also show what was dropped, and for which marker\n  \
    cargo xtask lock --check              for pre-commit and CI: exit code 1 if a lock is stale\n  \
    cargo xtask lock --explain numpy      why this file of numpy, or why none\n  \
    cargo xtask lock --upgrade            newer releases, with wheels that fit every target\n\n\
    The team's lock is `app.lock` in `dist/package.toml`. Extras and dependency groups that go on the box \
    are `app.extras` and `app.groups` there; groups for development stay out. A package without a wheel is \
    built from its sdist where `[sdist] build = [\"NAME\"]` allows it and this host has the target's Python.")]
pub(crate) struct Flags {
    /// Write nothing; fail with exit code 1 if a lock on disk is not what the team's lock says now, or if the
    /// team's own tool would call theirs stale
    #[arg(long, conflicts_with = "refresh")]
    check: bool,
    /// Ask the index again and choose anew, even where nothing changed
    #[arg(long)]
    refresh: bool,
    /// Fail rather than ask the index
    #[arg(long, conflicts_with = "refresh")]
    offline: bool,
    /// First make the team's lock anew: `Pipfile.lock`, `poetry.lock`, `pdm.lock` and `uv.lock` by their own tool;
    /// requirements with hashes by uv, for every target, from `requirements.in`, `pyproject.toml` or `Pipfile`
    #[arg(long, conflicts_with_all = ["check", "offline"])]
    upgrade: bool,
    /// Write nothing; tell of one package every file with the reason it was taken or not, its marker with the
    /// values on the box, and who needs it
    #[arg(long, value_name = "PACKAGE", conflicts_with_all = ["check", "refresh", "offline", "upgrade"])]
    explain: Option<Requirement>,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { check: self.check, refresh: self.refresh, offline: self.offline, upgrade: self.upgrade }
    }

    /// The package that is to be explained, in place of all else.
    pub(crate) fn explained(&self) -> Option<&PackageName> {
        self.explain.as_ref().map(|asked| &asked.name)
    }
}
