//! Repositories of applications, each with an index of a folder that has a server: no network.

use crate::checkout::command::{Finished, run};
use crate::checkout::{git, list, repository, tool_in};
use crate::index::write_wheel_with;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;
use tempfile::TempDir;

/// The ignore file that GitHub offers for Python, as far as it is about what lies in a repository.
pub const GITHUB_PYTHON: &str = include_str!("github_python.txt");

/// A folder with files; it goes when it is dropped.
pub struct Application {
    keep: TempDir,
    /// the repository
    pub folder: Utf8PathBuf,
}

impl Application {
    /// Writes the files; nothing of it is in git.
    pub fn new(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let keep = tempfile::Builder::new().prefix("application-").tempdir()?;
        let base = Utf8PathBuf::try_from(keep.path().canonicalize()?)?;
        let made = Self { keep, folder: base.join("shop") };
        fs::create_dir_all(&made.folder)?;
        let index = made.base()?.join("index");
        fs::create_dir_all(&index)?;
        fs::write(made.base()?.join("index.toml"), format!("no-index = true\nfind-links = [\"{index}\"]\n"))?;
        for (name, needs) in [("gunicorn", "packaging"), ("flask", "werkzeug")] {
            let scripts = format!("[console_scripts]\n{name} = {name}:main\n").into_bytes();
            let scripts = (format!("{name}-3.0.dist-info/entry_points.txt"), scripts);
            let needs = [format!("Requires-Dist: {needs}"), "License-Expression: MIT".to_owned()];
            let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
            write_wheel_with(&index, &format!("{name}-3.0-py3-none-any.whl"), &needs, &[(&scripts.0, scripts.1)])?;
        }
        for name in ["packaging", "werkzeug"] {
            write_wheel_with(&index, &format!("{name}-3.0-py3-none-any.whl"), &["License-Expression: MIT"], &[])?;
        }
        for (path, text) in files {
            made.write(path, text)?;
        }
        Ok(made)
    }

    fn base(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(Utf8PathBuf::try_from(self.keep.path().canonicalize()?)?)
    }

    pub fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap())?;
        Ok(fs::write(path, text)?)
    }

    pub fn read(&self, path: &str) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.folder.join(path))?)
    }

    pub fn git(&self, words: &[&str]) -> anyhow::Result<()> {
        git(&self.folder, words)
    }

    /// Commits what git would add.
    pub fn commit(&self) -> anyhow::Result<()> {
        if !self.folder.join(".git").exists() {
            self.git(&["init", "--quiet"])?;
        }
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--no-verify", "--allow-empty", "--message", "release"])
    }

    /// The tool, in the repository or a clone of it, with the index and the private uv and pip of this repository.
    pub fn tool(&self, folder: &Utf8Path, words: &[&str]) -> anyhow::Result<Finished> {
        let tools = repository().canonicalize_utf8()?.join("target/xtask");
        let names = if tools.is_dir() { list(&tools)? } else { Vec::new() };
        if folder.join("dist/package.toml").exists() {
            fs::create_dir_all(folder.join("target/xtask"))?;
        }
        for name in names.iter().filter(|name| name.starts_with("tools-")) {
            let link = folder.join("target/xtask").join(name);
            if folder.join("target/xtask").exists() && !link.exists() {
                fs::os::unix::fs::symlink(tools.join(name), link)?;
            }
        }
        let mut command: Command = tool_in(folder, words);
        command.env("UV_CONFIG_FILE", self.base()?.join("index.toml")).env("COLUMNS", "100");
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        run(&mut command)
    }

    pub fn run(&self, words: &[&str]) -> anyhow::Result<Finished> {
        self.tool(&self.folder, words)
    }

    /// What the tool said on standard error, without the place of this repository; its exit code must be 2.
    pub fn refused(&self, words: &[&str]) -> anyhow::Result<String> {
        let finished = self.run(words)?;
        anyhow::ensure!(finished.code == Some(2), "it was not refused: {finished}");
        Ok(finished.stderr.replace(self.folder.as_str(), "[folder]"))
    }

    /// The folder of the index.
    pub fn index(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(self.base()?.join("index"))
    }

    /// A clone of a clone, beside it.
    pub fn clone_of(&self, from: &Utf8Path, name: &str) -> anyhow::Result<Utf8PathBuf> {
        let clone = self.base()?.join(name);
        git(from, &["clone", "--quiet", from.as_str(), clone.as_str()])?;
        Ok(clone)
    }

    /// A clone beside it.
    pub fn clone(&self, name: &str, settings: &[&str]) -> anyhow::Result<Utf8PathBuf> {
        let clone = self.base()?.join(name);
        let from = format!("file://{}", self.folder);
        let words = [&["clone", "--quiet"], settings, &[from.as_str(), clone.as_str()]].concat();
        git(&self.folder, &words)?;
        Ok(clone)
    }
}

/// The paths in an RPM.
pub fn paths_of(rpm: &Utf8Path) -> anyhow::Result<Vec<String>> {
    Ok(run(Command::new("rpm").args(["-qpl", rpm.as_str()]))?.text()?.lines().map(str::to_owned).collect())
}
