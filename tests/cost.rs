//! What work costs, as ratios of instructions: neither a busy machine nor a slow one changes them.
//!
//! The figures in seconds, against other tools, are `tests/bench/bench.py`'s. These here hold what those rest on: who
//! makes the layout quadratic, verifies twice or loses the store has to say so in this table.

#[path = "cost/app.rs"]
mod app;
#[path = "cost/callgrind.rs"]
mod callgrind;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "locking/index.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod index;
#[path = "locking/repository.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod repository;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "the hostile tests use more of it")]
mod zip;

use anyhow::{Context as _, ensure};
use app::{ready, release, with_cache};
use callgrind::{Cost, count};
use checkout::command::run;
use checkout::list;
use repository::Repository;

/// Modules of the application, and the size of each in bytes.
const FILES: usize = 400;
const SIZE: usize = 6_000;
const EL9: &str = "el9-x86_64";
const EL10: &str = "el10-x86_64";

/// Costs by the name of the work.
#[derive(Default)]
struct Costs(Vec<(&'static str, Cost)>);

impl Costs {
    fn add(&mut self, work: &'static str, repository: &Repository, words: &[&str]) -> anyhow::Result<()> {
        let cost = count(&with_cache(repository, words), &repository.folder).with_context(|| work)?;
        println!("{work:<40} {:>12} instructions, {:>12} of SHA-256", cost.other, cost.sha256);
        self.0.push((work, cost));
        Ok(())
    }

    fn of(&self, work: &str) -> anyhow::Result<f64> {
        let (_, cost) = self.0.iter().find(|(name, _)| *name == work).with_context(|| format!("no work `{work}`"))?;
        Ok(cost.weighed() as f64)
    }
}

/// `rpm` for a target at a compression level.
fn build(target: &'static str, level: &'static str) -> [&'static str; 7] {
    ["rpm", "--offline", "-q", "--target", target, "--level", level]
}

/// The finished RPM of a target.
fn rpm_of(repository: &Repository, target: &str) -> anyhow::Result<String> {
    let out = repository.folder.join("dist/out");
    let end = format!(".{}.rpm", target.replace('-', "."));
    let name = list(&out)?.into_iter().find(|name| name.ends_with(&end)).with_context(|| format!("no RPM {end}"))?;
    Ok(out.join(name).into_string())
}

#[test]
fn work_costs_what_changed() -> anyhow::Result<()> {
    let repository = ready(FILES, SIZE)?;
    let mut costs = Costs::default();
    costs.add("first build", &repository, &build(EL9, "3"))?;
    costs.add("nothing changed", &repository, &build(EL9, "3"))?;
    costs.add("second target", &repository, &build(EL10, "3"))?;
    costs.add("verify", &repository, &["verify", "-q", &rpm_of(&repository, EL9)?])?;
    costs.add("lock --check", &repository, &["lock", "--check", "-q"])?;
    // Filled without being counted: level 19 costs twenty times as much.
    run(&mut with_cache(&repository, &build(EL9, "19")))?.text()?;
    release(&repository, "second")?;
    costs.add("release", &repository, &build(EL9, "3"))?;
    costs.add("release, level 19", &repository, &build(EL9, "19"))?;

    // Work, what it is compared with, and what it may cost of that: what it costs now and a tenth of it.
    #[rustfmt::skip]
    let most = [
        ("nothing changed",   "first build", 0.35),
        ("second target",     "first build", 0.36),
        ("release",           "first build", 0.35),
        ("release, level 19", "first build", 0.36),
        ("verify",            "first build", 0.74),
        ("lock --check",      "first build", 0.08),
    ];
    let mut faults = Vec::new();
    for (work, other, most) in most {
        let ratio = costs.of(work)? / costs.of(other)?;
        println!("{work} / {other}: {ratio:.3}, at most {most}");
        if ratio > most {
            faults.push(format!("{work} costs {ratio:.3} of {other}, and may cost {most}"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Twice the files cost twice as much: the step from n to 2n files is half of that from 2n to 4n.
#[test]
fn files_cost_the_same_however_many_there_are() -> anyhow::Result<()> {
    const FEW: usize = 700;
    let mut builds = Vec::new();
    let mut verifies = Vec::new();
    for files in [FEW, 2 * FEW, 4 * FEW] {
        let repository = ready(files, 100)?;
        let mut costs = Costs::default();
        costs.add("build", &repository, &build(EL9, "3"))?;
        costs.add("verify", &repository, &["verify", "-q", &rpm_of(&repository, EL9)?])?;
        builds.push(costs.of("build")?);
        verifies.push(costs.of("verify")?);
    }
    let mut faults = Vec::new();
    for (work, costs) in [("build", builds), ("verify", verifies)] {
        let growth = (costs[2] - costs[1]) / (costs[1] - costs[0]);
        let each = (costs[2] - costs[1]) / (2 * FEW) as f64;
        println!("{work}: {each:.0} instructions a file, growth {growth:.3}");
        if growth > 2.1 {
            faults.push(format!("{work}: twice the files cost {growth:.2} times as much"));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}
