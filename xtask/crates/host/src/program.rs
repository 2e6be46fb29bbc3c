//! Programs that are run to their end, and where they are.

use crate::{Stop, Sys, Verbosity};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Stdio;
use wheelhaul_base::problem::{ProgramFailure, shortened};
use xshell::Shell;

/// In characters, of what a program said.
const LONGEST_LINE: usize = 1000;

/// What a program that was run said.
#[derive(Debug)]
pub struct Said {
    /// standard output
    pub out: String,
}

/// A program that ran to its end, whatever it ended with.
#[derive(Debug)]
pub struct Ended {
    /// the command, as a shell takes it
    pub line: String,
    /// none where a signal ended it
    pub code: Option<i32>,
    /// standard output
    pub stdout: String,
    /// standard error
    pub stderr: String,
}

impl Ended {
    /// Whether it ended with 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// The standard output without its last line end.
    ///
    /// - Fails: where it did not end with 0, with the command and what it said.
    pub fn text(self) -> anyhow::Result<String> {
        if !self.succeeded() {
            return Err(ProgramFailure { shown: self.to_string(), said: self.stderr }.into());
        }
        Ok(self.stdout.trim_end().to_owned())
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = shortened(&self.line);
        match self.code {
            Some(code) => write!(f, "`{line}` ended with {code}")?,
            None => write!(f, "`{line}` was ended by a signal")?,
        }
        let said: Vec<&str> = self.stdout.lines().chain(self.stderr.lines()).collect();
        write!(f, "{}", said.iter().map(|line| format!("\n  | {line}")).collect::<String>())
    }
}

/// A program to run, with its arguments and environment.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) program: Utf8PathBuf,
    pub(super) words: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) removed: Vec<String>,
    pub(super) folder: Option<Utf8PathBuf>,
    asks: bool,
    stop: Stop,
}

impl Program {
    /// A program on the PATH, or at a path.
    pub fn new(program: impl Into<Utf8PathBuf>) -> Self {
        let program = program.into();
        let (words, variables, removed) = (Vec::new(), Vec::new(), Vec::new());
        Self { program, words, variables, removed, folder: None, asks: false, stop: Stop::default() }
    }

    /// Adds arguments.
    pub fn args(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Takes an environment variable out.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.removed.push(name.into());
        self
    }

    /// Lets it see the terminal as its standard input, where there is one: it may have to ask the person.
    pub fn asks(mut self) -> Self {
        self.asks = std::io::stdin().is_terminal();
        self
    }

    /// Ends it as soon as this is asked for.
    pub fn until(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Runs it in another folder than the repository.
    pub fn in_folder(mut self, folder: &Utf8Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }
}

impl Sys {
    /// Runs a program and waits; shows the command with `-v`.
    ///
    /// - Fails: where it cannot be started or does not end with 0, with the command and what it said.
    pub fn run(&self, program: &Program) -> anyhow::Result<Said> {
        let ended = self.end(program)?;
        if !ended.succeeded() {
            let Ended { line, code, stdout, stderr } = ended;
            let said = if stderr.trim().is_empty() { stdout } else { stderr };
            let ended = code.map_or("by a signal".to_owned(), |code| format!("with {code}"));
            let shown = match self.verbosity >= Verbosity::Verbose {
                true => format!("`{line}` ended {ended}\n{}", last_lines(&said, 200)),
                false => format!("`{}` ended {ended}\n{}", shortened(&line), last_lines(&without_frames(&said), 12)),
            };
            return Err(ProgramFailure { shown, said }.into());
        }
        Ok(Said { out: ended.stdout })
    }

    /// Runs a program to its end, whatever that is; shows the command with `-v`.
    ///
    /// - Fails: where it cannot be started.
    pub fn end(&self, program: &Program) -> anyhow::Result<Ended> {
        let shell = Shell::new().context("this process has no working directory")?;
        shell.change_dir(program.folder.as_ref().unwrap_or(&self.root).as_std_path());
        let command = shell.cmd(program.program.as_std_path()).args(&program.words).quiet().ignore_status();
        let command = program.variables.iter().fold(command, |command, (name, value)| command.env(name, value));
        let command = program.removed.iter().fold(command, |command, name| command.env_remove(name));
        let command = command.envs(self.of_network().iter().copied());
        let line = command.to_string();
        // What fails is shown whole.
        self.detail(format!("$ {}", shortened(&line)));
        let mut command = std::process::Command::from(command);
        command.stdin(if program.asks { Stdio::inherit() } else { Stdio::null() });
        let output = program.stop.output(command).with_context(|| format!("failed to run `{}`", program.program))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Ok(Ended { line, code: output.status.code(), stdout, stderr })
    }
}

/// Where a program is on the PATH.
pub fn on_path(program: &str) -> Option<Utf8PathBuf> {
    all_on_path(program).into_iter().next()
}

/// Every place on the PATH where a program is, in its order.
pub fn all_on_path(program: &str) -> Vec<Utf8PathBuf> {
    let name = if cfg!(windows) { format!("{program}.exe") } else { program.to_owned() };
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        // A relative entry would be another folder for each working directory, whoever's that is.
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&name))
        .filter(|candidate| is_program(candidate))
        .filter_map(|found| Utf8PathBuf::try_from(found).ok())
        .collect()
}

fn is_program(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    path.is_file()
}

/// A Python traceback without its frames: what stays is the exception, which names the cause.
fn without_frames(text: &str) -> String {
    let mut in_frames = false;
    let mut kept = Vec::new();
    for line in text.lines() {
        in_frames = line.starts_with("Traceback (") || (in_frames && line.starts_with(' '));
        if !in_frames {
            kept.push(line);
        }
    }
    kept.join("\n")
}

fn last_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let cut = |line: &&str| match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => (*line).to_owned(),
    };
    lines[lines.len().saturating_sub(most)..].iter().map(cut).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_keeps_its_exception() {
        let said = "WARNING: x\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n\nssl.SSLError: bad\nERROR: y";
        assert_eq!(without_frames(said), "WARNING: x\n\nssl.SSLError: bad\nERROR: y");
    }
}
