//! `Pipfile.lock`, pipfile-spec version 6: the `default` section; `develop` stays out.

use crate::pins::{Pin, Pins, Requirement, Source, sha256_digests};
use crate::problem::{Problem, all_of};
use anyhow::{Context as _, ensure};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "_meta")]
    meta: Meta,
    default: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "pipfile-spec")]
    specification: u32,
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

pub(super) fn parse(source: &Source<'_>) -> anyhow::Result<Pins> {
    let lock: Lock = serde_json::from_str(source.text())
        .map_err(|error| Problem::with_hint(error.to_string(), "make it anew with `pipenv lock`"))?;
    if lock.meta.specification != 6 {
        return Err(Problem::with_hint(
            format!("its `_meta.pipfile-spec` is {}, and 6 is the one known", lock.meta.specification),
            "make it anew with a current `pipenv lock`",
        ));
    }
    let mut pins = Vec::new();
    let mut faults = Vec::new();
    for (name, entry) in &lock.default {
        match pin(name, entry) {
            Ok(pin) => pins.push(pin),
            Err(fault) => faults.push(fault.context(format!("entry `default.{name}`"))),
        }
    }
    all_of("entries cannot be packed", faults)?;
    Ok(Pins { pins, ..Pins::default() })
}

fn pin(name: &str, entry: &Entry) -> anyhow::Result<Pin> {
    if let Some(key) = entry.foreign_key() {
        return Err(Problem::with_hint(
            format!("it comes from `{key}`, and only packages of an index can be packed"),
            "publish it to your index as a wheel and lock that version",
        ));
    }
    let version = entry.version.as_deref().context("it has no `version`")?;
    ensure!(name.starts_with(|c: char| c.is_ascii_alphanumeric()), "its key is not the name of a package");
    let place = format!("default.{name}");
    let name = PackageName::from_str(name)?;
    let requirement = Requirement::from_str(&format!("{name}{version}"))?;
    let extras = entry.extras.iter().map(|extra| ExtraName::from_str(extra)).collect::<Result<_, _>>()?;
    Ok(Pin {
        extras,
        marker: entry.markers.clone().filter(|marker| !marker.trim().is_empty()),
        hashes: sha256_digests(entry.hashes.iter().map(String::as_str))?,
        ..Pin::new(name, requirement.pinned()?, place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{Format, parse_text};

    fn parse(text: &str) -> anyhow::Result<Vec<Pin>> {
        Ok(parse_text(Format::PipfileLock, text)?.pins)
    }

    const DIGEST: &str = "aa00000000000000000000000000000000000000000000000000000000000000";

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
        let text = lock(
            r#""a": {"git": "https://code.example/a"}, "b": {"version": ">=1"}, "c": {"version": "==1", "hashes": ["md5:00"]}"#,
        );
        let error = parse(&text).unwrap_err().to_string();
        for part in
            ["3 entries", "default.a", "`git`", "default.b", "not pinned", "default.c", "none of its hashes is sha256"]
        {
            assert!(error.contains(part), "`{part}` is missing in {error}");
        }
    }

    #[test]
    fn another_specification_or_no_json_is_refused() {
        assert!(parse(r#"{"_meta": {"pipfile-spec": 7}, "default": {}}"#).unwrap_err().to_string().contains("is 7"));
        assert!(parse("<<<<<<< HEAD").unwrap_err().to_string().contains("line 1 column 1"));
    }
}
