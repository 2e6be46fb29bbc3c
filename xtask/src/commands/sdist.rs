//! A wheel from a source distribution: built on this host, then judged for the box as any other.

use crate::commands::Project;
use crate::lockfile::{BuiltFrom, Package};
use crate::problem::{Problem, all_of};
use crate::sys::sha256_of;
use crate::target::{TagRanks, Target};
use crate::tools::build::TargetPython;
use crate::verify::elf::{self, ElfFacts};
use crate::wheel::{Sdist, WheelName};
use crate::wheelhouse::{only_wheel, open_wheel};
use anyhow::{Context as _, anyhow, ensure};
use camino::Utf8Path;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::BTreeSet;

/// Builds the wheel of a package and puts it into the wheelhouse.
///
/// - Gives: the package as the lock has it, with what it was built from.
/// - Fails: where this host has no such Python; where the build fails; where the wheel is of something else,
///   or has an ELF file that the box cannot load.
pub fn build(
    project: &Project,
    target: &Target,
    name: &PackageName,
    version: &Version,
    sdist: &Sdist,
) -> anyhow::Result<Package> {
    let build = || {
        let sys = &project.sys;
        let (_keep, scratch) = sys.scratch()?;
        TargetPython::find(sys, target)?.build_wheel(sdist, &scratch)?;
        let wheel = only_wheel(&scratch)?;
        let path = scratch.join(wheel.to_string());
        ensure!(wheel.name == *name && wheel.version == *version, "what was built is `{wheel}`");
        let libraries = judge(&path, &wheel, target, &project.config.sdist.system_libraries)?;
        let package = Package {
            name: name.clone(),
            version: version.clone(),
            size: Some(fs_err::metadata(&path)?.len()),
            sha256: sha256_of(&path)?,
            uploaded: sdist.uploaded.clone(),
            built_from: Some(BuiltFrom { name: sdist.name.clone(), sha256: sdist.sha256.clone(), libraries }),
            wheel,
        };
        project.wheelhouse().take(sys, &path, &package)?;
        sys.say(format!("built {} from {}", package.wheel, sdist.name));
        Ok(package)
    };
    build().with_context(|| format!("`{name}=={version}` from its sdist"))
}

/// Whether the box can load what was built on this host: tags, then every ELF file.
///
/// - Gives: those of the `allowed` libraries that it asks for.
fn judge(
    path: &Utf8Path,
    wheel: &WheelName,
    target: &Target,
    allowed: &BTreeSet<String>,
) -> anyhow::Result<Vec<String>> {
    ensure!(
        wheel.rank(&TagRanks::new(target.tags())).is_some(),
        "`{wheel}` is tagged for another box than {}",
        target.in_words()
    );
    let (archive, _) = open_wheel(path, wheel)?;
    let own: BTreeSet<&str> = archive.members().iter().filter_map(|member| member.path.rsplit('/').next()).collect();
    let mut faults = Vec::new();
    let mut libraries = BTreeSet::new();
    for (place, member) in archive.members().iter().enumerate() {
        let bytes = archive.read(place)?;
        if !bytes.starts_with(elf::MAGIC) {
            continue;
        }
        let facts = elf::read_bytes(&bytes).map_err(|error| anyhow!("`{}`: {error}", member.path))?;
        faults.extend(facts.misfits(target).iter().map(|what| {
            Problem::with_hint(
                format!("`{}` {what}", member.path),
                "build it on a host as old as the box, or publish a wheel that was to your index",
            )
        }));
        for library in foreign_libraries(&facts, &own) {
            if allowed.contains(library) {
                libraries.insert(library.clone());
                continue;
            }
            faults.push(Problem::with_hint(
                format!("`{}` needs the library `{library}`, which the wheel does not bring", member.path),
                format!("if the box's repositories have it: `[sdist] system-libraries = [\"{library}\"]` in `dist/package.toml`, and the RPM requires it; else build where its headers are not installed, or publish a wheel that brings it (`auditwheel repair`)"),
            ));
        }
    }
    all_of("files were built for this host and not for the box", faults)?;
    Ok(libraries.into_iter().collect())
}

/// Libraries that are asked for and neither in the wheel nor on every box: glibc's, gcc's, Python's (PEP 600).
fn foreign_libraries<'f>(facts: &'f ElfFacts, own: &BTreeSet<&str>) -> Vec<&'f String> {
    const EVERYWHERE: [&str; 12] = [
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libnsl.so.1",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
    ];
    let is_there = |name: &str| EVERYWHERE.contains(&name) || own.contains(name) || name.starts_with("libpython");
    facts.needed.iter().filter(|name| !is_there(name)).collect()
}
