//! `cargo xtask`: the tasks of wheelhaul, and beside them those of this repository.

use std::process::ExitCode;
use wheelhaul::tools::git;
use wheelhaul::{Sys, Verbosity, find_root};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("epoch") => epoch().map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS),
        Some("bundle") => bundle().map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS),
        _ => wheelhaul::main("cargo xtask"),
    }
}

/// `cargo xtask epoch`: a task of this team's own, for scripts that want the time that the package carries.
fn epoch() -> anyhow::Result<()> {
    let sys = Sys { root: find_root(".".into())?, verbosity: Verbosity::Quiet, offline: true };
    println!("{}", git::epoch(git::head(&sys)?.as_ref())?);
    Ok(())
}

/// `cargo xtask bundle`: makes the packages, and prints the digest and the path of the archive to carry over.
fn bundle() -> anyhow::Result<()> {
    let setting = wheelhaul::Setting::of(".");
    let options = wheelhaul::dist::Options { locked: true, ..Default::default() };
    match wheelhaul::dist(&setting, &options)? {
        wheelhaul::dist::Report::Stale(stale) => anyhow::bail!("stale locks: {}", stale.stale.join("; ")),
        wheelhaul::dist::Report::Made(made) => match made.delivery {
            Some(delivery) => println!("{}  {}", delivery.bundle.sha256, delivery.bundle.path),
            None => anyhow::bail!("not every check passed"),
        },
    }
    Ok(())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
