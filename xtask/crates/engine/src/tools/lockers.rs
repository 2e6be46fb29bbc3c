//! The tools that teams lock with, where they are installed: each makes its own lock anew.

use crate::tools::uv::Uv;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_host::{Program, Sys, on_path};
use wheelhaul_lockfiles::Format;

/// The tool that a team locks with, and the words that make its lock anew.
#[derive(Debug)]
pub(crate) struct Locker {
    program: Utf8PathBuf,
    words: &'static [&'static str],
}

impl Locker {
    /// The tool of a lock's format, if it is installed; uv is always there.
    pub(crate) fn find(sys: &Sys, format: Format) -> anyhow::Result<Option<Self>> {
        let on_path = |name: &str, words| on_path(name).map(|program| Self { program, words });
        Ok(match format {
            Format::PipfileLock => on_path("pipenv", &["lock"]),
            Format::PoetryLock => on_path("poetry", &["update", "--lock", "--no-interaction"]),
            Format::PdmLock => on_path("pdm", &["lock"]),
            Format::UvLock => {
                Some(Self { program: Uv::find(sys)?.program().to_owned(), words: &["lock", "--upgrade"] })
            }
            Format::Requirements | Format::Pylock => None,
        })
    }

    /// What makes the locks of a format; none where several tools do.
    pub(crate) fn name(format: Format) -> Option<&'static str> {
        match format {
            Format::PipfileLock => Some("pipenv"),
            Format::PoetryLock => Some("poetry"),
            Format::PdmLock => Some("pdm"),
            Format::UvLock => Some("uv"),
            Format::Requirements | Format::Pylock => None,
        }
    }

    /// Makes the lock anew in the folder of the project file.
    pub(crate) fn upgrade(&self, sys: &Sys, folder: &Utf8Path) -> anyhow::Result<()> {
        let line = format!("{} {}", self.program.file_name().unwrap_or_default(), self.words.join(" "));
        let _spinner = sys.spinner(&format!("running `{line}`"));
        // Each of them takes an environment that is active for the project's.
        let command = Program::new(&self.program)
            .args(self.words.iter().copied())
            .env("PIPENV_IGNORE_VIRTUALENVS", "1")
            .env("PIPENV_NOSPIN", "1")
            .env("UV_PYTHON_DOWNLOADS", "never")
            .in_folder(folder);
        sys.run(&command).with_context(|| format!("`{line}` could not make the lock anew"))?;
        sys.say(format!("ran `{line}` in `{folder}`"));
        Ok(())
    }
}
