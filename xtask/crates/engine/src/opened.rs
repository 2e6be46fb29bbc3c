//! What is said of libraries that no ELF file asks for: those that Python code opens by name, by `lock` of what is locked
//! and by `rpm` of the application; and large ones for graphics processors.

use crate::report::size;
use anyhow::Context as _;
use pep508_rs::PackageName;
use rawzip::FileReader;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::Target;
use wheelhaul_config::{Config, RpmDependency};
use wheelhaul_package::layout::Wheel;
use wheelhaul_wheel::elf::{ElfNeed, OfWheel};
use wheelhaul_wheel::{opened_by_name, stem_of};

/// What the wheels of a target open by name, and what they bring.
#[derive(Default)]
pub(crate) struct ByName {
    /// of each package that opens any, in the order of the lock
    opened: Vec<(PackageName, BTreeSet<String>)>,
    /// the names of libraries, without their versions
    brought: BTreeSet<String>,
}

/// Packages of the boxes under whose names people require libraries (`dnf provides`, RHEL 8 to 10).
#[rustfmt::skip]
const PACKAGES: [(&str, &str); 24] = [
    ("libaugeas",          "augeas-libs"),
    ("libcairo",           "cairo"),
    ("libcrypto",          "openssl-libs"),
    ("libenchant-2",       "enchant2"),
    ("libfontconfig",      "fontconfig"),
    ("libgdk_pixbuf-2.0",  "gdk-pixbuf2"),
    ("libglib-2.0",        "glib2"),
    ("libgobject-2.0",     "glib2"),
    ("libgs",              "libgs"),
    ("libharfbuzz",        "harfbuzz"),
    ("libharfbuzz-subset", "harfbuzz"),
    ("libldap",            "openldap"),
    ("libmagic",           "file-libs"),
    ("libodbc",            "unixODBC"),
    ("libpango-1.0",       "pango"),
    ("libpangocairo-1.0",  "pango"),
    ("libpangoft2-1.0",    "pango"),
    ("libpq",              "libpq"),
    ("libsodium",          "libsodium"),
    ("libsqlite3",         "sqlite-libs"),
    ("libssl",             "openssl-libs"),
    ("libsystemd",         "systemd-libs"),
    ("libudev",            "systemd-libs"),
    ("libxml2",            "libxml2"),
];
/// glibc's libraries beside those that [`ElfNeed::is_everywhere`] knows; `libcrypt` left it for libxcrypt, which each box has.
const OF_GLIBC: [&str; 5] = ["libanl", "libcrypt", "libmvec", "libthread_db", "libBrokenLocale"];
/// A library for graphics processors that is smaller is not worth a line, in bytes.
const LARGE: u64 = 50_000_000;

impl ByName {
    /// Adds the wheel of the next package.
    pub(crate) fn add(&mut self, package: &PackageName, elf: &OfWheel, opened: BTreeSet<String>) {
        self.bring(elf);
        self.opened.push((package.clone(), opened));
    }

    fn bring(&mut self, elf: &OfWheel) {
        self.brought.extend(elf.names().into_iter().map(|name| stem_of(name).to_owned()));
    }

    /// The warning of the application's own modules, if there is one.
    ///
    /// - Takes: `wheels`, those of the lock, then the application's; `required`, what the RPM requires.
    pub(crate) fn warning_of_application(
        config: &Config,
        target: &Target,
        wheels: &[Wheel<FileReader>],
        required: &[ElfNeed],
    ) -> anyhow::Result<Option<String>> {
        let Some(application) = wheels.last() else { return Ok(None) };
        let opened = opened_by_name(&application.archive, &application.contents)
            .with_context(|| format!("`{}`", application.name))?;
        let mut by_name = Self::default();
        if !opened.is_empty() {
            for wheel in wheels {
                let elf =
                    OfWheel::read(&wheel.archive, &wheel.contents).with_context(|| format!("`{}`", wheel.name))?;
                by_name.bring(&elf);
            }
            by_name.opened.push((application.contents.metadata.name.clone(), opened));
        }
        Ok(by_name.warnings(config, target, required).pop())
    }

    /// A warning for each package whose modules open by name what neither a wheel nor glibc brings; unless the RPM
    /// requires it, or it is optional.
    ///
    /// - Takes: `required`, what the ELF files need.
    pub(crate) fn warnings(&self, config: &Config, target: &Target, required: &[ElfNeed]) -> Vec<String> {
        let dependencies = config.dependencies(target);
        let named = dependencies.requires.iter().chain(&dependencies.recommends).flat_map(words_of);
        let named: BTreeSet<&str> = named.collect();
        let optional = config.package.optional_libraries.iter().chain(&config.sdist.system_libraries);
        let required = required.iter().map(ElfNeed::library).chain(optional.map(String::as_str));
        let settled: BTreeSet<&str> = required.chain(named.iter().copied()).map(stem_of).collect();
        let mut warnings = Vec::new();
        for (package, libraries) in &self.opened {
            let mut stems: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for library in libraries.iter().filter(|library| !is_everywhere(library)) {
                stems.entry(stem_of(library)).or_default().push(library);
            }
            let of_package = |stem: &str| PACKAGES.iter().any(|(of, package)| *of == stem && named.contains(package));
            stems.retain(|stem, _| !self.brought.contains(*stem) && !settled.contains(stem) && !of_package(stem));
            if !stems.is_empty() {
                warnings.push(warning(package, &stems));
            }
        }
        warnings
    }
}

/// - Takes: `stems`, the libraries that a package opens, each with its names.
fn warning(package: &PackageName, stems: &BTreeMap<&str, Vec<&str>>) -> String {
    let names: Vec<String> = stems.values().map(|names| of_one(names)).collect();
    let required: Vec<String> = stems.iter().map(|(stem, names)| format!("\"{}\"", requirement(stem, names))).collect();
    let optional = stems.values().flat_map(|names| versioned_of(names)).map(|name| format!("\"{name}\""));
    format!(
        "Python code of `{package}` opens what neither a wheel nor glibc brings: {}; let the RPM require it: \
         `requires = [{}]` under `[package]`; or, where the application works without: `optional-libraries = [{}]`",
        names.join(", "),
        required.join(", "),
        optional.collect::<Vec<_>>().join(", ")
    )
}

/// A remark on a package that is mostly for graphics processors: nothing tells whether a box has one.
pub(crate) fn on_graphics(package: &PackageName, wheel: &OfWheel) -> Option<String> {
    let remark = format!(
        "`{package}` has {} of libraries for graphics processors, which a box without one never uses; where its publisher \
         has a release for processors alone, lock that",
        size(wheel.for_graphics)
    );
    (wheel.for_graphics >= LARGE).then_some(remark)
}

/// Whether each box has a library.
fn is_everywhere(library: &str) -> bool {
    let stem = stem_of(library);
    let is_known = |library: &str| ElfNeed::new(library, "").is_some_and(|need| need.is_everywhere());
    let numbered = ["0", "1", "2", "6"].iter().any(|number| is_known(&format!("{stem}.so.{number}")));
    numbered || OF_GLIBC.contains(&stem) || stem.starts_with("libpython") || stem.starts_with("libc.musl")
}

/// The names in a dependency: `libmagic.so.1` of `libmagic.so.1()(64bit)`.
fn words_of(dependency: &RpmDependency) -> impl Iterator<Item = &str> {
    dependency.name.split(|c: char| c.is_whitespace() || "()".contains(c)).filter(|word| !word.is_empty())
}

fn of_one(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// Of the names of a library those with a version, where any has one.
fn versioned_of<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let versioned: Vec<&str> = names.iter().copied().filter(|name| !name.ends_with(".so")).collect();
    if versioned.is_empty() { names.to_vec() } else { versioned }
}

/// What brings a library, as rpm spells it: the library where its version is known, else a package.
fn requirement(stem: &str, names: &[&str]) -> String {
    let versioned: Vec<String> = versioned_of(names).iter().map(|name| format!("{name}()(64bit)")).collect();
    match versioned.as_slice() {
        [one] if one.contains(".so()") => {
            PACKAGES.iter().find(|(of, _)| *of == stem).map_or("PACKAGE", |(_, package)| package).to_owned()
        }
        [one] => one.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_config::Relation;

    #[test]
    fn a_requirement_is_one_that_rpm_reads() {
        #[rustfmt::skip]
        let cases: [(&[&str], &str); 4] = [
            (&["libmagic.so", "libmagic.so.1"],    "libmagic.so.1()(64bit)"),
            (&["libmagic.so"],                     "file-libs"),
            (&["libffi.so.6", "libffi.so.8"],      "(libffi.so.6()(64bit) or libffi.so.8()(64bit))"),
            (&["libunknown.so"],                   "PACKAGE"),
        ];
        for (names, expected) in cases {
            let spelt = requirement(stem_of(names[0]), names);
            assert_eq!(spelt, expected);
            RpmDependency::parse(&spelt, Relation::Wanted).unwrap();
        }
    }

    #[test]
    fn what_each_box_has_is_known() {
        for (library, has) in [
            ("libc.so.6", true),
            ("libc.so", true),
            ("libdl.so.2", true),
            ("libpthread.so.0", true),
            ("libstdc++.so.6", true),
            ("libcrypt.so.1", true),
            ("libpython3.11.so.1.0", true),
            ("libmagic.so.1", false),
            ("libcuda.so.1", false),
        ] {
            assert_eq!(is_everywhere(library), has, "{library}");
        }
    }
}
