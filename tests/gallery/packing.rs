//! A repository for one application of the gallery, and what the tool makes in it.

use super::rows::{Application, PORT};
use crate::checkout::command::run;
use crate::checkout::{borrow_tools, git, list, repository, tool_in};
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;
use tempfile::TempDir;
use wheelhaul_engine::tools::uv::Uv;
use wheelhaul_host::{Sys, Verbosity};

/// The boxes: the machine of the tests is one but for its name, the other is only packed for.
const BOXES: [&str; 2] = ["el9-x86_64", "el8-x86_64"];
/// Warnings that are right for every row: Python 3.11 is what the machine has, though its support ended; which licence a
/// package has, when its metadata does not tell, somebody has to look up.
const RIGHT: [&str; 2] =
    ["the vendor's support of Python 3.11 on el", "not known, and stand in the RPM as `LicenseRef-"];
const TAG: &str = ".el9.";

#[derive(Debug)]
pub struct Packing {
    folder: TempDir,
    /// where the wheels of the last run are, and those of this one will be
    wheels: Utf8PathBuf,
    application: &'static Application,
    /// `datasette 0.65.5`
    pub release: String,
    pub packages: usize,
}

impl Packing {
    /// Writes the repository: the lock, the files of the row, and `dist/package.toml`.
    ///
    /// - Keeps: the wheels, below `target/xtask/gallery`, for the next run.
    pub fn of(application: &'static Application) -> anyhow::Result<Self> {
        let root = repository().canonicalize_utf8()?;
        // Once for all of them: each would install a uv of its own.
        let sys = Sys { root: root.clone(), verbosity: Verbosity::Quiet, offline: false };
        let lock = lock_of(application, &Uv::find(&sys)?)?;
        let prefix = format!("{}==", application.distribution);
        let line =
            lock.lines().find_map(|line| line.strip_prefix(&prefix)).context("the lock lacks the application")?;
        let version = line.split(' ').next().unwrap_or_default();
        let kept = root.join("target/xtask/gallery");
        fs::create_dir_all(&kept)?;
        let packing = Self {
            folder: tempfile::Builder::new().prefix("repository-").tempdir_in(&kept)?,
            wheels: kept.join(application.name),
            application,
            release: format!("{} {version}", application.distribution),
            packages: lock.lines().filter(|line| line.contains("==")).count(),
        };
        let folder = packing.dir()?;
        for (path, text) in application.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(path, text)?;
        }
        fs::create_dir_all(folder.join("dist"))?;
        if packing.wheels.is_dir() {
            fs::rename(&packing.wheels, folder.join("dist/wheels"))?;
        }
        borrow_tools(&folder)?;
        fs::write(folder.join("requirements.txt"), lock)?;
        fs::write(folder.join(".gitignore"), "/dist/wheels/\n/dist/out/\n/target/\n")?;
        fs::write(folder.join("dist/package.toml"), package_toml(application))?;
        git(&folder, &["init", "--quiet"])?;
        packing.commit()?;
        Ok(packing)
    }

    fn dir(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(Utf8PathBuf::try_from(self.folder.path().canonicalize()?)?)
    }

    fn commit(&self) -> anyhow::Result<()> {
        git(&self.dir()?, &["add", "--all"])?;
        git(&self.dir()?, &["commit", "--quiet", "--no-verify", "--allow-empty", "--message", self.application.name])
    }

    /// Runs a task, and gives its warnings that the row does not know.
    pub fn task(&self, task: &str) -> anyhow::Result<Vec<String>> {
        let said = run(&mut tool_in(&self.dir()?, &[task]))?;
        ensure!(said.succeeded(), "{said}");
        let lines = said.stdout.lines().chain(said.stderr.lines());
        self.commit()?;
        Ok(lines.filter(|line| self.is_unknown_warning(line)).map(str::to_owned).collect())
    }

    fn is_unknown_warning(&self, line: &str) -> bool {
        let known = || self.application.warnings.iter().chain(&RIGHT);
        line.trim_start().starts_with("warning") && !known().any(|known| line.contains(known))
    }

    /// Moves the RPM of the first box to where machines see it, and gives its name.
    pub fn take(&self, share: &Utf8Path) -> anyhow::Result<String> {
        let out = self.dir()?.join("dist/out");
        let rpms: Vec<String> = list(&out)?.into_iter().filter(|file| file.ends_with(".rpm")).collect();
        ensure!(rpms.len() == BOXES.len(), "{rpms:?}");
        let rpm = rpms.iter().find(|file| file.contains(TAG)).context("no RPM for the machine")?;
        fs::copy(out.join(rpm), share.join(rpm))?;
        Ok(rpm.clone())
    }
}

impl Drop for Packing {
    fn drop(&mut self) {
        // Without them the next run downloads them again.
        let _ = fs::rename(self.folder.path().join("dist/wheels"), &self.wheels);
    }
}

/// The committed lock; in a run with the newest, what its names resolve to today.
fn lock_of(application: &Application, uv: &Uv<'_>) -> anyhow::Result<String> {
    if std::env::var_os("XTASK_TESTS_NEWEST").is_none() {
        let path = repository().join(format!("tests/locks/gallery/{}.txt", application.name));
        return Ok(fs::read_to_string(path)?);
    }
    let script = repository().join("tests/python/renew_locks.py");
    let mut command = Command::new("python3");
    command.args(["-B", script.as_str(), "--newest", &format!("gallery/{}", application.name)]);
    run(command.env("UV", uv.program()))?.text()
}

fn package_toml(application: &Application) -> String {
    let targets: String =
        BOXES.iter().map(|name| format!("[[target]]\nname = \"{name}\"\npython = \"3.11\"\n")).collect();
    let mut modules: Vec<&str> = application.files.iter().map(|(path, _)| *path).collect();
    modules.sort_unstable();
    format!(
        "[package]\nname = \"{}\"\nlicense = \"MIT\"\ncompression-level = 1\n{}\n\
         [app]\npath = \".\"\nlock = \"requirements.txt\"\nmodules = {modules:?}\nversion = \"1.0\"\n\n{targets}\n\
         [service]\naddress = \"127.0.0.1\"\nport = {PORT}\ntls = \"off\"\n{}",
        application.package(),
        application.package_keys,
        application.service_keys
    )
}
