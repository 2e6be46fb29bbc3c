//! Which of a repository's locks is packed, and what it has.

use crate::discover::Seen;

use camino::Utf8Path;
use pep440_rs::VersionSpecifiers;
use std::collections::BTreeSet;
use wheelhaul_lockfiles::{Application, LockFormat, LockSource, LockUpgrade, Pins, Selection};

/// The lock of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lock {
    /// relative to the repository
    pub path: String,
    /// why this one; empty where there is no other
    pub why: String,
    /// whether it is there, and has every package at one version
    pub is_locked: bool,
    /// where packages are added before it is made anew
    pub source: String,
    /// the packages in it, or those that its source asks for, normalized
    pub names: BTreeSet<String>,
    /// packages that it has for groups alone that are not packed
    pub left_out: BTreeSet<String>,
    /// the Pythons that it and its packages are for
    pub pythons: Vec<VersionSpecifiers>,
    /// what is wrong with it, in a line
    pub fault: Option<String>,
}

/// Requirements files that have what is installed on a server, the likeliest first.
const REQUIREMENTS: [&str; 9] = [
    "requirements.lock.txt",
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements-prod.txt",
    "requirements-production.txt",
    "requirements/requirements.txt",
    "requirements/base.txt",
    "requirements/main.txt",
];

impl Lock {
    /// Chooses one for an application.
    ///
    /// - Takes: `folders`, the application's and those above it, each ending in `/` or empty; `app`, its path.
    pub(crate) fn choose(seen: &Seen, folders: &[&str], app: &str) -> Self {
        let mut there: Vec<(usize, String, String)> = Vec::new();
        for (distance, folder) in folders.iter().enumerate() {
            for (place, format) in
                LockFormat::all().iter().filter(|format| format.upgrade != LockUpgrade::Resolve).enumerate()
            {
                let sign = sign_of_team(seen, folder, format);
                let path = format!("{folder}{}", format.name);
                if seen.has(&path) {
                    let is_of_tool = sign.is_some();
                    let why = sign.unwrap_or_else(|| "it is the lock of a tool, with hashes".to_owned());
                    there.push((distance * 100 + place + if is_of_tool { 0 } else { 20 }, path, why));
                }
            }
            for (place, name) in REQUIREMENTS.iter().enumerate() {
                let path = format!("{folder}{name}");
                if seen.has(&path) {
                    there.push((distance * 100 + 50 + place, path, "by its name it is for servers".to_owned()));
                }
            }
        }
        there.sort();
        let read: Vec<(Self, String)> =
            there.into_iter().map(|(_, path, why)| (Self::read(seen, path, app), why)).collect();
        let is_whole = |(lock, _): &&(Self, String)| lock.is_locked;
        // A tool's own lock with a fault is still the team's; a requirements file with ranges is none.
        let is_lock = |(lock, _): &&(Self, String)| lock.is_locked || !lock.path.ends_with(".txt");
        match read.iter().find(is_whole).or_else(|| read.iter().find(is_lock)) {
            Some((lock, why)) => {
                let others: Vec<String> = read
                    .iter()
                    .filter(|(other, _)| other.path != lock.path)
                    .map(|(other, _)| format!("`{}`", other.path))
                    .collect();
                let why =
                    if others.is_empty() { String::new() } else { format!("{why}; also there: {}", others.join(", ")) };
                Self { why, ..lock.clone() }
            }
            None => Self::to_make(seen, folders, read.into_iter().next().map(|(lock, _)| lock)),
        }
    }

    /// Reads one that is there.
    fn read(seen: &Seen, path: String, app: &str) -> Self {
        let folder = folder_of(&path).to_owned();
        let source =
            match LockFormat::of(Utf8Path::new(&path)).ok().filter(|format| format.upgrade != LockUpgrade::Resolve) {
                Some(format) => format!("{folder}{}", format.project_file.unwrap_or("pyproject.toml")),
                _ if seen.has(&format!("{}.in", path.trim_end_matches(".txt"))) => {
                    format!("{}.in", path.trim_end_matches(".txt"))
                }
                _ => path.clone(),
            };
        let blank = Self {
            path: path.clone(),
            why: String::new(),
            is_locked: false,
            source,
            names: BTreeSet::new(),
            left_out: BTreeSet::new(),
            pythons: Vec::new(),
            fault: None,
        };
        match pins_of(seen, &path, app) {
            Ok(pins) => {
                let of = |is_left_out: bool| {
                    pins.pins
                        .iter()
                        .filter(move |pin| pin.left_out.is_some() == is_left_out)
                        .map(|pin| pin.name.to_string())
                };
                let mut pythons: Vec<VersionSpecifiers> = pins.requires_python.iter().cloned().collect();
                pythons.extend(
                    pins.pins.iter().filter(|pin| pin.left_out.is_none()).filter_map(|pin| pin.requires_python.clone()),
                );
                let names: BTreeSet<String> = of(false).collect();
                let left_out = of(true).filter(|name| !names.contains(name)).collect();
                Self { is_locked: !names.is_empty(), names, left_out, pythons, ..blank }
            }
            Err(error) => {
                let said = format!("{error:#}");
                let fault = said.lines().next().unwrap_or_default().to_owned();
                Self { names: names_in(seen.text(&path).unwrap_or_default()), fault: Some(fault), ..blank }
            }
        }
    }

    /// The lock that is made from what the project asks for.
    ///
    /// - Takes: `ranges`, a requirements file that has no pins.
    fn to_make(seen: &Seen, folders: &[&str], ranges: Option<Self>) -> Self {
        let own = folders.first().copied().unwrap_or_default();
        let pyproject = seen.text(&format!("{own}pyproject.toml")).unwrap_or_default();
        let is_used = |format: &LockFormat| sign_of_team(seen, own, format).is_some();
        let [path, source] = match ranges {
            Some(lock) => [format!("{}requirements.lock.txt", folder_of(&lock.path)), lock.path],
            None if seen.has(&format!("{own}requirements.in")) => {
                ["requirements.txt", "requirements.in"].map(|name| format!("{own}{name}"))
            }
            // uv reads the standard's words alone.
            None => match LockFormat::all().iter().find(|format| format.has_own_words && is_used(format)) {
                Some(format) => [format.name, format.project_file.unwrap_or("pyproject.toml")],
                None if pyproject.contains("dependencies") => ["requirements.txt", "pyproject.toml"],
                None => ["requirements.txt", "requirements.in"],
            }
            .map(|name| format!("{own}{name}")),
        };
        Self {
            names: names_in(seen.text(&source).unwrap_or_default()),
            path,
            why: String::new(),
            is_locked: false,
            source,
            left_out: BTreeSet::new(),
            pythons: Vec::new(),
            fault: None,
        }
    }
}

/// What tells that the team of a folder uses the tool of a format.
fn sign_of_team(seen: &Seen, folder: &str, format: &LockFormat) -> Option<String> {
    let file = format.project_file?;
    let path = format!("{folder}{file}");
    let table = format.table;
    match table {
        "" => seen.has(&path).then(|| format!("`{path}` is beside it")),
        table => seen.text(&path)?.contains(&format!("[{table}")).then(|| format!("`{path}` has `[{table}]`")),
    }
}

fn pins_of(seen: &Seen, path: &str, app: &str) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new(path);
    let texts = wheelhaul_lockfiles::texts_of(lock, |path| Ok(seen.text(path.as_str()).map(str::to_owned)))?;
    let selection = Selection::default();
    wheelhaul_lockfiles::parse(&LockSource {
        lock,
        app: Application::in_folder(Utf8Path::new(app)),
        texts: &texts,
        selection: &selection,
        variable: &|_| None,
    })
}

/// `a/b/` of `a/b/c`
fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// Every name that a line or a quoted requirement begins with: enough to know which server is asked for.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let starts = text.lines().map(str::trim_start).chain(text.split(['"', '\'']));
    let names = starts.map(|start| start.split(|c| !is_name(c)).next().unwrap_or_default());
    names
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(|name| name.to_lowercase().replace(['_', '.'], "-"))
        .collect()
}
