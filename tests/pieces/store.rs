//! A repository with a store of pieces of its own.

use crate::app::{BUNDLE, Made, RPM, made, small};
use crate::checkout::command::{Finished, run};
use crate::repository::Repository;
use anyhow::ensure;
use camino::Utf8PathBuf;
use fs_err as fs;
use serde_json::Value;
use std::process::Command;

/// The repository, and the user's cache folder.
pub struct Store {
    _keep: tempfile::TempDir,
    pub repository: Repository,
    pub cache: Utf8PathBuf,
}

impl Store {
    /// A small repository, locked, and an empty cache folder.
    pub fn new() -> anyhow::Result<Self> {
        let keep = tempfile::tempdir()?;
        let cache = Utf8PathBuf::try_from(keep.path().to_owned())?;
        let made = Self { _keep: keep, repository: small()?, cache };
        ensure!(run(&mut made.command(&["lock", "-q"]))?.succeeded());
        Ok(made)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.repository.command(words);
        command.env("XDG_CACHE_HOME", &self.cache);
        command
    }

    /// Where the pieces are.
    pub fn pieces(&self) -> Utf8PathBuf {
        self.cache.join("xtask/kept/pieces")
    }

    /// The kept files.
    pub fn files(&self) -> anyhow::Result<Vec<Utf8PathBuf>> {
        let mut files = Vec::new();
        for entry in self.pieces().read_dir_utf8()? {
            files.push(entry?.into_path());
        }
        files.sort();
        Ok(files)
    }

    /// Takes away RPM and bundle, so that they are written again.
    pub fn take_away(&self) -> anyhow::Result<()> {
        for path in [RPM, BUNDLE] {
            let path = self.repository.folder.join(path);
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// What `dist` tells programs.
    pub fn dist(&self) -> anyhow::Result<Value> {
        told(&run(&mut self.command(&["dist", "--format", "json"]))?)
    }

    /// What a run tells that writes everything again, and what it says with `-v`.
    pub fn dist_again(&self) -> anyhow::Result<(Value, String)> {
        self.take_away()?;
        let finished = run(&mut self.command(&["dist", "--format", "json", "-v"]))?;
        Ok((told(&finished)?, finished.stderr))
    }

    /// What lies there.
    pub fn made(&self) -> anyhow::Result<Made> {
        made(&self.repository)
    }
}

/// The JSON of a run that went well.
pub fn told(finished: &Finished) -> anyhow::Result<Value> {
    ensure!(finished.succeeded(), "{finished}");
    Ok(serde_json::from_str(&finished.stdout)?)
}

/// How many pieces were made and how many reused.
pub fn counts(told: &Value) -> (u64, u64) {
    let of = |name: &str| told["pieces"][name].as_u64().unwrap_or(u64::MAX);
    (of("made"), of("reused"))
}
