//! What an RPM requires, provides and says of other packages, from the facts that it is made from.

use crate::rpm::package::{Dependency, Sense};
use crate::rpm::version::{bundled_version, rpm_version};
use pep440_rs::Version;
use pep508_rs::PackageName;
use wheelhaul_boxes::{Compression, Target};
use wheelhaul_config::{Dependencies, RpmDependency};
use wheelhaul_wheel::elf::{ElfNeed, foreign};

/// Names, texts and times that a package is made from.
#[derive(Debug)]
pub struct PackageFacts<'a> {
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
    /// whether it has config files
    pub has_config: bool,
    /// what the ELF files of the wheels ask of the box
    pub libraries: Vec<ElfNeed>,
    /// what `package.toml` says of other packages, as far as the box's rpm reads it
    pub others: Dependencies,
    /// the distributions that it brings along, in the order of names
    pub bundled: Vec<(&'a PackageName, &'a Version)>,
}

/// As the header has them, in its order.
fn dependencies_of(list: &[RpmDependency]) -> Vec<Dependency> {
    let one = |one: &RpmDependency| Dependency::new(&one.name, Sense::of(&one.comparison), &one.version);
    let mut all: Vec<Dependency> = list.iter().map(one).collect();
    all.sort();
    all.dedup();
    all
}

impl PackageFacts<'_> {
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
        let mut libraries: Vec<String> = foreign(&self.libraries).map(|need| need.library().to_owned()).collect();
        libraries.dedup();
        needs.extend(libraries);
        let named = self.others.requires.iter().map(ToString::to_string);
        let is_new = |name: &String| !needs.contains(name);
        let named: Vec<String> = named.filter(is_new).collect();
        needs.extend(named);
        needs
    }

    /// `Requires`: the interpreter, what the scriptlets call, and what rpm must be able to read.
    pub fn requires(&self) -> Vec<Dependency> {
        // `rm` of links and of a note; and where systemd does not make the folder of the state, `%pre` does.
        let removes = Sense::PREUN.and(Sense::POSTUN).and(Sense::POSTTRANS);
        let coreutils = match self.target.knows("Service", "StateDirectory") {
            true => removes,
            false => removes.and(Sense::PRE),
        };
        let mut requires = vec![
            Dependency::new("coreutils", coreutils, ""),
            Dependency::new("/bin/sh", Sense::SCRIPTLETS.into_iter().fold(Sense::INTERPRETER, Sense::and), ""),
            Dependency::new("shadow-utils", Sense::PRE, ""),
            Dependency::new("systemd", Sense::POST.and(Sense::PREUN).and(Sense::POSTUN).and(Sense::POSTTRANS), ""),
            Dependency::new("rpmlib(CompressedFileNames)", Sense::RPMLIB, "3.0.4-1"),
            Dependency::new("rpmlib(FileDigests)", Sense::RPMLIB, "4.6.0-1"),
            Dependency::new("rpmlib(PayloadFilesHavePrefix)", Sense::RPMLIB, "4.0-1"),
        ];
        requires.extend(self.config_files());
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
        requires.extend(dependencies_of(&self.others.requires));
        // As rpmbuild looks for them, in all that is said of versions.
        let lists = self.others.each();
        let others = lists.iter().flat_map(|(_, list)| list.iter());
        let others_have = |c: char| others.clone().flat_map(RpmDependency::versions).any(|version| version.contains(c));
        if others.clone().any(RpmDependency::is_rich) {
            requires.push(Dependency::new("rpmlib(RichDependencies)", Sense::RPMLIB, "4.12.0-1"));
        }
        if self.provides().iter().any(|provided| provided.version.contains('~')) || others_have('~') {
            requires.push(Dependency::new("rpmlib(TildeInVersions)", Sense::RPMLIB, "4.10.0-1"));
        }
        if self.release.contains('^') || others_have('^') {
            requires.push(Dependency::new("rpmlib(CaretInVersions)", Sense::RPMLIB, "4.15.0-1"));
        }
        requires.sort();
        requires.dedup();
        requires
    }

    /// That it has config files, which rpmbuild both provides and requires; none where it has none.
    fn config_files(&self) -> Option<Dependency> {
        self.has_config.then(|| Dependency::new(format!("config({})", self.name), Sense::CONFIG, self.evr()))
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
        ];
        provides.extend(self.config_files());
        provides.extend(self.bundled.iter().map(|(name, version)| {
            Dependency::new(format!("bundled(python3dist({name}))"), Sense::EQUAL, bundled_version(version))
        }));
        provides.sort();
        provides
    }

    /// `Suggests`: the libraries that `package.toml` lets be absent, which dnf never installs for it. They are
    /// what tells the one who judges the RPM that nobody forgot them.
    ///
    /// `optional` is what else the ELF files ask of the box. There is none for an rpm that has no weak dependencies.
    pub fn suggests(&self, optional: &[ElfNeed]) -> Vec<Dependency> {
        let is_known = self.target.knows_weak_dependencies();
        optional.iter().filter(|_| is_known).map(|need| Dependency::new(need.to_string(), Sense::ANY, "")).collect()
    }

    /// `Recommends`, `Conflicts` and `Obsoletes`.
    pub fn about_others(&self) -> [Vec<Dependency>; 3] {
        [&self.others.recommends, &self.others.conflicts, &self.others.obsoletes].map(|list| dependencies_of(list))
    }

    /// `1:1.0.0-1.el9`
    pub fn evr(&self) -> String {
        let (epoch, version) = rpm_version(self.version);
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{version}-{}", self.full_release())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(target: &'a Target, version: &'a Version, has_config: bool) -> PackageFacts<'a> {
        let (libraries, others, bundled) = (Vec::new(), Dependencies::default(), Vec::new());
        let (name, release, needs_openssl) = ("report", "1", true);
        PackageFacts { name, version, release, target, needs_openssl, has_config, libraries, others, bundled }
    }

    /// rpm 4.11 knows neither zstd nor rich dependencies, and what it does not know it refuses.
    #[test]
    fn an_old_rpm_is_asked_for_what_it_knows() {
        let target = Target::find("el7-x86_64", None, None).unwrap();
        let requires = facts(&target, &"1.0rc1".parse().unwrap(), false).requires();
        let features: Vec<&str> =
            requires.iter().map(|required| required.name.as_str()).filter(|name| name.starts_with("rpmlib(")).collect();
        #[rustfmt::skip]
        assert_eq!(features, [
            "rpmlib(CompressedFileNames)", "rpmlib(FileDigests)", "rpmlib(PayloadFilesHavePrefix)", "rpmlib(TildeInVersions)",
        ]);
        assert!(requires.iter().all(|required| !required.name.starts_with('(')), "a rich dependency: {requires:?}");
    }

    #[test]
    fn only_a_package_with_config_files_says_that_it_has_some() {
        let target = Target::find("el9-x86_64", None, None).unwrap();
        let version = "1.0".parse().unwrap();
        for has_config in [false, true] {
            let facts = facts(&target, &version, has_config);
            for list in [facts.requires(), facts.provides()] {
                assert_eq!(list.iter().any(|dependency| dependency.name == "config(report)"), has_config, "{list:?}");
            }
        }
    }
}
