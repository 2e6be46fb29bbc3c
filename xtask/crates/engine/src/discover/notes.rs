//! What will go wrong with a draft, each with its cure.

use crate::discover::serve::application_of;
use crate::discover::{Lock, Seen};
use crate::shipped::is_needed;
use serde::Serialize;
use std::collections::BTreeSet;

/// What will go wrong, and its cure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// what is the matter
    pub what: String,
    /// what to do about it
    pub cure: String,
}

/// A note.
pub(super) fn note(what: impl Into<String>, cure: impl Into<String>) -> Note {
    Note { what: what.into(), cure: cure.into() }
}

/// What is the matter with the lock.
///
/// - Takes: `server`, the package of the server.
pub(super) fn of_lock(lock: &Lock, server: &str, seen: &Seen) -> Vec<Note> {
    let mut notes = Vec::new();
    let typed = &seen.typed;
    let has_server = lock.names.contains(server);
    if !has_server && lock.left_out.contains(server) {
        notes.push(note(
            format!("`{}` has `{server}` for a group that is not packed", lock.path),
            "name the group under `[app]` in `dist/package.toml`: groups = [\"…\"]",
        ));
    } else if !has_server {
        let line = if lock.source.ends_with(".toml") || lock.source.ends_with("Pipfile") {
            format!("add `{server}` to the dependencies in `{}`", lock.source)
        } else {
            format!("add the line `{server}` to `{}`", lock.source)
        };
        notes.push(note(format!("the server `{server}` is not locked"), format!("{line}, and lock again")));
    }
    match (&lock.fault, lock.is_locked) {
        (_, true) => {}
        (Some(fault), _) => notes.push(note(format!("`{}` cannot be packed as it is: {fault}", lock.path), "lock again with the team's tool")),
        (None, false) if seen.has(&lock.source) => notes.push(note(
            format!("there is no lock: `{}` has ranges, or not all that is needed", lock.source),
            format!("`{typed} lock --upgrade` makes `{}` of it; commit that", lock.path),
        )),
        (None, false) => notes.push(note(
            "there is no lock, and nothing to make one of",
            format!("write what the application imports, and its server, into `{}`, a line each; `{typed} lock --upgrade` makes `{}` of it", lock.source, lock.path),
        )),
    }
    notes
}

/// How migrations are run, which an installation does not: as the service, in whose working directory the files are.
pub(super) fn of_migrations(
    files: &BTreeSet<&str>,
    lock: &Lock,
    name: &str,
    command: &[String],
    is_own: bool,
) -> Option<Note> {
    let python = format!("sudo {name}-run /opt/{name}/bin/python");
    let module = application_of(command).map_or("app", |(module, _)| module);
    let run = if files.contains("manage.py") {
        match is_own {
            true => format!("{python} /opt/{name}/manage.py migrate"),
            false => format!("{python} -m django migrate --settings …"),
        }
    } else if !files.iter().any(|path| path.ends_with("/env.py") || *path == "alembic.ini") {
        return None;
    } else if lock.names.contains("flask-migrate") {
        format!("{python} -m flask --app {module} db upgrade")
    } else {
        format!("{python} -m alembic upgrade head")
    };
    Some(note("an installation runs no migrations", format!("after each upgrade, on the box: `{run}`")))
}

/// What git ignores by lines that are meant for what is built, and an application may well need: `static/lib/`.
pub(super) fn of_ignored(app: &str, ignored: &[String]) -> Option<Note> {
    const FOLDERS: [&str; 9] = ["bin", "build", "dist", "downloads", "env", "lib", "parts", "target", "var"];
    const FILES: [&str; 3] = [".manifest", ".mo", ".spec"];
    let is_needed_folder = |path: &str| {
        let (above, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or_default();
        path.ends_with('/') && FOLDERS.contains(&name) && is_needed(&format!("{above}/x.html"), &BTreeSet::new())
    };
    let is_needed_file = |path: &str| {
        path.contains('/') && FILES.iter().any(|end| path.ends_with(end)) && is_needed(path, &BTreeSet::new())
    };
    let found = ignored
        .iter()
        .filter(|path| path.strip_prefix(app).is_some_and(|path| is_needed_folder(path) || is_needed_file(path)));
    let found: Vec<&String> = found.take(6).collect();
    let first = found.first()?;
    let names: Vec<String> = found.iter().map(|path| format!("`{path}`")).collect();
    Some(note(
        format!("git ignores what the application may need, and what it ignores is not packed: {}", names.join(", ")),
        format!("if it needs them, add lines such as `!/{first}` at the end of `.gitignore`, and `git add` them"),
    ))
}
