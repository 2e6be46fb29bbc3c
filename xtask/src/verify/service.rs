//! Checks of the unit: what it starts, and the keys that its systemd knows.

use crate::target::unit_key_since;
use crate::verify::{Evidence, Finding, Outcome, count, no_target};

/// A key of a unit with its section.
struct Key<'a> {
    section: &'a str,
    key: &'a str,
    value: &'a str,
}

fn unit_of(evidence: &Evidence) -> Option<(String, Vec<Key<'_>>)> {
    let path = format!("/usr/lib/systemd/system/{}.service", evidence.described.name);
    let text = evidence.texts.get(&path)?;
    let mut section = "";
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, value)) = line.split_once('=') {
            keys.push(Key { section, key: key.trim(), value: value.trim() });
        }
    }
    Some((path, keys))
}

fn no_unit() -> Outcome {
    Outcome::NotMade("the package has no unit of its name".to_owned())
}

/// `entry-point`
pub fn entry_point(evidence: &Evidence) -> Outcome {
    let Some((path, keys)) = unit_of(evidence) else { return no_unit() };
    let cure = "correct `service.command` in `dist/package.toml`";
    let root = evidence.root();
    let mut findings = Vec::new();
    let mut starts = 0;
    for key in keys.iter().filter(|key| matches!(key.key, "ExecStart" | "ExecStartPre")) {
        starts += 1;
        let words: Vec<&str> = key.value.split_whitespace().map(|word| word.trim_matches('"')).collect();
        for word in words.iter().filter(|word| word.starts_with(&format!("{root}/"))) {
            if !evidence.has(word) {
                findings.push(Finding::error(
                    &path,
                    format!("{} names `{word}`, which is not in the package", key.key),
                    cure,
                ));
            }
        }
        if key.key == "ExecStart" {
            findings.extend(missing_modules(evidence, &words).into_iter().map(|module| {
                Finding::error(
                    &path,
                    format!("ExecStart needs the module `{module}`, which is not in the package"),
                    cure,
                )
            }));
        }
    }
    if !keys.iter().any(|key| key.key == "ExecStart") {
        findings.push(Finding::error(&path, "there is no ExecStart", cure));
    }
    Outcome::Made { looked_at: count(starts, "command"), findings }
}

/// The modules that the command imports and the package lacks: that of `-m`, that of a console script,
/// and that of an application given as `module:object`.
fn missing_modules(evidence: &Evidence, words: &[&str]) -> Vec<String> {
    let mut modules = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if *word == "-m" {
            modules.extend(words.get(index + 1).map(|module| (*module).to_owned()));
        }
        let is_module = |text: &str| {
            !text.is_empty()
                && text.split('.').all(|part| {
                    part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                        && part.chars().all(|c| c.is_alphanumeric() || c == '_')
                })
        };
        if let Some((module, object)) = word.split_once(':')
            && is_module(module)
            && is_module(object.trim_end_matches("()"))
        {
            modules.push(module.to_owned());
        }
        let script = evidence.texts.get(*word).into_iter().flat_map(|text| text.lines());
        let imported =
            script.filter_map(|line| line.strip_prefix("from ")?.split_once(" import ")).map(|(module, _)| module);
        if word.contains("/bin/") && !word.ends_with("/bin/python") {
            modules.extend(imported.map(str::to_owned));
        }
    }
    modules.retain(|module| !has_module(evidence, module));
    modules
}

fn has_module(evidence: &Evidence, module: &str) -> bool {
    let path = module.replace('.', "/");
    ["", "/lib"].iter().any(|folder| {
        let base = format!("{}{folder}/{path}", evidence.root());
        let native = format!("{base}.");
        evidence.has(&base)
            || evidence.has(&format!("{base}.py"))
            || evidence
                .described
                .files
                .range(native.clone()..)
                .take_while(|(path, _)| path.starts_with(&native))
                .any(|(path, _)| path.ends_with(".so"))
    })
}

/// `unit-keys`
pub fn unit_keys(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let Some((path, keys)) = unit_of(evidence) else { return no_unit() };
    let systemd = target.distribution.systemd;
    let mut findings = Vec::new();
    for Key { section, key, .. } in &keys {
        let cure = "leave it out, or write it as this systemd knows it";
        match unit_key_since(section, key) {
            Some(since) if since <= systemd => {}
            Some(since) => {
                let what =
                    format!("[{section}] `{key}` is known from systemd {since} on, and the target has {systemd}");
                findings.push(Finding::error(&path, what, cure));
            }
            None => findings.push(Finding::error(&path, format!("[{section}] `{key}` is no key that is known"), cure)),
        }
    }
    Outcome::Made { looked_at: format!("{}, systemd {systemd}", count(keys.len(), "key")), findings }
}
