//! What is asked beside what the package says itself, and what programs of this host answered.

use crate::Severity;
use crate::advisories::Advisories;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_config::Accept;

/// What shells of this host said of scripts that they parsed, without running any.
#[derive(Debug, Default)]
pub struct ParsedBy {
    /// who parsed: `bash`, `bash and shellcheck 0.9.0`
    pub by: String,
    /// how many were parsed
    pub scripts: usize,
    /// what was said
    pub said: Vec<ScriptFault>,
}

/// A fault that a program of this host found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFault {
    /// its path; empty for a scriptlet
    pub path: String,
    /// `%pre, line 3: syntax error near unexpected token`
    pub what: String,
    /// how much it weighs
    pub severity: Severity,
}

/// What compiling the modules on this host said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompileReport {
    /// `3.11.7`
    pub by: String,
    /// path → why it does not compile
    pub faults: BTreeMap<String, String>,
    /// paths of those that were too large to be looked at
    pub skipped: BTreeSet<String>,
}

/// What is asked of a box in FIPS mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fips {
    /// packages that may bring cryptography of their own
    pub allowed: BTreeSet<PackageName>,
}

/// What is known, and what of that has been judged already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// at least those of the packages in the RPM
    pub advisories: Advisories,
    /// ids or aliases of what somebody has judged
    pub ignored: BTreeSet<String>,
}

/// The policy of the site that verifies.
#[derive(Debug, Clone)]
pub struct Site {
    /// what it is called in reports
    pub shown: String,
    /// of the file, in lower-case hex
    pub sha256: String,
    /// what it says
    pub accept: Vec<Accept>,
}
