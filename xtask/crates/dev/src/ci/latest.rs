//! `ci --latest`: what became newer than what the tests are locked to, and what fails with it. It never gates.

use super::needs::NEEDS;
use serde::Serialize;
use std::collections::BTreeSet;
use std::process::Command;
use wheelhaul::Shown;
use wheelhaul_host::{Program, Sys};

/// Tests that compare with programs of the index or of Debian, and the published applications.
const TESTS: [&str; 15] = [
    "against_elf",
    "against_gzip",
    "against_installers",
    "against_lockers",
    "against_packaging",
    "against_pip_files",
    "against_pylock",
    GALLERY,
    "hooks",
    "package_metadata",
    "report",
    "rpmbuild",
    "rpmlint",
    "security",
    "verify_output",
];

/// The published applications; its tests need a machine.
const GALLERY: &str = "gallery";

/// What moved, and what that breaks.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    index: Vec<String>,
    debian: Vec<String>,
    failed: Vec<String>,
}

impl Shown for Report {
    fn text(&self) -> String {
        let section = |title: &str, lines: &[String]| match lines {
            [] => format!("{title}: nothing\n"),
            lines => format!("{title}:\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>()),
        };
        section("newer on the index than in tests/locks", &self.index)
            + &section("newer in Debian than on this host", &self.debian)
            + &section("fails with the newest", &self.failed)
    }
}

/// Says what moved, and which tests fail with the newest; what could not be asked is said as well.
pub(super) fn report(sys: &Sys) -> Report {
    let index = moved_on_the_index(sys).unwrap_or_else(|error| vec![format!("the index was not asked: {error:#}")]);
    let debian = moved_in_debian(sys).unwrap_or_else(|error| vec![format!("apt was not asked: {error:#}")]);
    let mut failed = Vec::new();
    for test in TESTS {
        sys.say(format!("--- {test} with the newest releases"));
        match failures(sys, test) {
            Ok(names) => failed.extend(names.into_iter().map(|name| format!("{test}: {name}"))),
            Err(error) => failed.push(format!("{test}: it could not be run: {error:#}")),
        }
    }
    Report { index, debian, failed }
}

fn moved_on_the_index(sys: &Sys) -> anyhow::Result<Vec<String>> {
    let script = sys.root.join("tests/python/what_moved.py");
    let said = sys.run(&Program::new("python3").args(["-B", script.as_str()]))?;
    Ok(said.out.lines().map(str::to_owned).collect())
}

/// `PACKAGE INSTALLED -> CANDIDATE`, as apt's lists have it.
fn moved_in_debian(sys: &Sys) -> anyhow::Result<Vec<String>> {
    let packages: BTreeSet<&str> = NEEDS.iter().map(|(_, package)| *package).collect();
    let said = sys.run(&Program::new("apt-cache").args(["policy"]).args(packages).env("LC_ALL", "C"))?;
    Ok(newer_candidates(&said.out))
}

fn newer_candidates(policy: &str) -> Vec<String> {
    let (mut package, mut installed) = ("", "");
    let mut moved = Vec::new();
    for line in policy.lines() {
        match line.trim().split_once(": ") {
            Some(("Installed", version)) => installed = version,
            Some(("Candidate", version)) if version != installed => {
                moved.push(format!("{package} {installed} -> {version}"));
            }
            None if !line.starts_with(' ') => package = line.trim_end_matches(':'),
            _ => {}
        }
    }
    moved
}

/// The tests of a file that fail.
fn failures(sys: &Sys, test: &str) -> anyhow::Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--workspace", "--locked", "--test", test]);
    if test == GALLERY {
        command.args(["--", "--ignored"]);
    }
    let output = command.env("XTASK_TESTS_NEWEST", "1").current_dir(&sys.root).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut names = failed_in(&text);
    if names.is_empty() && !output.status.success() {
        names.push(format!("cargo ended with {}", output.status));
    }
    Ok(names)
}

fn failed_in(said: &str) -> Vec<String> {
    said.lines().filter_map(|line| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_says_is_read() {
        let policy = "rpm:\n  Installed: 4.18.0+dfsg-1+deb12u1\n  Candidate: 4.20.1\n  Version table:\n     4.20.1 500\n        500 index bookworm\n\
            zstd:\n  Installed: 1.5.4\n  Candidate: 1.5.4\n";
        assert_eq!(newer_candidates(policy), ["rpm 4.18.0+dfsg-1+deb12u1 -> 4.20.1"]);
    }

    #[test]
    fn failed_tests_are_named() {
        let said = "running 2 tests\ntest of::one ... ok\ntest other ... FAILED\n\nfailures:\n";
        assert_eq!(failed_in(said), ["other"]);
    }
}
