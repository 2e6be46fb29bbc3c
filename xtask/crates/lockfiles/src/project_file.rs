//! `pyproject.toml` as a lock's roots: `[project]` (PEP 621) and `[dependency-groups]` (PEP 735).

use crate::pin::{Need, Versions};
use anyhow::{Context as _, bail};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_base::toml_text;
use wheelhaul_boxes::Requirement;

/// The requirements of a project.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dependencies {
    /// of the project itself
    pub plain: Vec<Requirement>,
    /// by extra, with what each asks of others
    pub extras: BTreeMap<ExtraName, Vec<Requirement>>,
    /// by extra, as written
    pub written: BTreeMap<ExtraName, Vec<Requirement>>,
    /// by dependency group, with what each includes
    pub groups: BTreeMap<ExtraName, Vec<Requirement>>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    project: Project,
    #[serde(default, rename = "dependency-groups")]
    groups: BTreeMap<String, Vec<Entry>>,
    #[serde(default)]
    tool: Tool,
}

#[derive(Deserialize, Default)]
struct Project {
    name: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default, rename = "optional-dependencies")]
    optional: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Requirement(String),
    Include {
        #[serde(rename = "include-group")]
        group: String,
    },
}

#[derive(Deserialize, Default)]
struct Tool {
    #[serde(default)]
    uv: Uv,
    #[serde(default)]
    pdm: Pdm,
}

#[derive(Deserialize, Default)]
struct Uv {
    #[serde(default, rename = "dev-dependencies")]
    dev: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Pdm {
    #[serde(default, rename = "dev-dependencies")]
    dev: BTreeMap<String, Vec<String>>,
}

impl Dependencies {
    /// Reads the text of a `pyproject.toml`; the groups of old, which uv and PDM keep in their tables, too.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut file: File = toml_text::read(text, "correct `pyproject.toml`")?;
        let own = file.project.name.as_deref().and_then(|name| PackageName::from_str(name).ok());
        for (group, lines) in std::mem::take(&mut file.tool.pdm.dev) {
            // An editable requirement has no specifier: the lock has it as an entry that cannot be packed.
            let lines = lines.into_iter().filter(|line| !line.starts_with('-'));
            file.groups.entry(group).or_default().extend(lines.map(Entry::Requirement));
        }
        if !file.tool.uv.dev.is_empty() {
            let lines = std::mem::take(&mut file.tool.uv.dev).into_iter().map(Entry::Requirement);
            file.groups.entry("dev".to_owned()).or_default().extend(lines);
        }
        let mut written = BTreeMap::new();
        for (name, lines) in &file.project.optional {
            written.insert(ExtraName::from_str(name)?, requirements(lines)?);
        }
        let mut entries = BTreeMap::new();
        for (name, lines) in &file.groups {
            let name = ExtraName::from_str(name)?;
            if entries.insert(name.clone(), lines.as_slice()).is_some() {
                bail!("`pyproject.toml` has the dependency group `{name}` twice");
            }
        }
        let mut left = MOST_REQUIREMENTS;
        let (mut extras, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for name in written.keys() {
            extras.insert(name.clone(), of_extra(name, &written, own.as_ref(), &mut left)?);
        }
        for name in entries.keys() {
            groups.insert(name.clone(), of_group(name, &entries, &mut left)?);
        }
        Ok(Self { plain: requirements(&file.project.dependencies)?, extras, written, groups })
    }

    /// What the chosen extras and groups add to the plain requirements, as the roots of a graph.
    pub(crate) fn roots(&self, extras: &[ExtraName], groups: &[ExtraName]) -> Vec<Need> {
        let of = |names: &[ExtraName], table: &BTreeMap<ExtraName, Vec<Requirement>>| -> Vec<Need> {
            names.iter().filter_map(|name| table.get(name)).flatten().map(need).collect()
        };
        let mut roots: Vec<Need> = self.plain.iter().map(need).collect();
        roots.extend(of(extras, &self.extras));
        roots.extend(of(groups, &self.groups));
        roots
    }
}

fn requirements(lines: &[String]) -> anyhow::Result<Vec<Requirement>> {
    lines.iter().map(|line| Requirement::from_str(line).context("`pyproject.toml`")).collect()
}

/// More than any project has, so that groups which include each other stay small.
const MOST_REQUIREMENTS: usize = 100_000;

/// What an extra asks for, through references of the project to itself (`all = ["shop[a,b]"]`).
fn of_extra(
    name: &ExtraName,
    written: &BTreeMap<ExtraName, Vec<Requirement>>,
    own: Option<&PackageName>,
    left: &mut usize,
) -> anyhow::Result<Vec<Requirement>> {
    let (mut seen, mut waiting, mut found) = (BTreeSet::new(), vec![name], Vec::new());
    while let Some(extra) = waiting.pop() {
        spend(left)?;
        for requirement in written.get(extra).filter(|_| seen.insert(extra)).into_iter().flatten() {
            spend(left)?;
            if Some(&requirement.name) == own {
                waiting.extend(&requirement.extras);
            } else {
                found.push(requirement.clone());
            }
        }
    }
    Ok(found)
}

fn of_group(
    name: &ExtraName,
    entries: &BTreeMap<ExtraName, &[Entry]>,
    left: &mut usize,
) -> anyhow::Result<Vec<Requirement>> {
    let (mut seen, mut waiting, mut found) = (BTreeSet::new(), vec![name.clone()], Vec::new());
    while let Some(group) = waiting.pop() {
        let lines = entries.get(&group).with_context(|| format!("there is no dependency group `{group}`"))?;
        if !seen.insert(group) {
            continue;
        }
        for line in *lines {
            spend(left)?;
            match line {
                Entry::Requirement(line) => found.push(Requirement::from_str(line).context("`pyproject.toml`")?),
                Entry::Include { group } => waiting.push(ExtraName::from_str(group)?),
            }
        }
    }
    Ok(found)
}

fn spend(left: &mut usize) -> anyhow::Result<()> {
    *left = left.checked_sub(1).context("the groups and extras of `pyproject.toml` include each other too often")?;
    Ok(())
}

/// A requirement as the edge of a graph.
pub(crate) fn need(requirement: &Requirement) -> Need {
    let versions = match requirement.is_url {
        true => Versions::Any,
        false => Versions::OneOf(vec![requirement.versions.clone()]),
    };
    Need {
        name: requirement.name.clone(),
        extras: requirement.extras.clone(),
        versions,
        entry: None,
        marker: requirement.marker.clone(),
        of_extra: None,
    }
}

/// A project file as the tools that hash it see it; none for what is not TOML.
pub(crate) fn as_json(text: &str) -> Option<Value> {
    toml_text::read(text, "").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_and_groups_are_read_with_what_they_include() {
        let text = r#"
[project]
name = "Shop"
dependencies = ["flask>=2"]
[project.optional-dependencies]
a = ["redis ; python_version >= '3.8'"]
All_Of = ["shop[a,all-of]", "pg"]
[dependency-groups]
test = ["pytest"]
dev = [{include-group = "test"}, "ruff", {include-group = "dev"}]
[tool.pdm.dev-dependencies]
docs = ["markdown", "-e file:///x"]
[tool.uv]
dev-dependencies = ["black"]
"#;
        let read = Dependencies::parse(text).unwrap();
        let names = |needs: Vec<Need>| needs.iter().map(|need| need.name.to_string()).collect::<Vec<_>>().join(" ");
        let extra = |name: &str| ExtraName::from_str(name).unwrap();
        #[rustfmt::skip]
        let cases = [ // extras       groups        what is needed
            (vec![],           vec![],         "flask"),
            (vec!["a"],        vec!["docs"],   "flask redis markdown"),
            (vec!["all-of"],   vec![],         "flask pg redis"),
            (vec![],           vec!["dev"],    "flask ruff black pytest"),
        ];
        for (extras, groups, needed) in cases {
            let [extras, groups] = [extras, groups].map(|names| names.into_iter().map(extra).collect::<Vec<_>>());
            assert_eq!(names(read.roots(&extras, &groups)), needed);
        }
        assert_eq!(read.extras[&extra("a")][0].marker.as_deref(), Some("python_version >= '3.8'"));
    }

    #[test]
    fn faults_are_errors() {
        for text in [
            "[",
            "[project]\ndependencies = ['a b']",
            "[dependency-groups]\na = [{include-group = 'b'}]",
            "[dependency-groups]\nA = []\na = []",
        ] {
            assert!(Dependencies::parse(text).is_err(), "{text}");
        }
    }
}
