//! A machine, booted or not: a container with its own disk, and no network but loopback.

use std::cell::RefCell;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use camino::Utf8Path;
use fs_err as fs;
use tempfile::NamedTempFile;

use super::Root;
use super::cgroup::ControlGroup;
use crate::checkout::command::{Finished, run};

const BOOT_LIMIT: Duration = Duration::from_secs(60);
/// For one command inside, as `timeout` writes it.
const COMMAND_LIMIT: &str = "120";
const POLL: Duration = Duration::from_millis(50);

/// Keeps the machine: `$1` its root, `$2` the folder shown as /mnt, `$3` what nspawn starts in it, then its
/// control groups.
///
/// It is process 1 of a process namespace, and has a mount namespace: when it ends, for whatever
/// reason, the kernel ends every process of the machine and drops every mount. The disk outlives a
/// reboot, of which nspawn tells with code 133.
const KEEPER: &str = r#"
set -eu
umask 022
root="$1" share="$2" start="$3"
shift 3
for group; do
    echo 0 > "$group/cgroup.procs"
done
# private as well: what nspawn leaves in /run/systemd and /tmp when it is killed
mkdir -p /run/systemd
mount -t tmpfs -o mode=0755 machine /run/systemd
cd /run/systemd
mkdir upper work disk share
mount --bind "$share" share
mount -t overlay -o "lowerdir=$root,upperdir=$PWD/upper,workdir=$PWD/work" overlay disk
mount -t tmpfs -o mode=1777 tmp /tmp
while :; do
    code=0
    # what it starts is one word or a few, without quotes
    systemd-nspawn --quiet --directory="$PWD/disk" --private-network \
        --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \
        --console=pipe --machine=machine --bind-ro="$PWD/share:/mnt" $start < /dev/null || code=$?
    [ "$code" = 133 ] || exit "$code"
done
"#;

/// What is the first process of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// a boot of systemd
    Systemd,
    /// a process that does nothing, as where an image is built
    Sleep,
}

impl First {
    /// The words for nspawn.
    fn start(self) -> &'static str {
        match self {
            First::Systemd => "--boot",
            First::Sleep => "sleep infinity",
        }
    }

    /// As /proc/PID/comm has it.
    fn name(self) -> &'static str {
        match self {
            First::Systemd => "systemd",
            First::Sleep => "sleep",
        }
    }
}

/// A machine. Dropping it ends it and everything in it.
#[derive(Debug)]
pub struct Machine {
    first: First,
    /// In a cell, so that a machine that others look at can be asked to reboot.
    keeper: RefCell<Child>,
    /// What the machine and nspawn wrote to the console.
    console: NamedTempFile,
    /// Removed last, when no process is left in it.
    _group: ControlGroup,
}

impl Machine {
    /// Boots a machine over `root`, with the folder `share` shown read-only as /mnt.
    ///
    /// - Changes: nothing on `root`; what the machine writes stays in memory and ends with it.
    /// - Ends: when dropped, and with the thread that called this, even if that one is killed.
    pub fn boot(root: &Root, share: &Utf8Path) -> anyhow::Result<Self> {
        Self::start(First::Systemd, root, share)
    }

    /// The same without systemd running: what an image is built in. The disk is that of a machine, /run is
    /// empty.
    pub fn unbooted(root: &Root, share: &Utf8Path) -> anyhow::Result<Self> {
        Self::start(First::Sleep, root, share)
    }

    fn start(first: First, root: &Root, share: &Utf8Path) -> anyhow::Result<Self> {
        let group = ControlGroup::create()?;
        let console = tempfile::Builder::new().prefix("console-").tempfile()?;
        let keeper = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"])
            .args(["sh", "-c", KEEPER, "sh"])
            .arg(root.dir())
            .arg(share)
            .arg(first.start())
            .args(group.dirs())
            // as RHEL 9 and 10 have it, and the only kind that systemd 258 and later accept
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(console.reopen()?)
            .stderr(console.reopen()?)
            .spawn()
            .context("failed to start `setpriv`")?;
        let machine = Self { first, keeper: RefCell::new(keeper), console, _group: group };
        machine.wait_until_up(None)?;
        Ok(machine)
    }

    /// Runs a command inside, as root and with a clean environment, for two minutes at most.
    ///
    /// - Gives: what it said, whatever its exit code; 124 means that it was still running.
    pub fn run(&self, command: &[&str]) -> anyhow::Result<Finished> {
        let first = self.first_process().context("the machine is not running")?;
        run(Command::new("timeout")
            .args(["--kill-after=5", COMMAND_LIMIT, "nsenter"])
            .args(["--target", &first.to_string()])
            .args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
            .args(["env", "-i", "PATH=/usr/sbin:/usr/bin", "HOME=/root", "LANG=C.UTF-8"])
            .args(command))
    }

    /// Runs a command inside that has to succeed, and gives its standard output.
    pub fn text(&self, command: &[&str]) -> anyhow::Result<String> {
        self.run(command)?.text()
    }

    /// Like [`Machine::text`], for a script of bash.
    pub fn script(&self, script: &str) -> anyhow::Result<String> {
        self.text(&["bash", "-euo", "pipefail", "-c", script])
    }

    /// One property of a unit, as `systemctl show` spells it; empty when it has none.
    pub fn property(&self, unit: &str, name: &str) -> anyhow::Result<String> {
        self.text(&["systemctl", "show", "--value", "--property", name, unit])
    }

    /// A real reboot: every process and /run are new, the disk stays.
    pub fn reboot(&self) -> anyhow::Result<()> {
        let before = self.first_process().context("the machine is not running")?;
        // its own connection may end before it can say that all is well
        self.run(&["systemctl", "--no-block", "reboot"])?;
        self.wait_until_up(Some(before))
    }

    /// Waits for a first process other than `before`; for a systemd, until it has started all it wants to.
    fn wait_until_up(&self, before: Option<u32>) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.keeper.borrow_mut().try_wait()? {
                bail!("the machine ended ({status})\n{}", self.console());
            }
            if self.first_process().is_some_and(|first| Some(first) != before) {
                if self.first == First::Sleep {
                    return Ok(());
                }
                // "degraded" is up as well; which units failed is for the caller to ask
                let state = self.run(&["systemctl", "is-system-running"])?.stdout;
                if matches!(state.trim(), "running" | "degraded") {
                    return Ok(());
                }
            }
            if started.elapsed() > BOOT_LIMIT {
                bail!("the machine was not up after {BOOT_LIMIT:?}\n{}", self.console());
            }
            std::thread::sleep(POLL);
        }
    }

    /// The machine's process 1, as this machine numbers it: keeper, its shell, nspawn, that process.
    ///
    /// Gives nothing before nspawn has executed it: until then the child is still nspawn
    /// itself, and a command run "inside" would run on the workstation.
    fn first_process(&self) -> Option<u32> {
        let shell = only_child(self.keeper.borrow().id())?;
        let nspawn = only_child(shell)?;
        let first = only_child(nspawn)?;
        let name = fs::read_to_string(format!("/proc/{first}/comm")).ok()?;
        (name.trim_end() == self.first.name()).then_some(first)
    }

    fn console(&self) -> String {
        let text = fs::read(self.console.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(40)..];
        tail.iter().map(|line| format!("  console: {line}\n")).collect()
    }
}

impl Drop for Machine {
    /// Ends process 1 of the namespace: the kernel ends all others in it before that one is gone,
    /// and `unshare` waits for it.
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut();
        let shell = only_child(keeper.id()).map(|shell| shell.to_string());
        let killed = shell.map(|shell| run(Command::new("kill").args(["-KILL", &shell])));
        if !matches!(killed, Some(Ok(finished)) if finished.succeeded()) {
            // it is not there yet, or not any more
            let _ = keeper.kill();
        }
        let _ = keeper.wait();
    }
}

/// The child of process `parent`, if it has exactly one.
fn only_child(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let mut children = children.split_whitespace();
    match (children.next(), children.next()) {
        (Some(child), None) => child.parse().ok(),
        _ => None,
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
