//! The tools that teams lock with, where they are installed: each makes its own lock anew.

use crate::tools::uv::Uv;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_host::{Program, Sys, on_path};
use wheelhaul_lockfiles::LockTool;

/// The tool that a team locks with, where it is installed.
#[derive(Debug)]
pub(crate) struct Locker {
    program: Utf8PathBuf,
    tool: &'static LockTool,
}

impl Locker {
    /// The tool of a lock's format, if it is installed; uv is always there.
    pub(crate) fn find(sys: &Sys, tool: &'static LockTool) -> anyhow::Result<Option<Self>> {
        let program = match tool.program {
            "uv" => Some(Uv::find(sys)?.program().to_owned()),
            program => on_path(program),
        };
        Ok(program.map(|program| Self { program, tool }))
    }

    /// Makes the lock anew in the folder of the project file.
    pub(crate) fn upgrade(&self, sys: &Sys, folder: &Utf8Path) -> anyhow::Result<()> {
        let line = format!("{} {}", self.program.file_name().unwrap_or_default(), self.tool.upgrade.join(" "));
        let _spinner = sys.spinner(&format!("running `{line}`"));
        let command = Program::new(&self.program).args(self.tool.upgrade.iter().copied()).in_folder(folder);
        let command = self.tool.environment.iter().fold(command, |command, (name, value)| command.env(name, *value));
        sys.run(&command).with_context(|| format!("`{line}` could not make the lock anew"))?;
        sys.say(format!("ran `{line}` in `{folder}`"));
        Ok(())
    }
}
