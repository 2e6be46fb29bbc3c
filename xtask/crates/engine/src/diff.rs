//! `diff OLD NEW`: what an upgrade changes.

use crate::verify::open;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::Sys;
use wheelhaul_verify::{Difference, Evidence};

/// What `diff` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The RPM that is installed, or was delivered last
    pub old: Utf8PathBuf,
    /// The RPM that takes its place
    pub new: Utf8PathBuf,
}

/// What differs.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// as it was named
    pub old: Utf8PathBuf,
    /// as it was named
    pub new: Utf8PathBuf,
    /// from the old to the new
    pub difference: Difference,
}

/// The task.
///
/// # Errors
/// Names each of the two that cannot be read.
pub(crate) fn run(sys: &Sys, options: &Options) -> anyhow::Result<Report> {
    let Options { old, new } = options;
    let spinner = sys.spinner("reading both packages");
    let mut read = Vec::new();
    let mut faults = Vec::new();
    for path in [old, new] {
        match gather(&sys.root.join(path)).with_context(|| format!("`{path}` cannot be read")) {
            Ok(evidence) => read.push(evidence),
            Err(fault) => faults.push(fault),
        }
    }
    spinner.finish_and_clear();
    all_of("packages cannot be compared", faults)?;
    let difference = Difference::between(&read[0], &read[1]);
    Ok(Report { old: old.clone(), new: new.clone(), difference })
}

/// Everything that the checks would see of an RPM.
pub(crate) fn gather(path: &Utf8Path) -> anyhow::Result<Evidence> {
    Evidence::gather(open(path.as_str(), path)?).map_err(|error| {
        Problem::around(
            error,
            "it is damaged, or no RPM of this tool",
            "copy it again and compare its SHA256SUMS, or build it again",
        )
    })
}
