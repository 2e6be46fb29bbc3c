//! Checks of the unit: what it starts, and the keys that its systemd knows.

use crate::python::plainly_lacks;
use crate::units::{Unit, no_unit};
use crate::{Evidence, Finding, Outcome, count, no_target};
use wheelhaul_systemd::{CommandLine, UnitKey, split_commands, starts_program, unit_key_since};

/// `entry-point`
pub(crate) fn entry_point(evidence: &Evidence) -> Outcome {
    let Some(own) = Unit::own(evidence) else { return no_unit() };
    let cure = "correct `service.command` in `dist/package.toml`";
    let below = format!("{}/", evidence.root());
    let mut findings = Vec::new();
    let mut starts = 0;
    for unit in Unit::all(evidence) {
        for key in unit.keys().iter().filter(|key| starts_program(key.key)) {
            // What cannot be cut into words is told of by `units`.
            let Ok((commands, _)) = split_commands(&key.value) else { continue };
            starts += commands.len();
            findings.extend(commands.iter().filter_map(|command| other_interpreter(evidence, command)).map(
                |(path, own)| {
                    let found = format!("{} starts `{path}`, which is not the Python that the package is for", key.key);
                    Finding::error(unit.path, found, format!("`{own}`"), "build the RPM again with this tool")
                },
            ));
            let words: Vec<String> = commands.iter().flat_map(|command| command.literal_words()).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            for word in words.iter().filter(|word| word.starts_with(&below) && !evidence.has(word)) {
                let found = format!("{} names `{word}`, which is not in the package", key.key);
                findings.push(Finding::error(unit.path, found, "a file of the package", cure));
            }
            if key.key == "ExecStart" {
                findings.extend(missing_modules(evidence, &words).into_iter().map(|module| {
                    let found = format!("ExecStart needs the module `{module}`, which is not in the package");
                    Finding::error(unit.path, found, "a module of the application or its dependencies", cure)
                }));
                findings.extend(missing_objects(evidence, &words).into_iter().map(|(module, object)| {
                    let found = format!("ExecStart needs `{object}` of the module `{module}`, which does not have it");
                    Finding::error(unit.path, found, "an object at the top level of the module", cure)
                }));
            }
        }
    }
    if !own.keys().iter().any(|key| key.key == "ExecStart") {
        findings.push(Finding::error(own.path, "there is no ExecStart", "a command that starts the service", cure));
    }
    Outcome::Made { looked_at: count(starts, "command"), findings }
}

/// The Python that a command starts where that is not the target's, and the target's.
fn other_interpreter<'a>(evidence: &'a Evidence, command: &CommandLine) -> Option<(String, &'a str)> {
    let own = evidence.target.as_ref()?.interpreter.path.as_str();
    let program = command.literal_words().into_iter().next()?;
    let version = program.rsplit('/').next()?.strip_prefix("python")?;
    let is_python = version.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_python && program != own && !evidence.has(&program)).then_some((program, own))
}

/// The modules that the command imports and the package lacks: that of `-m`, that of a console script,
/// and that of an application given as `module:object`.
fn missing_modules(evidence: &Evidence, words: &[&str]) -> Vec<String> {
    let mut modules = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if *word == "-m" {
            modules.extend(words.get(index + 1).map(|module| (*module).to_owned()));
        }
        modules.extend(application(word).map(|(module, _)| module.to_owned()));
        modules.extend(imported(evidence, word).map(|(module, _)| module.to_owned()));
    }
    modules.retain(|module| !has_module(evidence, module));
    modules
}

/// The objects that the command imports from modules which plainly lack them, each with its module.
fn missing_objects(evidence: &Evidence, words: &[&str]) -> Vec<(String, String)> {
    let asked = words.iter().flat_map(|word| application(word).into_iter().chain(imported(evidence, word)));
    asked
        .filter(|(module, object)| plainly_lacks(evidence, module, object))
        .map(|(module, object)| (module.to_owned(), object.to_owned()))
        .collect()
}

/// Module and object of a word that is an application, `module:object`.
fn application(word: &str) -> Option<(&str, &str)> {
    let is_module = |text: &str| {
        !text.is_empty()
            && text.split('.').all(|part| {
                part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && part.chars().all(|c| c.is_alphanumeric() || c == '_')
            })
    };
    word.split_once(':').filter(|(module, object)| is_module(module) && is_module(object.trim_end_matches("()")))
}

/// What a word imports that is a script of the package: modules, each with the object.
fn imported<'a>(evidence: &'a Evidence, word: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_script = word.contains("/bin/") && !word.ends_with("/bin/python");
    let text = evidence.texts.get(word).filter(|_| is_script);
    text.into_iter().flat_map(|text| text.lines()).filter_map(|line| {
        let (module, list) = line.strip_prefix("from ")?.split_once(" import ")?;
        Some((module, list.split([',', ' ']).next().unwrap_or(list).trim()))
    })
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
pub(crate) fn unit_keys(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    if Unit::own(evidence).is_none() {
        return no_unit();
    }
    let systemd = target.distribution.systemd;
    let cure = "leave it out, or write it as this systemd knows it";
    let mut findings = Vec::new();
    let mut seen = 0;
    for unit in Unit::all(evidence) {
        seen += unit.keys().len();
        for UnitKey { section, key, .. } in unit.keys() {
            let found = match unit_key_since(section, key) {
                Some(since) if since <= systemd => continue,
                Some(since) => {
                    format!("[{section}] `{key}`, which systemd knows from {since} on")
                }
                None => format!("[{section}] `{key}`, which no systemd knows"),
            };
            findings.push(Finding::error(unit.path, found, format!("keys of systemd {systemd}"), cure));
        }
    }
    Outcome::Made { looked_at: format!("{}, systemd {systemd}", count(seen, "key")), findings }
}
