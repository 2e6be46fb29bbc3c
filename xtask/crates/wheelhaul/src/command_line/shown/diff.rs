//! `diff` for people: each section of what differs.

use super::Shown;
use std::collections::BTreeSet;
use wheelhaul_base::text::line;
use wheelhaul_engine::diff::Report;
use wheelhaul_engine::report::{count, size};
use wheelhaul_verify::{
    Change, ChangeKind, ConfigChange, Difference, Direction, Dist, FileGroup, Names, Side, UnitChange, Upgrade,
};

impl Shown for Report {
    fn text(&self) -> String {
        line(&format!("{} → {}", self.old, self.new)) + &text(&self.difference)
    }
}

/// Each section, with `nothing` where nothing differs.
fn text(difference: &Difference) -> String {
    let Difference { old, new, requires, recommends, conflicts, obsoletes, provides, .. } = difference;
    let look_at = difference.look_at.iter().map(|look| line(&format!("{:<10} {}", look.section, look.what))).collect();
    let package = difference.package.iter().map(|change| change_line(change, 12)).collect();
    let scripts = difference.scriptlets.iter().map(|change| {
        let name = if change.name == "verify" { "verifyscript" } else { &change.name };
        format!("%{name}: {}\n{}", word(change.kind), diff_of(change.diff.as_deref()))
    });
    let service = difference.service.iter().map(|said| line(said)).collect();
    let sections: [(&str, String); 14] = [
        ("look at", look_at),
        ("package", upgrade(difference) + &lines(package)),
        ("distributions", dists(difference)),
        ("files", files(difference)),
        ("requires", names(requires)),
        ("recommends", names(recommends)),
        ("conflicts", names(conflicts)),
        ("obsoletes", names(obsoletes)),
        ("provides", names(provides)),
        ("scriptlets", scripts.collect()),
        ("units", difference.units.iter().map(unit).collect()),
        ("config", difference.config.iter().map(config).collect()),
        ("size", sizes(old, new)),
        ("service", lines(service)),
    ];
    let mut text = String::new();
    for (title, body) in sections {
        text.push_str(&format!("{title}\n"));
        match body.is_empty() {
            true => text.push_str("  nothing\n"),
            false => text.extend(body.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n")),
        }
    }
    text
}

fn lines(of: Vec<String>) -> String {
    of.concat()
}

fn change_line(change: &Change, width: usize) -> String {
    let said = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    line(&format!("{:<width$} {} → {}", change.what, said(&change.old), said(&change.new)))
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    }
}

fn upgrade(difference: &Difference) -> String {
    let (old, new) = (&difference.old, &difference.new);
    match difference.upgrade {
        Upgrade::Upgrade => line(&format!("an upgrade for rpm: {} → {}", old.evr, new.evr)),
        Upgrade::Downgrade => line(&format!("a DOWNGRADE for rpm: {} → {}", old.evr, new.evr)),
        Upgrade::Same => line(&format!("NO upgrade for rpm: both are {}", new.evr)),
        Upgrade::OtherPackage => {
            line(&format!("NO upgrade for rpm: `{}` is another package than `{}`", new.name, old.name))
        }
    }
}

fn dists(difference: &Difference) -> String {
    let dists = &difference.dists;
    let one = |sign: char, dist: &Dist| line(&format!("{sign} {} {} ({})", dist.name, dist.version, dist.license));
    let mut text = String::new();
    text.extend(dists.added.iter().map(|dist| one('+', dist)));
    text.extend(dists.removed.iter().map(|dist| one('-', dist)));
    text.extend(dists.changed.iter().map(|dist| {
        let direction = match dist.direction {
            Direction::Up => "",
            Direction::Down => " (OLDER)",
            Direction::Sideways => " (neither newer nor older)",
        };
        line(&format!("  {} {} → {}{direction}", dist.name, dist.old, dist.new))
    }));
    text.extend(
        dists
            .relicensed
            .iter()
            .map(|change| line(&format!("  {}: licence {} → {}", change.what, change.old, change.new))),
    );
    match text.is_empty() {
        true => text,
        false => text + &line(&format!("  {} the same", dists.unchanged)),
    }
}

/// The application's files and those of no distribution one by one, the others counted.
fn files(difference: &Difference) -> String {
    let files = &difference.files;
    let mut text = String::new();
    let is_folded = |group: &&FileGroup| !group.application && group.is_byte_code_alone();
    let (folded, shown): (Vec<&FileGroup>, Vec<&FileGroup>) = files.groups.iter().partition(is_folded);
    for group in shown {
        text.push_str(&line(&format!("{}: {}", title(group), group.in_words())));
        if group.dist.is_none() || group.application {
            text.push_str(&listed(group));
        }
    }
    if !folded.is_empty() {
        let names: Vec<&str> = folded.iter().filter_map(|group| group.dist.as_deref()).collect();
        text.push_str(&line(&format!("byte-code alone: {}", names.join(", "))));
    }
    match text.is_empty() {
        true => text,
        false => text + &line(&format!("{} the same", count(files.unchanged, "path"))),
    }
}

fn title(group: &FileGroup) -> String {
    let Some(dist) = &group.dist else { return "beside the distributions".to_owned() };
    match (&group.old, &group.new) {
        (Some(old), Some(new)) if old != new => format!("{dist} {old} → {new}"),
        (Some(version), _) | (None, Some(version)) => format!("{dist} {version}"),
        (None, None) => dist.clone(),
    }
}

/// Byte-code follows from its module, and is counted.
fn listed(group: &FileGroup) -> String {
    let is_shown = |path: &&String| !path.contains("/__pycache__/");
    let mut rows: Vec<(&str, char, String)> = Vec::new();
    rows.extend(group.added.iter().filter(is_shown).map(|path| (path.as_str(), '+', String::new())));
    rows.extend(group.removed.iter().filter(is_shown).map(|path| (path.as_str(), '-', String::new())));
    rows.extend(group.changed.iter().filter(|file| is_shown(&&file.path)).map(|file| {
        let what: Vec<String> = file.changes.iter().map(aspect).collect();
        (file.path.as_str(), ' ', format!(": {}", what.join(", ")))
    }));
    rows.sort();
    let all = group.added.len() + group.removed.len() + group.changed.len();
    let mut text: String = rows.iter().map(|(path, sign, what)| line(&format!("  {sign} {path}{what}"))).collect();
    if all > rows.len() {
        text.push_str(&line(&format!("    and {} of byte-code", count(all - rows.len(), "file"))));
    }
    text
}

fn aspect(change: &Change) -> String {
    match change.what.as_str() {
        // Nobody compares digests by eye.
        "content" => "content".to_owned(),
        what => {
            let said = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
            format!("{what} {} → {}", said(&change.old), said(&change.new))
        }
    }
}

fn names(names: &Names) -> String {
    let added = names.added.iter().map(|name| line(&format!("+ {name}")));
    added.chain(names.removed.iter().map(|name| line(&format!("- {name}")))).collect()
}

fn unit(unit: &UnitChange) -> String {
    let mut text = line(&format!("{}: {}", unit.path, word(unit.kind)));
    for key in &unit.keys {
        text.push_str(&line(&format!("  [{}] {}", key.section, key.key)));
        let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (key.old.iter().collect(), key.new.iter().collect());
        text.extend(key.old.iter().filter(|value| !new.contains(value)).map(|value| line(&format!("    - {value}"))));
        text.extend(key.new.iter().filter(|value| !old.contains(value)).map(|value| line(&format!("    + {value}"))));
        if old == new {
            text.push_str(
                "    another order of its lines, or other repetitions
",
            );
        }
    }
    match unit.keys.is_empty() {
        true => text + &diff_of(unit.diff.as_deref()),
        false => text,
    }
}

fn config(config: &ConfigChange) -> String {
    let diff = diff_of(config.diff.as_deref());
    format!("{}: {}: {}\n{diff}", config.path, word(config.kind), config.on_the_box)
}

fn diff_of(diff: Option<&str>) -> String {
    match diff {
        Some(diff) => diff.lines().map(|text| line(&format!("  {text}"))).collect(),
        None => "  no text, or too long to be shown line by line\n".to_owned(),
    }
}

fn sizes(old: &Side, new: &Side) -> String {
    let row = |what: &str, old: u64, new: u64| {
        let sign = if new < old { '-' } else { '+' };
        let by = if old == new { "the same".to_owned() } else { format!("{sign}{}", size(old.abs_diff(new))) };
        line(&format!("{what:<10} {} → {} ({by})", size(old), size(new)))
    };
    row("to carry", old.download, new.download) + &row("on the box", old.installed, new.installed)
}
