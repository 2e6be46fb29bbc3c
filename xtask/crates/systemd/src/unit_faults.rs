//! What systemd would ignore or refuse in a unit whose lines are read.

use crate::unit_text::{UnitKey, UnitText};
use crate::unit_values::unit_value_expects;
use crate::words::{CommandLine, split_commands, split_words};
use wheelhaul_base::problem::shortened;

/// Whether a key's value is a list of commands.
pub fn starts_program(key: &str) -> bool {
    ["ExecCondition", "ExecReload", "ExecStart", "ExecStartPost", "ExecStartPre", "ExecStop", "ExecStopPost"]
        .contains(&key)
}

/// What is wrong with a value, and what is expected.
pub fn faults_of_key(systemd: u16, key: &UnitKey<'_>) -> Vec<(String, String)> {
    let name = key.key;
    let shown = shortened(&key.value).escape_debug().to_string();
    let mut faults = Vec::new();
    if let Some(expected) = unit_value_expects(systemd, name, &key.value) {
        faults.push((format!("`{name}` is `{shown}`, which systemd {systemd} would ignore"), expected));
    }
    if starts_program(name) {
        let whole = "commands as systemd.service(5) has them, under \"COMMAND LINES\"".to_owned();
        match split_commands(&key.value) {
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
        match split_words(&key.value) {
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
fn fault_of_program(command: &CommandLine) -> Option<String> {
    let program = command.words.first().map(String::as_str).unwrap_or_default();
    let shown = shortened(program).escape_debug().to_string();
    match program {
        program if program.ends_with('/') => Some(format!("`{shown}` is a folder")),
        program if !program.starts_with(['/', '%']) => Some(format!("`{shown}` is no absolute path")),
        _ => None,
    }
}

/// What systemd refuses of a service as a whole.
pub fn faults_of_service(unit: &UnitText<'_>) -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    let kind = unit.last("Service", "Type").unwrap_or("simple");
    let mut starts = 0;
    for key in unit.keys.iter().filter(|key| key.section == "Service" && key.key == "ExecStart") {
        // An empty one takes back those before it.
        starts =
            if key.value.is_empty() { 0 } else { starts + split_commands(&key.value).map_or(1, |found| found.0.len()) };
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
        let unit = UnitText::parse("a.service", text);
        let mut said: Vec<String> =
            unit.keys.iter().flat_map(|key| faults_of_key(252, key)).map(|(what, _)| what).collect();
        said.extend(faults_of_service(&unit).into_iter().map(|(what, _)| what));
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
