//! The ways to have the program: out of a wheel, and as a thin `xtask/` with the library. Each does the main job where
//! the other is not, and its RPM and its bundle have the bytes that the program of all other tests makes.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{Checkout, list, repository, tool_in};
use fs_err as fs;
use std::process::Command;

/// The wheel as a plain `maturin build` makes it, which shares everything that cargo has compiled for these tests.
#[test]
fn the_wheel_does_the_main_job_without_cargo_and_makes_the_same_bytes() -> anyhow::Result<()> {
    let expected = made_by_the_tests_program()?;
    let wheel = build_wheel()?;
    let empty = tempfile::tempdir()?;
    let environment = Utf8Path::from_path(empty.path()).context("the folder is not UTF-8")?.join("environment");
    run(Command::new("python3").args(["-m", "venv", environment.as_str()]))?.text()?;
    let pip = ["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel.as_str()];
    run(Command::new(environment.join("bin/python")).args(pip))?.text()?;

    let sample = expected.repository("wheel-")?;
    let folder = sample.dir()?;
    ensure!(!folder.join("xtask").exists() && !folder.join("Cargo.toml").exists(), "the sample has a `xtask/`");
    // The environment itself stays off the PATH: byte-code depends on which Python is found there.
    let (path, program) = (without_rust(&environment)?, environment.join("bin/wheelhaul"));
    let say = |words: &[&str]| -> anyhow::Result<Finished> {
        let mut command = Command::new("sh");
        command.args(["-c", "if command -v cargo rustc; then exit 9; fi; exec \"$0\" \"$@\"", program.as_str()]);
        command.args(words).current_dir(&folder).env("PATH", &path).env("XDG_CACHE_HOME", environment.join("cache"));
        run(with_kept_downloads(&mut command).env_remove("SOURCE_DATE_EPOCH"))
    };
    let version = say(&["--version"])?.text()?;
    ensure!(version == format!("wheelhaul {}", env!("CARGO_PKG_VERSION")), "{version}");
    let told = say(&["dist", "--locked"])?;
    ensure!(told.succeeded(), "{told}");
    expected.compare(&folder)
}

#[test]
fn a_thin_xtask_does_the_main_job_and_the_teams_own_and_makes_the_same_bytes() -> anyhow::Result<()> {
    let expected = made_by_the_tests_program()?;
    let sample = expected.repository("thin-")?;
    let folder = sample.dir()?;
    write_thin_xtask(&folder)?;
    let cargo = |words: &[&str]| -> anyhow::Result<Finished> {
        let mut command = Command::new(env!("CARGO"));
        command.arg("xtask").args(words);
        command.current_dir(folder.join("python-app")).env("CARGO_TARGET_DIR", target().join("thin-xtask"));
        // What the cargo of these tests says to them is not for this one.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_PROFILE_")) {
            command.env_remove(name);
        }
        command.env("XDG_CACHE_HOME", folder.join("target/cache"));
        run(with_kept_downloads(&mut command).env_remove("SOURCE_DATE_EPOCH"))
    };
    // A task of the team's own, and one of wheelhaul, from a folder below.
    let own = cargo(&["epoch"])?;
    ensure!(own.succeeded() && own.stdout == "1700000000\n", "{own}");
    let told = cargo(&["dist", "--locked"])?;
    ensure!(told.succeeded(), "{told}");
    expected.compare(&folder)?;
    // The main job as a function, whose report a task of the team's own reads.
    let (bundle, _) = expected.files.iter().find(|(name, _)| name.ends_with(".tar.gz")).context("there is a bundle")?;
    let sum = run(Command::new("sha256sum").arg(format!("dist/out/{bundle}")).current_dir(&folder))?.text()?;
    let own = cargo(&["bundle"])?;
    ensure!(own.succeeded() && own.stdout.trim_end() == sum.trim_end(), "{own}\n{sum}");
    expected.compare(&folder)
}

/// What the library's documentation shows is what is compiled and run above.
#[test]
fn the_example_of_the_library_is_a_task_of_the_thin_xtask() -> anyhow::Result<()> {
    let library = fs::read_to_string(repository().join("xtask/crates/wheelhaul/src/lib.rs"))?;
    let (_, rest) = library.split_once("//! ```rust\n").context("there is an example")?;
    let (example, _) = rest.split_once("//! ```\n").context("it ends")?;
    let plain = |line: &str| format!("{}\n", line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default());
    let example: String = example.lines().map(plain).collect();
    let thin = fs::read_to_string(repository().join("tests/ways/thin/main.rs"))?;
    ensure!(thin.contains(&example), "the thin `xtask` has no\n{example}");
    Ok(())
}

/// Crates that decide bytes of what is made: compressors, writers of formats, templates, spelling of licences and names.
const DECIDING: [&str; 15] = [
    "flate2",
    "idna_adapter",
    "minijinja",
    "pep440_rs",
    "pep508_rs",
    "rawzip",
    "serde_json",
    "spdx",
    "tar",
    "toml",
    "toml_writer",
    "zlib-rs",
    "zstd",
    "zstd-safe",
    "zstd-sys",
];

/// Whoever depends on the library has a `Cargo.lock` of his own, with the newest of everything that is not held.
#[test]
fn a_thin_xtask_with_a_lock_of_its_own_has_the_crates_that_decide_bytes() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the folder is not UTF-8")?;
    write_thin_xtask(folder)?;
    fs::remove_file(folder.join("Cargo.lock"))?;
    run(Command::new(env!("CARGO")).arg("generate-lockfile").current_dir(folder))?.text()?;
    let versions = |lock: &Utf8Path, name: &str| -> anyhow::Result<Vec<String>> {
        let text = fs::read_to_string(lock)?;
        let start = format!("[[package]]\nname = \"{name}\"\nversion = \"");
        Ok(text.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect())
    };
    for name in DECIDING {
        let ours = versions(&repository().join("Cargo.lock"), name)?;
        ensure!(ours.len() == 1, "Cargo.lock has {ours:?} of `{name}`");
        let theirs = versions(&folder.join("Cargo.lock"), name)?;
        ensure!(theirs == ours, "`{name}`: {theirs:?} instead of {ours:?}; it has to be held by `=` in wheelhaul");
    }
    Ok(())
}

/// The outputs that every way has to make.
struct Expected {
    sample: Checkout,
    files: Vec<(String, Vec<u8>)>,
}

/// The sample, and what the program makes of it that all other tests start.
fn made_by_the_tests_program() -> anyhow::Result<Expected> {
    let sample = Checkout::new("ways-")?;
    let mut command = tool_in(&sample.dir()?, &["dist", "--locked"]);
    let told = run(with_kept_downloads(command.env("XDG_CACHE_HOME", sample.dir()?.join("target/cache"))))?;
    ensure!(told.succeeded(), "{told}");
    let files = outputs(&sample.dir()?)?;
    Ok(Expected { sample, files })
}

impl Expected {
    /// The same commit in another folder, with the same wheels of dependencies and nothing that was made.
    fn repository(&self, name: &str) -> anyhow::Result<Checkout> {
        self.sample.cloned(name, &[])
    }

    fn compare(&self, folder: &Utf8Path) -> anyhow::Result<()> {
        let made = outputs(folder)?;
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        ensure!(names(&made) == names(&self.files), "{:?} instead of {:?}", names(&made), names(&self.files));
        for ((name, bytes), (_, expected)) in made.iter().zip(&self.files) {
            ensure!(bytes == expected, "`{name}` has other bytes");
        }
        Ok(())
    }
}

/// The RPM and the bundle.
fn outputs(folder: &Utf8Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let out = folder.join("dist/out");
    let names: Vec<String> =
        list(&out)?.into_iter().filter(|name| name.ends_with(".rpm") || name.ends_with(".tar.gz")).collect();
    ensure!(names.len() == 2, "{names:?}");
    names.into_iter().map(|name| Ok((name.clone(), fs::read(out.join(name))?))).collect()
}

/// Lets uv and pip use what they have kept for the tests, where the tool's own cache is an empty one.
fn with_kept_downloads(command: &mut Command) -> &mut Command {
    let cache = checkout::home::folder().join(".cache");
    command.env("UV_CACHE_DIR", cache.join("uv")).env("PIP_CACHE_DIR", cache.join("pip"))
}

/// The folder that cargo builds these tests in.
fn target() -> Utf8PathBuf {
    let program = Utf8Path::new(env!("CARGO_BIN_EXE_started"));
    program.ancestors().nth(2).expect("it is in `target/debug`").to_owned()
}

/// A plain `maturin build` of this commit, for this host.
fn build_wheel() -> anyhow::Result<Utf8PathBuf> {
    let script = repository().join("tests/python/tools.py");
    let pinned = |path: &str| -> anyhow::Result<String> {
        let text = fs::read_to_string(repository().join(path))?;
        let line = text.lines().find_map(|line| line.strip_prefix("maturin==")).context("maturin is pinned")?;
        Ok(line.split(' ').next().unwrap_or(line).to_owned())
    };
    let (tried, released) = (pinned("tests/locks/maturin.txt")?, pinned("xtask/crates/dev/wheel-tools.txt")?);
    ensure!(tried == released, "maturin {tried} is tried, and {released} makes the wheels that are given away");
    let folder = repository().join("target/xtask/test-wheel");
    let python = run(Command::new("python3").arg("-B").arg(script).arg(folder).arg("maturin"))?.text()?;
    let maturin = Utf8Path::new(&python).with_file_name("maturin");
    let out = target().join("tmp/wheel-of-this-host");
    if out.is_dir() {
        fs::remove_dir_all(&out)?;
    }
    let mut build = Command::new(maturin);
    build.args(["build", "--out", out.as_str()]).current_dir(repository().join("xtask/crates/wheelhaul"));
    run(build.env("CARGO_TARGET_DIR", target()))?.text()?;
    let names = list(&out)?;
    let [name] = names.as_slice() else { anyhow::bail!("maturin made {names:?}") };
    let version = env!("CARGO_PKG_VERSION");
    ensure!(name.starts_with(&format!("wheelhaul-{version}-py3-none-")) && name.ends_with(".whl"), "{name}");
    Ok(out.join(name))
}

/// The PATH without cargo and rustc: folders that have one are replaced by folders of links to everything else there.
fn without_rust(scratch: &Utf8Path) -> anyhow::Result<String> {
    const RUST: [&str; 2] = ["cargo", "rustc"];
    let mut folders = Vec::new();
    for (number, folder) in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).enumerate() {
        let folder = Utf8PathBuf::try_from(folder)?;
        if RUST.iter().all(|name| !folder.join(name).exists()) {
            folders.push(folder);
            continue;
        }
        let links = scratch.join(format!("links-{number}"));
        fs::create_dir(&links)?;
        for name in list(&folder)?.iter().filter(|name| !RUST.contains(&name.as_str())) {
            fs::os::unix::fs::symlink(folder.join(name), links.join(name))?;
        }
        folders.push(links);
    }
    Ok(folders.iter().map(|folder| folder.as_str()).collect::<Vec<_>>().join(":"))
}

/// What `init --cargo` writes: the package, the alias, and the profile that this workspace uses itself.
///
/// git does not see it: the commit is in the RPM, and would differ.
fn write_thin_xtask(folder: &Utf8Path) -> anyhow::Result<()> {
    let here = repository().canonicalize_utf8()?;
    let mut files = wheelhaul_engine::discover::cargo_files(Some(here.join("xtask/crates/wheelhaul").as_str()));
    for (path, text) in &mut files {
        match *path {
            // For the team's own tasks.
            "xtask/Cargo.toml" => text.push_str("anyhow = \"1\"\n"),
            "xtask/src/main.rs" => *text = fs::read_to_string(here.join("tests/ways/thin/main.rs"))?,
            _ => {}
        }
    }
    files.push(("Cargo.lock", fs::read_to_string(here.join("Cargo.lock"))?));
    files.push((".git/info/exclude", "/dist/wheels/\n/dist/out/\n/target/\n/Cargo.*\n/.cargo/\n/xtask/\n".to_owned()));
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// A team's own `xtask` optimises the crates that this repository does: `cargo xtask` costs the same in both.
#[test]
fn a_team_compiles_with_the_profile_of_this_repository() {
    let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let own: toml::Table = toml::from_str(&fs::read_to_string(here.join("Cargo.toml")).unwrap()).unwrap();
    let files = wheelhaul_engine::discover::cargo_files(None);
    let (_, config) = files.iter().find(|(path, _)| *path == ".cargo/config.toml").unwrap();
    let config: toml::Table = toml::from_str(config).unwrap();
    let mut team = config["profile"]["wheelhaul"].as_table().unwrap().clone();
    assert_eq!(team.remove("inherits"), Some("dev".into()));
    // What this repository changes often, a team does not change at all.
    let mut dev = own["profile"]["dev"].as_table().unwrap().clone();
    let packages = dev["package"].as_table_mut().unwrap();
    for (_, package) in packages.iter_mut() {
        let package = package.as_table_mut().unwrap();
        if package.remove("incremental").is_some() {
            package.remove("codegen-units");
        }
    }
    packages.retain(|_, package| package.get("opt-level").is_some());
    assert_eq!(team, dev);
}
