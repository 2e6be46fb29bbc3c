//! A pin: one package at one version, with its files, its needs, and why it cannot be packed.

use crate::direct_files::{DirectFile, no_file};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::collections::BTreeSet;
use wheelhaul_base::problem::Problem;

/// One package at one version, under a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the exact version
    pub version: Version,
    /// whether a release with a local part will do, where there is none without: `1.0+corp.1` for `==1.0`
    pub takes_local: bool,
    /// extras that the team asked for
    pub extras: Vec<ExtraName>,
    /// the marker as it was written; none is always true
    pub marker: Option<String>,
    /// the Pythons that the lock says it is for
    pub requires_python: Option<VersionSpecifiers>,
    /// the sha256 digests, in lower-case hex, of the files that the team accepts; empty: any file
    pub hashes: BTreeSet<String>,
    /// files that the lock itself places; where there are any, no index is asked
    pub files: Vec<DirectFile>,
    /// who it needs, in a lock that is a graph
    pub needs: Vec<Need>,
    /// why it cannot be packed, which is an error on the boxes that get it: `comes from git`
    pub obstacle: Option<Obstacle>,
    /// the groups that it is for, where none of them was asked for: `dev`
    pub left_out: Option<String>,
    /// where it stands in the lock, `default.flask` or `line 3`; no two have the same
    pub place: String,
}

impl Pin {
    /// A pin of an index package without marker, hashes and needs.
    pub fn new(name: PackageName, version: Version, place: String) -> Self {
        Self {
            name,
            version,
            takes_local: false,
            extras: Vec::new(),
            marker: None,
            requires_python: None,
            hashes: BTreeSet::new(),
            files: Vec::new(),
            needs: Vec::new(),
            obstacle: None,
            left_out: None,
            place,
        }
    }

    /// Whether a release is one that the pin means: of its version, or with a local part where that will do.
    pub fn is_of(&self, version: &Version) -> bool {
        self.version == *version
            || self.takes_local && version.is_local() && version.clone().without_local() == self.version
    }
}

/// Why an entry cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// the end of a sentence that starts with the entry: `comes from git`
    why: String,
    /// what to do about it, where that is not to make a file of it
    cure: Option<String>,
}

impl Obstacle {
    /// It has no file.
    pub(crate) fn no_file(why: impl Into<String>) -> Self {
        Self { why: why.into(), cure: None }
    }

    /// Something else is wrong with it.
    pub(crate) fn other(why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { why: why.into(), cure: Some(cure.into()) }
    }

    /// The error on a box that would get the entry.
    pub(crate) fn error(&self, what: &str) -> anyhow::Error {
        match &self.cure {
            None => no_file(what, &self.why),
            Some(cure) => Problem::with_hint(format!("{what} {}", self.why), cure),
        }
    }
}

/// An edge of a graph: one package needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// who is needed
    pub name: PackageName,
    /// with these extras
    pub extras: Vec<ExtraName>,
    /// which of its versions will do
    pub versions: Versions,
    /// the place of the one entry that is meant, in a lock that names it
    pub entry: Option<String>,
    /// only where this is true, as written
    pub marker: Option<String>,
    /// only where this extra of the needing package was asked for
    pub of_extra: Option<ExtraName>,
}

/// The versions that satisfy a need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// whichever is locked
    Any,
    /// that one
    Exactly(Version),
    /// those that one of these sets contains
    OneOf(Vec<VersionSpecifiers>),
}

impl Versions {
    /// Whether a locked version will do; a pre-release that was locked was meant (PEP 440).
    pub fn contain(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(exactly) => exactly == version,
            Self::OneOf(sets) => sets.iter().any(|set| set.contains(version)),
        }
    }
}
