//! `trial` on four roots with rpm 4.16, 4.18, 4.20 and 6.1, given as folders, tars and images: what it
//! sees, what it finds, and that nothing is left of it, however it ends.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;
use std::process::Command;

use checkout::command::{Finished, run};
use machine::suites::SUITES;
use machine::{Releases, Root, provides};
use trial::{Trial, Variant};

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[path = "verify_install/digest.rs"]
mod digest;
#[allow(dead_code, unused_imports, reason = "the install test uses the rest")]
mod machine;
#[path = "verify_install/signals.rs"]
mod signals;
#[path = "verify_install/trial.rs"]
mod trial;

/// The package that the machines' own tests are about; the constants that their parts ask for.
const NAME: &str = "quality_report";
const UNIT: &str = "quality_report.service";
const STATE: &str = "/var/lib/quality_report";
const CONFIG: &str = "/opt/quality_report/config.yaml";
const URL: &str = "https://localhost:9091";
const PORT: &str = "9091";
const EDITED_NAME: &str = "Edited on this box";

/// The tool, with temporary folders below `temporary`.
fn tool(temporary: &Utf8Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_started"));
    command.args(["--format", "json", "trial"]).args(words).env("TMPDIR", temporary);
    command
}

/// Runs `trial` on one file, and gives the steps and the exit code.
fn live(root: &str, words: &[&str]) -> anyhow::Result<(Value, Option<i32>)> {
    let temporary = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(temporary.path()).context("not UTF-8")?;
    let finished = run(&mut tool(temporary, &[&[root], words].concat()))?;
    signals::nothing_is_left_in(temporary).with_context(|| finished.to_string())?;
    let document = document(&finished)?;
    let install = document["rpms"][0]["trial"].clone();
    ensure!(!install.is_null(), "nothing was lived through: {finished}");
    println!("{}", lines(&install));
    Ok((install, finished.code))
}

fn document(finished: &Finished) -> anyhow::Result<Value> {
    serde_json::from_str(&finished.stdout).with_context(|| format!("no JSON: {finished}"))
}

/// A step a line, for people.
fn lines(install: &Value) -> String {
    let steps = install["steps"].as_array().cloned().unwrap_or_default();
    let text = |step: &Value| {
        let rest = [&step["errors"], &step["why"]]
            .map(|value| if value.is_null() { String::new() } else { value.to_string() });
        format!(
            "  {:<9} {:>6} ms  {} {}\n",
            step["result"].as_str().unwrap_or_default(),
            step["milliseconds"],
            step["name"],
            rest.concat()
        )
    };
    format!("{}\n{}", install["root"], steps.iter().map(text).collect::<String>())
}

/// The result of each step, in order.
fn results(install: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = install["steps"].as_array().cloned().unwrap_or_default();
    steps.iter().map(|step| (text(&step["name"]), text(&step["result"]))).collect()
}

fn step<'s>(install: &'s Value, name: &str) -> anyhow::Result<&'s Value> {
    let mut steps = install["steps"].as_array().into_iter().flatten();
    steps.find(|step| step["name"] == name).with_context(|| format!("no step `{name}`: {install:#}"))
}

/// A prepared root with the RPM that tells what it has.
struct Prepared {
    root: Root,
    has: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

fn prepare(suite: &str) -> anyhow::Result<Prepared> {
    machine::needs::check()?;
    let root = Root::prepare(suite)?;
    let folder = tempfile::tempdir()?;
    let has = Utf8Path::from_path(folder.path()).context("not UTF-8")?.join("has.rpm");
    fs::write(&has, provides::of(&root)?)?;
    Ok(Prepared { root, has, _folder: folder })
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn the_sample_lives_on_a_root_and_on_an_archive_of_it() -> anyhow::Result<()> {
    for archived in [false, true] {
        lives_on("bookworm", archived)?;
    }
    Ok(())
}

#[test]
#[ignore = "the same with other releases of rpm and systemd; `cargo xtask ci --release` runs it"]
fn the_sample_lives_on_the_roots_of_other_boxes() -> anyhow::Result<()> {
    for suite in SUITES.iter().filter(|suite| suite.name != "bookworm") {
        lives_on(suite.name, false)?;
    }
    Ok(())
}

fn lives_on(name: &str, archived: bool) -> anyhow::Result<()> {
    let releases = Releases::build()?;
    let suite = SUITES.iter().find(|suite| suite.name == name).context("no such suite")?;
    let Prepared { root, has, _folder } = prepare(suite.name)?;
    let file = |release| releases.share().join(Releases::inside(NAME, suite, release).trim_start_matches("/mnt/"));
    let (old, new) = (file(1), file(2));
    let before = digest::of(root.dir())?;
    // The compressor is tar's own finding.
    let archive = root.archive();
    let shown = if archived { &archive } else { root.dir() };
    let (install, code) = live(shown.as_str(), &[new.as_str(), "--from", old.as_str(), "--also", has.as_str()])?;
    let bad: Vec<_> = results(&install).into_iter().filter(|(_, result)| result != "ok").collect();
    ensure!(bad.is_empty() && code == Some(0), "{}: {bad:?}, exit code {code:?}\n{install:#}", suite.name);
    ensure!(install["booted"] == true, "systemd was not booted");
    let notes = step(&install, "facts of the root")?["notes"].to_string();
    ensure!(notes.contains(&format!(" {}.", suite.rpm)), "it is not rpm {}: {notes}", suite.rpm);
    let notes = step(&install, "upgrade")?["notes"].to_string();
    ensure!(notes.contains("is kept, the new default is") && notes.contains("restarted by the package"), "{notes}");
    let notes = step(&install, "answer")?["notes"].to_string();
    ensure!(notes.contains("answered with 200") && notes.contains("its certificate is for"), "{notes}");
    ensure!(digest::of(root.dir())? == before, "{}: the root was changed", suite.name);
    Ok(())
}

#[test]
#[ignore = "needs root, systemd-nspawn, mmdebstrap and podman; `cargo xtask ci` installs them and runs it"]
fn an_image_of_podman_is_a_root() -> anyhow::Result<()> {
    let Prepared { root, has, _folder } = prepare("bookworm")?;
    let trial = Trial::new()?;
    let rpm = trial.build(Variant::Good)?;
    let image = format!("localhost/verify-install-{}:1", std::process::id());
    run(Command::new("podman").args(["import", "--quiet", root.archive().as_str(), &image]))?.text()?;
    let lived = live(&format!("podman:{image}"), &[rpm.as_str(), "--also", has.as_str()]);
    let containers = run(Command::new("podman").args(["ps", "--all", "--format", "{{.Names}}"]))?.text()?;
    run(Command::new("podman").args(["rmi", "--force", &image]))?.text()?;
    let (install, _) = lived?;
    let bad: Vec<_> = results(&install).into_iter().filter(|(_, result)| result != "ok").collect();
    ensure!(bad.is_empty(), "{bad:?}");
    ensure!(!containers.contains("xtask-machine"), "a container was left: {containers}");

    let temporary = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(temporary.path()).context("not UTF-8")?;
    let finished = run(&mut tool(temporary, &["podman:localhost/no-such-image:1", rpm.as_str()]))?;
    ensure!(finished.code == Some(2) && finished.stderr.contains("nothing is pulled here"), "{finished}");
    Ok(())
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn where_systemd_cannot_be_booted_nothing_of_the_package_runs_and_that_is_said() -> anyhow::Result<()> {
    let Prepared { root, has, _folder } = prepare("bookworm")?;
    let trial = Trial::new()?;
    let rpm = trial.build(Variant::ReachesForTheHost)?;
    let programs = tempfile::tempdir()?;
    for folder in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"] {
        for entry in fs::read_dir(folder)?.flatten() {
            if entry.file_name() != "systemd-nspawn" {
                // the same in two folders is there once
                let _ = std::os::unix::fs::symlink(entry.path(), programs.path().join(entry.file_name()));
            }
        }
    }
    let path = std::env::var("PATH")?;
    let temporary = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(temporary.path()).context("not UTF-8")?;
    let bare = temporary.join("bare");
    fs::create_dir_all(bare.join("usr/bin"))?;
    fs::copy(root.dir().join("usr/bin/rpm"), bare.join("usr/bin/rpm"))?;
    let before = (digest::of(root.dir())?, fs::read_to_string(trial::OF_THE_HOST)?);
    #[rustfmt::skip]
    let cases = [ // root               PATH                                              why, and what to do
        (root.dir().as_str(), programs.path().display().to_string(),            "this host lacks `systemd-nspawn`; `dnf install systemd-container`"),
        (bare.as_str(),       path,                                             "the root has no systemd; give a root that has it"),
    ];
    for (root, path, why) in &cases {
        for (strict, expected) in [(&[][..], 0), (&["--strict"], 1)] {
            let words = [root, rpm.as_str(), "--also", has.as_str()];
            let finished = run(tool(temporary, &[&words, strict].concat()).env("PATH", path))?;
            let install = document(&finished)?["rpms"][0]["trial"].clone();
            println!("{}", lines(&install));
            ensure!(install["booted"] == false, "{finished}");
            let mut results = results(&install);
            ensure!(results.remove(0) == ("boot".to_owned(), "not made".to_owned()), "{install:#}");
            ensure!(results.iter().all(|(_, result)| result == "skipped") && results.len() > 10, "{install:#}");
            let said = step(&install, "boot")?["why"].to_string();
            ensure!(said.contains(&format!("systemd was not booted: {why}")), "{said}");
            // the checks from the bytes find faults of this small package
            let mut judging = Command::new(env!("CARGO_BIN_EXE_started"));
            let checks = run(judging.args(["verify", rpm.as_str()]).args(strict))?.code;
            ensure!(finished.code == checks.max(Some(expected)), "{checks:?}: {finished}");
        }
    }
    ensure!((digest::of(root.dir())?, fs::read_to_string(trial::OF_THE_HOST)?) == before, "root or host were changed");
    Ok(())
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn scriptlets_get_neither_the_hosts_capabilities_nor_its_settings() -> anyhow::Result<()> {
    let Prepared { root, has, _folder } = prepare("bookworm")?;
    let trial = Trial::new()?;
    let rpm = trial.build(Variant::ReachesForTheHost)?;
    let before = fs::read_to_string(trial::OF_THE_HOST)?;
    let (install, _) = live(root.dir().as_str(), &[rpm.as_str(), "--also", has.as_str()])?;
    let after = fs::read_to_string(trial::OF_THE_HOST)?;
    if after != before {
        fs::write(trial::OF_THE_HOST, &before)?;
    }
    ensure!(after == before, "a scriptlet changed a setting of the host");
    for name in ["no way to the host", "install"] {
        let made = step(&install, name)?;
        ensure!(made["result"] == "ok", "{made:#}");
    }
    Ok(())
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn faults_are_found_by_their_step() -> anyhow::Result<()> {
    let Prepared { root, has, _folder } = prepare("bookworm")?;
    let trial = Trial::new()?;
    let occupier = trial.build(Variant::Occupier)?;
    #[rustfmt::skip]
    let cases = [ // fault                   step            what it says                                  what the journal says
        (Variant::Good,                      "",             "",                                           ""),
        (Variant::DoesNotStart,              "answer",       "the service has ended",                      "RuntimeError: no database"),
        (Variant::MissingRequires,           "dependencies", "the root lacks `a-library-nobody-has`",      ""),
        (Variant::PortInUse,                 "start",        "something else answers at http://127.0.0.1:9099/", ""),
        (Variant::FailingScriptlet,          "install",      "scriptlet failed",                           ""),
        (Variant::Leftover,                  "leftovers",    "/opt/trial/cache/made-by-a-scriptlet",       ""),
        (Variant::AnswersWithAnError,        "answer",       "answered with 500",                          ""),
        (Variant::ChangesItself,             "rpm -V",       "/opt/trial/server.py",                       ""),
    ];
    for (variant, name, says, journal) in cases {
        let rpm = trial.build(variant)?;
        let mut words = vec![rpm.as_str(), "--also", has.as_str()];
        if variant == Variant::PortInUse {
            words.extend(["--also", occupier.as_str()]);
        }
        let (install, code) = live(root.dir().as_str(), &words)?;
        let failed: Vec<_> = results(&install).into_iter().filter(|(_, result)| result == "failed").collect();
        if name.is_empty() {
            ensure!(failed.is_empty(), "{variant:?}: {failed:?}");
            continue;
        }
        ensure!(code == Some(1), "{variant:?}: exit code {code:?}");
        ensure!(failed.first().is_some_and(|(first, _)| first == name), "{variant:?}: {failed:?}, not {name}");
        let found = step(&install, name)?;
        ensure!(found["errors"].to_string().contains(says), "{variant:?}: {found:#}");
        ensure!(found["journal"].to_string().contains(journal), "{variant:?}: {found:#}");
        if ["start", "answer"].contains(&name) {
            // nobody waits a minute again for what did not come
            for later in ["restart", "reboot"] {
                let later = step(&install, later)?;
                ensure!(later["result"] == "skipped" && later["why"] != "", "{variant:?}: {later:#}");
            }
            ensure!(step(&install, "upgrade")?["result"] == "ok", "{variant:?}: {install:#}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn what_is_no_root_of_this_host_is_refused() -> anyhow::Result<()> {
    machine::needs::check()?;
    let trial = Trial::new()?;
    let rpm = trial.build(Variant::Good)?;
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("not UTF-8")?;
    let (empty, foreign, no_tar) = (folder.join("empty"), folder.join("foreign"), folder.join("no.tar"));
    fs::create_dir_all(&empty)?;
    fs::create_dir_all(foreign.join("usr/bin"))?;
    fs::write(foreign.join("usr/bin/rpm"), b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0")?;
    fs::write(&no_tar, "no tar")?;
    let missing = folder.join("missing");
    #[rustfmt::skip]
    let cases = [
        (empty.as_str(),    "no root file system with an rpm"),
        (foreign.as_str(),  "is a root for aarch64, and this host is x86_64"),
        (no_tar.as_str(),   "failed to unpack"),
        (missing.as_str(),  "No such file"),
        ("podman:-x",       "no name of an image"),
    ];
    for (root, says) in cases {
        let finished = run(&mut tool(folder, &[root, rpm.as_str()]))?;
        ensure!(finished.code == Some(2) && finished.stderr.contains(says), "{root}: {finished}");
    }
    // another user
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    let copy = folder.join("xtask");
    fs::copy(env!("CARGO_BIN_EXE_started"), &copy)?;
    for path in [folder, &copy] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    let finished = run(command.arg(&copy).args(["trial", empty.as_str(), copy.as_str(), "-C", "/"]))?;
    ensure!(finished.code == Some(2) && finished.stderr.contains("hint: run it with `sudo`"), "{finished}");
    Ok(())
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn nothing_is_left_of_a_run_that_is_killed() -> anyhow::Result<()> {
    let Prepared { root, has, _folder } = prepare("bookworm")?;
    let trial = Trial::new()?;
    let rpm = trial.build(Variant::Good)?;
    let before = digest::of(root.dir())?;
    for (phase, seen, is_tar) in signals::PHASES {
        for signal in ["INT", "TERM", "KILL"] {
            let archive = root.archive();
            let shown = if is_tar { &archive } else { root.dir() };
            let words = [shown.as_str(), rpm.as_str(), "--also", has.as_str()];
            signals::ends_cleanly(seen, signal, &words).with_context(|| format!("{signal} while {phase}"))?;
        }
    }
    ensure!(digest::of(root.dir())? == before, "the root was changed");
    Ok(())
}
