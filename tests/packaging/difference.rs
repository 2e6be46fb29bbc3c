//! Where this tool and `packaging` differ on purpose, each with its reason.

use super::comparison::Atom;
use super::verdict::Verdict;
use pep440_rs::Version;
use std::str::FromStr as _;

/// A kind of comparison on which this tool and packaging differ on purpose.
pub struct Difference {
    /// what the specifications say, or why an error is the better answer
    pub reason: &'static str,
    /// whether a comparison is of this kind
    pub covers: fn(&Atom) -> bool,
    /// what this tool answers: an error, or one of these
    pub answers: Option<&'static [bool]>,
}

/// Every difference on purpose. "Specification": "Dependency specifiers" of packaging.python.org.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        reason: "Specification: outside of metadata `the \"extra\" variable should result in an error`; \
            only `==` and `!=` with the name of an extra have a meaning (PEP 508, PEP 685)",
        covers: |a| {
            a.variable == "extra"
                && (!["==", "!="].contains(&a.operator) || a.literal.contains(' ') || a.literal.contains(','))
        },
        answers: None,
    },
    Difference {
        reason: "no extra is called ``; packaging stands it in for `none asked for`",
        covers: |a| a.variable == "extra" && a.literal.is_empty() && ["==", "!="].contains(&a.operator),
        answers: Some(&[false, true]),
    },
    Difference {
        reason: "reversed, packaging takes the box's version for the specifier and the literal for what it matches, \
            and a literal that is no version matches nothing, not even by `!=`: an error says so",
        covers: |a| {
            a.is_of_version() && a.reversed && Version::from_str(a.literal).is_err() && !a.operator.ends_with("in")
        },
        answers: None,
    },
    Difference {
        reason: "reversed, `~=` and `===` would match the literal by the box's version, which nobody means",
        covers: |a| {
            (a.is_of_version() || a.variable == "platform_release") && a.reversed && ["~=", "==="].contains(&a.operator)
        },
        answers: None,
    },
    Difference {
        reason: "PEP 440: `===` is `simple string equality operations`; packaging strips spaces, and refuses \
            a literal with one inside",
        covers: |a| {
            (a.is_of_version() || a.variable == "platform_release") && a.operator == "===" && a.literal.contains(' ')
        },
        answers: Some(&[false]),
    },
    Difference {
        reason: "`~=` and `===` on a kernel's release, which no lock can know: an error, as on every other string",
        covers: |a| a.variable == "platform_release" && ["~=", "==="].contains(&a.operator),
        answers: None,
    },
    Difference {
        reason: "Specification: `!=` performs `the same as they do for strings in Python` where one side is no \
            version; packaging takes a release that is no version for one that matches nothing",
        covers: |a| a.variable == "platform_release" && a.operator == "!=",
        answers: Some(&[true]),
    },
];

impl Difference {
    pub fn explains(&self, ours: &Verdict) -> bool {
        match (self.answers, ours) {
            (None, Verdict::Error(_)) => true,
            (Some(answers), Verdict::Holds(holds)) => answers.contains(holds),
            _ => false,
        }
    }
}
