//! `poetry.lock`. From version 2.1 on it is flat: each entry has its groups and markers. Before, it is a graph
//! whose roots stand in the project file beside it.

use crate::direct_files::{at_path, at_url};
use crate::formats::poetry::dependency::DependencyValue;
use crate::formats::poetry::project::{Project, why_stale};
use crate::hashes::sha256_digests;
use crate::pin::{Need, Obstacle, Pin};
use crate::pins::Pins;
use crate::poetry_constraint::parse as parse_constraint;
use crate::source::LockSource;
use anyhow::Context as _;
use camino::Utf8Path;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_base::toml_text;
use wheelhaul_boxes::Asked;

#[derive(Deserialize)]
struct Lock {
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
    /// the application's: package names by extra
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "lock-version")]
    version: Option<String>,
    #[serde(rename = "python-versions")]
    python: String,
    #[serde(rename = "content-hash")]
    hash: Option<String>,
    /// by package, up to version 1.1
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct Package {
    name: PackageName,
    version: String,
    #[serde(default, rename = "python-versions")]
    python: Option<String>,
    #[serde(default)]
    files: Vec<File>,
    groups: Option<Vec<String>>,
    markers: Option<Markers>,
    #[serde(default)]
    dependencies: BTreeMap<String, DependencyValue>,
    /// requirements by extra
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
    source: Option<Origin>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Markers {
    OfAll(String),
    ByGroup(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct File {
    file: String,
    hash: String,
}

#[derive(Deserialize)]
struct Origin {
    r#type: Option<String>,
    #[serde(default)]
    url: String,
    subdirectory: Option<String>,
}

pub(in crate::formats) fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    let put = |lock: &mut Lock, packages| lock.packages = packages;
    let lock = toml_text::read_entries(source.text(), "package", "make it anew with `poetry lock`", put)?;
    let version = lock.metadata.version.as_deref().unwrap_or("1.0");
    if !version.starts_with("1.") && !version.starts_with("2.") {
        return Err(Problem::with_hint(
            format!("its `metadata.lock-version` is {version}, and 1.0 to 2.1 are the ones known"),
            "make it anew with a Poetry that writes version 2.1",
        ));
    }
    let is_flat = !matches!(version, "1.0" | "1.1" | "2.0");
    let project = match source.beside("pyproject.toml") {
        // A flat lock has no need of it, but to know the names of groups without packages.
        Some(text) if is_flat => Project::parse(text).ok(),
        Some(text) => Some(Project::parse(text)?),
        None if is_flat => None,
        None => {
            return Err(Problem::with_hint(
                format!(
                    "a lock of version {version} does not say what the project needs, and there is no `pyproject.toml` beside it"
                ),
                "put the lock beside its `pyproject.toml`, or make it anew with Poetry 2: version 2.1 says so itself",
            ));
        }
    };
    check_selection(source, &lock, project.as_ref())?;
    let groups: BTreeSet<ExtraName> =
        [ExtraName::from_str("main")?].into_iter().chain(source.selection.groups.iter().cloned()).collect();
    let mut pins = Vec::new();
    let mut faults = Vec::new();
    for (index, package) in lock.packages.iter().enumerate() {
        let what = || format!("`{}` (package {})", package.name, index + 1);
        let at = package.source.as_ref().filter(|origin| origin.r#type.as_deref() == Some("directory"));
        if at.is_some_and(|origin| source.is_application(&origin.url, Some(&package.name))) {
            continue;
        }
        let markers = if is_flat { markers(package, &groups) } else { Ok(Some(None)) };
        let read = markers.and_then(|markers| {
            let Some(marker) = markers else { return Ok(left_out(package, index)) };
            let mut pin = pin(package, index, source.lock, &lock.metadata)?;
            pin.marker = marker;
            if !is_flat {
                pin.needs = needs(package)?;
            }
            Ok(Some(pin))
        });
        match read {
            Ok(pin) => pins.extend(pin),
            Err(fault) => faults.push(fault.context(what())),
        }
    }
    all_of("entries cannot be packed", faults)?;
    pins.sort_by(|a, b| a.version.cmp(&b.version));
    let roots = match (&project, is_flat) {
        (Some(project), false) => Some(project.roots(source.selection)?),
        _ => None,
    };
    let hash = lock.metadata.hash.as_deref();
    Ok(Pins {
        pins,
        roots,
        asked: Asked::extras(&source.selection.extras),
        requires_python: only_set(&lock.metadata.python)?,
        stale: hash.and_then(|hash| why_stale(source.beside("pyproject.toml")?, source.text(), hash)),
        ..Pins::default()
    })
}

fn check_selection(source: &LockSource<'_>, lock: &Lock, project: Option<&Project>) -> anyhow::Result<()> {
    let names =
        |keys: BTreeSet<&String>| keys.into_iter().map(|key| ExtraName::from_str(key)).collect::<Result<_, _>>();
    let extras: BTreeSet<ExtraName> = names(lock.extras.keys().collect())?;
    let of_packages = lock.packages.iter().flat_map(|package| package.groups.iter().flatten());
    let mut groups: BTreeSet<ExtraName> = names(of_packages.collect())?;
    groups.extend(project.into_iter().flat_map(Project::groups));
    groups.retain(|group| group.as_ref() != "main");
    source.selection.check(&extras, &groups)
}

/// An entry of groups that nobody asked for; what is wrong with it is nobody's concern.
fn left_out(package: &Package, index: usize) -> Option<Pin> {
    let groups: Vec<String> = package.groups.iter().flatten().map(|group| format!("`{group}`")).collect();
    let pin =
        Pin::new(package.name.clone(), Version::from_str(&package.version).ok()?, format!("package {}", index + 1));
    Some(Pin { left_out: Some(groups.join(", ")), ..pin })
}

/// The marker of an entry for the chosen groups.
///
/// `None`: in none of the chosen groups; `Some(None)`: always installed.
fn markers(package: &Package, chosen: &BTreeSet<ExtraName>) -> anyhow::Result<Option<Option<String>>> {
    let mut found = BTreeSet::new();
    for group in package.groups.as_ref().context("it has no `groups`")? {
        if !chosen.contains(&ExtraName::from_str(group)?) {
            continue;
        }
        let marker = match &package.markers {
            None => None,
            Some(Markers::OfAll(marker)) => Some(marker),
            Some(Markers::ByGroup(markers)) => markers.get(group),
        };
        match marker.filter(|marker| !marker.trim().is_empty() && *marker != "*") {
            Some(marker) => drop(found.insert(marker.clone())),
            None => return Ok(Some(None)),
        }
    }
    Ok(match found.len() {
        0 => None,
        1 => Some(found.pop_first()),
        _ => Some(Some(found.iter().map(|marker| format!("({marker})")).collect::<Vec<_>>().join(" or "))),
    })
}

fn pin(package: &Package, index: usize, lock: &Utf8Path, metadata: &Metadata) -> anyhow::Result<Pin> {
    let version = Version::from_str(&package.version)?;
    let mut pin = Pin::new(package.name.clone(), version, format!("package {}", index + 1));
    pin.requires_python = only_set(package.python.as_deref().unwrap_or("*"))?;
    let of_lock = metadata.files.get(package.name.as_ref()).map(Vec::as_slice).unwrap_or_default();
    let files = if package.files.is_empty() { of_lock } else { package.files.as_slice() };
    let kind = package.source.as_ref().and_then(|origin| origin.r#type.as_deref());
    let url = package.source.as_ref().map(|origin| origin.url.as_str()).unwrap_or_default();
    let folder = package.source.as_ref().and_then(|origin| origin.subdirectory.as_deref());
    // The files of an older lock are those of every entry of the name.
    let of_url = files.iter().find(|file| url.ends_with(&file.file)).or(files.first());
    let hash = of_url.map(|file| file.hash.as_str());
    match kind {
        None | Some("legacy" | "pypi") => pin.hashes = sha256_digests(files.iter().map(|file| file.hash.as_str()))?,
        Some("url") => pin.files.push(at_url(url, None, hash)?.with_subdirectory(folder)?),
        Some("file") => match at_path(lock, url, None, hash).and_then(|file| file.with_subdirectory(folder)) {
            Ok(file) => pin.files.push(file),
            Err(fault) => pin.obstacle = Some(Obstacle::no_file(format!("comes from a file, but {fault:#}"))),
        },
        Some("directory") => pin.obstacle = Some(Obstacle::no_file("comes from a directory")),
        Some("git") => pin.obstacle = Some(Obstacle::no_file("comes from git")),
        Some(_) => pin.obstacle = Some(Obstacle::no_file("comes from a source that is not known")),
    }
    Ok(pin)
}

/// The edges of an entry. An optional one has its extra in its marker; if not, the lists by extra tell.
fn needs(package: &Package) -> anyhow::Result<Vec<Need>> {
    let mut by_extra: BTreeMap<PackageName, Vec<ExtraName>> = BTreeMap::new();
    for (extra, lines) in &package.extras {
        for line in lines {
            let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(line.len());
            if let Ok(name) = PackageName::from_str(&line[..end]) {
                by_extra.entry(name).or_default().push(ExtraName::from_str(extra)?);
            }
        }
    }
    let mut needs = Vec::new();
    for (name, value) in &package.dependencies {
        for dependency in value.each() {
            let need = dependency.need(name).with_context(|| format!("it needs `{name}`"))?;
            let is_told = need.marker.as_ref().is_some_and(|marker| marker.contains("extra"));
            if !dependency.optional || is_told {
                needs.push(need);
                continue;
            }
            for extra in by_extra.get(&need.name).into_iter().flatten() {
                needs.push(Need { of_extra: Some(extra.clone()), ..need.clone() });
            }
        }
    }
    Ok(needs)
}

/// The Pythons of a constraint; none where `||` joins several sets, which are judged by the markers alone.
fn only_set(constraint: &str) -> anyhow::Result<Option<VersionSpecifiers>> {
    let mut sets = parse_constraint(constraint)?;
    Ok(sets.pop().filter(|set| sets.is_empty() && set.iter().next().is_some()))
}
