//! The box that is packed for: its name, its record, and what follows from it.

mod environment;
mod marker;
mod possible;
mod table;
mod tags;

pub use environment::{Asked, Environment};
pub use possible::may_hold;
pub use table::{Compression, Distribution, unit_key_since};
pub use tags::{Tag, TagRanks};

use crate::problem::{Problem, nearest};
use anyhow::Context as _;
use pep440_rs::Version;
use std::str::FromStr;
use table::{ARCHITECTURES, DISTRIBUTIONS, Interpreter};

/// A distribution on an architecture, with the one Python that the application runs on.
#[derive(Debug, Clone)]
pub struct Target {
    /// `el9-x86_64`: the name in `package.toml`, of the lock and on the command line
    pub name: String,
    /// the record of the distribution
    pub distribution: &'static Distribution,
    /// `x86_64` or `aarch64`, as rpm, wheels and `platform_machine` all call it
    pub arch: &'static str,
    /// the interpreter's record
    pub interpreter: &'static Interpreter,
    /// the full version that markers are judged with, `3.11.13`
    pub python_full: Version,
}

impl Target {
    /// Finds the records of a target.
    ///
    /// - Takes: `name` as `DISTRIBUTION-ARCHITECTURE`; `python` as `X.Y`, the box's own if absent;
    ///   `python_full` as `X.Y.Z`, the record's if absent.
    /// - Fails: for a name or version that is not known, naming those that are; for a
    ///   pre-release interpreter, since marker evaluation is not defined well enough for one.
    pub fn find(name: &str, python: Option<&str>, python_full: Option<&str>) -> anyhow::Result<Self> {
        let names = || DISTRIBUTIONS.iter().flat_map(|d| ARCHITECTURES.iter().map(move |a| format!("{}-{a}", d.id)));
        let (distribution, arch) = DISTRIBUTIONS
            .iter()
            .flat_map(|d| ARCHITECTURES.iter().map(move |a| (d, *a)))
            .find(|(d, a)| name == format!("{}-{a}", d.id))
            .ok_or_else(|| {
                let known: Vec<String> = names().collect();
                // Names that other tools give to the same processors.
                let meant = name.replace("amd64", "x86_64").replace("arm64", "aarch64");
                let hint = match nearest(&meant, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`? known targets: {}", known.join(", ")),
                    None => format!("known targets: {}", known.join(", ")),
                };
                Problem::with_hint(format!("unknown target `{name}`"), hint)
            })?;
        let wanted = match python {
            Some(text) => parse_minor(text)?,
            None => distribution.default_python,
        };
        let interpreter = distribution.interpreters.iter().find(|i| i.version == wanted).ok_or_else(|| {
            let known: Vec<String> =
                distribution.interpreters.iter().map(|i| format!("{}.{}", i.version.0, i.version.1)).collect();
            Problem::with_hint(
                format!("{} has no Python {}.{}", distribution.title, wanted.0, wanted.1),
                format!("it has {}", known.join(", ")),
            )
        })?;
        let full = python_full.unwrap_or(interpreter.full);
        let python_full = Version::from_str(full).with_context(|| format!("`{full}` is not a Python version"))?;
        let starts_right = python_full.release().starts_with(&[wanted.0.into(), wanted.1.into()]);
        if python_full.any_prerelease() || !starts_right || python_full.release().len() != 3 {
            return Err(Problem::with_hint(
                format!("`{full}` is not a final release of Python {}.{}", wanted.0, wanted.1),
                "`python-full` is what `python3 -V` prints on the box, such as 3.11.13",
            ));
        }
        Ok(Self { name: name.to_owned(), distribution, arch, interpreter, python_full })
    }

    /// `3.11`
    pub fn python(&self) -> String {
        format!("{}.{}", self.interpreter.version.0, self.interpreter.version.1)
    }

    /// The values that markers are judged with (PEP 508).
    pub fn environment(&self) -> Environment {
        Environment::of(self)
    }

    /// The wheel tags that fit, best first (PEP 425, PEP 600).
    pub fn tags(&self) -> Vec<Tag> {
        tags::best_first(self.interpreter.version, &tags::platforms(self.distribution.glibc, self.arch))
    }

    /// The platform tags that fit, best first.
    pub fn platforms(&self) -> Vec<String> {
        tags::platforms(self.distribution.glibc, self.arch)
    }

    /// `CPython 3.11, glibc 2.34, x86_64`, for messages.
    pub fn in_words(&self) -> String {
        let (major, minor) = self.distribution.glibc;
        format!("CPython {}, glibc {major}.{minor}, {}", self.python(), self.arch)
    }
}

fn parse_minor(text: &str) -> anyhow::Result<(u8, u8)> {
    text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?))).ok_or_else(|| {
        Problem::with_hint(
            format!("`{text}` is not a minor version of Python"),
            "write it as major and minor, such as \"3.11\"; the patch release goes to `python-full`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_or_refused_with_the_known_ones() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        assert_eq!(target.in_words(), "CPython 3.11, glibc 2.34, x86_64");
        assert_eq!(Target::find("el9-x86_64", None, None).unwrap().python(), "3.9");
        #[rustfmt::skip]
        let cases = [ // name          python          full             what it says
            ("el9",        None,         None,           "unknown target `el9`"),
            ("el9_x86_64", None,         None,           "unknown target `el9_x86_64`"),
            ("el9-x86_64", Some("3.13"), None,           "RHEL 9 and its rebuilds has no Python 3.13"),
            ("el9-x86_64", Some("3"),    None,           "`3` is not a minor version of Python"),
            ("el9-x86_64", Some("3.11"), Some("3.12.1"), "`3.12.1` is not a final release of Python 3.11"),
            ("el9-x86_64", Some("3.11"), Some("3.11.0rc1"), "`3.11.0rc1` is not a final release of Python 3.11"),
        ];
        for (name, python, full, says) in cases {
            assert_eq!(Target::find(name, python, full).unwrap_err().to_string(), says);
        }
    }
}
