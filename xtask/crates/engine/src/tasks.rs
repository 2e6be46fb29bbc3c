//! Each task from its options to its report: finds the repository, reads it, and refuses what is somebody else's.

use crate::foreign::refuse_foreign;
use crate::project::Project;
use crate::required;
use crate::target::BoxScript;
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::Target;
use wheelhaul_host::{Sys, Verbosity, find_root};

/// Where a task works, and what holds for every task.
#[derive(Debug, Clone)]
pub struct Setting {
    /// the folder that the user works in, at or below the root of a repository; relative paths start there
    pub folder: Utf8PathBuf,
    /// whether the user named the folder, and did not merely stand in it
    pub is_named: bool,
    /// names of targets, or of boxes; all of `dist/package.toml` if empty
    pub targets: Vec<String>,
    /// how much is said on standard error
    pub verbosity: Verbosity,
    /// whether the report is for a program, which wants every digest
    pub wants_json: bool,
}

impl Setting {
    /// In a folder, with everything else as it is by default.
    pub fn of(folder: impl Into<Utf8PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            is_named: true,
            targets: Vec::new(),
            verbosity: Verbosity::Normal,
            wants_json: false,
        }
    }

    fn alone(&self, offline: bool) -> anyhow::Result<Sys> {
        required::hold(&self.folder)?;
        Ok(Sys { root: self.folder.clone(), verbosity: self.verbosity, offline })
    }

    fn repository(&self, offline: bool) -> anyhow::Result<Sys> {
        Ok(Sys { root: find_root(&self.folder)?, ..self.alone(offline)? })
    }

    /// A repository that is only read.
    fn read(&self, offline: bool) -> anyhow::Result<Project> {
        Project::load(&self.repository(offline)?, &self.targets, self.wants_json)
    }

    /// The targets of the repository; none outside of one, where the known boxes are the same.
    fn own_targets(&self) -> anyhow::Result<Vec<Target>> {
        required::hold(&self.folder)?;
        match find_root(&self.folder) {
            Ok(_) => Ok(self.read(false)?.targets),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// A repository of which programs are run.
    fn project(&self, offline: bool) -> anyhow::Result<Project> {
        let sys = self.repository(offline)?;
        refuse_foreign(&sys)?;
        Project::load(&sys, &self.targets, self.wants_json)
    }
}

/// Sets this tool up in a repository.
pub fn init(setting: &Setting, options: &crate::init::Options) -> anyhow::Result<crate::init::Report> {
    required::hold(&setting.folder)?;
    crate::init::run(&setting.folder, setting.verbosity, &setting.targets, options)
}

/// Makes the lock of each target.
pub fn lock(setting: &Setting, options: &crate::lock::Options) -> anyhow::Result<crate::lock::Report> {
    crate::lock::run(&setting.project(options.offline)?, options)
}

/// Every file of one package with the reason it was taken or not; nothing is written.
pub fn explain(setting: &Setting, package: &PackageName) -> anyhow::Result<crate::lock::Explained> {
    crate::lock::explain_one(&setting.project(false)?, package)
}

/// Builds the application's wheel.
pub fn wheel(setting: &Setting, options: &crate::wheel::Options) -> anyhow::Result<crate::wheel::Report> {
    crate::wheel::run(&setting.project(options.offline)?, options)
}

/// Writes an RPM for each target.
pub fn rpm(setting: &Setting, options: &crate::rpm::Options) -> anyhow::Result<crate::rpm::Report> {
    crate::rpm::run(&setting.project(options.build.offline)?, options)
}

/// The spec of each target; no RPM is written.
pub fn specs(setting: &Setting, options: &crate::rpm::Options) -> anyhow::Result<crate::rpm::Specs> {
    crate::rpm::specs(&setting.project(options.build.offline)?, options)
}

/// Lock to bundle: the main job.
pub fn dist(setting: &Setting, options: &crate::dist::Options) -> anyhow::Result<crate::dist::Report> {
    crate::dist::run(&setting.project(options.build.offline)?.with_digests(), options, &setting.folder)
}

/// Judges finished RPMs: those that are named, or those of the repository.
pub fn verify(setting: &Setting, options: &crate::verify::Options) -> anyhow::Result<crate::verify::Report> {
    // What is named is read alone: no repository is needed.
    match !options.rpms.is_empty() {
        true => crate::verify::run(&setting.alone(false)?, options, &setting.targets),
        false => crate::verify::run_built(&setting.read(false)?, options, &setting.folder),
    }
}

/// Lives through finished RPMs on a throw-away machine.
pub fn trial(setting: &Setting, options: &crate::trial::Options) -> anyhow::Result<crate::verify::Report> {
    match options.rpms.is_empty() {
        false => crate::trial::try_files(&setting.alone(false)?, options, &setting.targets),
        true => crate::trial::try_built(&setting.read(false)?, options, &setting.folder),
    }
}

/// What an upgrade from one RPM to another changes.
pub fn diff(setting: &Setting, options: &crate::diff::Options) -> anyhow::Result<crate::diff::Report> {
    crate::diff::run(&setting.alone(false)?, options)
}

/// Whether a repository makes finished RPMs again.
pub fn rebuild(setting: &Setting, options: &crate::rebuild::Options) -> anyhow::Result<crate::rebuild::Report> {
    crate::rebuild::run(&setting.alone(options.offline)?, options, &setting.targets)
}

/// Signs finished RPMs.
pub fn sign(setting: &Setting, options: &crate::sign::Options) -> anyhow::Result<crate::sign::Report> {
    crate::sign::run(&setting.alone(false)?, options)
}

/// The checks of `verify`, or one of them.
pub fn checks(setting: &Setting, options: &crate::checks::Options) -> anyhow::Result<crate::checks::Report> {
    required::hold(&setting.folder)?;
    crate::checks::run(options)
}

/// All boxes: those of the repository, where there is one, and those that are known.
pub fn targets(setting: &Setting) -> anyhow::Result<crate::target::AllReport> {
    Ok(crate::target::all(&setting.own_targets()?))
}

/// One box.
pub fn target(setting: &Setting, options: &crate::target::Options) -> anyhow::Result<crate::target::Report> {
    crate::target::one(&setting.own_targets()?, options)
}

/// A script for a box.
pub fn script(setting: &Setting, script: BoxScript) -> anyhow::Result<crate::target::ScriptReport> {
    required::hold(&setting.folder)?;
    Ok(crate::target::script(script))
}

/// Removes what can be made again.
pub fn clean(setting: &Setting, options: &crate::clean::Options) -> anyhow::Result<crate::clean::Report> {
    let alone = setting.alone(false)?;
    if let Some(name) = setting.targets.first() {
        let hint = "leave `--target` out: targets share what is kept";
        return Err(Problem::with_hint(format!("`clean` does not go by targets, and was given `{name}`"), hint));
    }
    // What the user keeps is cleaned from anywhere.
    let root = crate::clean::repository(find_root(&setting.folder), setting.is_named, options)?;
    let sys = Sys { root: root.clone().unwrap_or_else(|| setting.folder.clone()), ..alone };
    if options.needs_repository() {
        refuse_foreign(&sys)?;
    }
    crate::clean::run(&sys, root.as_deref(), options)
}

/// The JSON Schema of `dist/package.toml`.
pub fn schema(setting: &Setting) -> anyhow::Result<crate::schema::Report> {
    required::hold(&setting.folder)?;
    Ok(crate::schema::run())
}
