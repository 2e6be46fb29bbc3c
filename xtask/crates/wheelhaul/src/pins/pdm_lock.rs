//! `pdm.lock`, version 4. With `inherit_metadata` it is flat: each entry has its groups and marker. Without, it
//! is a graph whose roots stand in the project file beside it.
//!
//! A package that is wanted with extras has a second entry for them, which names what they add.

use crate::pins::pdm_project::{environment_of, why_stale};
use crate::pins::placed::{at_path, at_url};
use crate::pins::project_file::{Dependencies, need};
use crate::pins::{Pin, Pins, Requirement, Source, selected, sha256_digests};
use crate::problem::{Problem, all_of};
use crate::toml_text;
use anyhow::Context as _;
use camino::Utf8Path;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

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
}

#[derive(Deserialize)]
struct File {
    hash: String,
}

pub(super) fn parse(source: &Source<'_>) -> anyhow::Result<Pins> {
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
        stale: hash.and_then(|hash| why_stale(source.beside("pyproject.toml")?, hash)),
        warnings,
        ..Pins::default()
    })
}

/// The groups to install: `default`, and those that are asked for, extras among them.
fn chosen(source: &Source<'_>, lock: &Lock, project: Option<&Dependencies>) -> anyhow::Result<BTreeSet<ExtraName>> {
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
    selected::check(source, &extras, &groups)?;
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
    let is_vcs = [&package.git, &package.hg, &package.svn, &package.bzr].into_iter().any(Option::is_some);
    if is_vcs {
        pin.obstacle = Some("comes from a repository of code".to_owned());
    } else if package.editable == Some(true) {
        pin.obstacle = Some("is editable".to_owned());
    } else if let Some(path) = &package.path {
        match at_path(lock, path, None, hash) {
            Ok(file) => pin.files.push(file),
            Err(fault) => pin.obstacle = Some(format!("comes from a path, but {fault:#}")),
        }
    } else if let Some(url) = &package.url {
        pin.files.push(at_url(url, None, hash)?);
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

#[cfg(test)]
mod tests {
    use crate::pins::Place;
    use crate::pins::reading::{DIGEST, kept, read, said};

    const FLAT: &str = r#"
[metadata]
groups = ["default", "cache", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:x"
[[metadata.targets]]
requires_python = ">=3.8,<3.12"
[[package]]
name = "uvicorn"
version = "0.30"
groups = ["default"]
files = [{file = "u", hash = "sha256:DIGEST"}]
[[package]]
name = "uvicorn"
version = "0.30"
extras = ["standard"]
groups = ["default"]
marker = "python_version < \"3.11\""
files = [{file = "u", hash = "sha256:DIGEST"}]
[[package]]
name = "redis"
version = "5"
groups = ["cache"]
files = [{url = "https://index.example/r", hash = "sha256:DIGEST"}]
[[package]]
name = "local"
version = "1"
groups = ["dev"]
path = "./local"
editable = true
"#;

    const GRAPH: &str = r#"
[metadata]
groups = ["default", "cache", "dev"]
strategy = []
lock_version = "4.5.0"
[[package]]
name = "uvicorn"
version = "0.30"
dependencies = ["click>=7", "w; sys_platform == 'win32'"]
[[package]]
name = "uvicorn"
version = "0.30"
extras = ["standard"]
dependencies = ["httptools", "uvicorn==0.30", "uvloop; python_version < '3.11'"]
[[package]]
name = "click"
version = "8.9"
[[package]]
name = "click"
version = "8.10"
requires_python = ">=3.9"
[[package]]
name = "httptools"
version = "1"
[[package]]
name = "uvloop"
version = "1"
[[package]]
name = "redis"
version = "5"
[[package]]
name = "local"
version = "1"
url = "https://code.example/local-1-py3-none-any.whl"
files = [{url = "https://code.example/local-1-py3-none-any.whl", hash = "sha256:DIGEST"}]
"#;

    const PROJECT: &str = "[project]\nname = \"shop\"\ndependencies = [\"uvicorn[standard]\"]\n\
        [project.optional-dependencies]\ncache = [\"redis>=4\"]\n\
        [dependency-groups]\ndev = [\"local @ https://code.example/local-1-py3-none-any.whl\"]\n";

    #[test]
    fn a_flat_lock_says_which_entries_are_for_which_group() {
        let text = FLAT.replace("DIGEST", DIGEST);
        #[rustfmt::skip]
        let cases = [ // wanted   python  what the box gets
            ("",          "3.9",  "uvicorn-0.30[standard]"),
            ("",          "3.11", "uvicorn-0.30"),
            ("+cache",    "3.11", "redis-5 uvicorn-0.30"),
            ("cache",     "3.11", "redis-5 uvicorn-0.30"),
            ("dev",       "3.11", "`local` (package 4) is editable, and only wheels and sdists with a sha256 can be packed | publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file"),
        ];
        for (wanted, python, gets) in cases {
            assert_eq!(kept(&read(&[("pdm.lock", &text)], wanted).unwrap(), python), gets, "{wanted} on {python}");
        }
        let error = kept(&read(&[("pdm.lock", &text)], "").unwrap(), "3.12");
        assert!(error.contains("none of the lock's `environments` is CPython 3.12"), "{error}");
    }

    #[test]
    fn a_graph_is_walked_from_the_project_file() {
        let text = GRAPH.replace("DIGEST", DIGEST);
        let texts = [("pdm.lock", text.as_str()), ("pyproject.toml", PROJECT)];
        #[rustfmt::skip]
        let cases = [ // wanted   python  what the box gets; of two that fit, PDM takes the greater text
            ("",          "3.9",  "click-8.9 httptools-1 uvicorn-0.30[standard] uvloop-1"),
            ("",          "3.11", "click-8.9 httptools-1 uvicorn-0.30[standard]"),
            ("+cache dev", "3.11", "click-8.9 httptools-1 local-1 redis-5 uvicorn-0.30[standard]"),
        ];
        for (wanted, python, gets) in cases {
            assert_eq!(kept(&read(&texts, wanted).unwrap(), python), gets, "{wanted} on {python}");
        }
        let pins = read(&texts, "").unwrap();
        let placed = pins.pins.iter().find_map(|pin| pin.files.first()).unwrap();
        assert!(placed.name == "local-1-py3-none-any.whl" && matches!(placed.at, Place::Url(_)));
    }

    #[test]
    fn faults_say_what_to_do() {
        #[rustfmt::skip]
        let cases = [ // from                    to                          what it says
            ("lock_version = \"4.5.0\"",  "lock_version = \"3.1\"",   "`metadata.lock_version` is `3.1`"),
            ("version = \"0.30\"",        "version = \"x\"",          "`uvicorn` (package 1)"),
            ("\"httptools\"",             "\"a b\"",                  "it needs `a b`"),
            ("[metadata]",                "[meta]",                   "missing field `metadata`"),
            ("sha256:DIGEST",             "md5:00",                   "no sha256"),
        ];
        for (from, to, says) in cases {
            let text = GRAPH.replacen(from, to, 1);
            let error = said(&read(&[("pdm.lock", &text), ("pyproject.toml", PROJECT)], "").unwrap_err());
            assert!(error.contains(says), "{error}");
        }
        let error = said(&read(&[("pdm.lock", GRAPH)], "").unwrap_err());
        assert!(error.contains("no `pyproject.toml` beside it | put the lock beside"), "{error}");
        let error = said(&read(&[("pdm.lock", FLAT)], "+cahce").unwrap_err());
        assert!(error.contains("did you mean `cache`? known extras: cache, dev"), "{error}");
    }
}
