//! What the wheels of a lock need of the box, written to the lock by `lock`.

use crate::closure::Asks;
use crate::commands::Project;
use crate::elf::{OfWheel, foreign, needs_of};
use crate::lockfile::Lock;
use crate::target::Target;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};

/// Writes to each package what its ELF files need of the box, and warns of what the box may not have.
///
/// - Takes: `wheels`, in the order of the lock's packages; `asks`, who requires whom.
pub fn write_down(project: &Project, target: &Target, lock: &mut Lock, wheels: &[OfWheel], asks: &[Asks]) {
    let names: Vec<&PackageName> = lock.packages.iter().map(|package| &package.name).collect();
    let needs = needs_of(wheels, &requires(&names, asks));
    for (package, wheel) in lock.packages.iter().zip(wheels) {
        for what in misfits(target, wheel) {
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

/// For each package the places of those that it requires, however indirectly.
fn requires(names: &[&PackageName], asks: &[Asks]) -> Vec<BTreeSet<usize>> {
    let places: BTreeMap<&PackageName, usize> = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    let mut direct: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); names.len()];
    for asks in asks {
        if let (Some(by), Some(asked)) = (places.get(&asks.by), places.get(&asks.name)) {
            direct[*by].insert(*asked);
        }
    }
    let reached = |start: usize| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![start];
        while let Some(place) = waiting.pop() {
            waiting.extend(direct[place].iter().filter(|next| reached.insert(**next)));
        }
        reached
    };
    (0..names.len()).map(reached).collect()
}

/// Why the box could not load files of a wheel, a line a reason; `verify` refuses the RPM for it.
fn misfits(target: &Target, wheel: &OfWheel) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let own = wheel.names();
    for file in &wheel.files {
        let misfits = match &file.facts {
            Ok(facts) => facts.misfits(target, &|library| own.contains(library)),
            Err(reason) => vec![format!("cannot be read as an ELF file: {reason}")],
        };
        for misfit in misfits {
            found.entry(misfit).or_default().push(&file.path);
        }
    }
    let line = |(misfit, paths): (String, Vec<&str>)| match paths.len() {
        1 => format!("`{}` {misfit}", paths[0]),
        count => format!("`{}` and {} more: each {misfit}", paths[0], count - 1),
    };
    found.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_followed_to_its_end() {
        let names: Vec<PackageName> = ["a", "b", "c", "d"].map(|name| name.parse().unwrap()).into();
        let asks = |by: usize, name: usize| Asks {
            name: names[name].clone(),
            by: names[by].clone(),
            extra: None,
            what: String::new(),
        };
        let found = requires(&names.iter().collect::<Vec<_>>(), &[asks(0, 1), asks(1, 2), asks(2, 1)]);
        let expected: [&[usize]; 4] = [&[1, 2], &[1, 2], &[1, 2], &[]];
        assert_eq!(found, expected.map(|places| places.iter().copied().collect::<BTreeSet<_>>()));
    }
}
