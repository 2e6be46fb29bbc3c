//! FileChanges and folders of two packages, by the distribution whose RECORD lists them.

use crate::difference::{Change, dists};
use crate::{Evidence, Owners, count};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_rpmfile::FileRow;

/// The files and folders that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileChanges {
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

/// The name of the distribution that a path belongs to; a folder is whose first file it has.
fn name_of<'o>(evidence: &Evidence, owners: &'o Owners<'_>, path: &str, row: &FileRow) -> Option<&'o str> {
    if row.is_file() {
        return owners.name_of(path);
    }
    let below = format!("{path}/");
    let mut files = evidence.described.files.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
    let (first, _) = files.find(|(_, row)| row.is_file())?;
    let is_shared = path == evidence.root() || path.strip_prefix(evidence.root()) == Some("/lib");
    owners.name_of(first).filter(|_| !is_shared)
}

fn application<'o>(owners: &'o Owners<'_>) -> Option<&'o str> {
    owners.dists.iter().rfind(|owner| owner.is_application).map(|owner| owner.name.as_str())
}

pub(super) fn between(old: &Evidence, new: &Evidence) -> FileChanges {
    let (old_owners, new_owners) = (Owners::of(old), Owners::of(new));
    let (old_dists, new_dists) = (dists::of(old), dists::of(new));
    let (old_files, new_files) = (&old.described.files, &new.described.files);
    let application = application(&new_owners).or(application(&old_owners));
    let mut files = FileChanges::default();
    let mut groups: BTreeMap<Option<String>, FileGroup> = BTreeMap::new();
    let mut group = |dist: Option<&str>, put: &mut dyn FnMut(&mut FileGroup)| {
        let group = groups.entry(dist.map(str::to_owned)).or_insert_with(|| FileGroup {
            dist: dist.map(str::to_owned),
            application: dist.is_some() && dist == application,
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
                group(name_of(new, &new_owners, path, now), &mut |group| {
                    group.changed.push(FileChange { path: path.clone(), changes: changes.clone() });
                });
            }
            (None, Some(now)) => {
                files.added += 1;
                group(name_of(new, &new_owners, path, now), &mut |group| group.added.push(path.clone()));
            }
            (Some(before), None) => {
                files.removed += 1;
                group(name_of(old, &old_owners, path, before), &mut |group| group.removed.push(path.clone()));
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
