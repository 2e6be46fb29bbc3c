//! A run that is ended in the middle of something: what must be gone soon after.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::checkout::command::run;
use crate::machine::wait_for;

/// What it does, what `-v` shows when it does, and whether the root has to be a tar.
pub const PHASES: [(&str, &str, bool); 6] = [
    ("the root is unpacked", " tar --extract ", true),
    ("the machine boots", "machine: systemctl is-system-running", false),
    ("packages are installed", " /mnt/also-0.rpm", false),
    ("the service is asked", " /mnt/ask.py ", false),
    ("the machine reboots", " --no-block reboot", false),
    ("the package is removed", "machine: rpm -e ", false),
];

/// Starts the tool, sends `signal` when `seen` stands in what it tells, and looks at what is left.
pub fn ends_cleanly(seen: &str, signal: &str, words: &[&str]) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(temporary.path()).context("not UTF-8")?;
    let mut tool = Command::new(env!("CARGO_BIN_EXE_started"))
        .args(["-v", "trial"])
        .args(words)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let said = BufReader::new(tool.stderr.take().context("no standard error")?);
    let found = said.lines().map_while(Result::ok).any(|line| line.contains(seen));
    // in the middle, and not at its first instruction
    std::thread::sleep(Duration::from_millis(60));
    let below = descendants(tool.id());
    let groups = groups_of(&below)?;
    run(Command::new("kill").args([&format!("-{signal}"), &tool.id().to_string()]))?.text()?;
    let status = tool.wait()?;
    ensure!(found && !status.success(), "it ended with {status} before `{seen}` was seen");
    ensure!(below.len() >= 2, "nothing was below it: {below:?}");
    let has_machine = !seen.contains("tar --extract");
    ensure!(groups.is_empty() != has_machine, "the control groups of its machine: {groups:?}");
    wait_for(Duration::from_secs(15), || {
        let alive: Vec<_> = below.iter().filter(|(id, start)| started(**id).as_ref() == Some(*start)).collect();
        ensure!(alive.is_empty(), "processes go on: {alive:?}");
        nothing_is_left_in(temporary)?;
        // Others that run at the same time have groups of their own.
        let left: Vec<&Utf8PathBuf> = groups.iter().filter(|group| group.exists()).collect();
        ensure!(left.is_empty(), "control groups are left: {left:?}");
        Ok(())
    })?;
    let began = Instant::now();
    let mounts = mentions(temporary.as_str());
    ensure!(mounts.is_empty(), "mounts are left, of the processes {mounts:?} ({:?})", began.elapsed());
    Ok(())
}

/// The folder of this tool stays in a place for temporary files, with nothing in it.
pub fn nothing_is_left_in(temporary: &Utf8Path) -> anyhow::Result<()> {
    let mut left = Vec::new();
    for own in fs::read_dir(temporary)? {
        let own = own?.path();
        ensure!(own.is_dir(), "left behind: {own:?}");
        for entry in fs::read_dir(own)? {
            left.push(entry?.path());
        }
    }
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

/// The control groups of machines that processes are in.
fn groups_of(processes: &BTreeMap<u32, String>) -> anyhow::Result<BTreeSet<Utf8PathBuf>> {
    let mut names = BTreeSet::new();
    for process in processes.keys() {
        let groups = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
        let parts = groups.lines().flat_map(|line| line.split('/'));
        names.extend(parts.filter(|part| part.starts_with("xtask-machine-")).map(str::to_owned));
    }
    let mut found = BTreeSet::new();
    for name in names {
        let folders = run(Command::new("find").args(["/sys/fs/cgroup", "-name", &name]))?.stdout;
        found.extend(folders.lines().map(Utf8PathBuf::from));
    }
    Ok(found)
}

/// Every process below one, with the time of its start: a number may be given again.
fn descendants(of: u32) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|word| word.parse().ok()) {
                if let Some(start) = started(child) {
                    found.insert(child, start);
                    parents.push(child);
                }
            }
        }
    }
    found
}

/// When a process started (proc(5), field 22 of `stat`); none for one that is gone or a zombie.
fn started(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    (fields.first() != Some(&"Z")).then(|| fields.get(19).map(|field| (*field).to_owned()))?
}

/// The processes in whose mounts a text stands.
fn mentions(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    numbers
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|name| fs::read_to_string(format!("/proc/{name}/mountinfo")).is_ok_and(|mounts| mounts.contains(text)))
        .collect()
}
