//! The service of the sample: isolated by a real interpreter; socket, secrets, certificate and upgrades by the
//! real systemd and rpm, on a machine without network.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};

use machine::{Machine, Root, Steps};
use scenario::Scenario;
use variants::Variants;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the comparing tests use the rest")]
mod installers;
#[allow(dead_code, unused_imports, reason = "the install test uses the rest")]
mod machine;

#[path = "service/account.rs"]
mod account;
#[path = "service/certificate.rs"]
mod certificate;
#[path = "service/commands.rs"]
mod commands;
#[path = "service/confined.rs"]
mod confined;
#[path = "service/evidence.rs"]
mod evidence;
#[path = "service/isolation.rs"]
mod isolation;
#[path = "service/launcher.rs"]
mod launcher;
#[path = "service/load.rs"]
mod load;
#[path = "service/loading.rs"]
mod loading;
#[path = "service/root.rs"]
mod root;
#[path = "service/scenario.rs"]
mod scenario;
#[path = "service/servers.rs"]
mod servers;
#[path = "service/upgrade.rs"]
mod upgrade;
#[path = "service/variants.rs"]
mod variants;
#[path = "service/waiting.rs"]
mod waiting;

/// The oldest Python 3 of the host, and the one that is called `python3`.
fn pythons() -> anyhow::Result<Vec<String>> {
    let mut all = every_python()?;
    all.truncate(2);
    Ok(all)
}

/// The one that is called `python3`, then every Python 3 of pyenv and of /usr/bin, one a minor, the oldest first.
fn every_python() -> anyhow::Result<Vec<String>> {
    let own = ["-c", "import sys; print(sys.executable)"];
    let mut found = vec![checkout::command::run(std::process::Command::new("python3").args(own))?.text()?];
    let home = std::env::var("HOME").unwrap_or_default();
    let mut folders = vec![Utf8PathBuf::from("/usr/bin")];
    for version in Utf8Path::new(&home).join(".pyenv/versions").read_dir_utf8().into_iter().flatten() {
        folders.push(version?.path().join("bin"));
    }
    let minor = |path: &Utf8PathBuf| path.file_name()?.strip_prefix("python3.")?.parse::<u8>().ok();
    let mut others: Vec<Utf8PathBuf> = Vec::new();
    for folder in folders {
        for entry in folder.read_dir_utf8().into_iter().flatten() {
            others.push(entry?.path().to_owned());
        }
    }
    others.retain(|python| minor(python).is_some());
    others.sort_by_key(minor);
    others.dedup_by_key(|python| minor(python));
    found.extend(others.into_iter().map(Utf8PathBuf::into_string));
    Ok(found)
}

/// Python 3.11, rpm 4.18 and systemd 252: nearest to el9.
const SUITE: &str = "bookworm";
const NAME: &str = "quality_report";
const UNIT: &str = "quality_report.service";
const SOCKET: &str = "quality_report.socket";
const HOME: &str = "/opt/quality_report";
const STATE: &str = "/var/lib/quality_report";
const CONFIG: &str = "/opt/quality_report/config.yaml";
const URL: &str = "https://localhost:9091";
const PORT: &str = "9091";
const EDITED_NAME: &str = "Edited on this box";

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn service_is_what_an_administrator_expects() -> anyhow::Result<()> {
    machine::needs::check()?;
    let mut steps = Steps::on(SUITE);
    let share = tempfile::tempdir()?;
    let shared = Utf8Path::from_path(share.path()).context("the temporary folder is not UTF-8")?;
    let variants = steps.must("build the variants", || Variants::build(shared))?;
    load::write(shared)?;
    let root = steps.must("prepare the root", || Root::prepare(SUITE))?;
    let machine = steps.must("boot", || Machine::boot(&root, shared))?;
    steps.watch(&machine, UNIT);
    steps.must("tell rpm what the machine has", || machine::provides::install(&machine))?;

    let scenario = Scenario::new(&machine, &variants);
    scenario.knows_every_key(&mut steps);
    scenario.installs_without_a_socket(&mut steps)?;
    scenario.runs_commands_before_its_first_start(&mut steps)?;
    scenario.starts_without_a_socket(&mut steps)?;
    scenario.gets_a_socket_by_an_upgrade(&mut steps)?;
    scenario.is_confined(&mut steps);
    scenario.tells_how_it_does(&mut steps, shared)?;
    scenario.runs_commands_beside_the_service(&mut steps)?;
    scenario.loses_no_request(&mut steps)?;
    scenario.survives(&mut steps)?;
    scenario.gives_root_nothing_of_its_own(&mut steps)?;
    scenario.renews_its_certificate(&mut steps)?;
    scenario.verifies_itself(&mut steps)?;
    scenario.moves_its_port(&mut steps)?;
    scenario.reads_a_secret(&mut steps)?;
    scenario.runs_commands_with_secrets(&mut steps);
    scenario.loses_its_socket_by_a_downgrade(&mut steps)?;
    scenario.tells_of_a_release_that_does_not_start(&mut steps)?;
    scenario.goes(&mut steps)?;
    steps.finish()
}
