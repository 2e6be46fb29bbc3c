//! `cargo xtask verify`: the finished RPM, judged against its target.

mod imports;
mod explain;
mod schema;
mod scriptlets;
mod audit;
mod shown;

use crate::commands::Project;
use crate::commands::report::Report;
use crate::problem::Problem;
use crate::sys::{Sys, Verbosity, colours_of_output};
use crate::target::Target;
use crate::verify::{Evidence, Fips, Judged, judge};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;

/// Judge finished RPMs against their target, from their bytes alone
///
/// Without FILE, the RPMs in `dist/out` of the configured targets. With FILE, no repository is needed: the
/// target is read from the lock that travels in the package, or given by `--target`. All findings are shown at once;
/// errors make the exit code 1, warnings do not. A check that could not be made is said so: it counts as an error
/// where the package is to blame, and as a warning where this host lacks a program.
#[derive(Debug, Args)]
pub struct Flags {
    /// RPMs that this tool made
    #[arg(value_name = "FILE")]
    pub rpms: Vec<Utf8PathBuf>,
    /// List the checks with their reasons, and look at nothing
    #[arg(long)]
    pub list: bool,
    /// Tell why a check is made and what to do about its findings, and look at nothing
    #[arg(long, value_name = "CHECK", conflicts_with = "list")]
    pub explain: Option<String>,
    /// Print the JSON schema of what `--format json` prints, and look at nothing
    #[arg(long, conflicts_with_all = ["list", "explain"])]
    pub schema: bool,
    /// Let warnings, and checks that this host has no program for, make the exit code 1 too
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    security: audit::Flags,
}

impl Flags {
    /// Whether the task needs no repository.
    pub fn stands_alone(&self) -> bool {
        !self.rpms.is_empty() || self.list || self.explain.is_some() || self.schema
    }
}

/// How RPMs are judged, beside what they say themselves.
#[derive(Debug, Default)]
pub struct Asked {
    /// the box's name, instead of what the package says
    pub target: Option<String>,
    /// whether warnings count as errors
    pub strict: bool,
    /// whether shellcheck is asked too, which takes a second
    pub shellcheck: bool,
    /// what is asked of a box in FIPS mode, where it is
    pub fips: Option<Fips>,
    /// the data on vulnerabilities, where they are asked for
    pub audit: Option<audit::Data>,
}

/// An RPM that was looked at.
pub struct Examined {
    /// what it is called in reports
    pub shown: String,
    /// where it is
    pub path: Utf8PathBuf,
    /// what was read of it, or why it cannot be
    pub evidence: anyhow::Result<Evidence>,
    /// every check with what it said; none where it cannot be read
    pub judged: Vec<Judged>,
}

/// The task on files that are named.
///
/// - Takes: `targets`, what `--target` says; one at most.
pub fn run(sys: &Sys, flags: &Flags, targets: &[String]) -> anyhow::Result<Report> {
    if flags.list {
        return Ok(explain::list());
    }
    if let Some(name) = &flags.explain {
        return explain::explain(name);
    }
    if flags.schema {
        return Ok(schema::print());
    }
    ensure!(targets.len() <= 1, "`--target` can be given once where a file is named");
    let asked = asked(flags, targets.first().cloned(), &sys.root);
    let files: Vec<(String, Utf8PathBuf)> =
        flags.rpms.iter().map(|path| (path.to_string(), sys.root.join(path))).collect();
    verify_files(sys, &asked, &files)
}

/// The task on the RPMs of a repository.
///
/// - Takes: `here`, the folder that relative paths of flags start in.
pub fn run_built(project: &Project, flags: &Flags, here: &Utf8Path) -> anyhow::Result<Report> {
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
    verify_files(&project.sys, &asked(flags, None, here), &files)
}

fn asked(flags: &Flags, target: Option<String>, here: &Utf8Path) -> Asked {
    let Flags { strict, security, .. } = flags;
    Asked { target, strict: *strict, shellcheck: true, fips: security.fips(), audit: security.data(here) }
}

fn none_built(error: std::io::Error) -> anyhow::Error {
    Problem::around(
        error.into(),
        "there are no RPMs in `dist/out` to verify",
        "run `cargo xtask rpm` first, or name a file",
    )
}

/// Judges files, each shown under the name that stands with it.
pub fn verify_files(sys: &Sys, asked: &Asked, files: &[(String, Utf8PathBuf)]) -> anyhow::Result<Report> {
    let mut report =
        Report { text: String::new(), json: json!({"schema": schema::VERSION, "rpms": []}), findings: false };
    let look = shown::Look { colours: colours_of_output(), quiet: sys.verbosity == Verbosity::Quiet };
    for (shown, path) in files {
        let examined = examine(sys, asked, shown, path)?;
        report.findings |= shown::is_bad(&examined, asked.strict);
        report.text.push_str(&shown::text(&examined, look));
        report.json["rpms"].as_array_mut().expect("made above").push(shown::json(&examined, asked.strict));
    }
    Ok(report)
}

/// Reads an RPM and makes every check.
///
/// - Fails: where there is no such file, or `asked` names no box.
pub fn examine(sys: &Sys, asked: &Asked, shown: &str, path: &Utf8Path) -> anyhow::Result<Examined> {
    let spinner = sys.spinner(&format!("verifying {shown}"));
    let file = fs_err::File::open(path)?;
    ensure!(file.metadata()?.is_file(), "`{shown}` is no file");
    let mut evidence = Evidence::gather_with(file, asked.fips.clone());
    if let Ok(evidence) = &mut evidence {
        if let Some(name) = &asked.target {
            evidence.target = Some(given(name, evidence).context("`--target`")?);
        }
        evidence.audit = asked.audit.as_ref().map(|data| data.read(evidence)).transpose()?;
    }
    if let Ok(evidence) = &mut evidence {
        imports::ask(sys, path, evidence, &spinner)?;
        evidence.host.parsed_by = scriptlets::ask(sys, evidence, asked.shellcheck);
    }
    let judged = evidence.as_ref().map(judge).unwrap_or_default();
    spinner.finish_and_clear();
    Ok(Examined { shown: shown.to_owned(), path: path.to_owned(), evidence, judged })
}

/// The box of a name, with the Python that the package is for.
fn given(name: &str, evidence: &Evidence) -> anyhow::Result<Target> {
    if let Some(target) = evidence.target.as_ref().filter(|target| target.name == name) {
        return Ok(target.clone());
    }
    let python = evidence.target.as_ref().map(Target::python);
    Target::find(name, python.as_deref(), None)
}
