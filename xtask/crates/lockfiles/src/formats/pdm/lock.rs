//! `pdm.lock`, version 4. With `inherit_metadata` it is flat: each entry has its groups and marker. Without, it
//! is a graph whose roots stand in the project file beside it.
//!
//! A package that is wanted with extras has a second entry for them, which names what they add.

use crate::direct_files::{at_path, at_url};
use crate::formats::pdm::project::{environment_of, unmet, why_stale};
use crate::hashes::sha256_digests;
use crate::pin::{Obstacle, Pin};
use crate::pins::Pins;
use crate::project_file::{Dependencies, need};
use crate::source::LockSource;
use anyhow::Context as _;
use camino::Utf8Path;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_base::toml_text;
use wheelhaul_boxes::Requirement;

#[derive(Deserialize)]
struct Lock {
    metadata: Metadata,
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Metadata {
    lock_version: Option<String>,
    groups: Option<Vec<String>>,
    content_hash: Option<String>,
    lock_inputs: Option<Value>,
    #[serde(default)]
    targets: Vec<BTreeMap<String, String>>,
    /// by `NAME VERSION`, up to version 4.2
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct Package {
    name: PackageName,
    version: Option<String>,
    #[serde(default)]
    extras: Vec<String>,
    requires_python: Option<String>,
    groups: Option<Vec<String>>,
    marker: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    files: Vec<File>,
    git: Option<String>,
    hg: Option<String>,
    svn: Option<String>,
    bzr: Option<String>,
    url: Option<String>,
    path: Option<String>,
    editable: Option<bool>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct File {
    hash: String,
}

pub(in crate::formats) fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    let put = |lock: &mut Lock, packages| lock.packages = packages;
    let lock = toml_text::read_entries(source.text(), "package", "make it anew with `pdm lock`", put)?;
    let version = lock.metadata.lock_version.as_deref().unwrap_or_default();
    if !version.starts_with("4.") && version != "4" {
        return Err(Problem::with_hint(
            format!("its `metadata.lock_version` is `{version}`, and 4.x is the one known"),
            "make it anew with a current `pdm lock`",
        ));
    }
    let is_flat = lock.packages.iter().all(|package| package.groups.is_some());
    let project = match source.beside("pyproject.toml") {
        Some(text) if is_flat => Dependencies::parse(text).ok(),
        Some(text) => Some(Dependencies::parse(text)?),
        None if is_flat => None,
        None => {
            return Err(Problem::with_hint(
                "it was made without `inherit_metadata`, so it does not say what the project needs, and there is no `pyproject.toml` beside it",
                "put the lock beside its `pyproject.toml`, or make it anew with `pdm lock --strategy inherit_metadata`",
            ));
        }
    };
    let chosen = chosen(source, &lock, project.as_ref())?;
    let mut pins = Vec::new();
    let mut faults = Vec::new();
    for (index, package) in lock.packages.iter().enumerate() {
        let at = package.path.as_ref().or(package.git.as_ref()).or(package.url.as_ref());
        if at.is_some_and(|at| source.is_application(at, Some(&package.name))) {
            continue;
        }
        match pin(package, index, source.lock, &lock.metadata, &chosen, is_flat) {
            Ok(pin) => pins.extend(pin),
            Err(fault) => faults.push(fault.context(format!("`{}` (package {})", package.name, index + 1))),
        }
    }
    all_of("entries cannot be packed", faults)?;
    let selection = source.selection;
    let roots = project.filter(|_| !is_flat).map(|project| {
        // PDM has one list of groups, whose names an extra and a group do not share.
        let both: Vec<ExtraName> = selection.extras.iter().chain(&selection.groups).cloned().collect();
        project.roots(&both, &both)
    });
    if roots.is_some() {
        pins = with_extras_inside(pins);
        // PDM's solver prefers the version whose text is the greatest: 4.5 to 4.16.
        pins.sort_by_cached_key(|pin| pin.version.to_string());
    }
    let mut warnings = Vec::new();
    if lock.metadata.lock_inputs.is_some() {
        warnings.push(
            "`metadata.lock_inputs` is not judged: `pdm lock --check` tells whether the lock is stale".to_owned(),
        );
    }
    let environments: Vec<String> = lock
        .metadata
        .targets
        .iter()
        .map(environment_of)
        .collect::<anyhow::Result<_>>()
        .context("`metadata.targets`")?;
    let hash = lock.metadata.content_hash.as_deref();
    Ok(Pins {
        pins,
        roots,
        environments: if environments.iter().any(String::is_empty) { Vec::new() } else { environments },
        unmet: source.beside("pyproject.toml").map(unmet).unwrap_or_default(),
        stale: hash.and_then(|hash| why_stale(source.beside("pyproject.toml")?, hash)),
        warnings,
        ..Pins::default()
    })
}

/// The groups to install: `default`, and those that are asked for, extras among them.
fn chosen(source: &LockSource<'_>, lock: &Lock, project: Option<&Dependencies>) -> anyhow::Result<BTreeSet<ExtraName>> {
    let mut known: BTreeSet<ExtraName> = BTreeSet::new();
    match (&lock.metadata.groups, project) {
        (Some(groups), _) => {
            for group in groups {
                known.insert(ExtraName::from_str(group)?);
            }
        }
        (None, Some(project)) => known.extend(project.extras.keys().chain(project.groups.keys()).cloned()),
        (None, None) => {
            for group in lock.packages.iter().flat_map(|package| package.groups.iter().flatten()) {
                known.insert(ExtraName::from_str(group)?);
            }
        }
    }
    known.retain(|group| group.as_ref() != "default");
    // Without the project file nobody knows which of them are extras.
    let (extras, groups) = match project {
        None => (known.clone(), known),
        Some(project) => {
            // PDM itself takes either for the other.
            let (extras, groups) = (&source.selection.extras, &source.selection.groups);
            let is_extra = |name: &&ExtraName| project.extras.contains_key(*name) || extras.contains(name);
            let is_group = |name: &&ExtraName| !project.extras.contains_key(*name) || groups.contains(name);
            (known.iter().filter(is_extra).cloned().collect(), known.iter().filter(is_group).cloned().collect())
        }
    };
    source.selection.check(&extras, &groups)?;
    let asked = source.selection.extras.iter().chain(&source.selection.groups);
    Ok(asked.cloned().chain([ExtraName::from_str("default")?]).collect())
}

/// An entry of the chosen groups as a pin; for a graph with its edges, and with its extras still apart.
fn pin(
    package: &Package,
    index: usize,
    lock: &Utf8Path,
    metadata: &Metadata,
    chosen: &BTreeSet<ExtraName>,
    is_flat: bool,
) -> anyhow::Result<Option<Pin>> {
    if is_flat {
        let groups = package.groups.iter().flatten().map(|group| ExtraName::from_str(group));
        let groups: Vec<ExtraName> = groups.collect::<Result<_, _>>()?;
        if !groups.iter().any(|group| chosen.contains(group)) {
            let groups: Vec<String> = groups.iter().map(|group| format!("`{group}`")).collect();
            // What is wrong with it is nobody's concern.
            let version = package.version.as_deref().and_then(|version| Version::from_str(version).ok());
            let pin = |version| Pin::new(package.name.clone(), version, format!("package {}", index + 1));
            return Ok(version.map(|version| Pin { left_out: Some(groups.join(", ")), ..pin(version) }));
        }
    }
    let version = match &package.version {
        Some(version) => Version::from_str(version)?,
        None => Version::new([0]),
    };
    let mut pin = Pin::new(package.name.clone(), version, format!("package {}", index + 1));
    pin.extras = package.extras.iter().map(|extra| ExtraName::from_str(extra)).collect::<Result<_, _>>()?;
    pin.marker = package.marker.clone().filter(|marker| !marker.trim().is_empty());
    let python = package.requires_python.as_deref().filter(|python| !python.trim().is_empty());
    pin.requires_python = python.map(VersionSpecifiers::from_str).transpose()?;
    if !is_flat {
        for line in &package.dependencies {
            let requirement = Requirement::from_str(line).with_context(|| format!("it needs `{line}`"))?;
            if requirement.name != pin.name || !pin.extras.is_empty() && !requirement.extras.is_empty() {
                pin.needs.push(need(&requirement));
            }
        }
    }
    let key = format!("{} {}", package.name, package.version.as_deref().unwrap_or_default());
    let of_lock = metadata.files.get(&key).map(Vec::as_slice).unwrap_or_default();
    let files = if package.files.is_empty() { of_lock } else { package.files.as_slice() };
    let hash = files.first().map(|file| file.hash.as_str());
    let folder = package.subdirectory.as_deref();
    let is_vcs = [&package.git, &package.hg, &package.svn, &package.bzr].into_iter().any(Option::is_some);
    if is_vcs {
        pin.obstacle = Some(Obstacle::no_file("comes from a repository of code"));
    } else if package.editable == Some(true) {
        pin.obstacle = Some(Obstacle::no_file("is editable"));
    } else if let Some(path) = &package.path {
        match at_path(lock, path, None, hash).and_then(|file| file.with_subdirectory(folder)) {
            Ok(file) => pin.files.push(file),
            Err(fault) => pin.obstacle = Some(Obstacle::no_file(format!("comes from a path, but {fault:#}"))),
        }
    } else if let Some(url) = &package.url {
        pin.files.push(at_url(url, None, hash)?.with_subdirectory(folder)?);
    } else {
        pin.hashes = sha256_digests(files.iter().map(|file| file.hash.as_str()))?;
    }
    Ok(Some(pin))
}

/// Makes one pin of the entries of a package in a graph: what its extras need stands under their markers.
fn with_extras_inside(entries: Vec<Pin>) -> Vec<Pin> {
    let (plain, extended): (Vec<Pin>, Vec<Pin>) = entries.into_iter().partition(|pin| pin.extras.is_empty());
    let mut pins = plain;
    let mut places: BTreeMap<(PackageName, Version), usize> =
        pins.iter().enumerate().map(|(place, pin)| ((pin.name.clone(), pin.version.clone()), place)).collect();
    for mut pin in extended {
        let all: Vec<String> = pin.extras.drain(..).map(|extra| format!("extra == '{extra}'")).collect();
        for need in &mut pin.needs {
            let asked = all.join(" and ");
            need.marker = Some(match &need.marker {
                Some(marker) => format!("{asked} and ({marker})"),
                None => asked,
            });
        }
        match places.get(&(pin.name.clone(), pin.version.clone())) {
            Some(place) => pins[*place].needs.append(&mut pin.needs),
            None => {
                places.insert((pin.name.clone(), pin.version.clone()), pins.len());
                pins.push(pin);
            }
        }
    }
    pins
}
