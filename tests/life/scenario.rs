//! The sample from its first installation to its removal, with a reboot and an upgrade between.

use anyhow::{Context, ensure};

use crate::machine::releases;
use crate::machine::service::{
    config_is_guarded, has_no_failed_unit, has_no_journal_errors, is_edited, is_gone, is_healthy, is_unit, leaves_only,
    page_has, runs_as_its_user, verifies,
};
use crate::machine::suites::Suite;
use crate::machine::{self, Machine, Releases, Steps};
use crate::{CONFIG, EDITED_NAME, HOME, NAME, STATE, TITLE, UNIT};
use wheelhaul_trial::Files;

const NOTES: &str = "/usr/share/doc/quality_report/INSTALL.md";

/// The whole scenario; the machine must be without the package.
pub fn tell(steps: &mut Steps<'_>, machine: &Machine, suite: &Suite) -> anyhow::Result<()> {
    let [first, second] = [1, 2].map(|release| Releases::inside(NAME, suite, release));
    let before = steps.must("list all files", || Files::list(machine))?;
    installs(steps, machine, &first)?;
    serves(steps, machine)?;
    steps.must("reboot", || machine.reboot())?;
    comes_back(steps, machine)?;
    upgrades(steps, machine, &second)?;
    stays_stopped(steps, machine, &first, &second)?;
    goes_but_keeps_an_edit(steps, machine, &before)?;
    goes_entirely(steps, machine, &before, &second)
}

/// The machine must have no way out and no fault of its own, or the rest proves nothing.
pub fn is_fit_for_the_test(steps: &mut Steps<'_>, machine: &Machine) -> anyhow::Result<()> {
    steps.must("no network but loopback", || {
        let links = machine.text(&["ip", "-oneline", "link", "show"])?;
        ensure!(links.lines().count() == 1 && links.contains(" lo: "), "there are links:\n{links}");
        Ok(())
    })?;
    steps.check("no failed unit", || has_no_failed_unit(machine));
    steps.must("tell rpm what the machine has", || machine::provides::install(machine))?;
    steps.check("rpm refuses what the machine lacks", || {
        let provides = machine.text(&["rpm", "--query", "--whatprovides", "python(abi)"])?;
        ensure!(provides.lines().count() == 1, "python(abi) is provided by:\n{provides}");
        let found = machine.run(&["rpm", "--query", "--whatprovides", "libc.so.6(GLIBC_9.99)(64bit)"])?;
        ensure!(!found.succeeded(), "a glibc of the far future is there: {found}");
        Ok(())
    });
    Ok(())
}

fn installs(steps: &mut Steps<'_>, machine: &Machine, rpm: &str) -> anyhow::Result<()> {
    steps.check("digests are good, with SHA-256 for header and payload", || {
        let digests = machine.text(&["rpm", "--checksig", "--verbose", rpm])?;
        for line in ["Header SHA256 digest: OK", "Payload SHA256 digest: OK"] {
            ensure!(digests.contains(line), "`{line}` is missing in:\n{digests}");
        }
        Ok(())
    });
    rpm_upgrade(steps, machine, "install release 1", &[], rpm)?;
    steps.check("neither started nor enabled by itself", || {
        is_unit(machine, "ActiveState", "inactive")?;
        is_unit(machine, "UnitFileState", "disabled")
    });
    steps.check("user and group are there, without a login", || {
        machine.text(&["getent", "group", NAME])?;
        let user = machine.text(&["getent", "passwd", NAME])?;
        ensure!(user.ends_with("nologin"), "the user can log in: {user}");
        Ok(())
    });
    steps.check("configuration is 0640 root:quality_report", || config_is_guarded(machine));
    steps.check("a command runs as the service before its first start", || {
        let said = machine.script(&format!("{NAME}-run sh -c 'cat; id -un; exit 7' <<< in 2>&1 && exit 1; echo $?"))?;
        ensure!(said == format!("in\n{NAME}\n7"), "{said}");
        is_unit(machine, "ActiveState", "inactive")
    });
    steps.check("rpm -V is silent before the first start", || verifies(machine));
    Ok(())
}

fn serves(steps: &mut Steps<'_>, machine: &Machine) -> anyhow::Result<()> {
    steps.must("enable and start", || machine.text(&["systemctl", "enable", "--now", UNIT]))?;
    steps.must("the page answers", || page_has(machine, &[TITLE]))?;
    steps.check("/healthz answers", || is_healthy(machine));
    steps.check("every process runs as its own user", || runs_as_its_user(machine));
    steps.check("no error in its journal", || has_no_journal_errors(machine));
    Ok(())
}

fn comes_back(steps: &mut Steps<'_>, machine: &Machine) -> anyhow::Result<()> {
    steps.must("the page answers after a reboot, by itself", || page_has(machine, &[TITLE]))?;
    steps.check("no failed unit after the reboot", || has_no_failed_unit(machine));
    steps.check("root may run its code", || {
        let everything = "import importlib, pkgutil, src.app\n\
                          for module in pkgutil.iter_modules([\"lib\"]): importlib.import_module(module.name)";
        machine.script(&format!("cd {HOME}; bin/python -c '{everything}'")).map(drop)
    });
    steps.check("rpm -V is silent after use", || verifies(machine));
    steps.check("nothing was written beside its code", || {
        let stray = machine.script(&format!("comm -13 <(rpm --query --list {NAME} | sort) <(find {HOME} | sort)"))?;
        ensure!(stray.is_empty(), "not from the package:\n{stray}");
        Ok(())
    });
    steps.check("its modules come from the package's byte-code, where that has some", || {
        let shipped =
            machine.script(&format!("rpm --query --list {NAME} | grep --count '/src/__pycache__/.' || true"))?;
        let python = machine.script(&format!("sed --quiet '1s/^#!\\([^ ]*\\).*/\\1/p' {HOME}/bin/python"))?;
        let launcher = format!("{HOME}/bin/python");
        let said = machine.run(&[python.trim(), "-ISBv", &launcher, "-c", "import src.app"])?;
        ensure!(said.succeeded(), "{said}");
        // Python tells a path of byte-code in quotes, and one of a source without.
        let of = |start: &str| said.stderr.lines().filter(|line| line.starts_with(start)).count();
        let read = (of(&format!("# code object from '{HOME}/")), of(&format!("# code object from {HOME}/")));
        println!(
            "{} files of byte-code beside the application's modules; byte-code and sources read: {read:?}",
            shipped.trim()
        );
        let good = if shipped.trim() == "0" { read.0 == 0 && read.1 > 50 } else { read.0 > 50 && read.1 == 0 };
        ensure!(good, "byte-code and sources read: {read:?}");
        Ok(())
    });
    Ok(())
}

fn upgrades(steps: &mut Steps<'_>, machine: &Machine, second: &str) -> anyhow::Result<()> {
    steps.must("edit the configuration", || {
        let edit = format!("s/^app_name:.*/app_name: \"{EDITED_NAME}\"/");
        machine.text(&["sed", "--in-place", &edit, CONFIG])?;
        is_edited(machine)
    })?;
    let before = steps.must("note its invocation", || machine.property(UNIT, "InvocationID"))?;
    rpm_upgrade(steps, machine, "upgrade to release 2", &[], second)?;
    steps.check("restarted by the upgrade, still enabled", || {
        is_unit(machine, "ActiveState", "active")?;
        is_unit(machine, "UnitFileState", "enabled")?;
        is_unit(machine, "NeedDaemonReload", "no")?;
        let now = machine.property(UNIT, "InvocationID")?;
        ensure!(now != before, "it is still invocation {before}");
        Ok(())
    });
    steps.check("edited configuration is kept, the new default beside it", || {
        is_edited(machine)?;
        config_is_guarded(machine)?;
        machine.text(&["grep", "^colour:", &format!("{CONFIG}.rpmnew")]).map(drop)
    });
    let new = releases::NEW_ON_THE_PAGE;
    steps.check("the page has the new code, template and the edit", || {
        page_has(machine, &[TITLE, new[0], new[1], EDITED_NAME])
    });
    steps.check("/healthz answers after the upgrade", || is_healthy(machine));
    steps.check("no error in its journal after the upgrade", || has_no_journal_errors(machine));
    Ok(())
}

fn stays_stopped(steps: &mut Steps<'_>, machine: &Machine, first: &str, second: &str) -> anyhow::Result<()> {
    steps.check("stops cleanly", || {
        machine.text(&["systemctl", "stop", UNIT])?;
        is_unit(machine, "Result", "success")
    });
    for (way, options, rpm) in [("downgrade", &["--oldpackage"][..], first), ("upgrade", &[], second)] {
        rpm_upgrade(steps, machine, &format!("{way} while it is stopped"), options, rpm)?;
        steps.check(&format!("still stopped and enabled after the {way}"), || {
            is_unit(machine, "ActiveState", "inactive")?;
            is_unit(machine, "UnitFileState", "enabled")
        });
        steps.check(&format!("edit is kept by the {way}"), || is_edited(machine));
    }
    steps.must("start again", || machine.text(&["systemctl", "start", UNIT]))?;
    steps.check("the page answers again", || page_has(machine, &[EDITED_NAME]));
    Ok(())
}

fn goes_but_keeps_an_edit(steps: &mut Steps<'_>, machine: &Machine, before: &Files) -> anyhow::Result<()> {
    steps.must("remove while it runs", || machine.text(&["rpm", "--erase", NAME]))?;
    steps.check("package, unit and port are gone", || is_gone(machine));
    steps.check("the edit is saved", || machine.text(&["grep", EDITED_NAME, &format!("{CONFIG}.rpmsave")]).map(drop));
    steps.check("nothing else is left", || {
        let (saved, new) = (format!("{CONFIG}.rpmsave"), format!("{CONFIG}.rpmnew"));
        leaves_only(machine, before, &[HOME, &saved, &new])
    });
    Ok(())
}

fn goes_entirely(steps: &mut Steps<'_>, machine: &Machine, before: &Files, rpm: &str) -> anyhow::Result<()> {
    steps.must("tidy up", || machine.text(&["rm", "--recursive", "--force", HOME]))?;
    rpm_upgrade(steps, machine, "install anew", &[], rpm)?;
    steps.check("neither started nor enabled by the new install", || {
        is_unit(machine, "ActiveState", "inactive")?;
        is_unit(machine, "UnitFileState", "disabled")
    });
    steps.must("start anew", || machine.text(&["systemctl", "enable", "--now", UNIT]))?;
    steps.check("the page answers anew", || page_has(machine, &[TITLE]));
    let deletes = steps.must("read in the notes what deletes all", || {
        machine.text(&["sed", "--quiet", "s/^ *\\(sudo userdel .*\\)$/\\1/p", NOTES])
    })?;
    steps.must("remove without an edit", || machine.text(&["rpm", "--erase", NAME]))?;
    steps.check("package, unit and port are gone again", || is_gone(machine));
    steps.check("nothing is left but state and user", || leaves_only(machine, before, &[]));
    steps.check("state and user stay", || {
        let owner = machine.text(&["stat", "--format=%U", STATE])?;
        ensure!(owner == NAME, "{STATE} belongs to {owner}");
        machine.text(&["getent", "passwd", NAME]).map(drop)
    });
    steps.check("the notes' last command deletes these, too", || {
        let words = deletes.strip_prefix("sudo ").context("it is not for an administrator")?;
        machine.script(&words.replace("&& sudo ", "&& "))?;
        for account in ["passwd", "group"] {
            ensure!(!machine.run(&["getent", account, NAME])?.succeeded(), "{account} still has {NAME}");
        }
        ensure!(!machine.run(&["stat", STATE])?.succeeded(), "{STATE} is still there");
        Ok(())
    });
    Ok(())
}

/// `rpm -U`, for a first install as well, and a look at its warnings: to rpm a failed scriptlet is
/// no more than that.
pub fn rpm_upgrade(
    steps: &mut Steps<'_>,
    machine: &Machine,
    name: &str,
    options: &[&str],
    rpm: &str,
) -> anyhow::Result<()> {
    let said = steps.must(name, || {
        let rpms: Vec<&str> = rpm.split(' ').collect();
        let finished = machine.run(&[&["rpm", "--upgrade"], options, &rpms].concat())?;
        ensure!(finished.succeeded(), "{finished}");
        Ok(finished.stderr)
    })?;
    steps.check(&format!("{name}: no unexpected warning"), || {
        let kept = format!("warning: {CONFIG} created as {CONFIG}.rpmnew");
        // Debian's rpm starts with two lines of advice, which begin with its name
        let is_expected = |line: &&str| *line == kept || line.starts_with("rpm: ");
        let unexpected: Vec<_> = said.lines().filter(|line| !is_expected(line)).collect();
        ensure!(unexpected.is_empty(), "rpm said:\n{}", unexpected.join("\n"));
        Ok(())
    });
    Ok(())
}
