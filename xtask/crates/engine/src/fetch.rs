//! What the wheelhouse lacks of the locks, fetched or built: shared by `lock`, `rpm` and `dist`.

use crate::report::count;
use crate::tools::client_hints::{NEWER_PYTHON, NO_RELEASE};
use crate::tools::pip::Pip;
use crate::tools::uv::{Index, Uv};
use crate::wheelhouse::{Wanted, refuse_missing};
use crate::{Project, sdist};
use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;
use std::collections::BTreeSet;
use std::thread;
use wheelhaul_base::problem::{Problem, ProgramFailure, all_of};
use wheelhaul_boxes::{Target, known_targets};
use wheelhaul_host::Stop;
use wheelhaul_lockfiles::{Pin, Pins};
use wheelhaul_pylock::{Lock, LockedPackage as Locked};
use wheelhaul_select::decide::{Question, questions};
use wheelhaul_select::{Offer, Offers};

/// What is offered for the pins of each target: by the index, asked once for all, and by the lock itself.
pub(crate) fn ask(project: &Project, pins: &Pins, of: &[(&Target, Vec<&Pin>)]) -> anyhow::Result<Offers> {
    let mut placed = Offers::new();
    for pin in of.iter().flat_map(|(_, pins)| pins).filter(|pin| !pin.files.is_empty()) {
        placed.insert((pin.name.clone(), pin.version.clone()), Offer::placed(pin)?);
    }
    let of_index: Vec<_> = of
        .iter()
        .map(|(target, pins)| {
            let asked = pins.iter().filter(|pin| pin.files.is_empty());
            (*target, asked.copied().collect())
        })
        .collect();
    let questions = questions(&of_index);
    if questions.is_empty() {
        return Ok(placed);
    }
    let lowest = of.iter().map(|(target, _)| &target.python_full).min().context("there is no target")?;
    let folder = project.app();
    let index =
        Index { python: &lowest.to_string(), folder: &folder, links: links(project, pins), no_index: pins.no_index };
    let asked = ask_index(&Uv::find(&project.sys)?, &questions, &index);
    let mut offers = asked.map_err(|error| match ProgramFailure::says(&error, &[NEWER_PYTHON]) {
        true => too_old(of, error),
        false => error,
    })?;
    offers.extend(placed);
    Ok(offers)
}

/// The folders of the repository that the lock wants to be looked in.
fn links(project: &Project, pins: &Pins) -> Vec<Utf8PathBuf> {
    let mut links = Vec::new();
    for folder in &pins.find_links {
        let path = project.sys.root.join(folder);
        match path.is_dir() {
            true => links.push(path),
            false => project.sys.say(format!("warning: `--find-links`: there is no folder `{folder}`")),
        }
    }
    links
}

/// Asks for exactly the versions that are locked, and only where one is not there, for releases with a local part: where
/// there are both, uv would tell of the latter alone.
fn ask_index(uv: &Uv<'_>, questions: &[Question], index: &Index<'_>) -> anyhow::Result<Offers> {
    let exact: Vec<Question> = questions.iter().map(Question::exact).collect();
    let error = match uv.offers(&exact, index) {
        Err(error) if questions.iter().any(|question| question.takes_local) => error,
        asked => return asked,
    };
    if !ProgramFailure::says(&error, &[NO_RELEASE]) {
        return Err(error);
    }
    // What the index says of the locked versions is what a person can mend.
    let Ok(mut offers) = uv.offers(questions, index) else { return Err(error) };
    let has = |offers: &Offers, one: &Question| offers.contains_key(&(one.name.clone(), one.version.clone()));
    for (question, exact) in questions.iter().zip(&exact).filter(|(question, _)| question.takes_local) {
        if has(&offers, question) {
            continue;
        }
        if let Ok(found) = uv.offers(std::slice::from_ref(exact), index) {
            offers.extend(found);
        }
    }
    Ok(offers)
}

/// The error where a locked release needs a newer Python than the box has.
fn too_old(of: &[(&Target, Vec<&Pin>)], error: anyhow::Error) -> anyhow::Error {
    let Some((target, _)) = of.iter().min_by_key(|(target, _)| &target.python_full) else { return error };
    let others: BTreeSet<String> =
        known_targets().iter().filter(|known| known.name == target.name).map(Target::python).collect();
    let others = match others.len() {
        0 => String::new(),
        _ => format!(" (it has {})", others.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Problem::around(
        error,
        format!("the lock has releases for newer Pythons than the {} of `{}`", target.python_full, target.name),
        format!("set `python` of this `[[target]]`{others}, or lock for Python {}", target.python()),
    )
}

/// Checks every wheel of the locks, and fetches or builds those that are missing or damaged.
///
/// - Takes: `offers`, where the index was just asked, so that it is not asked again.
/// - Fails: with `--offline`, where anything is missing; where the index no longer offers a locked file; where
///   a wheel that is built again comes out otherwise.
pub(crate) fn fill_wheelhouse(
    project: &Project,
    locks: &[(&Target, &Lock)],
    offers: Option<&Offers>,
) -> anyhow::Result<()> {
    let missing = project.steps.during("fetch", || missing(project, locks))?;
    let fetched = project.steps.during("fetch", || fetch(project, &missing, offers, &Stop::default()))?;
    say_fetched(project, fetched);
    Ok(())
}

/// The same, while `other` is done, which needs none of the wheels; `what` that is, is drawn once they are there.
///
/// What fails first ends the other soon. What is said has one order: of the wheels first, and their error alone where
/// both fail. Asking the index is never broken off, so that a network that is not there is told of by that.
pub(crate) fn fill_wheelhouse_beside<T: Send>(
    project: &Project,
    locks: &[(&Target, &Lock)],
    offers: Option<&Offers>,
    what: &str,
    other: impl FnOnce(&Stop) -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let missing = project.steps.during("fetch", || missing(project, locks))?;
    let (stop_fetching, stop_other) = (Stop::default(), Stop::default());
    thread::scope(|scope| {
        let beside = scope.spawn(|| other(&stop_other).inspect_err(|_| stop_fetching.ask()));
        let fetched = project.steps.during("fetch", || fetch(project, &missing, offers, &stop_fetching));
        if fetched.is_err() {
            stop_other.ask();
        }
        let spinner = project.sys.spinner(what);
        let done = project.steps.during("wheel", || beside.join().expect("no thread panics"));
        spinner.finish_and_clear();
        say_fetched(project, fetched?);
        done
    })
}

/// The packages whose wheel is not there, each with a target that needs it.
fn missing<'a>(project: &Project, locks: &[(&'a Target, &'a Lock)]) -> anyhow::Result<Vec<(&'a Target, &'a Locked)>> {
    let missing = project.wheelhouse().missing(&project.sys, locks)?;
    if project.sys.offline {
        refuse_missing(missing.iter().map(|(_, package)| *package))?;
    }
    Ok(missing)
}

fn say_fetched(project: &Project, wheels: usize) {
    if wheels > 0 {
        project.sys.say(format!("fetched {}", count(wheels, "wheel")));
    }
}

/// Fetches or builds wheels; gives how many were fetched, none where it was asked to `stop`.
fn fetch(
    project: &Project,
    missing: &[(&Target, &Locked)],
    offers: Option<&Offers>,
    stop: &Stop,
) -> anyhow::Result<usize> {
    if missing.is_empty() {
        return Ok(0);
    }
    let asked;
    let offers = match offers {
        Some(offers) => offers,
        None => {
            asked = ask_again(project, missing)?;
            &asked
        }
    };
    let mut wanted = Vec::new();
    let mut faults = Vec::new();
    let nothing = Offer::default();
    for (target, package) in missing {
        let offer = offers.get(&(package.name.clone(), package.version.clone())).unwrap_or(&nothing);
        if package.built_from.is_some() {
            if !stop.is_asked() {
                faults.extend(build_again(project, target, package, offer).err());
            }
            continue;
        }
        // An index may serve the same bytes under several names: the lock's is the one that counts.
        match offer.wheels.iter().find(|wheel| wheel.sha256 == package.sha256 && wheel.name == package.wheel) {
            Some(candidate) => wanted.push(Wanted { target, candidate: candidate.clone() }),
            None => faults.push(gone(&package.wheel.to_string())),
        }
    }
    all_of("wheels cannot be fetched", faults)?;
    if wanted.is_empty() || stop.is_asked() {
        return Ok(0);
    }
    let pip = Pip::find(&project.sys)?;
    let is_done = project.wheelhouse().fetch(&project.sys, &pip, &wanted, stop)?;
    Ok(if is_done { wanted.len() } else { 0 })
}

fn gone(file: &str) -> anyhow::Error {
    Problem::with_hint(
        format!("the index no longer offers `{file}` with the sha256 of the lock"),
        "choose anew with `cargo xtask lock --refresh`, or copy the file into `dist/wheels`",
    )
}

/// Builds a wheel of the lock that is not there; it has to come out as it was.
fn build_again(project: &Project, target: &Target, package: &Locked, offer: &Offer) -> anyhow::Result<()> {
    let source = package.built_from.as_ref().context("it was built")?;
    let sdist = offer.sdist.as_ref().filter(|sdist| sdist.sha256 == source.sha256);
    let sdist = sdist.ok_or_else(|| gone(&source.name))?;
    let built = sdist::build(project, target, &package.name, &package.version, sdist)?;
    ensure!(
        built.sha256 == package.sha256,
        Problem::with_hint(
            format!("`{}` came out otherwise than it was locked: its build depends on this host", built.wheel),
            "carry the file from `dist/wheels` of the host that locked it, publish it to your index, or lock again with `cargo xtask lock --refresh`",
        )
    );
    Ok(())
}

fn ask_again(project: &Project, missing: &[(&Target, &Locked)]) -> anyhow::Result<Offers> {
    let (_, pins) = project.pins()?;
    let of: Vec<_> = project
        .targets
        .iter()
        .map(|target| {
            let own = missing.iter().filter(|(of, _)| of.name == target.name);
            let is_missing = |pin: &Pin| own.clone().any(|(_, p)| p.name == pin.name && pin.is_of(&p.version));
            (target, pins.pins.iter().filter(|pin| is_missing(pin)).collect())
        })
        .collect();
    ask(project, pins, &of)
}
