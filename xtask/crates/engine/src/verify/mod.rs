//! `verify`: the finished RPM, judged against its target.

mod audit;
mod imports;
mod judging;
mod lived;
mod on_box;
mod page;
mod policy;
mod report;
mod scriptlets;

pub use audit::Security;
pub use judging::Judging;
pub(crate) use judging::{Examined, JudgeOptions, Life, examine, open};
pub use lived::{Ending, Trial, TrialStep};
pub(crate) use page::review_of_bytes;
pub use report::{
    Accepted, By, CheckResult, GivenFile, Reading, Report, ReportedCheck, ReportedFinding, Rpm, SCHEMA_VERSION, Weight,
};

use crate::Project;
use anyhow::ensure;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::Sys;

/// What `verify` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// RPMs that this tool made
    pub rpms: Vec<Utf8PathBuf>,
    /// Judge as well what a box said after the RPM was installed there: the JSON that the script of
    /// `target --evidence` printed
    pub on_box: Option<Utf8PathBuf>,
    /// how they are judged
    pub judging: Judging,
}

/// The task on files that are named; `targets` is what `--target` says, one at most.
pub(crate) fn run(sys: &Sys, options: &Options, targets: &[String]) -> anyhow::Result<Report> {
    ensure!(options.on_box.is_none() || options.rpms.len() == 1, "`--box` goes with one FILE");
    run_files(sys, &options.rpms, targets, &options.judging, |sys, asked| {
        let on_box = options.on_box.as_ref().map(|shown| on_box::read(shown, &sys.root)).transpose()?;
        Ok(JudgeOptions { on_box, ..asked })
    })
}

/// The task on the RPMs of a repository; relative paths of options start in `here`.
pub(crate) fn run_built(project: &Project, options: &Options, here: &Utf8Path) -> anyhow::Result<Report> {
    run_all_built(project, &options.judging, here, |_| Ok(None))
}

/// Judges files that are named; `ask` adds to what is asked once it is known that every file is there.
pub(crate) fn run_files(
    sys: &Sys,
    rpms: &[Utf8PathBuf],
    targets: &[String],
    judging: &Judging,
    ask: impl FnOnce(&Sys, JudgeOptions) -> anyhow::Result<JudgeOptions>,
) -> anyhow::Result<Report> {
    ensure!(targets.len() <= 1, "`--target` can be given once where a file is named");
    let files: Vec<(String, Utf8PathBuf)> = rpms.iter().map(|path| (path.to_string(), sys.root.join(path))).collect();
    // Those that are not there are said at once, before a machine is made and minutes are spent on the first.
    all_of("files cannot be verified", files.iter().filter_map(|(shown, path)| open(shown, path).err()).collect())?;
    let asked = ask(sys, judging.asked(targets.first().cloned(), &sys.root)?)?;
    page::verify_and_report(sys, &asked, &files, judging, &sys.root)
}

/// Judges the RPMs of a repository: relative paths of options start in `here`, and `life` makes the machine of `trial`
/// ready.
pub(crate) fn run_all_built(
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
    let asked = JudgeOptions { life: life(&there)?, ..judged };
    page::verify_and_report(&project.sys, &asked, &files, judging, here)
}

fn none_built(error: std::io::Error) -> anyhow::Error {
    Problem::around(
        error.into(),
        "there are no RPMs in `dist/out` to verify",
        "run `cargo xtask rpm` first, or name a file",
    )
}

/// Judges files, each shown under the name that stands with it; `see` gets each before it goes.
pub(crate) fn verify_files(
    sys: &Sys,
    asked: &JudgeOptions,
    files: &[(String, Utf8PathBuf)],
    see: &mut dyn FnMut(&Examined),
) -> anyhow::Result<Report> {
    let given = |path: &String, sha256: &String| GivenFile { path: path.clone(), sha256: sha256.clone() };
    let mut report = Report {
        schema: SCHEMA_VERSION,
        policy: asked.site.as_ref().map(|site| given(&site.shown, &site.sha256)),
        on_box: asked.on_box.as_ref().map(|document| given(&document.shown, &document.sha256)),
        rpms: Vec::new(),
        report: None,
    };
    for (shown, path) in files {
        let mut examined = examine(sys, asked, shown, path)?;
        let mut rpm = Rpm::of(&examined, asked.strict);
        if let Some(life) = &asked.life {
            let trial = life(sys, &examined)?;
            rpm.fine &= !trial.is_bad(asked.strict);
            examined.lived = Some(trial.for_page());
            rpm.trial = Some(trial);
        }
        report.rpms.push(rpm);
        see(&examined);
    }
    Ok(report)
}
