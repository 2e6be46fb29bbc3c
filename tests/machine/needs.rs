//! What the workstation must have before a machine can be made on it.

use std::process::Command;

use anyhow::bail;

use crate::checkout::command::run;

/// Program, and the Debian package that holds it.
#[rustfmt::skip]
const PROGRAMS: [(&str, &str); 12] = [
    ("systemd-nspawn", "systemd-container"),
    ("mmdebstrap",     "mmdebstrap"),
    ("apt-get",        "apt"),
    ("zstd",           "zstd"),
    ("tar",            "tar"),
    ("unshare",        "util-linux"),
    ("nsenter",        "util-linux"),
    ("setpriv",        "util-linux"),
    ("kill",           "procps"),
    ("timeout",        "coreutils"),
    ("sha256sum",      "coreutils"),
    ("git",            "git"),
];

/// Refuses to go on where a machine cannot be made.
///
/// - Fails: once, naming everything that is missing and the command that installs it.
pub fn check() -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("a machine can only be booted on Linux\nhint: run this test on a Debian machine, as root");
    }
    let mut missing = Vec::new();
    let mut hints = Vec::new();
    let user = run(Command::new("id").arg("--user"))?.text()?;
    if user != "0" {
        missing.push(format!("root (this is user id {user})"));
        hints.push("hint: run it as root, e.g. `sudo -E cargo test --test install -- --ignored`".to_owned());
    }
    let absent: Vec<_> = PROGRAMS.into_iter().filter(|(program, _)| !on_path(program)).collect();
    if !absent.is_empty() {
        let names: Vec<_> = absent.iter().map(|(program, _)| format!("`{program}`")).collect();
        missing.push(format!("these programs: {}", names.join(", ")));
        let mut packages: Vec<_> = absent.iter().map(|(_, package)| *package).collect();
        packages.sort_unstable();
        packages.dedup();
        hints.push(format!("hint: `apt-get install {}`", packages.join(" ")));
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("this test needs {}\n{}", missing.join(" and "), hints.join("\n"))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
