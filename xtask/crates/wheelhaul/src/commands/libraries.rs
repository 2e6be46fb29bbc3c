//! What the wheels of a lock need of the box, written to the lock by `lock`.

use crate::boxes::Target;
use crate::closure::{Asks, reach};
use crate::commands::Project;
use crate::commands::accepting::Accepting;
use crate::elf::{ElfFile, OfWheel, foreign, needs_of};
use crate::lockfile::Lock;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};

/// Writes to each package what its ELF files need of the box, and warns of what the box may not have.
///
/// - Takes: `wheels`, in the order of the lock's packages; `asks`, who requires whom.
pub fn write_down(
    project: &Project,
    target: &Target,
    lock: &mut Lock,
    mut wheels: Vec<OfWheel>,
    asks: &[Asks],
    accepting: &Accepting<'_>,
) {
    let aside: Vec<Vec<ElfFile>> = wheels.iter_mut().map(|wheel| wheel.set_aside(target)).collect();
    let names: Vec<&PackageName> = lock.packages.iter().map(|package| &package.name).collect();
    let needs = needs_of(&wheels, &reach(&names, asks, &|_| true));
    for (package, (wheel, aside)) in lock.packages.iter().zip(wheels.iter().zip(&aside)) {
        let of_aside = misfits(target, &OfWheel::default(), aside, accepting).into_iter();
        let of_aside = of_aside.map(|what| format!("{what}; nothing on the box loads it"));
        for what in misfits(target, wheel, &wheel.files, accepting).into_iter().chain(of_aside) {
            project.sys.say(format!("warning: `{}`, locked for `{}`: {what}", package.wheel, target.name));
        }
    }
    let mut strangers: BTreeMap<&str, BTreeSet<&PackageName>> = BTreeMap::new();
    for (name, needs) in names.iter().zip(&needs) {
        for need in foreign(needs) {
            strangers.entry(need.library()).or_default().insert(name);
        }
    }
    // Those that somebody named are known to be needed, or not to be.
    let (built, optional) = (&project.config.sdist.system_libraries, &project.config.package.optional_libraries);
    strangers.retain(|library, _| !built.contains(*library) && !optional.contains(*library));
    for (library, by) in strangers {
        let by: Vec<String> = by.into_iter().map(|name| format!("`{name}`")).collect();
        project.sys.say(format!(
            "warning: the RPM for `{}` requires `{library}` of the box's repositories, for {}; where the application works \
             without it: `optional-libraries = [\"{library}\"]` under `[package]`",
            target.name,
            by.join(", ")
        ));
    }
    for (package, needs) in lock.packages.iter_mut().zip(needs) {
        package.requires = needs;
    }
}

/// Why the box could not load files of a wheel, a line a reason; `verify` refuses the RPM for it.
///
/// - Takes: `files`, those of `wheel`, or those of it that were set aside.
fn misfits(target: &Target, wheel: &OfWheel, files: &[ElfFile], accepting: &Accepting<'_>) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let own = wheel.names();
    for file in files {
        let (for_others, too_new) = match &file.facts {
            Ok(facts) => (facts.of_another_kind(target), facts.too_new(target, &|library| own.contains(library))),
            Err(reason) => (vec![format!("cannot be read as an ELF file: {reason}")], Vec::new()),
        };
        for (check, misfits) in [("elf", for_others), ("symbols", too_new)] {
            let accepted = accepting.by(check, &file.path).map(|accepted| format!("; {accepted}")).unwrap_or_default();
            for misfit in misfits {
                found.entry(misfit + &accepted).or_default().push(&file.path);
            }
        }
    }
    let line = |(misfit, paths): (String, Vec<&str>)| match paths.len() {
        1 => format!("`{}` {misfit}", paths[0]),
        count => format!("`{}` and {} more: each {misfit}", paths[0], count - 1),
    };
    found.into_iter().map(line).collect()
}
