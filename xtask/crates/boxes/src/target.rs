//! A box that is packed for: its name, and what follows from its row of the table.

use crate::table::{ARCHITECTURES, BOXES, BoxRow, Compression};
use crate::tags::{self, Tag};
use crate::versions::{OLDEST, check_full, parse_minor, too_old};
use anyhow::Context as _;
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, nearest};

/// A distribution on an architecture, with the one Python that the application runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `el9-x86_64`: the name in `package.toml`, of the lock and on the command line
    pub name: String,
    /// what the distribution has
    pub distribution: Distribution,
    /// `x86_64` or `aarch64`, as rpm, wheels and `platform_machine` all call it
    pub arch: String,
    /// the one Python
    pub interpreter: Interpreter,
    /// the full version that markers are judged with, `3.11.13`
    pub python_full: Version,
    /// marker values in place of those that follow from the rest
    pub(crate) markers: BTreeMap<String, String>,
    /// the tags in place of those that follow from the rest
    pub(crate) own_tags: Option<Vec<Tag>>,
    /// whether its record stands in the table
    pub(crate) is_known: bool,
}

/// What a target's distribution has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// the end of the RPM's release, `el9`
    pub dist: String,
    /// what people call it
    pub title: String,
    /// the C library's version: the highest `manylinux_X_Y` that fits, and the highest `GLIBC_X.Y`
    pub glibc: (u16, u16),
    /// the systemd that reads the unit
    pub systemd: u16,
    /// what its rpm reads
    pub compression: Compression,
}

/// The Python of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// major and minor, `(3, 11)`
    pub version: (u8, u8),
    /// the package that brings it; none where it was put there by other means
    pub package: Option<String>,
    /// where it is started from
    pub path: String,
}

/// The names of the known targets, oldest distribution first.
pub fn known_names() -> Vec<String> {
    BOXES.iter().flat_map(|row| ARCHITECTURES.iter().map(move |arch| format!("{}-{arch}", row.id))).collect()
}

/// Every known target with every Python that its box can have.
pub fn known_targets() -> Vec<Target> {
    let with_arch = |row: &'static BoxRow| ARCHITECTURES.iter().map(move |arch| (row, *arch));
    let of_row = |(row, arch): (&'static BoxRow, &'static str)| {
        row.pythons.iter().map(move |python| {
            let full = Version::from_str(python.full).expect("a row's version is one");
            Target::of_row(row, arch, python.version, full).expect("a row has its own Pythons")
        })
    };
    BOXES.iter().flat_map(with_arch).flat_map(of_row).collect()
}

impl Target {
    /// Finds the record of a known target.
    ///
    /// `name` is `DISTRIBUTION-ARCHITECTURE`; `python` is `X.Y`, the box's own if absent; `python_full` is `X.Y.Z`, the
    /// record's if absent.
    ///
    /// # Errors
    /// For a name or version that is not known, naming those that are; for a pre-release interpreter, since marker
    /// evaluation is not defined well enough for one.
    pub fn find(name: &str, python: Option<&str>, python_full: Option<&str>) -> anyhow::Result<Self> {
        Self::find_at(name, python, python_full, None)
    }

    /// The same of a box at a minor release, such as `9.4`: it lacks the Pythons that came later.
    pub fn find_at(
        name: &str,
        python: Option<&str>,
        python_full: Option<&str>,
        minor: Option<&str>,
    ) -> anyhow::Result<Self> {
        let (row, arch) = BOXES
            .iter()
            .flat_map(|row| ARCHITECTURES.iter().map(move |arch| (row, *arch)))
            .find(|(row, arch)| name == format!("{}-{arch}", row.id))
            .ok_or_else(|| {
                let known = known_names();
                // Names that other tools give to the same processors.
                let meant = name.replace("amd64", "x86_64").replace("arm64", "aarch64");
                let near = nearest(&meant, known.iter().map(String::as_str));
                let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                Problem::with_hint(
                    format!("unknown target `{name}`"),
                    format!(
                        "{near}known targets: {}; `cargo xtask target --help` shows how to describe another box",
                        known.join(", ")
                    ),
                )
            })?;
        let wanted = match python {
            Some(text) => parse_minor(text)?,
            None => row.default_python,
        };
        let pythons = match minor {
            Some(minor) => row.pythons_of(minor).context("key `minor`")?,
            None => row.pythons.iter().collect(),
        };
        let known: Vec<String> = pythons.iter().map(|p| format!("{}.{}", p.version.0, p.version.1)).collect();
        if wanted < OLDEST {
            let (major, minor) = wanted;
            return Err(too_old(&format!("{major}.{minor}"), format!("{} has {}", row.title, known.join(", "))));
        }
        let Some(python) = pythons.iter().find(|python| python.version == wanted) else {
            let later = row.pythons.iter().find(|python| python.version == wanted).and_then(|python| row.since(python));
            let later = later.map(|since| format!("; that came with {since}")).unwrap_or_default();
            let at = minor.map(|minor| format!(" at {minor}")).unwrap_or_default();
            return Err(Problem::with_hint(
                format!("{}{at} has no Python {}.{}", row.title, wanted.0, wanted.1),
                format!("it has {}{later}", known.join(", ")),
            ));
        };
        let full = check_full(python_full.unwrap_or(python.full), wanted)?;
        Self::of_row(row, arch, wanted, full).context("a row has its own Pythons")
    }

    fn of_row(row: &BoxRow, arch: &str, version: (u8, u8), python_full: Version) -> Option<Self> {
        let python = row.pythons.iter().find(|python| python.version == version)?;
        Some(Self {
            name: format!("{}-{arch}", row.id),
            distribution: Distribution {
                dist: row.dist.to_owned(),
                title: row.title.to_owned(),
                glibc: row.glibc,
                systemd: row.systemd,
                compression: row.compression,
            },
            arch: arch.to_owned(),
            interpreter: Interpreter {
                version,
                package: Some(python.package.to_owned()),
                path: python.path.to_owned(),
            },
            python_full,
            markers: BTreeMap::new(),
            own_tags: None,
            is_known: true,
        })
    }

    /// The row of the table that it is of, by its `%dist` and its glibc.
    pub(crate) fn box_row(&self) -> Option<&'static BoxRow> {
        let has = &self.distribution;
        BOXES.iter().find(|row| row.dist == has.dist && row.glibc == has.glibc)
    }

    /// Whether the box's systemd knows a key of a unit.
    pub fn knows(&self, section: &str, key: &str) -> bool {
        wheelhaul_systemd::knows(self.distribution.systemd, section, key)
    }

    /// Whether the box's rpm has `Suggests` and the like, which came with 4.12.
    pub fn knows_weak_dependencies(&self) -> bool {
        // Of the boxes that a target can be, those with a glibc this old have an older rpm.
        self.distribution.glibc > (2, 17)
    }

    /// Whether the box's rpm reads files of 4 GiB and more, which came with 4.12 as well.
    pub fn knows_large_files(&self) -> bool {
        self.knows_weak_dependencies()
    }

    /// `3.11`
    pub fn python(&self) -> String {
        format!("{}.{}", self.interpreter.version.0, self.interpreter.version.1)
    }

    /// The wheel tags that fit, best first (PEP 425, PEP 600).
    pub fn tags(&self) -> Vec<Tag> {
        match &self.own_tags {
            Some(tags) => tags.clone(),
            None => tags::best_first(self.interpreter.version, &self.platforms()),
        }
    }

    /// The platform tags that fit, best first.
    pub fn platforms(&self) -> Vec<String> {
        match &self.own_tags {
            Some(tags) => distinct(tags.iter().map(|tag| &tag.platform).filter(|platform| *platform != "any")),
            None => tags::platforms(self.distribution.glibc, &self.arch),
        }
    }

    /// The ABI tags that fit, best first.
    pub fn abis(&self) -> Vec<String> {
        distinct(self.tags().iter().map(|tag| &tag.abi))
    }

    /// `CPython 3.11, glibc 2.34, x86_64`, for messages.
    pub fn in_words(&self) -> String {
        let (major, minor) = self.distribution.glibc;
        format!("CPython {}, glibc {major}.{minor}, {}", self.python(), self.arch)
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_target_is_listed_once() {
        let targets = known_targets();
        assert_eq!(targets.len(), 2 * BOXES.iter().map(|row| row.pythons.len()).sum::<usize>());
        assert!(targets.iter().all(|target| known_names().contains(&target.name)));
        let el7 = Target::find("el7-x86_64", None, None).unwrap();
        assert_eq!(el7.in_words(), "CPython 3.6, glibc 2.17, x86_64");
    }

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
            ("el7-x86_64", Some("2.7"),  None,           "Python 2.7 cannot be a target: what is packed starts isolated (`python -I`), which came with 3.4"),
            ("el9-x86_64", Some("3"),    None,           "`3` is not a minor version of Python"),
            ("el9-x86_64", Some("3.11"), Some("3.12.1"), "`3.12.1` is not a final release of Python 3.11"),
            ("el9-x86_64", Some("3.11"), Some("3.11.0rc1"), "`3.11.0rc1` is not a final release of Python 3.11"),
        ];
        for (name, python, full, says) in cases {
            assert_eq!(Target::find(name, python, full).unwrap_err().to_string(), says);
        }
    }
}
