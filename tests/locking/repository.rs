//! A small repository with a lock, whose index is a folder of its own.

use crate::checkout::command::{Finished, run};
use crate::checkout::{list, repository, tool_in};
use camino::Utf8PathBuf;
use fs_err as fs;
use std::process::Command;
use tempfile::TempDir;

/// The repository; it goes when it is dropped.
pub struct Repository {
    _keep: TempDir,
    /// where it is
    pub folder: Utf8PathBuf,
    /// the index
    pub index: Utf8PathBuf,
}

impl Repository {
    /// A repository for `targets`, lines of `[[target]]` tables, with `requirements.txt` as the team's lock.
    pub fn new(targets: &str, requirements: &str) -> anyhow::Result<Self> {
        let keep = tempfile::Builder::new().prefix("locking-").tempdir()?;
        let folder = Utf8PathBuf::try_from(keep.path().canonicalize()?)?;
        let index = folder.join("index");
        for part in ["index", "dist", "app/web", "target/xtask"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(folder.join("app/uv.toml"), format!("no-index = true\nfind-links = [\"{index}\"]\n"))?;
        fs::write(folder.join("app/pyproject.toml"), "[project]\nname = \"small\"\nversion = \"1\"\n")?;
        let made = Self { _keep: keep, folder, index };
        made.write("app/requirements.txt", requirements)?;
        made.configure(targets, "")?;
        let tools = repository().canonicalize_utf8()?.join("target/xtask");
        let names = if tools.is_dir() { list(&tools)? } else { Vec::new() };
        for name in names.iter().filter(|name| name.starts_with("tools-")) {
            fs::os::unix::fs::symlink(tools.join(name), made.folder.join("target/xtask").join(name))?;
        }
        Ok(made)
    }

    /// Writes `dist/package.toml`, with `more` tables at its end.
    pub fn configure(&self, targets: &str, more: &str) -> anyhow::Result<()> {
        self.write(
            "dist/package.toml",
            &format!(
                "[package]\nname = \"small\"\nrelease = \"1\"\n[app]\npath = \"app\"\nlock = \"app/requirements.txt\"\n\
                 {targets}\n[service]\ncommand = [\"web\", \"--bind\", \"{{address}}:{{port}}\", \"web:app\"]\nport = 8000\ntls = \"off\"\n{more}"
            ),
        )
    }

    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.folder.join(path), text)?)
    }

    pub fn read(&self, path: &str) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.folder.join(path))?)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut tool = tool_in(&self.folder, words);
        // No index of a test tells when its files were uploaded.
        tool.env_remove("UV_EXCLUDE_NEWER");
        tool
    }

    pub fn run(&self, words: &[&str]) -> anyhow::Result<Finished> {
        run(&mut self.command(words))
    }

    /// What the tool said on standard error, without the place of this repository; its exit code must be 2.
    pub fn refused(&self, words: &[&str]) -> anyhow::Result<String> {
        let finished = self.run(words)?;
        anyhow::ensure!(finished.code == Some(2), "it was not refused: {finished}");
        Ok(self.without_place(&finished.stderr))
    }

    pub fn without_place(&self, text: &str) -> String {
        text.replace(self.folder.as_str(), "[folder]")
    }

    /// The wheels in `dist/wheels`; the tools that a runner without a network needs are in a folder of their own there.
    pub fn wheels(&self) -> anyhow::Result<Vec<String>> {
        let mut names = list(&self.folder.join("dist/wheels"))?;
        names.retain(|name| name != "tools");
        Ok(names)
    }
}

/// The `setup.py` of a source distribution with one module.
pub const PURE_SETUP: &str =
    "from setuptools import setup\nsetup(name='source', version='1.0', py_modules=['source'])\n";

/// A target with the minor of the host's Python and its processor, and another glibc.
pub fn target_like_host(glibc_of: &str) -> anyhow::Result<String> {
    const MINOR: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
    let minor = run(Command::new("python3").args(["-c", MINOR]))?.text()?;
    let arch = std::env::consts::ARCH;
    Ok(format!(
        "[[target]]\nname = \"own-{arch}\"\npython-full = \"{minor}.1\"\n[target.box]\narch = \"{arch}\"\n\
         glibc = \"{glibc_of}\"\nsystemd = 252\npayload = \"zstd\"\npython-package = \"python3\"\npython-path = \"/usr/bin/python3\"\n"
    ))
}
