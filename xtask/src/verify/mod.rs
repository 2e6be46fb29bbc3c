//! The finished RPM, judged against its target from its bytes alone: evidence → findings, by a table of
//! checks. Judging reads nothing; [`Evidence::gather`] goes once through the payload.

mod byte_code;
mod elf;
mod evidence;
mod files;
mod python;
mod service;

pub use evidence::Evidence;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// to look at; the exit code stays 0
    Warning,
    /// it will not work, or must not ship
    Error,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// how much it weighs
    pub severity: Severity,
    /// where, on the box
    pub path: String,
    /// what was expected and what is there
    pub what: String,
    /// what to do
    pub cure: String,
}

impl Finding {
    fn error(path: impl Into<String>, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { severity: Severity::Error, path: path.into(), what: what.into(), cure: cure.into() }
    }

    fn warning(path: impl Into<String>, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, what, cure) }
    }
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// it was made; `looked_at` says over what
    Made {
        /// `794 files`
        looked_at: String,
        /// sorted by path
        findings: Vec<Finding>,
    },
    /// it could not be made, and why; that is no pass
    NotMade(String),
}

/// A row of the table.
pub struct Check {
    /// its name, for reports and for `--explain`
    pub name: &'static str,
    /// what it is for, in a line
    pub reason: &'static str,
    judge: fn(&Evidence) -> Outcome,
}

/// Every check, in the order of the report.
#[rustfmt::skip]
pub const CHECKS: &[Check] = &[
    Check { name: "digests",     reason: "header, payload and every file have the SHA-256 that they say, and nothing relies on MD5, which FIPS boxes refuse", judge: files::digests },
    Check { name: "record",      reason: "every installed distribution has exactly the files of its RECORD",                        judge: python::record },
    Check { name: "tags",        reason: "every wheel's tags fit the target's Python, glibc and processor",                         judge: python::tags },
    Check { name: "requires",    reason: "every Requires-Dist that holds on the target is satisfied, and so is Requires-Python",    judge: python::requires },
    Check { name: "byte-code",   reason: "byte-code is of the target's Python, lies beside its source and is never held against it", judge: byte_code::judge },
    Check { name: "elf",         reason: "every ELF file is for the target's processor and asks for no newer glibc",                judge: elf::judge },
    Check { name: "entry-point", reason: "what the service starts is in the package",                                               judge: service::entry_point },
    Check { name: "unit-keys",   reason: "the target's systemd knows every key of the unit; it only warns of others",               judge: service::unit_keys },
    Check { name: "places",      reason: "nothing but files and folders, and only where an application's package has them",          judge: files::places },
    Check { name: "modes",       reason: "nothing is setuid or writable by all, and the service owns nothing that can be executed", judge: files::modes },
    Check { name: "host-paths",  reason: "nothing points to the machine that built it",                                             judge: files::host_paths },
    Check { name: "secrets",     reason: "no config file ships a password or a token",                                              judge: files::secrets },
];

/// A check with what it said.
pub struct Judged {
    /// the row of the table
    pub check: &'static Check,
    /// what it said
    pub outcome: Outcome,
}

/// Makes every check, and all of them whatever they find.
pub fn judge(evidence: &Evidence) -> Vec<Judged> {
    CHECKS
        .iter()
        .map(|check| {
            let mut outcome = (check.judge)(evidence);
            if let Outcome::Made { findings, .. } = &mut outcome {
                findings.sort_by(|a, b| (&a.path, &a.what).cmp(&(&b.path, &b.what)));
            }
            Judged { check, outcome }
        })
        .collect()
}

/// The checks that need the target, without one.
fn no_target() -> Outcome {
    Outcome::NotMade("the package has no lock that says for which target it is".to_owned())
}

/// `1 file`, `2 files`
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
