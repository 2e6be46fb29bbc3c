//! A configuration file over several releases, edited and not. The service is not started.

use anyhow::ensure;

use super::scenario::rpm_upgrade;
use crate::machine::service::{config_is_guarded, is_edited};
use crate::machine::suites::Suite;
use crate::machine::{Machine, Releases, Steps};
use crate::{CONFIG, EDITED_NAME, HOME, NAME};

/// Goes through releases 1 to 3 and back, first without an edit.
pub fn is_kept(steps: &mut Steps<'_>, machine: &Machine, suite: &Suite) -> anyhow::Result<()> {
    let [first, second, third] = [1, 2, 3].map(|release| Releases::inside(NAME, suite, release));
    let new = format!("{CONFIG}.rpmnew");
    rpm_upgrade(steps, machine, "config: install release 1", &[], &first)?;
    rpm_upgrade(steps, machine, "config: upgrade to release 2", &[], &second)?;
    steps.check("config: without an edit it is replaced, and nothing is beside it", || {
        has_colour(machine, CONFIG, "blue")?;
        is_alone(machine)
    });
    rpm_upgrade(steps, machine, "config: downgrade to release 1", &["--oldpackage"], &first)?;
    steps.check("config: without an edit the downgrade replaces it", || {
        ensure!(has_colour(machine, CONFIG, "blue").is_err(), "it is still that of release 2");
        is_alone(machine)
    });

    steps.must("config: edit it", || {
        machine.text(&["sed", "--in-place", &format!("s/^app_name:.*/app_name: \"{EDITED_NAME}\"/"), CONFIG])
    })?;
    for (rpm, release, colour) in [(&second, 2, "blue"), (&third, 3, "green")] {
        rpm_upgrade(steps, machine, &format!("config: upgrade the edited one to release {release}"), &[], rpm)?;
        steps.check(&format!("config: the edit is kept, the default of release {release} beside it"), || {
            is_edited(machine)?;
            config_is_guarded(machine)?;
            ensure!(has_colour(machine, CONFIG, colour).is_err(), "the default is in the edited file");
            has_colour(machine, &new, colour)
        });
    }
    for (rpm, release) in [(&second, 2), (&first, 1)] {
        rpm_upgrade(
            steps,
            machine,
            &format!("config: downgrade the edited one to release {release}"),
            &["--oldpackage"],
            rpm,
        )?;
        steps.check(&format!("config: the edit is kept by the downgrade to release {release}"), || is_edited(machine));
    }
    steps.must("config: remove", || machine.text(&["rpm", "--erase", NAME]))?;
    steps.check("config: the edit is saved", || {
        machine.text(&["grep", EDITED_NAME, &format!("{CONFIG}.rpmsave")]).map(drop)
    });
    steps.must("config: tidy up", || machine.text(&["rm", "--recursive", "--force", HOME]))?;
    Ok(())
}

fn has_colour(machine: &Machine, path: &str, colour: &str) -> anyhow::Result<()> {
    machine.text(&["grep", &format!("^colour: \"{colour}\""), path]).map(drop)
}

fn is_alone(machine: &Machine) -> anyhow::Result<()> {
    let beside = machine.text(&["find", HOME, "-name", "*.rpm*"])?;
    ensure!(beside.is_empty(), "there is {beside}");
    Ok(())
}
