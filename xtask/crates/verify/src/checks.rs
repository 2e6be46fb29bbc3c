//! The table of checks.

use crate::{
    Evidence, Outcome, accepted, audit, byte_code, config, elf, files, fips, on_box, places, python, scriptlets,
    secrets, service, sysusers, units,
};

/// When a check is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// at each `verify`
    Always,
    /// with `--fips`
    Fips,
    /// with `--audit`
    Audit,
    /// with `--box`
    OnBox,
    /// where the package or the site accepts findings
    Accepted,
}

impl When {
    /// In a word, for lists and for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Fips => "--fips",
            Self::Audit => "--audit",
            Self::OnBox => "--box",
            Self::Accepted => "[[accept]]",
        }
    }
}

/// A row of the table.
pub struct Check {
    /// its name, for reports and for `checks NAME`
    pub name: &'static str,
    /// when it is made
    pub when: When,
    /// Its first line is the reason, what follows the explanation.
    text: &'static str,
    /// whether what it says of this package depends on the programs of the host, and not on the package alone
    asks_host: fn(&Evidence) -> bool,
    pub(super) judge: fn(&Evidence) -> Outcome,
}

/// It looks at the package alone.
const NO: fn(&Evidence) -> bool = |_| false;
/// It asks shells.
const SHELLS: fn(&Evidence) -> bool = |_| true;
/// It asks an interpreter about what has no byte-code.
const PYTHON: fn(&Evidence) -> bool = |evidence| evidence.without_byte_code().is_none_or(|modules| !modules.is_empty());

impl Check {
    /// What it is for, in a line.
    pub fn reason(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Whether what it says depends on the programs of the host, and not on the package alone.
    pub fn asks_host(&self, evidence: &Evidence) -> bool {
        (self.asks_host)(evidence)
    }

    /// Why it is made, and what to do about its findings; with LF, whatever work tree it was built from.
    pub fn explanation(&self) -> String {
        self.text.split_once('\n').map_or("", |(_, rest)| rest.trim()).replace("\r\n", "\n")
    }
}

/// Every check, in the order of the report.
#[rustfmt::skip]
pub const CHECKS: &[Check] = &[
    Check { name: "digests",     when: When::Always, text: include_str!("explained/digests.md"), asks_host: NO, judge: files::digests },
    Check { name: "record",      when: When::Always, text: include_str!("explained/record.md"), asks_host: NO, judge: python::record },
    Check { name: "lock",        when: When::Always, text: include_str!("explained/lock.md"), asks_host: NO, judge: python::lock },
    Check { name: "tags",        when: When::Always, text: include_str!("explained/tags.md"), asks_host: NO, judge: python::tags },
    Check { name: "requires",    when: When::Always, text: include_str!("explained/requires.md"), asks_host: NO, judge: python::requires },
    Check { name: "byte-code",   when: When::Always, text: include_str!("explained/byte-code.md"), asks_host: NO, judge: byte_code::judge },
    Check { name: "imports",     when: When::Always, text: include_str!("explained/imports.md"), asks_host: PYTHON, judge: python::imports },
    Check { name: "elf",         when: When::Always, text: include_str!("explained/elf.md"), asks_host: NO, judge: elf::elf },
    Check { name: "libraries",   when: When::Always, text: include_str!("explained/libraries.md"), asks_host: NO, judge: elf::libraries },
    Check { name: "symbols",     when: When::Always, text: include_str!("explained/symbols.md"), asks_host: NO, judge: elf::symbols },
    Check { name: "hardening",   when: When::Always, text: include_str!("explained/hardening.md"), asks_host: NO, judge: elf::hardening },
    Check { name: "extensions",  when: When::Always, text: include_str!("explained/extensions.md"), asks_host: NO, judge: elf::extensions },
    Check { name: "entry-point", when: When::Always, text: include_str!("explained/entry-point.md"), asks_host: NO, judge: service::entry_point },
    Check { name: "scriptlets",  when: When::Always, text: include_str!("explained/scriptlets.md"), asks_host: SHELLS, judge: scriptlets::judge },
    Check { name: "units",       when: When::Always, text: include_str!("explained/units.md"), asks_host: NO, judge: units::judge },
    Check { name: "unit-keys",   when: When::Always, text: include_str!("explained/unit-keys.md"), asks_host: NO, judge: service::unit_keys },
    Check { name: "sysusers",    when: When::Always, text: include_str!("explained/sysusers.md"), asks_host: NO, judge: sysusers::judge },
    Check { name: "places",      when: When::Always, text: include_str!("explained/places.md"), asks_host: NO, judge: places::judge },
    Check { name: "modes",       when: When::Always, text: include_str!("explained/modes.md"), asks_host: NO, judge: files::modes },
    Check { name: "host-paths",  when: When::Always, text: include_str!("explained/host-paths.md"), asks_host: NO, judge: files::host_paths },
    Check { name: "config",      when: When::Always, text: include_str!("explained/config.md"), asks_host: NO, judge: config::judge },
    Check { name: "secrets",     when: When::Always, text: include_str!("explained/secrets.md"), asks_host: NO, judge: secrets::judge },
    Check { name: "fips",        when: When::Fips,   text: include_str!("explained/fips.md"), asks_host: NO, judge: fips::judge },
    Check { name: "audit",       when: When::Audit,  text: include_str!("explained/audit.md"), asks_host: NO, judge: audit::judge },
    Check { name: "box-package", when: When::OnBox, text: include_str!("explained/box-package.md"), asks_host: NO, judge: on_box::package },
    Check { name: "box-release", when: When::OnBox, text: include_str!("explained/box-release.md"), asks_host: NO, judge: on_box::release },
    Check { name: "box-service", when: When::OnBox, text: include_str!("explained/box-service.md"), asks_host: NO, judge: on_box::service },
    Check { name: "box-selinux", when: When::OnBox, text: include_str!("explained/box-selinux.md"), asks_host: NO, judge: on_box::selinux },
    Check { name: "box-fapolicy", when: When::OnBox, text: include_str!("explained/box-fapolicy.md"), asks_host: NO, judge: on_box::fapolicy },
    Check { name: "box-files", when: When::OnBox, text: include_str!("explained/box-files.md"), asks_host: NO, judge: on_box::files },
    Check { name: "box-answer", when: When::OnBox, text: include_str!("explained/box-answer.md"), asks_host: NO, judge: on_box::answer },
    Check { name: "accepted",    when: When::Accepted, text: include_str!("explained/accepted.md"), asks_host: NO, judge: accepted::judge },
];
