//! What a run without a network lacks, all at once and before time is spent.

use crate::locking::Locks;
use crate::tools::createrepo::Createrepo;
use crate::tools::git;
use crate::wheelhouse;
use crate::{Project, wheel};
use wheelhaul_base::problem::all_of;

/// Names everything that is missing, each with the command that brings it; nothing where `--offline` is not given.
///
/// - Takes: `fills_repository`, whether createrepo_c is needed.
pub(crate) fn refuse_missing(project: &Project, locks: &Locks, fills_repository: bool) -> anyhow::Result<()> {
    if !project.sys.offline {
        return Ok(());
    }
    let mut faults = Vec::from_iter(locks.refuse_to_ask(project).err());
    let current = project.targets.iter().zip(&locks.all);
    let current: Vec<_> = current.filter_map(|(target, locked)| Some((target, locked.lock.as_ref()?))).collect();
    let missing = project.wheelhouse().missing(&project.sys, &current)?;
    faults.extend(wheelhouse::refuse_missing(missing.iter().map(|(_, package)| *package)).err());
    faults.extend(wheel::missing(project, git::epoch(git::head(&project.sys)?.as_ref())?)?);
    if fills_repository {
        faults.extend(Createrepo::require(&project.sys).err());
    }
    all_of("things are missing for a run without a network", faults)
}
