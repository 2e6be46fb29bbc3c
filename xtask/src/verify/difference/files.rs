//! Files and folders of two packages, by the distribution whose RECORD lists them.

use crate::rpm::FileRow;
use crate::verify::difference::{Change, dists};
use crate::verify::python::absolute;
use crate::verify::{Evidence, count};
use crate::wheel::{Metadata, Record};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The files and folders that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Files {
    /// in all groups
    pub added: usize,
    /// in all groups
    pub removed: usize,
    /// in all groups
    pub changed: usize,
    /// those that are what they were
    pub unchanged: usize,
    /// those with a difference: the application first, then what is of no distribution, then by name
    pub groups: Vec<FileGroup>,
}

/// What differs of the files of one distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileGroup {
    /// the distribution; none for what the package has beside those: units, notes, licences, folders
    pub dist: Option<String>,
    /// whether it is the application itself
    pub application: bool,
    /// of the distribution in the old package
    pub old: Option<String>,
    /// of the distribution in the new package
    pub new: Option<String>,
    /// paths, sorted
    pub added: Vec<String>,
    /// paths, sorted
    pub removed: Vec<String>,
    /// sorted by path
    pub changed: Vec<FileChange>,
}

/// A path of both packages that is another one now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// on the box
    pub path: String,
    /// of `kind`, `content` (SHA-256 in hex), `link`, `mode` (octal), `owner` (`user:group`), `flags`
    /// (`config noreplace`) those that differ, in this order; never empty
    pub changes: Vec<Change>,
}

impl FileGroup {
    /// Whether all that differs is byte-code and the RECORD that lists it: the same code, compiled anew.
    pub fn is_byte_code_alone(&self) -> bool {
        let is_code = |path: &str| path.contains("/__pycache__") || path.ends_with(".dist-info/RECORD");
        let mut paths = self.added.iter().chain(&self.removed).chain(self.changed.iter().map(|file| &file.path));
        self.old == self.new && paths.all(|path| is_code(path))
    }

    /// `812 files changed, 3 added`
    pub fn in_words(&self) -> String {
        let counts = [("changed", self.changed.len()), ("added", self.added.len()), ("removed", self.removed.len())];
        let mut text = String::new();
        for (word, number) in counts.into_iter().filter(|(_, number)| *number > 0) {
            match text.is_empty() {
                true => text.push_str(&format!("{} {word}", count(number, "path"))),
                false => text.push_str(&format!(", {number} {word}")),
            }
        }
        text
    }
}

/// Which distribution a path belongs to.
struct Owners<'a> {
    evidence: &'a Evidence,
    /// path → name of the distribution
    listed: BTreeMap<String, String>,
    /// the application's
    application: Option<String>,
}

impl<'a> Owners<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let mut owners = Self { evidence, listed: BTreeMap::new(), application: None };
        for dist_info in evidence.dist_infos() {
            let (base, folder) = dist_info.rsplit_once('/').unwrap_or(("", dist_info));
            let text = |file: &str| evidence.texts.get(&format!("{dist_info}/{file}"));
            let name = match text("METADATA").and_then(|text| Metadata::parse(text).ok()) {
                Some(metadata) => metadata.name.to_string(),
                None => folder.split('-').next().unwrap_or_default().to_owned(),
            };
            if base == evidence.root() {
                owners.application = Some(name.clone());
            }
            let Some(record) = text("RECORD").and_then(|text| Record::parse(text).ok()) else { continue };
            owners.listed.extend(record.rows.keys().map(|path| (absolute(base, path), name.clone())));
        }
        owners
    }

    /// A folder is whose first file it has.
    fn find(&self, path: &str, row: &FileRow) -> Option<&str> {
        if row.is_file() {
            return self.listed.get(path).map(String::as_str);
        }
        let below = format!("{path}/");
        let inside = |path: &str| path.starts_with(&below);
        let files = self.evidence.described.files.range(below.clone()..).take_while(|(path, _)| inside(path));
        let (first, _) = files.into_iter().find(|(_, row)| row.is_file())?;
        let is_shared = path == self.evidence.root() || path.strip_prefix(self.evidence.root()) == Some("/lib");
        self.listed.get(first).map(String::as_str).filter(|_| !is_shared)
    }
}

pub(super) fn between(old: &Evidence, new: &Evidence) -> Files {
    let (old_owners, new_owners) = (Owners::of(old), Owners::of(new));
    let (old_dists, new_dists) = (dists::of(old), dists::of(new));
    let (old_files, new_files) = (&old.described.files, &new.described.files);
    let application = new_owners.application.as_ref().or(old_owners.application.as_ref());
    let mut files = Files::default();
    let mut groups: BTreeMap<Option<String>, FileGroup> = BTreeMap::new();
    let mut group = |dist: Option<&str>, put: &mut dyn FnMut(&mut FileGroup)| {
        let group = groups.entry(dist.map(str::to_owned)).or_insert_with(|| FileGroup {
            dist: dist.map(str::to_owned),
            application: dist.is_some() && dist == application.map(String::as_str),
            old: dist.and_then(|name| Some(old_dists.get(name)?.version.clone())),
            new: dist.and_then(|name| Some(new_dists.get(name)?.version.clone())),
            ..FileGroup::default()
        });
        put(group);
    };
    for path in old_files.keys().chain(new_files.keys()).collect::<BTreeSet<_>>() {
        match (old_files.get(path), new_files.get(path)) {
            (Some(before), Some(now)) => {
                let changes = changes(before, now);
                if changes.is_empty() {
                    files.unchanged += 1;
                    continue;
                }
                files.changed += 1;
                group(new_owners.find(path, now), &mut |group| {
                    group.changed.push(FileChange { path: path.clone(), changes: changes.clone() });
                });
            }
            (None, Some(now)) => {
                files.added += 1;
                group(new_owners.find(path, now), &mut |group| group.added.push(path.clone()));
            }
            (Some(before), None) => {
                files.removed += 1;
                group(old_owners.find(path, before), &mut |group| group.removed.push(path.clone()));
            }
            (None, None) => {}
        }
    }
    files.groups = groups.into_values().collect();
    files.groups.sort_by_key(|group| (!group.application, group.dist.clone()));
    files
}

fn changes(old: &FileRow, new: &FileRow) -> Vec<Change> {
    let owner = |row: &FileRow| format!("{}:{}", row.owner.user, row.owner.group);
    let mode = |row: &FileRow| format!("{:04o}", row.mode & 0o7777);
    let rows = [
        ("kind", kind_of(old).to_owned(), kind_of(new).to_owned()),
        ("content", old.digest.clone(), new.digest.clone()),
        ("link", old.link.clone(), new.link.clone()),
        ("mode", mode(old), mode(new)),
        ("owner", owner(old), owner(new)),
        ("flags", flags_of(old), flags_of(new)),
    ];
    let changed = rows.into_iter().filter(|(_, old, new)| old != new);
    changed.map(|(what, old, new)| Change { what: what.to_owned(), old, new }).collect()
}

fn kind_of(row: &FileRow) -> &'static str {
    match row.mode & 0o170_000 {
        0o100_000 => "file",
        0o040_000 => "folder",
        0o120_000 => "link",
        _ => "special file",
    }
}

/// `RPMFILE_*` of rpm's `rpmfiles.h`, as a spec names them.
fn flags_of(row: &FileRow) -> String {
    const NAMES: [(u32, &str); 8] = [
        (1, "config"),
        (1 << 1, "doc"),
        (1 << 3, "missingok"),
        (1 << 4, "noreplace"),
        (1 << 6, "ghost"),
        (1 << 7, "license"),
        (1 << 8, "readme"),
        (1 << 12, "artifact"),
    ];
    let named = NAMES.iter().filter(|(bit, _)| row.flags & bit != 0).map(|(_, name)| (*name).to_owned());
    let rest = NAMES.iter().fold(row.flags, |rest, (bit, _)| rest & !bit);
    let rest = (rest != 0).then(|| format!("{rest:#x}"));
    named.chain(rest).collect::<Vec<_>>().join(" ")
}
