//! The table of the guide: the last result of each application.

use super::rows::{APPLICATIONS, Application};
use crate::checkout::command::run;
use crate::checkout::repository;
use fs_err as fs;
use std::process::Command;

const PAGE: &str = "xtask/docs/gallery.md";
/// Set by the part of `ci` that writes the table.
const WRITES: &str = "GALLERY_WRITES";

const HEAD: &str = "# Published applications\n\n\
    `cargo xtask ci --release` packs these applications for el9-x86_64 and el8-x86_64 with Python 3.11, verifies the RPMs, and\n\
    starts each by its unit on a machine with rpm 4.18 and systemd 252 (Debian 12, which stands for el9). It asks for pages that\n\
    need templates, static files, databases or child processes, and writes the last result here. The rows are in\n\
    `tests/gallery/rows.rs`, the locks in `tests/locks/gallery`.\n\n\
    | application | release | packages | RPM | asked for | result | date |\n|---|---|---|---|---|---|---|\n";

/// What became known while an application was tried.
#[derive(Debug, Default)]
pub struct Tried {
    /// `datasette 0.65.5`
    pub release: String,
    pub packages: usize,
    /// of the RPM that was installed
    pub bytes: u64,
}

/// Replaces the line of one application, where that was asked for.
pub fn write_down(application: &Application, tried: &Tried, passed: bool) -> anyhow::Result<()> {
    if std::env::var_os(WRITES).is_none() {
        return Ok(());
    }
    let today = run(Command::new("date").args(["--utc", "+%F"]))?.text()?;
    let path = repository().join(PAGE);
    let page = fs::read_to_string(&path).unwrap_or_default();
    Ok(fs::write(&path, updated(&page, application.name, &line(application, tried, passed, &today)))?)
}

fn line(application: &Application, tried: &Tried, passed: bool, today: &str) -> String {
    let mut asked: Vec<String> = Vec::new();
    for path in application.pages.iter().filter_map(|(request, _)| request.last()) {
        let path = format!("`{}`", path.replace('|', "%7C"));
        if !asked.contains(&path) {
            asked.push(path);
        }
    }
    let result = if passed { "ok" } else { "FAILED" };
    let megabytes = tried.bytes.div_ceil(1_000_000);
    let (release, packages) = (&tried.release, tried.packages);
    format!(
        "| {} | {release} | {packages} | {megabytes} MB | {} | {result} | {today} |",
        application.name,
        asked.join(", ")
    )
}

/// The page with a new line; those of the others stay, and a row that is gone is dropped.
fn updated(page: &str, name: &str, new: &str) -> String {
    let lines = APPLICATIONS.iter().map(|application| {
        let head = format!("| {} |", application.name);
        let old = page.lines().find(|line| line.starts_with(&head));
        match application.name == name {
            true => format!("{new}\n"),
            false => old.map_or_else(|| format!("{head} not run yet | | | | | |\n"), |line| format!("{line}\n")),
        }
    });
    HEAD.to_owned() + &lines.collect::<String>()
}

#[test]
fn an_application_that_was_tried_alone_leaves_the_results_of_the_others() {
    let first = updated("", "django", "| django | django 5 | 9 | 3 MB | `/` | ok | 2026-11-01 |");
    let second = updated(&first, "gradio", "| gradio | gradio 6 | 9 | 3 MB | `/` | FAILED | 2026-11-30 |");
    assert!(first.contains("| datasette | not run yet |"), "{first}");
    assert!(second.contains("| ok | 2026-11-01 |") && second.contains("| FAILED | 2026-11-30 |"), "{second}");
    assert_eq!(updated(&second, "", ""), second);
}

#[test]
fn the_page_has_every_application() {
    let page = fs::read_to_string(repository().join(PAGE)).unwrap_or_default();
    assert!(page == updated(&page, "", ""), "it should be\n{}", updated(&page, "", ""));
}
