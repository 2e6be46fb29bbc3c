//! The project file beside a `poetry.lock`: what it wants, and whether the lock still answers it.

use crate::formats::poetry::dependency::{Dependency, DependencyValue};
use crate::pin::Need;
use crate::project_file::{Dependencies, as_json};
use crate::python_json::{Spacing, digest};
use crate::selection::Selection;
use anyhow::Context as _;
use pep508_rs::ExtraName;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use wheelhaul_base::toml_text;

/// What the project wants, in Poetry's tables and in the standard's.
pub(crate) struct Project {
    plain: BTreeMap<String, DependencyValue>,
    groups: BTreeMap<ExtraName, BTreeMap<String, DependencyValue>>,
    /// package names by extra
    extras: BTreeMap<ExtraName, Vec<String>>,
    standard: Dependencies,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    tool: Tool,
}

#[derive(Deserialize, Default)]
struct Tool {
    #[serde(default)]
    poetry: Poetry,
}

#[derive(Deserialize, Default)]
struct Poetry {
    #[serde(default)]
    dependencies: BTreeMap<String, DependencyValue>,
    #[serde(default, rename = "dev-dependencies")]
    dev: BTreeMap<String, DependencyValue>,
    #[serde(default)]
    group: BTreeMap<String, Group>,
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    dependencies: BTreeMap<String, DependencyValue>,
}

impl Project {
    /// Reads the text of a `pyproject.toml`.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml_text::read(text, "correct `pyproject.toml`")?;
        let poetry = file.tool.poetry;
        let mut groups: BTreeMap<ExtraName, BTreeMap<String, DependencyValue>> = BTreeMap::new();
        let dev = (!poetry.dev.is_empty()).then_some(("dev".to_owned(), poetry.dev));
        let named = poetry.group.into_iter().map(|(name, group)| (name, group.dependencies));
        for (name, wishes) in named.chain(dev) {
            groups.entry(ExtraName::from_str(&name)?).or_default().extend(wishes);
        }
        let extras = poetry.extras.into_iter().map(|(name, packages)| Ok((ExtraName::from_str(&name)?, packages)));
        let extras = extras.collect::<anyhow::Result<_>>()?;
        Ok(Self { plain: poetry.dependencies, groups, extras, standard: Dependencies::parse(text)? })
    }

    /// The groups that it has, without `main`.
    pub(crate) fn groups(&self) -> Vec<ExtraName> {
        self.groups.keys().chain(self.standard.groups.keys()).cloned().collect()
    }

    /// What the chosen extras and groups want, as the roots of a graph.
    pub(crate) fn roots(&self, selection: &Selection) -> anyhow::Result<Vec<Need>> {
        let mut roots = self.standard.roots(&selection.extras, &selection.groups);
        let of_extras = selection.extras.iter().filter_map(|extra| self.extras.get(extra)).flatten();
        let chosen: Vec<&String> = of_extras.collect();
        // Poetry takes `Foo_Bar` in a list for `foo-bar` in the table.
        let is_chosen = |name: &str| chosen.iter().any(|other| same_name(other, name));
        let wanted = self.plain.iter().filter(|(name, _)| *name != "python");
        for (name, wish) in wanted.flat_map(|(name, wishes)| wishes.each().into_iter().map(move |wish| (name, wish))) {
            if !wish.optional || is_chosen(name) {
                roots.push(need(&wish, name)?);
            }
        }
        let groups = selection.groups.iter().filter_map(|group| self.groups.get(group)).flatten();
        for (name, wish) in groups.flat_map(|(name, wishes)| wishes.each().into_iter().map(move |wish| (name, wish))) {
            roots.push(need(&wish, name)?);
        }
        Ok(roots)
    }
}

fn need(dependency: &Dependency, name: &str) -> anyhow::Result<Need> {
    dependency.need(name).with_context(|| format!("`{name}` in `pyproject.toml`"))
}

fn same_name(one: &str, other: &str) -> bool {
    let plain = |c: char| if c == '_' || c == '.' { '-' } else { c.to_ascii_lowercase() };
    one.chars().map(plain).eq(other.chars().map(plain))
}

/// Why Poetry would call the lock stale: `metadata.content-hash` is not that of the project file.
///
/// Each generation of Poetry hashes other keys. The lock's first line tells which one wrote it, from 1.3 on.
pub(super) fn why_stale(project: &str, lock: &str, hash: &str) -> Option<String> {
    let Some(file) = as_json(project) else {
        return Some("`pyproject.toml` cannot be read".to_owned());
    };
    let by = written_by(lock);
    let mut contents = Vec::new();
    if by.is_none_or(|version| version < (2, 0)) {
        contents.extend([first_generation(&file, false), first_generation(&file, true)]);
    }
    if by.is_none_or(|version| version < (2, 3)) {
        contents.push(second_generation(&file, false));
    }
    if by.is_none_or(|version| version >= (2, 0)) {
        contents.push(second_generation(&file, true));
    }
    let fresh = contents.iter().any(|content| digest(content, Spacing::Wide) == hash);
    (!fresh).then(|| "`pyproject.toml` changed since it was locked: run `poetry lock`".to_owned())
}

/// `# This file is automatically @generated by Poetry 2.1.3 and …`
fn written_by(lock: &str) -> Option<(u32, u32)> {
    let first = lock.lines().next().filter(|line| line.starts_with('#'))?;
    let mut parts = first.split_once("Poetry ")?.1.split(['.', ' ']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

const FIRST_KEYS: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// Up to 1.8: four keys, `null` where they are not there, and from 1.2 on `group` where it is.
fn first_generation(file: &Value, with_group: bool) -> Value {
    let poetry = &file["tool"]["poetry"];
    let mut content: Map<String, Value> =
        FIRST_KEYS.iter().map(|key| ((*key).to_owned(), poetry[*key].clone())).collect();
    if with_group && !poetry["group"].is_null() {
        content.insert("group".to_owned(), poetry["group"].clone());
    }
    Value::Object(content)
}

/// From 2.0 on: the standard's keys as well, and from 2.3 on its groups.
fn second_generation(file: &Value, with_groups: bool) -> Value {
    let given = |table: &Value, keys: &[&str]| -> Map<String, Value> {
        let given = keys.iter().filter(|key| !table[**key].is_null());
        given.map(|key| ((*key).to_owned(), table[*key].clone())).collect()
    };
    let project = given(&file["project"], &["requires-python", "dependencies", "optional-dependencies"]);
    let groups = Some(&file["dependency-groups"])
        .filter(|groups| with_groups && groups.is_object() && **groups != Value::Object(Map::new()));
    if project.is_empty() && groups.is_none() {
        return first_generation(file, true);
    }
    let keys: Vec<&str> = FIRST_KEYS.into_iter().chain(["group"]).collect();
    let mut content = Map::new();
    if !project.is_empty() {
        content.insert("project".to_owned(), Value::Object(project));
    }
    if let Some(groups) = groups {
        content.insert("dependency-groups".to_owned(), groups.clone());
    }
    let poetry = Value::Object(given(&file["tool"]["poetry"], &keys));
    content.insert("tool".to_owned(), Value::Object(Map::from_iter([("poetry".to_owned(), poetry)])));
    Value::Object(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each text is hashed as the generations of Poetry do; the keys of one are not those of another.
    #[test]
    fn a_lock_is_held_against_the_keys_of_the_poetry_that_wrote_it() {
        let old = "[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\na = '1'\n";
        let grouped = format!("{old}[tool.poetry.group.g.dependencies]\nb = '1'\n");
        let standard = "[project]\ndependencies = ['a']\n";
        let with_groups = format!("{standard}[dependency-groups]\ng = ['b']\n");
        let plain = r#""dependencies": {"a": "1"}, "dev-dependencies": null, "extras": null"#;
        let of_old = format!("{{{plain}, \"source\": null}}");
        let of_grouped =
            format!("{{{plain}, \"group\": {{\"g\": {{\"dependencies\": {{\"b\": \"1\"}}}}}}, \"source\": null}}");
        let of_standard = r#"{"project": {"dependencies": ["a"]}, "tool": {"poetry": {}}}"#;
        let of_groups =
            r#"{"dependency-groups": {"g": ["b"]}, "project": {"dependencies": ["a"]}, "tool": {"poetry": {}}}"#;
        #[rustfmt::skip]
        let cases = [ // project             first line        hashed                fresh
            (old,                 "",               of_old.as_str(),      true),
            (old,                 "# Poetry 1.8.5", &of_old,              true),
            (old,                 "# Poetry 2.5.1", &of_old,              true),
            (grouped.as_str(),    "# Poetry 1.8.5", &of_grouped,          true),
            (&grouped,            "",               &of_old,              true),
            (&grouped,            "# Poetry 2.5.1", &of_old,              false),
            (standard,            "# Poetry 2.0.0", of_standard,          true),
            (&with_groups,        "# Poetry 2.5.1", of_groups,            true),
            (&with_groups,        "# Poetry 2.2.0", of_standard,          true),
            (&with_groups,        "# Poetry 2.5.1", of_standard,          false),
            ("[",                 "",               "",                   false),
        ];
        for (project, first, hashed, fresh) in cases {
            use sha2::Digest as _;
            let hash = wheelhaul_base::hex::hex(&sha2::Sha256::digest(hashed));
            assert_eq!(why_stale(project, first, &hash).is_none(), fresh, "{project}{first}");
        }
    }
}
