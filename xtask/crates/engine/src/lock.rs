//! `cargo xtask lock`: pin, for each target, the one file of each package that the box will get.

use crate::lock_checks::dists;
pub use crate::locking::Left;
use crate::locking::{Locked, State, bring_up_to_date, inspect};
use crate::upgrade::upgrade;
use crate::{Project, early, fetch, inputs, others, support, wheel};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use serde::{Serialize, Serializer};
use wheelhaul_base::problem::{Problem, nearest};
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::{Filtered, Need, Pins, filter, own_needs};
use wheelhaul_select::Offers;
use wheelhaul_select::decide::read_lock;
use wheelhaul_select::explain::{Explanation, Known, explain};
use wheelhaul_wheel::closure::{Asks, walk};

/// What `lock` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Write nothing; fail with exit code 1 if a lock on disk is not what the team's lock says now, or if the
    /// team's own tool would call theirs stale
    pub check: bool,
    /// Ask the index again and choose anew, even where nothing changed
    pub refresh: bool,
    /// Fail rather than ask the index
    pub offline: bool,
    /// First make the team's lock anew: `Pipfile.lock`, `poetry.lock`, `pdm.lock` and `uv.lock` by their own tool;
    /// requirements with hashes by uv, for every target, from `requirements.in`, `pyproject.toml` or `Pipfile`
    pub upgrade: bool,
}

/// What became of the locks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// in the order of the targets
    pub targets: Vec<TargetLock>,
    /// why the team's own tool would call its lock stale
    pub team_lock_stale: Option<String>,
    /// what was not honoured, or decided by what nobody can know
    pub warnings: Vec<String>,
    /// what changed in the team's lock, a line a package; none where it was not made anew
    pub upgraded: Option<Vec<String>>,
    /// the team's lock
    #[serde(skip)]
    pub team_lock: Utf8PathBuf,
    /// whether nothing was written, and what is stale is a finding
    #[serde(skip)]
    pub is_check: bool,
}

/// The lock of a target.
#[derive(Debug, Serialize)]
pub struct TargetLock {
    /// of the target
    pub name: String,
    /// the full version, `3.11.13`
    pub python: String,
    /// what became of the lock
    pub status: Status,
    /// in the order of the lock; none where it is stale and was not read
    #[serde(serialize_with = "none_as_empty")]
    pub packages: Option<Vec<PackageRow>>,
    /// each pin that the box does not get
    pub dropped: Vec<Left>,
    /// its path
    pub lock: String,
    /// why it is stale, where it is
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<String>>,
}

/// What became of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// it is what the team's lock says
    Current,
    /// it was made anew
    Written,
    /// it is not what the team's lock says
    Stale,
}

/// A package of a lock.
#[derive(Debug, Clone, Serialize)]
pub struct PackageRow {
    /// normalized
    pub name: String,
    /// as locked
    pub version: String,
    /// the name of the wheel's file
    pub wheel: String,
    /// of the wheel, or of the sdist that it is built from
    pub sha256: String,
}

fn none_as_empty<S: Serializer>(packages: &Option<Vec<PackageRow>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(packages.iter().flatten())
}

impl Report {
    /// Whether `--check` found a lock stale.
    pub fn findings(&self) -> bool {
        self.stale_team_lock().is_some() || self.has_stale()
    }

    /// Whether the lock of a target is stale.
    pub fn has_stale(&self) -> bool {
        self.targets.iter().any(|target| target.status == Status::Stale)
    }

    /// Why the team's lock is stale, where that is a finding.
    pub fn stale_team_lock(&self) -> Option<&str> {
        self.team_lock_stale.as_deref().filter(|_| self.is_check)
    }
}

/// What `lock --explain` tells of a package.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// its name, normalized
    pub package: PackageName,
    /// in the order of the targets
    pub targets: Vec<Explanation>,
}

/// The task.
pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<Report> {
    early::refuse(project, options.upgrade)?;
    if options.offline {
        inspect(project)?.refuse_to_ask(project)?;
    }
    let upgraded = if options.upgrade { Some(upgrade(project)?) } else { None };
    let locks = if options.check { inspect(project)? } else { bring_up_to_date(project, options.refresh)? };
    if locks.all.iter().any(|locked| locked.state == State::Written) {
        wheel::keep_backend(project);
    }
    locks.warn(project, options.check);
    inputs::warn_of_ignored(project, &locks.read);
    support::warn(project);
    others::warn(project);
    let mut targets = Vec::new();
    for (target, locked) in project.targets.iter().zip(locks.all) {
        for Left { name, version, reason, place, .. } in &locked.dropped {
            project.sys.detail(format!("  dropped {name} {version} ({place}): {reason}"));
        }
        targets.push(of_target(project, target, locked));
    }
    Ok(Report {
        targets,
        team_lock_stale: locks.team_stale,
        warnings: locks.warnings,
        upgraded,
        team_lock: project.config.app.lock.clone(),
        is_check: options.check,
    })
}

fn of_target(project: &Project, target: &Target, locked: Locked) -> TargetLock {
    let (status, reasons) = match locked.state {
        State::Current => (Status::Current, None),
        State::Written => (Status::Written, None),
        State::Stale(reasons) => (Status::Stale, Some(reasons)),
    };
    let package = |package: &wheelhaul_pylock::LockedPackage| PackageRow {
        name: package.name.to_string(),
        version: package.version.to_string(),
        wheel: package.wheel.to_string(),
        sha256: package.sha256.clone(),
    };
    TargetLock {
        name: target.name.clone(),
        python: target.python_full.to_string(),
        status,
        packages: locked.lock.map(|lock| lock.packages.iter().map(package).collect()),
        dropped: locked.dropped,
        lock: project.shown(&project.lock_path(target)),
        reasons,
    }
}

/// Tells of one package every file with the reason it was taken or not, its marker with the values on the box, and who
/// needs it. Nothing is written.
///
/// # Errors
/// Where the team's lock has no such package.
pub(crate) fn explain_one(project: &Project, name: &PackageName) -> anyhow::Result<Explained> {
    let (_, pins) = project.pins()?;
    if !pins.pins.iter().any(|pin| pin.name == *name) {
        let near = nearest(name.as_ref(), pins.pins.iter().map(|pin| pin.name.as_ref()));
        return Err(Problem::with_hint(
            format!("`{}` has no `{name}`", project.config.app.lock),
            near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default(),
        ));
    }
    let mut filtered = Vec::new();
    for target in &project.targets {
        filtered.push((target, filter(pins, target).with_context(|| format!("target `{}`", target.name))?));
    }
    // Each version is asked for by itself: together, uv leaves out files that no target could take.
    let mut offers = Offers::new();
    for pin in pins.pins.iter().filter(|pin| pin.name == *name) {
        let gets = |filtered: &Filtered<'_>| filtered.kept.iter().any(|kept| std::ptr::eq(kept.pin, pin));
        let boxes = filtered.iter().filter(|(_, filtered)| gets(filtered));
        let asked: Vec<_> = boxes.map(|(target, _)| (*target, vec![pin])).collect();
        if !asked.is_empty() {
            offers.extend(fetch::ask(project, pins, &asked)?);
        }
    }
    let own = own_needs_of(project);
    let of_target = |(target, filtered): &(&Target, Filtered<'_>)| {
        let asks = known_asks(project, target, filtered, pins);
        let known = Known { asks: &asks, own: &own };
        explain(name, pins, filtered, &offers, known, target, &project.config.sdist.build)
    };
    Ok(Explained { package: name.clone(), targets: filtered.iter().map(of_target).collect() })
}

/// What the application asks for, by the files that are written by hand.
fn own_needs_of(project: &Project) -> Vec<(String, Need)> {
    let app = &project.config.app;
    let beside = app.lock.parent().unwrap_or(&app.path);
    let input = app.lock.with_extension("in");
    let files = ["pyproject.toml", "setup.cfg"].map(|name| app.path.join(name));
    let files: Vec<_> = files.into_iter().chain([beside.join("Pipfile"), input]).collect();
    let read = |file: &Utf8PathBuf| {
        let text = project.sys.read_text(&project.sys.root.join(file)).unwrap_or_default();
        let needs = own_needs(file.file_name().unwrap_or_default(), &text, &project.selection());
        let shown = file.as_str().trim_start_matches("./").to_owned();
        needs.into_iter().map(move |need| (shown.clone(), need))
    };
    files.iter().flat_map(read).collect()
}

/// Who asks for whom, by the wheels of the lock on disk, as far as they are there.
fn known_asks(project: &Project, target: &Target, filtered: &Filtered<'_>, pins: &Pins) -> Vec<Asks> {
    let text = project.sys.read_text(&project.lock_path(target)).unwrap_or_default();
    let lock = read_lock(&text, target).ok();
    let packages = lock.iter().flat_map(|lock| &lock.packages);
    let opened = packages.filter_map(|package| project.wheelhouse().open(package).ok());
    let all: Vec<_> = opened.map(|(_, contents)| contents.metadata).collect();
    if all.is_empty() && pins.roots.is_none() {
        project.sys.say(format!("who needs it on {} is known once it was locked: `cargo xtask lock`", target.name));
    }
    walk(&dists(&all, filtered), target).asks
}
