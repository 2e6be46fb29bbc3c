//! `trial`: living through the package on a throw-away machine without network.

#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod facts;
#[cfg(unix)]
mod rpm;
#[cfg(unix)]
mod scenario;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod steps;
#[cfg(unix)]
mod unit;

use crate::Project;
use crate::verify::{Judging, Life, Report, run_all_built, run_files};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_host::Sys;

/// What `trial` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A root file system of the box: a folder, a tar of one, or `podman:IMAGE`
    pub root: String,
    /// RPMs that this tool made
    pub rpms: Vec<Utf8PathBuf>,
    /// The older release that is upgraded from; goes with one FILE
    pub from: Option<Utf8PathBuf>,
    /// Install this RPM first, such as the interpreter's; can be given several times
    pub also: Vec<Utf8PathBuf>,
    /// how they are judged
    pub judging: Judging,
}

/// `trial`, on files that are named.
pub(crate) fn try_files(sys: &Sys, options: &Options, targets: &[String]) -> anyhow::Result<Report> {
    run_files(sys, &options.rpms, targets, &options.judging, |sys, asked| {
        Ok(crate::verify::JudgeOptions { life: Some(life_of(sys, options)?), ..asked })
    })
}

/// `trial`, on the RPMs of a repository.
pub(crate) fn try_built(project: &Project, options: &Options, here: &Utf8Path) -> anyhow::Result<Report> {
    run_all_built(project, &options.judging, here, |sys| life_of(sys, options).map(Some))
}

/// The machine that `trial` asks for.
#[cfg(unix)]
fn life_of(sys: &Sys, options: &Options) -> anyhow::Result<Life> {
    use anyhow::Context as _;

    anyhow::ensure!(options.from.is_none() || options.rpms.len() == 1, "`--from` goes with one FILE");
    let root = options.root.parse().with_context(|| format!("`trial {}`", options.root))?;
    let wish = bench::Wish { root, from: options.from.clone(), also: options.also.clone() };
    let bench = bench::Bench::prepare(sys, wish)?;
    Ok(Box::new(move |sys, examined| bench.live_through(sys, examined)))
}

#[cfg(not(unix))]
fn life_of(_: &Sys, _: &Options) -> anyhow::Result<Life> {
    Err(wheelhaul_base::problem::Problem::with_hint(
        "a machine can be made on Linux only",
        "run `cargo xtask trial` there, as root",
    ))
}
