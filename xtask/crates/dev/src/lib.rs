//! Work on wheelhaul itself: tasks that `cargo xtask` has in this repository, and that no user gets.
//!
//! Everything else goes to [`wheelhaul::main`]. A team that adds tasks of its own does the same.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod ci;
mod program_wheels;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use wheelhaul::{Common, Printed, parse};
use wheelhaul_host::{Sys, find_root};

const NAME: &str = "cargo xtask";

/// Work on wheelhaul itself; all other tasks are those of its users.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Ci(ci::Flags),
    Wheels(program_wheels::Flags),
}

/// Runs one of the tasks here where the first argument names one, and the tool where not.
#[must_use = "return it from `main`, or every failure looks like success"]
pub fn main() -> ExitCode {
    let first = std::env::args().nth(1).unwrap_or_default();
    if !Task::has_subcommand(&first) {
        return wheelhaul::main(NAME);
    }
    let cli: Cli = parse(NAME);
    let result = cli.common.folder().and_then(|here| {
        let sys = Sys { root: find_root(&here)?, verbosity: cli.common.verbosity(), offline: false };
        match &cli.task {
            Task::Ci(flags) => ci::run(&sys, flags),
            Task::Wheels(flags) => Ok(Printed::of(program_wheels::run(&sys, flags, &here)?, sys.verbosity)),
        }
    });
    let name = match cli.task {
        Task::Ci(_) => "ci",
        Task::Wheels(_) => "wheels",
    };
    cli.common.finish(name, result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_well_formed() {
        Cli::command().debug_assert();
    }
}
