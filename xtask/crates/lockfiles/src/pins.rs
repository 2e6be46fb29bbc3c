//! What a lock says, whatever its format: pins, and what limits them.

use crate::pin::{Need, Pin};
use camino::Utf8PathBuf;
use pep440_rs::VersionSpecifiers;
use wheelhaul_boxes::{Asked, Requirement};
use wheelhaul_config::UnmetRequirement;

/// A line of a constraints file: it limits the version of a package, and does not ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// what it allows, with its marker
    pub requirement: Requirement,
    /// where it stands
    pub place: String,
}

/// All that a lock says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// in the order of names; of one name, the one that is taken where several satisfy a need comes last
    pub pins: Vec<Pin>,
    /// where the walk of a graph starts; none for a flat lock, of which every pin is wanted
    pub roots: Option<Vec<Need>>,
    /// what `extra`, `extras` and `dependency_groups` mean in markers of the lock
    pub asked: Asked,
    /// what limits the pins
    pub constraints: Vec<Constraint>,
    /// the Pythons that the lock is for
    pub requires_python: Option<VersionSpecifiers>,
    /// markers of the environments that the lock is for; one of them has to hold, where there are any
    pub environments: Vec<String>,
    /// whether two entries of one package are an error even where they are equal (PEP 751, "Installation")
    pub no_twins: bool,
    /// requirements that the team replaced or left out, and that need not be met
    pub unmet: Vec<UnmetRequirement>,
    /// folders of the repository in which files are looked for beside the index
    pub find_links: Vec<Utf8PathBuf>,
    /// whether no index is asked, but only those folders
    pub no_index: bool,
    /// why its own tool would call it stale
    pub stale: Option<String>,
    /// what was read and is not honoured, with its place
    pub warnings: Vec<String>,
}

/// After so many faults the rest of a lock is not read: a person can mend no more at once, and memory stays bounded.
pub(crate) const MOST_FAULTS: usize = 100;
