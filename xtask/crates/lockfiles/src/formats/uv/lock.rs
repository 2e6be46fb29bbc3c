//! `uv.lock`, version 1: a graph whose root is the application, one of the workspace's members.
//!
//! An edge names its entry, so `resolution-markers`, which told the resolver's forks apart, decide nothing here.

use crate::direct_files::{at_path, at_url};
use crate::formats::uv::project::{Manifest, Metadata, why_stale};
use crate::hashes::sha256_digests;
use crate::paths::{folder_of, inside};
use crate::pin::{Need, Obstacle, Pin, Versions};
use crate::pins::Pins;
use crate::source::LockSource;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_base::toml_text;
use wheelhaul_boxes::Asked;

#[derive(Deserialize)]
struct Lock {
    version: u32,
    #[serde(rename = "requires-python")]
    requires_python: Option<String>,
    /// what `[tool.uv] environments` limits the lock to
    #[serde(default, rename = "supported-markers")]
    environments: Vec<String>,
    #[serde(default)]
    manifest: Manifest,
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
}

impl Lock {
    fn python_of_one(&self) -> Option<&str> {
        self.requires_python.as_deref().filter(|_| self.manifest.members.is_empty())
    }
}

/// An entry; the application's own has more keys than an index package's.
#[derive(Deserialize)]
struct Package {
    name: PackageName,
    /// none for a member whose version is not written in its project file
    version: Option<String>,
    source: Origin,
    #[serde(default)]
    dependencies: Vec<Edge>,
    #[serde(default, rename = "optional-dependencies")]
    optional: BTreeMap<String, Vec<Edge>>,
    #[serde(default, rename = "dev-dependencies")]
    dev: BTreeMap<String, Vec<Edge>>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Origin {
    registry: Option<String>,
    url: Option<String>,
    path: Option<String>,
    git: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct File {
    hash: Option<String>,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct Edge {
    name: PackageName,
    version: Option<String>,
    source: Option<Origin>,
    #[serde(default)]
    extra: Vec<String>,
    marker: Option<String>,
}

impl Origin {
    /// The folder of a project whose source this is.
    fn folder(&self) -> Option<&str> {
        [&self.editable, &self.r#virtual, &self.directory].into_iter().flatten().next().map(String::as_str)
    }
}

pub(in crate::formats) fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    let put = |lock: &mut Lock, packages| lock.packages = packages;
    let lock = toml_text::read_entries(source.text(), "package", "make it anew with `uv lock`", put)?;
    if lock.version != 1 {
        return Err(Problem::with_hint(
            format!("its `version` is {}, and 1 is the one known", lock.version),
            "make it anew with a uv that writes version 1",
        ));
    }
    let root = root_of(source, &lock)?;
    let names = |keys: Vec<&String>| keys.into_iter().map(|key| ExtraName::from_str(key)).collect::<Result<_, _>>();
    let extras = names(root.optional.keys().chain(&root.metadata.extras).collect())?;
    let groups = names(root.dev.keys().chain(root.metadata.groups.keys()).collect())?;
    source.selection.check(&extras, &groups)?;

    let entries = Entries::of(&lock);
    let mut faults = Vec::new();
    let mut pins = Vec::new();
    for (index, package) in lock.packages.iter().enumerate().filter(|(_, package)| !std::ptr::eq(*package, root)) {
        match pin(package, index, source.lock, &entries) {
            Ok(pin) => pins.push(pin),
            Err(fault) => faults.push(fault.context(format!("`{}` (package {})", package.name, index + 1))),
        }
    }
    let chosen = chosen(source, root)?;
    let mut roots = Vec::new();
    for edge in chosen.edges {
        match entries.need(edge) {
            Ok(need) => roots.push(need),
            Err(fault) => faults.push(fault.context(format!("`{}` needs `{}`", root.name, edge.name))),
        }
    }
    all_of("entries cannot be packed", faults)?;
    Ok(Pins {
        pins,
        roots: Some(roots),
        asked: Asked { extras: chosen.encoded, groups: Vec::new() },
        requires_python: lock.requires_python.as_deref().map(VersionSpecifiers::from_str).transpose()?,
        environments: lock.environments.clone(),
        unmet: lock.manifest.unmet(&|name, version| {
            let same = |of: &Package| {
                of.version.as_deref().and_then(|of| Version::from_str(of).ok()).as_ref() == Some(version)
            };
            lock.packages.iter().any(|package| package.name == *name && same(package))
        }),
        // That of a workspace is what all of its members have in common.
        stale: why_stale(source, &root.name, &root.metadata, lock.python_of_one()),
        ..Pins::default()
    })
}

/// The entry of the application: the project whose folder, relative to the lock's, is the application's.
fn root_of<'l>(source: &LockSource<'_>, lock: &'l Lock) -> anyhow::Result<&'l Package> {
    let base = folder_of(source.lock);
    let app = inside(Utf8Path::new(""), source.app.folder.as_str()).unwrap_or_default();
    let projects = || {
        let member = |package: &'l Package| Some((package, inside(base, package.source.folder()?)?));
        lock.packages.iter().filter_map(member)
    };
    match projects().find(|(_, folder)| *folder == app) {
        Some((root, _)) => Ok(root),
        None => {
            let shown = |at: Utf8PathBuf| if at.as_str().is_empty() { Utf8PathBuf::from(".") } else { at };
            let known: Vec<String> =
                projects().map(|(package, at)| format!("`{}` in `{}`", package.name, shown(at))).collect();
            Err(Problem::with_hint(
                format!("none of its projects is the application in `{}`", source.app.folder),
                match known.as_slice() {
                    [] => {
                        "it is no lock of a project; make it with `uv lock` where the application's `pyproject.toml` is"
                            .to_owned()
                    }
                    known => format!("its projects are {}: correct `app.path` or `app.lock`", known.join(", ")),
                },
            ))
        }
    }
}

/// What the application needs with the chosen extras and groups.
struct Chosen<'l> {
    edges: Vec<&'l Edge>,
    /// the extras and groups as uv writes them into markers where some exclude each other (`[tool.uv] conflicts`)
    encoded: Vec<ExtraName>,
}

fn chosen<'l>(source: &LockSource<'_>, root: &'l Package) -> anyhow::Result<Chosen<'l>> {
    let table = |of: &'l BTreeMap<String, Vec<Edge>>| -> anyhow::Result<BTreeMap<ExtraName, &'l [Edge]>> {
        of.iter().map(|(name, edges)| Ok((ExtraName::from_str(name)?, edges.as_slice()))).collect()
    };
    let (optional, dev) = (table(&root.optional)?, table(&root.dev)?);
    let mut edges: Vec<&Edge> = root.dependencies.iter().collect();
    edges.extend(source.selection.groups.iter().filter_map(|group| dev.get(group)).copied().flatten());
    let mut waiting: Vec<ExtraName> = source.selection.extras.clone();
    let mut extras = BTreeSet::new();
    let mut at = 0;
    loop {
        // An extra may ask for others of the application itself: `all = ["shop[cache]"]`.
        while let Some(edge) = edges.get(at) {
            at += 1;
            if edge.name == root.name {
                for extra in &edge.extra {
                    waiting.push(ExtraName::from_str(extra)?);
                }
            }
        }
        let Some(extra) = waiting.pop() else { break };
        if extras.insert(extra.clone()) {
            edges.extend(optional.get(&extra).copied().into_iter().flatten());
        }
    }
    edges.retain(|edge| edge.name != root.name);
    let (name, length) = (&root.name, root.name.as_ref().len());
    let mut encoded = vec![format!("project-{length}-{name}")];
    encoded.extend(extras.iter().map(|extra| format!("extra-{length}-{name}-{extra}")));
    encoded.extend(source.selection.groups.iter().map(|group| format!("group-{length}-{name}-{group}")));
    let encoded = encoded.iter().map(|name| ExtraName::from_str(name)).collect::<Result<_, _>>()?;
    Ok(Chosen { edges, encoded })
}

/// Where each package stands, for edges that name one of several.
struct Entries<'l> {
    lock: &'l Lock,
    by_name: BTreeMap<&'l PackageName, Vec<usize>>,
}

impl<'l> Entries<'l> {
    fn of(lock: &'l Lock) -> Self {
        let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, package) in lock.packages.iter().enumerate() {
            by_name.entry(&package.name).or_default().push(index);
        }
        Self { lock, by_name }
    }

    /// An edge with its entry: the only one of its name, or the one that version and source tell.
    fn need(&self, edge: &Edge) -> anyhow::Result<Need> {
        let all = self.by_name.get(&edge.name).map(Vec::as_slice).unwrap_or_default();
        ensure!(all.len() <= 100, "the lock has {} entries of `{}`", all.len(), edge.name);
        let is_meant = |index: &&usize| {
            let package = &self.lock.packages[**index];
            edge.version.as_ref().is_none_or(|version| Some(version) == package.version.as_ref())
                && edge.source.as_ref().is_none_or(|source| *source == package.source)
        };
        let mut meant = all.iter().filter(is_meant);
        let (first, second) = (meant.next(), meant.next());
        if first.is_none() || second.is_some() {
            return Err(Problem::with_hint(
                format!("the lock has {} entries for it", if second.is_some() { "several" } else { "no" }),
                "the lock is not whole: make it anew with `uv lock`",
            ));
        }
        Ok(Need {
            name: edge.name.clone(),
            extras: edge.extra.iter().map(|extra| ExtraName::from_str(extra)).collect::<Result<_, _>>()?,
            versions: Versions::Any,
            entry: first.map(|index| place(*index)),
            marker: edge.marker.clone(),
            of_extra: None,
        })
    }
}

fn place(index: usize) -> String {
    format!("package {}", index + 1)
}

fn pin(package: &Package, index: usize, lock: &Utf8Path, entries: &Entries<'_>) -> anyhow::Result<Pin> {
    let version = match &package.version {
        Some(version) => Version::from_str(version)?,
        None => Version::new([0]),
    };
    let mut pin = Pin::new(package.name.clone(), version, place(index));
    let of_extras =
        package.optional.iter().flat_map(|(extra, edges)| edges.iter().map(move |edge| (Some(extra), edge)));
    for (extra, edge) in package.dependencies.iter().map(|edge| (None, edge)).chain(of_extras) {
        let need = entries.need(edge).with_context(|| format!("it needs `{}`", edge.name))?;
        let of_extra = extra.map(|extra| ExtraName::from_str(extra)).transpose()?;
        pin.needs.push(Need { of_extra, ..need });
    }
    let files = || package.wheels.iter().chain(&package.sdist);
    let origin = &package.source;
    let only = files().next();
    let (size, hash) = (only.and_then(|file| file.size), only.and_then(|file| file.hash.as_deref()));
    if let Some(url) = &origin.url {
        pin.files.push(at_url(url, size, hash)?.with_subdirectory(origin.subdirectory.as_deref())?);
    } else if let Some(path) = &origin.path {
        match at_path(lock, path, size, hash) {
            Ok(file) => pin.files.push(file),
            Err(fault) => pin.obstacle = Some(Obstacle::no_file(format!("comes from a file, but {fault:#}"))),
        }
    } else if origin.registry.is_some() {
        pin.hashes = sha256_digests(files().filter_map(|file| file.hash.as_deref()))?;
    } else {
        pin.obstacle = Some(Obstacle::no_file(obstacle(origin)));
    }
    Ok(pin)
}

fn obstacle(origin: &Origin) -> String {
    match (&origin.git, origin.folder()) {
        (Some(_), _) => "comes from git".to_owned(),
        (None, Some(folder)) => format!("is the project in `{}`", shortened(folder)),
        (None, None) => "comes from a source that is not known".to_owned(),
    }
}
