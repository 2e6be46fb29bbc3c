//! The flags of `verify`.

use camino::Utf8PathBuf;
use clap::Args;
use pep508_rs::PackageName;
use wheelhaul_engine::verify::{Judging, Options, Security};

/// Judge finished RPMs against their target, from their bytes alone
///
/// Without FILE, the RPMs in `dist/out` of the configured targets. With FILE, no repository is needed: the
/// target is read from the lock that travels in the package, or given by `--target`. All findings are shown at once;
/// errors make the exit code 1, warnings do not. A check that could not be made is said so: it counts as an error
/// where the package is to blame, and as a warning where this host lacks a program.
#[derive(Debug, Args)]
#[command(after_help = "What a check is for, and what to do about its findings: `cargo xtask checks NAME`.\n\n\
    Examples:\n  cargo xtask verify                                what `dist/out` has\n  \
    cargo xtask verify shop.rpm --strict              anywhere; warnings fail too\n  \
    cargo xtask verify shop.rpm --report review.html  a page for the person who approves the packages\n  \
    cargo xtask verify shop.rpm --box shop.json       and how it does on a box (`target --evidence`)")]
pub(crate) struct Flags {
    /// RPMs that this tool made
    #[arg(value_name = "FILE")]
    rpms: Vec<Utf8PathBuf>,
    /// Print the JSON schema of what `--format json` prints, and look at nothing
    #[arg(long, conflicts_with_all = ["rpms", "strict", "report"])]
    schema: bool,
    /// Judge as well what a box said after the RPM was installed there: the JSON that the script of
    /// `target --evidence` printed
    #[arg(long = "box", value_name = "JSON", requires = "rpms")]
    on_box: Option<Utf8PathBuf>,
    /// how they are judged
    #[command(flatten)]
    judging: JudgingFlags,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options { rpms: self.rpms.clone(), on_box: self.on_box.clone(), judging: self.judging.options() }
    }

    /// Whether the JSON schema is printed, and nothing is looked at.
    pub(crate) fn wants_schema(&self) -> bool {
        self.schema
    }
}

/// How packages are judged, and where that is written to; `trial` takes the same.
#[derive(Debug, Args)]
pub(crate) struct JudgingFlags {
    /// Let warnings, and checks that this host has no program for, make the exit code 1 too
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    security: SecurityFlags,
    /// The site's own policy, a TOML file: findings that it has judged, as `[[accept]]` tables, count for nothing
    #[arg(long, value_name = "FILE")]
    policy: Option<Utf8PathBuf>,
    /// Write a page for the person who approves the packages: what is in them, what they need, every check, how to
    /// install them and go back
    #[arg(long, value_name = "HTML")]
    report: Option<Utf8PathBuf>,
    /// Show in the page what changed since this delivery; once for each target
    #[arg(long, value_name = "RPM", requires = "report")]
    since: Vec<Utf8PathBuf>,
}

impl JudgingFlags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Judging {
        Judging {
            strict: self.strict,
            security: self.security.options(),
            policy: self.policy.clone(),
            report: self.report.clone(),
            since: self.since.clone(),
        }
    }
}

/// What is asked beside the checks that are always made.
#[derive(Debug, Args)]
pub(crate) struct SecurityFlags {
    /// For a box in FIPS mode: digests, signatures, and cryptography that wheels bring along
    #[arg(long)]
    fips: bool,
    /// Let this package bring its own cryptography; can be given several times
    #[arg(long, value_name = "NAME", requires = "fips")]
    fips_allow: Vec<PackageName>,
    /// Look for known vulnerabilities in data from elsewhere: OSV records (JSON, or the zip for PyPI), or the report
    /// of `pip-audit --format json`
    #[arg(long, value_name = "FILE")]
    audit: Option<Utf8PathBuf>,
    /// Leave out a vulnerability that somebody has judged, by any of its names; can be given several times
    #[arg(long, value_name = "ID", requires = "audit")]
    audit_ignore: Vec<String>,
}

impl SecurityFlags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Security {
        Security {
            fips: self.fips,
            fips_allow: self.fips_allow.clone(),
            audit: self.audit.clone(),
            audit_ignore: self.audit_ignore.clone(),
        }
    }
}
