//! Check of scriptlets: rpm runs them as root, on a box where nobody looks.

use crate::{Evidence, Finding, OnHost, Outcome, Severity, count};

/// Larger than any scriptlet of this tool; what is larger is parsed by nobody.
pub const MOST_SCRIPT: usize = 256 << 10;

/// A text that a shell is to parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShellText<'a> {
    /// its path; empty for a scriptlet
    pub path: &'a str,
    /// `%pre`, or the name of the file
    pub name: &'a str,
    /// the text
    pub text: &'a str,
    /// whether it is a scriptlet, which this tool wrote
    pub is_scriptlet: bool,
}

/// The scriptlets for `/bin/sh`, and the programs of the package that are shell scripts.
pub fn scripts_of(evidence: &Evidence) -> Vec<ShellText<'_>> {
    let described = &evidence.described;
    let of_shell = |name: &str| described.interpreters.get(name).is_none_or(|program| program == "/bin/sh");
    let scriptlets = described.scriptlets.iter().filter(|(name, _)| of_shell(name));
    let mut scripts: Vec<ShellText<'_>> =
        scriptlets.map(|(name, text)| ShellText { path: "", name, text, is_scriptlet: true }).collect();
    let programs = evidence.texts.iter().filter(|(_, text)| is_shell(text));
    scripts.extend(programs.map(|(path, text)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        ShellText { path, name, text, is_scriptlet: false }
    }));
    scripts
}

/// Whether a text says in its first line that it is for a shell of POSIX's kind.
fn is_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let Some(line) = first.strip_prefix("#!") else { return false };
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let program = words.next().filter(|word| *word != "env").or_else(|| words.next());
    matches!(program, Some("sh" | "bash" | "dash"))
}

/// `scriptlets`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let described = &evidence.described;
    let cure = "build the RPM again with this tool, which writes its scriptlets";
    let mut findings = Vec::new();
    for (name, program) in described.interpreters.iter().filter(|(_, program)| *program != "/bin/sh") {
        let found = format!("%{name} is run by `{}`", program.escape_debug());
        findings.push(Finding::error("", found, "`/bin/sh`", cure));
    }
    for name in &described.other_scriptlets {
        let found = format!("it has a scriptlet of the kind %{name}");
        findings.push(Finding::error(
            "",
            found,
            "%pre, %post, %preun, %postun, %posttrans and %verifyscript alone",
            cure,
        ));
    }
    for (name, text) in described.scriptlets.iter().filter(|(name, _)| **name != "verify") {
        if !ends_well(text) {
            let found = format!("%{name} ends with what its last command ends with");
            let expected = "`exit 0` as its last line: a failure would stop rpm halfway";
            findings.push(Finding::error("", found, expected, cure));
        }
    }
    for script in scripts_of(evidence).iter().filter(|script| script.text.len() > MOST_SCRIPT) {
        let found = format!("{} has {} bytes, and is parsed by nobody", shown(script), script.text.len());
        findings.push(Finding::error(script.path, found, format!("{MOST_SCRIPT} bytes at most"), cure));
    }
    let OnHost { parsed_by, .. } = &evidence.host;
    let Some(parsed) = parsed_by else {
        // What needs no program was looked at all the same.
        return match findings.is_empty() {
            true => Outcome::not_asked("this host has no shell that could parse them"),
            false => Outcome::Made { looked_at: "without a shell".to_owned(), findings },
        };
    };
    findings.extend(parsed.said.iter().map(|fault| {
        let found = Finding::error(&fault.path, &fault.what, "a script that a shell takes without a word", cure);
        if fault.severity == Severity::Error { found } else { found.warning() }
    }));
    Outcome::Made { looked_at: format!("{}, by {}", count(parsed.scripts, "script"), parsed.by), findings }
}

/// What a script is called in a finding.
pub fn shown(script: &ShellText<'_>) -> String {
    if script.is_scriptlet { format!("%{}", script.name) } else { "the script".to_owned() }
}

/// Whether a scriptlet's last command cannot fail.
fn ends_well(text: &str) -> bool {
    let mut lines = text.lines().rev().map(str::trim);
    let last = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or(":");
    matches!(last, "exit 0" | ":" | "true") || last.ends_with("|| :") || last.ends_with("|| true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scriptlet_ends_with_what_cannot_fail() {
        #[rustfmt::skip]
        let cases = [
            ("a\nexit 0\n",            true),
            ("a || :",                 true),
            ("a || true\n\n# end\n",   true),
            ("",                       true),
            ("a\n",                    false),
            ("if a; then\n  b\nfi\n",  false),
            ("exit 1\n",               false),
            ("# exit 0\na",            false),
        ];
        for (text, well) in cases {
            assert_eq!(ends_well(text), well, "{text:?}");
        }
    }

    #[test]
    fn shell_scripts_are_known_by_their_first_line() {
        #[rustfmt::skip]
        let cases = [
            ("#!/bin/sh\n",                true),
            ("#! /bin/sh -e\n",            true),
            ("#!/usr/bin/env bash\n",      true),
            ("#!/usr/bin/python3\n",       false),
            ("#!/usr/bin/env\n",           false),
            ("#!/bin/csh\n",               false),
            ("# /bin/sh\n",                false),
            ("",                           false),
        ];
        for (text, shell) in cases {
            assert_eq!(is_shell(text), shell, "{text:?}");
        }
    }
}
