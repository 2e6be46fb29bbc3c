//! Findings that `[[accept]]` of `package.toml` names, before anything is packed.

use crate::Project;
use crate::tools::git;
use wheelhaul_config::Day;
use wheelhaul_package::sbom::in_utc;

/// What a repository accepts, on the day of its commit.
pub(crate) struct Accepting<'a> {
    project: &'a Project,
    /// none without a commit: then all of it holds, and `rpm` says what is missing
    day: Option<Day>,
}

impl<'a> Accepting<'a> {
    /// Asks git for the day, if anything is accepted.
    pub(crate) fn of(project: &'a Project) -> Self {
        let epoch = || git::epoch(git::head(&project.sys).ok()?.as_ref()).ok();
        let day = Some(project).filter(|project| !project.config.accept.is_empty()).and_then(|_| epoch());
        Self { project, day: day.and_then(|time| Day::of(&in_utc(time)).ok()) }
    }

    /// `accepted by the builder: WHY`, where somebody has judged this.
    ///
    /// - Takes: `path` below the application's folder.
    pub(crate) fn by(&self, check: &str, path: &str) -> Option<String> {
        let accept = self.project.config.accepted(check, path, self.day.as_ref())?;
        Some(format!("accepted by the builder: {}", accept.why))
    }
}
