//! Whether the server that `service.command` starts is locked, as far as that is known before the wheels are there.

use camino::Utf8Path;
use std::collections::BTreeSet;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::Target;
use wheelhaul_config::{App, Service};
use wheelhaul_host::{Sys, names_in};
use wheelhaul_lockfiles::{LockFormat, LockUpgrade, Pins, filter};
use wheelhaul_package::service::{SERVERS, Server};

/// Programs that applications are started by, and the packages that bring them; what is not here the wheels tell.
#[rustfmt::skip]
const PROGRAMS: &[(&str, &[&str])] = &[
    ("celery",               &["celery"]),
    ("cheroot",              &["cheroot"]),
    ("daphne",               &["daphne"]),
    ("django-admin",         &["django"]),
    ("fastapi",              &["fastapi-cli", "fastapi"]),
    ("flask",                &["flask"]),
    ("granian",              &["granian"]),
    ("gunicorn",             &["gunicorn"]),
    ("hypercorn",            &["hypercorn"]),
    ("litestar",             &["litestar"]),
    ("mod_wsgi-express",     &["mod-wsgi"]),
    ("pserve",               &["pyramid"]),
    ("sanic",                &["sanic"]),
    ("streamlit",            &["streamlit"]),
    ("twistd",               &["twisted"]),
    ("uvicorn",              &["uvicorn"]),
    ("uwsgi",                &["uwsgi", "pyuwsgi"]),
    ("waitress",             &["waitress"]),
    ("waitress-serve",       &["waitress"]),
];

/// What is wrong with the first word of the command.
pub(crate) fn faults(sys: &Sys, service: &Service, pins: &Pins, targets: &[Target], app: &App) -> Vec<anyhow::Error> {
    let Some(word) = service.command.first() else { return Vec::new() };
    let folder = &sys.root.join(&app.path);
    let of_word = |word: &str| PROGRAMS.iter().find(|(name, _)| *name == word).map(|(_, packages)| *packages);
    let locked: BTreeSet<&str> = pins.pins.iter().map(|pin| pin.name.as_ref()).collect();
    let is_locked = |packages: &[&str]| packages.iter().any(|package| locked.contains(package));
    let Some(packages) = of_word(word) else {
        // Only what is very like a program that is locked, and is nothing else, is a slip of the keyboard.
        let is_near = |name: &str| (1..=2).contains(&strsim::damerau_levenshtein(name, word));
        let near = PROGRAMS.iter().find(|(name, packages)| is_locked(packages) && is_near(name));
        let is_own = names_in(folder).iter().any(|name| name.trim_end_matches(".py") == word.as_str())
            || sys.read_text(&folder.join("pyproject.toml")).is_ok_and(|text| text.contains(word.as_str()));
        let near = near.filter(|_| !locked.contains(word.as_str()) && !is_own);
        let of_near = near.map(|(name, _)| {
            Problem::with_hint(
                format!("key `service.command` of `dist/package.toml`: `{word}` is not a program of the application or of what is locked"),
                format!("did you mean `{name}`? write `command = {}`", with_first(service, name)),
            )
        });
        return of_near.into_iter().collect();
    };
    let groups = pins.pins.iter().filter(|pin| packages.contains(&pin.name.as_ref()));
    let left_out: Vec<Option<&String>> = groups.map(|pin| pin.left_out.as_ref()).collect();
    if let Some(Some(groups)) = left_out.first().filter(|_| left_out.iter().all(Option::is_some)) {
        return vec![Problem::with_hint(
            format!(
                "key `service.command` of `dist/package.toml`: `{word}` is locked for the group {groups} alone, which goes on no box"
            ),
            "name the group under `[app]`: `groups = [\"…\"]`",
        )];
    }
    let mut faults = Vec::new();
    for target in targets {
        // Where the pins have no clear answer, the lock will say so.
        let Ok(filtered) = filter(pins, target) else { continue };
        if filtered.kept.iter().any(|kept| packages.contains(&kept.pin.name.as_ref())) {
            continue;
        }
        // Those that serve by themselves and need no more than their name.
        let other = SERVERS.iter().map(Server::script).filter(|name| *name != word.as_str());
        let other = other.filter_map(|name| of_word(name).filter(|packages| is_locked(packages)).map(|_| name)).next();
        let other = other.map(|name| format!("; or start what is locked: `command = {}`", with_first(service, name)));
        let package = packages[0];
        let (place, cure) = match is_locked(packages) {
            true => (
                format!(
                    "not locked for `{}`, whose Python is {}: its marker is false there",
                    target.name,
                    target.python()
                ),
                format!(
                    "choose another `python` under `[[target]]` `{}`, or lock a `{package}` for this one",
                    target.name
                ),
            ),
            false => (format!("not locked: `{}` has no `{package}`", app.lock), how_to_add(&app.lock, package)),
        };
        faults.push(Problem::with_hint(
            format!("key `service.command` of `dist/package.toml`: `{word}` is {place}"),
            format!("{cure}{}", other.unwrap_or_default()),
        ));
    }
    faults
}

fn with_first(service: &Service, first: &str) -> String {
    let words = std::iter::once(first).chain(service.command.iter().skip(1).map(String::as_str));
    format!("[{}]", words.map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", "))
}

/// How a team adds a package to what it locks.
fn how_to_add(lock: &Utf8Path, package: &str) -> String {
    match LockFormat::of(lock) {
        Ok(LockFormat { upgrade: LockUpgrade::Tool(tool), .. }) => {
            format!("add it: `{} {} {package}`", tool.program, tool.add)
        }
        Ok(LockFormat { upgrade: LockUpgrade::Resolve, .. }) => {
            format!(
                "write a line `{package}` into what `{lock}` is made from, and lock again; or pin it there: `{package}==VERSION`"
            )
        }
        Ok(LockFormat { upgrade: LockUpgrade::Unknown, .. }) | Err(_) => {
            format!("add `{package}` to the project, and lock again")
        }
    }
}
