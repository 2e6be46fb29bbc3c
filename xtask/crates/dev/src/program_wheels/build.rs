//! How one wheel is built: maturin, with zig as the linker, and nothing of this machine in what comes out.

use crate::program_wheels::licenses;
use crate::program_wheels::platform::Platform;
use crate::program_wheels::toolchain::{LICENSES_OF_RUST, Toolchain};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, Stdio};
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_engine::tools::{git, python};
use wheelhaul_host::{Program, Sys, Verbosity, sha256_of};

const MANIFEST: &str = "xtask/crates/wheelhaul/Cargo.toml";
/// Where `license-files` of the `pyproject.toml` finds the licences of all crates; git ignores it.
const LICENSES: &str = "xtask/crates/wheelhaul/licenses-of-crates";
const TOOLS: &str = "xtask/crates/dev/wheel-tools.txt";

/// What all wheels are built with.
#[derive(Debug)]
pub(super) struct Builder {
    toolchain: Toolchain,
    /// the same release with the sources of its standard library; none where no platform needs it
    with_sources: Option<Toolchain>,
    /// the programs of the environment with maturin and zig
    tools: Utf8PathBuf,
    cargo_home: Utf8PathBuf,
    profile: String,
}

impl Builder {
    /// Gets what is needed, before anything is compiled.
    ///
    /// # Errors
    /// Names all that is missing, with the cure.
    pub(super) fn prepare(sys: &Sys, platforms: &[&Platform], profile: &str) -> anyhow::Result<Self> {
        let toolchain = Toolchain::find(sys)?;
        let mut missing = Vec::new();
        let lacking = platforms.iter().filter(|platform| !toolchain.has(platform.triple)).collect::<Vec<_>>();
        missing.extend(lacking.iter().filter_map(|platform| toolchain.check_sources(platform.triple).err()));
        for file in LICENSES_OF_RUST {
            if !toolchain.folder.join(file).is_file() {
                missing.push(Problem::with_hint(
                    format!("the toolchain `{}` has no `{file}`, which goes into the wheels", toolchain.folder),
                    "install Rust with rustup, which brings it",
                ));
            }
        }
        if let Err(error) = epoch(sys) {
            missing.push(error);
        }
        all_of("things are missing to build wheels", missing)?;
        let with_sources = if lacking.is_empty() { None } else { Some(toolchain.with_sources(sys)?) };
        let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from);
        let home = home.or_else(|| Some(Utf8PathBuf::from(std::env::var("HOME").ok()?).join(".cargo")));
        let cargo_home = home.context("neither CARGO_HOME nor HOME is set")?;
        let requirements = sys.read_text(&sys.root.join(TOOLS))?;
        let digest = sha256_of(&sys.root.join(TOOLS))?;
        let name = format!("wheel-tools-{}", &digest[..12]);
        let tools = python::environment(sys, &|| python::newest(sys), &name, &requirements, None)?;
        Ok(Self { toolchain, with_sources, tools, cargo_home, profile: profile.to_owned() })
    }

    /// Folders of this machine that no wheel may name.
    pub(super) fn folders(&self, sys: &Sys) -> Vec<Utf8PathBuf> {
        let sources = self.with_sources.iter().map(|toolchain| toolchain.folder.clone());
        [sys.root.clone(), self.cargo_home.clone(), self.toolchain.folder.clone()].into_iter().chain(sources).collect()
    }

    /// Builds one wheel of the sources in `sys.root`, and puts it into `out`.
    pub(super) fn build(&self, sys: &Sys, platform: &Platform, out: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        let lacks = !self.toolchain.has(platform.triple);
        let toolchain = self.with_sources.as_ref().filter(|_| lacks).unwrap_or(&self.toolchain);
        let work = sys.workspace().join("wheels");
        let fresh = work.join(platform.name);
        if fresh.is_dir() {
            fs_err::remove_dir_all(&fresh)?;
        }
        self.write_licenses(sys, platform, toolchain)?;
        let mut maturin = Command::new(self.tools.join("maturin"));
        maturin.args(["build", "--manifest-path", MANIFEST, "--locked"]);
        maturin.args(["--profile", &self.profile, "--target", platform.triple, "--out", fresh.as_str()]);
        if !platform.zig_licenses.is_empty() {
            maturin.arg("--zig");
        }
        if let Some(oldest) = platform.oldest_macos {
            maturin.env("MACOSX_DEPLOYMENT_TARGET", oldest);
        }
        maturin.args(platform.compatibility.iter().flat_map(|tag| ["--compatibility", tag]));
        if lacks {
            // Stable Rust otherwise: this only lets cargo compile the standard library.
            maturin.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
        }
        let before = std::env::var("PATH").unwrap_or_default();
        maturin
            .env("PATH", format!("{}:{}:{before}", toolchain.folder.join("bin"), self.tools))
            .env("CARGO", toolchain.program("cargo"))
            .env("RUSTC", toolchain.program("rustc"))
            .env("CARGO_TARGET_DIR", work.join("build"))
            .env("CARGO_ENCODED_RUSTFLAGS", self.remapped(sys, toolchain)?.join("\u{1f}"))
            .env("SOURCE_DATE_EPOCH", epoch(sys)?.to_string())
            .env("CARGO_INCREMENTAL", "0");
        for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "CFLAGS", "CARGO_BUILD_TARGET", "LD_LIBRARY_PATH", "VIRTUAL_ENV"] {
            maturin.env_remove(name);
        }
        sys.detail(format!("$ {maturin:?}"));
        maturin.current_dir(&sys.root).stdin(Stdio::null()).stdout(std::io::stderr());
        if sys.verbosity == Verbosity::Quiet {
            maturin.arg("--quiet");
        }
        let status = maturin.status().context("failed to run maturin")?;
        // A plain `maturin build` takes what is there, for whatever platform it was made.
        fs_err::remove_dir_all(sys.root.join(LICENSES))?;
        ensure!(status.success(), "maturin failed to build the wheel for {}; it says above why", platform.name);
        let made: Vec<Utf8PathBuf> =
            fresh.read_dir_utf8()?.map(|entry| Ok(entry?.into_path())).collect::<anyhow::Result<_>>()?;
        let [wheel] = made.as_slice() else {
            anyhow::bail!("maturin left {} files in `{fresh}`, and not one wheel", made.len());
        };
        let name = wheel.file_name().context("a file has a name")?;
        let expected = format!("-py3-none-{}.whl", platform.tag);
        ensure!(name.ends_with(&expected), "maturin made `{name}`, and its name should end in `{expected}`");
        fs_err::create_dir_all(out)?;
        let place = out.join(name);
        // `out` may be on another file system.
        fs_err::copy(wheel, &place)?;
        Ok(place)
    }

    /// Writes the licences of everything that this platform's program has in it.
    fn write_licenses(&self, sys: &Sys, platform: &Platform, toolchain: &Toolchain) -> anyhow::Result<()> {
        let words = ["metadata", "--format-version=1", "--locked", "--manifest-path", MANIFEST, "--filter-platform"];
        let cargo = Program::new(toolchain.program("cargo")).args(words).args([platform.triple]);
        let metadata = serde_json::from_str(&sys.run(&cargo)?.out).context("cargo's metadata is not JSON")?;
        let crates = licenses::linked(&metadata, "wheelhaul")?;
        let standard = |name: &str| {
            let path = toolchain.folder.join("share/doc/rust/licenses").join(name).with_extension("txt");
            Ok(fs_err::read_to_string(path)?)
        };
        let folder = sys.root.join(LICENSES);
        if folder.is_dir() {
            fs_err::remove_dir_all(&folder)?;
        }
        sys.write(&folder.join("crates.txt"), licenses::page(&crates, &standard)?.as_bytes())?;
        for file in LICENSES_OF_RUST {
            let name = file.rsplit('/').next().unwrap_or(file);
            sys.write(&folder.join(format!("rust-{name}")), &fs_err::read(self.toolchain.folder.join(file))?)?;
        }
        if platform.zig_licenses.is_empty() {
            return Ok(());
        }
        let script = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
        let zig = sys.run(&Program::new(self.tools.join("python")).args(["-c", script]))?.out;
        let zig = Utf8Path::new(zig.trim());
        for file in ["../LICENSE"].iter().chain(platform.zig_licenses) {
            let name = file.trim_start_matches("../").replace('/', "-");
            sys.write(&folder.join(format!("zig-{name}")), &fs_err::read(zig.join("lib").join(file))?)?;
        }
        Ok(())
    }

    /// What rustc calls the folders of this machine in what it writes.
    ///
    /// The sources of crates are in a folder that is named for the registry they came from, which may be a mirror.
    fn remapped(&self, sys: &Sys, toolchain: &Toolchain) -> anyhow::Result<Vec<String>> {
        let mut folders = vec![
            (sys.root.clone(), "/wheelhaul"),
            (self.cargo_home.clone(), "/cargo"),
            (self.toolchain.folder.clone(), "/rust"),
            (toolchain.folder.clone(), "/rust"),
        ];
        let registries = self.cargo_home.join("registry/src");
        for entry in registries.read_dir_utf8().with_context(|| format!("failed to list `{registries}`"))? {
            folders.push((entry?.into_path(), "/crates"));
        }
        // rustc goes by the last that fits.
        folders.sort_by_key(|(folder, _)| folder.as_str().len());
        folders.dedup();
        Ok(folders.into_iter().map(|(folder, name)| format!("--remap-path-prefix={folder}={name}")).collect())
    }
}

/// The time that the files in the wheel carry: that of the commit.
fn epoch(sys: &Sys) -> anyhow::Result<u32> {
    git::epoch(git::head(sys)?.as_ref())
}
