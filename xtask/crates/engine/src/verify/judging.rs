//! How RPMs are judged, and what one was found to be.

use crate::verify::{Trial, audit, imports, on_box, policy, scriptlets};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::calendar::Day;
use wheelhaul_base::problem::{Problem, shortened};
use wheelhaul_boxes::Target;
use wheelhaul_host::Sys;
use wheelhaul_verify::review::LivedThrough;
use wheelhaul_verify::{Evidence, Fips, Judged, Site, judge};

/// How packages are judged, and where that is written to; `trial` takes the same.
#[derive(Debug, Clone, Default)]
pub struct Judging {
    /// Let warnings, and checks that this host has no program for, make the exit code 1 too
    pub strict: bool,
    /// what is asked beside the checks that are always made
    pub security: audit::Security,
    /// The site's own policy, a TOML file: findings that it has judged, as `[[accept]]` tables, count for nothing
    pub policy: Option<Utf8PathBuf>,
    /// Write a page for the person who approves the packages: what is in them, what they need, every check, how to
    /// install them and go back
    pub report: Option<Utf8PathBuf>,
    /// Show in the page what changed since this delivery; once for each target
    pub since: Vec<Utf8PathBuf>,
}

/// How RPMs are judged, beside what they say themselves.
#[derive(Default)]
pub struct JudgeOptions {
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
    /// lives through each package on a machine, where that is asked
    pub life: Option<Life>,
}

/// Lives through a package, on a machine of its own.
pub(crate) type Life = Box<dyn Fn(&Sys, &Examined) -> anyhow::Result<Trial>>;

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

impl Judging {
    /// - Takes: `here`, the folder that relative paths of options start in.
    pub fn asked(&self, target: Option<String>, here: &Utf8Path) -> anyhow::Result<JudgeOptions> {
        let (fips, audit) = (self.security.fips(), self.security.data(here));
        let site = self.policy.as_ref().map(|shown| policy::read(shown, here)).transpose()?;
        Ok(JudgeOptions {
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

/// Opens an RPM; it is called `shown` in errors.
pub(crate) fn open(shown: &str, path: &Utf8Path) -> anyhow::Result<fs_err::File> {
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
pub(crate) fn examine(sys: &Sys, asked: &JudgeOptions, shown: &str, path: &Utf8Path) -> anyhow::Result<Examined> {
    let spinner = sys.spinner(&format!("verifying {shown}"));
    let mut evidence = Evidence::gather_with(open(shown, path)?, asked.fips.clone());
    if let Ok(evidence) = &mut evidence {
        if let Some(name) = &asked.target {
            evidence.target = Some(given(name, evidence).context("`--target`")?);
        }
        evidence.audit = asked.audit.as_ref().map(|data| data.read(evidence)).transpose()?;
        evidence.on_box = asked.on_box.as_ref().map(|document| document.said.clone());
        (evidence.site, evidence.today) = (asked.site.clone(), asked.today);
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
