//! The sample's RPM on machines without network: installed, started, asked over HTTPS, rebooted, upgraded,
//! downgraded and removed, by the real `rpm`, `dnf` and systemd, in every state that an administrator may have
//! left it in.

use anyhow::{Context, ensure};

use life::rows::{self, Installer};
use life::{config, image, load, neighbours, reboots, scenario};
use machine::suites::SUITES;
use machine::{Machine, Releases, Root, Steps};

mod checkout;
mod life;
mod machine;

/// The package, and its user and group.
const NAME: &str = "quality_report";
const UNIT: &str = "quality_report.service";
const HOME: &str = "/opt/quality_report";
const STATE: &str = "/var/lib/quality_report";
const CONFIG: &str = "/opt/quality_report/config.yaml";
const URL: &str = "https://localhost:9091";
const PORT: &str = "9091";
/// On the page of every release.
const TITLE: &str = "Quality Report";
/// What the administrator calls the application in the edited configuration.
const EDITED_NAME: &str = "Edited on this box";

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn lives_on_bullseye() -> anyhow::Result<()> {
    lives_on("bullseye", &[Installer::Rpm])
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn lives_on_bookworm() -> anyhow::Result<()> {
    lives_on("bookworm", &[Installer::Rpm, Installer::Dnf])
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn lives_on_trixie() -> anyhow::Result<()> {
    lives_on("trixie", &[Installer::Rpm, Installer::Dnf])
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn lives_on_forky() -> anyhow::Result<()> {
    lives_on("forky", &[Installer::Rpm])
}

/// Everything on one machine; the table through each of `installers`.
fn lives_on(name: &str, installers: &[Installer]) -> anyhow::Result<()> {
    machine::needs::check()?;
    let suite = SUITES.iter().find(|suite| suite.name == name).context("no such suite")?;
    let mut steps = Steps::on(suite.name);
    let root = steps.must("prepare the root", || Root::prepare(suite.name))?;
    let releases = steps.must("build the releases", Releases::build)?;
    image::takes_the_package(&mut steps, &root, releases, suite)?;

    let machine = steps.must("boot", || Machine::boot(&root, releases.share()))?;
    steps.watch(&machine, UNIT);
    steps.check("it has the rpm that it stands for", || {
        let version = machine.text(&["rpm", "--version"])?;
        ensure!(version.contains(&format!(" {}.", suite.rpm)), "it is {version}, not {}", suite.rpm);
        Ok(())
    });
    scenario::is_fit_for_the_test(&mut steps, &machine)?;
    scenario::tell(&mut steps, &machine, suite)?;
    config::is_kept(&mut steps, &machine, suite)?;
    load::is_borne(&mut steps, &machine, suite)?;
    neighbours::live_together(&mut steps, &machine, suite)?;
    reboots::are_survived(&mut steps, &machine, suite)?;
    for installer in installers {
        rows::tries_all(&mut steps, &machine, suite, *installer);
    }
    steps.finish()
}
