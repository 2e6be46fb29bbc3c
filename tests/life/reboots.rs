//! What the table's states are after a reboot, two applications at a time.

use anyhow::ensure;

use super::scenario::rpm_upgrade;
use crate::machine::releases::NEW_ON_THE_PAGE;
use crate::machine::service::page_has;
use crate::machine::suites::Suite;
use crate::machine::{Machine, Releases, Steps};
use crate::{NAME, TITLE, UNIT};

const OTHER_UNIT: &str = "neighbour.service";

/// Reboots after an upgrade, and with each thing that keeps a service from starting.
pub fn are_survived(steps: &mut Steps<'_>, machine: &Machine, suite: &Suite) -> anyhow::Result<()> {
    let [first, second] = [1, 2].map(|release| Releases::inside(NAME, suite, release));
    let other = Releases::inside("neighbour", suite, 1);
    rpm_upgrade(steps, machine, "reboots: install both", &[], &format!("{first} {other}"))?;
    steps.must("reboots: start both, enable one", || {
        machine.script(&format!("systemctl --quiet enable --now {UNIT}; systemctl start {OTHER_UNIT}"))
    })?;
    rpm_upgrade(steps, machine, "reboots: upgrade the enabled one", &[], &second)?;
    steps.must("reboots: reboot", || machine.reboot())?;
    steps.check("reboots: the enabled one serves its new release", || {
        page_has(machine, &[TITLE, NEW_ON_THE_PAGE[0], NEW_ON_THE_PAGE[1]])
    });
    steps
        .check("reboots: the one that was only started stays away", || is(machine, OTHER_UNIT, "inactive", "disabled"));

    steps.must("reboots: disable the one, mask the other", || {
        machine.script(&format!(
            "systemctl --quiet disable {UNIT}
             systemctl --quiet enable --now {OTHER_UNIT}; systemctl --quiet mask {OTHER_UNIT}"
        ))
    })?;
    steps.must("reboots: reboot again", || machine.reboot())?;
    steps.check("reboots: the disabled one stays away", || is(machine, UNIT, "inactive", "disabled"));
    steps.check("reboots: the masked one stays away", || is(machine, OTHER_UNIT, "inactive", "masked"));

    steps.must("reboots: remove both", || {
        machine.script(&format!(
            "rpm --erase {NAME} neighbour; rm /etc/systemd/system/{OTHER_UNIT}; systemctl daemon-reload"
        ))
    })?;
    steps.check("reboots: nothing starts them any more", || {
        let links = machine.text(&["find", "/etc/systemd/system", "-name", "neighbour*", "-o", "-name", "quality*"])?;
        ensure!(links.is_empty(), "there is {links}");
        Ok(())
    });
    Ok(())
}

fn is(machine: &Machine, unit: &str, active: &str, file: &str) -> anyhow::Result<()> {
    let found = machine.text(&["systemctl", "show", "--value", "--property", "ActiveState,UnitFileState", unit])?;
    let found: Vec<&str> = found.lines().filter(|line| !line.is_empty()).collect();
    ensure!(found == [active, file], "{unit} is {found:?}, not {active} and {file}");
    Ok(())
}
