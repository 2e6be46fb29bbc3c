//! A Debian root with Rust for Windows, its C compiler and wine.

use crate::checkout::command::{Finished, run};
use crate::checkout::debian::{debian_archive, roots_folder};
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::process::Command;
use wheelhaul_base::hex::hex;

/// The last Debian with the sources of Rust's standard library for the web, which are those for Windows too.
const SUITE: &str = "trixie";
/// `git` is what the wrapper hands its words to; wine runs programs of Linux as well.
const PACKAGES: &str = "rustc-web,cargo-web,rust-web-src,gcc-mingw-w64-x86-64-win32,gcc,libc6-dev,wine64,wine,ca-certificates,git,findutils";
const OPTIONS: [&str; 4] = [
    "--quiet",
    "--variant=minbase",
    "--dpkgopt=force-unsafe-io",
    // a mirror that is frozen or far behind is good enough
    "--aptopt=Acquire::Check-Valid-Until \"false\"",
];

/// The root, and what is built in it, kept between runs.
pub struct Root {
    dir: Utf8PathBuf,
    /// seen inside as `/target`, `/cargo` and `/crate`
    kept: Utf8PathBuf,
}

impl Root {
    /// The root in the tests' folder of roots, made by mmdebstrap when it is not there yet: 2.6 GB.
    pub fn prepare() -> anyhow::Result<Self> {
        let cache = roots_folder()?;
        let recipe = [&[SUITE, PACKAGES], &OPTIONS[..]].concat().join("\n");
        let name = format!("windows-{}", &hex(&Sha256::digest(recipe))[..12]);
        let dir = cache.join(&name);
        let kept = cache.join(format!("{name}-kept"));
        for folder in ["target", "cargo", "crate"] {
            fs::create_dir_all(kept.join(folder))?;
        }
        if !dir.is_dir() {
            let part = tempfile::Builder::new().prefix(".windows-").tempdir_in(&cache)?;
            let root = Utf8Path::from_path(part.path()).context("the cache's path is not UTF-8")?.join("root");
            let mut command = Command::new("mmdebstrap");
            command.args(OPTIONS).arg(format!("--include={PACKAGES}")).args([SUITE, root.as_str()]);
            run(command.arg(debian_archive()?))?.text().context("failed to make a root with wine")?;
            fs::rename(&root, &dir)?;
        }
        Ok(Self { dir, kept })
    }

    /// The folder that is seen inside as `/crate`.
    pub fn sources(&self) -> Utf8PathBuf {
        self.kept.join("crate")
    }

    /// Runs a program inside, with the network that crates come by.
    pub fn build(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut command = self.inside();
        command.args(["--bind-ro=/etc/resolv.conf", "--bind-ro=/etc/ssl/certs/ca-certificates.crt", "--chdir=/crate"]);
        for (name, value) in [
            // It is stable Rust; only the standard library has to be built.
            ("RUSTC_BOOTSTRAP", "1"),
            ("CARGO_HOME", "/cargo"),
            ("CARGO_TARGET_DIR", "/target"),
            ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc"),
        ] {
            command.arg(format!("--setenv={name}={value}"));
        }
        let finished = run(command.args(words))?;
        let said = format!("{}{}", finished.stdout, finished.stderr);
        ensure!(finished.succeeded(), "{finished}");
        Ok(said)
    }

    /// Runs a Windows program under wine, without a network, with `folder` as `Z:\sample` and the git of Linux.
    pub fn wine(&self, folder: &Utf8Path, words: &[&str]) -> anyhow::Result<Finished> {
        let mut command = self.inside();
        command.arg("--private-network").arg(format!("--bind={folder}:/sample")).arg("--chdir=/sample");
        for (name, value) in [
            ("WINEDEBUG", "-all"),
            ("WINEPREFIX", "/target/wine"),
            ("WINEPATH", r"Z:\target\git"),
            ("HOME", "/root"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "safe.directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
        ] {
            command.arg(format!("--setenv={name}={value}"));
        }
        run(command.arg("/usr/lib/wine/wine64").args(words))
    }

    fn inside(&self) -> Command {
        let mut command = Command::new("systemd-nspawn");
        command.args(["--quiet", "--register=no", "--keep-unit", "--as-pid2", "--resolv-conf=off", "--console=pipe"]);
        command.arg(format!("--directory={}", self.dir));
        for folder in ["target", "cargo", "crate"] {
            command.arg(format!("--bind={}:/{folder}", self.kept.join(folder)));
        }
        command
    }
}
