//! The flags on security, and the data on vulnerabilities that they name.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use pep508_rs::PackageName;
use rawzip::FileReader;
use std::collections::BTreeSet;
use wheelhaul_base::problem::Problem;
use wheelhaul_verify::advisories::Advisories;
use wheelhaul_verify::{Audit, Evidence, Fips, installed};

/// What is asked beside the checks that are always made.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// For a box in FIPS mode: digests, signatures, and cryptography that wheels bring along
    pub fips: bool,
    /// Let this package bring its own cryptography; can be given several times
    pub fips_allow: Vec<PackageName>,
    /// Look for known vulnerabilities in data from elsewhere: OSV records (JSON, or the zip for PyPI), or the report
    /// of `pip-audit --format json`
    pub audit: Option<Utf8PathBuf>,
    /// Leave out a vulnerability that somebody has judged, by any of its names; can be given several times
    pub audit_ignore: Vec<String>,
}

impl Security {
    /// What is asked of a box in FIPS mode, where it is.
    pub fn fips(&self) -> Option<Fips> {
        self.fips.then(|| Fips { allowed: self.fips_allow.iter().cloned().collect() })
    }

    /// The data on vulnerabilities, where they are asked for; relative paths start in `here`.
    pub fn data(&self, here: &Utf8Path) -> Option<Data> {
        let shown = self.audit.clone()?;
        let ignored = self.audit_ignore.iter().cloned().collect();
        Some(Data { path: here.join(&shown), shown, ignored })
    }
}

/// A file of data on vulnerabilities, not yet read.
#[derive(Debug)]
pub struct Data {
    shown: Utf8PathBuf,
    path: Utf8PathBuf,
    ignored: BTreeSet<String>,
}

impl Data {
    /// Reads what concerns a package.
    pub fn read(&self, evidence: &Evidence) -> anyhow::Result<Audit> {
        let wanted = installed(evidence).0.into_iter().map(|dist| dist.name).collect();
        let read = || -> anyhow::Result<Advisories> {
            const CURE: &str = "name data that lies on a disk; what comes through a pipe is written to a file first";
            // Before it is opened: a pipe would be waited for.
            let data = std::fs::metadata(&self.path)
                .map_err(|error| Problem::around(error.into(), "it cannot be opened", CURE))?;
            if !data.is_file() {
                return Err(Problem::with_hint("it is no file", CURE));
            }
            let file = fs_err::File::open(&self.path)?;
            Advisories::read(FileReader::from(file.into_parts().0), data.len(), &wanted)
        };
        let advisories = read().with_context(|| format!("failed to read `{}` for `--audit`", self.shown))?;
        Ok(Audit { advisories, ignored: self.ignored.clone() })
    }
}
