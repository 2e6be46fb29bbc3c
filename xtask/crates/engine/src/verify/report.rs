//! What `verify` and `trial` report. The JSON schema of `verify --schema` comes from these types.

use crate::report::MadeFile;
use crate::verify::{Examined, Trial};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wheelhaul_verify::{Judge, Judged, Outcome, Severity, Verdict};

/// The number of the schema. It grows when something that a program may rely on is removed or changes its meaning;
/// additions leave it as it is.
pub const SCHEMA_VERSION: u32 = 1;

/// What was found in RPMs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// the number of this schema
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema: u32,
    /// the file of `--policy`, where one was given
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<GivenFile>,
    /// the file of `--box`, where one was given
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub on_box: Option<GivenFile>,
    /// in the order that they were named in
    pub rpms: Vec<Rpm>,
    /// the page of `--report`, where one was asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<MadeFile>,
}

impl Report {
    /// Whether something in an RPM makes the exit code 1.
    pub fn findings(&self) -> bool {
        self.rpms.iter().any(|rpm| !rpm.fine)
    }
}

/// A file that RPMs are judged by.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "given")]
pub struct GivenFile {
    /// as it was named
    pub path: String,
    /// in lower-case hex
    pub sha256: String,
}

/// An RPM that was looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "rpm")]
#[schemars(extend(
    "if" = {"required": ["unreadable"]},
    "then" = {"properties": {"fine": {"const": false}, "checks": {"maxItems": 0}}}
))]
pub struct Rpm {
    /// as it was named
    pub path: String,
    /// whether nothing in it makes the exit code 1
    pub fine: bool,
    /// what it said, or why it cannot be read
    #[serde(flatten)]
    pub reading: Reading,
    /// what it lived through, with `trial`
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub trial: Option<Trial>,
}

/// What came of reading an RPM.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reading {
    /// it cannot be read
    Unreadable {
        /// why it cannot be read; then no check was made
        unreadable: String,
        /// none
        checks: [ReportedCheck; 0],
    },
    /// it was read
    Read {
        /// the box: as given, or as the package says; null where neither does
        target: Option<String>,
        /// in a fixed order
        #[schemars(length(min = 1))]
        checks: Vec<ReportedCheck>,
    },
}

impl Rpm {
    /// The RPM without a trial; with `strict`, warnings make the exit code 1 too.
    pub(super) fn of(examined: &Examined, strict: bool) -> Self {
        let least = if strict { Verdict::Warning } else { Verdict::Failed };
        let is_bad = |judged: &Judged| judged.outcome.verdict() >= least;
        let (reading, fine) = match &examined.evidence {
            Ok(evidence) => {
                let target = evidence.target.as_ref().map(|target| target.name.clone());
                let checks = examined.judged.iter().map(ReportedCheck::of).collect();
                (Reading::Read { target, checks }, !examined.judged.iter().any(is_bad))
            }
            Err(error) => (Reading::Unreadable { unreadable: format!("{error:#}"), checks: [] }, false),
        };
        Self { path: examined.shown.clone(), fine, reading, trial: None }
    }

    /// The checks that were made, or could not be; none of an RPM that cannot be read.
    pub fn checks(&self) -> &[ReportedCheck] {
        match &self.reading {
            Reading::Unreadable { .. } => &[],
            Reading::Read { checks, .. } => checks,
        }
    }
}

/// A check with what it said.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "check")]
#[schemars(extend("allOf" = [
    {
        "if": {"properties": {"result": {"const": "not made"}}},
        "then": {"properties": {"findings": {"maxItems": 0}}}
    },
    {
        "if": {"properties": {"result": {"const": "ok"}}},
        "then": {"properties": {"findings": {"items": {"properties": {"severity": {"const": "accepted"}}}}}}
    },
    {
        "if": {"properties": {"result": {"enum": ["warning", "failed"]}}},
        "then": {"properties": {"findings": {"minItems": 1}}}
    },
    {
        "if": {"properties": {"result": {"const": "failed"}}},
        "then": {"properties": {"findings": {"contains": {"properties": {"severity": {"const": "error"}}}}}},
        "else": {"properties": {"findings": {"items": {"properties": {"severity": {"enum": ["accepted", "warning"]}}}}}}
    }
]))]
pub struct ReportedCheck {
    /// `checks NAME` tells more
    #[schemars(regex(pattern = "^[a-z][a-z-]*$"))]
    pub name: String,
    /// the worst of its findings; `not made` where the package, or this host, lacks what it needs
    pub result: CheckResult,
    /// over what it was made, or why it was not
    #[schemars(length(min = 1))]
    pub looked_at: String,
    /// all of them, sorted by path
    pub findings: Vec<ReportedFinding>,
}

impl ReportedCheck {
    fn of(judged: &Judged) -> Self {
        let (looked_at, findings) = match &judged.outcome {
            Outcome::Made { looked_at, findings } => (looked_at, findings.as_slice()),
            Outcome::NotMade { why, .. } => (why, [].as_slice()),
        };
        Self {
            name: judged.check.name.to_owned(),
            result: CheckResult::of(judged.outcome.verdict()),
            looked_at: looked_at.clone(),
            findings: findings.iter().map(ReportedFinding::of).collect(),
        }
    }
}

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum CheckResult {
    /// made, and nothing found
    #[serde(rename = "ok")]
    Ok,
    /// made, and nothing worse found than warnings
    #[serde(rename = "warning")]
    Warning,
    /// made, and errors found
    #[serde(rename = "failed")]
    Failed,
    /// not made
    #[serde(rename = "not made")]
    NotMade,
}

impl CheckResult {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Ok,
            Verdict::Warning => Self::Warning,
            Verdict::Failed => Self::Failed,
            Verdict::NotMade | Verdict::Unasked => Self::NotMade,
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "finding")]
pub struct ReportedFinding {
    /// `accepted`: judged by the policy of the site, and counts for nothing
    pub severity: Weight,
    /// where on the box; empty for the package as a whole
    pub path: String,
    /// what is there
    #[schemars(length(min = 1))]
    pub found: String,
    /// what ought to be
    #[schemars(length(min = 1))]
    pub expected: String,
    /// what to do
    #[schemars(length(min = 1))]
    pub cure: String,
    /// who has judged it, where somebody has
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
}

impl ReportedFinding {
    fn of(finding: &wheelhaul_verify::Finding) -> Self {
        let accepted = finding.accepted.as_ref().map(|accepted| Accepted {
            by: match accepted.by {
                Judge::Builder => By::Builder,
                Judge::Site => By::Site,
            },
            why: accepted.why.clone(),
        });
        Self {
            severity: match finding.severity {
                Severity::Accepted => Weight::Accepted,
                Severity::Warning => Weight::Warning,
                Severity::Error => Weight::Error,
            },
            path: finding.path.clone(),
            found: finding.found.clone(),
            expected: finding.expected.clone(),
            cure: finding.cure.clone(),
            accepted,
        }
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Weight {
    /// it counts for nothing
    Accepted,
    /// to look at
    Warning,
    /// it will not work, or must not ship
    Error,
}

/// A judgement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Accepted {
    /// who has judged it: `[[accept]]` in the package, or the policy of `--policy`
    pub by: By,
    /// in a line
    pub why: String,
}

/// Who has judged a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum By {
    /// whoever made the package
    Builder,
    /// the site that verifies it
    Site,
}
