//! A wheel from a source distribution: built on this host, then judged for the box as any other.

use crate::Project;
use crate::tools::build::TargetPython;
use crate::wheelhouse::{only_wheel, open_wheel};
use anyhow::{Context as _, ensure};
use camino::Utf8Path;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::BTreeSet;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_boxes::{TagRanks, Target};
use wheelhaul_host::sha256_of;
use wheelhaul_pylock::{BuiltFrom, LockedPackage};
use wheelhaul_select::OfferedSdist;
use wheelhaul_wheel::WheelName;
use wheelhaul_wheel::elf::{ElfNeed, OfWheel, foreign, needs_of};

/// Builds the wheel of a package and puts it into the wheelhouse.
///
/// - Gives: the package as the lock has it, with what it was built from.
/// - Fails: where this host has no such Python; where the build fails; where the wheel is of something else,
///   or has an ELF file that the box cannot load.
pub(crate) fn build(
    project: &Project,
    target: &Target,
    name: &PackageName,
    version: &Version,
    sdist: &OfferedSdist,
) -> anyhow::Result<LockedPackage> {
    let build = || {
        let sys = &project.sys;
        let (_keep, scratch) = sys.scratch()?;
        TargetPython::find(sys, target)?.build_wheel(sdist, &scratch)?;
        let wheel = only_wheel(&scratch)?;
        let path = scratch.join(wheel.to_string());
        ensure!(wheel.name == *name && wheel.version == *version, "what was built is `{wheel}`");
        judge(&path, &wheel, target, &project.config.sdist.system_libraries)?;
        let package = LockedPackage {
            name: name.clone(),
            version: version.clone(),
            size: Some(fs_err::metadata(&path)?.len()),
            sha256: sha256_of(&path)?,
            uploaded: sdist.uploaded.clone(),
            built_from: Some(BuiltFrom { name: sdist.name.clone(), sha256: sdist.sha256.clone() }),
            contents: None,
            requires: Vec::new(),
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
/// - Fails: once, naming every file, and every library that neither the wheel nor each box has and that is not
///   one of `allowed`.
fn judge(path: &Utf8Path, wheel: &WheelName, target: &Target, allowed: &BTreeSet<String>) -> anyhow::Result<()> {
    ensure!(
        wheel.rank(&TagRanks::new(target.tags())).is_some(),
        "`{wheel}` is tagged for another box than {}",
        target.in_words()
    );
    let (archive, contents) = open_wheel(path, wheel)?;
    let mut of_wheel = OfWheel::read(&archive, &contents)?;
    of_wheel.set_aside(target);
    let mut faults = Vec::new();
    let own = of_wheel.names();
    for file in &of_wheel.files {
        let misfits = match &file.facts {
            Ok(facts) => facts.misfits(target, &|library| own.contains(library)),
            Err(error) => vec![format!("cannot be read as an ELF file: {error}")],
        };
        faults.extend(misfits.iter().map(|what| {
            Problem::with_hint(
                format!("`{}` {what}", file.path),
                "build it on a host as old as the box, or publish a wheel that was to your index",
            )
        }));
    }
    let needs = needs_of(&[of_wheel], &[]).concat();
    let libraries: BTreeSet<&str> = foreign(&needs).map(ElfNeed::library).collect();
    faults.extend(libraries.iter().filter(|library| !allowed.contains(**library)).map(|library| {
        Problem::with_hint(
            format!("it needs the library `{library}`, which it does not bring"),
            format!("if the box's repositories have it: `[sdist] system-libraries = [\"{library}\"]` in `dist/package.toml`, and the RPM requires it; else build where its headers are not installed, or publish a wheel that brings it (`auditwheel repair`)"),
        )
    }));
    all_of("files were built for this host and not for the box", faults)
}
