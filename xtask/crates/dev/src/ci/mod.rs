//! `cargo xtask ci`: everything that has to pass before a change lands, and what is tried before a release.

mod latest;
mod needs;
mod parts;
mod record;

use anyhow::Context as _;
use clap::Args;
use parts::{OLD_LOCK, Part, chosen};
use record::{PAGE, Row, updated};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use wheelhaul::{Printed, Shown};
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::Target;
use wheelhaul_engine::tools::build::TargetPython;
use wheelhaul_engine::tools::uv::Uv;
use wheelhaul_host::{Program, Sys, tell_lines};

/// Set up what the tests need, then run fmt, clippy and all tests, those on a machine among them
///
/// Everything that these tests take from a package index is locked with hashes (`tests/locks`), and no resolver sees
/// what was uploaded after a fixed day: what passes today passes next year.
///
/// On Debian and Ubuntu what is missing is installed through apt, as root or with sudo; it is said first. On
/// other systems the packages are named. The machine has no network, rpm 4.18, dnf and systemd: the sample RPM is
/// installed, started, asked for its page, upgraded and removed, in every state that its service can be in.
///
/// A lock of 2020 is packed for el8 and imported by CPython 3.6, where the PATH or pyenv has one: no registry
/// does. What was not run is listed at the end with the reason.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Leave out the tests on a machine, which need root and a Debian archive
    #[arg(long)]
    no_install_test: bool,
    /// Run what is tried before a release as well: more machines, larger inputs, the Windows build. Each part's result
    /// goes into `xtask/docs/release-checks.md`
    #[arg(long)]
    release: bool,
    /// Run one part alone
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Install the newest release of each tool that the tests compare with, and report what moved and which tests fail
    /// then; the exit code is 0 whatever that is
    #[arg(long, conflicts_with_all = ["release", "part", "no_install_test"])]
    latest: bool,
}

/// How far ahead of the clock a part a year ahead is; more than a leap year.
const A_YEAR_AHEAD: &str = "+367d";

/// What became of a part.
enum Outcome {
    Ran { passed: bool, took: Duration },
    NotRun(String),
}

/// The task.
pub(crate) fn run(sys: &Sys, flags: &Flags) -> anyhow::Result<Printed> {
    let parts = chosen(flags.release, flags.part.as_deref()).map_err(|known| {
        let name = flags.part.as_deref().unwrap_or_default();
        Problem::with_hint(format!("there is no part `{name}`"), format!("the parts are: {known}"))
    })?;
    needs::set_up(sys)?;
    // The tests share this one, where uv is not on the PATH.
    Uv::find(sys)?;
    if flags.latest {
        return Ok(Printed::of(latest::report(sys), sys.verbosity));
    }
    // What boots machines waits more than it computes: those parts run one after the other beside the rest, once it is
    // formatted and linted. cargo lets nobody start while it compiles.
    let (beside, rest): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| part.needs_a_machine);
    let (first, rest): (Vec<&Part>, Vec<&Part>) = rest.into_iter().partition(|part| part.is_first);
    let start = Instant::now();
    let mut outcomes = run_all(sys, flags, &first, Output::Shown)?;
    let (of_rest, of_beside) = thread::scope(|scope| {
        let output = if rest.is_empty() { Output::Shown } else { Output::AtTheEnd };
        let beside = scope.spawn(move || run_all(sys, flags, &beside, output));
        let of_rest = run_all(sys, flags, &rest, Output::Shown);
        (of_rest, beside.join())
    });
    outcomes.extend(of_rest?);
    outcomes.extend(of_beside.map_err(|_| anyhow::anyhow!("the thread of the machines panicked"))??);
    outcomes.sort_by_key(|(part, _)| parts.iter().position(|other| other.name == part.name));
    if flags.release {
        write_down(sys, &outcomes)?;
    }
    Ok(Printed::of(report(&outcomes, start.elapsed()), sys.verbosity))
}

/// Where what a part says goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    /// to the terminal, as it comes
    Shown,
    /// there as well, but whole, when the part is over
    AtTheEnd,
}

/// Runs parts one after the other.
fn run_all<'p>(
    sys: &Sys,
    flags: &Flags,
    parts: &[&'p Part],
    output: Output,
) -> anyhow::Result<Vec<(&'p Part, Outcome)>> {
    let run = |part: &&'p Part| -> anyhow::Result<(&'p Part, Outcome)> {
        if let Some(why) = why_not(sys, part, flags)? {
            return Ok((part, Outcome::NotRun(why)));
        }
        let mut cargo = command_of(part);
        cargo.current_dir(&sys.root);
        sys.say(format!("--- {}: {}", part.name, line_of(&cargo)));
        let start = Instant::now();
        let passed = match output {
            Output::Shown => cargo.status().context("failed to run cargo")?.success(),
            Output::AtTheEnd => {
                let said = cargo.output().context("failed to run cargo")?;
                let text = [said.stderr, said.stdout].concat();
                // With `-q` as well, as what cargo itself says of the others.
                tell_lines(&format!("--- {} is over:\n{}", part.name, String::from_utf8_lossy(&text)));
                said.status.success()
            }
        };
        Ok((part, Outcome::Ran { passed, took: start.elapsed() }))
    };
    parts.iter().map(run).collect()
}

/// Why a part is not run here.
fn why_not(sys: &Sys, part: &Part, flags: &Flags) -> anyhow::Result<Option<String>> {
    if flags.no_install_test && part.needs_a_machine {
        return Ok(Some("left out with `--no-install-test`".to_owned()));
    }
    if part.name == OLD_LOCK {
        let python = TargetPython::find(sys, &Target::find("el8-x86_64", None, None)?);
        return Ok(python.err().map(|why| why.to_string()));
    }
    Ok(None)
}

/// cargo with its output where it belongs, a year ahead where the part is.
fn command_of(part: &Part) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = match part.a_year_ahead {
        true => {
            let mut ahead = Command::new("faketime");
            // What waits for a moment by the monotonic clock would wait for a year.
            ahead.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
            ahead.args(["-f", A_YEAR_AHEAD]).arg(cargo);
            ahead
        }
        false => Command::new(cargo),
    };
    // A test that fails says why by its error; thirty lines of frames below each would bury it.
    command.env("RUST_BACKTRACE", "0");
    command.args(part.cargo).envs(part.variables.iter().copied());
    command
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// What became of every part.
#[derive(Debug, Serialize)]
struct Report {
    steps: Vec<Step>,
    #[serde(skip)]
    minutes: u64,
}

/// A part.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Step {
    name: &'static str,
    /// none where it was not run
    passed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    /// why it was not run
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run: Option<String>,
}

/// - Takes: `took`, from the first part to the last.
fn report(outcomes: &[(&Part, Outcome)], took: Duration) -> Report {
    let step = |(part, outcome): &(&Part, Outcome)| match outcome {
        Outcome::Ran { passed, took } => {
            Step { name: part.name, passed: Some(*passed), seconds: Some(took.as_secs()), not_run: None }
        }
        Outcome::NotRun(why) => Step { name: part.name, passed: None, seconds: None, not_run: Some(why.clone()) },
    };
    Report { steps: outcomes.iter().map(step).collect(), minutes: took.as_secs().div_ceil(60) }
}

impl Shown for Report {
    fn text(&self) -> String {
        let mut text = String::new();
        for Step { name, passed, seconds, not_run } in &self.steps {
            text.push_str(&match not_run {
                Some(why) => format!("NOT RUN  {name}: {why}\n"),
                None => {
                    let word = if *passed == Some(true) { "ok" } else { "FAILED" };
                    format!("{word:<8} {name} ({} s)\n", seconds.unwrap_or_default())
                }
            });
        }
        text.push_str(&format!("{} minutes\n", self.minutes));
        text
    }

    fn findings(&self) -> bool {
        self.steps.iter().any(|step| step.passed == Some(false))
    }
}

/// Puts the results into the table of the documentation.
fn write_down(sys: &Sys, outcomes: &[(&Part, Outcome)]) -> anyhow::Result<()> {
    let git = |words: &[&str]| sys.run(&Program::new("git").args(words.iter().copied())).map(|said| said.out);
    let commit = git(&["describe", "--always", "--dirty", "--exclude", "*"])?.trim().to_owned();
    let today = sys.run(&Program::new("date").args(["--utc", "+%F"]))?.out.trim().to_owned();
    let rows: BTreeMap<&str, Row> = outcomes
        .iter()
        .map(|(part, outcome)| {
            let (result, minutes) = match outcome {
                Outcome::Ran { passed, took } => {
                    (if *passed { "ok" } else { "FAILED" }.to_owned(), took.as_secs().div_ceil(60).to_string())
                }
                Outcome::NotRun(why) => {
                    (format!("not run: {}", why.replace('|', "/").replace('\n', " ")), String::new())
                }
            };
            (part.name, Row { result, minutes, date: today.clone(), commit: commit.clone() })
        })
        .collect();
    let path = sys.root.join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    sys.write(&path, updated(&page, &rows).as_bytes())
}
