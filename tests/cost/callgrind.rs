//! What a run of the tool costs, counted by valgrind's callgrind: the same on a busy machine as on a quiet one.

use crate::checkout::command::run;
use anyhow::{Context as _, bail};
use camino::Utf8Path;
use fs_err as fs;
use std::process::Command;

/// The function that takes SHA-256 in software. Valgrind knows none of the processor's instructions for it.
const SHA256: &str = "sha2::sha256::compress256";
/// How many times fewer instructions those of the processor are: about 5 a byte instead of 50, as time goes.
const SHA256_IS_LESS: u64 = 10;

/// Instructions of one process; those of the programs that it starts are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// of SHA-256
    pub sha256: u64,
    /// all others
    pub other: u64,
}

impl Cost {
    /// Instructions, with SHA-256 weighed as on a processor that has instructions for it.
    pub fn weighed(self) -> u64 {
        self.other + self.sha256 / SHA256_IS_LESS
    }
}

/// Runs a command and counts; its exit code must be 0.
///
/// - Takes: `command`, a program by its path, with words, environment and folder; `scratch`, a folder.
pub fn count(command: &Command, scratch: &Utf8Path) -> anyhow::Result<Cost> {
    let profile = scratch.join("callgrind.out");
    let mut counted = Command::new("valgrind");
    counted.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    counted.arg(format!("--callgrind-out-file={profile}"));
    counted.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => counted.env(name, value),
            None => counted.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        counted.current_dir(folder);
    }
    run(&mut counted).context("`valgrind` is needed: `cargo xtask ci` installs it")?.text()?;
    cost_of(&fs::read_to_string(&profile)?)
}

/// Sums a profile ("Callgrind Format" of valgrind's manual): lines `POSITION COST` below `fn=NAME`. The line after
/// `calls=` is what a called function cost, which its own lines say already.
fn cost_of(profile: &str) -> anyhow::Result<Cost> {
    let (mut cost, mut in_sha256, mut called, mut total) = (Cost { sha256: 0, other: 0 }, false, false, None);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            // A recursive or cloned function has `'2` or `.llvm.…` behind its name.
            in_sha256 = name.starts_with(SHA256);
        } else if let Some(sum) = line.strip_prefix("summary: ") {
            total = Some(sum.trim().parse::<u64>()?);
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) && !std::mem::take(&mut called) {
            let count = line.split_whitespace().nth(1).with_context(|| format!("no cost in `{line}`"))?;
            let of_function = if in_sha256 { &mut cost.sha256 } else { &mut cost.other };
            *of_function += count.parse::<u64>()?;
        }
    }
    if total != Some(cost.sha256 + cost.other) {
        bail!("the profile's lines sum up to {cost:?}, and its summary is {total:?}");
    }
    // A renamed function would count ten times as much without anybody seeing why.
    anyhow::ensure!(cost.sha256 > 0, "no function of the profile is `{SHA256}`");
    Ok(cost)
}

#[test]
fn a_profile_is_summed_without_what_called_functions_cost() -> anyhow::Result<()> {
    let profile = format!(
        "events: Ir\nsummary: 121\n\nfl=a\nfn=main\n16 5\n17 3\ncfi=b\ncfn={SHA256}\ncalls=2 40\n18 100\n19 10\n\n\
         fn={SHA256}\n40 100\n\nfn=rest\n0 3\n"
    );
    assert_eq!(cost_of(&profile)?, Cost { sha256: 100, other: 21 });
    assert!(cost_of(&profile.replace("19 10", "19 11")).is_err());
    assert!(cost_of(&profile.replace(SHA256, "other")).is_err());
    Ok(())
}
