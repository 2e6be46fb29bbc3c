//! One project, locked by each real tool: this tool reads from the lock what its own tool installs.

use anyhow::ensure;
use lockers::{Case, Packages, Said, cases, judge, packages};
use std::collections::BTreeSet;
use wheelhaul_boxes::Target;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
mod lockers;
#[allow(dead_code, reason = "shared with the test against `packaging`")]
mod packaging;

#[rustfmt::skip]
const TARGETS: [(&str, &str); 6] = [
    ("el8-x86_64",   "3.8"),
    ("el9-x86_64",   "3.9"),
    ("el9-x86_64",   "3.11"),
    ("el9-x86_64",   "3.12"),
    ("el8-aarch64",  "3.9"),
    ("el10-aarch64", "3.12"),
];

fn targets() -> anyhow::Result<Vec<Target>> {
    TARGETS.iter().map(|(name, python)| Target::find(name, Some(python), None)).collect()
}

/// The tools whose locks are compared. A tool that is missing here, or has no case, is a fault.
const TOOLS: [&str; 10] = [
    "pipenv",
    "poetry-1",
    "poetry-2",
    "pdm",
    "pdm-graph",
    "pip-tools",
    "uv",
    "uv export to requirements.txt",
    "uv export to pylock.toml",
    "uv workspace",
];

#[test]
fn locks_are_read_as_their_own_tools_do() -> anyhow::Result<()> {
    let targets = targets()?;
    let all = cases(&targets)?;
    let names: BTreeSet<&str> = all.iter().map(|case| case.tool.as_str()).collect();
    ensure!(names == BTreeSet::from(TOOLS), "the project was locked by {names:?}");
    let cases: Vec<&Case> = all.iter().collect();
    let mut compared = 0;
    let mut faults = Vec::new();
    for case in cases {
        let before = compared;
        for said in &case.selections {
            let what = format!("{} with {:?} and {:?}", case.tool, said.extras, said.groups);
            let pins = case.pins(&case.texts(), said)?;
            let theirs = exported(said, &targets)?;
            ensure!(!theirs.is_empty() || !said.installed.is_empty(), "{what}: its tool says nothing");
            for (target, theirs) in targets.iter().zip(theirs) {
                compared += 1;
                match (packages(&pins, target), theirs) {
                    (Ok(ours), Ok(theirs)) => faults.extend(differences(&what, target, &ours, &theirs)),
                    (ours, theirs) => faults.push(format!("{what} on {}: {ours:?} and {theirs:?}", in_words(target))),
                }
            }
            for (full, theirs) in &said.installed {
                let Some(target) = box_with(full) else { continue };
                let target = &target;
                compared += 1;
                let ours: BTreeSet<String> = (packages(&pins, target)?.into_iter())
                    .map(|(name, (version, _))| format!("{name}=={version}"))
                    .collect();
                let differing: Vec<&String> = ours.symmetric_difference(theirs).collect();
                if !differing.is_empty() {
                    faults.push(format!("{what} installed on {}: {differing:?}", in_words(target)));
                }
            }
        }
        ensure!(compared > before, "{}: no set was compared, for want of a Python that a box has", case.tool);
    }
    println!("{compared} sets of packages compared");
    ensure!(compared >= 140, "only {compared} sets were compared");
    ensure!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

/// A box with that very Python; none where no distribution has its minor version.
fn box_with(full: &str) -> Option<Target> {
    let (minor, _) = full.rsplit_once('.')?;
    ["el8-x86_64", "el9-x86_64", "al2023-x86_64"]
        .iter()
        .find_map(|name| Target::find(name, Some(minor), Some(full)).ok())
}

fn exported(said: &Said, targets: &[Target]) -> anyhow::Result<Vec<Result<Packages, String>>> {
    match &said.export {
        Some(export) => judge(targets, &(0..targets.len()).map(|place| (export.as_str(), place)).collect::<Vec<_>>()),
        None => Ok(Vec::new()),
    }
}

fn differences(what: &str, target: &Target, ours: &Packages, theirs: &Packages) -> Vec<String> {
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differs = |name: &&String| ours.get(*name) != theirs.get(*name);
    names
        .into_iter()
        .filter(differs)
        .map(|name| {
            let shown = |of: Option<&(String, BTreeSet<String>)>| match of {
                Some((version, hashes)) => format!("{version} with {} hashes", hashes.len()),
                None => "nothing".to_owned(),
            };
            let (ours, theirs) = (shown(ours.get(name)), shown(theirs.get(name)));
            format!("{what} on {}: `{name}` is {ours} here, and {theirs} there", in_words(target))
        })
        .collect()
}

fn in_words(target: &Target) -> String {
    format!("{} with {}", target.name, target.python_full)
}

/// Every tool that remembers its project file: fresh as it was locked, stale after an edit.
#[test]
fn a_lock_is_stale_when_its_own_tool_would_say_so() -> anyhow::Result<()> {
    let mut checked = Vec::new();
    for case in cases(&targets()?)? {
        let Some(edited) = case.edited_texts() else { continue };
        ensure!(edited != case.texts(), "{}: the edit changes nothing", case.tool);
        let said = &case.selections[0];
        let fresh = case.pins(&case.texts(), said)?.stale;
        ensure!(fresh.is_none(), "{}: {fresh:?}, as it was locked", case.tool);
        let stale = case.pins(&edited, said)?.stale;
        ensure!(stale.is_some(), "{}: an edited project file is not noticed", case.tool);
        checked.push(case.tool);
    }
    ensure!(checked.len() == 6, "only {checked:?} were checked");
    Ok(())
}

#[test]
fn a_name_that_a_lock_does_not_know_is_refused_with_the_known_ones() -> anyhow::Result<()> {
    for case in
        cases(&targets()?)?.iter().filter(|case| ["pipenv", "poetry-1", "poetry-2", "pdm", "uv"].contains(&&*case.tool))
    {
        let said = |extras: &[&str], groups: &[&str]| Said {
            extras: extras.iter().map(|name| (*name).to_owned()).collect(),
            groups: groups.iter().map(|name| (*name).to_owned()).collect(),
            export: None,
            installed: Default::default(),
        };
        let error = case.pins(&case.texts(), &said(&["cahce"], &["dosc"])).map(drop).unwrap_err();
        let text = format!("{error:#} {:?}", wheelhaul_base::problem::hints_of(&error));
        for part in ["no extra `cahce`", "no group `dosc`", "known groups: "] {
            ensure!(text.contains(part), "{}: `{part}` is missing in {text}", case.tool);
        }
    }
    Ok(())
}
