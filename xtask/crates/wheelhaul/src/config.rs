//! `dist/package.toml`: text → checked [`Config`]. What the wheel's metadata knows is not asked for.

mod boxes;
mod package;
mod service;

pub use boxes::{Probes, TargetTable};
pub use package::{LEVELS, Package};
pub use service::{Lines, Service, Tls};

use crate::boxes::Target;
use crate::licenses::Spdx;
use crate::problem::{Problem, nearest};
use crate::toml_text::check_depth;
use anyhow::Context as _;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// names and texts of the RPM
    pub package: Package,
    /// the application and its lock
    pub app: App,
    /// the boxes that are packed for, in the order of the file
    #[serde(rename = "target")]
    pub targets: Vec<TargetTable>,
    /// how the application is served
    pub service: Service,
    /// packages without a wheel
    #[serde(default)]
    pub sdist: Sdist,
    /// the key that RPMs are signed with, if any
    pub sign: Option<Sign>,
    /// licences of packages whose metadata does not tell them
    #[serde(default)]
    pub licenses: BTreeMap<PackageName, Spdx>,
}

/// `[app]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// the folder of its `pyproject.toml`, relative to the repository; `.` for the repository itself
    pub path: Utf8PathBuf,
    /// the team's lock, relative to the repository
    pub lock: Utf8PathBuf,
    /// files that an administrator may change, relative to `path`; kept on upgrade
    #[serde(default)]
    pub config: Vec<Utf8PathBuf>,
    /// extras of the application that go on the box
    #[serde(default)]
    pub extras: Vec<ExtraName>,
    /// dependency groups that go on the box beside the plain dependencies; those for development stay out
    #[serde(default)]
    pub groups: Vec<ExtraName>,
}

/// `[sdist]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sdist {
    /// the packages that may be built from their source distribution where no wheel fits
    #[serde(default)]
    pub build: Build,
    /// libraries that the boxes have and what is built may ask for, `libyaml-0.so.2`; the RPM then requires them
    #[serde(default)]
    pub system_libraries: BTreeSet<String>,
}

/// `[sign]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// as gpg takes it: a fingerprint, an id, an e-mail address
    pub key: String,
}

/// `sdist.build`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BuildValue")]
pub enum Build {
    /// `[]`
    #[default]
    None,
    /// `["pyyaml"]`
    Only(BTreeSet<PackageName>),
    /// `"all"`
    All,
}

impl Build {
    /// Whether a package may be built.
    pub fn allows(&self, name: &PackageName) -> bool {
        match self {
            Self::None => false,
            Self::Only(names) => names.contains(name),
            Self::All => true,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"all\" or a list of names, such as [\"pyyaml\"]")]
enum BuildValue {
    Word(String),
    Names(Vec<String>),
}

impl TryFrom<BuildValue> for Build {
    type Error = String;

    fn try_from(value: BuildValue) -> Result<Self, String> {
        match value {
            BuildValue::Word(word) if word == "all" => Ok(Self::All),
            BuildValue::Word(word) => Err(format!("`{word}` is neither \"all\" nor a list of names")),
            BuildValue::Names(names) if names.is_empty() => Ok(Self::None),
            BuildValue::Names(names) => names
                .iter()
                .map(|name| PackageName::from_str(name).map_err(|error| error.to_string()))
                .collect::<Result<_, _>>()
                .map(Self::Only),
        }
    }
}

impl Config {
    /// Reads and checks `package.toml`.
    ///
    /// - Fails: for a syntax error with line and column; an unknown key with the nearest known one; a
    ///   wrong type with the whole key; a value that no box would take.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        check_depth(text)?;
        let reader = toml::Deserializer::parse(text).map_err(|error| problem_of(&error, ""))?;
        let config: Self = serde_path_to_error::deserialize(reader)
            .map_err(|error| problem_of(error.inner(), &error.path().to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.package.check()?;
        check_sonames("sdist.system-libraries", &self.sdist.system_libraries)?;
        if self.app.path != "." {
            check_inside(&self.app.path).context("key `app.path`")?;
        }
        check_inside(&self.app.lock).context("key `app.lock`")?;
        for path in &self.app.config {
            check_inside(path).context("key `app.config`")?;
        }
        self.service.check()?;
        if self.sign.as_ref().is_some_and(|sign| sign.key.trim().is_empty() || sign.key.chars().any(char::is_control)) {
            return Err(Problem::with_hint(
                "key `sign.key` is empty or has line breaks",
                "name a key as gpg takes it: a fingerprint, an id or an e-mail address; `gpg --list-secret-keys` shows them",
            ));
        }
        boxes::check(&self.targets)
    }

    /// The probe files that the targets are made from, relative to the repository.
    pub fn probes(&self) -> Vec<&Utf8Path> {
        boxes::probes(&self.targets)
    }

    /// The targets, in the order of the file.
    ///
    /// - Takes: `probes`, the texts of all of [`Self::probes`].
    pub fn targets(&self, probes: &Probes) -> anyhow::Result<Vec<Target>> {
        boxes::targets(&self.targets, probes)
    }
}

/// Turns toml's error into a problem with the whole key, the place and, for an unknown key, the nearest.
fn problem_of(error: &toml::de::Error, path: &str) -> anyhow::Error {
    let message = error.message();
    let hint = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'))
        .map(|(unknown, expected)| {
            let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            match nearest(unknown, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? known here: {}", known.join(", ")),
                None => format!("known here: {}", known.join(", ")),
            }
        })
        .unwrap_or_default();
    let whole = error.to_string().replace("expected u16", "expected a number from 1 to 65535, without quotes");
    let shown = whole.trim_end();
    match path {
        "" | "." => Problem::with_hint(shown, hint),
        key => Problem::with_hint(format!("key `{key}`: {shown}"), hint),
    }
}

/// Whether a text can be a library's name (`DT_SONAME`), and stand in a `Requires`.
pub fn is_soname(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    text.contains(".so") && text.chars().all(known)
}

/// Refuses what no file can ask for.
fn check_sonames(key: &str, libraries: &BTreeSet<String>) -> anyhow::Result<()> {
    match libraries.iter().find(|library| !is_soname(library)) {
        None => Ok(()),
        Some(odd) => Err(Problem::with_hint(
            format!("key `{key}`: `{}` is not the name of a library", odd.escape_debug()),
            "write it as the wheel asks for it, such as \"libyaml-0.so.2\"",
        )),
    }
}

fn check_inside(path: &Utf8Path) -> anyhow::Result<()> {
    let inside = path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
    let plain = path.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/") == path.as_str();
    if inside && plain && !path.as_str().is_empty() && !path.as_str().contains('\\') {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`{path}` does not lie below its folder"),
        "give a relative path with single `/`, without `.` and `..`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::hints_of;

    const GOOD: &str = "[package]\nname = \"quality_report\"\nrelease = \"1\"\n[app]\npath = \"python-app\"\nlock = \"python-app/Pipfile.lock\"\n\
        [[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n[service]\ncommand = [\"gunicorn\", \"src.app:app\"]\nport = 9091\ntls = \"self-signed\"\n";

    #[test]
    fn a_good_file_is_read() {
        let config = Config::parse(GOOD).unwrap();
        assert_eq!(config.service.tls, Tls::SelfSigned);
        assert_eq!(config.targets(&Probes::new()).unwrap()[0].python(), "3.11");
        let given = GOOD.replace("\"self-signed\"", "{ cert = \"/etc/pki/a.crt\", key = \"/etc/pki/a.key\" }");
        assert!(matches!(Config::parse(&given).unwrap().service.tls, Tls::Given { .. }));
    }

    #[test]
    fn faults_name_the_whole_key_the_place_and_the_cure() {
        #[rustfmt::skip]
        let cases = [ // replaced               by                            in the error                         in the hint
            ("release = \"1\"",         "relase = \"1\"",             "unknown field `relase`",            "did you mean `release`?"),
            ("port = 9091",             "port = \"x\"",               "key `service.port`",                ""),
            ("port = 9091",             "port = 70000",               "line 12, column 8",                 ""),
            ("[package]",               "[package",                   "line 1",                            ""),
            ("\"quality_report\"",      "\"Quality Report\"",         "cannot name an RPM, a unit and a user", "lower-case"),
            ("\"python-app\"",          "\"../other\"",               "does not lie below",                "without `.` and `..`"),
            ("el9-x86_64",              "el9-x86-64",                 "unknown target `el9-x86-64`",       "did you mean `el9-x86_64`?"),
            ("\"3.11\"",                "\"3.13\"",                   "has no Python 3.13",                "it has 3.9, 3.11"),
            ("\"self-signed\"",         "\"selfsigned\"",             "`selfsigned` is not one of",        ""),
            ("\"self-signed\"",         "{ cert = \"a\", key = \"b\" }", "absolute paths",                 ""),
            ("release = \"1\"",         "release = \"1.el9\"",        "`1.el9` names a distribution",      "leave `.el9` out"),
            ("\"gunicorn\", ",          "\"gunicorn -w 4\", ",        "is more than one word",             "each word by itself"),
            ("release = \"1\"",         "release = \"1-2\"",          "`1-2` is not a release",            "for example"),
            ("release = \"1\"",         "release = \"1\"\nprefix = \"opt\"",  "key `package.prefix`: `opt` is no place", "an absolute path"),
            ("release = \"1\"",         "release = \"1\"\nprefix = \"/etc\"", "key `package.prefix`: `/etc` is no place", "/opt"),
            ("port = 9091",             "",                           "missing field `port`",              ""),
            ("[service]",               "[sign]\nkey = \"\"\n[service]", "key `sign.key` is empty",          "--list-secret-keys"),
            ("[service]",               "[sign]\nkeys = \"a\"\n[service]", "unknown field `keys`",           "did you mean `key`?"),
            ("[app]",                   "optional-libraries = [\"libcuda\"]\n[app]", "key `package.optional-libraries`: `libcuda`", "libyaml"),
            ("[app]",                   "compression-level = 20\n[app]", "key `package.compression-level` is 20", "from 1 to 19"),
            ("[app]",                   "license = \"BSD\"\n[app]",    "`BSD` is no SPDX expression",       ""),
            ("[app]",                   "[licenses]\na = \"free\"\n[app]", "key `licenses.a`: ",            ""),
            ("[app]",                   "[licenses]\n\"a b\" = \"MIT\"\n[app]", "a b",                   ""),
            ("port = 9091",             "port = 1\nsecrets = [\"a/b\"]", "`a/b` cannot name a secret",      "the secret itself stays out"),
            ("port = 9091",             "port = 1\nenvironment = { 1A = \"\" }", "`1A` is no name of a variable", "letters"),
            ("port = 9091",             "port = 1\nenvironment = { A = \"b\\nc\" }", "`A` has a control character", ""),
            ("port = 9091",             "port = 1\nenvironment = { PYTHONPATH = \"/x\" }", "would have no effect", "leave it out"),
            ("port = 9091",             "port = 1\nenvironment = { LISTEN_FDS = \"1\" }", "is set by systemd", "leave it out"),
            ("port = 9091",             "port = 1\nunit = { Nice = [] }", "`service.unit.Nice` is an empty list", "resets"),
            ("port = 9091",             "port = 1\nunit = { Nice = \"1\\nUser=root\" }", "has a line break",  "a list"),
            ("port = 9091",             "port = 1\nunit = { Nice = \"1\\\\\" }", "at its end",               "a list"),
            ("port = 9091",             "port = 1\nunit = { Nice = 5 }", "expected a text, or a list of texts", ""),
        ];
        for (from, to, says, cure) in cases {
            let error = Config::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
            let text = format!("{error:#}");
            assert!(text.contains(says), "{to}: {text}");
            assert!(hints_of(&error).join("\n").contains(cure), "{to}: {:?}", hints_of(&error));
        }
    }
}
