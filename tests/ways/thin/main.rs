//! `cargo xtask`: the tasks of wheelhaul, and beside them those of this repository.

use std::process::ExitCode;
use wheelhaul_host::{Sys, Verbosity, find_root};
use wheelhaul_engine::tools::git;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("epoch") => epoch().map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS),
        _ => wheelhaul::main("cargo xtask"),
    }
}

/// `cargo xtask epoch`: a task of this team's own, for scripts that want the time that the package carries.
fn epoch() -> anyhow::Result<()> {
    let sys = Sys { root: find_root(".".into())?, verbosity: Verbosity::Quiet, offline: true };
    println!("{}", git::epoch(git::head(&sys)?.as_ref())?);
    Ok(())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
