//! One way to run a program, so that every failure shows its command line and all it said.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A program that ended: its command line, its exit code and what it said.
#[derive(Debug)]
pub struct Finished {
    line: String,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// The standard output without its last line end; an exit code other than 0 is an error.
    pub fn text(self) -> anyhow::Result<String> {
        if !self.succeeded() {
            bail!("{self}");
        }
        Ok(self.stdout.trim_end().to_owned())
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "`{}` ended with code {code}", self.line)?,
            None => write!(f, "`{}` was ended by a signal", self.line)?,
        }
        for line in self.stdout.lines().chain(self.stderr.lines()) {
            write!(f, "\n  | {line}")?;
        }
        Ok(())
    }
}

/// Runs `command` to its end with nothing to read.
///
/// - Gives: what it said, whatever its exit code; [`Finished::text`] judges that.
/// - Fails: only when the program cannot be started.
pub fn run(command: &mut Command) -> anyhow::Result<Finished> {
    let line = command_line(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("failed to start `{line}`"))?;
    Ok(Finished {
        line,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The program and its arguments as one line; long arguments (scripts) are cut.
fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy().replace('\n', "\\n");
            match word.char_indices().nth(120) {
                Some((end, _)) => format!("{}…", &word[..end]),
                None => word,
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
