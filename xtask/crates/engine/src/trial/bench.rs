//! Root and sandbox for the life of packages on throw-away machines without network.

use crate::templates::ASK;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::Sys;
use wheelhaul_trial::{ContainerKind, Machine, Root, RootSource, Sandbox, boot_obstacle, check_needs};

/// What `trial` is asked for.
#[derive(Debug)]
pub(super) struct Wish {
    /// where the root comes from
    pub root: RootSource,
    /// the release that is upgraded from
    pub from: Option<Utf8PathBuf>,
    /// what is installed before
    pub also: Vec<Utf8PathBuf>,
}

/// Root and sandbox for all packages of one call.
pub(super) struct Bench {
    /// what was asked for
    pub wish: Wish,
    // dropped in this order
    /// what machines are made from
    pub root: Root,
    /// where they are made
    pub sandbox: Sandbox,
}

impl Bench {
    /// Makes ready for [`Self::live_through`].
    ///
    /// - Fails: where this host cannot make a machine, or the root is none.
    pub(super) fn prepare(sys: &Sys, wish: Wish) -> anyhow::Result<Self> {
        check_needs()?;
        for path in wish.from.iter().chain(&wish.also) {
            ensure!(sys.root.join(path).is_file(), "there is no file `{path}`");
        }
        let sandbox = Sandbox::make()?;
        let root = Root::open(sys, &wish.root, &sandbox).with_context(|| format!("`trial {}`", wish.root))?;
        let share = sandbox.folder().join("share");
        fs_err::create_dir(&share)?;
        fs_err::write(share.join("ask.py"), ASK)?;
        let bench = Self { wish, root, sandbox };
        for (index, path) in bench.wish.also.iter().enumerate() {
            fs_err::copy(sys.root.join(path), share.join(also_name(index)))?;
        }
        if let Some(path) = &bench.wish.from {
            fs_err::copy(sys.root.join(path), share.join(OLD))?;
        }
        Ok(bench)
    }

    pub(super) fn share(&self) -> Utf8PathBuf {
        self.sandbox.folder().join("share")
    }

    /// A machine whose systemd is booted. Without one the scriptlets would have what the host's root has.
    pub(super) fn boot(&self, sys: &Sys, share: &Utf8Path) -> anyhow::Result<Machine> {
        if !self.root.facts.has_systemd {
            return Err(Problem::with_hint(
                "the root has no systemd",
                "give a root that has it: `dnf --installroot=DIR --releasever=9 install systemd rpm …`, or an image with it",
            ));
        }
        if let Some(obstacle) = boot_obstacle() {
            return Err(obstacle);
        }
        let spinner = sys.spinner("starting a machine");
        let booted = Machine::start(sys, ContainerKind::Booted, &self.root, &self.sandbox, share);
        spinner.finish_and_clear();
        booted
    }
}

/// The package's name in the folder that the machine sees as /mnt.
pub(super) const NEW: &str = "new.rpm";
/// The name there of the release that is upgraded from.
pub(super) const OLD: &str = "old.rpm";

/// The name of the package that is installed before, by its number.
pub(super) fn also_name(index: usize) -> String {
    format!("also-{index}.rpm")
}
