//! pip and uv, and the wheels that they install.

pub mod shapes;

use crate::checkout::command::{Finished, run};
use crate::checkout::{list, repository};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::collections::BTreeMap;
use std::process::Command;
use wheelhaul_boxes::Target;

/// What uv and pip call the box of the sample.
const PLATFORM_FOR_UV: &str = "x86_64-manylinux_2_34";

/// What installs from a lock.
#[derive(Debug, Clone, Copy)]
pub enum Installer {
    Pip,
    Uv,
}

/// The pins of `wheels.txt`, sorted by name.
pub fn pins() -> Vec<&'static str> {
    let lines = include_str!("wheels.txt").lines();
    lines.filter_map(|line| line.split('#').next()).map(str::trim).filter(|pin| !pin.is_empty()).collect()
}

pub fn wheels_in(folder: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let names = list(folder)?;
    Ok(names.iter().filter(|name| name.ends_with(".whl")).map(|name| folder.join(name)).collect())
}

/// The lines of the lock of downloads for exact pins: with the sha256 of every file that may come.
pub fn hashed(pins: &[&str]) -> anyhow::Result<String> {
    let lock = include_str!("../locks/downloads.txt");
    let known: BTreeMap<&str, &str> = lock.lines().filter_map(|line| Some((line.split(' ').next()?, line))).collect();
    let of = |pin: &&str| {
        known.get(pin).map(|line| format!("{line}\n")).with_context(|| {
            format!("tests/locks/downloads.txt has no {pin}\nhint: `python3 tests/python/renew_locks.py --add {pin}`")
        })
    };
    pins.iter().map(of).collect()
}

/// Pinned pip and uv, shared by the tests.
pub struct Tools {
    programs: Utf8PathBuf,
    workspace: Utf8PathBuf,
    target: Target,
}

impl Tools {
    pub fn prepare() -> anyhow::Result<Self> {
        let workspace = repository().join("target/xtask");
        let script = repository().join("tests/python/tools.py");
        let folder = workspace.join("test-tools");
        let python = run(Command::new("python3").arg("-B").arg(script).arg(folder).arg("comparing"))
            .context("hint: `apt-get install python3 python3-venv`")?
            .text()?;
        let programs = Utf8Path::new(&python).parent().context("Python is in a folder")?.to_owned();
        let workspace = workspace.canonicalize_utf8()?;
        Ok(Self { programs, workspace, target: Target::find("el9-x86_64", Some("3.11"), None)? })
    }

    /// Lets the tool find these first, so that it makes no environment for each copy.
    pub fn first_on_path<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let path = std::env::var("PATH").unwrap_or_default();
        // Its index is a folder with another release of the backend.
        command.env("PATH", format!("{}:{path}", self.programs)).env_remove("UV_BUILD_CONSTRAINT")
    }

    /// pip, without what this workstation configures for it, save where to download from.
    fn pip(&self, verb: &str) -> Command {
        self.pip_for(&self.target, verb)
    }

    fn pip_for(&self, target: &Target, verb: &str) -> Command {
        let mut pip = Command::new(self.programs.join("python"));
        pip.args(["-m", "pip", verb, "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--only-binary", ":all:", "--implementation", "cp"]);
        let python = target.python();
        let minor = python.replace('.', "");
        // Up to 3.7 the ABI has a letter.
        let letter = if ["36", "37"].contains(&minor.as_str()) { "m" } else { "" };
        for abi in [&format!("cp{minor}{letter}"), "abi3", "none"] {
            pip.args(["--abi", abi]);
        }
        pip.args(["--python-version", &target.python_full.to_string()]);
        for platform in target.platforms() {
            pip.args(["--platform", &platform]);
        }
        pip
    }

    pub fn pip_install(&self, into: &Utf8Path, wheels: &[Utf8PathBuf]) -> anyhow::Result<()> {
        let mut pip = self.pip("install");
        pip.args(["--no-deps", "--no-compile", "--no-index", "--target", into.as_str()]).args(wheels);
        run(&mut pip)?.text().map(drop)
    }

    pub fn pip_install_requirements(&self, from: &Utf8Path, file: &str, into: &Utf8Path) -> anyhow::Result<()> {
        let mut pip = self.pip("install");
        pip.args([
            "--require-hashes",
            "--no-compile",
            "--no-index",
            "--find-links",
            "wheels",
            "--target",
            into.as_str(),
        ]);
        run(pip.args(["--requirement", file]).current_dir(from))?.text().map(drop)
    }

    pub fn uv_install(&self, from: &Utf8Path, lock: &str, into: &Utf8Path) -> anyhow::Result<()> {
        let mut uv = Command::new(self.programs.join("uv"));
        uv.args(["pip", "install", "--quiet", "--no-index", "--no-config", "--link-mode", "copy"]);
        uv.args(["--python", self.programs.join("python").as_str(), "--python-version", &self.target.python()]);
        uv.args(["--python-platform", PLATFORM_FOR_UV, "--target", into.as_str(), "--requirement", lock]);
        run(uv.env("UV_PYTHON_DOWNLOADS", "never").current_dir(from))?.text().map(drop)
    }

    /// Makes a box like this host the one target of a checkout, by the probe that it prints; gives the lock's name.
    pub fn describe_host(&self, copy: &Utf8Path) -> anyhow::Result<String> {
        // The environment's interpreter is this one too, and the probe asks for no environment.
        const BASE: &str = "import sys; print(getattr(sys, '_base_executable', None) or sys.executable)";
        let base = run(Command::new(self.programs.join("python")).args(["-c", BASE]))?.text()?;
        let probe = copy.join("target/probe.sh");
        fs::create_dir_all(copy.join("target"))?;
        fs::write(&probe, wheelhaul_engine::templates::probe())?;
        let answer = run(Command::new("sh").arg(probe).arg(base))?.text()?;
        fs::write(copy.join("dist/like-host.json"), answer)?;
        let package = copy.join("dist/package.toml");
        let text = fs::read_to_string(&package)?;
        let (before, rest) = text.split_once("[[target]]").context("the sample has a target")?;
        let (_, after) = rest.split_once("[service]").context("the sample has a service")?;
        // Where systemd or rpm is not installed the probe cannot tell; and a Python in a home cannot be packed for.
        let target = "[[target]]\nname = \"like-host\"\nprobe = \"dist/like-host.json\"\n[target.box]\nsystemd = 252\n\
            payload = \"zstd\"\npython-path = \"/usr/bin/python3\"\n";
        fs::write(&package, format!("{before}{target}[service]{after}"))?;
        Ok("pylock.like-host.toml".to_owned())
    }

    /// Installs from a lock in `from`, with the installer's own interpreter as the box.
    pub fn install_lock(
        &self,
        installer: Installer,
        from: &Utf8Path,
        lock: &str,
        into: &Utf8Path,
        more: &[&str],
    ) -> anyhow::Result<Finished> {
        let python = self.programs.join("python");
        let mut command = match installer {
            Installer::Pip => {
                let mut pip = Command::new(&python);
                pip.args(["-m", "pip", "--isolated", "install", "--disable-pip-version-check", "--no-input"]);
                pip.args(["--no-cache-dir", "--no-compile"]);
                pip
            }
            Installer::Uv => {
                let mut uv = Command::new(self.programs.join("uv"));
                uv.args(["pip", "install", "--no-config", "--no-cache", "--link-mode", "copy"]);
                uv.args(["--python", python.as_str()]).env("UV_PYTHON_DOWNLOADS", "never");
                uv
            }
        };
        command.args(["--no-index", "--target", into.as_str(), "--requirement", lock]).args(more).current_dir(from);
        run(&mut command)
    }

    /// Downloads what is not there yet, and makes the odd wheel.
    pub fn fetch_wheels(&self) -> anyhow::Result<Utf8PathBuf> {
        let cache = self.fetch_wheels_for(&self.target, &pins(), "test-wheels")?;
        let script = repository().join("tests/python/odd_wheel.py");
        run(Command::new("python3").arg("-B").arg(script).arg(&cache))?.text()?;
        Ok(cache)
    }

    /// Downloads pins for a target into a folder that is kept, unless they are there already.
    pub fn fetch_wheels_for(&self, target: &Target, pins: &[&str], folder: &str) -> anyhow::Result<Utf8PathBuf> {
        let cache = self.workspace.join(folder);
        fs::create_dir_all(&cache)?;
        let complete = cache.join("complete");
        let wanted = hashed(pins)?;
        if fs::read_to_string(&complete).unwrap_or_default() != wanted {
            for wheel in wheels_in(&cache)? {
                fs::remove_file(wheel)?;
            }
            let mut pip = self.pip_for(target, "download");
            let list = cache.join("wanted.txt");
            fs::write(&list, &wanted)?;
            pip.args(["--no-deps", "--require-hashes", "--requirement", list.as_str()]);
            run(pip.args(["--dest", cache.as_str()]))?.text()?;
            fs::write(&complete, wanted)?;
        }
        Ok(cache)
    }
}
