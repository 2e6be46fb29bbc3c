//! `cargo xtask rpm`: locks + wheelhouse + the application's wheel → an RPM a target.

use crate::about;
use crate::builder::BuildOptions;
use crate::byte_code;
use crate::early::Around;
use crate::locking;
use crate::locking::{Current, Locks, State};
use crate::own_wheel;
use crate::prepare::{Gathered, Texts, gather, prepare};
use crate::report::{Report, count, made};
use crate::rpmbuild::OnDisk;
use crate::summary::Summary;
use crate::tools::rpmbuild::RpmBuild;
use crate::{Project, inputs, offline, others, report, rpmbuild};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_boxes::{Compression, Target};
use wheelhaul_host::{Verbosity, sha256_of};
use wheelhaul_package::layout::check_interpreter;
use wheelhaul_package::service;
use wheelhaul_pylock::Lock;

/// What `rpm` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// how the RPMs are built
    /// how the RPMs are built
    pub build: BuildOptions,
    /// Print the spec of each target and write no RPM
    pub spec_only: bool,
}

/// An RPM on disk.
pub struct Built {
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
    /// the version of the interpreter that compiled byte-code, where it is shipped
    pub byte_code: Option<String>,
}

impl Built {
    /// The RPM as JSON; `sha256` in lower-case hex.
    pub fn json(&self, project: &Project, sha256: &str) -> anyhow::Result<Value> {
        let mut value = made(&project.shown(&self.path), self.on_disk.size, sha256);
        value["target"] = json!(self.target.name);
        value["entries"] = json!(self.entries);
        if let Some((path, size)) = &self.source {
            value["source"] = made(&project.shown(path), *size, &sha256_of(path)?);
        }
        value["byte-code"] = json!(self.byte_code);
        Ok(value)
    }

    /// The sha256 of the file as it is now.
    pub fn sha256(&self) -> anyhow::Result<String> {
        match &self.on_disk.digest {
            Some(known) => Ok(known.sha256.clone()),
            None => sha256_of(&self.path),
        }
    }

    /// The RPM in a line, and its source package in another.
    pub fn line(&self, project: &Project) -> String {
        let entries = count(self.entries, "path");
        let mut text = format!("{}: {}, {entries}\n", project.shown(&self.path), report::size(self.on_disk.size));
        if let Some((path, size)) = &self.source {
            text.push_str(&format!("{}: {}\n", project.shown(path), report::size(*size)));
        }
        text
    }
}

/// The task.
pub fn run(project: &Project, options: &Options) -> anyhow::Result<Report> {
    // Without it everything else would be in vain.
    let rpmbuild = rpmbuild::find(project, &options.build)?;
    refuse_early(project)?;
    let locks = locking::inspect(project)?;
    offline::refuse_missing(project, &locks, false)?;
    let current = current_locks(project, locks)?;
    if options.spec_only {
        return rpmbuild::print_specs(project, current, &options.build);
    }
    let built = build(project, current, &options.build, rpmbuild.as_ref())?;
    let text = built.iter().map(|rpm| rpm.line(project)).collect();
    let mut rpms: Vec<Value> = Vec::new();
    if project.wants_digests {
        for rpm in &built {
            rpms.push(rpm.json(project, &rpm.sha256()?)?);
        }
    }
    let summary = summary(project, &built);
    let mut json = json!({"rpms": rpms});
    summary.add_to(&mut json);
    let is_told = project.sys.verbosity == Verbosity::Verbose;
    Ok(Report::fine(text, json).saying(if is_told { summary.table() } else { String::new() }))
}

/// Where time and bytes went until now.
pub fn summary(project: &Project, built: &[Built]) -> Summary {
    Summary::new(project.steps.so_far(), built.iter().flat_map(|rpm| &rpm.on_disk.shares))
}

/// Builds the RPMs of all targets.
///
/// The index is not asked again where it was just asked for the locks.
///
/// - Takes: `rpmbuild`, where the options want it.
pub fn build(
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
    about::warn(project, &unknown, &built.iter().map(|rpm| &rpm.lock).collect::<Vec<_>>());
    Ok(built)
}

/// What can be known to be wrong before anything is asked, fetched or built.
pub fn refuse_early(project: &Project) -> anyhow::Result<()> {
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
pub fn current_locks(project: &Project, locks: Locks) -> anyhow::Result<Current> {
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
        lock: ready.lock,
        version: ready.package.version,
        source,
    })
}
