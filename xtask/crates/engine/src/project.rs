//! The repository with its checked configuration: what every task but `ci` starts from.

use crate::steps::Steps;
use crate::team_lock::TeamLock;
use crate::wheelhouse::Wheelhouse;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_boxes::Target;
use wheelhaul_config::{Config, Probes};
use wheelhaul_host::Sys;
use wheelhaul_lockfiles::{LockTexts, Pins, Selection};
use wheelhaul_pylock::Lock;

/// A loaded repository.
#[derive(Debug)]
pub(crate) struct Project {
    /// the door
    pub sys: Sys,
    /// `dist/package.toml`
    pub config: Config,
    /// the targets that were chosen, in the order of the file
    pub targets: Vec<Target>,
    /// all targets of the file: one lock of the team serves them all
    pub every_target: Vec<Target>,
    /// whether the result is printed as JSON
    pub wants_json: bool,
    /// whether the digests of what is made are wanted; reading a large RPM once more takes a while
    pub wants_digests: bool,
    /// where the time goes
    pub steps: Steps,
    /// where what is made goes
    pub(crate) out: Utf8PathBuf,
    /// the team's lock
    pub team_lock: TeamLock,
}

impl Project {
    /// A repository whose `dist/package.toml` is not written yet; its targets are known boxes.
    pub(crate) fn of_text(sys: &Sys, text: &str) -> anyhow::Result<Self> {
        let config = Config::parse(text)?;
        let targets = config.targets(&Probes::new())?;
        let (every_target, out) = (targets.clone(), sys.root.join("dist/out"));
        let (sys, steps, team_lock) = (sys.clone(), Steps::new(), TeamLock::default());
        Ok(Self { sys, config, targets, every_target, wants_json: false, wants_digests: false, steps, out, team_lock })
    }

    /// `dist`
    pub(crate) fn dist(&self) -> Utf8PathBuf {
        self.sys.root.join("dist")
    }

    /// `dist/out`, or what was put in its place.
    pub(crate) fn out(&self) -> Utf8PathBuf {
        self.out.clone()
    }

    /// The same, but what is made goes into `folder`.
    pub(crate) fn making_into(self, folder: &Utf8Path) -> Self {
        Self { out: folder.to_owned(), ..self }
    }

    /// The same, with digests of what is made.
    pub(crate) fn with_digests(self) -> Self {
        Self { wants_digests: true, ..self }
    }

    /// Whether what is made goes elsewhere than into `dist/out`.
    pub(crate) fn makes_elsewhere(&self) -> bool {
        self.out != self.dist().join("out")
    }

    /// The application's folder.
    pub(crate) fn app(&self) -> Utf8PathBuf {
        self.sys.root.join(&self.config.app.path)
    }

    /// The wheelhouse beside the locks.
    pub(crate) fn wheelhouse(&self) -> Wheelhouse {
        Wheelhouse::beside(&self.dist())
    }

    /// Where a target's lock is.
    pub(crate) fn lock_path(&self, target: &Target) -> Utf8PathBuf {
        self.dist().join(Lock::file_name(&target.name))
    }

    /// A path as messages show it: relative to the repository, with `/`.
    pub(crate) fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(&self.sys.root).unwrap_or(path).as_str().replace('\\', "/")
    }

    /// What of the team's project goes on the box.
    pub(crate) fn selection(&self) -> Selection {
        Selection::of(&self.config.app)
    }

    /// The texts of the team's lock, and the pins in it.
    pub(crate) fn pins(&self) -> anyhow::Result<&(LockTexts, Pins)> {
        self.team_lock.read(&self.sys, &self.config.app)
    }
}
