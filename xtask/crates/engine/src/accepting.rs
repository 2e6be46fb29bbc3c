//! Findings that `[[accept]]` of `package.toml` names, before anything is packed.

use crate::Project;
use crate::tools::git;
use wheelhaul_base::calendar::Day;
use wheelhaul_boxes::Target;

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
        Self { project, day: day.map(Day::at) }
    }

    /// `accepted by the builder: WHY`, where somebody has judged this.
    ///
    /// - Takes: `target`, the one that it was found on; `path` below the application's folder.
    pub(crate) fn by(&self, target: &Target, check: &str, path: &str) -> Option<String> {
        let accept = self.project.config.accepted(&target.name, check, path, self.day.as_ref())?;
        Some(format!("accepted by the builder: {}", accept.why))
    }
}
