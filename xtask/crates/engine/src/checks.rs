//! `checks`: what `verify` tells of its checks without looking at anything.

use serde::Serialize;
use wheelhaul_base::problem::{Problem, nearest, shortened};
use wheelhaul_verify::{CHECKS, When};

/// What `checks` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Tell why this check is made, and what to do about its findings
    pub name: Option<String>,
}

/// The checks, or the one that was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// in the order that they are made in
    pub checks: Vec<ListedCheck>,
}

/// What there is to know of a check.
#[derive(Debug, Clone, Serialize)]
pub struct ListedCheck {
    /// `record`
    pub name: &'static str,
    /// when it is made, in words
    pub when: &'static str,
    /// whether that is for every package
    #[serde(skip)]
    pub is_always_made: bool,
    /// what it looks for, in a line
    pub reason: &'static str,
    /// why it is made, and what to do about its findings; of a check that was asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// The task.
///
/// # Errors
/// For a name that no check has.
pub(crate) fn run(options: &Options) -> anyhow::Result<Report> {
    let row = |check: &wheelhaul_verify::Check| ListedCheck {
        name: check.name,
        when: check.when.word(),
        is_always_made: check.when == When::Always,
        reason: check.reason(),
        explanation: options.name.as_ref().map(|_| check.explanation()),
    };
    let is_asked = |check: &&wheelhaul_verify::Check| options.name.as_ref().is_none_or(|name| check.name == name);
    let checks: Vec<ListedCheck> = CHECKS.iter().filter(is_asked).map(row).collect();
    match &options.name {
        Some(name) if checks.is_empty() => Err(unknown(name)),
        _ => Ok(Report { checks }),
    }
}

fn unknown(name: &str) -> anyhow::Error {
    let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
    let near = nearest(name, names.iter().copied()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Problem::with_hint(
        format!("there is no check `{}`", shortened(name).escape_debug()),
        format!("{near}known are {}", names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_explains_itself_and_names_a_cure() {
        for check in CHECKS {
            let report = run(&Options { name: Some(check.name.to_owned()) }).unwrap();
            let explanation = report.checks[0].explanation.as_deref().unwrap();
            assert!(explanation.contains("\n\nCure: "), "{explanation}");
            assert!(!check.reason().ends_with('.') && check.reason().len() <= 120, "{}", check.reason());
            assert!(explanation.lines().all(|line| line.chars().count() <= 120), "{}", check.name);
        }
    }
}
