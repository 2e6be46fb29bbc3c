//! A `Pipfile` as pip's requirements, for who resolves it without pipenv.

use crate::pins::Requirement;
use crate::problem::{Problem, all_of, nearest};
use crate::toml_text;
use anyhow::Context as _;
use pep508_rs::ExtraName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr as _;

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Version(String),
    Table(BTreeMap<String, toml::Value>),
}

/// The lines of a requirements file that say the same as `[packages]` and the categories in `groups`.
///
/// - Fails: once, naming every entry that comes from elsewhere than an index.
pub fn requirements(text: &str, groups: &[ExtraName]) -> anyhow::Result<String> {
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

fn line(name: &str, entry: Entry) -> anyhow::Result<String> {
    let table = match entry {
        Entry::Version(version) => BTreeMap::from([("version".to_owned(), toml::Value::String(version))]),
        Entry::Table(table) => table,
    };
    let mut version = String::new();
    let mut extras = String::new();
    let mut markers = Vec::new();
    for (key, value) in &table {
        let text = value.as_str();
        match (key.as_str(), text) {
            ("version", Some("*")) => {}
            // pipenv takes a version without an operator for that one.
            ("version", Some(text)) if text.starts_with(|c: char| c.is_ascii_digit()) => version = format!("=={text}"),
            ("version", Some(text)) => version = text.to_owned(),
            ("markers", Some(text)) => markers.push(format!("({text})")),
            ("extras", None) => {
                let names: Vec<&str> = value.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
                extras = format!("[{}]", names.join(","));
            }
            // The index is configured for uv itself.
            ("index", _) => {}
            (
                "os_name"
                | "sys_platform"
                | "platform_machine"
                | "platform_system"
                | "python_version"
                | "python_full_version"
                | "implementation_name"
                | "platform_python_implementation",
                Some(text),
            ) => markers.push(format!("{key} {text}")),
            (other, _) => {
                return Err(Problem::with_hint(
                    format!("its key `{other}` cannot be honoured"),
                    "publish it to your index as a wheel, or let pipenv lock: install it, and `--upgrade` uses it",
                ));
            }
        }
    }
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
        assert_eq!(requirements(text, &[]).unwrap(), plain);
        assert_eq!(requirements(text, &["web".parse().unwrap()]).unwrap(), format!("{plain}gunicorn\n"));
        assert!(requirements(text, &["wep".parse().unwrap()]).is_err());
    }

    #[test]
    fn what_comes_from_elsewhere_is_named_at_once() {
        let text =
            "[packages]\na = {git = \"https://code.example/a\"}\nb = {path = \".\", editable = true}\n\"c!\" = \"*\"\n";
        let error = requirements(text, &[]).unwrap_err().to_string();
        for part in ["3 entries", "packages.a", "`git`", "packages.b", "packages.c!"] {
            assert!(error.contains(part), "`{part}` is missing in {error}");
        }
        assert!(requirements("[packages", &[]).is_err());
    }
}
