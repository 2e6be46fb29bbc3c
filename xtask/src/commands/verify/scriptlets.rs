//! Asks the shells of this host about scriptlets; nothing of them is run.

use crate::sys::Sys;
use crate::tools::shell::{Shell, Shellcheck};
use crate::verify::{Evidence, MOST_SCRIPT, ParsedBy, Script, ScriptFault, Severity, script_shown, scripts_of};
use std::time::{Duration, Instant};

/// For one script; shellcheck takes exponential time with some.
const LONGEST: Duration = Duration::from_secs(10);
/// For all of a package's.
const LONGEST_OF_ALL: Duration = Duration::from_secs(60);

/// What shells say of a package's scripts; nothing where this host has none.
pub fn ask(sys: &Sys, evidence: &Evidence, with_shellcheck: bool) -> Option<ParsedBy> {
    let shell = Shell::find(sys)?;
    let shellcheck = if with_shellcheck { Shellcheck::find(sys) } else { None };
    let by = match &shellcheck {
        Some(shellcheck) => format!("{} and shellcheck {}", shell.name, shellcheck.version),
        None => shell.name.to_owned(),
    };
    let mut parsed = ParsedBy { by, ..ParsedBy::default() };
    let start = Instant::now();
    for script in scripts_of(evidence).into_iter().filter(|script| script.text.len() <= MOST_SCRIPT) {
        let left = LONGEST_OF_ALL.saturating_sub(start.elapsed()).min(LONGEST);
        if left.is_zero() {
            parsed.said.push(fault(&script, "it was not parsed: those before it took too long", Severity::Error));
            continue;
        }
        parsed.scripts += 1;
        match shell.parse(sys, script.text, left) {
            Ok(None) => {}
            Ok(Some(said)) => parsed.said.push(fault(&script, &said, Severity::Error)),
            Err(error) => parsed.said.push(fault(&script, &format!("{error:#}"), Severity::Error)),
        }
        // The style of a dependency's scripts is its own affair.
        let Some(shellcheck) = shellcheck.as_ref().filter(|_| script.is_scriptlet) else { continue };
        match shellcheck.look(sys, script.text, left) {
            Ok(said) => parsed.said.extend(said.into_iter().map(|(line, said, is_error)| {
                let severity = if is_error { Severity::Error } else { Severity::Warning };
                fault(&script, &format!("line {line}: {said}"), severity)
            })),
            Err(error) => parsed.said.push(fault(&script, &format!("{error:#}"), Severity::Warning)),
        }
    }
    Some(parsed)
}

fn fault(script: &Script<'_>, said: &str, severity: Severity) -> ScriptFault {
    ScriptFault { path: script.path.to_owned(), what: format!("{}: {said}", script_shown(script)), severity }
}
