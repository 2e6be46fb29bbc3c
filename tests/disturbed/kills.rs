//! `dist`, killed; and two of them at once.

use crate::app::{BUNDLE, LOCK, Made, RPM, differences, made, small};
use crate::chance::Random;
use crate::checkout::command::run;
use crate::checkout::list;
use crate::repository::Repository;
use anyhow::{Context, ensure};
use fs_err as fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Moments; more by `KILLS`.
const KILLS: usize = 200;
/// Runs that are left alone in between.
const EACH: usize = 10;

/// What an undisturbed run makes, from nothing, and how long that takes.
fn undisturbed() -> anyhow::Result<(Made, Duration)> {
    let repository = small()?;
    let started = Instant::now();
    let finished = repository.run(&["dist", "-q"])?;
    ensure!(finished.succeeded(), "{finished}");
    let expected = made(&repository)?;
    for path in [RPM, BUNDLE, LOCK, "dist/wheels/delta-1.0-py3-none-any.whl"] {
        ensure!(expected.contains_key(path), "`{path}` is not among {:?}", expected.keys());
    }
    Ok((expected, started.elapsed()))
}

/// Starts `dist` as the head of a process group of its own.
fn start(repository: &Repository) -> anyhow::Result<Child> {
    let mut command = repository.command(&["dist", "-q"]);
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command.spawn()?)
}

/// Ends what a killed run started, which would go on for a while.
fn end_group(leader: u32) -> anyhow::Result<()> {
    // It has ended by itself where there is none.
    run(Command::new("kill").args(["-KILL", "--", &format!("-{leader}")])).map(drop)
}

/// Takes away what an earlier run made, so that every step is killed at some time.
fn take_away(repository: &Repository, random: &mut Random) -> anyhow::Result<()> {
    let all = [
        LOCK,
        RPM,
        BUNDLE,
        "dist/out",
        "dist/wheels",
        "target/xtask/kept/app-wheels",
        "dist/wheels/gamma-1.0-py3-none-any.whl",
    ];
    for path in all {
        let path = repository.folder.join(path);
        if random.below(3) > 0 || !path.exists() {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

#[test]
fn what_was_killed_at_any_moment_is_made_by_the_next_run() -> anyhow::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let kills = number("KILLS").unwrap_or(KILLS);
    let seed = number("SEED").unwrap_or(0x0bad_cafe);
    let (expected, longest) = undisturbed()?;
    // Two repositories side by side, as a run waits for others most of its time.
    let counts = std::thread::scope(|scope| {
        let expected = &expected;
        let row = |seed| scope.spawn(move || killed(kills / 2, seed, expected, longest));
        let rows = [seed as u64, seed as u64 + 1].map(row);
        rows.map(|row| row.join().expect("no thread panics"))
    });
    let [first, second] = counts;
    let (first, second) = (first?, second?);
    println!(
        "{} of {kills} runs were killed, the others were done before; an undisturbed one took {longest:?}",
        first + second
    );
    ensure!((first + second) * 2 > kills, "only {} of {kills} runs were killed before they were done", first + second);
    Ok(())
}

/// Kills a row of runs in one repository; gives how many were not done before.
fn killed(kills: usize, seed: u64, expected: &Made, longest: Duration) -> anyhow::Result<usize> {
    let mut random = Random(seed);
    let repository = small()?;
    let mut killed = 0;
    for moment in 1..=kills {
        let context = || format!("moment {moment} of seed {seed}");
        take_away(&repository, &mut random)?;
        let mut child = start(&repository)?;
        std::thread::sleep(Duration::from_micros(random.below(longest.as_micros() as usize) as u64));
        let leader = child.id();
        child.kill()?;
        end_group(leader)?;
        let ended = child.wait_with_output()?;
        // Under the names that others read lies what is whole, or nothing.
        let faults = differences(&made(&repository)?, expected, false);
        ensure!(faults.is_empty(), "{}: {}", context(), faults.join("\n"));
        match (ended.status.signal(), ended.status.code()) {
            (Some(_), _) => killed += 1,
            (None, Some(0)) => {}
            _ => anyhow::bail!("{}: {}", context(), String::from_utf8_lossy(&ended.stderr)),
        }
        if moment % EACH == 0 {
            let finished = repository.run(&["dist", "-q"]).with_context(context)?;
            ensure!(finished.succeeded(), "{}: {finished}", context());
            let faults = differences(&made(&repository)?, expected, true);
            ensure!(faults.is_empty(), "{}: {}", context(), faults.join("\n"));
            let left = list(&repository.folder.join("target/xtask/scratch"))?;
            ensure!(left.is_empty(), "{}: scratch of killed runs is left: {left:?}", context());
        }
    }
    // Beside an output there is what was killed between getting its hidden name and its own.
    for folder in ["dist", "dist/out", "dist/wheels"] {
        let folder = repository.folder.join(folder);
        let names = if folder.is_dir() { list(&folder)? } else { Vec::new() };
        let hidden: Vec<_> = names.iter().filter(|name| name.starts_with('.')).collect();
        ensure!(hidden.len() <= kills / 20, "{folder}: {hidden:?}");
        ensure!(hidden.iter().all(|name| name.starts_with(".xtask-")), "{folder}: {hidden:?}");
    }
    Ok(killed)
}

#[test]
fn two_at_once_are_both_right() -> anyhow::Result<()> {
    let (expected, _) = undisturbed()?;
    for round in 0..4 {
        let repository = small()?;
        if round % 2 == 1 {
            // Both have nothing to fetch, and write at the same time.
            ensure!(repository.run(&["lock", "-q"])?.succeeded());
        }
        let both = [start(&repository)?, start(&repository)?];
        for child in both {
            let ended = child.wait_with_output()?;
            ensure!(ended.status.success(), "round {round}: {}", String::from_utf8_lossy(&ended.stderr));
        }
        let faults = differences(&made(&repository)?, &expected, true);
        ensure!(faults.is_empty(), "round {round}: {}", faults.join("\n"));
    }
    Ok(())
}
