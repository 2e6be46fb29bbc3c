//! The table of boxes: all that is known of each distribution is in its row, and a new box is a new row.
//!
//! Sources: glibc, systemd, rpm and python are the package versions of each release, with Red Hat's
//! "Installing and using dynamic programming languages" (8, 9) and "Considerations in adopting
//! RHEL 10"; for al2023, AWS's "Python in AL2023". Payload compressions are those that the release's
//! rpm reads (`rpmlib(PayloadIsZstd)` came with rpm 4.14, but el8's early minors lack it).
//! Patch releases of Python move with each minor of the distribution; they matter only to markers on
//! `python_full_version`, and `python-full` in `package.toml` says what a box really has.
//!
//! Life of the Pythons: "available since" of Red Hat's "Configuring basic system settings" (8, table 18.1) and
//! "Installing and using dynamic programming languages" (9, table 1.1); 3.14, and the ends of 3.11 and 3.12, as public
//! repositories quote Red Hat's "Application Streams Life Cycle", which could not be read itself (the wiki of
//! Kozea/Radicale, sclorg/s2i-python-container 635 and 813, root-project/root 20086 for 3.12 on el8). el7 has a `python3`
//! since 7.7. Ends of the boxes: "Red Hat Enterprise Linux Life Cycle", as the same wiki has them; al2023's "Release
//! cadence". "Python in AL2023" says that its further Pythons are supported as long as upstream does (PEP 664, PEP 693),
//! which for 3.13 and 3.14 is longer than the box.
//!
//! What its own gcc left on the box: gcc, libstdc++ and libgcc are the package versions of each release (4.8.5, 8.5, 11, 14; al2023 has 11).
//! GLIBCXX and CXXABI of a gcc: "ABI Policy and Guidelines" of the libstdc++ manual, "Versioning". Symbols of libgcc
//! carry the version of the gcc that brought them (`libgcc-std.ver` and those of the processors in its sources), so
//! that gcc's own version is the highest. Levels of x86-64: "Building Red Hat Enterprise Linux 9 for the x86-64-v2
//! microarchitecture level" and "Considerations in adopting RHEL 10" by Red Hat, "System requirements" of AWS's guide to
//! al2023; el7 and el8 run on every x86-64.
//!
//! Signatures: rpm's `digest_openssl.c` and `digest_libgcrypt.c` at the release tags; el10 verifies with Sequoia.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wheelhaul_base::calendar::Month;
use wheelhaul_base::problem::Problem;

/// How the payload of an RPM is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// gzip members, one after another (RFC 1952 section 2.2)
    Gzip,
    /// Zstandard frames, one after another (RFC 8878 section 3.1)
    Zstd,
}

/// A Python that a box can have.
#[derive(Debug)]
pub struct PythonRow {
    /// major and minor, `(3, 11)`
    pub version: (u8, u8),
    /// the full version that markers are judged with
    pub full: &'static str,
    /// the package that brings it
    pub package: &'static str,
    /// where it is started from
    pub path: &'static str,
    /// the first minor release of the box that has it; none where no source tells
    pub since: Option<u8>,
    /// until when the vendor supports it
    pub until: Until,
}

/// Until when a vendor supports a Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// as long as the box itself
    Box,
    /// to the end of a month
    Month(Month),
    /// no source tells
    Unknown,
}

/// What a distribution's own gcc left on the box: its C++ library, its support library, and the processor that all of it
/// was compiled for.
#[derive(Debug, PartialEq, Eq)]
pub struct Runtimes {
    /// versions of symbols by their family: the highest that the box has, `("GLIBCXX", &[3, 4, 29])`
    pub families: [(&'static str, &'static [u64]); 3],
    /// the level of x86-64 that its own programs need: 2 is `x86-64-v2`
    pub x86_level: u8,
}

/// One release of a distribution.
#[derive(Debug)]
pub struct BoxRow {
    /// the first part of a target's name
    pub id: &'static str,
    /// the end of the RPM's release, its `%{dist}` without the dot
    pub dist: &'static str,
    /// what people call it
    pub title: &'static str,
    /// what its minor releases begin with, the 9 of 9.4; none where it has no such releases
    pub release: Option<u8>,
    /// the last month in which the vendor supports it without a further contract
    pub until: Month,
    /// the C library's version: the highest `manylinux_X_Y` that fits, and the highest `GLIBC_X.Y`
    pub glibc: (u16, u16),
    /// the systemd that reads the unit
    pub systemd: u16,
    /// what its rpm reads
    pub compression: Compression,
    /// algorithms of signatures that its rpm does not verify, and since when one does
    pub unverified: &'static [(&'static str, &'static str)],
    /// what its own gcc left
    pub runtimes: Runtimes,
    /// the version of the box's own Python
    pub default_python: (u8, u8),
    /// every Python that its repositories have
    pub pythons: &'static [PythonRow],
}

const fn python(
    version: (u8, u8),
    full: &'static str,
    package: &'static str,
    path: &'static str,
    since: Option<u8>,
    until: Until,
) -> PythonRow {
    PythonRow { version, full, package, path, since, until }
}

/// The versions of `GLIBCXX`, `CXXABI` and `GCC`, and the level of x86-64.
const fn runtimes(cxx: &'static [u64], abi: &'static [u64], gcc: &'static [u64], x86_level: u8) -> Runtimes {
    Runtimes { families: [("GLIBCXX", cxx), ("CXXABI", abi), ("GCC", gcc)], x86_level }
}

const EDDSA: (&str, &str) = ("EdDSA", "that came with rpm 4.16");
const ECDSA: (&str, &str) = ("ECDSA", "that came with Sequoia");

const fn month(year: u16, month: u8) -> Month {
    Month { year, month }
}

/// Every distribution: those of RHEL, oldest first, then others.
#[rustfmt::skip]
pub const BOXES: &[BoxRow] = &[
    BoxRow {
        id: "el7", dist: "el7", title: "RHEL 7 and its rebuilds", release: Some(7), until: month(2024, 6),
        glibc: (2, 17), systemd: 219, compression: Compression::Gzip, default_python: (3, 6),
        unverified: &[EDDSA, ECDSA], runtimes: runtimes(&[3, 4, 19], &[1, 3, 7], &[4, 8, 5], 1),
        pythons: &[
            python((3, 6),  "3.6.8",   "python3",    "/usr/bin/python3.6",  Some(7),  Until::Box),
        ],
    },
    BoxRow {
        id: "el8", dist: "el8", title: "RHEL 8 and its rebuilds", release: Some(8), until: month(2029, 5),
        glibc: (2, 28), systemd: 239, compression: Compression::Gzip, default_python: (3, 6),
        unverified: &[EDDSA, ECDSA], runtimes: runtimes(&[3, 4, 25], &[1, 3, 11], &[8, 5], 1),
        pythons: &[
            python((3, 6),  "3.6.8",   "python36",   "/usr/bin/python3.6",  Some(0),  Until::Box),
            python((3, 8),  "3.8.17",  "python38",   "/usr/bin/python3.8",  Some(2),  Until::Month(month(2023, 5))),
            python((3, 9),  "3.9.25",  "python39",   "/usr/bin/python3.9",  Some(4),  Until::Month(month(2025, 11))),
            python((3, 11), "3.11.13", "python3.11", "/usr/bin/python3.11", Some(8),  Until::Month(month(2026, 5))),
            python((3, 12), "3.12.11", "python3.12", "/usr/bin/python3.12", Some(10), Until::Box),
        ],
    },
    BoxRow {
        id: "el9", dist: "el9", title: "RHEL 9 and its rebuilds", release: Some(9), until: month(2032, 5),
        glibc: (2, 34), systemd: 252, compression: Compression::Zstd, default_python: (3, 9),
        unverified: &[ECDSA], runtimes: runtimes(&[3, 4, 29], &[1, 3, 13], &[11, 5], 2),
        pythons: &[
            python((3, 9),  "3.9.25",  "python3",    "/usr/bin/python3.9",  Some(0),  Until::Box),
            python((3, 11), "3.11.13", "python3.11", "/usr/bin/python3.11", Some(2),  Until::Month(month(2026, 5))),
            python((3, 12), "3.12.11", "python3.12", "/usr/bin/python3.12", Some(4),  Until::Month(month(2027, 4))),
            python((3, 14), "3.14.0",  "python3.14", "/usr/bin/python3.14", Some(8),  Until::Unknown),
        ],
    },
    BoxRow {
        id: "el10", dist: "el10", title: "RHEL 10 and its rebuilds", release: Some(10), until: month(2035, 5),
        glibc: (2, 39), systemd: 257, compression: Compression::Zstd, default_python: (3, 12),
        unverified: &[], runtimes: runtimes(&[3, 4, 33], &[1, 3, 15], &[14, 2], 3),
        pythons: &[
            python((3, 12), "3.12.11", "python3",    "/usr/bin/python3.12", Some(0),  Until::Box),
            python((3, 14), "3.14.0",  "python3.14", "/usr/bin/python3.14", Some(2),  Until::Unknown),
        ],
    },
    BoxRow {
        id: "al2023", dist: "amzn2023", title: "Amazon Linux 2023", release: None, until: month(2029, 6),
        glibc: (2, 34), systemd: 252, compression: Compression::Zstd, default_python: (3, 9),
        unverified: &[ECDSA], runtimes: runtimes(&[3, 4, 29], &[1, 3, 13], &[11, 4], 2),
        pythons: &[
            python((3, 9),  "3.9.25",  "python3",    "/usr/bin/python3.9",  None,     Until::Box),
            python((3, 11), "3.11.13", "python3.11", "/usr/bin/python3.11", None,     Until::Month(month(2027, 10))),
            python((3, 12), "3.12.11", "python3.12", "/usr/bin/python3.12", None,     Until::Month(month(2028, 10))),
            python((3, 13), "3.13.9",  "python3.13", "/usr/bin/python3.13", None,     Until::Box),
            python((3, 14), "3.14.0",  "python3.14", "/usr/bin/python3.14", None,     Until::Box),
        ],
    },
];

/// Processor architectures, as rpm, wheels and `platform_machine` all call them.
pub(crate) const ARCHITECTURES: &[&str] = &["x86_64", "aarch64"];

impl BoxRow {
    /// The Pythons that a minor release of the box has.
    ///
    /// # Errors
    /// For a text that is no minor release of this box.
    pub(crate) fn pythons_of(&self, minor: &str) -> anyhow::Result<Vec<&'static PythonRow>> {
        let Some(release) = self.release else {
            return Err(Problem::with_hint(
                format!("{} has no minor releases that are known here", self.title),
                "leave `minor` out",
            ));
        };
        let number = minor.split_once('.').filter(|(front, _)| front.parse() == Ok(release));
        let Some(number) = number.and_then(|(_, number)| number.parse::<u8>().ok()) else {
            return Err(Problem::with_hint(
                format!("`{minor}` is not a minor release of {}", self.title),
                format!("write it as /etc/os-release of the box has it in VERSION_ID, such as \"{release}.4\""),
            ));
        };
        Ok(self.pythons.iter().filter(|python| python.since.is_none_or(|since| since <= number)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_box_has_its_default_python_and_each_minor_once() {
        for row in BOXES {
            let versions: Vec<_> = row.pythons.iter().map(|python| python.version).collect();
            assert!(versions.contains(&row.default_python), "{}", row.id);
            assert!(versions.is_sorted_by(|a, b| a < b), "{}", row.id);
            for python in row.pythons {
                let (major, minor) = python.version;
                assert!(python.full.starts_with(&format!("{major}.{minor}.")), "{python:?}");
                assert_eq!(python.path, format!("/usr/bin/python{major}.{minor}"));
            }
        }
    }

    /// A newer systemd than those has keys that would be called unknown, and may have dropped others.
    #[test]
    fn the_keys_of_every_systemd_were_looked_at() {
        for row in BOXES {
            let newest = wheelhaul_systemd::newest_looked_at();
            assert!(
                row.systemd <= newest,
                "{} has systemd {}: look at its keys, `systemd/src/unit_keys.rs`",
                row.id,
                row.systemd
            );
        }
    }
}
