//! The table, tried row by row on a machine.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};

use super::table::{Action, Before, Row, rows};
use crate::machine::suites::Suite;
use crate::machine::{Machine, Releases, Steps};

/// An application that starts fast: the rows are many.
const NAME: &str = "neighbour";
const UNIT: &str = "neighbour.service";

/// What the administrator installs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    Rpm,
    Dnf,
}

impl Installer {
    /// The command lines of an action.
    fn lines(self, action: Action, suite: &Suite) -> Vec<String> {
        let [first, second] = [1, 2].map(|release| Releases::inside(NAME, suite, release));
        // a box with no repository at all
        let dnf = "dnf --assumeyes --releasever=1 --disablerepo='*'";
        match (self, action) {
            (Installer::Rpm, Action::Install) => vec![format!("rpm --install {first}")],
            (Installer::Rpm, Action::Upgrade) => vec![format!("rpm --upgrade {second}")],
            (Installer::Rpm, Action::Downgrade) => vec![format!("rpm --upgrade --oldpackage {first}")],
            (Installer::Rpm, Action::Reinstall) => vec![format!("rpm --upgrade --replacepkgs {first}")],
            (Installer::Rpm, Action::Remove) => vec![format!("rpm --erase {NAME}")],
            (Installer::Dnf, Action::Install) => vec![format!("{dnf} install {first}")],
            (Installer::Dnf, Action::Upgrade) => vec![format!("{dnf} upgrade {second}")],
            (Installer::Dnf, Action::Downgrade) => vec![format!("{dnf} downgrade {first}")],
            (Installer::Dnf, Action::Reinstall) => vec![format!("{dnf} reinstall {first}")],
            (Installer::Dnf, Action::Remove) => vec![format!("{dnf} remove {NAME}")],
            (_, Action::RemoveAndInstall) => {
                [self.lines(Action::Remove, suite), self.lines(Action::Install, suite)].concat()
            }
        }
    }
}

/// States that dnf does not meet: it hands the same transactions to the same library, only slower.
const LEFT_TO_RPM: [Before; 4] =
    [Before::NeverStarted, Before::Started, Before::Disabled, Before::DisabledAgainstPreset];

/// Tries the rows; one that fails is named, and the rest goes on.
pub fn tries_all(steps: &mut Steps<'_>, machine: &Machine, suite: &Suite, installer: Installer) {
    for row in rows().iter().filter(|row| installer == Installer::Rpm || !LEFT_TO_RPM.contains(&row.before)) {
        steps.check(&format!("{installer:?}: {}", row.name), || tries(machine, suite, installer, row));
    }
    steps.check(&format!("{installer:?}: tidy up"), || machine.script(RESET).map(drop));
}

/// Ends with the package gone, and with all that an administrator may have left.
const RESET: &str = "\
systemctl stop neighbour.service 2>/dev/null || :
rm -f /etc/systemd/system/neighbour.service /etc/systemd/system-preset/10-site.preset
# its own scriptlets read the units anew
if rpm --query --quiet neighbour; then rpm --erase neighbour; else systemctl daemon-reload; fi
systemctl reset-failed neighbour.service 2>/dev/null || :
";

/// Ends a running service in such a way that it stays failed.
const FAIL: &str = "\
mkdir -p /run/systemd/system/UNIT.d
printf '[Service]\nRestart=no\n' > /run/systemd/system/UNIT.d/once.conf
systemctl daemon-reload
systemctl kill --signal=KILL UNIT
while [ \"$(systemctl is-active UNIT)\" != failed ]; do sleep 0.1; done
rm -r /run/systemd/system/UNIT.d
systemctl daemon-reload";

fn tries(machine: &Machine, suite: &Suite, installer: Installer, row: &Row) -> anyhow::Result<()> {
    let from = if row.action == Action::Downgrade { 2 } else { 1 };
    let fill = |text: &str| text.replace("FAIL", FAIL).replace("UNIT", UNIT);
    let mut script = format!("{RESET}{}\n", fill(row.before.prepare()));
    if let Some(operate) = row.before.operate() {
        script += &format!("rpm --install {} 2>/dev/null\n{}\n", Releases::inside(NAME, suite, from), fill(operate));
    }
    machine.script(&script)?;
    let before = State::ask(machine)?;
    for line in installer.lines(row.action, suite) {
        let finished = machine.run(&["bash", "-c", &line])?;
        ensure!(finished.succeeded(), "{finished}");
        let said = format!("{}\n{}", finished.stdout, finished.stderr);
        if let Some(line) = said.lines().find(|line| is_unexpected(installer, line)) {
            bail!("it said `{line}`:\n{finished}");
        }
    }
    let after = State::ask(machine)?;
    let found = after.since(&before);
    ensure!(found == row.after, "it is `{found}`, not `{}`\nbefore {before:?}\nafter {after:?}", row.after);
    let is_installed = row.action != Action::Remove;
    let release = if row.action == Action::Upgrade { "2" } else { "1" };
    let expected = if is_installed { format!("{release}.{}", suite.tag) } else { String::new() };
    ensure!(after.release == expected, "release `{}` is installed, not `{expected}`", after.release);
    ensure!(after.of("NeedDaemonReload") == "no", "systemd has not read the unit anew");
    Ok(())
}

/// Whether a line speaks of a scriptlet, or of anything else that went wrong.
fn is_unexpected(installer: Installer, line: &str) -> bool {
    match installer {
        // Debian's rpm starts with two lines of advice, which begin with its name
        Installer::Rpm => !line.trim().is_empty() && !line.starts_with("rpm: "),
        Installer::Dnf => {
            let line = line.to_lowercase();
            ["warning:", "error:", "scriptlet failed", "failed to"].iter().any(|word| line.contains(word))
        }
    }
}

/// What systemd and rpm know.
#[derive(Debug)]
struct State {
    properties: BTreeMap<String, String>,
    /// as `1.el9`; empty where it is not installed
    release: String,
    /// what else of it is there: processes, and links that enable it
    left: String,
}

impl State {
    fn ask(machine: &Machine) -> anyhow::Result<Self> {
        let said = machine.script(
            "systemctl show --property LoadState,ActiveState,UnitFileState,InvocationID,NeedDaemonReload neighbour.service
             echo \"release=$(rpm --query --queryformat '%{release}' neighbour || :)\"
             echo \"left=$(ps -o pid= -u neighbour 2>/dev/null | xargs) $(find /etc/systemd/system -path '*.wants/neighbour*' | xargs)\"",
        )?;
        let mut properties: BTreeMap<String, String> = said
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let release = properties.remove("release").unwrap_or_default();
        let left = properties.remove("left").unwrap_or_default();
        Ok(Self {
            properties,
            release: if release.contains("not installed") { String::new() } else { release },
            left: left.trim().to_owned(),
        })
    }

    /// A property; empty where there is none.
    fn of(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// In the words of the table.
    fn since(&self, before: &Self) -> String {
        let was_active = before.of("ActiveState") == "active";
        let is_same = self.of("InvocationID") == before.of("InvocationID");
        let masked = self.of("LoadState") == "masked";
        if self.release.is_empty() {
            return match (self.of("ActiveState"), self.left.as_str()) {
                ("inactive", "") if masked => "gone, masked".to_owned(),
                ("inactive", "") if self.of("LoadState") == "not-found" => "gone".to_owned(),
                _ => format!("not gone, left: {}", self.left),
            };
        }
        let active = match self.of("ActiveState") {
            "active" if !was_active => "started",
            "active" if is_same => "runs on",
            "active" => "restarted",
            "inactive" => "stopped",
            other => other,
        };
        format!("{active}, {}", self.of("UnitFileState"))
    }
}
