//! What becomes of the service, as data: the same rows are tried on every machine and stand in the docs.

/// What the administrator had done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    NeverStarted,
    StartedEnabled,
    Started,
    StoppedEnabled,
    Disabled,
    DisabledAgainstPreset,
    Masked,
    MaskedRunning,
    Failed,
    FailedEnabled,
    NotInstalled,
    NotInstalledPreset,
    NotInstalledMasked,
}

impl Before {
    /// For `bash`, before the package is installed.
    pub fn prepare(self) -> &'static str {
        match self {
            Before::DisabledAgainstPreset | Before::NotInstalledPreset => {
                "mkdir -p /etc/systemd/system-preset; echo enable UNIT > /etc/systemd/system-preset/10-site.preset"
            }
            Before::NotInstalledMasked => "ln -s /dev/null /etc/systemd/system/UNIT; systemctl daemon-reload",
            _ => ":",
        }
    }

    /// For `bash`, once the package is installed; none where it is not to be.
    pub fn operate(self) -> Option<&'static str> {
        match self {
            Before::NeverStarted => Some(":"),
            Before::StartedEnabled => Some("systemctl --quiet enable --now UNIT"),
            Before::Started => Some("systemctl start UNIT"),
            Before::StoppedEnabled => Some("systemctl --quiet enable --now UNIT; systemctl stop UNIT"),
            Before::Disabled => Some("systemctl --quiet enable --now UNIT; systemctl --quiet disable --now UNIT"),
            Before::DisabledAgainstPreset => Some("systemctl --quiet disable UNIT"),
            Before::Masked => Some("systemctl --quiet enable --now UNIT; systemctl --quiet mask --now UNIT"),
            Before::MaskedRunning => Some("systemctl --quiet enable --now UNIT; systemctl --quiet mask UNIT"),
            Before::Failed => Some("systemctl start UNIT; FAIL"),
            Before::FailedEnabled => Some("systemctl --quiet enable --now UNIT; FAIL"),
            Before::NotInstalled | Before::NotInstalledPreset | Before::NotInstalledMasked => None,
        }
    }
}

/// What is done with the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Install,
    Upgrade,
    Downgrade,
    Reinstall,
    Remove,
    RemoveAndInstall,
}

/// State before, its words, and what is left of it after an installation.
///
/// After the comma is what `systemctl is-enabled` says.
#[rustfmt::skip]
pub const INSTALLED: [(Before, &str, &str); 3] = [
    (Before::NotInstalled,       "not installed",                           "stopped, disabled"),
    (Before::NotInstalledPreset, "not installed, a preset enables it",      "stopped, enabled"),
    (Before::NotInstalledMasked, "not installed, masked",                   "stopped, masked"),
];

/// State before, its words, and what is left of it after
/// - an upgrade, a downgrade or a reinstallation,
/// - a removal,
/// - a removal and a new installation.
#[rustfmt::skip]
pub const KEPT: [(Before, &str, &str, &str, &str); 10] = [
    (Before::NeverStarted,          "never started",                        "stopped, disabled",   "gone",         "stopped, disabled"),
    (Before::StartedEnabled,        "started and enabled",                  "restarted, enabled",  "gone",         "stopped, disabled"),
    (Before::Started,               "started, not enabled",                 "restarted, disabled", "gone",         "stopped, disabled"),
    (Before::StoppedEnabled,        "stopped, still enabled",               "stopped, enabled",    "gone",         "stopped, disabled"),
    (Before::Disabled,              "stopped and disabled",                 "stopped, disabled",   "gone",         "stopped, disabled"),
    (Before::DisabledAgainstPreset, "disabled, though a preset enables it", "stopped, disabled",   "gone",         "stopped, enabled"),
    (Before::Masked,                "stopped and masked",                   "stopped, masked",     "gone, masked", "stopped, masked"),
    (Before::MaskedRunning,         "masked while it runs",                 "runs on, masked",     "gone, masked", "stopped, masked"),
    (Before::FailedEnabled,         "failed, still enabled",                "started, enabled",    "gone",         "stopped, disabled"),
    (Before::Failed,                "failed, not enabled",                  "failed, disabled",    "gone",         "stopped, disabled"),
];

/// A line of the table that is to be tried.
#[derive(Debug)]
pub struct Row {
    pub before: Before,
    pub action: Action,
    pub after: &'static str,
    /// The row's name in the report.
    pub name: String,
}

/// Every state with every action.
pub fn rows() -> Vec<Row> {
    let row = |before, words: &str, action, after| {
        let name = format!("{words}: {action:?}");
        Row { before, action, after, name }
    };
    let mut rows: Vec<Row> =
        INSTALLED.into_iter().map(|(before, words, after)| row(before, words, Action::Install, after)).collect();
    for (before, words, replaced, removed, anew) in KEPT {
        for (action, after) in [
            (Action::Upgrade, replaced),
            (Action::Downgrade, replaced),
            (Action::Reinstall, replaced),
            (Action::Remove, removed),
            (Action::RemoveAndInstall, anew),
        ] {
            rows.push(row(before, words, action, after));
        }
    }
    rows
}

/// The table as the docs have it.
fn markdown() -> String {
    let mut text = String::from(
        "| the service is | install | upgrade, downgrade, reinstall | remove | remove, install again |\n|---|---|---|---|---|\n",
    );
    for (_, words, after) in INSTALLED {
        text += &format!("| {words} | {after} | | | |\n");
    }
    for (_, words, replaced, removed, anew) in KEPT {
        text += &format!("| {words} | | {replaced} | {removed} | {anew} |\n");
    }
    text
}

#[test]
fn docs_have_the_table_that_is_tried() {
    let docs = fs_err::read_to_string(crate::checkout::repository().join("xtask/README.md")).unwrap();
    let table = markdown();
    assert!(docs.contains(&table), "xtask/README.md has to hold:\n\n{table}");
}
