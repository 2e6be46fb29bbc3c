//! `cargo xtask lock`: pin, for each target, the one file of each package that the box will get.

use crate::closure::{Dist, walk};
use crate::commands::report::{Report, count};
use crate::commands::{Project, fetch, sdist};
use crate::decide::{Decision, decide, disagreements, inputs_digest, lock_of, read_lock};
use crate::lockfile::{Lock, Package};
use crate::pins::{Filtered, Texts, filter};
use crate::problem::{Problem, all_of};
use crate::target::Target;
use crate::tools::uv::Uv;
use crate::wheel::Offers;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

/// Filter the team's lock for each target and write `dist/pylock.<target>.toml`
///
/// Judges every marker for the target, never for this host; asks the index, through uv, for the files of
/// the pins that are left; and takes for each the one wheel that fits best, whose sha256 must be among the
/// team's hashes where their lock has any. Commit the result: everything after it is a function of it.
///
/// With nothing changed it asks nobody and writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask lock                      write the locks of all targets\n  \
    cargo xtask lock -v                   also show what was dropped, and for which marker\n  \
    cargo xtask lock --check              for pre-commit and CI: exit code 1 if a lock is stale")]
pub struct Flags {
    /// Write nothing; fail with exit code 1 if a lock on disk is not what the team's lock says now
    #[arg(long, conflicts_with = "refresh")]
    check: bool,
    /// Ask the index again and choose anew, even where nothing changed
    #[arg(long)]
    refresh: bool,
    /// Fail rather than ask the index
    #[arg(long, conflicts_with = "refresh")]
    offline: bool,
}

/// For how many packages the nearest release with a wheel is looked up: each costs a question or two.
const MOST_NEAREST: usize = 8;

/// What became of one target's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// it is what the team's lock says
    Current,
    /// it is not, and why
    Stale(Vec<String>),
    /// it was made anew
    Written,
}

/// One target's lock, and what was left out of it.
#[derive(Debug)]
pub struct Locked {
    /// the lock; none where it is stale and was not made anew
    pub lock: Option<Lock>,
    /// what became of it
    pub state: State,
    /// name, version, marker and place of each pin that the box does not get
    pub dropped: Vec<[String; 4]>,
}

/// The task.
pub fn run(project: &Project, flags: &Flags) -> anyhow::Result<Report> {
    if flags.offline {
        refuse_to_ask(project, &inspect(project)?)?;
    }
    let (locked, _) = if flags.check { (inspect(project)?, None) } else { bring_up_to_date(project, flags.refresh)? };
    let mut text = String::new();
    let mut entries = Vec::new();
    let mut findings = false;
    for (target, locked) in project.targets.iter().zip(&locked) {
        let path = project.shown(&project.lock_path(target));
        let status = match &locked.state {
            State::Current => "current",
            State::Written => "written",
            State::Stale(_) => "stale",
        };
        let held = locked.lock.as_ref().map(|lock| count(lock.packages.len(), "package"));
        let held = held.map(|packages| format!(", {packages}, {} dropped", locked.dropped.len())).unwrap_or_default();
        text.push_str(&format!("{path}: {status}{held}\n"));
        for [name, version, marker, place] in &locked.dropped {
            project.sys.detail(format!("  dropped {name} {version} ({place}): `{marker}` is false on {}", target.name));
        }
        let mut entry = describe(target, locked, status);
        entry["lock"] = json!(path);
        if let State::Stale(reasons) = &locked.state {
            findings = true;
            entry["reasons"] = json!(reasons);
            text.extend(reasons.iter().map(|reason| format!("  {reason}\n")));
        }
        entries.push(entry);
    }
    if findings {
        text.push_str("run `cargo xtask lock` and commit the result\n");
    }
    Ok(Report { text, json: json!({"targets": entries}), findings })
}

/// Says which locks are stale, for `--offline`: the index would have to be asked.
pub fn refuse_to_ask(project: &Project, locked: &[Locked]) -> anyhow::Result<()> {
    match stale_locks(project, locked) {
        stale if stale.is_empty() => Ok(()),
        stale => Err(Problem::with_hint(
            format!("the index would have to be asked, and `--offline` forbids it: {}", stale.join("; ")),
            "run `cargo xtask lock` once without `--offline`",
        )),
    }
}

/// Each stale lock with its reasons, in a line.
pub fn stale_locks(project: &Project, locked: &[Locked]) -> Vec<String> {
    let line = |(target, locked): (&Target, &Locked)| match &locked.state {
        State::Stale(reasons) => Some(format!("{}: {}", project.shown(&project.lock_path(target)), reasons.join("; "))),
        _ => None,
    };
    project.targets.iter().zip(locked).filter_map(line).collect()
}

fn describe(target: &Target, locked: &Locked, status: &str) -> Value {
    let packages: Vec<Value> = locked
        .lock
        .iter()
        .flat_map(|lock| &lock.packages)
        .map(|p| json!({"name": p.name.as_ref(), "version": p.version.to_string(), "wheel": p.wheel.to_string(), "sha256": p.sha256}))
        .collect();
    let dropped: Vec<Value> = locked
        .dropped
        .iter()
        .map(|[name, version, marker, place]| json!({"name": name, "version": version, "marker": marker, "place": place}))
        .collect();
    json!({"name": target.name, "python": target.python_full.to_string(), "status": status, "packages": packages, "dropped": dropped})
}

/// Holds the locks on disk against the team's lock; starts no program and asks nobody.
pub fn inspect(project: &Project) -> anyhow::Result<Vec<Locked>> {
    let (texts, pins) = project.pins()?;
    let inspect_one = |target: &Target| -> anyhow::Result<Locked> {
        let filtered = filter(&pins, target).with_context(|| format!("target `{}`", target.name))?;
        Ok(inspect_target(project, target, &filtered, &digest_of(project, &texts, target)))
    };
    project.targets.iter().map(inspect_one).collect()
}

fn digest_of(project: &Project, texts: &Texts, target: &Target) -> String {
    inputs_digest(texts, &project.selection(), &project.config.sdist.build, target)
}

fn inspect_target(project: &Project, target: &Target, filtered: &Filtered<'_>, inputs: &str) -> Locked {
    let stale = |reason: String| (None, State::Stale(vec![reason]));
    let path = project.lock_path(target);
    let (lock, state) = match project.sys.read_text(&path) {
        Err(_) if !path.exists() => stale("it is not there".to_owned()),
        Err(error) => stale(format!("it cannot be read: {error:#}")),
        Ok(text) => match read_lock(&text, target) {
            Err(error) => stale(format!("it cannot be read: {error:#}")),
            Ok(lock) => match disagreements(&lock, filtered, target, inputs) {
                reasons if !reasons.is_empty() => (None, State::Stale(reasons)),
                // A checkout on Windows has other line ends.
                _ if lock.to_text(target).is_ok_and(|own| own == text.replace("\r\n", "\n")) => {
                    (Some(lock), State::Current)
                }
                _ => stale("it was edited by hand".to_owned()),
            },
        },
    };
    let dropped = filtered
        .dropped
        .iter()
        .map(|d| {
            [
                d.pin.name.to_string(),
                d.pin.version.to_string(),
                d.marker.unwrap_or_default().to_owned(),
                d.pin.place.clone(),
            ]
        })
        .collect();
    Locked { lock, state, dropped }
}

/// Makes every stale lock anew, or all of them with `refresh`, with one question to the index.
///
/// - Gives: the locks of the targets in order, and the offers if the index was asked.
/// - Fails: once for all targets, naming each pin without a file; then naming each distribution that would
///   miss something on its box. Nothing is written then.
pub fn bring_up_to_date(project: &Project, refresh: bool) -> anyhow::Result<(Vec<Locked>, Option<Offers>)> {
    let (texts, pins) = project.pins()?;
    let mut all = Vec::new();
    for target in &project.targets {
        let filtered = filter(&pins, target).with_context(|| format!("target `{}`", target.name))?;
        let inputs = digest_of(project, &texts, target);
        let locked = inspect_target(project, target, &filtered, &inputs);
        all.push((target, filtered, inputs, locked));
    }
    let stale = |locked: &Locked| refresh || locked.state != State::Current;
    let asked: Vec<_> = all
        .iter()
        .filter(|(.., locked)| stale(locked))
        .map(|(target, filtered, ..)| (*target, filtered.kept.iter().map(|kept| kept.pin).collect()))
        .collect();
    if asked.is_empty() {
        return Ok((all.into_iter().map(|(.., locked)| locked).collect(), None));
    }
    let offers = fetch::ask(project, &asked)?;
    let mut done = Vec::new();
    let mut decided = Vec::new();
    let mut faults = Vec::new();
    for (target, filtered, inputs, mut locked) in all {
        if stale(&locked) {
            match choose_files(project, target, &filtered, &offers) {
                Ok(packages) => {
                    locked.state = State::Written;
                    locked.lock = Some(lock_of(target, inputs, packages));
                }
                Err(fault) => faults.push(fault.context(format!("target `{}`", target.name))),
            }
        }
        done.push(locked);
        decided.push((target, filtered));
    }
    all_of("targets cannot be locked", faults)?;
    let fresh: Vec<_> = decided
        .iter()
        .zip(&done)
        .filter(|(_, locked)| locked.state == State::Written)
        .filter_map(|((target, filtered), locked)| Some((*target, filtered, locked.lock.as_ref()?)))
        .collect();
    let locks: Vec<_> = fresh.iter().map(|(target, _, lock)| (*target, *lock)).collect();
    fetch::fill_wheelhouse(project, &locks, false, Some(&offers))?;
    let open = fresh.iter().filter_map(|(target, filtered, lock)| {
        let checked = check_closure(project, target, filtered, lock);
        checked.with_context(|| format!("target `{}`", target.name)).err()
    });
    all_of("targets cannot be locked", open.collect())?;
    for (target, _, lock) in fresh {
        project.sys.write(&project.lock_path(target), lock.to_text(target)?.as_bytes())?;
    }
    Ok((done, Some(offers)))
}

/// One file for each pin of a target, built where that is allowed, or every reason why not.
fn choose_files(
    project: &Project,
    target: &Target,
    filtered: &Filtered<'_>,
    offers: &Offers,
) -> anyhow::Result<Vec<Package>> {
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
        match sdist::build(project, target, &build.pin.name, &build.pin.version, build.sdist) {
            Ok(package) => packages.push(package),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("packages cannot be built", faults)?;
    Ok(packages)
}

/// Whether every chosen distribution finds what it requires, by the metadata of its wheel.
fn check_closure(project: &Project, target: &Target, filtered: &Filtered<'_>, lock: &Lock) -> anyhow::Result<()> {
    let wheelhouse = project.wheelhouse();
    let mut opened = Vec::new();
    let mut faults = Vec::new();
    for package in &lock.packages {
        match wheelhouse.open(package) {
            Ok((_, contents)) => opened.push(contents.metadata),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("wheels are refused", faults)?;
    let dists: Vec<Dist<'_>> = opened
        .iter()
        .map(|metadata| {
            let kept = filtered.kept.iter().find(|kept| kept.pin.name == metadata.name);
            Dist { metadata, extras: kept.map_or(&[], |kept| &kept.extras) }
        })
        .collect();
    let faults = walk(&dists, target).faults.into_iter();
    let told = faults.map(|fault| Problem::with_hint(format!("`{}` {}", fault.by, fault.what), fault.cure));
    all_of("requirements are not met on this target", told.collect())
}
