//! `rebuild DIR FILE…`: whether a repository makes these very RPMs.

use crate::builder::{BuildOptions, Builder};
use crate::foreign::refuse_foreign;
use crate::report::Report;
use crate::rpm;
use crate::tools::git;
use crate::{Project, diff, locking, offline};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_base::text::line;
use wheelhaul_host::{Sys, find_root};
use wheelhaul_verify::{Difference, Evidence, FileGroup, Names, Rebuilt, reasons};

/// What `rebuild` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A checkout of the commit that they were made from
    pub folder: Utf8PathBuf,
    /// RPMs that this tool made
    pub rpms: Vec<Utf8PathBuf>,
    /// Start no program that reaches the network
    pub offline: bool,
}

/// The task.
///
/// - Takes: `targets`, what `--target` says, for RPMs in which no lock travels; one at most.
/// - Fails: where an RPM cannot be read, or the repository cannot be built for its target.
pub fn run(sys: &Sys, options: &Options, targets: &[String]) -> anyhow::Result<Report> {
    ensure!(targets.len() <= 1, "`--target` can be given once where a file is named");
    let (Options { folder, rpms: files, .. }, target) = (options, targets.first().map(String::as_str));
    let root = find_root(&sys.root.join(folder)).with_context(|| format!("`{folder}`"))?;
    let repository = Sys { root, ..sys.clone() };
    refuse_foreign(&repository).with_context(|| format!("`{folder}`"))?;
    let mut given = Vec::new();
    let mut faults = Vec::new();
    for path in files {
        match diff::gather(&sys.root.join(path)).with_context(|| format!("`{path}` cannot be read")) {
            Ok(evidence) => given.push((path, evidence)),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("packages cannot be compared", faults)?;
    let mut report = Report::fine(String::new(), json!({"rpms": []}));
    let mut rows: Vec<Value> = Vec::new();
    for (path, evidence) in given {
        let (text, row, same) = compare(&repository, path, evidence, target)
            .with_context(|| format!("`{path}` cannot be made again in `{folder}`"))?;
        report.text.push_str(&text);
        rows.push(row);
        report.findings |= !same;
    }
    report.json["rpms"] = Value::Array(rows);
    Ok(report)
}

/// Builds one again, and gives what is said of it to people and programs, and whether it is the same.
fn compare(sys: &Sys, path: &Utf8Path, given: Evidence, target: Option<&str>) -> anyhow::Result<(String, Value, bool)> {
    let name = target.or(given.target.as_ref().map(|target| target.name.as_str())).map(str::to_owned);
    let name = name.ok_or_else(|| {
        Problem::with_hint("it does not say for which target it is", "name one of `dist/package.toml` by `--target`")
    })?;
    let mut project = Project::load(sys, std::slice::from_ref(&name), false)?;
    let level = level_of(&given);
    let without_byte_code = given.byte_code.is_empty() && project.config.package.byte_code.is_none();
    if without_byte_code {
        // Whether there is any is then the building host's matter, and not the commit's.
        project.config.package.byte_code = Some(false);
    }
    rpm::refuse_early(&project)?;
    let locks = locking::inspect(&project)?;
    offline::refuse_missing(&project, &locks, false)?;
    let (_keep, scratch) = sys.scratch()?;
    let project = project.making_into(&scratch);
    let options = BuildOptions { offline: sys.offline, level, builder: Builder::Native, source: false };
    let built = rpm::build(&project, rpm::current_locks(&project, locks)?, &options, None)?;
    let built = built.first().context("nothing was built")?;
    let made = diff::gather(&built.path)?;
    let head = git::head(sys)?.map(|head| head.commit);
    let same_header = given.bytes.header == made.bytes.header;
    let same_payload = given.bytes.payload == made.bytes.payload;
    let same = same_header && same_payload;
    let mut row = json!({
        "path": path, "target": name, "same": same, "header": same_header, "payload": same_payload,
        "signature": given.signatures.signer(), "commit": head, "level": level, "byte_code": built.byte_code,
    });
    let signed = if !given.signatures.packets.is_empty() { ", but for its signature" } else { "" };
    if same {
        return Ok((
            line(&format!("{path}: the same bytes{signed}, from {}", commit_in_words(head.as_deref()))),
            row,
            true,
        ));
    }
    let difference = Difference::between(&given, &made);
    let rebuilt = Rebuilt { given: &given, made: &made, head: head.as_deref(), compiler: built.byte_code.as_deref() };
    let reasons = reasons(&rebuilt, &difference);
    row["reasons"] = json!(reasons);
    row["difference"] = serde_json::to_value(&difference)?;
    let what = match (same_header, same_payload) {
        (false, false) => "header and payload",
        (false, true) => "the header",
        (true, _) => "the payload",
    };
    let mut text = line(&format!("{path}: DIFFERS in {what}")) + "  likely because:\n";
    text.extend(reasons.iter().map(|reason| line(&format!("    {reason}"))));
    text.push_str(&details(&difference));
    Ok((text, row, false))
}

fn commit_in_words(head: Option<&str>) -> String {
    head.map_or("files that are not committed".to_owned(), |head| format!("commit {head}"))
}

/// The level that the payload was packed with; none for what this tool cannot set.
fn level_of(evidence: &Evidence) -> Option<i32> {
    let level: i32 = evidence.described.origin.level.parse().ok()?;
    (1..=19).contains(&level).then_some(level)
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
