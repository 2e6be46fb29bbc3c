//! `cargo xtask target`: the boxes, and the script that describes one more.

use crate::support;
use crate::templates;
use serde::{Serialize, Serializer};
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{Compression, Target, VARIABLES, known_names, known_targets};

/// What `target` is asked for of one box.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A target of `dist/package.toml`, or a known one
    pub name: String,
    /// Its wheel tags, best first
    pub tags: bool,
    /// The values that markers are judged with
    pub markers: bool,
    /// Which Python of a known box; the box's own if not given
    pub python: Option<String>,
}

/// A program for a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxScript {
    /// describes the box
    Probe,
    /// tells, after the installation, how the service does; for `verify --box`
    Evidence,
}

/// A script, for the `sh` of a box.
#[derive(Debug, Clone, Serialize)]
pub struct ScriptReport {
    /// its text
    pub script: String,
}

/// The boxes that are packed for, and those that are known.
#[derive(Debug, Clone, Serialize)]
pub struct AllReport {
    /// of `dist/package.toml`; none outside of a repository
    pub targets: Vec<Described>,
    /// every known box with every Python that it can have
    pub known: Vec<Described>,
    /// Pythons of the targets whose support ends
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// One box.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// what was asked of it
    pub target: AnsweredTarget,
    /// its Python, where support of that ends
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// A box with what was asked of it.
#[derive(Debug, Clone, Serialize)]
pub struct AnsweredTarget {
    /// what it is
    #[serde(flatten)]
    pub described: Described,
    /// the values that markers are judged with, where they were asked for, or nothing was
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_map")]
    pub markers: Option<Vec<Marker>>,
    /// the wheel tags, best first, where they were asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// how many tags there are, the first and the last of them, where nothing was asked for
    #[serde(skip)]
    pub range: Option<(usize, String, String)>,
}

/// A variable of markers.
#[derive(Debug, Clone)]
pub struct Marker {
    /// `python_version`
    pub name: &'static str,
    /// none where only the box itself knows
    pub value: Option<String>,
}

fn as_map<S: Serializer>(markers: &Option<Vec<Marker>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(markers.iter().flatten().map(|marker| (marker.name, &marker.value)))
}

/// What a box is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Described {
    /// `el9-x86_64`
    pub name: String,
    /// of the distribution
    pub title: String,
    /// `x86_64` or `aarch64`
    pub arch: String,
    /// `3.11`
    pub python: String,
    /// `3.11.13`, which markers are judged with
    pub python_full: String,
    /// where it is started from
    pub python_path: String,
    /// the package that brings it
    pub python_package: Option<String>,
    /// the minor release of the box that has it first, where that is known
    pub python_since: Option<String>,
    /// the month in which its support ends, where that is known
    pub python_until: Option<String>,
    /// `2.34`
    pub glibc: String,
    /// the best platform of its wheel tags
    pub highest_platform: String,
    /// the version
    pub systemd: u16,
    /// how the payload of RPMs is compressed
    pub payload: Compression,
    /// the end of an RPM's release, `el9`
    pub release: String,
}

impl Described {
    fn of(target: &Target) -> Self {
        let (major, minor) = target.distribution.glibc;
        let life = target.row();
        let until = life.and_then(|(row, python)| row.end_of(python));
        Self {
            name: target.name.clone(),
            title: target.distribution.title.clone(),
            arch: target.arch.clone(),
            python: target.python(),
            python_full: target.python_full.to_string(),
            python_path: target.interpreter.path.clone(),
            python_package: target.interpreter.package.clone(),
            python_since: life.and_then(|(row, python)| row.since(python)),
            python_until: until.map(|end| format!("{}-{:02}", end.year, end.month)),
            glibc: format!("{major}.{minor}"),
            highest_platform: target.platforms().into_iter().next().unwrap_or_else(|| "any".to_owned()),
            systemd: target.distribution.systemd,
            payload: target.distribution.compression,
            release: target.distribution.dist.clone(),
        }
    }
}

/// The script for a box.
pub(crate) fn script(script: BoxScript) -> ScriptReport {
    let script = match script {
        BoxScript::Probe => templates::probe(),
        BoxScript::Evidence => templates::evidence(),
    };
    ScriptReport { script }
}

/// All boxes; `own` are the targets of the repository.
pub(crate) fn all(own: &[Target]) -> AllReport {
    AllReport {
        targets: own.iter().map(Described::of).collect(),
        known: known_targets().iter().map(Described::of).collect(),
        warnings: support::notices(own),
    }
}

/// One box; `own` are the targets of the repository.
pub(crate) fn one(own: &[Target], options: &Options) -> anyhow::Result<Report> {
    let target = find(own, &options.name, options.python.as_deref())?;
    let tags: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
    let environment = target.environment();
    let is_nothing_asked = !options.tags && !options.markers;
    let marker = |name: &&'static str| Marker { name, value: environment.text(name).map(str::to_owned) };
    let range = tags.first().zip(tags.last()).filter(|_| is_nothing_asked);
    Ok(Report {
        warnings: support::notices([&target]),
        target: AnsweredTarget {
            described: Described::of(&target),
            markers: (options.markers || is_nothing_asked).then(|| VARIABLES.iter().map(marker).collect()),
            range: range.map(|(best, worst)| (tags.len(), best.clone(), worst.clone())),
            tags: options.tags.then_some(tags),
        },
    })
}

/// A target of the project before a known one, unless another Python is asked for.
fn find(own: &[Target], name: &str, python: Option<&str>) -> anyhow::Result<Target> {
    let is_it = |target: &&Target| target.name == name && python.is_none_or(|python| python == target.python());
    if let Some(target) = own.iter().find(is_it) {
        return Ok(target.clone());
    }
    if own.iter().any(|target| target.name == name) && !known_names().iter().any(|known| known == name) {
        return Err(Problem::with_hint(format!("`{name}` has one Python"), "leave `--python` out"));
    }
    Target::find(name, python, None)
}
