//! A pin: one package at one version, with its files, its needs, and why it cannot be packed.

use crate::placed;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::collections::BTreeSet;
use wheelhaul_base::problem::{Problem, shortened};

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
    pub files: Vec<PlacedFile>,
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
}

impl Pin {
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
    pub(super) fn no_file(why: impl Into<String>) -> Self {
        Self { why: why.into(), cure: None }
    }

    /// Something else is wrong with it.
    pub(super) fn other(why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { why: why.into(), cure: Some(cure.into()) }
    }

    /// The error on a box that would get the entry.
    pub(super) fn error(&self, what: &str) -> anyhow::Error {
        match &self.cure {
            None => placed::no_file(what, &self.why),
            Some(cure) => Problem::with_hint(format!("{what} {}", self.why), cure),
        }
    }
}

/// A file that a lock places itself: a direct reference (PEP 508), or a file of the repository.
#[derive(Clone, PartialEq, Eq)]
pub struct PlacedFile {
    /// the file's name
    pub name: String,
    /// where it is
    pub at: Place,
    /// in bytes, where the lock says it
    pub size: Option<u64>,
    /// lower-case hex
    pub sha256: String,
    /// the folder of a source distribution that is built; none for the whole of it
    pub subdirectory: Option<Utf8PathBuf>,
}

impl PlacedFile {
    /// The file, of which a folder is built.
    ///
    /// # Errors
    /// If the folder is not one of the archive, or the file is a wheel, of which nothing is built.
    pub(super) fn with_subdirectory(self, folder: Option<&str>) -> anyhow::Result<Self> {
        let Some(folder) = folder.filter(|folder| !folder.is_empty()) else { return Ok(self) };
        ensure!(!self.name.ends_with(".whl"), "`subdirectory` of a wheel has no meaning");
        let plain = placed::inside(Utf8Path::new(""), folder);
        let plain =
            plain.with_context(|| format!("`subdirectory = \"{}\"` leads out of the archive", shortened(folder)))?;
        Ok(Self { subdirectory: Some(plain).filter(|plain| !plain.as_str().is_empty()), ..self })
    }
}

/// Where a file is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// it may hold a credential, so it is never shown
    Url(String),
    /// relative to the repository
    Path(Utf8PathBuf),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url(…)"),
            Self::Path(path) => write!(f, "Path({path})"),
        }
    }
}

impl std::fmt::Debug for PlacedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlacedFile({}, {})", self.name, self.sha256)
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

#[cfg(test)]
mod tests {
    use crate::reading::{DIGEST, read, said};

    #[test]
    fn the_folder_of_an_archive_is_read_from_each_lock() {
        let url = "https://code.example/mono-3.zip";
        let uv = format!(
            "version = 1\n[[package]]\nname = \"shop\"\nversion = \"1\"\nsource = {{ virtual = \".\" }}\ndependencies = [{{ name = \"x\" }}]\n\
             [[package]]\nname = \"x\"\nversion = \"1\"\nsource = {{ url = \"{url}\", subdirectory = \"a/x\" }}\nsdist = {{ hash = \"sha256:{DIGEST}\" }}\n"
        );
        let poetry = format!(
            "[[package]]\nname = \"x\"\nversion = \"1\"\ngroups = [\"main\"]\nfiles = [{{file = \"mono-3.zip\", hash = \"sha256:{DIGEST}\"}}]\n\
             [package.source]\ntype = \"url\"\nurl = \"{url}\"\nsubdirectory = \"a/x\"\n[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\n"
        );
        let pdm = format!(
            "[metadata]\ngroups = [\"default\"]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"x\"\nversion = \"1\"\ngroups = [\"default\"]\n\
             url = \"{url}\"\nsubdirectory = \"a/x\"\nfiles = [{{file = \"mono-3.zip\", hash = \"sha256:{DIGEST}\"}}]\n"
        );
        let in_url = pdm.replace("subdirectory = \"a/x\"\n", "").replace(url, &format!("{url}#subdirectory=a%2Fx"));
        for (name, text) in [("uv.lock", &uv), ("poetry.lock", &poetry), ("pdm.lock", &pdm), ("pdm.lock", &in_url)] {
            let of = |text: &str| read(&[(name, text)], "");
            let file = of(text).unwrap().pins[0].files[0].clone();
            assert_eq!(file.subdirectory.as_ref().map(|folder| folder.as_str()), Some("a/x"), "{name}");
            let whole = of(&text.replace("a/x", ".").replace("a%2Fx", ".")).unwrap().pins[0].files[0].clone();
            assert_eq!(whole.subdirectory, None, "{name}");
            let error = said(&of(&text.replace("a/x", "../x").replace("a%2Fx", "../x")).unwrap_err());
            assert!(error.contains("leads out of the archive"), "{name}: {error}");
        }
    }
}
