//! `pylock.toml`, the standard lock (PEP 751).
//!
//! Keys that are for people and auditors (`dependencies`, `attestation-identities`, `tool`) are only held to
//! their type. What is of the application's own folder is passed over, since the application is packed anyway.

use crate::direct_files::{DirectFile, FileLocation};
use crate::file_names::{is_wheel_like, name_in_url, package_name, told_by};
use crate::hashes::sha256_digests;
use crate::paths::{folder_of, inside};
use crate::pin::{Obstacle, Pin};
use crate::pins::{MOST_FAULTS, Pins};
use crate::source::LockSource;
use anyhow::{Context as _, bail, ensure};
use camino::Utf8Path;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, all_of, nearest, shortened};
use wheelhaul_base::toml_text;
use wheelhaul_boxes::{Asked, may_hold};

/// A table of which nothing is read.
type AnyTable = BTreeMap<String, IgnoredAny>;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lock {
    lock_version: String,
    #[serde(default)]
    environments: Vec<String>,
    requires_python: Option<String>,
    #[serde(default)]
    extras: Vec<String>,
    #[serde(default)]
    dependency_groups: Vec<String>,
    #[serde(default)]
    default_groups: Vec<String>,
    #[serde(rename = "created-by")]
    _created_by: String,
    packages: Vec<Package>,
    #[serde(rename = "tool")]
    _tool: Option<AnyTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: Option<String>,
    marker: Option<String>,
    requires_python: Option<String>,
    #[serde(rename = "dependencies")]
    _dependencies: Option<Vec<AnyTable>>,
    vcs: Option<VersionControl>,
    directory: Option<Directory>,
    archive: Option<File>,
    index: Option<String>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
    #[serde(rename = "attestation-identities")]
    _attestation_identities: Option<Vec<Identity>>,
    #[serde(rename = "tool")]
    _tool: Option<AnyTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct VersionControl {
    #[serde(rename = "type")]
    _kind: String,
    url: Option<String>,
    path: Option<String>,
    #[serde(rename = "requested-revision")]
    _requested_revision: Option<String>,
    #[serde(rename = "commit-id")]
    _commit_id: String,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct Directory {
    path: String,
    #[serde(rename = "editable")]
    _editable: Option<bool>,
    subdirectory: Option<String>,
}

/// A wheel, an sdist, or an archive of either; `name` is not for archives, `subdirectory` only for them.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    size: Option<u64>,
    upload_time: Option<toml::value::Datetime>,
    hashes: BTreeMap<String, String>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "kind")]
    _kind: String,
}

/// `pylock.toml` or `pylock.NAME.toml`, with no dot in the name (PEP 751, "File Name").
pub(super) fn is_name(name: &str) -> bool {
    let middle = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix("toml"));
    middle.is_some_and(|middle| match middle.strip_suffix('.') {
        Some(name) => !name.is_empty() && !name.contains('.'),
        None => middle.is_empty(),
    })
}

pub(super) fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    let text = source.text().trim_start_matches('\u{feff}');
    let put = |lock: &mut Lock, packages| lock.packages = packages;
    let lock = toml_text::read_entries(text, "packages", "make it anew with the tool that wrote it", put)?;
    let mut pins = Pins { no_twins: true, ..Pins::default() };
    let mut faults = Vec::new();
    pins.warnings.extend(newer_minor(&lock.lock_version)?);
    match asked(&lock, source) {
        Ok(asked) => pins.asked = asked,
        Err(fault) => faults.push(fault),
    }
    match lock.requires_python.as_deref().map(specifiers).transpose().context("`requires-python`") {
        Ok(requires) => pins.requires_python = requires,
        Err(fault) => faults.push(fault),
    }
    for (index, marker) in lock.environments.iter().enumerate() {
        faults.extend(may_hold(marker, &pins.asked).with_context(|| format!("`environments[{index}]`")).err());
    }
    for (index, package) in lock.packages.iter().enumerate() {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        let place = format!("packages[{index}]");
        match pin(package, source, &place) {
            Ok(pin) => pins.pins.extend(pin),
            Err(fault) => faults.push(fault.context(format!("`{}` ({place})", shortened(&package.name)))),
        }
    }
    all_of("entries cannot be packed", faults)?;
    pins.environments = lock.environments;
    Ok(pins)
}

/// "If a tool doesn't support a major version, it MUST raise an error"; a newer minor is a warning.
fn newer_minor(lock_version: &str) -> anyhow::Result<Option<String>> {
    let version = Version::from_str(lock_version)
        .with_context(|| format!("its `lock-version` is `{}`, which is no version", shortened(lock_version)))?;
    if version.epoch() != 0 || version.release().first() != Some(&1) || version < Version::new([1]) {
        return Err(Problem::with_hint(
            format!("its `lock-version` is `{version}`, and 1.0 is the one known"),
            "write it as version 1.0, or use a newer `cargo xtask`",
        ));
    }
    let is_newer = version > Version::new([1, 0]);
    Ok(is_newer.then(|| format!("its `lock-version` is `{version}`: what is newer than 1.0 in it is not read")))
}

fn specifiers(text: &str) -> anyhow::Result<VersionSpecifiers> {
    VersionSpecifiers::from_str(text).with_context(|| format!("`{}` is no set of versions", shortened(text)))
}

/// The extras and groups that markers ask for: `app.extras`, and `default-groups` with `app.groups`.
fn asked(lock: &Lock, source: &LockSource<'_>) -> anyhow::Result<Asked> {
    let mut faults = Vec::new();
    let mut read = |key: &str, names: &[String]| -> Vec<ExtraName> {
        let mut known = Vec::new();
        for name in names {
            match ExtraName::from_str(name) {
                Ok(name) => known.push(name),
                Err(_) => faults.push(anyhow::anyhow!("`{}` in `{key}` is no name", shortened(name))),
            }
        }
        known
    };
    let extras = read("extras", &lock.extras);
    let groups = read("dependency-groups", &lock.dependency_groups);
    let defaults = read("default-groups", &lock.default_groups);
    if let Some((name, _)) = lock.extras.iter().zip(&extras).find(|(text, name)| text.as_str() != name.as_ref()) {
        faults.push(anyhow::anyhow!("`{}` in `extras` is not normalized", shortened(name)));
    }
    let wanted = source.selection;
    for extra in wanted.extras.iter().filter(|extra| !extras.contains(extra)) {
        faults.push(unknown("extra", "app.extras", extra, &extras));
    }
    let all_groups: Vec<ExtraName> = groups.iter().chain(&defaults).cloned().collect();
    for group in wanted.groups.iter().filter(|group| !all_groups.contains(group)) {
        faults.push(unknown("dependency group", "app.groups", group, &all_groups));
    }
    faults.truncate(MOST_FAULTS);
    all_of("names are wrong", faults)?;
    let groups: BTreeSet<ExtraName> = defaults.into_iter().chain(wanted.groups.iter().cloned()).collect();
    Ok(Asked { extras: wanted.extras.clone(), groups: groups.into_iter().collect() })
}

fn unknown(what: &str, key: &str, name: &ExtraName, known: &[ExtraName]) -> anyhow::Error {
    let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let near = nearest(name.as_ref(), known.iter().map(AsRef::as_ref));
    let meant = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let hint = match list.as_slice() {
        [] => format!("the lock knows none: take it out of `{key}`, or lock with it"),
        list => format!("{meant}the lock knows {}", shortened(&list.join(", "))),
    };
    Problem::with_hint(format!("key `{key}` of `dist/package.toml`: the lock has no {what} `{name}`"), hint)
}

/// One entry; none for the application itself.
fn pin(package: &Package, source: &LockSource<'_>, place: &str) -> anyhow::Result<Option<Pin>> {
    let name = package_name(&package.name)?;
    ensure!(name.as_ref() == package.name, "its `name` is not normalized: `{name}`");
    let version = package.version.as_deref().map(Version::from_str).transpose().context("`version`")?;
    let requires_python =
        package.requires_python.as_deref().map(specifiers).transpose().context("`requires-python`")?;
    let has_files = package.sdist.is_some() || !package.wheels.is_empty();
    let direct = usize::from(package.vcs.is_some()) + usize::from(package.directory.is_some());
    let direct = direct + usize::from(package.archive.is_some());
    if usize::from(has_files) + direct != 1 {
        return Err(Problem::with_hint(
            "it has not exactly one source: `vcs`, `directory`, `archive`, or `wheels` and `sdist`",
            "make it anew with the tool that wrote it",
        ));
    }
    let folder = folder_of(source.lock);
    let pin = if let Some(from) = &package.vcs {
        ensure!(from.url.is_some() || from.path.is_some(), "`vcs` has neither `url` nor `path`");
        let at = from.path.as_deref().filter(|_| from.subdirectory.is_none());
        let is_own = at.is_some_and(|path| source.is_application(path, Some(&name)));
        (!is_own).then(|| without_file(name, version, "comes from version control".to_owned(), place))
    } else if let Some(directory) = &package.directory {
        let path = Utf8Path::new(&directory.path).join(directory.subdirectory.as_deref().unwrap_or_default());
        let comes_from = || format!("comes from the folder `{}`", shortened(&directory.path));
        (!source.is_application(path.as_str(), Some(&name))).then(|| without_file(name, version, comes_from(), place))
    } else if let Some(archive) = &package.archive {
        let placed = archive.direct_file(folder).context("`archive`")?;
        let (_, told) = told_by(&placed.name, Some(&name)).context("`archive`")?;
        ensure!(archive.subdirectory.is_none(), "only a part of its `archive` is wanted, by `subdirectory`");
        ensure!(version.as_ref().is_none_or(|version| *version == told), "`{}` is of another version", placed.name);
        let mut pin = Pin::new(name, told, place.to_owned());
        pin.hashes.insert(placed.sha256.clone());
        pin.files.push(placed);
        Some(pin)
    } else {
        Some(of_files(package, name, version, folder, place)?)
    };
    Ok(pin.map(|pin| Pin { marker: package.marker.clone(), requires_python, ..pin }))
}

/// An entry that is an error on the boxes that get it.
fn without_file(name: PackageName, version: Option<Version>, obstacle: String, place: &str) -> Pin {
    let version = version.unwrap_or_else(|| Version::new([0]));
    Pin { obstacle: Some(Obstacle::no_file(obstacle)), ..Pin::new(name, version, place.to_owned()) }
}

/// A package with wheels or an sdist. They are the index's, unless one of them has only a path.
fn of_files(
    package: &Package,
    name: PackageName,
    mut version: Option<Version>,
    folder: &Utf8Path,
    place: &str,
) -> anyhow::Result<Pin> {
    let wheels = package.wheels.iter().enumerate().map(|(index, file)| (format!("wheels[{index}]"), file, true));
    let sdist = package.sdist.iter().map(|file| ("sdist".to_owned(), file, false));
    let all: Vec<_> = wheels.chain(sdist).collect();
    let mut known = String::new();
    for (key, file, is_wheel) in &all {
        let file_name = file.file_name().with_context(|| key.clone())?;
        if *is_wheel && is_wheel_like(&file_name, &known) {
            file.check().with_context(|| key.clone())?;
            continue;
        }
        let (_, told) = told_by(&file_name, Some(&name)).with_context(|| key.clone())?;
        ensure!(file_name.ends_with(".whl") == *is_wheel, "`{key}`: `{}` is none", shortened(&file_name));
        match &version {
            Some(version) => ensure!(*version == told, "`{key}`: `{}` is not of {version}", shortened(&file_name)),
            None => version = Some(told),
        }
        file.check().with_context(|| key.clone())?;
        known = file_name;
    }
    let version = version.context("it has no version")?;
    let hashes: Vec<String> = all.iter().flat_map(|(_, file, _)| file.written_hashes()).collect();
    let mut pin = Pin::new(name, version, place.to_owned());
    pin.hashes = sha256_digests(hashes.iter().map(String::as_str))?;
    if package.index.is_none() && all.iter().any(|(_, file, _)| file.url.is_none()) {
        for (key, file, _) in &all {
            pin.files.push(file.direct_file(folder).with_context(|| key.clone())?);
        }
    }
    Ok(pin)
}

impl File {
    /// "The file name … not when the last component of path/url would be the same value".
    fn file_name(&self) -> anyhow::Result<String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        match (self.path.as_deref().filter(|path| !path.is_empty()), self.url.as_deref()) {
            (Some(path), _) => {
                let separator = if path.contains('/') { '/' } else { '\\' };
                Ok(path.rsplit(separator).next().unwrap_or_default().to_owned())
            }
            (None, Some(url)) => name_in_url(url),
            (None, None) => bail!("it has neither `url` nor `path`"),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let is_given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        ensure!(is_given(&self.url) || is_given(&self.path), "it has neither `url` nor `path`");
        ensure!(!self.hashes.is_empty(), "it has no hash");
        let is_whole = self.upload_time.is_none_or(|time| time.date.is_some() && time.time.is_some());
        ensure!(is_whole, "its `upload-time` is not a date with a time");
        Ok(())
    }

    /// Hashes as other locks write them, `sha256:HEX`.
    fn written_hashes(&self) -> impl Iterator<Item = String> + '_ {
        self.hashes.iter().map(|(algorithm, digest)| format!("{}:{digest}", algorithm.to_ascii_lowercase()))
    }

    /// The file, got as the lock says: "If `path` is set, use it".
    fn direct_file(&self, folder: &Utf8Path) -> anyhow::Result<DirectFile> {
        self.check()?;
        let name = self.file_name()?;
        let hashes: Vec<String> = self.written_hashes().collect();
        let sha256 = sha256_digests(hashes.iter().map(String::as_str))?.pop_first().context("it has no hash")?;
        let at = match (&self.path, &self.url) {
            (Some(path), _) if inside(folder, path).is_some() => inside(folder, path).map(FileLocation::Path),
            (_, Some(url)) => {
                let scheme = url.split(':').next().unwrap_or_default();
                let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
                is_web.then(|| FileLocation::Url(url.split('#').next().unwrap_or_default().to_owned()))
            }
            (_, None) => None,
        };
        let at = at.ok_or_else(|| {
            Problem::with_hint(
                format!("`{}` is neither in the repository nor behind `https:`", shortened(&name)),
                "put it into the repository; a path starts in the lock's folder",
            )
        })?;
        Ok(DirectFile { name, at, size: self.size, sha256, subdirectory: None })
    }
}

#[cfg(test)]
mod tests;
