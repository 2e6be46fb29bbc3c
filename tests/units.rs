//! Units and sysusers files held against the real systemd: what it complains of is found, and what it takes is not
//! refused.

#![cfg(target_os = "linux")]

use anyhow::{Context as _, ensure};
use camino::Utf8Path;
use std::fs;
use std::process::Command;
use std::time::Duration;
use wheelhaul_engine::tools::shell::{Shell, Shellcheck};
use wheelhaul_host::{Sys, Verbosity};
use wheelhaul_systemd::{split_commands, split_words, unit_value_expects};

#[path = "units/analyzed.rs"]
mod analyzed;
#[path = "units/bent.rs"]
mod bent;
#[path = "hostile/boxes.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod boxes;
#[path = "units/judged.rs"]
mod judged;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod zip;

/// What a program said on standard error.
fn said(command: &mut Command) -> anyhow::Result<(bool, String)> {
    let output = command.env("LC_ALL", "C").output().with_context(|| format!("failed to run {command:?}"))?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The systemd of this host, which the rows were written for.
fn systemd() -> anyhow::Result<u16> {
    let output = Command::new("systemd-analyze").arg("--version").output().context("systemd-analyze")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).and_then(|word| word.parse().ok()).context("systemd-analyze says no version")
}

#[test]
fn values_that_systemd_ignores_are_found_and_no_others() -> anyhow::Result<()> {
    let each = |rows: &[(&'static [&'static str], &'static [&'static str])]| -> Vec<(&str, &str)> {
        rows.iter()
            .flat_map(|(keys, values)| keys.iter().flat_map(|key| values.iter().map(|value| (*key, *value))))
            .collect()
    };
    compare(
        "tried.service",
        "[Unit]\nDescription=x\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
        &each(analyzed::ROWS),
        60,
    )?;
    compare("tried.target", "[Unit]\n", &each(analyzed::UNIT_SECTIONS), 10)?;
    compare("tried.socket", "[Socket]\n", &each(analyzed::SOCKETS), 10)?;
    compare("tried.timer", "[Timer]\n", &each(analyzed::TIMERS), 20)
}

/// Holds what is said of keys and values against systemd, in one file for all of them: systemd names each line.
///
/// - Takes: `least`, how many rows are faulty at least, and how many are not.
fn compare(file: &str, head: &str, rows: &[(&str, &str)], least: usize) -> anyhow::Result<()> {
    let systemd = systemd()?;
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    let mut text = head.to_owned();
    let first = text.lines().count() + 1;
    for (key, value) in rows {
        text.push_str(&format!("{key}={value}\n"));
    }
    let path = folder.join(file);
    fs::write(&path, &text)?;
    let (_, complaints) = said(Command::new("systemd-analyze").args(["verify", "--man=no", path.as_str()]))?;
    let mut faults = Vec::new();
    let mut complained = 0;
    for (index, (key, value)) in rows.iter().enumerate() {
        let place = format!("{file}:{}: ", first + index);
        let theirs = complaints.lines().find(|line| line.contains(&place));
        complained += usize::from(theirs.is_some());
        let of_words = || match *key {
            "Environment" => !split_words(value).is_ok_and(|words| words.unknown_escapes.is_empty()),
            key if key.starts_with("Exec") => !split_commands(value).is_ok_and(|(_, unknown)| unknown.is_empty()),
            _ => false,
        };
        let ours = unit_value_expects(systemd, key, value).is_some() || of_words();
        if theirs.is_some() != ours {
            faults.push(format!(
                "{key}={value}: systemd says {theirs:?}, and it is {}found here",
                if ours { "" } else { "not " }
            ));
        }
    }
    let fine = rows.len() - complained;
    ensure!(complained >= least && fine >= least, "{file}: {complained} of {} rows are faulty", rows.len());
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[test]
fn units_that_systemd_complains_of_are_found_and_no_others() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    let path = folder.join("demo.service");
    let mut faults = Vec::new();
    for text in analyzed::UNITS {
        fs::write(&path, text)?;
        let (fine, complaints) = said(Command::new("systemd-analyze").args(["verify", "--man=no", path.as_str()]))?;
        let theirs = !fine || complaints.contains("demo.service");
        let ours = judged::unit(text)?;
        if theirs == ours.is_empty() {
            faults.push(format!("{text:?}\n  systemd: {complaints:?}\n  here: {ours:?}"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[test]
fn lines_that_systemd_sysusers_refuses_are_found_and_no_others() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    fs::create_dir_all(folder.join("root/etc"))?;
    let path = folder.join("demo.conf");
    let mut faults = Vec::new();
    for line in analyzed::SYSUSERS {
        fs::write(&path, format!("{line}\n"))?;
        let root = format!("--root={}", folder.join("root"));
        let (fine, complaints) = said(Command::new("systemd-sysusers").args(["--dry-run", &root, path.as_str()]))?;
        // The user of the unit is made elsewhere, and so says the check where no line makes it.
        let ours: Vec<String> = judged::sysusers(&format!("{line}\n"))?;
        if fine != ours.is_empty() {
            faults.push(format!("{line}\n  systemd-sysusers: {complaints:?}\n  here: {ours:?}"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[test]
fn what_this_tool_writes_is_taken_by_systemd_without_a_word() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("a path in UTF-8")?;
    fs::create_dir_all(folder.join("root/etc"))?;
    for summary in ["A demo", "Reports: 100% \"good\" \\ a 'b' | c", "Ä: ö"] {
        let (units, sysusers) = judged::written(summary)?;
        for (file, text) in units {
            let path = folder.join(file);
            // What it starts is not on this host.
            let text: String =
                text.lines().filter(|line| !line.starts_with("Exec")).map(|line| format!("{line}\n")).collect();
            let text = text.replace("[Service]\n", "[Service]\nExecStart=/bin/true\n");
            fs::write(&path, text)?;
            let (_, complaints) = said(Command::new("systemd-analyze").args(["verify", "--man=no", path.as_str()]))?;
            ensure!(
                !complaints.contains("Failed to parse") && !complaints.contains("Unknown"),
                "{summary}: {complaints}"
            );
        }
        let path = folder.join("demo.conf");
        fs::write(&path, &sysusers)?;
        let root = format!("--root={}", folder.join("root"));
        let (fine, complaints) = said(Command::new("systemd-sysusers").args(["--dry-run", &root, path.as_str()]))?;
        ensure!(fine, "{sysusers}{complaints}");
    }
    Ok(())
}

#[test]
fn scriptlets_are_taken_by_every_shell_and_by_shellcheck() -> anyhow::Result<()> {
    let sys = Sys { root: env!("CARGO_MANIFEST_DIR").into(), verbosity: Verbosity::Quiet, offline: false };
    let within = Duration::from_secs(60);
    let shell = Shell::find(&sys).context("there is no shell")?;
    let shellcheck = Shellcheck::find(&sys).context("there is no shellcheck: `apt-get install shellcheck`")?;
    for target in ["el7-x86_64", "el8-x86_64", "el9-x86_64", "el10-aarch64"] {
        for (command, tls) in [("[\"gunicorn\", \"a:b\"]", "self-signed"), ("[\"own\", \"{port}\"]", "off")] {
            for script in judged::scriptlets(target, command, tls)? {
                let (_, by_dash) = said(Command::new("sh").args(["-n", "-c", &script]))?;
                ensure!(by_dash.is_empty(), "{script}{by_dash}");
                ensure!(shell.parse(&sys, &script, within)?.is_none(), "{script}");
                let said = shellcheck.look(&sys, &script, within)?;
                ensure!(said.is_empty(), "{script}{said:?}");
            }
        }
    }
    // It can find something.
    let said = shellcheck.look(&sys, "cd $1\nx=1\nlocal y\n", within)?;
    ensure!(said.len() >= 2 && said.iter().all(|(line, ..)| *line > 0), "{said:?}");
    Ok(())
}
