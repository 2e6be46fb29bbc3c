//! `checks`: what `verify` tells of its checks without looking at anything.

use crate::report::Report;
use serde_json::{Value, json};
use wheelhaul_base::problem::{Problem, nearest, shortened};
use wheelhaul_verify::{CHECKS, When};

/// What `checks` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Tell why this check is made, and what to do about its findings
    pub name: Option<String>,
}

/// The task.
///
/// - Fails: for a name that no check has.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    match &options.name {
        Some(name) => explain(name),
        None => Ok(list()),
    }
}

/// Every check with its reason, and when it is made, where that is not always.
fn list() -> Report {
    let line = |check: &wheelhaul_verify::Check| {
        let when = if check.when == When::Always { String::new() } else { format!(" ({})", check.when.word()) };
        format!("{:<12} {}{when}\n", check.name, check.reason())
    };
    let row = |check: &wheelhaul_verify::Check| json!({"name": check.name, "when": check.when.word(), "reason": check.reason()});
    let rows: Vec<Value> = CHECKS.iter().map(row).collect();
    Report::fine(CHECKS.iter().map(line).collect(), json!({"checks": rows}))
}

/// One check: its reason, why it is made, and what to do about its findings.
///
/// - Fails: for a name that no check has.
fn explain(name: &str) -> anyhow::Result<Report> {
    let Some(check) = CHECKS.iter().find(|check| check.name == name) else {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        let near =
            nearest(name, names.iter().copied()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        return Err(Problem::with_hint(
            format!("there is no check `{}`", shortened(name).escape_debug()),
            format!("{near}known are {}", names.join(", ")),
        ));
    };
    let text =
        format!("{}: {}\n\nMade: {}.\n\n{}\n", check.name, check.reason(), check.when.word(), check.explanation());
    let row = json!({"name": check.name, "when": check.when.word(), "reason": check.reason(), "explanation": check.explanation()});
    Ok(Report::fine(text, json!({"checks": [row]})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_explains_itself_and_names_a_cure() {
        for check in CHECKS {
            let report = explain(check.name).unwrap();
            assert!(report.text.contains("\n\nCure: "), "{}", report.text);
            assert!(!check.reason().ends_with('.') && check.reason().len() <= 120, "{}", check.reason());
            assert!(check.explanation().lines().all(|line| line.chars().count() <= 120), "{}", check.name);
        }
    }
}
