//! `rebuild DIR FILE…`: whether a repository makes these very RPMs.

use crate::builder::{BuildOptions, Builder};
use crate::foreign::refuse_foreign;
use crate::rpm;
use crate::tools::git;
use crate::{Project, diff, locking, offline};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::{Sys, find_root};
use wheelhaul_verify::{Difference, Evidence, Rebuilt, reasons};

/// What `rebuild` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A checkout of the commit that they were made from
    pub folder: Utf8PathBuf,
    /// RPMs that this tool made
    pub rpms: Vec<Utf8PathBuf>,
    /// Start no program that reaches the network
    pub offline: bool,
}

/// What came of each RPM.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// in the order that they were named in
    pub rpms: Vec<Compared>,
}

/// An RPM, compared with what the repository makes.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// as it was named
    pub path: Utf8PathBuf,
    /// the target that it was made again for
    pub target: String,
    /// whether the bytes are the same, but for a signature
    pub same: bool,
    /// whether the header is the same
    pub header: bool,
    /// whether the payload is the same
    pub payload: bool,
    /// who signed it, where that can be told
    pub signature: Option<String>,
    /// whether it is signed at all
    #[serde(skip)]
    pub is_signed: bool,
    /// the commit that was built; none where files are not committed
    pub commit: Option<String>,
    /// the level that the payload was packed with, where this tool can set it
    pub level: Option<i32>,
    /// the version of the interpreter that compiled byte-code, where it is shipped
    pub byte_code: Option<String>,
    /// what differs, where something does
    #[serde(flatten)]
    pub differs: Option<Differs>,
}

/// What differs, and why that may be.
#[derive(Debug, Clone, Serialize)]
pub struct Differs {
    /// the likely ones
    pub reasons: Vec<String>,
    /// from the RPM to what the repository makes
    pub difference: Difference,
}

impl Report {
    /// Whether an RPM is not what the repository makes.
    pub fn findings(&self) -> bool {
        self.rpms.iter().any(|rpm| !rpm.same)
    }
}

/// The task; `targets` is what `--target` says for RPMs in which no lock travels, one at most.
///
/// # Errors
/// Where an RPM cannot be read, or the repository cannot be built for its target.
pub(crate) fn run(sys: &Sys, options: &Options, targets: &[String]) -> anyhow::Result<Report> {
    ensure!(targets.len() <= 1, "`--target` can be given once where a file is named");
    let (Options { folder, rpms: files, .. }, target) = (options, targets.first().map(String::as_str));
    let root = find_root(&sys.root.join(folder)).with_context(|| format!("`{folder}`"))?;
    let repository = Sys { root, ..sys.clone() };
    refuse_foreign(&repository).with_context(|| format!("`{folder}`"))?;
    let mut given = Vec::new();
    let mut faults = Vec::new();
    for path in files {
        match diff::gather(&sys.root.join(path)).with_context(|| format!("`{path}` cannot be read")) {
            Ok(evidence) => given.push((path, evidence)),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("packages cannot be compared", faults)?;
    let mut rpms = Vec::new();
    for (path, evidence) in given {
        let compared = compare(&repository, path, evidence, target);
        rpms.push(compared.with_context(|| format!("`{path}` cannot be made again in `{folder}`"))?);
    }
    Ok(Report { rpms })
}

/// Builds one again, and compares.
fn compare(sys: &Sys, path: &Utf8Path, given: Evidence, target: Option<&str>) -> anyhow::Result<Compared> {
    let name = target.or(given.target.as_ref().map(|target| target.name.as_str())).map(str::to_owned);
    let name = name.ok_or_else(|| {
        Problem::with_hint("it does not say for which target it is", "name one of `dist/package.toml` by `--target`")
    })?;
    let mut project = Project::load(sys, std::slice::from_ref(&name), false)?;
    let level = level_of(&given);
    let without_byte_code = given.byte_code.is_empty() && project.config.package.byte_code.is_none();
    if without_byte_code {
        // Whether there is any is then the building host's matter, and not the commit's.
        project.config.package.byte_code = Some(false);
    }
    rpm::refuse_early(&project)?;
    let locks = locking::inspect(&project)?;
    offline::refuse_missing(&project, &locks, false)?;
    let (_keep, scratch) = sys.scratch()?;
    let project = project.making_into(&scratch);
    let options = BuildOptions { offline: sys.offline, level, builder: Builder::Native, source: false };
    let built = rpm::build(&project, rpm::current_locks(&project, locks)?, &options, None)?;
    let built = built.first().context("nothing was built")?;
    let made = diff::gather(&built.path)?;
    let head = git::head(sys)?.map(|head| head.commit);
    let same_header = given.bytes.header == made.bytes.header;
    let same_payload = given.bytes.payload == made.bytes.payload;
    let same = same_header && same_payload;
    let mut compared = Compared {
        path: path.to_owned(),
        target: name,
        same,
        header: same_header,
        payload: same_payload,
        signature: given.signatures.signer(),
        is_signed: !given.signatures.packets.is_empty(),
        commit: head,
        level,
        byte_code: built.byte_code.clone(),
        differs: None,
    };
    if !same {
        let difference = Difference::between(&given, &made);
        let (head, compiler) = (compared.commit.as_deref(), built.byte_code.as_deref());
        let reasons = reasons(&Rebuilt { given: &given, made: &made, head, compiler }, &difference);
        compared.differs = Some(Differs { reasons, difference });
    }
    Ok(compared)
}

/// The level that the payload was packed with; none for what this tool cannot set.
fn level_of(evidence: &Evidence) -> Option<i32> {
    let level: i32 = evidence.described.origin.level.parse().ok()?;
    (1..=19).contains(&level).then_some(level)
}
