//! The table of checks.

use crate::verify::{
    Evidence, Outcome, audit, byte_code, config, elf, files, fips, places, python, scriptlets, secrets, service,
    sysusers, units,
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
}

impl When {
    /// In a word, for lists and for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Fips => "--fips",
            Self::Audit => "--audit",
        }
    }
}

/// A row of the table.
pub struct Check {
    /// its name, for reports and for `--explain`
    pub name: &'static str,
    /// when it is made
    pub when: When,
    /// Its first line is the reason, what follows the explanation.
    text: &'static str,
    pub(super) judge: fn(&Evidence) -> Outcome,
}

impl Check {
    /// What it is for, in a line.
    pub fn reason(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Whether what it says depends on the programs of the host, and not on the package alone.
    pub fn asks_host(&self, evidence: &Evidence) -> bool {
        match self.name {
            "scriptlets" => true,
            "imports" => evidence.without_byte_code().is_none_or(|modules| !modules.is_empty()),
            _ => false,
        }
    }

    /// Why it is made, and what to do about its findings; with LF, whatever work tree it was built from.
    pub fn explanation(&self) -> String {
        self.text.split_once('\n').map_or("", |(_, rest)| rest.trim()).replace("\r\n", "\n")
    }
}

/// Every check, in the order of the report.
#[rustfmt::skip]
pub const CHECKS: &[Check] = &[
    Check { name: "digests",     when: When::Always, text: include_str!("explained/digests.md"), judge: files::digests },
    Check { name: "record",      when: When::Always, text: include_str!("explained/record.md"), judge: python::record },
    Check { name: "lock",        when: When::Always, text: include_str!("explained/lock.md"), judge: python::lock },
    Check { name: "tags",        when: When::Always, text: include_str!("explained/tags.md"), judge: python::tags },
    Check { name: "requires",    when: When::Always, text: include_str!("explained/requires.md"), judge: python::requires },
    Check { name: "byte-code",   when: When::Always, text: include_str!("explained/byte-code.md"), judge: byte_code::judge },
    Check { name: "imports",     when: When::Always, text: include_str!("explained/imports.md"), judge: python::imports },
    Check { name: "elf",         when: When::Always, text: include_str!("explained/elf.md"), judge: elf::elf },
    Check { name: "libraries",   when: When::Always, text: include_str!("explained/libraries.md"), judge: elf::libraries },
    Check { name: "symbols",     when: When::Always, text: include_str!("explained/symbols.md"), judge: elf::symbols },
    Check { name: "hardening",   when: When::Always, text: include_str!("explained/hardening.md"), judge: elf::hardening },
    Check { name: "extensions",  when: When::Always, text: include_str!("explained/extensions.md"), judge: elf::extensions },
    Check { name: "entry-point", when: When::Always, text: include_str!("explained/entry-point.md"), judge: service::entry_point },
    Check { name: "scriptlets",  when: When::Always, text: include_str!("explained/scriptlets.md"), judge: scriptlets::judge },
    Check { name: "units",       when: When::Always, text: include_str!("explained/units.md"), judge: units::judge },
    Check { name: "unit-keys",   when: When::Always, text: include_str!("explained/unit-keys.md"), judge: service::unit_keys },
    Check { name: "sysusers",    when: When::Always, text: include_str!("explained/sysusers.md"), judge: sysusers::judge },
    Check { name: "places",      when: When::Always, text: include_str!("explained/places.md"), judge: places::judge },
    Check { name: "modes",       when: When::Always, text: include_str!("explained/modes.md"), judge: files::modes },
    Check { name: "host-paths",  when: When::Always, text: include_str!("explained/host-paths.md"), judge: files::host_paths },
    Check { name: "config",      when: When::Always, text: include_str!("explained/config.md"), judge: config::judge },
    Check { name: "secrets",     when: When::Always, text: include_str!("explained/secrets.md"), judge: secrets::judge },
    Check { name: "fips",        when: When::Fips,   text: include_str!("explained/fips.md"), judge: fips::judge },
    Check { name: "audit",       when: When::Audit,  text: include_str!("explained/audit.md"), judge: audit::judge },
];
