//! What an RPM says of itself, before it is written by either builder.

use crate::elf::{Need, foreign};
use crate::rpm::{bundled_version, rpm_version};
use crate::service::Scriptlets;
use crate::target::{Compression, Target};
use pep440_rs::Version;
use pep508_rs::PackageName;

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
    /// what the ELF files of the wheels ask of the box
    pub libraries: Vec<Need>,
    /// the distributions that it brings along, in the order of names
    pub bundled: Vec<(&'a PackageName, &'a Version)>,
}

impl Facts<'_> {
    /// `1.el9`
    pub fn full_release(&self) -> String {
        format!("{}.{}", self.release, self.target.distribution.id)
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
        let mut libraries: Vec<String> = foreign(&self.libraries).map(|need| need.library().to_owned()).collect();
        libraries.dedup();
        needs.extend(libraries);
        needs
    }

    /// `Requires`: the interpreter, what the scriptlets call, and what rpm must be able to read.
    pub fn requires(&self) -> Vec<Dependency> {
        let scripts = Sense::PRE.and(Sense::POST).and(Sense::PREUN).and(Sense::POSTUN);
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
        requires.extend(self.libraries.iter().map(|need| Dependency::new(need.to_string(), Sense::ANY, "")));
        if self.target.distribution.compression == Compression::Zstd {
            requires.push(Dependency::new("rpmlib(PayloadIsZstd)", Sense::RPMLIB, "5.4.18-1"));
        }
        if self.provides().iter().any(|provided| provided.version.contains('~')) {
            requires.push(Dependency::new("rpmlib(TildeInVersions)", Sense::RPMLIB, "4.10.0-1"));
        }
        if self.release.contains('^') {
            requires.push(Dependency::new("rpmlib(CaretInVersions)", Sense::RPMLIB, "4.15.0-1"));
        }
        requires.sort();
        requires
    }

    /// `Provides`: itself, and the name and version of what it brings along, for those who look for a faulty one.
    /// None of the libraries in it: they are its own.
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
        provides.extend(self.bundled.iter().map(|(name, version)| {
            Dependency::new(format!("bundled(python3dist({name}))"), Sense::EQUAL, bundled_version(version))
        }));
        provides.sort();
        provides
    }

    /// `1:1.0.0-1.el9`
    pub fn evr(&self) -> String {
        let (epoch, version) = rpm_version(self.version);
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{version}-{}", self.full_release())
    }
}
