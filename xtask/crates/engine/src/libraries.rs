//! What the wheels of a lock need of the box, written to the lock by `lock`.

use crate::Project;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::Target;
use wheelhaul_pylock::Lock;
use wheelhaul_wheel::closure::{Asks, reach};
use wheelhaul_wheel::elf::{OfWheel, foreign, needs_of};

/// Writes to each package what its ELF files need of the box, and warns of libraries that the box may not have.
///
/// - Takes: `wheels`, in the order of the lock's packages; `asks`, who requires whom.
pub(crate) fn write_down(project: &Project, target: &Target, lock: &mut Lock, wheels: &[OfWheel], asks: &[Asks]) {
    let names: Vec<&PackageName> = lock.packages.iter().map(|package| &package.name).collect();
    let needs = needs_of(wheels, &reach(&names, asks, &|_| true));
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
