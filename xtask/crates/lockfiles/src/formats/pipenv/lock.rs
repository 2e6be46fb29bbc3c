//! `Pipfile.lock`, pipfile-spec version 6: the `default` section, and those that `app.groups` names.

use crate::direct_files::{at_url, several_hashes};
use crate::file_names::{name_in_url, package_name};
use crate::formats::pipenv::pipfile::how_to_pin;
use crate::hashes::sha256_digests;
use crate::pin::{Obstacle, Pin};
use crate::pins::Pins;
use crate::project_file::as_json;
use crate::python_json::{Spacing, digest};
use crate::source::LockSource;
use anyhow::{Context as _, ensure};
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_boxes::Requirement;

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "_meta")]
    meta: Meta,
    default: Section,
    /// `develop`, and the categories that a team makes itself
    #[serde(flatten)]
    others: BTreeMap<String, Section>,
}

type Section = BTreeMap<String, Entry>;

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "pipfile-spec")]
    specification: u32,
    #[serde(default)]
    hash: BTreeMap<String, String>,
    #[serde(default)]
    sources: Value,
}

/// An entry; keys that say where pipenv got it (`index`) do not matter here.
#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    markers: Option<String>,
    #[serde(default)]
    hashes: Vec<String>,
    #[serde(default)]
    extras: Vec<String>,
    git: Option<String>,
    hg: Option<String>,
    svn: Option<String>,
    bzr: Option<String>,
    path: Option<String>,
    file: Option<String>,
    subdirectory: Option<String>,
    editable: Option<bool>,
}

impl Entry {
    /// The key that makes it something else than a package of an index.
    fn foreign_key(&self) -> Option<&'static str> {
        let keys = [
            ("git", self.git.is_some()),
            ("hg", self.hg.is_some()),
            ("svn", self.svn.is_some()),
            ("bzr", self.bzr.is_some()),
            ("path", self.path.is_some()),
            ("file", self.file.is_some()),
            ("editable", self.editable == Some(true)),
        ];
        keys.into_iter().find_map(|(key, given)| given.then_some(key))
    }
}

pub(in crate::formats) fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    let lock: Lock = serde_json::from_str(source.text())
        .map_err(|error| Problem::with_hint(error.to_string(), "make it anew with `pipenv lock`"))?;
    if lock.meta.specification != 6 {
        return Err(Problem::with_hint(
            format!("its `_meta.pipfile-spec` is {}, and 6 is the one known", lock.meta.specification),
            "make it anew with a current `pipenv lock`",
        ));
    }
    let mut sections = vec![("default", &lock.default)];
    sections.extend(chosen(source, &lock)?);
    let mut entries: BTreeMap<PackageName, Pin> = BTreeMap::new();
    let mut faults = Vec::new();
    for (section, name, entry) in
        sections.iter().flat_map(|(section, entries)| entries.iter().map(move |(name, entry)| (section, name, entry)))
    {
        if is_application(source, name, entry) {
            continue;
        }
        // As `pipenv sync --categories` does: a package of two categories is that of the later one.
        match pin(source, section, name, entry) {
            Ok(pin) => drop(entries.insert(pin.name.clone(), pin)),
            Err(fault) => faults.push(fault.context(format!("entry `{section}.{}`", shortened(name)))),
        }
    }
    all_of("entries cannot be packed", faults)?;
    for (section, others) in &lock.others {
        for (name, entry) in others.iter().filter(|(name, entry)| !is_application(source, name, entry)) {
            // What is wrong with it is nobody's concern.
            if let Ok(pin) = pin(source, section, name, entry) {
                let left_out = Some(format!("`{section}`"));
                entries.entry(pin.name.clone()).or_insert(Pin { left_out, obstacle: None, ..pin });
            }
        }
    }
    let stale = source.beside("Pipfile").and_then(|text| why_stale(text, &lock.meta));
    Ok(Pins { pins: entries.into_values().collect(), stale, ..Pins::default() })
}

/// The sections that `app.groups` names; pipenv calls `develop` by two names.
fn chosen<'l>(source: &LockSource<'_>, lock: &'l Lock) -> anyhow::Result<Vec<(&'l str, &'l Section)>> {
    let mut known: BTreeMap<ExtraName, (&str, &Section)> = BTreeMap::new();
    for (name, section) in &lock.others {
        if let Ok(key) = ExtraName::from_str(name) {
            known.insert(key, (name, section));
        }
        if name == "develop" {
            known.insert(ExtraName::from_str("dev-packages")?, (name, section));
        }
    }
    let is_asked = |name: &ExtraName| source.selection.groups.contains(name);
    let is_second =
        |name: &ExtraName| name.as_ref() == "develop" && !is_asked(name) && lock.others.contains_key("develop");
    source.selection.check(&BTreeSet::new(), &known.keys().filter(|name| !is_second(name)).cloned().collect())?;
    Ok(source.selection.groups.iter().filter_map(|group| known.get(group).copied()).collect())
}

/// Whether an entry is the application itself. Its key may be a digest, where pipenv knew no name.
fn is_application(source: &LockSource<'_>, key: &str, entry: &Entry) -> bool {
    let at = [&entry.path, &entry.file, &entry.git, &entry.hg, &entry.svn, &entry.bzr].into_iter().flatten().next();
    at.is_some_and(|at| {
        let at = match &entry.subdirectory {
            Some(folder) => format!("{at}/{folder}"),
            None => at.clone(),
        };
        source.is_application(&at, package_name(key).ok().as_ref())
    })
}

fn pin(source: &LockSource<'_>, section: &str, key: &str, entry: &Entry) -> anyhow::Result<Pin> {
    let is_name = key.starts_with(|c: char| c.is_ascii_alphanumeric());
    ensure!(is_name, "its key is not the name of a package");
    let place = format!("{section}.{key}");
    let name = PackageName::from_str(key)?;
    let extras = entry.extras.iter().map(|extra| ExtraName::from_str(extra)).collect::<Result<_, _>>()?;
    let marker = entry.markers.clone().filter(|marker| !marker.trim().is_empty());
    let pin = |version: Version| Pin { extras, marker, ..Pin::new(name.clone(), version, place) };
    if let Some(wheel) = entry.file.as_deref().filter(|file| file.starts_with("https://") && file.ends_with(".whl")) {
        // The one hash is that of the one file; pipenv also locks those of the release's other files.
        let hash = entry.hashes.first();
        if entry.hashes.len() > 1 {
            return Err(several_hashes(&name_in_url(wheel)?, entry.hashes.len()));
        }
        let file = at_url(wheel, None, hash.map(String::as_str))?;
        let version = file.name.split('-').nth(1).context("its file is not named as a wheel")?;
        return Ok(Pin { files: vec![file.clone()], ..pin(Version::from_str(version)?) });
    }
    if let Some(key) = entry.foreign_key() {
        return Ok(Pin { obstacle: Some(Obstacle::no_file(format!("comes from `{key}`"))), ..pin(Version::new([0])) });
    }
    // pipenv copies what it did not resolve for its own host from the Pipfile: `"version": "*"`.
    let requirement = match entry.version.as_deref().context("it has no `version`")? {
        "*" => {
            let why = "is not pinned, because pipenv did not lock it for the platform it ran on";
            let cure = how_to_pin(source.beside("Pipfile").unwrap_or_default(), section, key);
            return Ok(Pin { obstacle: Some(Obstacle::other(why, cure)), ..pin(Version::new([0])) });
        }
        version => Requirement::from_str(&format!("{name}{version}"))?,
    };
    let (version, takes_local) = (requirement.pinned()?, requirement.takes_local());
    let hashes = sha256_digests(entry.hashes.iter().map(String::as_str))?;
    Ok(Pin { hashes, takes_local, ..pin(version) })
}

/// Why pipenv would call the lock stale: `_meta.hash` is not that of the Pipfile.
fn why_stale(text: &str, meta: &Meta) -> Option<String> {
    let Some(Value::Object(mut file)) = as_json(text) else {
        return Some("`Pipfile` cannot be read".to_owned());
    };
    let locked = meta.hash.get("sha256")?;
    let mut take = |key: &str| file.remove(key);
    // A Pipfile without sources has pipenv's default, and pipenv copies it to the lock. Where it was taken out
    // of there, the hash of it cannot be known, and nothing is said.
    let sources = take("source").unwrap_or_else(|| meta.sources.clone());
    if sources.as_array().is_none_or(Vec::is_empty) {
        return None;
    }
    let (requires, packages, dev) = (take("requires"), take("packages"), take("dev-packages"));
    for other in ["scripts", "pipfile", "pipenv", "default", "develop"] {
        take(other);
    }
    let empty = || json!({});
    let mut content = json!({
        "_meta": {"sources": sources, "requires": requires.unwrap_or_else(empty)},
        "default": packages.unwrap_or_else(empty),
        "develop": dev.unwrap_or_else(empty),
    });
    let mut hashes = vec![digest(&content, Spacing::Tight)];
    if let Some(content) = content.as_object_mut() {
        content.extend(file);
    }
    hashes.push(digest(&content, Spacing::Tight));
    // Newer releases of pipenv normalize names before they hash them.
    for (_, section) in content.as_object_mut().into_iter().flatten().filter(|(key, _)| *key != "_meta") {
        if let Value::Object(entries) = section {
            *entries =
                std::mem::take(entries).into_iter().map(|(name, entry)| (normal(&name), entry)).collect::<Map<_, _>>();
        }
    }
    hashes.push(digest(&content, Spacing::Tight));
    (!hashes.contains(locked)).then(|| "`Pipfile` changed since it was locked: run `pipenv lock`".to_owned())
}

fn normal(name: &str) -> String {
    PackageName::from_str(name).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::parse_text;
    use crate::reading::{DIGEST, kept, read, said};
    use sha2::{Digest as _, Sha256};
    use wheelhaul_base::hex::hex;

    fn parse(text: &str) -> anyhow::Result<Vec<Pin>> {
        let pins = parse_text("Pipfile.lock", text)?.pins;
        assert!(pins.iter().all(|pin| pin.left_out.is_none() || pin.name.as_ref() == "pytest"));
        Ok(pins.into_iter().filter(|pin| pin.left_out.is_none()).collect())
    }

    fn lock(default: &str) -> String {
        format!(
            r#"{{"_meta": {{"pipfile-spec": 6, "sources": []}}, "default": {{{default}}}, "develop": {{"pytest": {{"git": "x"}}}}}}"#
        )
    }

    #[test]
    fn default_entries_become_pins_and_develop_ones_do_not() {
        let text = lock(&format!(
            r#""Flask": {{"version": "==3.0.3", "hashes": ["sha256:{DIGEST}"], "index": "mirror", "markers": "python_version >= '3.8'"}}"#
        ));
        let pins = parse(&text).unwrap();
        assert_eq!(pins.len(), 1);
        assert_eq!((pins[0].name.as_ref(), pins[0].version.to_string().as_str()), ("flask", "3.0.3"));
        assert_eq!(pins[0].hashes.first().unwrap(), DIGEST);
        assert_eq!(pins[0].marker.as_deref(), Some("python_version >= '3.8'"));
    }

    #[test]
    fn every_entry_that_cannot_be_packed_is_named_at_once() {
        let text = lock(r#""a": {}, "b": {"version": ">=1"}, "c": {"version": "==1", "hashes": ["md5:00"]}"#);
        let error = parse(&text).unwrap_err().to_string();
        for part in [
            "3 entries",
            "default.a",
            "no `version`",
            "default.b",
            "not pinned",
            "default.c",
            "none of its hashes is sha256",
        ] {
            assert!(error.contains(part), "`{part}` is missing in {error}");
        }
    }

    #[test]
    fn categories_are_packed_when_they_are_asked_for() {
        let text = r#"{"_meta": {"pipfile-spec": 6}, "default": {"a": {"version": "==1"}, "w": {"version": "*", "markers": "os_name == 'nt'"}},
            "develop": {"b": {"version": "==1"}, "a": {"version": "==2"}}, "cache": {"c": {"version": "*"}}, "docs": {"d": {"git": "x"}}}"#;
        #[rustfmt::skip]
        let cases = [ // wanted       what the box gets
            ("",              "a-1"),
            ("develop",       "a-2 b-1"),
            ("dev-packages",  "a-2 b-1"),
            ("cache",         "`c` (cache.c) is not pinned, because pipenv did not lock it for the platform it ran on"),
            ("docs",          "`d` (docs.d) comes from `git`, and only wheels and sdists with a sha256 can be packed | publish it"),
        ];
        for (wanted, gets) in cases {
            let said = kept(&read(&[("Pipfile.lock", text)], wanted).unwrap(), "3.11");
            assert!(said.starts_with(gets), "{wanted}: {said}");
        }
        let error = said(&read(&[("Pipfile.lock", text)], "chace +x").unwrap_err());
        for part in
            ["no group `chace`", "did you mean `cache`? known groups: cache, dev-packages, docs", "no extra `x`"]
        {
            assert!(error.contains(part), "`{part}` is missing in {error}");
        }
    }

    #[test]
    fn the_application_is_passed_over() {
        for entry in [
            r#""shop": {"path": ".", "editable": true}"#,
            r#""e1839a8": {"path": "./", "editable": true, "extras": ["web"]}"#,
            r#""shop": {"file": "file:.", "editable": true}"#,
            r#""shop": {"path": "..", "subdirectory": "app"}"#,
        ] {
            let text = lock(&format!(r#"{entry}, "a": {{"version": "==1,>=0.9"}}"#));
            assert_eq!(kept(&read(&[("Pipfile.lock", &text)], "").unwrap(), "3.11"), "a-1", "{entry}");
        }
        let other = lock(r#""other": {"path": "./other", "editable": true}"#);
        assert!(kept(&read(&[("Pipfile.lock", &other)], "").unwrap(), "3.11").contains("comes from `path`"));
    }

    #[test]
    fn what_is_not_pinned_has_a_hint_that_says_what_to_write() {
        let pipfile = "[packages]\nWin_Only = {version = \"*\", sys_platform = \"== 'win32'\", extras = [\"x\"]}\n\"z.p\" = {version = \"*\", \
            markers = \"os_name == 'nt'\", platform_machine = \"== 'arm64'\"}\nplain = \"*\"\n";
        #[rustfmt::skip]
        let cases = [ // entry    what to write
            ("win-only",  "in `[packages]` of the `Pipfile` write `Win_Only = { extras = [\"x\"], markers = \"sys_platform == 'win32'\", version = \"*\" }`, and run `pipenv lock`"),
            ("z.p",       "write `\"z.p\" = { markers = \"(os_name == 'nt') and platform_machine == 'arm64'\", version = \"*\" }`"),
            ("plain",     "where only others do, give `plain` their `markers` in `[packages]`"),
            ("gone",      "where only others do, give `gone` their `markers` in `[packages]`"),
        ];
        for (name, hint) in cases {
            let text = lock(&format!(r#""{name}": {{"version": "*"}}"#));
            let said = kept(&read(&[("Pipfile.lock", &text), ("Pipfile", pipfile)], "").unwrap(), "3.11");
            assert!(
                said.contains("pipenv did not lock it for the platform it ran on | ") && said.contains(hint),
                "{said}"
            );
        }
    }

    #[test]
    fn a_wheel_by_url_is_placed() {
        let entry = |hash: &str| {
            format!(r#""x": {{"file": "https://code.example/x-1.5-py3-none-any.whl", "hashes": ["{hash}"]}}"#)
        };
        let pins = parse(&lock(&entry(&format!("sha256:{DIGEST}")))).unwrap();
        assert_eq!((pins[0].version.to_string().as_str(), pins[0].files[0].sha256.as_str()), ("1.5", DIGEST));
        assert!(parse(&lock(&entry("md5:00"))).is_err());
        let error = said(&parse(&lock(&entry("md5:00\", \"sha256:00"))).unwrap_err());
        assert!(error.contains("`x-1.5-py3-none-any.whl` has 2 hashes, and which one is its own"), "{error}");
    }

    #[test]
    fn a_lock_is_stale_when_its_hash_is_not_that_of_the_pipfile() {
        let pipfile = "[[source]]\nname = \"m\"\n[packages]\nFoo_Bar = \"*\"\n[scripts]\nx = \"y\"\n";
        let sources = r#"{"_meta":{"requires":{},"sources":[{"name":"m"}]},"default":{"foo-bar":"*"},"develop":{}}"#;
        let hash = hex(&Sha256::digest(sources));
        let text = format!(
            r#"{{"_meta": {{"pipfile-spec": 6, "hash": {{"sha256": "{hash}"}}, "sources": [{{"name": "m"}}]}}, "default": {{}}}}"#
        );
        let stale = |pipfile: &str| read(&[("Pipfile.lock", &text), ("Pipfile", pipfile)], "").unwrap().stale;
        assert_eq!(stale(pipfile), None);
        assert_eq!(stale(&pipfile.replace("[[source]]\nname = \"m\"\n", "")), None, "the default is in the lock");
        let stripped = text.replace("[{\"name\": \"m\"}]", "[]");
        let without = pipfile.replace("[[source]]\nname = \"m\"\n", "");
        assert_eq!(read(&[("Pipfile.lock", &stripped), ("Pipfile", &without)], "").unwrap().stale, None);
        assert!(stale(&pipfile.replace("\"*\"", "\">=1\"")).unwrap().contains("run `pipenv lock`"));
        assert!(stale("[").is_some());
        assert_eq!(read(&[("Pipfile.lock", &text)], "").unwrap().stale, None);
    }

    #[test]
    fn another_specification_or_no_json_is_refused() {
        assert!(parse(r#"{"_meta": {"pipfile-spec": 7}, "default": {}}"#).unwrap_err().to_string().contains("is 7"));
        assert!(parse("<<<<<<< HEAD").unwrap_err().to_string().contains("line 1 column 1"));
    }
}
