//! Repositories of somebody else: what they say would be done as this user, so somebody has to vouch for them.

use crate::tools::git;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Sys, other_owner};

/// What decides what is run: the folder, and what makes it a repository of this tool.
const DECIDING: [&str; 3] = [".", "dist", "dist/package.toml"];

/// Refuses a repository that belongs to somebody else, unless git was told to trust it: `safe.directory` is where people,
/// and the actions of CI systems, say so already.
///
/// # Errors
/// Where it belongs neither to this user nor to root, and git does not know its `dist/package.toml`.
pub(crate) fn refuse_foreign(sys: &Sys) -> anyhow::Result<()> {
    let Some(whose) = DECIDING.iter().find_map(|part| other_owner(&sys.root.join(part))) else { return Ok(()) };
    if git::trusts(sys, "dist/package.toml") {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("{whose}, who thereby decides what would be run here"),
        format!(
            "run it as that user; or if you trust the repository, tell git: `git config --global --add safe.directory {}`",
            sys.root
        ),
    ))
}
