//! What passes today passes next year: with newer releases of everything on the index, and with a later date.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;

use anyhow::{Context, ensure};
use camino::Utf8PathBuf;
use checkout::command::run;
use checkout::home::in_test_home;
use checkout::{Checkout, repository, tool_in};
use fs_err as fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

const RPM: &str = "dist/out/quality_report-0.0.1-1.el9.x86_64.rpm";
/// The version of every poisoned release, as `frozen_index.py` has it.
const POISON: &str = "9999";

fn script(name: &str) -> Utf8PathBuf {
    repository().join("tests/python").join(name)
}

/// The Python of the comparing tests: its pip judges locks.
fn python() -> anyhow::Result<String> {
    let folder = repository().join("target/xtask/test-tools");
    let mut python = Command::new("python3");
    run(python.arg("-B").arg(script("tools.py")).arg(folder).arg("comparing"))?.text()
}

/// An index on loopback with a newer, poisoned release of everything; it ends with this value.
struct Poisoned {
    server: Child,
    url: String,
}

impl Poisoned {
    fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(python()?);
        command.arg("-B").arg(script("newer_releases.py")).arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = in_test_home(&mut command).spawn()?;
        let mut url = String::new();
        BufReader::new(server.stdout.take().context("a pipe")?).read_line(&mut url)?;
        Ok(Self { server, url: url.trim().to_owned() })
    }

    fn asked_by<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("PIP_INDEX_URL", &self.url).env("UV_DEFAULT_INDEX", &self.url)
    }
}

impl Drop for Poisoned {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

/// Everything that tests install is what its lock says, whatever else the index has.
#[test]
fn newer_releases_change_no_environment_of_the_tests() -> anyhow::Result<()> {
    let judged = run(Command::new(python()?).arg("-B").arg(script("newer_releases.py")))?.text()?;
    ensure!(judged.trim().parse::<usize>()? > 200, "only {judged} packages were judged");
    Ok(())
}

/// The main job, with the wheels and the build backend from such an index, makes the same bytes; a resolver stops at
/// the cut-off, and without one it would not.
#[test]
fn newer_releases_change_no_byte_of_the_main_job() -> anyhow::Result<()> {
    let poisoned = Poisoned::start()?;
    // Not the number alone, which may be a part of a hash.
    let poison = format!("=={POISON}");
    let usual = Checkout::new("usual-")?;
    run(&mut tool_in(&usual.dir()?, &["dist", "--locked"]))?.text()?;
    let sample = Checkout::new("newer-")?;
    let folder = sample.dir()?;
    // Nothing of another test may stand in for what the index is asked for.
    let _ = fs::remove_dir_all(folder.join("dist/wheels"));
    run(poisoned.asked_by(&mut tool_in(&folder, &["dist", "--locked"])))?.text()?;
    ensure!(fs::read(folder.join(RPM))? == fs::read(usual.dir()?.join(RPM))?, "the RPM has other bytes");

    let config = fs::read_to_string(folder.join("dist/package.toml"))?;
    fs::write(folder.join("dist/package.toml"), config.replace("Pipfile.lock", "requirements.txt"))?;
    fs::remove_file(folder.join("python-app/Pipfile.lock"))?;
    run(poisoned.asked_by(&mut tool_in(&folder, &["lock", "--upgrade"])))?.text()?;
    let lock = fs::read_to_string(folder.join("python-app/requirements.txt"))?;
    ensure!(lock.contains("flask==") && !lock.contains(&poison), "{lock}");
    let mut without = tool_in(&folder, &["lock", "--upgrade"]);
    let said = run(poisoned.asked_by(&mut without).env_remove("UV_EXCLUDE_NEWER"))?;
    let lock = fs::read_to_string(folder.join("python-app/requirements.txt"))?;
    ensure!(lock.contains(&poison) || !said.succeeded(), "the index shows no newer release: {said}\n{lock}");
    Ok(())
}

/// Set by this user for own work, or kept in this user's home: nothing of it reaches what tests start.
#[test]
fn tests_read_and_leave_nothing_in_the_users_home() -> anyhow::Result<()> {
    let theirs = tempfile::tempdir()?;
    let mut again = Command::new(std::env::current_exe()?);
    again.args(["--exact", "what_is_started_prints_its_environment", "--ignored", "--nocapture"]);
    for name in [
        "PIP_FIND_LINKS",
        "PIP_REQUIRE_VIRTUALENV",
        "POETRY_CACHE_DIR",
        "PDM_CACHE_DIR",
        "XDG_CACHE_HOME",
        "VIRTUAL_ENV",
    ] {
        again.env(name, theirs.path());
    }
    again.env("HOME", theirs.path()).env("PIP_INDEX_URL", "https://index.example/simple").stdin(Stdio::null());
    let said = String::from_utf8(again.output()?.stdout)?;
    let home = repository().canonicalize_utf8()?.join("target/xtask/test-home");
    ensure!(said.contains(&format!("\nHOME={home}\n")), "{said}");
    ensure!(
        said.contains("\nPIP_INDEX_URL=https://index.example/simple\n"),
        "where the index is has to be known: {said}"
    );
    let elsewhere = theirs.path().to_str().context("not UTF-8")?;
    // Toolchains are found where they are.
    let lines = said
        .lines()
        .filter(|line| !["CARGO_HOME=", "RUSTUP_HOME=", "PYENV_ROOT="].iter().any(|name| line.starts_with(name)));
    let reached: Vec<&str> = lines.filter(|line| line.contains(elsewhere)).collect();
    ensure!(reached.is_empty(), "{reached:?}");
    ensure!(fs::read_dir(theirs.path())?.next().is_none(), "something was left in the home");
    Ok(())
}

#[test]
#[ignore = "the test of the user's home starts it"]
fn what_is_started_prints_its_environment() -> anyhow::Result<()> {
    println!("{}\n", run(&mut Command::new("env"))?.text()?);
    println!(
        "{}",
        run(Command::new("sh").args(["-c", "python3 -m pip cache dir && cd / && python3 -m pip config list"]))?.stdout
    );
    Ok(())
}

/// The main job and its verdict, a year ahead of the clock.
#[test]
fn a_later_date_changes_no_byte_of_the_main_job() -> anyhow::Result<()> {
    let today = Checkout::new("today-")?;
    run(&mut tool_in(&today.dir()?, &["dist", "--locked"]))?.text()?;
    let later = Checkout::new("later-")?;
    for words in [&["lock", "--check"][..], &["dist", "--locked"], &["verify", RPM]] {
        let tool = tool_in(&later.dir()?, words);
        let mut ahead = Command::new("faketime");
        ahead.args(["-f", "+367d"]).arg(tool.get_program()).args(words).current_dir(later.dir()?);
        // What waits for a moment by the monotonic clock would wait for a year.
        ahead.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
        let said =
            run(ahead.env_remove("SOURCE_DATE_EPOCH")).context("`faketime` is needed: `cargo xtask ci` installs it")?;
        ensure!(said.succeeded(), "{said}");
    }
    ensure!(fs::read(later.dir()?.join(RPM))? == fs::read(today.dir()?.join(RPM))?, "the RPM has other bytes");
    let mut date = Command::new("faketime");
    let year = |text: &str| text.trim().parse::<i32>();
    let ahead = run(date.args(["-f", "+367d", "date", "+%Y"]))?.text()?;
    let now = run(Command::new("date").arg("+%Y"))?.text()?;
    ensure!(year(&ahead)? > year(&now)?, "faketime changes nothing: {ahead}");
    Ok(())
}
