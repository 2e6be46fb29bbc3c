//! What the wheelhouse lacks of the locks, fetched: shared by `rpm` and `dist`.

use crate::commands::Project;
use crate::commands::report::count;
use crate::decide::questions;
use crate::lockfile::{Lock, Package as Locked};
use crate::problem::{Problem, all_of};
use crate::target::Target;
use crate::tools::pip::Pip;
use crate::tools::uv::Uv;
use crate::wheel::Offers;
use crate::wheelhouse::Wanted;
use anyhow::Context as _;

/// Checks every wheel of the locks, and fetches those that are missing or damaged.
///
/// - Takes: `offers`, where the index was just asked, so that it is not asked again.
/// - Fails: with `offline`, where anything is missing; where the index no longer offers a locked file.
pub fn fill_wheelhouse(
    project: &Project,
    locks: &[Lock],
    offline: bool,
    offers: Option<&Offers>,
) -> anyhow::Result<()> {
    let wheelhouse = project.wheelhouse();
    let mut missing: Vec<(&Target, &Locked)> = Vec::new();
    for (target, lock) in project.targets.iter().zip(locks) {
        for package in wheelhouse.missing(&project.sys, lock)? {
            if !missing.iter().any(|(_, other)| other.sha256 == package.sha256) {
                missing.push((target, package));
            }
        }
    }
    if offline {
        return wheelhouse.refuse_missing(&missing.iter().map(|(_, package)| *package).collect::<Vec<_>>());
    }
    if missing.is_empty() {
        return Ok(());
    }
    let asked;
    let offers = match offers {
        Some(offers) => offers,
        None => {
            asked = ask_again(project, &missing)?;
            &asked
        }
    };
    let mut wanted = Vec::new();
    let mut faults = Vec::new();
    for (target, package) in missing {
        let offer = offers.get(&(package.name.clone(), package.version.clone()));
        let candidate = offer.and_then(|offer| offer.wheels.iter().find(|wheel| wheel.sha256 == package.sha256));
        match candidate {
            // An index may serve the file under another name: the lock's is the one that counts.
            Some(candidate) if candidate.name == package.wheel => {
                wanted.push(Wanted { target, candidate: candidate.clone() })
            }
            _ => faults.push(Problem::with_hint(
                format!("the index no longer offers `{}` with the sha256 of the lock", package.wheel),
                "choose anew with `cargo xtask lock --refresh`, or copy the file into `dist/wheels`",
            )),
        }
    }
    all_of("wheels cannot be fetched", faults)?;
    let pip = Pip::find(&project.sys)?;
    wheelhouse.fetch(&project.sys, &pip, &wanted)?;
    project.sys.say(format!("fetched {}", count(wanted.len(), "wheel")));
    Ok(())
}

fn ask_again(project: &Project, missing: &[(&Target, &Locked)]) -> anyhow::Result<Offers> {
    let of: Vec<_> = project
        .targets
        .iter()
        .map(|target| {
            let own = missing.iter().filter(|(of, _)| of.name == target.name);
            (target, own.map(|(_, package)| (&package.name, &package.version)).collect())
        })
        .collect();
    let lowest = project.targets.iter().map(|target| &target.python_full).min().context("there is no target")?;
    Uv::find(&project.sys)?.offers(&questions(&of), &lowest.to_string(), &project.app())
}
