//! `cargo xtask verify`: the finished RPM, judged against its target.

mod against;
mod audit;
mod diff;
mod explain;
mod imports;
#[cfg(unix)]
mod install;
mod kept;
mod report;
mod schema;
mod scriptlets;
mod shown;

pub use report::review_of_bytes;

use crate::boxes::Target;
use crate::commands::Project;
use crate::commands::report::Report;
use crate::problem::{Problem, all_of, shortened};
use crate::review::LivedThrough;
use crate::sys::{Sys, Verbosity, colours_of_output};
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
///
/// With `--diff` nothing is judged: it shows what the upgrade from one RPM to another changes, and says first what to
/// look at. With `--against` the repository DIR is built again, with its own build backend, and compared byte for byte;
/// its `dist/out` is left alone.
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
    /// Judge nothing, and show what an upgrade from OLD to NEW changes; what differs is no finding
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["rpms", "list", "strict", "target", "fips", "audit", "install"])]
    pub diff: Vec<Utf8PathBuf>,
    /// Judge nothing, and see whether the repository DIR makes FILE again, byte for byte but for a signature
    #[arg(long, value_name = "DIR", requires = "rpms", conflicts_with_all = ["list", "strict", "diff", "fips", "audit", "install"])]
    pub against: Option<Utf8PathBuf>,
    /// With `--against`: start no program that reaches the network
    #[arg(long, requires = "against")]
    pub offline: bool,
    #[command(flatten)]
    security: audit::SecurityFlags,
    /// Write a page for who lets the packages in: what is in them, what they need, every check, how to install and go back
    #[arg(long, value_name = "HTML", conflicts_with_all = ["list", "diff", "against"])]
    pub report: Option<Utf8PathBuf>,
    /// Show in the page what changed since this delivery; once for each target
    #[arg(long, value_name = "RPM", requires = "report")]
    pub since: Vec<Utf8PathBuf>,
    /// Live through each package, too: install, start, ask, restart, reboot, upgrade and remove it on a throw-away machine
    /// without network. ROOT is a root file system of the box: a folder, a tar of one, or `podman:IMAGE`; it is not changed
    #[arg(long, value_name = "ROOT")]
    pub install: Option<String>,
    /// With `--install`: the older release that is upgraded from
    #[arg(long, value_name = "OLD.rpm", requires = "install")]
    pub from: Option<Utf8PathBuf>,
    /// With `--install`: install this RPM first, such as the interpreter's; can be given several times
    #[arg(long, value_name = "RPM", requires = "install")]
    pub also: Vec<Utf8PathBuf>,
}

impl Flags {
    /// Whether the task needs no repository, or names one itself.
    pub fn stands_alone(&self) -> bool {
        !self.rpms.is_empty() || self.list || self.explain.is_some() || self.schema || !self.diff.is_empty()
    }
}

/// How RPMs are judged, beside what they say themselves.
#[derive(Default)]
pub struct Asked {
    /// the box's name, instead of what the package says
    pub target: Option<String>,
    /// whether warnings count as errors
    pub strict: bool,
    /// what is asked of a box in FIPS mode, where it is
    pub fips: Option<Fips>,
    /// the data on vulnerabilities, where they are asked for
    pub audit: Option<audit::Data>,
    /// whether shellcheck is asked too, which takes a second
    pub shellcheck: bool,
    /// the machine to live on
    pub life: Option<Life>,
}

/// Where packages are lived through.
#[cfg(unix)]
pub type Life = install::Bench;
/// Nowhere.
#[cfg(not(unix))]
pub type Life = std::convert::Infallible;

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
    /// what it lived through, where that is asked
    pub lived: Option<LivedThrough>,
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
    if let [old, new] = flags.diff.as_slice() {
        return diff::run(sys, old, new);
    }
    ensure!(targets.len() <= 1, "`--target` can be given once where a file is named");
    if let Some(folder) = &flags.against {
        return against::run(sys, folder, &flags.rpms, targets.first().map(String::as_str), flags.offline);
    }
    let files: Vec<(String, Utf8PathBuf)> =
        flags.rpms.iter().map(|path| (path.to_string(), sys.root.join(path))).collect();
    // Those that are not there are said at once, before a machine is made and minutes are spent on the first.
    all_of("files cannot be verified", files.iter().filter_map(|(shown, path)| open(shown, path).err()).collect())?;
    let asked = asked(flags, targets.first().cloned(), sys)?;
    report::verify_and_report(sys, &asked, &files, flags, &sys.root)
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
    let there = Sys { root: here.to_owned(), ..project.sys.clone() };
    report::verify_and_report(&project.sys, &asked(flags, None, &there)?, &files, flags, here)
}

/// - Takes: `there`, whose folder relative paths of flags start in.
fn asked(flags: &Flags, target: Option<String>, there: &Sys) -> anyhow::Result<Asked> {
    let Flags { strict, security, .. } = flags;
    let (fips, audit, life) = (security.fips(), security.data(&there.root), life_of(there, flags)?);
    Ok(Asked { target, strict: *strict, shellcheck: true, fips, audit, life })
}

/// The machine that `--install` asks for.
#[cfg(unix)]
fn life_of(sys: &Sys, flags: &Flags) -> anyhow::Result<Option<Life>> {
    let Some(root) = &flags.install else { return Ok(None) };
    ensure!(flags.from.is_none() || flags.rpms.len() == 1, "`--from` goes with one FILE");
    let root = root.parse().with_context(|| format!("`--install {root}`"))?;
    let wish = install::Wish { root, from: flags.from.clone(), also: flags.also.clone() };
    install::Bench::prepare(sys, wish).map(Some)
}

#[cfg(not(unix))]
fn life_of(_: &Sys, flags: &Flags) -> anyhow::Result<Option<Life>> {
    match flags.install {
        None => Ok(None),
        Some(_) => {
            Err(Problem::with_hint("a machine can be made on Linux only", "run `verify --install` there, as root"))
        }
    }
}

fn none_built(error: std::io::Error) -> anyhow::Error {
    Problem::around(
        error.into(),
        "there are no RPMs in `dist/out` to verify",
        "run `cargo xtask rpm` first, or name a file",
    )
}

/// Judges files, each shown under the name that stands with it.
///
/// - Takes: `see`, which gets each before it goes.
pub fn verify_files(
    sys: &Sys,
    asked: &Asked,
    files: &[(String, Utf8PathBuf)],
    see: &mut dyn FnMut(&Examined),
) -> anyhow::Result<Report> {
    let mut report = Report::fine(String::new(), json!({"schema": schema::VERSION, "rpms": []}));
    let look = shown::Look { colours: colours_of_output(), quiet: sys.verbosity == Verbosity::Quiet };
    for (shown, path) in files {
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut examined = examine(sys, asked, shown, path)?;
        report.findings |= shown::is_bad(&examined, asked.strict);
        let text = shown::text(&examined, look);
        report.text.push_str(&text);
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut json = shown::json(&examined, asked.strict);
        #[cfg(unix)]
        if let Some(bench) = &asked.life {
            let lived = bench.live_through(sys, &examined)?;
            report.findings |= install::is_bad(&lived, asked.strict);
            let steps = install::text(&lived, look.quiet);
            if text.is_empty() && !steps.is_empty() {
                report.text.push_str(&format!("{shown}\n"));
            }
            report.text.push_str(&steps);
            json["install"] = install::json(&lived);
            if install::is_bad(&lived, asked.strict) {
                json["fine"] = json!(false);
            }
            examined.lived = Some(install::rows(&lived));
        }
        report.json["rpms"].as_array_mut().expect("made above").push(json);
        see(&examined);
    }
    Ok(report)
}

/// Opens an RPM; it is called `shown` in errors.
fn open(shown: &str, path: &Utf8Path) -> anyhow::Result<fs_err::File> {
    const PIPE: &str = "name an RPM that lies on a disk; what comes through a pipe is written to a file first";
    const ABSENT: &str = "name an RPM that is there; those of this repository are in `dist/out`";
    let shown = shortened(shown);
    match std::fs::metadata(path) {
        Ok(there) if there.is_file() => Ok(fs_err::File::open(path)?),
        // A pipe would be waited for.
        Ok(_) => Err(Problem::with_hint(format!("`{shown}` is no file"), PIPE)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Problem::with_hint(format!("there is no file `{shown}`"), ABSENT))
        }
        Err(error) => Err(Problem::around(error.into(), format!("`{shown}` cannot be opened"), ABSENT)),
    }
}

/// Reads an RPM and makes every check.
///
/// - Fails: where there is no such file, or `asked` names no box.
pub fn examine(sys: &Sys, asked: &Asked, shown: &str, path: &Utf8Path) -> anyhow::Result<Examined> {
    let spinner = sys.spinner(&format!("verifying {shown}"));
    let mut evidence = Evidence::gather_with(open(shown, path)?, asked.fips.clone());
    if let Ok(evidence) = &mut evidence {
        if let Some(name) = &asked.target {
            evidence.target = Some(given(name, evidence).context("`--target`")?);
        }
        evidence.audit = asked.audit.as_ref().map(|data| data.read(evidence)).transpose()?;
        evidence.host.parsed_by = scriptlets::ask(sys, evidence, asked.shellcheck);
        imports::ask(sys, path, evidence, &spinner)?;
    }
    let judged = evidence.as_ref().map(judge).unwrap_or_default();
    spinner.finish_and_clear();
    Ok(Examined { shown: shown.to_owned(), path: path.to_owned(), evidence, judged, lived: None })
}

/// The box of a name, with the Python that the package is for.
fn given(name: &str, evidence: &Evidence) -> anyhow::Result<Target> {
    if let Some(target) = evidence.target.as_ref().filter(|target| target.name == name) {
        return Ok(target.clone());
    }
    let python = evidence.target.as_ref().map(Target::python);
    Target::find(name, python.as_deref(), None)
}
