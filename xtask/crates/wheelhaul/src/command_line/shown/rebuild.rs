//! `rebuild` for people: whether each RPM is made again, and what differs.

use super::Shown;
use wheelhaul_base::text::line;
use wheelhaul_engine::rebuild::{Compared, Report};
use wheelhaul_verify::{Difference, FileGroup, Names};

impl Shown for Report {
    fn text(&self) -> String {
        self.rpms.iter().map(text).collect()
    }

    fn findings(&self) -> bool {
        self.findings()
    }
}

fn text(rpm: &Compared) -> String {
    let path = &rpm.path;
    let Some(differs) = &rpm.differs else {
        let signed = if rpm.is_signed { ", but for its signature" } else { "" };
        return line(&format!("{path}: the same bytes{signed}, from {}", commit_in_words(rpm.commit.as_deref())));
    };
    let what = match (rpm.header, rpm.payload) {
        (false, false) => "header and payload",
        (false, true) => "the header",
        (true, _) => "the payload",
    };
    let mut text = line(&format!("{path}: DIFFERS in {what}")) + "  likely because:\n";
    text.extend(differs.reasons.iter().map(|reason| line(&format!("    {reason}"))));
    text.push_str(&details(&differs.difference));
    text
}

fn commit_in_words(head: Option<&str>) -> String {
    head.map_or("files that are not committed".to_owned(), |head| format!("commit {head}"))
}

/// What differs: the first of the files, and the names of the other sections.
fn details(difference: &Difference) -> String {
    const MOST: usize = 10;
    let mut text = String::new();
    let mut paths: Vec<String> = difference.files.groups.iter().flat_map(of_group).collect();
    // Byte-code follows from what stands before it.
    paths.sort_by_key(|path| (path.contains("/__pycache__"), path.clone()));
    let all = difference.files.added + difference.files.removed + difference.files.changed;
    if all > 0 {
        text.push_str(&line(&format!("  files: {} differ, the first of them:", all)));
        text.extend(paths.iter().take(MOST).map(|path| line(&format!("    {path}"))));
    }
    let sections = [
        ("what it says of itself", difference.package.iter().map(|change| change.what.as_str()).collect::<Vec<_>>()),
        ("requires", of_names(&difference.requires)),
        ("provides", of_names(&difference.provides)),
        ("scriptlets", difference.scriptlets.iter().map(|change| change.name.as_str()).collect()),
        ("units", difference.units.iter().map(|change| change.path.as_str()).collect()),
        ("config", difference.config.iter().map(|change| change.path.as_str()).collect()),
    ];
    for (title, names) in sections.into_iter().filter(|(_, names)| !names.is_empty()) {
        let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
        text.push_str(&line(&format!("  {title}: {}{more}", names[..names.len().min(MOST)].join(", "))));
    }
    text
}

fn of_names(names: &Names) -> Vec<&str> {
    names.added.iter().chain(&names.removed).map(String::as_str).collect()
}

/// The paths of a group, each with what differs.
fn of_group(group: &FileGroup) -> Vec<String> {
    let added = group.added.iter().map(|path| format!("{path} (only made from the repository)"));
    let removed = group.removed.iter().map(|path| format!("{path} (only in the RPM)"));
    let changed = group.changed.iter().map(|file| {
        let what: Vec<&str> = file.changes.iter().map(|change| change.what.as_str()).collect();
        format!("{}: {}", file.path, what.join(", "))
    });
    added.chain(removed).chain(changed).collect()
}
