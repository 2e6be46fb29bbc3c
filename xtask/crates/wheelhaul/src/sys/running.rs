//! Programs that are talked with while they run.

use crate::problem::shortened;
use crate::sys::{Program, Sys};
use anyhow::Context as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

/// A program that runs, and is ended when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: std::process::Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Writes to its standard input.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("its standard input is a pipe")?;
        input.write_all(bytes)?;
        Ok(input.flush()?)
    }

    /// Its next line, without the end; none where it ended.
    pub fn line(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = String::new();
        let whole = self.said.read_line(&mut line)? > 0 && line.ends_with('\n');
        Ok(whole.then(|| line.trim_end().to_owned()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sys {
    /// Starts a program that is talked with; shows the command with `-v`. What it says on standard error is lost.
    pub fn start(&self, program: &Program) -> anyhow::Result<Running> {
        let mut command = std::process::Command::new(&program.program);
        command.args(&program.words).envs(program.variables.iter().map(|(name, value)| (name, value)));
        for name in &program.removed {
            command.env_remove(name);
        }
        command.current_dir(program.folder.as_ref().unwrap_or(&self.root));
        self.detail(format!("$ {}", shortened(&format!("{command:?}"))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("failed to run `{}`", program.program))?;
        let said = child.stdout.take().context("its standard output is a pipe")?;
        Ok(Running { child, said: BufReader::new(said) })
    }
}
