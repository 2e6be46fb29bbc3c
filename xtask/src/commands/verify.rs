//! `cargo xtask verify`: the finished RPM, judged against its target.

use crate::commands::Project;
use crate::commands::report::Report;
use crate::problem::Problem;
use crate::sys::Sys;
use crate::verify::{CHECKS, Evidence, Finding, Judged, Outcome, Severity, judge};
use anyhow::ensure;
use camino::Utf8PathBuf;
use clap::Args;
use serde_json::{Value, json};

/// Judge finished RPMs against their target, from their bytes alone
///
/// Without FILE, the RPMs in `dist/out` of the configured targets. With FILE, no repository is needed: the
/// target is read from the lock that travels in the package. All findings are shown at once; errors make
/// the exit code 1, warnings do not. A check that could not be made is said so, and counts as an error.
#[derive(Debug, Args)]
pub struct Flags {
    /// RPMs that this tool made
    #[arg(value_name = "FILE")]
    pub rpms: Vec<Utf8PathBuf>,
    /// List the checks with their reasons, and look at nothing
    #[arg(long)]
    pub list: bool,
}

/// The task on files that are named.
pub fn run(sys: &Sys, flags: &Flags) -> anyhow::Result<Report> {
    if flags.list {
        return Ok(list());
    }
    let files: Vec<(String, Utf8PathBuf)> =
        flags.rpms.iter().map(|path| (path.to_string(), sys.root.join(path))).collect();
    verify_files(sys, &files)
}

/// The task on the RPMs of a repository.
pub fn run_built(project: &Project) -> anyhow::Result<Report> {
    let mut files = Vec::new();
    for target in &project.targets {
        let end = format!(".{}.{}.rpm", target.distribution.dist, target.arch);
        let start = format!("{}-", project.config.package.name);
        for entry in fs_err::read_dir(project.out()).map_err(none_built)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&start) && name.ends_with(&end) {
                let path = project.out().join(&name);
                files.push((project.shown(&path), path));
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(none_built(std::io::Error::other("there is none")));
    }
    verify_files(&project.sys, &files)
}

fn none_built(error: std::io::Error) -> anyhow::Error {
    Problem::around(
        error.into(),
        "there are no RPMs in `dist/out` to verify",
        "run `cargo xtask rpm` first, or name a file",
    )
}

fn list() -> Report {
    let text = CHECKS.iter().map(|check| format!("{:<12} {}\n", check.name, check.reason)).collect();
    let rows: Vec<Value> = CHECKS.iter().map(|check| json!({"name": check.name, "reason": check.reason})).collect();
    Report::fine(text, json!({"checks": rows}))
}

/// Judges files, each shown under the name that stands with it.
pub fn verify_files(sys: &Sys, files: &[(String, Utf8PathBuf)]) -> anyhow::Result<Report> {
    let mut report = Report { text: String::new(), json: json!({"rpms": []}), findings: false };
    for (shown, path) in files {
        let spinner = sys.spinner(&format!("verifying {shown}"));
        let file = fs_err::File::open(path)?;
        ensure!(file.metadata()?.is_file(), "`{shown}` is no file");
        let evidence = match Evidence::gather(file) {
            Ok(evidence) => evidence,
            Err(error) => {
                spinner.finish_and_clear();
                report.findings = true;
                let what = format!("{error:#}");
                let cure = "it is damaged, or no RPM of this tool: copy it again and compare its SHA256SUMS, or build it again";
                report
                    .text
                    .push_str(&format!("{shown}\n  FAILED    readable     {what}\n              cure: {cure}\n"));
                let entry = json!({"path": shown, "fine": false, "unreadable": what, "checks": []});
                report.json["rpms"].as_array_mut().expect("made above").push(entry);
                continue;
            }
        };
        let judged = judge(&evidence);
        spinner.finish_and_clear();
        let bad = judged.iter().any(|judged| verdict(&judged.outcome) >= Verdict::Failed);
        report.findings |= bad;
        let target = evidence.target.as_ref().map_or("unknown target", |target| target.name.as_str());
        report.text.push_str(&format!("{shown} for {target}\n"));
        report.text.extend(judged.iter().map(lines));
        let checks: Vec<Value> = judged.iter().map(as_json).collect();
        let entry = json!({"path": shown, "target": target, "fine": !bad, "checks": checks});
        report.json["rpms"].as_array_mut().expect("made above").push(entry);
    }
    Ok(report)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warning,
    Failed,
    NotMade,
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::NotMade(_) => Verdict::NotMade,
        Outcome::Made { findings, .. } => match findings.iter().map(|finding| finding.severity).max() {
            None => Verdict::Ok,
            Some(Severity::Warning) => Verdict::Warning,
            Some(Severity::Error) => Verdict::Failed,
        },
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "FAILED",
        Verdict::NotMade => "NOT MADE",
    }
}

/// Over what a check was made, or why it was not, and what it found.
fn said_by(outcome: &Outcome) -> (&str, &[Finding]) {
    match outcome {
        Outcome::Made { looked_at, findings } => (looked_at, findings),
        Outcome::NotMade(why) => (why, &[]),
    }
}

fn lines(judged: &Judged) -> String {
    let (looked_at, findings) = said_by(&judged.outcome);
    let mut text = format!("  {:<9} {:<12} {looked_at}\n", word(verdict(&judged.outcome)), judged.check.name);
    for finding in findings {
        let place = if finding.path.is_empty() { String::new() } else { format!("{}: ", finding.path) };
        text.push_str(&format!("            {place}{}\n              cure: {}\n", finding.what, finding.cure));
    }
    text
}

fn as_json(judged: &Judged) -> Value {
    let (looked_at, findings) = said_by(&judged.outcome);
    let findings: Vec<Value> = findings
        .iter()
        .map(|f| {
            let severity = if f.severity == Severity::Error { "error" } else { "warning" };
            json!({"severity": severity, "path": f.path, "what": f.what, "cure": f.cure})
        })
        .collect();
    let result = word(verdict(&judged.outcome)).to_lowercase();
    json!({"name": judged.check.name, "result": result, "looked_at": looked_at, "findings": findings})
}
