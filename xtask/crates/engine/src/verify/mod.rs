//! `verify`: the finished RPM, judged against its target.

mod audit;
mod imports;
mod judging;
mod on_box;
mod policy;
mod report;
mod schema;
mod scriptlets;
mod shown;

pub use audit::Security;
pub use judging::{Asked, Examined, Judging, Life, Lived, examine, open};
pub use report::review_of_bytes;
pub use shown::paint;

use crate::Project;
use crate::report::Report;
use anyhow::ensure;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_base::text::line;
use wheelhaul_host::{Sys, Verbosity};

/// What `verify` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// RPMs that this tool made
    pub rpms: Vec<Utf8PathBuf>,
    /// Print the JSON schema of what `--format json` prints, and look at nothing
    pub schema: bool,
    /// Judge as well what a box said after the RPM was installed there: the JSON that the script of
    /// `target --evidence` printed
    pub on_box: Option<Utf8PathBuf>,
    /// how they are judged
    pub judging: Judging,
}

/// The task on files that are named.
///
/// - Takes: `targets`, what `--target` says; one at most.
pub fn run(sys: &Sys, options: &Options, targets: &[String]) -> anyhow::Result<Report> {
    if options.schema {
        return Ok(schema::print());
    }
    ensure!(options.on_box.is_none() || options.rpms.len() == 1, "`--box` goes with one FILE");
    run_files(sys, &options.rpms, targets, &options.judging, |sys, asked| {
        let on_box = options.on_box.as_ref().map(|shown| on_box::read(shown, &sys.root)).transpose()?;
        Ok(Asked { on_box, ..asked })
    })
}

/// The task on the RPMs of a repository.
///
/// - Takes: `here`, the folder that relative paths of options start in.
pub fn run_built(project: &Project, options: &Options, here: &Utf8Path) -> anyhow::Result<Report> {
    run_all_built(project, &options.judging, here, |_| Ok(None))
}

/// Judges files that are named.
///
/// Judges files that are named.
///
/// - Takes: `ask`, which adds to what is asked once it is known that every file is there.
pub fn run_files(
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

/// Judges the RPMs of a repository.
///
/// - Takes: `here`, the folder that relative paths of options start in; `life`, which makes the machine of `trial` ready.
/// Judges the RPMs of a repository.
///
/// - Takes: `here`, the folder that relative paths of options start in; `life`, which makes the machine of `trial` ready.
pub fn run_all_built(
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
        let mut examined = examine(sys, asked, shown, path)?;
        report.findings |= shown::is_bad(&examined, asked.strict);
        let text = shown::text(&examined, quiet);
        report.text.push_str(&text);
        let mut json = shown::json(&examined, asked.strict);
        if let Some(life) = &asked.life {
            let lived = life(sys, &examined)?;
            report.findings |= lived.is_bad;
            if text.is_empty() && !lived.text.is_empty() {
                report.text.push_str(&line(shown));
            }
            report.text.push_str(&lived.text);
            json["trial"] = lived.json;
            if lived.is_bad {
                json["fine"] = json!(false);
            }
            examined.lived = Some(lived.rows);
        }
        report.json["rpms"].as_array_mut().expect("made above").push(json);
        see(&examined);
    }
    Ok(report)
}
