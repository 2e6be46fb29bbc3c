//! `cargo xtask lock`: pin, for each target, the one file of each package that the box will get.

use crate::lock_checks::dists;
use crate::locking::{Left, Locked, State, bring_up_to_date, inspect};
use crate::report::{Report, count};
use crate::upgrade::upgrade;
use crate::{Project, early, fetch, inputs, others, support, wheel};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use serde_json::{Value, json};
use wheelhaul_base::problem::{Problem, nearest};
use wheelhaul_base::text::line;
use wheelhaul_boxes::Requirement;
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::{Filtered, Need, Pins, filter, own_needs};
use wheelhaul_select::Offers;
use wheelhaul_select::decide::read_lock;
use wheelhaul_select::explain::{Known, explain};
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
    /// Write nothing; tell of one package every file with the reason it was taken or not, its marker with the
    /// values on the box, and who needs it
    pub explain: Option<Requirement>,
}

/// The task.
pub fn run(project: &Project, options: &Options) -> anyhow::Result<Report> {
    if let Some(asked) = &options.explain {
        return explain_one(project, &asked.name);
    }
    early::refuse(project, options.upgrade)?;
    if options.offline {
        inspect(project)?.refuse_to_ask(project)?;
    }
    let mut text = String::new();
    let mut upgraded = Value::Null;
    if options.upgrade {
        let changes = upgrade(project)?;
        text.extend(changes.iter().map(|change| line(change)));
        if changes.is_empty() {
            text.push_str(&line(&format!("{}: nothing newer", project.config.app.lock)));
        }
        upgraded = json!(changes);
    }
    let locks = if options.check { inspect(project)? } else { bring_up_to_date(project, options.refresh)? };
    if locks.all.iter().any(|locked| locked.state == State::Written) {
        wheel::keep_backend(project);
    }
    locks.warn(project, options.check);
    inputs::warn_of_ignored(project, &locks.read);
    support::warn(project);
    others::warn(project);
    let mut entries = Vec::new();
    let mut findings = false;
    for (target, locked) in project.targets.iter().zip(&locks.all) {
        let path = project.shown(&project.lock_path(target));
        let status = match &locked.state {
            State::Current => "current",
            State::Written => "written",
            State::Stale(_) => "stale",
        };
        let held = locked.lock.as_ref().map(|lock| count(lock.packages.len(), "package"));
        let held = held.map(|packages| format!(", {packages}, {} dropped", locked.dropped.len())).unwrap_or_default();
        text.push_str(&format!("{path}: {status}{held}\n"));
        for Left { name, version, reason, place, .. } in &locked.dropped {
            project.sys.detail(format!("  dropped {name} {version} ({place}): {reason}"));
        }
        let mut entry = describe(target, locked, status);
        entry["lock"] = json!(path);
        if let State::Stale(reasons) = &locked.state {
            findings = true;
            entry["reasons"] = json!(reasons);
            text.extend(reasons.iter().map(|reason| format!("  {}\n", reason.replace('\n', "\n    "))));
        }
        entries.push(entry);
    }
    let stale_team = locks.team_stale.as_ref().filter(|_| options.check);
    text.push_str(match (stale_team.is_some(), findings) {
        (true, _) => "after that, run `cargo xtask lock`, and commit both\n",
        (false, true) => "run `cargo xtask lock` and commit the result\n",
        (false, false) => "",
    });
    findings |= stale_team.is_some();
    if let Some(reason) = stale_team {
        text.insert_str(0, &line(&format!("{}: {reason}", project.config.app.lock)));
    }
    let json = json!({"targets": entries, "team-lock-stale": locks.team_stale, "warnings": locks.warnings, "upgraded": upgraded});
    Ok(Report { text, json, findings, talk: String::new() })
}

fn describe(target: &Target, locked: &Locked, status: &str) -> Value {
    let packages: Vec<Value> = locked
        .lock
        .iter()
        .flat_map(|lock| &lock.packages)
        .map(|p| json!({"name": p.name.as_ref(), "version": p.version.to_string(), "wheel": p.wheel.to_string(), "sha256": p.sha256}))
        .collect();
    json!({"name": target.name, "python": target.python_full.to_string(), "status": status, "packages": packages, "dropped": locked.dropped})
}

fn explain_one(project: &Project, name: &PackageName) -> anyhow::Result<Report> {
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
    let told: Vec<_> = filtered
        .iter()
        .map(|(target, filtered)| {
            let asks = known_asks(project, target, filtered, pins);
            let known = Known { asks: &asks, own: &own };
            explain(name, pins, filtered, &offers, known, target, &project.config.sdist.build)
        })
        .collect();
    let text = told.iter().map(|told| told.to_text(name)).collect();
    Ok(Report::fine(text, json!({"package": name.to_string(), "targets": told})))
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
