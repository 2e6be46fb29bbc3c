//! Two applications of this tool on one machine.

use anyhow::ensure;

use super::scenario::rpm_upgrade;
use crate::machine::service::page_has;
use crate::machine::suites::Suite;
use crate::machine::{Machine, Releases, Steps};
use crate::{HOME, NAME, TITLE, UNIT};

const OTHER: &str = "neighbour";
const OTHER_UNIT: &str = "neighbour.service";
const OTHER_URL: &str = "http://localhost:9092/";
const OTHER_PREFIX: &str = "/srv/company";

/// Installs both, and removes first the one and then the other.
pub fn live_together(steps: &mut Steps<'_>, machine: &Machine, suite: &Suite) -> anyhow::Result<()> {
    let other = Releases::inside(OTHER, suite, 1);
    let own = Releases::inside(NAME, suite, 1);
    rpm_upgrade(steps, machine, "neighbours: install both", &[], &format!("{own} {other}"))?;
    steps.must("neighbours: start both", || machine.text(&["systemctl", "enable", "--now", UNIT, OTHER_UNIT]))?;
    steps.must("neighbours: both serve", || {
        page_has(machine, &[TITLE])?;
        other_serves(machine, 1)
    })?;
    steps.check("neighbours: each runs as its own user", || {
        for name in [NAME, OTHER] {
            let users =
                machine.script(&format!("ps -o user:32= -p $(systemctl show --value -p MainPID {name}.service)"))?;
            ensure!(users == name, "{name} runs as {users}");
        }
        Ok(())
    });
    steps.check("neighbours: neither reads the other's configuration or state", || {
        for (user, path) in [(OTHER, format!("{HOME}/config.yaml")), (OTHER, format!("/var/lib/{NAME}/tls.key"))] {
            let read = machine.run(&["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "cat", &path])?;
            ensure!(!read.succeeded(), "{user} reads {path}");
        }
        Ok(())
    });
    let invocation = || machine.property(UNIT, "InvocationID");
    let before = invocation()?;
    let second = Releases::inside(OTHER, suite, 2);
    rpm_upgrade(steps, machine, "neighbours: upgrade the other", &[], &second)?;
    steps.check("neighbours: the other is new, this one was left alone", || {
        other_serves(machine, 2)?;
        ensure!(invocation()? == before, "it was restarted");
        page_has(machine, &[TITLE])
    });
    steps.must("neighbours: remove the other", || machine.text(&["rpm", "--erase", OTHER]))?;
    steps.check("neighbours: this one is whole", || {
        ensure!(invocation()? == before, "it was restarted");
        page_has(machine, &[TITLE])?;
        is_whole(machine, NAME)
    });
    rpm_upgrade(steps, machine, "neighbours: install the other again", &[], &other)?;
    steps.must("neighbours: start the other", || machine.text(&["systemctl", "start", OTHER_UNIT]))?;
    steps.must("neighbours: remove this one", || machine.text(&["rpm", "--erase", NAME]))?;
    steps.check("neighbours: the other is whole", || {
        other_serves(machine, 1)?;
        is_whole(machine, OTHER)
    });
    steps.must("neighbours: remove the other, too", || machine.text(&["rpm", "--erase", OTHER]))?;
    steps.check("neighbours: the folders of its prefix are gone", || {
        let left = machine.run(&["ls", OTHER_PREFIX])?;
        ensure!(!left.succeeded(), "{left}");
        Ok(())
    });
    Ok(())
}

/// At once: a start returns when the port answers, though this server does not tell.
fn other_serves(machine: &Machine, release: u32) -> anyhow::Result<()> {
    let page = machine.text(&["curl", "--fail", "--silent", "--show-error", "--max-time", "5", OTHER_URL])?;
    ensure!(page == format!("neighbour, release {release}"), "the page is `{page}`");
    Ok(())
}

/// Files, user and service of one are all there.
fn is_whole(machine: &Machine, name: &str) -> anyhow::Result<()> {
    let verified = machine.run(&["rpm", "--verify", name])?;
    ensure!(verified.succeeded() && verified.stdout.is_empty(), "{verified}");
    machine.text(&["getent", "passwd", name])?;
    machine.text(&["systemctl", "is-active", &format!("{name}.service")]).map(drop)
}
