//! Wheels are read again when they changed, and only then.

use crate::checkout::command::run;
use crate::store::Store;
use anyhow::{Context as _, ensure};
use fs_err as fs;
use std::thread::sleep;
use std::time::Duration;

/// More than the steps of a file system's clock.
const SETTLED: Duration = Duration::from_secs(3);

#[test]
fn a_wheel_that_was_exchanged_is_found_however_well() -> anyhow::Result<()> {
    let store = Store::new()?;
    store.dist()?;
    sleep(SETTLED);
    store.dist_again()?;
    let notes = store.repository.folder.join("target/xtask/kept/wheels");
    let seen = notes.read_dir_utf8()?.next().context("nothing is noted")??.into_path();
    let noted = fs::read_to_string(&seen)?;
    // What is noted is of use: of a run that has nothing to read nothing is written.
    let is_read = |words: &[&str]| -> anyhow::Result<usize> {
        let log = store.cache.join("strace");
        let mut traced = std::process::Command::new("strace");
        traced.args(["-f", "-qq", "-e", "trace=read,openat", "-o", log.as_str()]);
        let command = store.command(words);
        traced.arg(command.get_program()).args(command.get_args());
        let values = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        traced.envs(values).current_dir(&store.repository.folder);
        ensure!(run(&mut traced)?.succeeded());
        Ok(fs::read_to_string(&log)?.lines().filter(|line| line.contains("dist/wheels/alpha")).count())
    };
    let again = ["rpm", "--offline", "-q"];
    let without = is_read(&again)?;
    fs::write(&seen, "{}")?;
    let with = is_read(&again)?;
    ensure!(with > without, "{with} and {without} openings");
    ensure!(fs::read_to_string(&seen)? == noted);

    let wheels = store.repository.folder.join("dist/wheels").read_dir_utf8()?;
    let wheel = wheels.flatten().find(|entry| entry.file_name().starts_with("alpha-")).context("no wheel")?.into_path();
    let time = fs::metadata(&wheel)?.modified()?;
    let good = fs::read(&wheel)?;
    let mut other = good.clone();
    *other.last_mut().context("an empty wheel")? ^= 1;
    for in_place in [true, false] {
        match in_place {
            true => fs::write(&wheel, &other)?,
            false => {
                fs::write(store.cache.join("other"), &other)?;
                fs::rename(store.cache.join("other"), &wheel)?;
            }
        }
        fs::File::options().append(true).open(&wheel)?.file().set_modified(time)?;
        let refused = run(&mut store.command(&again))?;
        ensure!(
            refused.code == Some(2) && refused.stderr.contains("lacks 1 of the locked wheels: alpha-"),
            "{refused}"
        );
        fs::write(&wheel, &good)?;
        ensure!(run(&mut store.command(&again))?.succeeded());
    }
    ensure!(run(&mut store.command(&["clean", "-q"]))?.succeeded() && !seen.exists(), "it was not removed");
    Ok(())
}
