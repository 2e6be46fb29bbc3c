//! The tools that teams lock with, where they are installed: each makes its own lock anew.

use crate::pins::Format;
use crate::sys::{Program, Sys, on_path};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

/// A team's own tool, and the words that make its lock anew.
#[derive(Debug)]
pub struct Locker {
    program: Utf8PathBuf,
    words: &'static [&'static str],
}

impl Locker {
    /// The tool of a lock's format, if it is installed.
    pub fn find(format: Format) -> Option<Self> {
        let (name, words): (&str, &'static [&'static str]) = match format {
            Format::PipfileLock => ("pipenv", &["lock"]),
            Format::Requirements => return None,
        };
        Some(Self { program: on_path(name)?, words })
    }

    /// Makes the lock anew in the folder of the project file.
    pub fn upgrade(&self, sys: &Sys, folder: &Utf8Path) -> anyhow::Result<()> {
        let line = format!("{} {}", self.program.file_name().unwrap_or_default(), self.words.join(" "));
        let _spinner = sys.spinner(&format!("running `{line}`"));
        // Each of them takes an environment that is active for the project's.
        let command = Program::new(&self.program)
            .args(self.words.iter().copied())
            .env("PIPENV_IGNORE_VIRTUALENVS", "1")
            .env("PIPENV_NOSPIN", "1")
            .in_folder(folder);
        sys.run(&command).with_context(|| format!("`{line}` could not make the lock anew"))?;
        sys.say(format!("ran `{line}` in `{folder}`"));
        Ok(())
    }
}
