//! What each real tool makes of its own lock, and this tool's reading of the same lock.

use crate::checkout::command::run;
use crate::checkout::repository;
use crate::packaging::{environment_of, test_python};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::{Application, Filtered, LockSource, LockTexts, Pins, Selection, filter, parse};

/// A lock that a tool made, with what the tool says of it.
#[derive(Deserialize)]
pub struct Case {
    pub tool: String,
    pub lock: Utf8PathBuf,
    pub app: Utf8PathBuf,
    files: BTreeMap<Utf8PathBuf, String>,
    /// the project file with another requirement
    edited: Option<BTreeMap<Utf8PathBuf, String>>,
    pub selections: Vec<Said>,
}

/// What a tool says of its lock under a selection.
#[derive(Deserialize)]
pub struct Said {
    pub extras: Vec<String>,
    pub groups: Vec<String>,
    /// a requirements file with markers
    pub export: Option<String>,
    /// what it installs itself, by full version of Python on x86_64: `NAME==VERSION`
    pub installed: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Answers {
    cases: Vec<Case>,
}

/// Version and digests by name.
pub type Packages = BTreeMap<String, (String, BTreeSet<String>)>;

impl Case {
    pub fn texts(&self) -> LockTexts {
        self.files.iter().map(|(path, text)| (path.clone(), Some(text.clone()))).collect()
    }

    pub fn edited_texts(&self) -> Option<LockTexts> {
        let mut texts = self.texts();
        texts.extend(self.edited.as_ref()?.iter().map(|(path, text)| (path.clone(), Some(text.clone()))));
        Some(texts)
    }

    pub fn pins(&self, texts: &LockTexts, said: &Said) -> anyhow::Result<Pins> {
        let names = |names: &[String]| names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
        let selection = Selection { extras: names(&said.extras)?, groups: names(&said.groups)? };
        let source = LockSource {
            lock: &self.lock,
            app: Application::in_folder(&self.app),
            texts,
            selection: &selection,
            variable: &|_| None,
        };
        parse(&source).with_context(|| format!("the lock of {}", self.tool))
    }
}

/// What a box gets, as this tool says.
pub fn packages(pins: &Pins, target: &Target) -> anyhow::Result<Packages> {
    let filtered: Filtered<'_> = filter(pins, target)?;
    let entry = |kept: &wheelhaul_lockfiles::KeptPin<'_>| {
        (kept.pin.name.to_string(), (kept.pin.version.to_string(), kept.pin.hashes.clone()))
    };
    Ok(filtered.kept.iter().map(entry).collect())
}

fn script(name: &str) -> Utf8PathBuf {
    repository().join("tests/python").join(name)
}

/// Locks the projects with the real tools, or takes what they said before.
///
/// - Takes: `targets`, for whose Pythons some tools say what they install.
pub fn cases(targets: &[Target]) -> anyhow::Result<Vec<Case>> {
    // Its pip knows the index; the host's Python may have none.
    let python = test_python()?;
    let uv = python.with_file_name("uv");
    let mut command = Command::new(python);
    command.arg("-B").arg(script("lockers.py")).arg(uv).arg(repository().join("target/xtask/lockers"));
    let pythons: BTreeSet<String> = targets.iter().map(|target| target.python_full.to_string()).collect();
    command.args(pythons);
    let path = run(&mut command)?.text()?;
    let answers: Answers = serde_json::from_str(&fs::read_to_string(path)?)?;
    Ok(answers.cases)
}

/// What boxes install from requirements files, as `packaging` judges their markers; one answer a pair.
pub fn judge(targets: &[Target], pairs: &[(&str, usize)]) -> anyhow::Result<Vec<Result<Packages, String>>> {
    let environments: Vec<Value> = targets.iter().map(environment_of).collect();
    let folder = tempfile::Builder::new().prefix("judge-").tempdir()?;
    let question = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?.join("question");
    fs::write(&question, json!({"environments": environments, "pairs": pairs}).to_string())?;
    let said = run(Command::new(test_python()?).arg("-B").arg(script("requirements_say.py")).arg(question))?.text()?;
    let answers: Vec<Value> = serde_json::from_str(&said)?;
    answers.into_iter().map(read).collect()
}

fn read(answer: Value) -> anyhow::Result<Result<Packages, String>> {
    if let Value::String(fault) = answer {
        return Ok(Err(fault));
    }
    let packages: BTreeMap<String, (String, Vec<String>, BTreeSet<String>)> = serde_json::from_value(answer)?;
    Ok(Ok(packages.into_iter().map(|(name, (version, _, hashes))| (name, (version, hashes))).collect()))
}
