//! The report of `pip-audit --format json`: what it found for each package, at the version that it looked at.

use crate::advisories::{Advisory, Affected, one_line};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr as _;

#[derive(Deserialize)]
pub(super) struct DependencyText {
    name: Option<String>,
    version: Option<String>,
    skip_reason: Option<String>,
    vulns: Option<Vec<VulnerabilityText>>,
}

#[derive(Deserialize)]
struct VulnerabilityText {
    id: Option<String>,
    fix_versions: Option<Vec<String>>,
    aliases: Option<Vec<String>>,
    description: Option<String>,
}

/// What a report says of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// it was looked at
    Audited {
        /// in this version
        version: String,
        /// and has these
        advisories: Vec<Advisory>,
    },
    /// it was not, for this reason
    Skipped(String),
}

/// A report by the packages that it is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// those whose name is one
    pub of: BTreeMap<PackageName, Reported>,
}

impl AuditReport {
    /// - Fails: for a package without a name or a vulnerability without an id, and for a package that is in it twice.
    pub(super) fn read(texts: Vec<DependencyText>) -> anyhow::Result<Self> {
        let mut report = Self::default();
        for text in texts {
            let Some(name) = text.name else { anyhow::bail!("a dependency has no `name`") };
            let Ok(key) = PackageName::from_str(&name) else { continue };
            let shown = one_line(&name, 60);
            let reported = match (text.version, text.skip_reason) {
                (_, Some(reason)) => Reported::Skipped(one_line(&reason, 200)),
                (Some(version), None) => {
                    let texts = text.vulns.unwrap_or_default();
                    let advisories: Option<Vec<Advisory>> = texts.into_iter().map(advisory).collect();
                    let Some(advisories) = advisories else {
                        anyhow::bail!("a vulnerability of `{shown}` has no `id`");
                    };
                    Reported::Audited { version: one_line(&version, 60), advisories }
                }
                (None, None) => anyhow::bail!("`{shown}` has neither `version` nor `skip_reason`"),
            };
            anyhow::ensure!(report.of.insert(key, reported).is_none(), "`{shown}` stands in it twice");
        }
        Ok(report)
    }
}

fn advisory(text: VulnerabilityText) -> Option<Advisory> {
    let fixed = text.fix_versions.unwrap_or_default();
    let mut fixed: Vec<Version> = fixed.iter().filter_map(|text| Version::from_str(text).ok()).collect();
    fixed.sort();
    Some(Advisory {
        id: one_line(&text.id?, 60),
        aliases: text.aliases.unwrap_or_default().iter().map(|alias| one_line(alias, 60)).collect(),
        summary: one_line(&text.description.unwrap_or_default(), 200),
        severity: Vec::new(),
        affected: Affected::until(fixed),
    })
}
