//! What the team locked: pins, read from the lock of their own tool, each with its place in it.
//!
//! Locks come in two kinds. A flat one says of each package under which marker it is installed. A graph says
//! who needs what, and [`filter`] walks it from its roots. Both become [`Pins`].

mod application;
mod filter;
mod own_needs;
mod pdm_lock;
mod pdm_project;
mod pin;
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
mod requirements;
mod resolved;
mod selected;
mod uv_lock;
mod uv_project;
mod walk;

pub use application::Application;
pub use filter::{Dropped, Filtered, Kept, Unknown, Why, filter};
pub use own_needs::own_needs;
pub use pin::{Need, Obstacle, Pin, Place, PlacedFile, Versions};
pub use placed::name_in_url;
pub use python::Pythons;
pub use resolved::{Resolved, to_requirements};

use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, PackageName};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::{Problem, shortened};
use wheelhaul_boxes::{Asked, Requirement};
use wheelhaul_config::{App, UnmetRequirement};

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

/// What of the team's project goes on the box, beside its plain dependencies: `app.extras`, `app.groups`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// extras of the application
    pub extras: Vec<ExtraName>,
    /// dependency groups; those for development stay out unless they are named
    pub groups: Vec<ExtraName>,
}

impl Selection {
    /// What `[app]` says of it.
    pub fn of(app: &App) -> Self {
        Self { extras: app.extras.clone(), groups: app.groups.clone() }
    }
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
    /// what is packed anyway
    pub app: Application<'a>,
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

    /// Whether a folder, as the lock writes it, is the application, which is packed anyway.
    fn is_application(&self, at: &str, name: Option<&PackageName>) -> bool {
        self.app.is_at(placed::folder_of(self.lock), at, name)
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
    without_application(&mut pins, &source.app);
    pins.pins.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pins)
}

/// Takes out entries that are the application by their name, and what asks for it: it is packed anyway.
fn without_application(pins: &mut Pins, app: &Application<'_>) {
    let Pins { pins, roots, warnings, .. } = pins;
    pins.retain(|pin| {
        let is_own = app.is_named(&pin.name);
        // Of an index: `pip freeze` where a release of it was installed.
        if is_own && pin.obstacle.is_none() && pin.left_out.is_none() {
            warnings.push(format!(
                "{}: `{}=={}` is the application itself, which is built from its folder: this entry is passed over",
                pin.place, pin.name, pin.version
            ));
        }
        !is_own
    });
    roots.iter_mut().for_each(|roots| roots.retain(|need| !app.is_named(&need.name)));
    pins.iter_mut().for_each(|pin| pin.needs.retain(|need| !app.is_named(&need.name)));
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
    let app = Application::in_folder(Utf8Path::new("."));
    parse(&Source { format, lock, app, texts: &texts, selection: &selection, variable: &|_| None })
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
