//! Asks the shells of this host about scriptlets; nothing of them is run.

use crate::tools::shell::{Shell, Shellcheck};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant, UNIX_EPOCH};
use wheelhaul_base::hex::hex;
use wheelhaul_host::{Bounds, Sys, on_path};
use wheelhaul_verify::{Evidence, MOST_SCRIPT, ParsedBy, ScriptFault, Severity, ShellText, script_shown, scripts_of};

/// For one script; shellcheck takes exponential time with some.
const LONGEST: Duration = Duration::from_secs(10);
/// For all of a package's.
const LONGEST_OF_ALL: Duration = Duration::from_secs(60);
/// Raised where other questions are asked.
const QUESTIONS: &str = "1";

/// [`ParsedBy`] as it is kept.
#[derive(Serialize, Deserialize)]
struct Said {
    by: String,
    scripts: usize,
    /// path, what is wrong, and whether it is an error
    said: Vec<(String, String, bool)>,
}

/// What shells say of a package's scripts; nothing where this host has none.
///
/// A dozen starts of programs cost as much as unpacking a package of 40 MB, and most packages have the scripts of the
/// last one. So answers are kept, by the scripts and the programs; but not where one did not answer.
pub(super) fn ask(sys: &Sys, evidence: &Evidence, with_shellcheck: bool) -> Option<ParsedBy> {
    let scripts: Vec<ShellText<'_>> =
        scripts_of(evidence).into_iter().filter(|script| script.text.len() <= MOST_SCRIPT).collect();
    let (cache, key) = (sys.user_cache("parsed", Bounds::USUAL), key(&scripts, with_shellcheck));
    if let Some(Said { by, scripts, said }) = cache.read(&key) {
        let weight = |is_error| if is_error { Severity::Error } else { Severity::Warning };
        let said =
            said.into_iter().map(|(path, what, is_error)| ScriptFault { path, what, severity: weight(is_error) });
        return Some(ParsedBy { by, scripts, said: said.collect() });
    }
    let (parsed, is_sure) = ask_programs(sys, &scripts, with_shellcheck)?;
    if is_sure {
        let said = parsed.said.iter();
        let said = said.map(|fault| (fault.path.clone(), fault.what.clone(), fault.severity == Severity::Error));
        let said = Said { by: parsed.by.clone(), scripts: parsed.scripts, said: said.collect() };
        // Without it they are asked again.
        cache.keep(sys, &key, &said);
    }
    Some(parsed)
}

/// Tells answers from all others: by the scripts, and the programs that would be asked.
fn key(scripts: &[ShellText<'_>], with_shellcheck: bool) -> String {
    let mut hasher = Sha256::new_with_prefix(QUESTIONS);
    for program in ["bash", "sh", "shellcheck"].into_iter().filter(|name| with_shellcheck || *name != "shellcheck") {
        let path = on_path(program);
        let data = path.as_ref().and_then(|path| path.metadata().ok());
        let time = data.as_ref().and_then(|data| data.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        hasher.update(format!("{program} {path:?} {:?} {time:?}\n", data.map(|data| data.len())));
    }
    for ShellText { path, name, text, is_scriptlet } in scripts {
        hasher.update(format!("{path}\0{name}\0{is_scriptlet}\0{}\0", text.len()));
        hasher.update(text);
    }
    hex(&hasher.finalize())
}

/// - Gives: what they say, and whether each of them answered.
fn ask_programs(sys: &Sys, scripts: &[ShellText<'_>], with_shellcheck: bool) -> Option<(ParsedBy, bool)> {
    let shell = Shell::find(sys)?;
    let shellcheck = if with_shellcheck { Shellcheck::find(sys) } else { None };
    let by = match &shellcheck {
        Some(shellcheck) => format!("{} and shellcheck {}", shell.name, shellcheck.version),
        None => shell.name.to_owned(),
    };
    let mut parsed = ParsedBy { by, ..ParsedBy::default() };
    // Those that are there and were not taken may not have answered in time.
    let is_other = shell.name == "sh" && on_path("bash").is_some();
    let is_without = with_shellcheck && shellcheck.is_none() && on_path("shellcheck").is_some();
    let mut is_sure = !is_other && !is_without;
    let start = Instant::now();
    for script in scripts {
        let left = LONGEST_OF_ALL.saturating_sub(start.elapsed()).min(LONGEST);
        if left.is_zero() {
            is_sure = false;
            parsed.said.push(fault(script, "it was not parsed: those before it took too long", Severity::Error));
            continue;
        }
        parsed.scripts += 1;
        match shell.parse(sys, script.text, left) {
            Ok(None) => {}
            Ok(Some(said)) => parsed.said.push(fault(script, &said, Severity::Error)),
            Err(error) => {
                is_sure = false;
                parsed.said.push(fault(script, &format!("{error:#}"), Severity::Error));
            }
        }
        // The style of a dependency's scripts is its own affair.
        let Some(shellcheck) = shellcheck.as_ref().filter(|_| script.is_scriptlet) else { continue };
        match shellcheck.look(sys, script.text, left) {
            Ok(said) => parsed.said.extend(said.into_iter().map(|(line, said, is_error)| {
                let severity = if is_error { Severity::Error } else { Severity::Warning };
                fault(script, &format!("line {line}: {said}"), severity)
            })),
            Err(error) => {
                is_sure = false;
                parsed.said.push(fault(script, &format!("{error:#}"), Severity::Warning));
            }
        }
    }
    Some((parsed, is_sure))
}

fn fault(script: &ShellText<'_>, said: &str, severity: Severity) -> ScriptFault {
    ScriptFault { path: script.path.to_owned(), what: format!("{}: {said}", script_shown(script)), severity }
}
