//! The names of the checks of `verify`: those whose findings a builder may accept, and the others.

/// The checks whose findings can be accepted, in the order of names.
pub const ACCEPTABLE: &[&str] = &[
    "audit",
    "config",
    "elf",
    "entry-point",
    "extensions",
    "fips",
    "hardening",
    "host-paths",
    "imports",
    "libraries",
    "requires",
    "symbols",
    "tags",
];

/// The other checks: what they find is another package than the one that was locked and built, a secret, something that
/// acts as root, or what a box said.
pub const NEVER: &[&str] = &[
    "box-answer",
    "box-fapolicy",
    "box-files",
    "box-package",
    "box-release",
    "box-selinux",
    "box-service",
    "byte-code",
    "digests",
    "lock",
    "modes",
    "places",
    "record",
    "scriptlets",
    "secrets",
    "sysusers",
    "unit-keys",
    "units",
];
