//! A machine of the tool, over a root that the tests made.

use std::ops::Deref;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use wheelhaul_host::{Sys, Verbosity};
use wheelhaul_trial::{ContainerKind, Sandbox};

use super::Root;

const POLL: Duration = Duration::from_millis(50);

/// A machine. Dropping it ends it and everything in it.
#[derive(Debug)]
pub struct Machine {
    machine: wheelhaul_trial::Machine,
    /// Removed last, when no process is left on it.
    _sandbox: Sandbox,
}

impl Machine {
    /// Boots a machine over `root`, with the folder `share` shown read-only as /mnt.
    pub fn boot(root: &Root, share: &Utf8Path) -> anyhow::Result<Self> {
        Self::start(ContainerKind::Booted, root, share)
    }

    /// The same without systemd running: what an image is built in. The disk is that of a machine, /run is
    /// empty.
    pub fn unbooted(root: &Root, share: &Utf8Path) -> anyhow::Result<Self> {
        Self::start(ContainerKind::Unbooted, root, share)
    }

    fn start(kind: ContainerKind, root: &Root, share: &Utf8Path) -> anyhow::Result<Self> {
        let sys = Sys { root: "/".into(), verbosity: Verbosity::Quiet, offline: false };
        let sandbox = Sandbox::make()?;
        let root = wheelhaul_trial::Root::at(root.dir())?;
        let machine = wheelhaul_trial::Machine::start(&sys, kind, &root, &sandbox, share)?;
        Ok(Self { machine, _sandbox: sandbox })
    }
}

impl Deref for Machine {
    type Target = wheelhaul_trial::Machine;

    fn deref(&self) -> &Self::Target {
        &self.machine
    }
}

/// Asks again and again until there is an answer.
///
/// - `ask`: gives `Ok` with the answer, or `Err` with what is still missing.
/// - Fails: with the last of these, after `limit`.
pub fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match ask() {
            Err(missing) if started.elapsed() > limit => {
                return Err(missing.context(format!("gave up after {limit:?}")));
            }
            Err(_) => std::thread::sleep(POLL),
            answer => return answer,
        }
    }
}
