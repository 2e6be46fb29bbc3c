//! Texts of two packages, line by line.

use crate::Evidence;
use crate::difference::{ChangeKind, ConfigChange, TextChange};
use similar::TextDiff;
use std::collections::BTreeSet;
use wheelhaul_rpmfile::FileRow;

/// Finding the fewest changed lines takes time in proportion to their product.
const MOST_LINES: usize = 2_000;
/// In bytes.
const LONGEST: usize = 256 << 10;
/// Of all texts together: a package may have thousands of config files.
const MOST_LINES_OF_ALL: usize = 40_000;

/// What is left to be compared line by line.
pub(super) struct Lines {
    left: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self { left: MOST_LINES_OF_ALL }
    }
}

impl Lines {
    /// A unified diff with three lines around each change; none for texts that are too long for it.
    pub(super) fn diff(&mut self, old: &str, new: &str) -> Option<String> {
        let lines = old.lines().count() + new.lines().count();
        if old.len() + new.len() > LONGEST || lines > MOST_LINES || lines > self.left {
            return None;
        }
        self.left -= lines;
        Some(TextDiff::from_lines(old, new).unified_diff().context_radius(3).to_string())
    }

    pub(super) fn scriptlets(&mut self, old: &Evidence, new: &Evidence) -> Vec<TextChange> {
        let (old, new) = (&old.described.scriptlets, &new.described.scriptlets);
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let changed = names.into_iter().filter_map(|name| {
            // They have no line end at their end.
            let text = |text: Option<&String>| text.map(|text| format!("{text}\n")).unwrap_or_default();
            let (before, now) = (old.get(name), new.get(name));
            let kind = kind_of(before, now)?;
            let diff = self.diff(&text(before), &text(now));
            Some(TextChange { name: (*name).to_owned(), kind, diff })
        });
        changed.collect()
    }

    pub(super) fn config(&mut self, old: &Evidence, new: &Evidence) -> Vec<ConfigChange> {
        let configs = |evidence: &Evidence| -> BTreeSet<String> {
            let files = evidence.described.files.iter();
            files.filter(|(_, row)| row.is_file() && row.is_config()).map(|(path, _)| path.clone()).collect()
        };
        let paths: BTreeSet<String> = configs(old).union(&configs(new)).cloned().collect();
        let changed = paths.into_iter().filter_map(|path| {
            let (before, now) = (old.described.files.get(&path), new.described.files.get(&path));
            let facts = |row: &FileRow| (row.digest.clone(), row.is_config(), row.is_kept());
            let kind = kind_of(before.map(facts), now.map(facts))?;
            let text = |evidence: &Evidence, row: Option<&FileRow>| match row {
                None => Some(String::new()),
                Some(_) => evidence.texts.get(&path).cloned(),
            };
            let diff = text(old, before).zip(text(new, now)).and_then(|(old, new)| self.diff(&old, &new));
            Some(ConfigChange { kind, on_the_box: on_the_box(before, now).to_owned(), diff, path })
        });
        changed.collect()
    }
}

/// None where both are the same.
pub(super) fn kind_of<T: PartialEq>(old: Option<T>, new: Option<T>) -> Option<ChangeKind> {
    match (old, new) {
        (Some(old), Some(new)) => (old != new).then_some(ChangeKind::Changed),
        (None, Some(_)) => Some(ChangeKind::Added),
        (Some(_), None) => Some(ChangeKind::Removed),
        (None, None) => None,
    }
}

/// What rpm does with a config file that differs (rpm's `rpmfiDecideFate`).
fn on_the_box(old: Option<&FileRow>, new: Option<&FileRow>) -> &'static str {
    match (old, new) {
        (_, None) => "an edited one is kept as .rpmsave",
        (_, Some(new)) if !new.is_config() => {
            "it is no config file any more, and an edited one is put aside as .rpmsave"
        }
        (None, Some(new)) if new.is_kept() => {
            "where the box has such a file, that is kept, and the new one is put beside it as .rpmnew"
        }
        (None, Some(_)) => "where the box has such a file, that is put aside as .rpmorig",
        (Some(_), Some(new)) if new.is_kept() => {
            "the box keeps an edited one and gets the new one as .rpmnew; one that nobody edited is replaced"
        }
        (Some(_), Some(_)) => {
            "one that nobody edited is replaced, and so is an edited one, which is put aside as .rpmsave"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_rpmfile::FileOwner;

    fn row(flags: u32) -> FileRow {
        let owner = FileOwner { user: "root".into(), group: "root".into() }.into();
        FileRow { mode: 0o100_644, owner, size: 1, digest: "0".into(), flags, link: String::new() }
    }

    #[test]
    fn a_diff_shows_what_changed_and_three_lines_around_it() {
        let old: String = (0..20).map(|number| format!("{number}\n")).collect();
        let new = old.replace("\n9\n", "\nnine\n");
        let diff = Lines::default().diff(&old, &new).unwrap();
        assert_eq!(diff, "@@ -7,7 +7,7 @@\n 6\n 7\n 8\n-9\n+nine\n 10\n 11\n 12\n");
    }

    #[test]
    fn what_is_too_long_is_not_compared_line_by_line() {
        let long: String = (0..MOST_LINES).map(|number| format!("{number}\n")).collect();
        let mut lines = Lines::default();
        assert_eq!(lines.diff(&long, "1\n"), None);
        assert_eq!(lines.diff(&"x".repeat(LONGEST), "1\n"), None);
        let half: String = (1..MOST_LINES / 2).map(|number| format!("{number}\n")).collect();
        let shown = (0..100).filter(|_| lines.diff(&half, "other\n").is_some()).count();
        assert_eq!(shown, MOST_LINES_OF_ALL / (MOST_LINES / 2));
    }

    #[test]
    fn what_rpm_does_with_a_config_file() {
        #[rustfmt::skip]
        let cases = [ // flags before, now         what is said has
            (Some(17), Some(17), ".rpmnew"),
            (Some(1),  Some(1),  ".rpmsave"),
            (Some(17), None,     "kept as .rpmsave"),
            (None,     Some(17), ".rpmnew"),
            (None,     Some(1),  ".rpmorig"),
            (Some(17), Some(0),  "no config file any more"),
        ];
        for (old, new, expected) in cases {
            let said = on_the_box(old.map(row).as_ref(), new.map(row).as_ref());
            assert!(said.contains(expected), "{old:?} {new:?}: {said}");
        }
    }
}
