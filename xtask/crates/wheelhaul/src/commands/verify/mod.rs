//! `verify`: the finished RPM, judged against its target.

mod audit;
mod imports;
mod kept;
mod on_box;
mod policy;
mod report;
mod schema;
mod scriptlets;
mod shown;

pub use report::review_of_bytes;
pub use shown::paint;

use crate::commands::Project;
use crate::commands::report::Report;
use crate::commands::trial;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde_json::json;
use wheelhaul_base::calendar::Day;
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_base::text::line;
use wheelhaul_boxes::Target;
use wheelhaul_host::{Sys, Verbosity};
use wheelhaul_verify::review::LivedThrough;
use wheelhaul_verify::{Evidence, Fips, Judged, Site, judge};

/// Judge finished RPMs against their target, from their bytes alone
///
/// Without FILE, the RPMs in `dist/out` of the configured targets. With FILE, no repository is needed: the
/// target is read from the lock that travels in the package, or given by `--target`. All findings are shown at once;
/// errors make the exit code 1, warnings do not. A check that could not be made is said so: it counts as an error
/// where the package is to blame, and as a warning where this host lacks a program.
#[derive(Debug, Args)]
#[command(after_help = "What a check is for, and what to do about its findings: `cargo xtask checks NAME`.\n\n\
    Examples:\n  cargo xtask verify                                what `dist/out` has\n  \
    cargo xtask verify shop.rpm --strict              anywhere; warnings fail too\n  \
    cargo xtask verify shop.rpm --report review.html  a page for the person who approves the packages\n  \
    cargo xtask verify shop.rpm --box shop.json       and how it does on a box (`target --evidence`)")]
pub struct Flags {
    /// RPMs that this tool made
    #[arg(value_name = "FILE")]
    pub rpms: Vec<Utf8PathBuf>,
    /// Print the JSON schema of what `--format json` prints, and look at nothing
    #[arg(long, conflicts_with_all = ["rpms", "strict", "report"])]
    pub schema: bool,
    /// Judge as well what a box said after the RPM was installed there: the JSON that the script of
    /// `target --evidence` printed
    #[arg(long = "box", value_name = "JSON", requires = "rpms")]
    pub on_box: Option<Utf8PathBuf>,
    /// how they are judged
    #[command(flatten)]
    pub judging: Judging,
}

/// How packages are judged, and where that is written to; `trial` takes the same.
#[derive(Debug, Args)]
pub struct Judging {
    /// Let warnings, and checks that this host has no program for, make the exit code 1 too
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    security: audit::SecurityFlags,
    /// The site's own policy, a TOML file: findings that it has judged, as `[[accept]]` tables, count for nothing
    #[arg(long, value_name = "FILE")]
    policy: Option<Utf8PathBuf>,
    /// Write a page for the person who approves the packages: what is in them, what they need, every check, how to
    /// install them and go back
    #[arg(long, value_name = "HTML")]
    pub report: Option<Utf8PathBuf>,
    /// Show in the page what changed since this delivery; once for each target
    #[arg(long, value_name = "RPM", requires = "report")]
    pub since: Vec<Utf8PathBuf>,
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
    /// what a box said of the one package that is judged
    pub on_box: Option<on_box::Document>,
    /// the policy of the site that verifies, where it has one
    pub site: Option<Site>,
    /// the day by which accepted findings are judged; for each package its own if absent
    pub today: Option<Day>,
    /// whether shellcheck is asked too, which takes a second
    pub shellcheck: bool,
    /// the machine to live on
    pub life: Option<Life>,
}

/// Where packages are lived through.
#[cfg(unix)]
pub type Life = crate::commands::trial::Bench;
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
    if flags.schema {
        return Ok(schema::print());
    }
    ensure!(flags.on_box.is_none() || flags.rpms.len() == 1, "`--box` goes with one FILE");
    run_files(sys, &flags.rpms, targets, &flags.judging, |sys, asked| {
        let on_box = flags.on_box.as_ref().map(|shown| on_box::read(shown, &sys.root)).transpose()?;
        Ok(Asked { on_box, ..asked })
    })
}

/// The task on the RPMs of a repository.
///
/// - Takes: `here`, the folder that relative paths of flags start in.
pub fn run_built(project: &Project, flags: &Flags, here: &Utf8Path) -> anyhow::Result<Report> {
    run_all_built(project, &flags.judging, here, |_| Ok(None))
}

/// `trial`, on files that are named.
pub fn try_files(sys: &Sys, flags: &trial::Flags, targets: &[String]) -> anyhow::Result<Report> {
    run_files(sys, &flags.rpms, targets, &flags.judging, |sys, asked| {
        Ok(Asked { life: Some(life_of(sys, flags)?), ..asked })
    })
}

/// `trial`, on the RPMs of a repository.
pub fn try_built(project: &Project, flags: &trial::Flags, here: &Utf8Path) -> anyhow::Result<Report> {
    run_all_built(project, &flags.judging, here, |sys| life_of(sys, flags).map(Some))
}

/// - Takes: `ask`, which adds to what is asked once it is known that every file is there.
fn run_files(
    sys: &Sys,
    rpms: &[Utf8PathBuf],
    targets: &[String],
    judging: &Judging,
    ask: impl FnOnce(&Sys, Asked) -> anyhow::Result<Asked>,
) -> anyhow::Result<Report> {
    ensure!(targets.len() <= 1, "`--target` can be given once where a file is named");
    let files: Vec<(String, Utf8PathBuf)> = rpms.iter().map(|path| (path.to_string(), sys.root.join(path))).collect();
    // Those that are not there are said at once, before a machine is made and minutes are spent on the first.
    all_of("files cannot be verified", files.iter().filter_map(|(shown, path)| open(shown, path).err()).collect())?;
    let asked = ask(sys, judging.asked(targets.first().cloned(), &sys.root)?)?;
    report::verify_and_report(sys, &asked, &files, judging, &sys.root)
}

fn run_all_built(
    project: &Project,
    judging: &Judging,
    here: &Utf8Path,
    life: impl FnOnce(&Sys) -> anyhow::Result<Option<Life>>,
) -> anyhow::Result<Report> {
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
    let judged = judging.asked(None, here)?;
    let asked = Asked { life: life(&there)?, ..judged };
    report::verify_and_report(&project.sys, &asked, &files, judging, here)
}

impl Judging {
    /// - Takes: `here`, the folder that relative paths of flags start in.
    fn asked(&self, target: Option<String>, here: &Utf8Path) -> anyhow::Result<Asked> {
        let (fips, audit) = (self.security.fips(), self.security.data(here));
        let site = self.policy.as_ref().map(|shown| policy::read(shown, here)).transpose()?;
        Ok(Asked {
            target,
            strict: self.strict,
            shellcheck: true,
            fips,
            audit,
            on_box: None,
            site,
            today: policy::today(),
            life: None,
        })
    }
}

/// The machine that `trial` asks for.
#[cfg(unix)]
fn life_of(sys: &Sys, flags: &trial::Flags) -> anyhow::Result<Life> {
    ensure!(flags.from.is_none() || flags.rpms.len() == 1, "`--from` goes with one FILE");
    let root = flags.root.parse().with_context(|| format!("`trial {}`", flags.root))?;
    trial::Bench::prepare(sys, trial::Wish { root, from: flags.from.clone(), also: flags.also.clone() })
}

#[cfg(not(unix))]
fn life_of(_: &Sys, _: &trial::Flags) -> anyhow::Result<Life> {
    Err(Problem::with_hint("a machine can be made on Linux only", "run `cargo xtask trial` there, as root"))
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
    if let Some(site) = &asked.site {
        report.json["policy"] = json!({"path": site.shown, "sha256": site.sha256});
    }
    if let Some(document) = &asked.on_box {
        report.json["box"] = json!({"path": document.shown, "sha256": document.sha256});
    }
    let quiet = sys.verbosity == Verbosity::Quiet;
    for (shown, path) in files {
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut examined = examine(sys, asked, shown, path)?;
        report.findings |= shown::is_bad(&examined, asked.strict);
        let text = shown::text(&examined, quiet);
        report.text.push_str(&text);
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut json = shown::json(&examined, asked.strict);
        #[cfg(unix)]
        if let Some(bench) = &asked.life {
            let lived = bench.live_through(sys, &examined)?;
            report.findings |= trial::is_bad(&lived, asked.strict);
            let steps = trial::text(&lived, quiet);
            if text.is_empty() && !steps.is_empty() {
                report.text.push_str(&line(shown));
            }
            report.text.push_str(&steps);
            json["trial"] = trial::json(&lived);
            if trial::is_bad(&lived, asked.strict) {
                json["fine"] = json!(false);
            }
            examined.lived = Some(trial::rows(&lived));
        }
        report.json["rpms"].as_array_mut().expect("made above").push(json);
        see(&examined);
    }
    Ok(report)
}

/// Opens an RPM; it is called `shown` in errors.
pub fn open(shown: &str, path: &Utf8Path) -> anyhow::Result<fs_err::File> {
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
        evidence.on_box = asked.on_box.as_ref().map(|document| document.said.clone());
        (evidence.site, evidence.today) = (asked.site.clone(), asked.today.clone());
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
