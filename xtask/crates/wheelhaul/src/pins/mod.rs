//! What the team locked: pins, read from the lock of their own tool, each with its place in it.
//!
//! Locks come in two kinds. A flat one says of each package under which marker it is installed. A graph says
//! who needs what, and [`filter`] walks it from its roots. Both become [`Pins`].

mod filter;
mod pdm_lock;
mod pdm_project;
pub mod pipfile;
mod pipfile_lock;
mod placed;
mod poetry_constraint;
mod poetry_lock;
mod poetry_project;
mod poetry_wish;
mod project_file;
mod pylock;
mod python;
mod python_json;
#[cfg(test)]
mod reading;
mod requirement;
mod requirements;
mod resolved;
mod selected;
mod uv_lock;
mod uv_project;
mod walk;

pub use filter::{Dropped, Filtered, Kept, Why, filter};
pub use placed::name_in_url;
pub use python::Pythons;
pub use requirement::Requirement;
pub use resolved::{Resolved, to_requirements};

use crate::boxes::Asked;
use crate::problem::{Problem, shortened};
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::collections::{BTreeMap, BTreeSet};

/// One package at one version, under a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the exact version
    pub version: Version,
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
    pub obstacle: Option<String>,
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

/// A limit that is no wish: a line of a constraints file.
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
    /// why its own tool would call it stale
    pub stale: Option<String>,
    /// what was read and is not honoured, with its place
    pub warnings: Vec<String>,
}

/// What of the team's project goes on the box, beside its plain dependencies: `app.extras`, `app.groups`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// extras of the application
    pub extras: Vec<ExtraName>,
    /// dependency groups; those for development stay out unless they are named
    pub groups: Vec<ExtraName>,
}

/// After so many faults a lock is read no further: what a person can mend at once, and bounded memory.
const MOST_FAULTS: usize = 100;

/// A lock file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// pipenv's `Pipfile.lock`, specification version 6
    PipfileLock,
    /// pinned lines of pip's requirements file format
    Requirements,
    /// uv's `uv.lock`, version 1
    UvLock,
    /// Poetry's `poetry.lock`, versions 1 and 2
    PoetryLock,
    /// PDM's `pdm.lock`, version 4
    PdmLock,
    /// the standard lock, PEP 751
    Pylock,
}

impl Format {
    /// The format that a lock's file name tells.
    pub fn of(path: &Utf8Path) -> anyhow::Result<Self> {
        match (path.file_name().unwrap_or_default(), path.extension()) {
            ("Pipfile.lock", _) => Ok(Self::PipfileLock),
            ("uv.lock", _) => Ok(Self::UvLock),
            ("poetry.lock", _) => Ok(Self::PoetryLock),
            ("pdm.lock", _) => Ok(Self::PdmLock),
            (_, Some("txt")) => Ok(Self::Requirements),
            (name, _) if is_pylock(name) => Ok(Self::Pylock),
            _ => Err(Problem::with_hint(
                format!("the format of the lock `{path}` is not known"),
                "known locks: `Pipfile.lock`, `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml`, also as `pylock.NAME.toml`, \
                 and `requirements.txt` with exact pins, also under other names that end in `.txt`",
            )),
        }
    }
}

/// `pylock.toml` or `pylock.NAME.toml`, with no dot in the name (PEP 751, "File Name").
fn is_pylock(name: &str) -> bool {
    let middle = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix("toml"));
    middle.is_some_and(|middle| match middle.strip_suffix('.') {
        Some(name) => !name.is_empty() && !name.contains('.'),
        None => middle.is_empty(),
    })
}

/// Texts by path relative to the repository; none for a file that is not there.
pub type Texts = BTreeMap<Utf8PathBuf, Option<String>>;

/// All that a lock is read from.
pub struct Source<'a> {
    /// how it is read
    pub format: Format,
    /// the lock, relative to the repository
    pub lock: &'a Utf8Path,
    /// the application's folder, relative to the repository; `.` for the repository itself
    pub app: &'a Utf8Path,
    /// the lock's text and those that [`wanted`] names
    pub texts: &'a Texts,
    /// which extras and groups are wanted
    pub selection: &'a Selection,
    /// the value of an environment variable, for formats that put them in
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Source<'_> {
    /// The text of the lock itself.
    fn text(&self) -> &str {
        self.texts.get(self.lock).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Whether a path, as the lock writes it, is the application's folder, which is packed anyway.
    fn is_application(&self, path: &str) -> bool {
        placed::inside(placed::folder_of(self.lock), path)
            .is_some_and(|path| placed::inside(self.app, "") == Some(path))
    }

    /// The text of a file beside the lock, where it is there.
    fn beside(&self, name: &str) -> Option<&str> {
        self.texts.get(&beside(self.lock, name))?.as_deref()
    }
}

/// A path in the folder of another, with `/` on every host: the digest of a lock's inputs has it.
fn beside(path: &Utf8Path, name: &str) -> Utf8PathBuf {
    match placed::folder_of(path).as_str() {
        "" => name.into(),
        folder => format!("{folder}/{name}").into(),
    }
}

/// The texts that reading a lock needs.
///
/// - Takes: `read`, which gives the text of a file of the repository; nothing for one that is not there.
pub fn texts_of(
    format: Format,
    lock: &Utf8Path,
    mut read: impl FnMut(&Utf8Path) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Texts> {
    let mut texts = Texts::new();
    loop {
        let wanted = wanted(format, lock, &texts);
        if wanted.is_empty() {
            return Ok(texts);
        }
        for path in wanted {
            let text = read(&path)?;
            texts.insert(path, text);
        }
    }
}

/// The files that reading the lock needs and `texts` does not have yet; asked again until there are none.
fn wanted(format: Format, lock: &Utf8Path, texts: &Texts) -> Vec<Utf8PathBuf> {
    let mut wanted = vec![lock.to_owned()];
    match format {
        Format::PipfileLock => wanted.push(beside(lock, "Pipfile")),
        Format::UvLock | Format::PoetryLock | Format::PdmLock => wanted.push(beside(lock, "pyproject.toml")),
        Format::Requirements => wanted.extend(requirements::wanted(lock, texts)),
        Format::Pylock => {}
    }
    wanted.retain(|path| !texts.contains_key(path));
    wanted
}

/// Reads a lock.
///
/// - Fails: once, naming every entry that cannot be packed.
pub fn parse(source: &Source<'_>) -> anyhow::Result<Pins> {
    let mut pins = match source.format {
        Format::PipfileLock => pipfile_lock::parse(source),
        Format::Requirements => requirements::parse(source),
        Format::UvLock => uv_lock::parse(source),
        Format::PoetryLock => poetry_lock::parse(source),
        Format::PdmLock => pdm_lock::parse(source),
        Format::Pylock => pylock::parse(source),
    }?;
    pins.pins.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pins)
}

/// Whether a `pyproject.toml` says what the application needs, in `[project]`, or in the extras and groups that are asked for.
pub fn has_dependencies(pyproject: &str, selection: &Selection) -> bool {
    let read = project_file::Dependencies::parse(pyproject);
    read.is_ok_and(|project| !project.roots(&selection.extras, &selection.groups).is_empty())
}

/// Reads a lock that is one text, with the default selection.
pub fn parse_text(format: Format, text: &str) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new("lock");
    let texts = Texts::from([(lock.to_owned(), Some(text.to_owned()))]);
    let selection = Selection::default();
    parse(&Source { format, lock, app: Utf8Path::new("."), texts: &texts, selection: &selection, variable: &|_| None })
}

/// Takes a digest as locks write it, `sha256:HEX`.
///
/// - Gives: `None` for another algorithm, which this tool does not rely on.
fn sha256_of(hash: &str) -> anyhow::Result<Option<String>> {
    let Some((algorithm, hex)) = hash.split_once(':') else {
        return Err(Problem::with_hint(
            format!("`{}` is not a hash", shortened(hash)),
            "hashes are written `sha256:…`",
        ));
    };
    if algorithm != "sha256" {
        return Ok(None);
    }
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::with_hint(
            format!("`{}` is not a sha256 digest", shortened(hash)),
            "it has 64 hexadecimal digits; make the lock anew",
        ));
    }
    Ok(Some(hex.to_ascii_lowercase()))
}

/// Gathers the sha256 digests of an entry; hashes of which none is sha256 are an error.
fn sha256_digests<'a>(hashes: impl Iterator<Item = &'a str>) -> anyhow::Result<BTreeSet<String>> {
    let mut digests = BTreeSet::new();
    let mut given = 0;
    for hash in hashes {
        given += 1;
        digests.extend(sha256_of(hash)?);
    }
    if given > 0 && digests.is_empty() {
        return Err(Problem::with_hint(
            "none of its hashes is sha256",
            "lock again with sha256 hashes; pip, pipenv and uv do so by default",
        ));
    }
    Ok(digests)
}
