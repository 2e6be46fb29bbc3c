//! What is asked of the installed service, in words of the test's story.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use wheelhaul_trial::Files;

use crate::{CONFIG, EDITED_NAME, NAME, PORT, STATE, UNIT, URL};

use super::{Machine, wait_for};

/// From start to the first answer; the service makes its key in this time.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Waits until the page answers, as HTML, and wants all `texts` on it.
pub fn page_has(machine: &Machine, texts: &[&str]) -> anyhow::Result<()> {
    let page = wait_for(START_LIMIT, || fetch(machine, "/", "text/html"))?;
    let missing: Vec<_> = texts.iter().filter(|text| !page.contains(**text)).collect();
    let start: Vec<_> = page.lines().take(30).collect();
    ensure!(missing.is_empty(), "{missing:?} is not on the page, which starts with:\n{}", start.join("\n"));
    Ok(())
}

pub fn is_healthy(machine: &Machine) -> anyhow::Result<()> {
    let answer = wait_for(START_LIMIT, || fetch(machine, "/healthz", "application/json"))?;
    let health: serde_json::Value =
        serde_json::from_str(&answer).with_context(|| format!("/healthz is not JSON: {answer}"))?;
    ensure!(health["status"] == "ok", "the status is not ok: {health}");
    Ok(())
}

/// The body of a page that must come with code 200 and content of the type `kind`.
fn fetch(machine: &Machine, path: &str, kind: &str) -> anyhow::Result<String> {
    let url = format!("{URL}{path}");
    let quiet = ["curl", "--insecure", "--silent", "--show-error", "--max-time", "5"];
    let tail = ["--write-out", "\n%{http_code} %{content_type}", &url];
    let answer = machine.text(&[&quiet[..], &tail].concat())?;
    let (body, facts) = answer.rsplit_once('\n').context("curl wrote nothing")?;
    ensure!(facts.starts_with(&format!("200 {kind}")), "{url} answered `{facts}`:\n{body}");
    Ok(body.to_owned())
}

pub fn is_unit(machine: &Machine, property: &str, expected: &str) -> anyhow::Result<()> {
    let found = machine.property(UNIT, property)?;
    ensure!(found == expected, "{property} of {UNIT} is `{found}`, not `{expected}`");
    Ok(())
}

pub fn is_edited(machine: &Machine) -> anyhow::Result<()> {
    machine.text(&["grep", EDITED_NAME, CONFIG]).map(drop)
}

pub fn config_is_guarded(machine: &Machine) -> anyhow::Result<()> {
    let facts = machine.text(&["stat", "--format=%a %U:%G", CONFIG])?;
    ensure!(facts == format!("640 root:{NAME}"), "{CONFIG} is `{facts}`");
    Ok(())
}

pub fn verifies(machine: &Machine) -> anyhow::Result<()> {
    let finished = machine.run(&["rpm", "--verify", NAME])?;
    ensure!(finished.succeeded() && finished.stdout.is_empty(), "{finished}");
    Ok(())
}

pub fn runs_as_its_user(machine: &Machine) -> anyhow::Result<()> {
    let main = machine.property(UNIT, "MainPID")?;
    let processes = machine.text(&["ps", "-o", "user:32=,pid=,args=", "--pid", &main, "--ppid", &main])?;
    let foreign: Vec<_> = processes.lines().filter(|line| line.split_whitespace().next() != Some(NAME)).collect();
    ensure!(foreign.is_empty(), "not {NAME}'s:\n{}", foreign.join("\n"));
    Ok(())
}

pub fn has_no_journal_errors(machine: &Machine) -> anyhow::Result<()> {
    let errors = machine.text(&["journalctl", "--quiet", "--no-pager", "--priority=err", "--unit", UNIT])?;
    ensure!(errors.is_empty(), "errors:\n{errors}");
    Ok(())
}

pub fn has_no_failed_unit(machine: &Machine) -> anyhow::Result<()> {
    let failed = machine.text(&["systemctl", "--failed", "--no-legend", "--no-pager", "--plain"])?;
    ensure!(failed.is_empty(), "failed:\n{failed}");
    Ok(())
}

pub fn is_gone(machine: &Machine) -> anyhow::Result<()> {
    let query = machine.run(&["rpm", "--query", NAME])?;
    ensure!(!query.succeeded(), "still installed: {query}");
    is_unit(machine, "LoadState", "not-found")?;
    is_unit(machine, "ActiveState", "inactive")?;
    let listening = machine.text(&["ss", "-Hltn", &format!("sport = :{PORT}")])?;
    ensure!(listening.is_empty(), "the port is open:\n{listening}");
    Ok(())
}

/// Wants no change on the disk since `before` but in `allowed`, the state and the account files.
pub fn leaves_only(machine: &Machine, before: &Files, allowed: &[&str]) -> anyhow::Result<()> {
    const ACCOUNTS: [&str; 6] = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"];
    let is_account =
        |path: &str| path.strip_prefix("/etc/").is_some_and(|file| ACCOUNTS.contains(&file.trim_end_matches('-')));
    let is_state = |path: &str| path == STATE || path.starts_with(&format!("{STATE}/"));
    let changes = Files::list(machine)?.changed_since(before);
    let left: Vec<_> = changes
        .iter()
        .filter(|(path, _)| !(allowed.contains(&path.as_str()) || is_account(path) || is_state(path)))
        .map(|(path, change)| format!("{path} ({change})"))
        .collect();
    if !left.is_empty() {
        bail!("left behind:\n{}", left.join("\n"));
    }
    Ok(())
}
