//! The command line: flags to options, reports to text or JSON, and the exit code.

mod completions;
mod document;
mod flags;
mod shown;

pub use document::verify_schema;
pub use shown::{Printed, Shown};

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use document::{Document, ErrorDocument, Outcome};
use shown::VerifySchema;
use shown::trial::OfTrial;
use std::process::ExitCode;
use wheelhaul_base::problem::hints_of;
use wheelhaul_engine as engine;
use wheelhaul_engine::{Setting, hold_required_version};
use wheelhaul_host::{
    Verbosity, colours_of_output, print, print_help, print_json, remove_temporary, set_typed_name, tell_error,
    tell_lines, typed_name,
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
    Init(flags::init::Flags),
    Lock(flags::lock::Flags),
    Wheel(flags::wheel::Flags),
    Rpm(flags::rpm::Flags),
    Verify(flags::verify::Flags),
    Dist(flags::dist::Flags),
    Diff(flags::diff::Flags),
    Rebuild(flags::rebuild::Flags),
    Trial(flags::trial::Flags),
    Sign(flags::sign::Flags),
    Checks(flags::checks::Flags),
    Target(flags::target::Flags),
    Clean(flags::clean::Flags),
    Schema(flags::schema::Flags),
    Completions(completions::Flags),
}

impl Task {
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
    cli.common.finish(cli.task.name(), run(&cli))
}

/// Parses this process's arguments for a program that is started as `name`; ends the process where they are wrong,
/// or where they ask for help.
pub fn parse<C: Parser>(name: &'static str) -> C {
    set_typed_name(name);
    let matches = C::command().name(name).bin_name(name).try_get_matches();
    matches.and_then(|matches| C::from_arg_matches(&matches)).unwrap_or_else(|error| {
        // A task or a flag of another version: that is what has to be said then.
        if error.use_stderr()
            && let Err(refusal) = hold_required_version(&asked_folder())
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

    /// Where a task works, and what holds for every task.
    fn setting(&self) -> anyhow::Result<Setting> {
        Ok(Setting {
            folder: self.folder()?,
            is_named: self.directory.is_some(),
            targets: self.target.clone(),
            verbosity: self.verbosity(),
            wants_json: self.format == Format::Json,
        })
    }

    /// Prints how a task ended, and gives its exit code.
    pub fn finish(&self, task: &'static str, result: anyhow::Result<Printed>) -> ExitCode {
        remove_temporary();
        match result.and_then(|printed| self.print(task, printed)) {
            Ok(code) => code,
            Err(error) => {
                let hints = hints_of(&error);
                let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
                tell_error(&causes, &hints);
                if self.format == Format::Json {
                    let document = ErrorDocument { command: task, outcome: "error", errors: &causes, hints: &hints };
                    // The exit code says the same.
                    let _ = serde_json::to_value(document).map(|document| print_json(&document));
                }
                ExitCode::from(2)
            }
        }
    }

    fn print(&self, task: &'static str, printed: Printed) -> anyhow::Result<ExitCode> {
        let Printed { text, paint, json, findings, talk } = printed;
        let done = match self.format {
            Format::Json => {
                let outcome = if findings { Outcome::Findings } else { Outcome::Fine };
                print_json(&serde_json::to_value(Document { command: task, outcome, report: json()? })?)
            }
            Format::Text => print(&text, |text| if colours_of_output() { paint(text) } else { text.to_owned() }),
        };
        if let Err(error) = done {
            // Nor can an error be printed there.
            tell_error(&["failed to print the result".to_owned(), error.to_string()], &[]);
            return Ok(ExitCode::from(2));
        }
        if !talk.is_empty() {
            tell_lines(&talk);
        }
        Ok(ExitCode::from(u8::from(findings)))
    }
}

fn run(cli: &Cli) -> anyhow::Result<Printed> {
    let setting = &cli.common.setting()?;
    let verbosity = cli.common.verbosity();
    Ok(match &cli.task {
        Task::Init(flags) => Printed::of(engine::init(setting, &flags.options())?, verbosity),
        Task::Lock(flags) => match flags.explained() {
            Some(package) => Printed::of(engine::explain(setting, package)?, verbosity),
            None => Printed::of(engine::lock(setting, &flags.options())?, verbosity),
        },
        Task::Wheel(flags) => Printed::of(engine::wheel(setting, &flags.options())?, verbosity),
        Task::Rpm(flags) => match flags.wants_specs() {
            true => Printed::of(engine::specs(setting, &flags.options())?, verbosity),
            false => Printed::of(engine::rpm(setting, &flags.options())?, verbosity),
        },
        Task::Verify(flags) => match flags.wants_schema() {
            true => {
                hold_required_version(&setting.folder)?;
                Printed::of(VerifySchema { json_schema: verify_schema() }, verbosity)
            }
            false => Printed::of(engine::verify(setting, &flags.options())?, verbosity),
        },
        Task::Dist(flags) => Printed::of(engine::dist(setting, &flags.options())?, verbosity),
        Task::Diff(flags) => Printed::of(engine::diff(setting, &flags.options())?, verbosity),
        Task::Rebuild(flags) => Printed::of(engine::rebuild(setting, &flags.options())?, verbosity),
        Task::Trial(flags) => Printed::of(OfTrial(engine::trial(setting, &flags.options())?), verbosity),
        Task::Sign(flags) => Printed::of(engine::sign(setting, &flags.options())?, verbosity),
        Task::Checks(flags) => Printed::of(engine::checks(setting, &flags.options())?, verbosity),
        Task::Target(flags) => match (flags.script(), flags.options()) {
            (Some(script), _) => Printed::of(engine::script(setting, script)?, verbosity),
            (None, Some(options)) => Printed::of(engine::target(setting, &options)?, verbosity),
            (None, None) => Printed::of(engine::targets(setting)?, verbosity),
        },
        Task::Clean(flags) => Printed::of(engine::clean(setting, &flags.options())?, verbosity),
        Task::Schema(_) => Printed::of(engine::schema(setting)?, verbosity),
        // A shell asks for completions wherever it is started.
        Task::Completions(flags) => Printed::of(completions::run(flags, typed_name())?, verbosity),
    })
}
