//! Locks brought up to date: what `lock` and `dist` share. Only here is anything decided anew.

use crate::tools::uv::Uv;
use crate::{Project, fetch, lock_checks, sdist};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use serde::Serialize;
use std::io::Read as _;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, all_of, nearest};
use wheelhaul_boxes::Target;
use wheelhaul_config::Build;
use wheelhaul_host::with_lf;
use wheelhaul_lockfiles::{FileLocation, Filtered, LockTexts, Pin, Pins, Unknown, filter};
use wheelhaul_pylock::{Lock, LockedPackage};
use wheelhaul_select::Offers;
use wheelhaul_select::decide::{Decision, decide, disagreements, inputs_digest, lock_of, read_lock};

/// For how many packages the nearest release with a wheel is looked up: each costs a question or two.
const MOST_NEAREST: usize = 8;

/// What became of one target's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// it is what the team's lock says
    Current,
    /// it is not, and why
    Stale(Vec<String>),
    /// it was made anew
    Written,
}

/// One target's lock, and what was left out of it.
#[derive(Debug)]
pub(crate) struct Locked {
    /// the lock; none where it is stale and was not made anew
    pub lock: Option<Lock>,
    /// what became of it
    pub state: State,
    /// each pin that the box does not get
    pub dropped: Vec<Left>,
}

/// A pin that a box does not get.
#[derive(Debug, Serialize)]
pub struct Left {
    /// normalized
    pub name: String,
    /// as locked
    pub version: String,
    /// the marker that is false, where one is
    pub marker: Option<String>,
    /// why, in words
    pub reason: String,
    /// where it stands
    pub place: String,
}

/// The locks of all targets, and what has to be said of the team's.
#[derive(Debug)]
pub(crate) struct Locks {
    /// in the order of the targets
    pub all: Vec<Locked>,
    /// why the team's own tool would call its lock stale
    pub team_stale: Option<String>,
    /// what was not honoured, or decided by what nobody can know
    pub warnings: Vec<String>,
    /// the files of the repository that the team's lock is made of, with the wheels that it takes by their path
    pub read: Vec<Utf8PathBuf>,
    /// what the index offers, if it was asked
    pub offers: Option<Offers>,
}

/// Locks that are what the team's lock says.
#[derive(Debug)]
pub(crate) struct Current {
    /// in the order of the targets
    pub locks: Vec<Lock>,
    /// as [`Locks::read`]
    pub read: Vec<Utf8PathBuf>,
    /// what the index offers, if it was just asked
    pub offers: Option<Offers>,
}

impl Locks {
    /// The locks alone; those that are stale are left out.
    pub(crate) fn current(self) -> Current {
        let locks = self.all.into_iter().filter_map(|locked| locked.lock).collect();
        Current { locks, read: self.read, offers: self.offers }
    }

    /// Each stale lock with its reasons, in a line.
    pub(crate) fn stale(&self, project: &Project) -> Vec<String> {
        let line = |(target, locked): (&Target, &Locked)| match &locked.state {
            State::Stale(why) => Some(format!("{}: {}", project.shown(&project.lock_path(target)), why.join("; "))),
            _ => None,
        };
        project.targets.iter().zip(&self.all).filter_map(line).collect()
    }

    /// Says which locks are stale, for `--offline`: the index would have to be asked.
    pub(crate) fn refuse_to_ask(&self, project: &Project) -> anyhow::Result<()> {
        match self.stale(project) {
            stale if stale.is_empty() => Ok(()),
            stale => Err(Problem::with_hint(
                format!("the index would have to be asked, and `--offline` forbids it: {}", stale.join("; ")),
                "run `cargo xtask lock` once without `--offline`",
            )),
        }
    }

    /// Says the warnings on standard error.
    ///
    /// - Takes: `told`, whether the team's stale lock is told of as a finding.
    pub(crate) fn warn(&self, project: &Project, told: bool) {
        let stale = self.team_stale.as_ref().filter(|_| !told);
        let stale = stale.map(|reason| format!("{}: {reason}", project.config.app.lock));
        for warning in self.warnings.iter().chain(&stale) {
            project.sys.say(format!("warning: {warning}"));
        }
    }
}

/// A target with its pins and its lock on disk.
struct Looked<'a> {
    target: &'a Target,
    filtered: Filtered<'a>,
    inputs: String,
    locked: Locked,
}

/// Filters the pins for every target and looks at its lock on disk.
fn look<'a>(project: &'a Project, texts: &LockTexts, pins: &'a Pins) -> anyhow::Result<(Vec<Looked<'a>>, Vec<String>)> {
    let mut all = Vec::new();
    let mut faults = Vec::new();
    let mut warnings = pins.warnings.clone();
    for target in &project.targets {
        match filter(pins, target).and_then(|filtered| has_own_name(project, &filtered).map(|()| filtered)) {
            Ok(filtered) => {
                let app = &project.config.app;
                let inputs = inputs_digest(texts, &project.selection(), &project.config.sdist, &app.unmet, target);
                match inspect_target(project, target, &filtered, &inputs) {
                    Ok(locked) => all.push(Looked { target, filtered, inputs, locked }),
                    Err(fault) => faults.push(fault),
                }
            }
            Err(fault) => faults.push(fault.context(format!("target `{}`", target.name))),
        }
    }
    all_of("targets cannot be locked", faults).map_err(|error| match &pins.stale {
        // What it says may be all there is to say.
        Some(reason) => Problem::around(error, format!("{}: {reason}", project.config.app.lock), ""),
        None => error,
    })?;
    let of_target = |looked: &Looked<'a>| (looked.target.name.clone(), looked.filtered.unknown.clone());
    let unknown: Vec<_> = all.iter().map(of_target).collect();
    let unknown = unknown.iter().flat_map(|(target, all)| all.iter().map(|one| (target.as_str(), one)));
    warnings.extend(Unknown::warnings(&unknown.collect::<Vec<_>>()));
    warnings.extend(unknown_builds(project, pins));
    Ok((all, warnings))
}

/// Refuses a dependency with the name of the wheel that this tool makes of `app.modules`: of two distributions with one
/// name, `importlib.metadata` sees the first, so the entry points and the version of the dependency would be lost.
fn has_own_name(project: &Project, filtered: &Filtered<'_>) -> anyhow::Result<()> {
    let name = &project.config.package.name;
    if project.config.app.modules().is_none() {
        return Ok(());
    }
    let is_own = |pin: &&Pin| PackageName::from_str(name).is_ok_and(|own| own == pin.name);
    match filtered.kept.iter().map(|kept| kept.pin).find(is_own) {
        None => Ok(()),
        Some(pin) => Err(Problem::with_hint(
            format!(
                "`{}`, {}: `{}=={}` has the name of the package itself, which is also that of the wheel made of `app.modules`",
                project.config.app.lock, pin.place, pin.name, pin.version
            ),
            format!("give the package a name of its own: `name = \"our-{name}\"` under `[package]`"),
        )),
    }
}

/// Names of `[sdist] build` that the lock does not have.
fn unknown_builds(project: &Project, pins: &Pins) -> Vec<String> {
    let Build::Only(names) = &project.config.sdist.build else { return Vec::new() };
    let known = |name: &PackageName| pins.pins.iter().any(|pin| pin.name == *name);
    let near = |name: &PackageName| nearest(name.as_ref(), pins.pins.iter().map(|pin| pin.name.as_ref()));
    let told = |name: &PackageName| {
        let meant = near(name).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        format!("`[sdist] build` names `{name}`, which the lock does not have{meant}")
    };
    names.iter().filter(|name| !known(name)).map(told).collect()
}

/// Holds the locks on disk against the team's lock; starts no program and asks nobody.
pub(crate) fn inspect(project: &Project) -> anyhow::Result<Locks> {
    let (texts, pins) = project.pins()?;
    let (looked, warnings) = look(project, texts, pins)?;
    let all = looked.into_iter().map(|looked| looked.locked).collect();
    Ok(Locks { all, team_stale: pins.stale.clone(), warnings, read: read(texts, pins), offers: None })
}

fn read(texts: &LockTexts, pins: &Pins) -> Vec<Utf8PathBuf> {
    let by_path = pins.pins.iter().flat_map(|pin| &pin.files).filter_map(|file| match &file.at {
        FileLocation::Path(path) => Some(path),
        FileLocation::Url(_) => None,
    });
    texts.keys().chain(by_path).cloned().collect()
}

///
/// # Errors
/// If the lock on disk is not a regular file of the repository: then nothing of it is read, nor told.
fn inspect_target(project: &Project, target: &Target, filtered: &Filtered<'_>, inputs: &str) -> anyhow::Result<Locked> {
    let stale = |reason: String| (None, State::Stale(vec![reason]));
    let path = project.lock_path(target);
    let text = project.sys.open_if_there(&path)?.map(|mut file| {
        let mut text = String::new();
        file.read_to_string(&mut text).map(|_| with_lf(text))
    });
    let (lock, state) = match text.transpose() {
        Ok(None) => stale("it is not there".to_owned()),
        Err(error) => stale(format!("it cannot be read: {error:#}")),
        Ok(Some(text)) => match read_lock(&text, target) {
            Err(error) => stale(format!("it cannot be read: {error:#}")),
            Ok(lock) => match disagreements(&lock, filtered, target, inputs) {
                reasons if !reasons.is_empty() => (None, State::Stale(reasons)),
                _ if lock.to_text(target).is_ok_and(|own| own == text) => (Some(lock), State::Current),
                _ => stale("it was edited by hand".to_owned()),
            },
        },
    };
    let dropped = filtered
        .dropped
        .iter()
        .map(|dropped| Left {
            name: dropped.pin.name.to_string(),
            version: dropped.pin.version.to_string(),
            marker: dropped.why.marker().map(str::to_owned),
            reason: dropped.why.in_words(&target.name),
            place: dropped.pin.place.clone(),
        })
        .collect();
    Ok(Locked { lock, state, dropped })
}

/// Makes every stale lock anew, or all of them with `refresh`, with one question to the index.
///
/// - Fails: once for all targets, naming each pin without a file; then naming each distribution that would
///   miss something on its box. Nothing is written then.
pub(crate) fn bring_up_to_date(project: &Project, refresh: bool) -> anyhow::Result<Locks> {
    let (texts, pins) = project.pins()?;
    let (mut looked, warnings) = look(project, texts, pins)?;
    let is_stale = |looked: &Looked<'_>| refresh || looked.locked.state != State::Current;
    let mut asked: Vec<(&Target, Vec<&Pin>)> = Vec::new();
    for Looked { target, filtered, .. } in looked.iter().filter(|one| is_stale(one)) {
        asked.push((target, filtered.kept.iter().map(|kept| kept.pin).collect()));
    }
    let mut offers = None;
    if !asked.is_empty() {
        let asked = offers.insert(fetch::ask(project, pins, &asked)?);
        let mut stale: Vec<&mut Looked<'_>> = looked.iter_mut().filter(|one| is_stale(one)).collect();
        make_anew(project, pins, &mut stale, asked)?;
    }
    let all = looked.into_iter().map(|looked| looked.locked).collect();
    Ok(Locks { all, team_stale: pins.stale.clone(), warnings, read: read(texts, pins), offers })
}

/// Decides each lock, fetches its wheels, walks what they require, and writes them all.
fn make_anew(project: &Project, pins: &Pins, stale: &mut [&mut Looked<'_>], offers: &Offers) -> anyhow::Result<()> {
    let mut locks = Vec::new();
    let mut faults = Vec::new();
    for Looked { target, filtered, inputs, .. } in stale.iter().map(|looked| &**looked) {
        match choose_files(project, target, filtered, offers) {
            Ok(packages) => locks.push(lock_of(target, inputs.clone(), packages)),
            Err(fault) => faults.push(fault.context(format!("target `{}`", target.name))),
        }
    }
    all_of("targets cannot be locked", faults)?;
    let of: Vec<_> = stale.iter().map(|looked| looked.target).zip(&locks).collect();
    fetch::fill_wheelhouse(project, &of, Some(offers))?;
    let mut checks = lock_checks::LockChecks::new(project, pins);
    let mut faults = Vec::new();
    for (looked, lock) in stale.iter().zip(&mut locks) {
        let checked = checks.check(looked.target, &looked.filtered, lock);
        faults.extend(checked.with_context(|| format!("target `{}`", looked.target.name)).err());
    }
    checks.warn();
    all_of("targets cannot be locked", faults)?;
    for (looked, lock) in stale.iter_mut().zip(locks) {
        let text = lock.to_text(looked.target)?;
        project.sys.write(&project.lock_path(looked.target), text.as_bytes())?;
        looked.locked.state = State::Written;
        looked.locked.lock = Some(lock);
    }
    Ok(())
}

/// One file for each pin of a target, built where that is allowed, or every reason why not.
fn choose_files(
    project: &Project,
    target: &Target,
    filtered: &Filtered<'_>,
    offers: &Offers,
) -> anyhow::Result<Vec<LockedPackage>> {
    let Decision { mut packages, builds, unfit } = decide(filtered, offers, target, &project.config.sdist.build);
    let mut faults = Vec::new();
    for pin in unfit {
        let nearest = match pin.lacks_wheel() && faults.len() < MOST_NEAREST {
            true => Uv::find(&project.sys)?.nearest_release(pin.pin, target, &project.app()),
            false => None,
        };
        faults.push(pin.into_error(target, nearest.as_ref()));
    }
    all_of("packages have no file for this target", faults)?;
    let mut faults = Vec::new();
    for build in builds {
        match sdist::build(project, target, &build.pin.name, build.version, build.sdist) {
            Ok(package) => packages.push(package),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("packages cannot be built", faults)?;
    Ok(packages)
}
