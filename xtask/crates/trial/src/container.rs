//! A machine, booted or not: a container with its own disk, and no network but loopback.

use crate::{Root, Sandbox};
use wheelhaul_base::problem::shortened;
use wheelhaul_host::{Ended, Program, Sys, Verbosity};

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Process 1 of a machine's namespaces, for the host's `sh`.
const CONTAINER_SCRIPT: &str = include_str!("templates/container.sh");

const BOOT_LIMIT: Duration = Duration::from_secs(90);
/// For one command inside, as `timeout` takes it: seconds.
const COMMAND_LIMIT: &str = "120";
/// What `timeout` ends with when the time was up.
const TIMED_OUT: i32 = 124;
const POLL: Duration = Duration::from_millis(50);
/// What a command inside may have: no more than what systemd-nspawn leaves to the machine's process 1 (its manual,
/// `--capability`). None loads modules, reads the host's memory or reaches its devices.
const CAPABILITIES: [&str; 18] = [
    "audit_write",
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "ipc_owner",
    "kill",
    "net_bind_service",
    "setfcap",
    "setgid",
    "setpcap",
    "setuid",
    "sys_admin",
    "sys_boot",
    "sys_chroot",
    "sys_ptrace",
    "sys_resource",
];
/// What the container writes once the machine's own process 1 runs.
const IS_UP: &str = "machine: up";
/// Lines of the console that an error shows.
const MOST_CONSOLE: usize = 40;

/// What is the first process of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerKind {
    /// a boot of systemd
    Booted,
    /// a shell that does nothing, as where an image is built: no systemd runs
    Unbooted,
}

/// A machine. Dropping it ends it and everything in it.
#[derive(Debug)]
pub struct Machine {
    sys: Sys,
    kind: ContainerKind,
    /// In a cell, so that a machine that others look at can be asked to reboot.
    container: RefCell<Child>,
    /// What the machine and nspawn wrote to the console.
    console: NamedTempFile,
}

impl Machine {
    /// Starts a machine over `root`, with the folder `share` shown read-only as /mnt.
    ///
    /// - Changes: nothing on `root`; what the machine writes lies on `ground`, and outlives a reboot.
    /// - Ends: when dropped, and with the thread that called this, even if that one is killed.
    /// - Fails: where it is not up after 90 seconds, with the end of its console.
    pub fn start(
        sys: &Sys,
        kind: ContainerKind,
        root: &Root,
        sandbox: &Sandbox,
        share: &Utf8Path,
    ) -> anyhow::Result<Self> {
        let groups = sandbox.groups()?;
        let plot = sandbox.plot()?;
        let console = tempfile::Builder::new().prefix("console-").tempfile_in(sandbox.folder())?;
        let container = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"])
            .args(["sh", "-c", CONTAINER_SCRIPT, "sh"])
            .arg(&root.folder)
            .arg(&plot)
            .arg(share)
            .arg(if kind == ContainerKind::Booted { "boot" } else { "idle" })
            .args(groups)
            // as RHEL 9 and 10 have it, and the only kind that systemd 258 and later accept
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(console.reopen()?)
            .stderr(console.reopen()?)
            .spawn()
            .context("failed to run `setpriv`")?;
        let machine = Self { sys: sys.clone(), kind, container: RefCell::new(container), console };
        machine.wait_until_up(None)?;
        Ok(machine)
    }

    /// Runs a command inside, as the machine's root and with a clean environment, for two minutes at most.
    ///
    /// - Gives: what it said, whatever its exit code.
    /// - Fails: where the machine is gone, and where the command was still running in the end.
    pub fn run(&self, command: &[&str]) -> anyhow::Result<Ended> {
        // for people, the command alone
        let line = command.join(" ");
        self.sys.detail(format!("$ in the machine: {}", shortened(&line)));
        let quiet = Sys { verbosity: Verbosity::Quiet, ..self.sys.clone() };
        let ended = quiet.end(&self.inside(command, &["timeout", "--kill-after=5", COMMAND_LIMIT])?)?;
        if ended.code == Some(TIMED_OUT) {
            bail!("`{line}` was still running after {COMMAND_LIMIT} seconds\n{}{}", ended.stdout, ended.stderr);
        }
        Ok(Ended { line, ..ended })
    }

    fn inside(&self, command: &[&str], before: &[&str]) -> anyhow::Result<Program> {
        let first = self.first_process().context("the machine is not running")?;
        Ok(Program::new("setpriv").args(words_inside(first, command, before)))
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

    /// Its disk, as a path of the host. Links in it lead astray: they are the host's when followed.
    pub(super) fn seen_from_outside(&self) -> anyhow::Result<PathBuf> {
        let first = self.first_process().context("the machine is not running")?;
        Ok(PathBuf::from(format!("/proc/{first}/root/")))
    }

    /// Waits for a first process other than `before`; for a systemd, until it has started all it wants to.
    fn wait_until_up(&self, before: Option<u32>) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.container.borrow_mut().try_wait()? {
                bail!("the machine ended ({status})\n{}", self.console());
            }
            if self.first_process().is_some_and(|first| Some(first) != before) {
                if self.kind == ContainerKind::Unbooted {
                    return Ok(());
                }
                // "degraded" is up as well; which units failed is for the caller to ask
                let state = self.run(&["systemctl", "is-system-running"])?.stdout;
                if matches!(state.trim(), "running" | "degraded") {
                    return Ok(());
                }
            }
            if started.elapsed() > BOOT_LIMIT {
                bail!("the machine was not up after {} seconds\n{}", BOOT_LIMIT.as_secs(), self.console());
            }
            std::thread::sleep(POLL);
        }
    }

    /// The machine's process 1, as this host numbers it: it is below container, its shell and nspawn.
    ///
    /// Gives nothing before it runs what is in the machine: until then the child is still nspawn
    /// itself, and a command run "inside" would run on the host.
    fn first_process(&self) -> Option<u32> {
        let shell = only_child(self.container.borrow().id())?;
        let first = only_child(only_child(shell)?)?;
        if self.kind == ContainerKind::Unbooted {
            return self.console_text().lines().any(|line| line.trim_end() == IS_UP).then_some(first);
        }
        let name = fs_err::read_to_string(format!("/proc/{first}/comm")).ok()?;
        (name.trim_end() == "systemd").then_some(first)
    }

    fn console_text(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(self.console.path()).unwrap_or_default()).into_owned()
    }

    fn console(&self) -> String {
        let text = self.console_text();
        let lines: Vec<_> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(MOST_CONSOLE)..];
        tail.iter().map(|line| format!("  console: {line}\n")).collect()
    }

    /// How its disk was made: `an overlay on disk`.
    pub fn disk(&self) -> String {
        let text = self.console_text();
        text.lines().find_map(|line| line.strip_prefix("disk: ")).unwrap_or("unknown").to_owned()
    }
}

/// The words behind `setpriv`: what ends with this process, and runs `command` in the machine.
///
/// `nsenter` would hand on all capabilities of the host's root, so the others are taken out of the bounding set before.
fn words_inside(first: u32, command: &[&str], before: &[&str]) -> Vec<String> {
    let first = first.to_string();
    let bounds = CAPABILITIES.iter().fold("-all".to_owned(), |text, name| format!("{text},+{name}"));
    let tied = ["--bounding-set", &bounds, "--pdeathsig", "KILL"];
    let enter =
        ["nsenter", "--target", &first, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
    let clean = ["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];
    let words = [&tied[..], before, &enter, &clean, command].concat();
    words.into_iter().map(str::to_owned).collect()
}

impl Drop for Machine {
    /// Ends process 1 of the namespace: the kernel ends all others in it before that one is gone,
    /// and `unshare` waits for it.
    fn drop(&mut self) {
        let container = self.container.get_mut();
        let shell = only_child(container.id()).map(|shell| shell.to_string());
        let killed = shell.map(|shell| Command::new("kill").args(["-KILL", &shell]).output());
        if !matches!(killed, Some(Ok(output)) if output.status.success()) {
            // it is not there yet, or not any more
            let _ = container.kill();
        }
        let _ = container.wait();
    }
}

/// The child of process `parent`, if it has exactly one.
fn only_child(parent: u32) -> Option<u32> {
    let children = fs_err::read_to_string(Utf8Path::new(&format!("/proc/{parent}/task/{parent}/children"))).ok()?;
    let mut children = children.split_whitespace();
    match (children.next(), children.next()) {
        (Some(child), None) => child.parse().ok(),
        _ => None,
    }
}
