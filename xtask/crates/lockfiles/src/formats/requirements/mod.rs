//! `requirements.txt`: pip's requirements file format, as far as it is a lock.
//!
//! [`lines`] and [`options`] read what pip reads, by pip's rules; [`reference`] takes files that a line
//! places itself; this file decides what of it is a pin, and names what cannot be honoured with its line.

mod includes;
mod lines;
mod merge;
mod options;
mod reference;
mod resolved;
#[cfg(test)]
mod tests;

pub(super) use includes::wanted;
pub use resolved::{Resolved, to_requirements};

use crate::direct_files::no_file;
use crate::hashes::sha256_digests;
use crate::paths::{folder_of, inside};
use crate::pin::Pin;
use crate::pins::{Constraint, MOST_FAULTS, Pins};
use crate::source::LockSource;
use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use includes::{Include, include};
use lines::{expanded, logical_lines, next_variable};
use merge::Limit;
use options::{Meaning, Options, cut};
use reference::{Reference, direct, is_absolute, shown, split_extras, split_marker};
use std::collections::BTreeSet;
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_boxes::may_hold;

/// A file that takes in a file that takes in …: more than any project has.
const MOST_DEPTH: usize = 50;

pub(super) fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    source.selection.check(&BTreeSet::new(), &BTreeSet::new())?;
    let mut reading = Reading::new(source);
    reading.file(source.lock, source.text(), false);
    // Without a folder nothing would be left to ask.
    let no_index = reading.no_index.is_some() && !reading.find_links.is_empty();
    if let Some(place) = reading.no_index.take().filter(|_| !no_index) {
        reading.warn_of("`--no-index` is not honoured", NOT_HONOURED, &place);
    }
    let Reading { pins, constraints, warnings, find_links, mut faults, requires_hashes, .. } = reading;
    let pins = merge::united(pins, &mut faults);
    let pins = merge::limited(pins, &constraints, &mut faults);
    if requires_hashes {
        faults.extend(pins.iter().filter(|pin| pin.hashes.is_empty()).take(MOST_FAULTS).map(|pin| {
            Problem::with_hint(
                format!("{}: `{}` has no hash, and `--require-hashes` wants one of each", pin.place, pin.name),
                "lock again with hashes: `uv pip compile --generate-hashes`, `pip-compile --generate-hashes`",
            )
        }));
    }
    all_of("lines cannot be packed", faults)?;
    let constraints = constraints.into_iter().map(|(constraint, _)| constraint).collect();
    let warnings = warnings.into_iter().map(|(what, cure, places)| format!("{}: {what}: {cure}", in_words(&places)));
    let (warnings, find_links) = (warnings.collect(), find_links.into_iter().collect());
    Ok(Pins { pins, constraints, warnings, find_links, no_index, ..Pins::default() })
}

const NOT_IN_REPOSITORY: &str =
    "its folder is not one of the repository; put it there, or configure it for uv itself (`find-links` in uv.toml)";
const NOT_HONOURED: &str = "the index is configured for uv and pip themselves";

/// `line 3`, `line 3, line 4 and 5 more`
fn in_words(places: &[String]) -> String {
    match places {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}

struct Reading<'s, 'a> {
    source: &'s LockSource<'a>,
    pins: Vec<Pin>,
    constraints: Vec<Limit>,
    /// what is said and its cure, with the places that it is said of; in the order of the first of them, and few
    warnings: Vec<(String, &'static str, Vec<String>)>,
    find_links: BTreeSet<Utf8PathBuf>,
    /// where `--no-index` is given
    no_index: Option<String>,
    faults: Vec<anyhow::Error>,
    requires_hashes: bool,
    /// the files that are being read, each taken in by the one before
    open: Vec<Utf8PathBuf>,
    /// read already, as what
    done: BTreeSet<(Utf8PathBuf, bool)>,
}

/// What a line is, once it is read.
enum Line {
    Pin(Box<Pin>),
    Constraint(Box<Limit>),
    Include(Include),
    /// nothing that goes on the box
    Nothing,
}

impl<'s, 'a> Reading<'s, 'a> {
    fn new(source: &'s LockSource<'a>) -> Self {
        Self {
            source,
            pins: Vec::new(),
            constraints: Vec::new(),
            warnings: Vec::new(),
            find_links: BTreeSet::new(),
            no_index: None,
            faults: Vec::new(),
            requires_hashes: false,
            open: Vec::new(),
            done: BTreeSet::new(),
        }
    }

    /// Where a line stands: the lock itself needs no name.
    fn place(&self, file: &Utf8Path, number: usize) -> String {
        if file == self.source.lock {
            format!("line {number}")
        } else {
            format!("{} line {number}", shortened(file.as_str()))
        }
    }

    fn file(&mut self, file: &Utf8Path, text: &str, is_constraints: bool) {
        if !self.done.insert((file.to_owned(), is_constraints)) {
            return;
        }
        self.open.push(file.to_owned());
        self.check_encoding(file, text);
        for (number, line) in logical_lines(text.trim_start_matches('\u{feff}')) {
            if self.faults.len() >= MOST_FAULTS {
                break;
            }
            let place = self.place(file, number);
            let read = self.line(file, &line, &place, is_constraints);
            let read = read.and_then(|line| {
                match line {
                    Line::Include(include) => return self.taken_in(&include),
                    Line::Pin(pin) => self.pins.push(*pin),
                    Line::Constraint(limit) => self.constraints.push(*limit),
                    Line::Nothing => {}
                }
                Ok(())
            });
            self.faults.extend(read.err().map(|fault| fault.context(place)));
        }
        self.open.pop();
    }

    fn taken_in(&mut self, include: &Include) -> anyhow::Result<()> {
        let path = &include.path;
        if self.open.contains(path) {
            return Err(Problem::with_hint(
                format!("`{}` takes itself in: {}", shortened(path.as_str()), shortened(&join(&self.open))),
                "take this line out",
            ));
        }
        ensure!(self.open.len() < MOST_DEPTH, "files take each other in deeper than {MOST_DEPTH}");
        match self.source.texts.get(path).and_then(Option::as_deref) {
            Some(text) => {
                self.file(path, text, include.is_constraints);
                Ok(())
            }
            None => Err(Problem::with_hint(
                format!("`{}` is not there", shortened(path.as_str())),
                "commit that file, or take this line out; a path starts in the folder of the file that names it",
            )),
        }
    }

    /// pip decodes by a declaration in the first two lines; here every text is UTF-8.
    fn check_encoding(&mut self, file: &Utf8Path, text: &str) {
        if text.is_ascii() || text.starts_with('\u{feff}') {
            return;
        }
        for (index, line) in text.split('\n').take(2).enumerate().filter(|(_, line)| line.starts_with('#')) {
            let declared = line.split_once("coding").and_then(|(_, rest)| rest.strip_prefix([':', '=']));
            let Some(declared) = declared.map(str::trim_start) else { continue };
            let end =
                declared.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(declared.len());
            let name = declared[..end].to_ascii_lowercase().replace(['_', '-', '.'], "");
            if !name.is_empty() && !matches!(name.as_str(), "utf8" | "utf8sig") {
                let place = self.place(file, index + 1);
                self.faults.push(Problem::with_hint(
                    format!("{place}: the file says that it is written in `{}`", shortened(&declared[..end])),
                    "save it as UTF-8 and take that comment out",
                ));
            }
        }
    }

    fn line(&mut self, file: &Utf8Path, raw: &str, place: &str, is_constraints: bool) -> anyhow::Result<Line> {
        let whole = expanded(raw, self.source.variable).context("the values of its variables are too long")?;
        let (requirement, text) = cut(&whole.text);
        let read = options::parse(text).and_then(|options| {
            self.warn(file, &options, !requirement.is_empty(), place);
            match (requirement, options.first(Meaning::Editable)) {
                ("", None) => self.flags(file, raw, &options),
                ("", Some(value)) => self.editable(value, text, is_constraints),
                // pip takes the requirement, and takes it as editable.
                (requirement, Some(_)) => self.editable(requirement, text, is_constraints),
                (requirement, None) => self.requirement(requirement, raw, &options, place, is_constraints),
            }
        });
        match (read, whole.put_in.as_slice()) {
            (Err(_), [first, ..]) => {
                let names = whole.put_in.iter().collect::<BTreeSet<_>>().into_iter().map(|name| format!("`{name}`"));
                let names = names.collect::<Vec<_>>().join(", ");
                Err(Problem::with_hint(
                    format!("`{}` cannot be packed with the values of {}", shown(raw), shortened(&names)),
                    format!(
                        "values of variables are not shown; look at that of `{}`, or write it out",
                        shortened(first)
                    ),
                ))
            }
            (read, _) => read,
        }
    }

    /// A line of options alone.
    fn flags(&mut self, file: &Utf8Path, raw: &str, options: &Options) -> anyhow::Result<Line> {
        self.requires_hashes |= options.first(Meaning::RequireHashes).is_some();
        match include(file, options)? {
            None => Ok(Line::Nothing),
            // A file that is taken in is found before any variable is known.
            Some(_) if next_variable(raw).is_some() => bail!("which file it takes in would depend on a variable"),
            Some(include) => Ok(Line::Include(include)),
        }
    }

    /// Says what is read and has no effect, and takes folders of the repository to look in.
    fn warn(&mut self, file: &Utf8Path, options: &Options, has_requirement: bool, place: &str) {
        let mut includes = 0;
        for given in &options.given {
            let name = given.name;
            match given.meaning {
                Meaning::Index if name == "--no-index" => self.no_index = Some(place.to_owned()),
                // A URL has a `:`, and so has a drive; nobody knows where a variable leads that is not set.
                Meaning::Index
                    if name == "--find-links"
                        && !given.value.contains(':')
                        && next_variable(&given.value).is_none() =>
                {
                    match inside(folder_of(file), &given.value) {
                        Some(folder) => drop(self.find_links.insert(folder)),
                        None => self.warn_of(&format!("`{name}` is not honoured"), NOT_IN_REPOSITORY, place),
                    }
                }
                Meaning::Index => self.warn_of(&format!("`{name}` is not honoured"), NOT_HONOURED, place),
                Meaning::Build => {
                    let cure = "what is built from source is named in `sdist.build` of `dist/package.toml`";
                    self.warn_of(&format!("`{name}` is not honoured"), cure, place);
                }
                Meaning::Hash if !has_requirement => {
                    self.warn_of(&format!("`{name}` has no effect"), "it belongs behind a pin", place);
                }
                Meaning::Requirement | Meaning::Constraint | Meaning::Editable => {
                    includes += 1;
                    if has_requirement || includes > 1 {
                        let what = format!("`{name}` has no effect, as in pip");
                        self.warn_of(&what, "give it a line of its own", place);
                    }
                }
                _ => {}
            }
        }
        if options.strays > 0 {
            let what = "words behind an option have no effect, as in pip";
            self.warn_of(what, "give each a line of its own", place);
        }
    }

    /// Many lines with the same fault are one warning.
    fn warn_of(&mut self, what: &str, cure: &'static str, place: &str) {
        match self.warnings.iter_mut().find(|(said, of, _)| said == what && *of == cure) {
            Some((_, _, places)) if places.last().is_some_and(|last| last == place) => {}
            Some((_, _, places)) => places.push(place.to_owned()),
            None => self.warnings.push((what.to_owned(), cure, vec![place.to_owned()])),
        }
    }

    fn requirement(
        &mut self,
        text: &str,
        raw: &str,
        options: &Options,
        place: &str,
        is_constraint: bool,
    ) -> anyhow::Result<Line> {
        if let Some((_, name, _)) = next_variable(text) {
            return Err(Problem::with_hint(
                format!("the variable `{}` is not set", shortened(name)),
                "set it where this runs, or write its value out",
            ));
        }
        let (front, marker) = split_marker(text);
        ensure!(next_variable(split_marker(cut(raw).0).1).is_none(), "its marker depends on an environment variable");
        let marker = Some(marker.trim()).filter(|marker| !marker.is_empty());
        let hashes =
            options.given.iter().filter(|given| given.meaning == Meaning::Hash).map(|given| given.value.as_str());
        let hashes = sha256_digests(hashes).with_context(|| format!("`{}`", shown(front)))?;
        if is_constraint {
            return Ok(Line::Constraint(Box::new((constraint(front, marker, place)?, hashes))));
        }
        let base = folder_of(self.source.lock);
        let mut pin = match Reference::of(front)? {
            Reference::Index(requirement) => {
                let version = requirement.pinned()?;
                let takes_local = requirement.takes_local();
                let extras = requirement.extras;
                Pin { extras, takes_local, ..Pin::new(requirement.name, version, place.to_owned()) }
            }
            // What no box gets need not be packed.
            _ if !self.may_hold(marker)? => return Ok(Line::Nothing),
            Reference::Folder(name, at) | Reference::VersionControl(name, at)
                if self.source.is_application(at, name.as_ref()) =>
            {
                return Ok(Line::Nothing);
            }
            Reference::Folder(_, at) => return Err(self.folder(at, "comes from a folder")),
            Reference::VersionControl(_, at) => {
                return Err(no_file(format!("`{}`", shown(at)), "comes from version control"));
            }
            Reference::File(named) => direct(named, base, &hashes, place)?,
        };
        pin.hashes.extend(hashes);
        pin.marker = marker.map(str::to_owned);
        Ok(Line::Pin(Box::new(pin)))
    }

    /// `-e`: only the application itself, which is packed anyway, can stand there.
    fn editable(&mut self, value: &str, options: &str, is_constraint: bool) -> anyhow::Result<Line> {
        ensure!(!is_constraint, "a constraint cannot be editable");
        // pip reads no marker there; uv writes one.
        let marker = options.split_once(" ;").map(|(_, marker)| marker.trim());
        let (path, _) = split_extras(value)?;
        if self.source.is_application(path, None) || !self.may_hold(marker)? {
            return Ok(Line::Nothing);
        }
        if is_absolute(path) {
            return Err(self.folder(value, "is to be installed editable"));
        }
        Err(Problem::with_hint(
            format!("`{}` is to be installed editable, and a package has no work tree", shown(value)),
            "build it as a wheel, publish that or put it into the repository, and lock that version; \
             uv leaves members of the workspace out with `--no-emit-workspace`",
        ))
    }

    /// A folder that is not known to be the application's. An absolute path may be that of another checkout.
    fn folder(&self, at: &str, what: &str) -> anyhow::Error {
        if !is_absolute(at) {
            return no_file(format!("`{}`", shown(at)), what);
        }
        let own = match &self.source.app.name {
            Some(name) => format!("`-e file:.#egg={name}`"),
            None => "`-e file:.`".to_owned(),
        };
        Problem::with_hint(
            format!("`{}` {what}, by a path of the host that it was locked on", shown(at)),
            format!(
                "if it is the application, write {own} where it was locked from, with the path from the lock to `{}` behind `file:`; \
                 anything else: publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file",
                self.source.app.folder
            ),
        )
    }

    fn may_hold(&self, marker: Option<&str>) -> anyhow::Result<bool> {
        marker.map_or(Ok(true), |marker| may_hold(marker, &Default::default()))
    }
}

fn constraint(front: &str, marker: Option<&str>, place: &str) -> anyhow::Result<Constraint> {
    let Reference::Index(mut requirement) = Reference::of(front)? else {
        return Err(Problem::with_hint(
            format!("the constraint `{}` is no name with versions", shown(front)),
            "put it among the requirements",
        ));
    };
    ensure!(requirement.extras.is_empty(), "the constraint on `{}` has extras", requirement.name);
    requirement.marker = marker.map(str::to_owned);
    Ok(Constraint { requirement, place: place.to_owned() })
}

fn join(paths: &[Utf8PathBuf]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(" → ")
}
