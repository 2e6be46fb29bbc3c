//! `cargo xtask rpm`: locks + wheelhouse + the application's wheel → an RPM a target.

use crate::builder::BuildOptions;
use crate::byte_code;
use crate::early::Around;
use crate::locking;
use crate::locking::{Current, Locks, State};
use crate::own_wheel;
use crate::package_info;
use crate::prepare::{Gathered, Texts, gather, prepare};
use crate::rpmbuild::OnDisk;
pub use crate::rpmbuild::Spec;
pub use crate::summary::{Pieces, Share, Summary, TimedStep};
use crate::tools::rpmbuild::RpmBuild;
use crate::{Project, inputs, offline, others, rpmbuild};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use serde::Serialize;
use std::collections::BTreeMap;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_boxes::{Compression, Target};
use wheelhaul_host::sha256_of;
use wheelhaul_package::layout::check_interpreter;
use wheelhaul_package::service;
use wheelhaul_pylock::Lock;

/// What `rpm` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// how the RPMs are built
    pub build: BuildOptions,
}

/// The RPMs that were written, and where the time went.
#[derive(Debug, Serialize)]
pub struct Report {
    /// in the order of the targets
    pub rpms: Vec<RpmFile>,
    /// time and bytes
    #[serde(flatten)]
    pub summary: Summary,
}

/// An RPM that was written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RpmFile {
    /// relative to the repository
    pub path: String,
    /// in bytes
    pub size: u64,
    /// in lower-case hex; `rpm` reads the file once more for it, which only [`crate::Setting::wants_json`] asks for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// the target's name
    pub target: String,
    /// files and folders in it
    pub entries: usize,
    /// the source package, where one was asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceFile>,
    /// the version of the interpreter that compiled byte-code, where it is shipped
    pub byte_code: Option<String>,
}

/// A source package that was written.
#[derive(Debug, Clone, Serialize)]
pub struct SourceFile {
    /// relative to the repository
    pub path: String,
    /// in bytes
    pub size: u64,
    /// as of the RPM
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The spec of every target.
#[derive(Debug, Clone, Serialize)]
pub struct Specs {
    /// in the order of the targets
    pub specs: Vec<Spec>,
}

/// An RPM on disk.
pub(crate) struct Built {
    /// the box that it is for
    pub target: Target,
    /// where it is
    pub path: Utf8PathBuf,
    /// how it lies there; its size changes when it is signed
    pub on_disk: OnDisk,
    /// files and folders in it
    pub entries: usize,
    /// the time of the commit, in seconds since 1970
    pub epoch: u32,
    /// what travels with it
    pub texts: Texts,
    /// the lock that it was made from
    pub lock: Lock,
    /// of the application, in RPM's spelling
    pub version: String,
    /// the source package and its size in bytes, where one was asked for
    pub source: Option<(Utf8PathBuf, u64)>,
    /// what those say whose licence is not known
    pub unknown_licenses: BTreeMap<PackageName, String>,
    /// the warning of libraries that the application opens by name
    pub opened_by_name: Option<String>,
    /// the version of the interpreter that compiled byte-code, where it is shipped
    pub byte_code: Option<String>,
}

impl Built {
    /// What is reported of the RPM; `sha256` is that of the file as it is now, where it is wanted.
    pub(crate) fn reported(&self, project: &Project, sha256: Option<String>) -> anyhow::Result<RpmFile> {
        let source = |(path, size): &(Utf8PathBuf, u64)| -> anyhow::Result<SourceFile> {
            let sha256 = sha256.is_some().then(|| sha256_of(path)).transpose()?;
            Ok(SourceFile { path: project.shown(path), size: *size, sha256 })
        };
        Ok(RpmFile {
            path: project.shown(&self.path),
            size: self.on_disk.size,
            source: self.source.as_ref().map(source).transpose()?,
            sha256,
            target: self.target.name.clone(),
            entries: self.entries,
            byte_code: self.byte_code.clone(),
        })
    }

    /// The sha256 of the file as it is now.
    pub(crate) fn sha256(&self) -> anyhow::Result<String> {
        match &self.on_disk.digest {
            Some(known) => Ok(known.sha256.clone()),
            None => sha256_of(&self.path),
        }
    }
}

/// The task.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<Report> {
    // Without it everything else would be in vain.
    let rpmbuild = rpmbuild::find(project, &options.build)?;
    let current = locks_on_disk(project)?;
    let built = build(project, current, &options.build, rpmbuild.as_ref())?;
    let digest = |rpm: &Built| project.wants_digests.then(|| rpm.sha256()).transpose();
    let rpms = built.iter().map(|rpm| rpm.reported(project, digest(rpm)?)).collect::<anyhow::Result<_>>()?;
    Ok(Report { rpms, summary: summary(project, &built) })
}

/// The specs that the real rpmbuild would be given; no RPM is written.
pub(crate) fn specs(project: &Project, options: &Options) -> anyhow::Result<Specs> {
    rpmbuild::find(project, &options.build)?;
    let current = locks_on_disk(project)?;
    Ok(Specs { specs: rpmbuild::specs(project, current, &options.build)? })
}

fn locks_on_disk(project: &Project) -> anyhow::Result<Current> {
    refuse_early(project)?;
    let locks = locking::inspect(project)?;
    offline::refuse_missing(project, &locks, false)?;
    current_locks(project, locks)
}

/// Where time and bytes went until now.
pub(crate) fn summary(project: &Project, built: &[Built]) -> Summary {
    Summary::new(project.steps.so_far(), built.iter().flat_map(|rpm| &rpm.on_disk.shares))
}

/// Builds the RPMs of all targets.
///
/// The index is not asked again where it was just asked for the locks.
///
/// - Takes: `rpmbuild`, where the options want it.
pub(crate) fn build(
    project: &Project,
    current: Current,
    options: &BuildOptions,
    rpmbuild: Option<&RpmBuild<'_>>,
) -> anyhow::Result<Vec<Built>> {
    warn_of_dangers(project);
    others::warn(project);
    let gathered = gather(project, &current)?;
    let mut built = Vec::new();
    let mut all: Vec<_> = project.targets.iter().zip(current.locks).enumerate().collect();
    // What is unpacked for zstd need not be unpacked for gzip, and not the other way round.
    all.sort_by_key(|(_, (target, _))| target.distribution.compression == Compression::Gzip);
    for (place, (target, lock)) in all {
        let rpm = build_one(project, target, lock, &gathered, options, rpmbuild)
            .with_context(|| format!("failed to build the RPM for `{}`", target.name))?;
        built.push((place, rpm));
    }
    built.sort_by_key(|(place, _)| *place);
    let built: Vec<Built> = built.into_iter().map(|(_, rpm)| rpm).collect();
    let unknown = built.iter().flat_map(|rpm| rpm.unknown_licenses.clone()).collect();
    package_info::warn(project, &unknown, &built.iter().map(|rpm| &rpm.lock).collect::<Vec<_>>());
    let mut opened: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rpm in &built {
        let warning = rpm.opened_by_name.iter().map(String::as_str);
        warning.for_each(|warning| opened.entry(warning).or_default().push(&rpm.target.name));
    }
    for (warning, targets) in opened {
        project.sys.say(format!("warning: {warning} (on {})", targets.join(" and ")));
    }
    Ok(built)
}

/// What can be known to be wrong before anything is asked, fetched or built.
pub(crate) fn refuse_early(project: &Project) -> anyhow::Result<()> {
    inputs::refuse_incomplete(project)?;
    let mut faults: Vec<anyhow::Error> =
        project.targets.iter().filter_map(|target| check_interpreter(target).err()).collect();
    faults.extend(Around::of(project).faults());
    faults.extend(own_wheel::fault_of_version(project));
    faults.extend(project.targets.iter().filter_map(|target| byte_code::compiler(project, target).err()));
    all_of("things stand in the way of an RPM", faults)
}

/// Says which settings of the service let whoever gets into it get further.
fn warn_of_dangers(project: &Project) {
    let (name, service) = (project.config.package.name.as_str(), &project.config.service);
    // They follow from the configuration alone, so any target will do.
    let Some(target) = project.targets.first() else { return };
    let root = &project.config.package.root();
    for danger in (service::ServiceFacts { name, summary: "", root, service, target, server_version: None }).dangers() {
        project.sys.say(format!("warning: {}\n  {}", danger.what, danger.cure));
    }
}

/// The locks on disk; a stale one is an error, since the RPM would not hold what the team locked.
pub(crate) fn current_locks(project: &Project, locks: Locks) -> anyhow::Result<Current> {
    locks.warn(project, false);
    let mut faults = Vec::new();
    for (target, locked) in project.targets.iter().zip(&locks.all) {
        match (&locked.lock, &locked.state) {
            (Some(_), _) => {}
            (None, State::Stale(reasons)) => faults.push(Problem::with_hint(
                format!("`{}` is stale: {}", project.shown(&project.lock_path(target)), reasons.join("; ")),
                "run `cargo xtask lock`, or `cargo xtask dist` without `--locked`",
            )),
            (None, _) => faults.push(anyhow::anyhow!("there is no lock of `{}`", target.name)),
        }
    }
    all_of("locks are stale", faults)?;
    Ok(locks.current())
}

fn build_one(
    project: &Project,
    target: &Target,
    lock: Lock,
    gathered: &Gathered,
    options: &BuildOptions,
    rpmbuild: Option<&RpmBuild<'_>>,
) -> anyhow::Result<Built> {
    let ready = prepare(project, target, lock, gathered, options.level)?;
    let path = project.out().join(&ready.file_name);
    let (on_disk, source) = match rpmbuild {
        Some(rpmbuild) => rpmbuild::make(project, &ready, rpmbuild, options, &path)?,
        None => (rpmbuild::write_natively(project, &ready, &path)?, None),
    };
    Ok(Built {
        target: target.clone(),
        path,
        on_disk,
        entries: ready.tree.entries().len(),
        epoch: gathered.app.epoch,
        texts: ready.texts,
        byte_code: ready.byte_code,
        unknown_licenses: ready.unknown_licenses,
        opened_by_name: ready.opened_by_name,
        lock: ready.lock,
        version: ready.package.version,
        source,
    })
}
