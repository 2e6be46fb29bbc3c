//! A `Pipfile` as pip's requirements, which uv can resolve where pipenv is not installed.

use anyhow::Context as _;
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, all_of, nearest};
use wheelhaul_base::toml_text;
use wheelhaul_boxes::Requirement;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Version(String),
    Table(BTreeMap<String, toml::Value>),
}

/// The lines of a requirements file that say the same as `[packages]` and the categories in `groups`.
///
/// # Errors
/// Names every entry that does not come from an index.
pub fn pipfile_requirements(text: &str, groups: &[ExtraName]) -> anyhow::Result<String> {
    let sections: BTreeMap<String, toml::Value> = toml_text::read(text, "correct the `Pipfile`")?;
    let mut wanted = vec!["packages"];
    for group in groups {
        let section = sections.keys().find(|key| ExtraName::from_str(key).is_ok_and(|key| key == *group));
        wanted.push(section.ok_or_else(|| {
            let near = nearest(group.as_ref(), sections.keys().map(String::as_str));
            Problem::with_hint(
                format!("it has no category `{group}`"),
                near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default(),
            )
        })?);
    }
    let mut lines = String::new();
    let mut faults = Vec::new();
    for section in wanted {
        let Some(value) = sections.get(section) else { continue };
        let entries: BTreeMap<String, Entry> = value.clone().try_into().with_context(|| format!("`[{section}]`"))?;
        for (name, entry) in entries {
            match line(&name, entry) {
                Ok(line) => lines.push_str(&format!("{line}\n")),
                Err(fault) => faults.push(fault.context(format!("`{section}.{name}`"))),
            }
        }
    }
    all_of("entries cannot be resolved", faults)?;
    Ok(lines)
}

/// What to do about an entry that pipenv copied into its lock as it stands in the `Pipfile`, without a version: it did
/// so where a key such as `sys_platform` was false on its host, and wrote no marker.
///
/// - Takes: `section`, as the lock calls it.
pub(super) fn how_to_pin(text: &str, section: &str, name: &str) -> String {
    let section = match section {
        "default" => "packages",
        "develop" => "dev-packages",
        other => other,
    };
    let sections: BTreeMap<String, toml::Value> = toml_text::read(text, "").unwrap_or_default();
    let entries = sections.get(section).and_then(toml::Value::as_table);
    let is_it = |key: &str| PackageName::from_str(key).is_ok_and(|key| key.as_ref() == name) || key == name;
    let entry = entries.and_then(|entries| entries.iter().find(|(key, _)| is_it(key)));
    let table = entry.and_then(|(key, value)| Some((key, table_of(value.clone().try_into().ok()?))));
    let markers = table.as_ref().map(|(_, table)| markers_of(table)).filter(|markers| !markers.is_empty());
    let (Some((key, table)), Some(markers)) = (&table, markers) else {
        return format!(
            "where the box needs it, run `pipenv lock` on Linux; where only others do, give `{name}` their `markers` in \
             `[{section}]` of the `Pipfile`, such as `markers = \"sys_platform == 'win32'\"`, and run `pipenv lock`"
        );
    };
    let mut entry = toml::Table::new();
    entry.extend(
        table.iter().filter(|(key, _)| !VARIABLES.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())),
    );
    entry.insert("markers".to_owned(), toml::Value::String(markers.join(" and ")));
    let key = toml::Value::String(key.to_string()).to_string();
    let is_bare = key.trim_matches('"').bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let key = if is_bare { key.trim_matches('"') } else { key.as_str() };
    format!("in `[{section}]` of the `Pipfile` write `{key} = {}`, and run `pipenv lock`", toml::Value::Table(entry))
}

/// Every entry of `[packages]` and of the categories in `groups`, with its marker.
pub(crate) fn wanted_markers(text: &str, groups: &[ExtraName]) -> Vec<(String, Option<String>)> {
    let sections: BTreeMap<String, toml::Value> = toml_text::read(text, "").unwrap_or_default();
    let is_wanted = |key: &str| key == "packages" || ExtraName::from_str(key).is_ok_and(|key| groups.contains(&key));
    let wanted = ["packages"].into_iter().chain(sections.keys().map(String::as_str).filter(|key| *key != "packages"));
    let entries = wanted.filter(|key| is_wanted(key)).filter_map(|key| sections.get(key)?.as_table()).flatten();
    let marker = |value: &toml::Value| {
        let markers = markers_of(&table_of(value.clone().try_into().ok()?));
        (!markers.is_empty()).then(|| markers.join(" and "))
    };
    entries.map(|(name, value)| (name.clone(), marker(value))).collect()
}

/// Keys of an entry that are variables of markers.
const VARIABLES: [&str; 8] = [
    "implementation_name",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_system",
    "python_full_version",
    "python_version",
    "sys_platform",
];

fn table_of(entry: Entry) -> BTreeMap<String, toml::Value> {
    match entry {
        Entry::Version(version) => BTreeMap::from([("version".to_owned(), toml::Value::String(version))]),
        Entry::Table(table) => table,
    }
}

/// The markers of an entry, which all have to be true.
fn markers_of(table: &BTreeMap<String, toml::Value>) -> Vec<String> {
    let given = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let written = given("markers").map(|text| format!("({text})"));
    let keys = VARIABLES.iter().filter_map(|key| Some(format!("{key} {}", given(key)?)));
    written.into_iter().chain(keys).collect()
}

fn line(name: &str, entry: Entry) -> anyhow::Result<String> {
    let table = table_of(entry);
    let mut version = String::new();
    let mut extras = String::new();
    for (key, value) in &table {
        let text = value.as_str();
        match (key.as_str(), text) {
            ("version", Some("*")) => {}
            // pipenv takes a version without an operator for that one.
            ("version", Some(text)) if text.starts_with(|c: char| c.is_ascii_digit()) => version = format!("=={text}"),
            ("version", Some(text)) => version = text.to_owned(),
            ("markers", Some(_)) => {}
            ("extras", None) => {
                let names: Vec<&str> = value.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
                extras = format!("[{}]", names.join(","));
            }
            // The index is configured for uv itself.
            ("index", _) => {}
            (variable, Some(_)) if VARIABLES.contains(&variable) => {}
            (other, _) => {
                return Err(Problem::with_hint(
                    format!("its key `{other}` cannot be honoured"),
                    "publish it to your index as a wheel, or let pipenv lock: install it, and `--upgrade` uses it",
                ));
            }
        }
    }
    let markers = markers_of(&table);
    let marker = if markers.is_empty() { String::new() } else { format!(" ; {}", markers.join(" and ")) };
    let line = format!("{name}{extras}{version}{marker}");
    Requirement::from_str(&line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipfile_becomes_requirements() {
        let text = "[packages]\nflask = \"*\"\nold = \"1.2\"\nuvicorn = {version = \">=0.3\", extras = [\"standard\"], index = \"own\"}\n\
            colorama = {version = \"*\", sys_platform = \"== 'win32'\", markers = \"python_version < '4'\"}\n[dev-packages]\npytest = \"*\"\n[web]\ngunicorn = \"*\"\n";
        let plain =
            "colorama ; (python_version < '4') and sys_platform == 'win32'\nflask\nold==1.2\nuvicorn[standard]>=0.3\n";
        assert_eq!(pipfile_requirements(text, &[]).unwrap(), plain);
        assert_eq!(pipfile_requirements(text, &["web".parse().unwrap()]).unwrap(), format!("{plain}gunicorn\n"));
        assert!(pipfile_requirements(text, &["wep".parse().unwrap()]).is_err());
    }

    #[test]
    fn what_comes_from_elsewhere_is_named_at_once() {
        let text =
            "[packages]\na = {git = \"https://code.example/a\"}\nb = {path = \".\", editable = true}\n\"c!\" = \"*\"\n";
        let error = pipfile_requirements(text, &[]).unwrap_err().to_string();
        for part in ["3 entries", "packages.a", "`git`", "packages.b", "packages.c!"] {
            assert!(error.contains(part), "`{part}` is missing in {error}");
        }
        assert!(pipfile_requirements("[packages", &[]).is_err());
    }
}
