//! What changed since the last delivery.

use crate::review::words::listed;
use crate::{Change, ChangeKind, Difference, Direction, FileGroup, Upgrade};
use serde::Serialize;

/// So many paths of a group of files are listed.
const MOST_PATHS: usize = 200;

/// An upgrade, for the page.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    /// in a sentence
    summary: String,
    look_at: Vec<String>,
    service: Vec<String>,
    about: Vec<Row>,
    dists: Vec<Row>,
    /// how many distributions are what they were, in a sentence
    unchanged: String,
    requires: Vec<Row>,
    texts: Vec<Text>,
    groups: Vec<Group>,
    files: String,
}

/// A line of a table: what, before, now, and how that is called.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    old: String,
    new: String,
    word: &'static str,
}

/// A text that differs.
#[derive(Debug, Serialize)]
struct Text {
    title: String,
    word: &'static str,
    about: String,
    diff: Option<String>,
}

#[derive(Debug, Serialize)]
struct Group {
    title: String,
    count: String,
    text: String,
}

impl Changes {
    pub(super) fn of(difference: &Difference) -> Self {
        let Difference { old, new, dists, files, .. } = difference;
        let what = match difference.upgrade {
            Upgrade::Upgrade => format!("{} becomes {}.", old.evr, new.evr),
            Upgrade::Same => format!("Both are {}.", new.evr),
            Upgrade::Downgrade => format!("{} goes back to {}.", old.evr, new.evr),
            Upgrade::OtherPackage => {
                format!("{} {} is another package than {} {}.", new.name, new.evr, old.name, old.evr)
            }
        };
        let nothing = if difference.is_empty() { " They bring the same to the box." } else { "" };
        let mut rows: Vec<Row> = Vec::new();
        let row = |what: &str, old: &str, new: &str, word| Row {
            what: what.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
            word,
        };
        rows.extend(dists.changed.iter().map(|dist| {
            let word = match dist.direction {
                Direction::Up => "newer",
                Direction::Down => "OLDER",
                Direction::Sideways => "another",
            };
            row(&dist.name, &dist.old, &dist.new, word)
        }));
        rows.extend(dists.added.iter().map(|dist| row(&dist.name, "", &dist.version, "added")));
        rows.extend(dists.removed.iter().map(|dist| row(&dist.name, &dist.version, "", "removed")));
        let relicensed = dists.relicensed.iter().map(|Change { what, old, new }| row(what, old, new, "licence"));
        rows.extend(relicensed);
        rows.sort_by(|a, b| a.what.cmp(&b.what));
        let others = [
            (&difference.recommends, "recommended"),
            (&difference.conflicts, "in conflict"),
            (&difference.obsoletes, "replaced"),
        ];
        let others = others.into_iter().flat_map(|(names, word)| {
            let added = names.added.iter().map(move |name| row(name, "", word, "added"));
            added.chain(names.removed.iter().map(move |name| row(name, word, "", "removed")))
        });
        let names = &difference.requires;
        // That it has configuration of its own version is no news.
        let own = format!("config({})", new.name);
        let is_news = |name: &&String| !name.starts_with(&own);
        let requires = names.added.iter().filter(is_news).map(|name| row(name, "", "required", "added"));
        let requires =
            requires.chain(names.removed.iter().filter(is_news).map(|name| row(name, "required", "", "removed")));
        Self {
            summary: format!("{what}{nothing}"),
            look_at: difference.look_at.iter().map(|look| look.what.clone()).collect(),
            service: difference.service.clone(),
            about: difference
                .package
                .iter()
                .map(|Change { what, old, new }| row(&name_of(what), old, new, "changed"))
                .collect(),
            dists: rows,
            unchanged: match dists.unchanged {
                1 => "1 Python package is what it was.".to_owned(),
                many => format!("{many} Python packages are what they were."),
            },
            requires: requires.chain(others).collect(),
            texts: texts(difference),
            groups: files.groups.iter().map(Group::of).collect(),
            files: in_words(&[(files.changed, "changed"), (files.added, "added"), (files.removed, "removed")]),
        }
    }
}

/// `package`'s own names of values: `built_from`
fn name_of(what: &str) -> String {
    match what {
        "license" => "licence".to_owned(),
        what => what.replace('_', " "),
    }
}

fn in_words(counts: &[(usize, &str)]) -> String {
    let words: Vec<String> =
        counts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    if words.is_empty() { "none changed".to_owned() } else { listed(&words) }
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    }
}

fn texts(difference: &Difference) -> Vec<Text> {
    let scriptlets = difference.scriptlets.iter().map(|script| Text {
        title: if script.name == "verify" { "%verifyscript".to_owned() } else { format!("%{}", script.name) },
        word: word(script.kind),
        about: String::new(),
        diff: script.diff.clone(),
    });
    let units = difference.units.iter().map(|unit| {
        let keys: Vec<String> = unit.keys.iter().map(|key| format!("`{}`", key.key)).collect();
        Text { title: unit.path.clone(), word: word(unit.kind), about: listed(&keys), diff: unit.diff.clone() }
    });
    let config = difference.config.iter().map(|config| Text {
        title: config.path.clone(),
        word: word(config.kind),
        about: config.on_the_box.clone(),
        diff: config.diff.clone(),
    });
    scriptlets.chain(units).chain(config).collect()
}

impl Group {
    fn of(group: &FileGroup) -> Self {
        let title = match (&group.dist, group.application) {
            (Some(dist), false) => dist.clone(),
            (Some(dist), true) => format!("{dist}, the application"),
            (None, _) => "units, notes, licences, folders".to_owned(),
        };
        let added = group.added.iter().map(|path| ("added  ", path, String::new()));
        let removed = group.removed.iter().map(|path| ("removed", path, String::new()));
        let changed = group.changed.iter().map(|change| {
            let what = change.changes.iter().filter(|change| change.what != "content");
            let what = what.map(|Change { what, old, new }| format!("  {what}: {old} → {new}")).collect();
            ("changed", &change.path, what)
        });
        let mut text = String::new();
        for (word, path, more) in added.chain(removed).chain(changed).take(MOST_PATHS) {
            text.push_str(&format!("{word} {}{}\n", path.replace('\n', "\\u{a}"), more.replace('\n', "\\u{a}")));
        }
        let all = group.added.len() + group.removed.len() + group.changed.len();
        if all > MOST_PATHS {
            text.push_str(&format!("and {} more\n", all - MOST_PATHS));
        }
        Self { title, count: group.in_words(), text }
    }
}
