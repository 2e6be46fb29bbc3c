//! `libraries`: what ELF files ask for is in the package, or required of the box; and they look for it in no place
//! that somebody else can write.

use super::fitting;
use super::owners::Owned;
use crate::{Evidence, Finding, Outcome, count, no_target};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::shortened;
use wheelhaul_boxes::Target;
use wheelhaul_wheel::elf::{Asking, ElfNeed, SearchPlace, asked_of_box, highest};

/// Folders of the box in which others than root can make folders and files (Filesystem Hierarchy Standard).
const OF_OTHERS: [&str; 5] = ["/dev/shm", "/home", "/run/user", "/tmp", "/var/tmp"];

/// The check.
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let owned = Owned::of(evidence, target);
    let asking = asked_of_box(&owned.dists, &owned.asks);
    let mut findings = missing(evidence, target, &asking);
    let mut looked_at = 0;
    for (path, facts) in fitting(evidence, target) {
        looked_at += 1;
        let below = path.strip_prefix(evidence.root()).unwrap_or(path).trim_start_matches('/');
        let origin = below.rsplit_once('/').map_or("", |(folder, _)| folder);
        let elements: BTreeSet<&String> = facts.search().iter().collect();
        findings.extend(elements.into_iter().filter_map(|element| fault_of(evidence, path, element, origin)));
    }
    let of_box: BTreeSet<&str> = asking.iter().flat_map(|file| &file.libraries).map(|(library, _)| *library).collect();
    let libraries = if of_box.len() == 1 { "1 library" } else { &format!("{} libraries", of_box.len()) };
    Outcome::Made { looked_at: format!("{}, {libraries} of the box", count(looked_at, "ELF file")), findings }
}

/// What is asked for, and is neither in the package nor named by its header.
fn missing(evidence: &Evidence, target: &Target, asking: &[Asking<'_>]) -> Vec<Finding> {
    let said = |names: &[String]| names.iter().filter_map(|name| name.parse().ok()).collect::<Vec<ElfNeed>>();
    let (required, suggested) = (said(&evidence.described.requires), said(&evidence.described.suggests));
    let optional: BTreeSet<&str> = suggested.iter().map(ElfNeed::library).collect();
    let whole = |path: &str| format!("{}/{path}", evidence.root());
    let mut findings = Vec::new();
    // Of each need the first file that has it.
    let mut needs: BTreeMap<ElfNeed, &str> = BTreeMap::new();
    for file in asking {
        for (library, version) in &file.libraries {
            match ElfNeed::new(library, version) {
                Some(need) => {
                    needs.entry(need).or_insert(file.path);
                }
                // With a version it is named once more.
                None if version.is_empty() => findings.push(Finding::error(
                    whole(file.path),
                    format!("it asks for `{}`, which no file of the package brings", shortened(library).escape_debug()),
                    "a library of the package: no package of a distribution is known by that name",
                    "lock a release whose wheel brings it (`auditwheel repair`)",
                )),
                None => {}
            }
        }
    }
    let unsaid = |need: &ElfNeed| !need.is_said_by(&required) && !optional.contains(need.library());
    for need in highest(needs.keys().filter(|need| unsaid(need)).cloned()) {
        let path = needs.get(&need).copied().unwrap_or_default();
        let found = format!("it asks for `{}`, which neither the package brings nor the RPM requires", need.library());
        let expected = format!("`Requires: {need}`");
        let relock =
            "build the RPM again with this tool: it requires what the lock says; and lock again where that differs";
        match target.knows_weak_dependencies() || need.is_everywhere() {
            true => findings.push(Finding::error(whole(path), found, expected, relock)),
            // Nothing in the package could tell that it is optional.
            false => {
                let cure =
                    "nothing, where `optional-libraries` in `dist/package.toml` names it; else build the RPM again";
                findings.push(Finding::error(whole(path), found, expected, cure).warning());
            }
        }
    }
    findings
}

/// What is wrong with an element of a search path.
fn fault_of(evidence: &Evidence, path: &str, element: &str, origin: &str) -> Option<Finding> {
    let root = evidence.root();
    let shown = shortened(element);
    let shown = shown.escape_debug();
    let cure = "let its publisher link it with `$ORIGIN` alone; lock another release";
    let expected = format!("folders below {root}, or of the box that root alone writes");
    let found = match SearchPlace::of(element, origin) {
        SearchPlace::Folder(_) | SearchPlace::Unknown => return None,
        SearchPlace::Working if element.is_empty() => {
            "an empty element of its search path: libraries are loaded from the folder that it is started in".to_owned()
        }
        SearchPlace::Working => format!("libraries are looked for in `{shown}` below the folder that it is started in"),
        SearchPlace::Above => format!("libraries are looked for in `{shown}`, which leads out of the package"),
        // What else a builder leaves in it (`/usr/local/lib`, `/opt/_internal/…`) is not there, and root's to make.
        SearchPlace::OfBox(folder) if !OF_OTHERS.iter().any(|of| is_below(&folder, of)) => return None,
        SearchPlace::OfBox(_) => format!("libraries are looked for in `{shown}`, where others than root can put them"),
    };
    Some(Finding::error(path, found, expected, cure))
}

/// Whether an absolute path leads to a folder or below it.
fn is_below(path: &str, folder: &str) -> bool {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let of: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    parts.starts_with(&of)
}
