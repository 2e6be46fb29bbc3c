//! What a check comes to, and a whole package.

use crate::{Judged, Outcome, Severity, count};

/// What a check comes to, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// made, and nothing found
    Ok,
    /// made, and nothing worse found than warnings
    Warning,
    /// not made for want of a program of this host
    Unasked,
    /// made, and errors found
    Failed,
    /// not made for want of something in the package
    NotMade,
}

impl Verdict {
    /// In a word, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
            Self::NotMade | Self::Unasked => "NOT MADE",
        }
    }
}

impl Outcome {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::NotMade { severity: Severity::Warning, .. } => Verdict::Unasked,
            Self::NotMade { .. } => Verdict::NotMade,
            Self::Made { findings, .. } => match findings.iter().map(|finding| finding.severity).max() {
                None | Some(Severity::Accepted) => Verdict::Ok,
                Some(Severity::Warning) => Verdict::Warning,
                Some(Severity::Error) => Verdict::Failed,
            },
        }
    }
}

/// All checks of a package in a line: `12 of 12 checks passed`, `3 errors in 2 checks; 1 check was not made`.
pub fn in_a_line(judged: &[Judged]) -> String {
    let of = |verdict: Verdict| judged.iter().filter(|one| one.outcome.verdict() == verdict).count();
    let found = |severity: Severity| -> (usize, usize) {
        let counts = judged.iter().map(|one| match &one.outcome {
            Outcome::Made { findings, .. } => findings.iter().filter(|finding| finding.severity == severity).count(),
            Outcome::NotMade { .. } => 0,
        });
        let counts: Vec<usize> = counts.filter(|count| *count > 0).collect();
        (counts.iter().sum(), counts.len())
    };
    let mut parts = Vec::new();
    for (severity, noun) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Accepted, "accepted finding")]
    {
        let (findings, checks) = found(severity);
        if findings > 0 {
            parts.push(format!("{} in {}", count(findings, noun), count(checks, "check")));
        }
    }
    match of(Verdict::NotMade) + of(Verdict::Unasked) {
        0 => {}
        1 => parts.push("1 check was not made".to_owned()),
        many => parts.push(format!("{many} checks were not made")),
    }
    parts.push(format!("{} of {} passed", of(Verdict::Ok), count(judged.len(), "check")));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CHECKS, Finding};

    #[test]
    fn a_line_counts_errors_warnings_and_what_was_not_made() {
        let made = |errors: usize, warnings: usize| {
            let error = || Finding::error("/a", "x", "y", "z");
            let findings = (0..errors).map(|_| error()).chain((0..warnings).map(|_| error().warning())).collect();
            Outcome::Made { looked_at: String::new(), findings }
        };
        let unasked = || Outcome::NotMade { why: String::new(), severity: Severity::Warning };
        #[rustfmt::skip]
        let cases = [
            (vec![made(0, 0), made(0, 0)],                        "2 of 2 checks passed"),
            (vec![made(1, 0)],                                    "1 error in 1 check; 0 of 1 check passed"),
            (vec![made(2, 1), made(0, 3), made(0, 0)],            "2 errors in 1 check; 4 warnings in 2 checks; 1 of 3 checks passed"),
            (vec![unasked(), made(0, 0)],                         "1 check was not made; 1 of 2 checks passed"),
            (vec![unasked(), Outcome::not_made("x"), made(0, 1)], "1 warning in 1 check; 2 checks were not made; 0 of 3 checks passed"),
        ];
        for (outcomes, line) in cases {
            let judged: Vec<Judged> =
                outcomes.into_iter().map(|outcome| Judged { check: &CHECKS[0], outcome }).collect();
            assert_eq!(in_a_line(&judged), line);
        }
    }
}
