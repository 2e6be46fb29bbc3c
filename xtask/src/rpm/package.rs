//! What an RPM says of itself, before it is written by either builder.

use crate::rpm::rpm_version;
use crate::service::Scriptlets;
use crate::target::{Compression, Target};
use pep440_rs::Version;

/// How a dependency's version is compared, and when it is needed: `RPMSENSE_*` of rpm's `rpmds.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sense(u32);

impl Sense {
    /// any version
    pub const ANY: Self = Self(0);
    /// this version
    pub const EQUAL: Self = Self(1 << 3);
    /// a feature that rpm itself must have, at this version or older
    pub const RPMLIB: Self = Self((1 << 24) | (1 << 1) | (1 << 3));
    /// that this package has config files
    pub const CONFIG: Self = Self((1 << 28) | (1 << 3));
    /// runs a scriptlet
    pub const INTERPRETER: Self = Self(1 << 8);
    /// needed by `%pre`
    pub const PRE: Self = Self(1 << 9);
    /// needed by `%post`
    pub const POST: Self = Self(1 << 10);
    /// needed by `%preun`
    pub const PREUN: Self = Self(1 << 11);
    /// needed by `%postun`
    pub const POSTUN: Self = Self(1 << 12);
    /// needed by `%verifyscript`
    pub const VERIFY: Self = Self(1 << 13);

    /// Both at once.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The value of the header's flags.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// A name that is provided or required.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// `python(abi)`
    pub name: String,
    /// how
    pub sense: Sense,
    /// `3.11`, or nothing
    pub version: String,
}

impl Dependency {
    fn new(name: impl Into<String>, sense: Sense, version: impl Into<String>) -> Self {
        Self { name: name.into(), sense, version: version.into() }
    }
}

/// An entry of the changelog, `rpm -q --changelog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// who ships the RPM, and which one: `Example Ltd - 1.0-1.el9`
    pub name: String,
    /// what it was built from, one line that starts with `- `
    pub text: String,
    /// seconds since 1970, noon of the day in UTC, as rpmbuild reads a date
    pub time: u32,
}

impl Change {
    /// Takes `by`, who ships it; `from`, such as `commit 1234`; `time` in seconds since 1970.
    pub fn new(by: &str, facts: &Facts<'_>, from: &str, time: u32) -> Self {
        const DAY: u32 = 24 * 3600;
        let noon = (time - time % DAY).saturating_add(DAY / 2);
        Self { name: format!("{by} - {}", facts.evr()), text: format!("- Built from {from}"), time: noon }
    }
}

/// Everything that the header says, but for the files.
#[derive(Debug, Clone)]
pub struct Package {
    /// `quality_report`
    pub name: String,
    /// PEP 440's, where it is not 0
    pub epoch: Option<u32>,
    /// in RPM's spelling
    pub version: String,
    /// `1.el9`
    pub release: String,
    /// `x86_64`
    pub arch: String,
    /// one line
    pub summary: String,
    /// what `rpm -qi` shows
    pub description: String,
    /// `License:`
    pub license: String,
    /// `URL:`
    pub url: Option<String>,
    /// `Vendor:`
    pub vendor: Option<String>,
    /// in the order of names
    pub requires: Vec<Dependency>,
    /// in the order of names
    pub provides: Vec<Dependency>,
    /// the four
    pub scriptlets: Scriptlets,
    /// the one entry of the changelog
    pub change: Change,
    /// seconds since 1970
    pub build_time: u32,
    /// of the payload
    pub compression: Compression,
    /// of the compressor
    pub level: i32,
}

/// Names, texts and times that a package is made from.
#[derive(Debug)]
pub struct Facts<'a> {
    /// of the RPM
    pub name: &'a str,
    /// the application's
    pub version: &'a Version,
    /// without the distribution
    pub release: &'a str,
    /// the box
    pub target: &'a Target,
    /// whether the service makes its certificate
    pub needs_openssl: bool,
    /// libraries of the box that wheels ask for, `libyaml-0.so.2`
    pub libraries: Vec<&'a str>,
}

impl Facts<'_> {
    /// `1.el9`
    pub fn full_release(&self) -> String {
        format!("{}.{}", self.release, self.target.distribution.dist)
    }

    /// `NAME-VERSION-RELEASE.ARCH.rpm`
    pub fn file_name(&self) -> String {
        let (_, version) = rpm_version(self.version);
        format!("{}-{version}-{}.{}.rpm", self.name, self.full_release(), self.target.arch)
    }

    /// The packages of the distribution that the box must have, as people name them.
    pub fn needs(&self) -> Vec<String> {
        let mut needs: Vec<String> = self.target.interpreter.package.iter().cloned().collect();
        needs.extend(["systemd".to_owned(), "shadow-utils".to_owned()]);
        if self.needs_openssl {
            needs.push("openssl".to_owned());
        }
        needs.extend(self.libraries.iter().map(|library| (*library).to_owned()));
        needs
    }

    /// `Requires`: the interpreter, what the scriptlets call, and what rpm must be able to read.
    pub fn requires(&self) -> Vec<Dependency> {
        let scripts = [Sense::PRE, Sense::POST, Sense::PREUN, Sense::POSTUN, Sense::VERIFY]
            .into_iter()
            .fold(Sense::ANY, Sense::and);
        let evr = self.evr();
        let mut requires = vec![
            Dependency::new("/bin/sh", Sense::INTERPRETER.and(scripts), ""),
            Dependency::new("shadow-utils", Sense::PRE, ""),
            Dependency::new("systemd", Sense::POST.and(Sense::PREUN).and(Sense::POSTUN), ""),
            Dependency::new(format!("config({})", self.name), Sense::CONFIG, evr),
            Dependency::new("rpmlib(CompressedFileNames)", Sense::RPMLIB, "3.0.4-1"),
            Dependency::new("rpmlib(FileDigests)", Sense::RPMLIB, "4.6.0-1"),
            Dependency::new("rpmlib(PayloadFilesHavePrefix)", Sense::RPMLIB, "4.0-1"),
        ];
        // There `%pre` makes the folder of the state.
        if !self.target.knows("Service", "StateDirectory") {
            requires.push(Dependency::new("coreutils", Sense::PRE, ""));
        }
        // An interpreter that no package brings is none that rpm knows of.
        if let Some(package) = &self.target.interpreter.package {
            requires.push(Dependency::new("python(abi)", Sense::EQUAL, self.target.python()));
            requires.push(Dependency::new(package, Sense::ANY, ""));
        }
        if self.needs_openssl {
            requires.push(Dependency::new("openssl", Sense::ANY, ""));
        }
        // As rpm's own generator for ELF files names a library of 64 bits.
        requires.extend(
            self.libraries.iter().map(|library| Dependency::new(format!("{library}()(64bit)"), Sense::ANY, "")),
        );
        if self.target.distribution.compression == Compression::Zstd {
            requires.push(Dependency::new("rpmlib(PayloadIsZstd)", Sense::RPMLIB, "5.4.18-1"));
        }
        if rpm_version(self.version).1.contains('~') || self.release.contains('~') {
            requires.push(Dependency::new("rpmlib(TildeInVersions)", Sense::RPMLIB, "4.10.0-1"));
        }
        if self.release.contains('^') {
            requires.push(Dependency::new("rpmlib(CaretInVersions)", Sense::RPMLIB, "4.15.0-1"));
        }
        requires.sort();
        requires
    }

    /// `Provides`: itself, and nothing of what it brings along.
    pub fn provides(&self) -> Vec<Dependency> {
        let isa = match self.target.arch.as_str() {
            "aarch64" => "aarch-64",
            _ => "x86-64",
        };
        let mut provides = vec![
            Dependency::new(self.name, Sense::EQUAL, self.evr()),
            Dependency::new(format!("{}({isa})", self.name), Sense::EQUAL, self.evr()),
            Dependency::new(format!("config({})", self.name), Sense::CONFIG, self.evr()),
        ];
        provides.sort();
        provides
    }

    fn evr(&self) -> String {
        let (epoch, version) = rpm_version(self.version);
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{version}-{}", self.full_release())
    }
}
