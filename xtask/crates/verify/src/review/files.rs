//! The list of files, folded by what brought them.

use crate::review::size;
use crate::{Evidence, Owners, count};
use serde::Serialize;
use std::collections::BTreeMap;
use wheelhaul_rpmfile::FileRow;

/// So many paths are listed; a browser is slow with more, and `rpm -qpl` lists them all.
const MOST_ROWS: usize = 20_000;
/// Files that no distribution brought are grouped by the first parts of their path.
const DEPTH: usize = 4;

/// Every path, grouped.
#[derive(Debug, Serialize)]
pub(super) struct FileList {
    groups: Vec<Group>,
    count: String,
    /// in words; empty where all are listed
    left_out: String,
}

#[derive(Debug, Serialize)]
struct Group {
    title: String,
    /// whether it is a path
    is_folder: bool,
    count: String,
    size: String,
    text: String,
}

/// The order of the groups: what this tool made, what each distribution brought, bare folders and links.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Own(&'a str),
    Dist(&'a str, usize),
    Folders,
    Links,
}

impl FileList {
    pub(super) fn of(evidence: &Evidence, owners: &Owners<'_>) -> Self {
        let files = &evidence.described.files;
        let mut grouped: BTreeMap<Key<'_>, Vec<(&str, &FileRow)>> = BTreeMap::new();
        for (path, row) in files {
            let key = match row.mode & 0o170_000 {
                0o040_000 => Key::Folders,
                0o120_000 => Key::Links,
                _ => match owners.place_of(path) {
                    Some(index) => Key::Dist(&owners.dists[index].name, index),
                    None => Key::Own(folder_of(path)),
                },
            };
            grouped.entry(key).or_default().push((path, row));
        }
        let mut left = MOST_ROWS;
        let mut groups = Vec::new();
        for (key, rows) in grouped {
            if left == 0 {
                break;
            }
            let shown = &rows[..rows.len().min(left)];
            left -= shown.len();
            groups.push(Group::of(&key, &rows, shown));
        }
        let listed = MOST_ROWS - left;
        let out = files.len() - listed;
        Self {
            groups,
            count: count(files.len(), "path"),
            left_out: if out == 0 { String::new() } else { count(out, "more path") },
        }
    }
}

impl Group {
    fn of(key: &Key<'_>, rows: &[(&str, &FileRow)], shown: &[(&str, &FileRow)]) -> Self {
        let noun = match key {
            Key::Folders => "folder",
            Key::Links => "link",
            _ => "file",
        };
        let title = match key {
            Key::Own(folder) => (*folder).to_owned(),
            Key::Dist(name, _) => (*name).to_owned(),
            Key::Folders => "folders".to_owned(),
            Key::Links => "links".to_owned(),
        };
        let bytes: u64 = rows.iter().map(|(_, row)| row.size).sum();
        let digits = shown.iter().map(|(_, row)| row.size.to_string().len()).max().unwrap_or(1);
        let mut text = String::new();
        for (path, row) in shown {
            // A line end in a name would make a line that looks like another file.
            let path = path.replace('\n', "\\u{a}");
            let (mode, owner) = (mode(row.mode), &row.owner);
            let bytes = if noun == "file" { format!("{:>digits$} ", row.size) } else { String::new() };
            text.push_str(&format!("{mode} {}:{} {bytes}{path}\n", owner.user, owner.group));
        }
        if shown.len() < rows.len() {
            text.push_str(&format!("and {} more\n", rows.len() - shown.len()));
        }
        Self {
            title,
            is_folder: matches!(key, Key::Own(_)),
            count: count(rows.len(), noun),
            size: if noun == "file" { size(bytes) } else { String::new() },
            text,
        }
    }
}

/// The folder of a path, at most [`DEPTH`] parts of it.
fn folder_of(path: &str) -> &str {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let end = folder.match_indices('/').nth(DEPTH).map_or(folder.len(), |(at, _)| at);
    if end == 0 { "/" } else { &folder[..end] }
}

/// `-rwxr-xr-x`, as `ls -l` shows it.
fn mode(mode: u16) -> String {
    let kind = match mode & 0o170_000 {
        0o100_000 => '-',
        0o040_000 => 'd',
        0o120_000 => 'l',
        _ => '?',
    };
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_shown_as_ls_shows_them() {
        #[rustfmt::skip]
        let cases = [
            (0o100_644, "-rw-r--r--"), (0o040_755, "drwxr-xr-x"), (0o120_777, "lrwxrwxrwx"),
            (0o104_755, "-rwsr-xr-x"), (0o102_640, "-rw-r-S---"), (0o041_777, "drwxrwxrwt"), (0, "?---------"),
        ];
        for (bits, text) in cases {
            assert_eq!(mode(bits), text, "{bits:o}");
        }
    }

    #[test]
    fn folders_are_cut_to_their_first_parts() {
        #[rustfmt::skip]
        let cases = [
            ("/opt/x/bin/python",                  "/opt/x/bin"),
            ("/usr/share/licenses/x/flask/COPYING", "/usr/share/licenses/x"),
            ("/top",                               "/"),
            ("odd",                                "/"),
        ];
        for (path, folder) in cases {
            assert_eq!(folder_of(path), folder);
        }
    }
}
