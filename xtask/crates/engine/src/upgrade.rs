//! `lock --upgrade`: the team's lock made anew, by their own tool or by uv for every target.

use crate::Project;
use crate::team_lock::pins_of;
use wheelhaul_boxes::Target;
use wheelhaul_config::App;

use crate::tools::lockers::Locker;
use crate::tools::uv::{Sources, Uv};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;
use std::collections::BTreeMap;
use std::io::Read as _;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::Sys;
use wheelhaul_lockfiles::{
    LockFormat, LockTool, LockUpgrade, Pin, Resolved, Selection, pipfile_requirements, to_requirements,
};

/// Makes the team's lock anew; nothing but that file is written.
///
/// - Gives: what changed, a line a package.
/// - Fails: where the tool that makes the lock is not installed; for a requirements file that takes in others,
///   since one file is written.
pub(crate) fn upgrade(project: &Project) -> anyhow::Result<Vec<String>> {
    let lock = &project.config.app.lock;
    let format = LockFormat::of(lock).context("key `app.lock` of `dist/package.toml`")?;
    // What is there may be what the upgrade is to cure.
    let read = || pins_of(&project.sys, &project.config.app);
    let (texts, before) = read().map(|(texts, pins)| (texts, pins.pins)).unwrap_or_default();
    let folder = lock.parent().unwrap_or(Utf8Path::new(""));
    match &format.upgrade {
        LockUpgrade::Tool(tool) => {
            let locker = Locker::find(&project.sys, tool)?.ok_or_else(|| no_locker(lock, format))?;
            locker.upgrade(&project.sys, &project.sys.root.join(folder))?;
        }
        LockUpgrade::Resolve => {
            let others: Vec<String> =
                texts.keys().filter(|path| *path != lock).map(|path| format!("`{path}`")).collect();
            if !others.is_empty() {
                return Err(Problem::with_hint(
                    format!("`{lock}` takes in {}, and an upgrade writes one whole file", others.join(", ")),
                    "say it in what it is resolved from (`-r`, `-c` in `requirements.in`), and take those lines out of the lock",
                ));
            }
            resolve(project, lock)?;
        }
        LockUpgrade::Unknown => return Err(no_locker(lock, format)),
    }
    Ok(changes(&before, &read()?.1.pins))
}

fn no_locker(lock: &Utf8Path, format: &LockFormat) -> anyhow::Error {
    let requirements = lock.with_file_name("requirements.txt");
    let resolved = format!(
        "or set `lock = \"{requirements}\"` in `dist/package.toml`, and uv resolves that file for every target"
    );
    match format.tool() {
        Some(LockTool { program: name, .. }) => Problem::with_hint(
            format!("`{lock}` is made by {name}, which is not installed"),
            format!("install {name} and run it again; {resolved}"),
        ),
        None => Problem::with_hint(
            format!("`{lock}` does not say how it is made"),
            format!("make it anew with the tool that wrote it; {resolved}"),
        ),
    }
}

/// How the team gets a lock, or a whole one in the place of half of one.
pub(crate) fn how_to_make(lock: &Utf8Path) -> String {
    match LockFormat::of(lock) {
        Ok(LockFormat { upgrade: LockUpgrade::Resolve, .. }) => format!(
            "`cargo xtask lock --upgrade` makes `{lock}`, with every package that is needed, from `{}` (a line for each \
             package that the application imports, and for its server) or from the dependencies in `pyproject.toml`",
            lock.with_file_name("requirements.in")
        ),
        Ok(format) => match format.tool() {
            Some(LockTool { program: name, .. }) => format!("`cargo xtask lock --upgrade` lets {name} make it"),
            None => "make it with the tool that the team locks with".to_owned(),
        },
        Err(_) => "lock the dependencies".to_owned(),
    }
}

/// What the requirements are read from: by the lock's name, then what teams call it.
///
/// A `pyproject.toml` that says no dependencies may be there for the wheel alone, beside a `Pipfile`.
pub(crate) fn source(sys: &Sys, app: &App) -> anyhow::Result<Utf8PathBuf> {
    let lock = &app.lock;
    let selection = Selection::of(app);
    let folder = lock.parent().unwrap_or(Utf8Path::new(""));
    let mut known = vec![lock.with_extension("in"), folder.join("requirements.in"), folder.join("pyproject.toml")];
    known.extend([folder.join("Pipfile"), app.path.join("pyproject.toml")]);
    // Ranges in `requirements.txt`, where the lock has another name.
    known.push(folder.join("requirements.txt"));
    known.retain(|path| path != lock);
    known.dedup();
    for path in &known {
        let Ok(text) = sys.read_text(&sys.root.join(path)) else { continue };
        if path.file_name() != Some("pyproject.toml") || wheelhaul_lockfiles::has_dependencies(&text, &selection) {
            return Ok(path.clone());
        }
    }
    let names: Vec<String> = known.iter().map(|path| format!("`{path}`")).collect();
    Err(Problem::with_hint(
        format!("there is nothing to resolve `{lock}` from"),
        format!("write what the application needs into one of {}", names.join(", ")),
    ))
}

/// Resolves for every target, and writes one requirements file with hashes.
fn resolve(project: &Project, path: &Utf8Path) -> anyhow::Result<()> {
    let source = source(&project.sys, &project.config.app)?;
    let selection = project.selection();
    let (_keep, scratch) = project.sys.scratch()?;
    let mut input = project.sys.root.join(&source);
    if !["Pipfile", "pyproject.toml"].contains(&source.file_name().unwrap_or_default()) {
        check_files(&project.sys, &source)?;
    }
    if source.file_name() == Some("Pipfile") {
        let text = project.sys.read_text(&input)?;
        let lines = pipfile_requirements(&text, &selection.groups).with_context(|| format!("`{source}`"))?;
        input = scratch.join("requirements.in");
        project.sys.write(&input, lines.as_bytes())?;
    }
    let sources = Sources { input: &input, selection: &selection, build: &project.config.sdist.build };
    let uv = Uv::find(&project.sys)?;
    let mut resolved = Vec::new();
    let mut faults = Vec::new();
    for target in representatives(&project.every_target) {
        let pins = || {
            let text = uv.resolve(&sources, target, &project.app())?;
            only_of_index(&source, wheelhaul_lockfiles::parse_text("requirements.txt", &text)?.pins)
        };
        match pins().with_context(|| format!("target `{}`", target.name)) {
            Ok(pins) => resolved.push(Resolved { target, pins }),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("targets cannot be resolved", faults)?;
    if resolved.iter().all(|of| of.pins.is_empty()) {
        return Err(Problem::with_hint(
            format!("`{source}` resolves to no package at all"),
            "does it name what the application needs?",
        ));
    }
    let names: Vec<&str> = project.config.targets.iter().map(|target| target.name.as_str()).collect();
    let text = to_requirements(&resolved, &format!("`{}`", source.file_name().unwrap_or_default()), &names);
    project.sys.write(&project.sys.root.join(path), text.as_bytes())
}

/// Refuses a FIFO, and a link out of the repository, among the files that uv reads with a requirements file.
fn check_files(sys: &Sys, source: &Utf8Path) -> anyhow::Result<()> {
    let read = |path: &Utf8Path| {
        let mut bytes = Vec::new();
        let file = sys.open_if_there(&sys.root.join(path)).with_context(|| format!("`{source}` takes in `{path}`"))?;
        let Some(mut file) = file else { return Ok(None) };
        file.read_to_end(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    };
    wheelhaul_lockfiles::texts_of_requirements(source, read).map(drop)
}

/// Refuses what a line with a version and hashes would not bring again.
fn only_of_index(source: &Utf8Path, pins: Vec<Pin>) -> anyhow::Result<Vec<Pin>> {
    let placed: Vec<String> =
        pins.iter().filter(|pin| !pin.files.is_empty()).map(|pin| format!("`{}`", pin.name)).collect();
    if placed.is_empty() {
        return Ok(pins);
    }
    Err(Problem::with_hint(
        format!("`{source}` gets {} from a file or a URL, which an upgrade does not write", placed.join(", ")),
        "publish it to your index; or make the lock by `uv pip compile --generate-hashes`, and give it as it is",
    ))
}

/// Of the targets that no marker can tell apart, the one with the oldest glibc: its wheels fit the others.
fn representatives(targets: &[Target]) -> Vec<&Target> {
    let mut by_marker: BTreeMap<(&Version, &str), &Target> = BTreeMap::new();
    for target in targets {
        let known = by_marker.entry((&target.python_full, target.arch.as_str())).or_insert(target);
        if target.distribution.glibc < known.distribution.glibc {
            *known = target;
        }
    }
    let mut found: Vec<&Target> = by_marker.into_values().collect();
    found.sort_by_key(|target| (target.interpreter.version, target.name.clone()));
    found
}

/// What differs between two sets of pins: `flask 3.0.0 → 3.0.3`.
fn changes(before: &[Pin], after: &[Pin]) -> Vec<String> {
    let versions = |pins: &[Pin]| {
        let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pin in pins {
            versions.entry(pin.name.to_string()).or_default().push(pin.version.to_string());
        }
        versions
    };
    let (before, after) = (versions(before), versions(after));
    let mut lines = Vec::new();
    for (name, now) in &after {
        match before.get(name) {
            None => lines.push(format!("{name}: added {}", now.join(", "))),
            Some(then) if then != now => lines.push(format!("{name}: {} → {}", then.join(", "), now.join(", "))),
            Some(_) => {}
        }
    }
    lines.extend(
        before
            .iter()
            .filter(|(name, _)| !after.contains_key(*name))
            .map(|(name, then)| format!("{name}: removed {}", then.join(", "))),
    );
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_no_marker_tells_apart_are_resolved_once_for_the_oldest() {
        let find = |name: &str, python: &str| Target::find(name, Some(python), None).unwrap();
        let targets = [
            find("el9-x86_64", "3.12"),
            find("el8-x86_64", "3.12"),
            find("el9-aarch64", "3.12"),
            find("el10-x86_64", "3.12"),
        ];
        let names: Vec<&str> = representatives(&targets).iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, ["el8-x86_64", "el9-aarch64"]);
    }
}
