//! Check of units: that every line says something to systemd, and what it seems to say.

use crate::unit_text::{Key, UnitText, doubled};
use crate::{Evidence, Finding, Outcome, count, no_target};
use wheelhaul_base::problem::shortened;
use wheelhaul_package::service::{Command, commands, dangers, split};
use wheelhaul_systemd::unit_value_expects;

/// Where systemd finds the units of packages.
pub(super) const FOLDER: &str = "/usr/lib/systemd/system/";

/// A unit of the package.
pub(super) struct Unit<'a> {
    pub path: &'a str,
    pub parsed: UnitText<'a>,
}

impl<'a> Unit<'a> {
    /// The service's own.
    pub(super) fn own(evidence: &'a Evidence) -> Option<Self> {
        let path = format!("{FOLDER}{}.service", evidence.described.name);
        Self::all(evidence).find(|unit| unit.path == path)
    }

    /// Every one that is text.
    pub(super) fn all(evidence: &'a Evidence) -> impl Iterator<Item = Self> {
        let units = evidence.texts.range(FOLDER.to_owned()..).take_while(|(path, _)| path.starts_with(FOLDER));
        units.map(|(path, text)| Self { path, parsed: UnitText::parse(path, text) })
    }

    pub(super) fn keys(&self) -> &[Key<'a>] {
        &self.parsed.keys
    }
}

/// Whether a key's value is a list of commands.
pub(super) fn starts_program(key: &str) -> bool {
    ["ExecCondition", "ExecReload", "ExecStart", "ExecStartPost", "ExecStartPre", "ExecStop", "ExecStopPost"]
        .contains(&key)
}

pub(super) fn no_unit() -> Outcome {
    Outcome::not_made("the package has no unit of its name")
}

/// `units`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    if Unit::own(evidence).is_none() && !evidence.has(&format!("{FOLDER}{}.service", evidence.described.name)) {
        return no_unit();
    }
    let systemd = target.distribution.systemd;
    let cure = "correct `[service]` in `dist/package.toml`, or build the RPM again with this tool";
    let mut findings = Vec::new();
    let mut seen = 0;
    for (path, row) in evidence.described.files.range(FOLDER.to_owned()..) {
        if !path.starts_with(FOLDER) {
            break;
        }
        if row.is_file() && !evidence.texts.contains_key(path) {
            findings.push(Finding::error(path, "it is not UTF-8", "a unit as systemd.syntax(7) has it", cure));
        }
    }
    for unit in Unit::all(evidence) {
        seen += 1;
        let mut say = |line: usize, what: String, expected: &str| {
            findings.push(Finding::error(unit.path, format!("line {line}: {what}"), expected, cure));
        };
        for (line, what) in &unit.parsed.faults {
            say(*line, what.clone(), "lines as systemd.syntax(7) has them");
        }
        for key in unit.keys() {
            for (what, expected) in faults_of(systemd, key) {
                say(key.line, what, &expected);
            }
        }
        let whole = faults_of_whole(&unit).into_iter();
        findings.extend(whole.map(|(what, expected)| Finding::error(unit.path, what, expected, cure)));
        let service = unit.keys().iter().filter(|key| key.section == "Service");
        let dangers =
            dangers(&evidence.described.name, evidence.root(), service.map(|key| (key.key, key.value.as_str())));
        let expected = "nothing by which the service gets further";
        findings.extend(
            dangers.into_iter().map(|danger| Finding::error(unit.path, danger.what, expected, danger.cure).warning()),
        );
        findings.extend(doubled(&unit.parsed).into_iter().map(|key| {
            let found = format!("line {}: a second `{}` takes the place of the first", key.line, key.key);
            Finding::error(unit.path, found, "one of it", "leave out the one that is not meant").warning()
        }));
    }
    Outcome::Made { looked_at: count(seen, "unit"), findings }
}

/// What is wrong with a value, and what is expected.
fn faults_of(systemd: u16, key: &Key<'_>) -> Vec<(String, String)> {
    let name = key.key;
    let shown = shortened(&key.value).escape_debug().to_string();
    let mut faults = Vec::new();
    if let Some(expected) = unit_value_expects(systemd, name, &key.value) {
        faults.push((format!("`{name}` is `{shown}`, which systemd {systemd} would ignore"), expected));
    }
    if starts_program(name) {
        let whole = "commands as systemd.service(5) has them, under \"COMMAND LINES\"".to_owned();
        match commands(&key.value) {
            Err(why) => faults.push((format!("`{name}`: {why}"), whole)),
            Ok((commands, unknown)) => {
                faults.extend(
                    unknown.iter().map(|escape| (format!("`{name}` has the escape `{escape}`"), whole.clone())),
                );
                faults.extend(
                    commands.iter().filter_map(fault_of_program).map(|why| (format!("`{name}`: {why}"), whole.clone())),
                );
            }
        }
    }
    if name == "Environment" {
        let whole = "words such as NAME=VALUE, quoted where they have spaces".to_owned();
        match split(&key.value) {
            Err(why) => faults.push((format!("`{name}`: {why}"), whole)),
            Ok(words) => {
                faults.extend(
                    words
                        .unknown_escapes
                        .iter()
                        .map(|escape| (format!("`{name}` has the escape `{escape}`"), whole.clone())),
                );
                let odd = words.words.iter().skip(1).filter(|word| unit_value_expects(systemd, name, word).is_some());
                faults.extend(odd.map(|word| {
                    // The rest of a value that is cut at a space may be a part of a secret.
                    let start: String = word.chars().take(3).collect();
                    (format!("`{name}`: the word `{}…` is no assignment", start.escape_debug()), whole.clone())
                }));
            }
        }
    }
    faults
}

/// A program is absolute, and not a folder; a bare name, which systemd looks for since 250, is none that this tool
/// writes.
fn fault_of_program(command: &Command) -> Option<String> {
    let program = command.words.first().map(String::as_str).unwrap_or_default();
    let shown = shortened(program).escape_debug().to_string();
    match program {
        program if program.ends_with('/') => Some(format!("`{shown}` is a folder")),
        program if !program.starts_with(['/', '%']) => Some(format!("`{shown}` is no absolute path")),
        _ => None,
    }
}

/// What systemd refuses of a service as a whole.
fn faults_of_whole(unit: &Unit<'_>) -> Vec<(String, &'static str)> {
    if !unit.path.ends_with(".service") {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let kind = unit.parsed.last("Service", "Type").unwrap_or("simple");
    let mut starts = 0;
    for key in unit.keys().iter().filter(|key| key.section == "Service" && key.key == "ExecStart") {
        // An empty one takes back those before it.
        starts = if key.value.is_empty() { 0 } else { starts + commands(&key.value).map_or(1, |found| found.0.len()) };
    }
    if starts > 1 && kind != "oneshot" {
        faults.push((format!("it has {starts} commands in ExecStart: systemd refuses it"), "one, or `Type=oneshot`"));
    }
    if starts == 0 {
        faults.push(("it has no ExecStart: systemd refuses it".to_owned(), "a command"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let unit = Unit { path: "/usr/lib/systemd/system/a.service", parsed: UnitText::parse("a.service", text) };
        let mut said: Vec<String> =
            unit.keys().iter().flat_map(|key| faults_of(252, key)).map(|(what, _)| what).collect();
        said.extend(faults_of_whole(&unit).into_iter().map(|(what, _)| what));
        said
    }

    #[test]
    fn every_fault_of_a_unit_is_said() {
        #[rustfmt::skip]
        let cases: &[(&str, &[&str])] = &[
            ("ExecStart=/bin/a b",                              &[]),
            ("ExecStart=-+/bin/sh -c 'a \"$$b\" %%'",           &[]),
            ("ExecStart=\nExecStart=/bin/a",                    &[]),
            ("ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b",  &[]),
            ("Type=oneshot\nExecStart=/bin/a ; /bin/b",         &[]),
            ("User=a",                                          &["it has no ExecStart: systemd refuses it"]),
            ("ExecStart=/bin/a\nExecStart=/bin/b",              &["it has 2 commands in ExecStart: systemd refuses it"]),
            ("ExecStart=/bin/a \"b",                            &["`ExecStart`: a quote is not closed"]),
            ("ExecStart=/bin/a \\q",                            &["`ExecStart` has the escape `\\q`"]),
            ("ExecStart=bin/a",                                 &["`ExecStart`: `bin/a` is no absolute path"]),
            ("ExecStart=/bin/",                                 &["`ExecStart`: `/bin/` is a folder"]),
            ("ExecStart=/bin/a\nPrivateTmp=maybe",              &["`PrivateTmp` is `maybe`, which systemd 252 would ignore"]),
            ("ExecStart=/bin/a\nEnvironment=\"A=b",             &["`Environment`: a quote is not closed"]),
            ("ExecStart=/bin/a\nEnvironment=A=b secret",        &["`Environment`: the word `sec…` is no assignment"]),
            ("ExecStart=/bin/a\nEnvironment=\"A=b c\" C=\"d\"", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(said(&format!("[Service]\n{text}\n")), *expected, "{text}");
        }
    }
}
