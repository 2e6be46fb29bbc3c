//! What `pdm.lock` says of the project file and of the boxes it is for.

use crate::poetry_constraint::python_marker;
use crate::project_file::as_json;
use crate::python_json::{Spacing, digest};
use pep508_rs::{ExtraName, PackageName};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use wheelhaul_config::UnmetRequirement;

/// Why PDM would call the lock stale: `metadata.content_hash` is not that of the project file.
///
/// PDM 2.10 and those before it hashed `overrides`; 2.20 and those since, `resolution` in its place.
pub(super) fn why_stale(project: &str, hash: &str) -> Option<String> {
    let Some(file) = as_json(project) else {
        return Some("`pyproject.toml` cannot be read".to_owned());
    };
    let locked = hash.strip_prefix("sha256:")?;
    let (own, settings) = (&file["project"], &file["tool"]["pdm"]);
    let or = |value: &Value, default: Value| if value.is_null() { default } else { value.clone() };
    let resolution = or(&settings["resolution"], json!({}));
    let overrides = match &settings["overrides"] {
        Value::Null => or(&resolution["overrides"], json!({})),
        overrides => overrides.clone(),
    };
    let of_old = or(&settings["dev-dependencies"], json!({}));
    let groups = groups(&file["dependency-groups"], &settings["dev-dependencies"]);
    let mut fresh = false;
    for (key, value) in [("resolution", resolution), ("overrides", overrides)] {
        for groups in [&groups, &of_old] {
            let content = json!({
                "sources": or(&settings["source"], json!([])),
                "dependencies": or(&own["dependencies"], json!([])),
                "dev-dependencies": groups,
                "optional-dependencies": or(&own["optional-dependencies"], json!({})),
                "requires-python": or(&own["requires-python"], json!("")),
                key: value,
            });
            fresh |= digest(&content, Spacing::Wide) == locked;
        }
    }
    (!fresh).then(|| "`pyproject.toml` changed since it was locked: run `pdm lock`".to_owned())
}

/// The requirements that packages have by their own metadata and that the project replaces or leaves out.
pub(super) fn unmet(project: &str) -> Vec<UnmetRequirement> {
    let file = as_json(project).unwrap_or_default();
    let (resolution, of_old) = (&file["tool"]["pdm"]["resolution"], &file["tool"]["pdm"]["overrides"]);
    let excludes = resolution["excludes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let overrides = [&resolution["overrides"], of_old].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let names = excludes.chain(overrides.map(String::as_str));
    names.filter_map(|name| PackageName::from_str(name).ok()).map(UnmetRequirement::of).collect()
}

/// The standard's groups, then PDM's own of the same name, under normalized names.
fn groups(standard: &Value, own: &Value) -> Value {
    let mut groups: Map<String, Value> = Map::new();
    for (name, lines) in [standard, own].into_iter().filter_map(Value::as_object).flatten() {
        let name = ExtraName::from_str(name).map_or_else(|_| name.clone(), |name| name.to_string());
        match (groups.get_mut(&name).and_then(Value::as_array_mut), lines.as_array()) {
            (Some(known), Some(lines)) => known.extend(lines.iter().cloned()),
            _ => drop(groups.insert(name, lines.clone())),
        }
    }
    Value::Object(groups)
}

/// One of `metadata.targets` as a marker; empty where it is every box.
pub(super) fn environment_of(target: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let mut parts = Vec::new();
    if let Some(python) = target.get("requires_python") {
        parts.extend(python_marker(python)?.map(|marker| format!("({marker})")));
    }
    if let Some(platform) = target.get("platform") {
        let (system, rest) = platform.split_once('_').unwrap_or((platform, ""));
        let name = match system {
            "windows" => "win32",
            "macos" => "darwin",
            _ => "linux",
        };
        parts.push(format!("sys_platform == '{name}'"));
        let machine = ["x86_64", "aarch64"].into_iter().find(|machine| rest.ends_with(machine));
        parts.extend(machine.map(|machine| format!("platform_machine == '{machine}'")));
    }
    if let Some(implementation) = target.get("implementation") {
        let plain: String = implementation.chars().filter(char::is_ascii_alphanumeric).collect();
        parts.push(format!("implementation_name == '{plain}'"));
    }
    Ok(parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};
    use wheelhaul_base::hex::hex;

    #[test]
    fn a_lock_is_held_against_the_keys_of_either_generation() {
        let project = "[project]\ndependencies = ['a']\n[dependency-groups]\nDocs = ['b']\n";
        let keys = |groups: &str, last: &str| {
            format!(
                r#"{{"dependencies": ["a"], "dev-dependencies": {groups}, "optional-dependencies": {{}}, {}"requires-python": "", {}"sources": []}}"#,
                if last == "overrides" { "\"overrides\": {}, " } else { "" },
                if last == "resolution" { "\"resolution\": {}, " } else { "" },
            )
        };
        #[rustfmt::skip]
        let cases = [ // hashed                                   fresh
            (keys(r#"{"docs": ["b"]}"#, "resolution"),    true),
            (keys("{}", "overrides"),                     true),
            (keys(r#"{"docs": ["c"]}"#, "resolution"),    false),
        ];
        for (hashed, fresh) in cases {
            let hash = format!("sha256:{}", hex(&Sha256::digest(&hashed)));
            assert_eq!(why_stale(project, &hash).is_none(), fresh, "{hashed}");
        }
        assert_eq!(why_stale(project, "md5:x"), None);
    }

    #[test]
    fn targets_become_markers() {
        #[rustfmt::skip]
        let cases = [ // keys                                                     marker
            (vec![],                                                          ""),
            (vec![("requires_python", "~=3.9")],                              "((python_version ~= '3.9'))"),
            (vec![("platform", "manylinux_2_17_x86_64")],                     "sys_platform == 'linux' and platform_machine == 'x86_64'"),
            (vec![("platform", "macos_arm64"), ("implementation", "cpython")], "sys_platform == 'darwin' and implementation_name == 'cpython'"),
        ];
        for (keys, marker) in cases {
            let target = keys.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            assert_eq!(environment_of(&target).unwrap(), marker);
        }
    }
}
