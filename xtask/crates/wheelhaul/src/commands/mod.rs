//! The tasks: each translates flags into calls of the rooms, and decides nothing.

mod about;
mod accepting;
mod byte_code;
mod early;
mod fetch;
mod foreign;
mod inputs;
mod lacks;
mod libraries;
mod lock_checks;
mod locking;
mod module;
mod offline;
mod opened;
mod others;
mod outputs;
mod own_wheel;
mod prepare;
mod project;
mod report;
mod repository;
mod required;
mod rpmbuild;
mod sdist;
mod server;
mod steps;
mod summary;
mod support;
mod upgrade;
mod verified;

/// `checks`: what `verify` looks at
pub mod checks;
/// `clean`: what is kept goes
pub mod clean;
/// `completions`: what a shell completes
pub mod completions;
/// `diff`: what an upgrade changes
pub mod diff;
/// `dist`: the main job
pub mod dist;
/// `init`: sets this tool up in a repository
pub mod init;
/// `lock`: the one step that decides
pub mod lock;
/// `rebuild`: whether a repository makes a package again
pub mod rebuild;
/// `rpm`: writes the package
pub mod rpm;
/// `schema`: the JSON Schema of `package.toml`
pub mod schema;
/// `sign`: signs finished packages
pub mod sign;
/// `target`: the boxes
pub mod target;
/// `trial`: lives through the package on a throw-away machine
pub mod trial;
/// `verify`: judges the package
pub mod verify;
/// `wheel`: builds the application
pub mod wheel;

use foreign::refuse_foreign;
pub use project::Project;
pub use report::Report;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::json;
use std::process::ExitCode;
use wheelhaul_base::problem::{Problem, hints_of};
use wheelhaul_host::{
    Sys, Verbosity, colours_of_output, find_root, print, print_help, print_json, remove_temporary, set_typed_name,
    tell_error, tell_lines, typed_name,
};

/// Packs a Python web application, with every dependency it needs, into one RPM for a Red Hat box
/// without internet access.
#[derive(Debug, Parser)]
#[command(
    version,
    disable_help_subcommand = true,
    after_help = "The main job is `cargo xtask dist`: it locks, fetches, builds the wheel and the RPM, verifies it\n\
        and makes the bundle to carry over. `dist/package.toml` says what is packed and for which boxes.\n\n\
        Exit codes: 0 fine; 1 findings (a stale lock, a failed check); 2 could not do it."
)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    task: Task,
}

/// What every task takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Work in the repository at or above DIR instead of the current folder
    #[arg(short = 'C', global = true, value_name = "DIR")]
    directory: Option<Utf8PathBuf>,
    /// Only for this target of `dist/package.toml`; can be given several times. With `verify FILE`: judge for this box
    #[arg(long, global = true, value_name = "NAME")]
    target: Vec<String>,
    /// Show every command that is run and every decision
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Show errors and findings only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// What is printed on standard output: text for people, or one JSON document for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Task {
    Init(init::Flags),
    Lock(lock::Flags),
    Wheel(wheel::Flags),
    Rpm(rpm::Flags),
    Verify(verify::Flags),
    Dist(dist::Flags),
    Diff(diff::Flags),
    Rebuild(rebuild::Flags),
    Trial(trial::Flags),
    Sign(sign::Flags),
    Checks(checks::Flags),
    Target(target::Flags),
    Clean(clean::Flags),
    Schema(schema::Flags),
    Completions(completions::Flags),
}

impl Task {
    /// Whether no program may reach the network.
    fn is_offline(&self) -> bool {
        match self {
            Self::Init(flags) => flags.offline,
            Self::Lock(flags) => flags.offline,
            Self::Wheel(flags) => flags.offline,
            Self::Rpm(flags) => flags.build.offline,
            Self::Dist(flags) => flags.build.offline,
            Self::Rebuild(flags) => flags.offline,
            _ => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Lock(_) => "lock",
            Self::Wheel(_) => "wheel",
            Self::Rpm(_) => "rpm",
            Self::Verify(_) => "verify",
            Self::Dist(_) => "dist",
            Self::Diff(_) => "diff",
            Self::Rebuild(_) => "rebuild",
            Self::Trial(_) => "trial",
            Self::Sign(_) => "sign",
            Self::Checks(_) => "checks",
            Self::Target(_) => "target",
            Self::Clean(_) => "clean",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
        }
    }
}

/// Runs the tool on this process's arguments; the exit code is what CI and hooks look at.
///
/// `name` is how the user started it, in help and hints: `wheelhaul`, or `cargo xtask`.
#[must_use = "return it from `main`, or every failure looks like success"]
pub fn main(name: &'static str) -> ExitCode {
    let cli: Cli = parse(name);
    // Quiet means: nothing where all is fine. `verify` has findings that leave the exit code 0.
    let is_verify = matches!(cli.task, Task::Verify(_));
    cli.common.finish(cli.task.name(), is_verify, run(&cli))
}

/// Parses this process's arguments for a program that is started as `name`; ends the process where they are wrong,
/// or where they ask for help.
pub fn parse<C: Parser>(name: &'static str) -> C {
    set_typed_name(name);
    let matches = C::command().name(name).bin_name(name).try_get_matches();
    matches.and_then(|matches| C::from_arg_matches(&matches)).unwrap_or_else(|error| {
        // A task or a flag of another version: that is what has to be said then.
        if error.use_stderr()
            && let Err(refusal) = required::hold(&asked_folder())
        {
            let causes: Vec<String> = refusal.chain().map(ToString::to_string).collect();
            tell_error(&causes, &hints_of(&refusal));
            std::process::exit(2);
        }
        if error.use_stderr() {
            // A word of the command line may be the name of a file that somebody else made.
            tell_lines(&error.render().to_string());
            std::process::exit(error.exit_code());
        }
        // A reader that has gone away is no error; that nothing could be printed is for the exit code.
        let help = error.render();
        let help = if colours_of_output() { help.ansi().to_string() } else { help.to_string() };
        std::process::exit(i32::from(print_help(&help).is_err()) * 2)
    })
}

/// The folder that `-C` names among words that could not be parsed, or the current one.
fn asked_folder() -> Utf8PathBuf {
    let words: Vec<String> = std::env::args_os().skip(1).filter_map(|word| word.into_string().ok()).collect();
    let after = words.windows(2).find(|pair| pair[0] == "-C").map(|pair| pair[1].clone());
    let joined = words.iter().find_map(|word| word.strip_prefix("-C").filter(|rest| !rest.is_empty()));
    after.or(joined.map(str::to_owned)).unwrap_or_else(|| ".".to_owned()).into()
}

impl Common {
    /// How much is said on standard error.
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    /// The folder that the user works in.
    pub fn folder(&self) -> anyhow::Result<Utf8PathBuf> {
        match &self.directory {
            Some(directory) => Ok(directory.clone()),
            None => Ok(Utf8PathBuf::try_from(std::env::current_dir()?)?),
        }
    }

    /// Prints how a task ended, and gives its exit code; with `-q` a result without findings is printed where `always`.
    pub fn finish(&self, task: &str, always: bool, result: anyhow::Result<Report>) -> ExitCode {
        remove_temporary();
        let is_json = self.format == Format::Json;
        match result {
            Ok(report) => {
                let printed = match is_json {
                    true => {
                        let mut value = report.json;
                        value["command"] = json!(task);
                        value["outcome"] = json!(if report.findings { "findings" } else { "fine" });
                        print_json(&value)
                    }
                    false => {
                        let is_silent = self.quiet && !report.findings && !always;
                        print(if is_silent { "" } else { &report.text }, |text| match colours_of_output() {
                            true if ["verify", "trial", "dist"].contains(&task) => verify::paint(text),
                            _ => text.to_owned(),
                        })
                    }
                };
                match printed {
                    Ok(()) => {
                        if !self.quiet && !report.talk.is_empty() {
                            tell_lines(&report.talk);
                        }
                        ExitCode::from(u8::from(report.findings))
                    }
                    Err(error) => {
                        tell_error(&["failed to print the result".to_owned(), error.to_string()], &[]);
                        ExitCode::from(2)
                    }
                }
            }
            Err(error) => {
                let hints = hints_of(&error);
                let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
                tell_error(&causes, &hints);
                if is_json {
                    let value = json!({"command": task, "outcome": "error", "errors": causes, "hints": hints});
                    // The exit code says the same.
                    let _ = print_json(&value);
                }
                ExitCode::from(2)
            }
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Report> {
    let common = &cli.common;
    let verbosity = common.verbosity();
    let here = common.folder()?;
    // A shell asks for completions wherever it is started.
    if !matches!(cli.task, Task::Completions(_)) {
        required::hold(&here)?;
    }
    let offline = cli.task.is_offline();
    let alone = Sys { root: here.clone(), verbosity, offline };
    let load = |sys: &Sys| Project::load(sys, &common.target, common.format == Format::Json);
    let found = || anyhow::Ok(Sys { root: find_root(&here)?, verbosity, offline });
    // What a repository says is run, or only read.
    let project = || found().and_then(|sys| refuse_foreign(&sys).and_then(|()| load(&sys)));
    let read = || found().and_then(|sys| load(&sys));
    match &cli.task {
        // There is no configuration yet.
        Task::Init(flags) => init::run(&here, verbosity, &common.target, flags),
        Task::Lock(flags) => lock::run(&project()?, flags),
        Task::Wheel(flags) => wheel::run(&project()?, flags),
        Task::Rpm(flags) => rpm::run(&project()?, flags),
        // What is named is read alone: no repository is needed.
        Task::Verify(flags) if flags.schema || !flags.rpms.is_empty() => verify::run(&alone, flags, &common.target),
        Task::Verify(flags) => verify::run_built(&read()?, flags, &here),
        Task::Dist(flags) => dist::run(&project()?.with_digests(), flags, &here),
        Task::Diff(flags) => diff::run(&alone, flags),
        Task::Rebuild(flags) => rebuild::run(&alone, flags, &common.target),
        Task::Trial(flags) if !flags.rpms.is_empty() => verify::try_files(&alone, flags, &common.target),
        Task::Trial(flags) => verify::try_built(&read()?, flags, &here),
        Task::Sign(flags) => sign::run(&alone, flags),
        Task::Checks(flags) => checks::run(flags),
        // The known boxes are the same everywhere, and the scripts need nothing at all.
        Task::Target(flags) if flags.script().is_some() || find_root(&here).is_err() => target::run(None, flags),
        Task::Target(flags) => target::run(Some(&read()?), flags),
        Task::Clean(flags) => {
            if let Some(name) = common.target.first() {
                let hint = "leave `--target` out: targets share what is kept";
                return Err(Problem::with_hint(
                    format!("`clean` does not go by targets, and was given `{name}`"),
                    hint,
                ));
            }
            // What the user keeps is cleaned from anywhere.
            let root = clean::repository(find_root(&here), common.directory.is_some(), flags)?;
            let sys = Sys { root: root.clone().unwrap_or_else(|| here.clone()), verbosity, offline: false };
            if flags.needs_repository() {
                refuse_foreign(&sys)?;
            }
            clean::run(&sys, root.as_deref(), flags)
        }
        Task::Schema(_) => Ok(schema::run()),
        Task::Completions(flags) => completions::run(flags, typed_name()),
    }
}

/// A target that the command line names and `package.toml` lacks.
fn unknown_target(name: &str, known: &[String]) -> anyhow::Error {
    Problem::with_hint(format!("`dist/package.toml` has no target `{name}`"), format!("it has {}", known.join(", ")))
}
