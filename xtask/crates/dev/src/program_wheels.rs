//! `cargo xtask wheels`: the wheels that carry the program, for every platform that can be built for here.

mod build;
mod check;
mod licenses;
mod platform;
mod toolchain;

use crate::program_wheels::build::Builder;
use crate::program_wheels::check::Built;
use crate::program_wheels::platform::{Platform, chosen};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;
use std::time::Instant;
use wheelhaul::Shown;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::{Program, Sys};

/// Build the wheels that carry the program
///
/// On Linux for glibc 2.17 and later on x86_64 and aarch64, and for Windows: zig links them, and Rust's standard
/// library is compiled where the toolchain lacks it. On macOS for macOS. Each takes five to seven minutes of a core.
///
/// What it needs is fetched by pip into `target/xtask`, by the hashes of `xtask/crates/dev/wheel-tools.txt`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Only for this platform, such as `linux-aarch64`; can be given several times
    #[arg(long, value_name = "NAME")]
    platform: Vec<String>,
    /// Where the wheels go
    #[arg(long, value_name = "DIR", default_value = "target/wheels")]
    out: Utf8PathBuf,
    /// Build each wheel a second time, from a clone in another folder, and compare the bytes
    #[arg(long)]
    twice: bool,
    /// Cargo's profile; `dev` compiles faster, to try the rest
    #[arg(long, value_name = "NAME", default_value = "dist")]
    profile: String,
}

/// The wheels that were built.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    wheels: Vec<Wheel>,
    #[serde(skip)]
    is_twice: bool,
}

/// A wheel.
#[derive(Debug, Serialize)]
struct Wheel {
    platform: &'static str,
    path: Utf8PathBuf,
    size: u64,
    sha256: String,
    /// the newest version of its symbols
    glibc: Option<String>,
    seconds: u64,
}

impl Shown for Report {
    fn text(&self) -> String {
        let mut text = String::new();
        for Wheel { path, size, sha256, glibc, seconds, .. } in &self.wheels {
            let megabytes = *size as f64 / 1e6;
            text.push_str(&format!("{path} ({megabytes:.1} MB, {seconds} s)\n  sha256 {sha256}\n"));
            if let Some(glibc) = glibc {
                text.push_str(&format!("  symbols of glibc up to {glibc}\n"));
            }
            if self.is_twice {
                text.push_str("  built twice, the same bytes\n");
            }
        }
        text
    }
}

/// The task; `here` is what `--out` is relative to.
pub(crate) fn run(sys: &Sys, flags: &Flags, here: &Utf8Path) -> anyhow::Result<Report> {
    let platforms = chosen(&flags.platform, std::env::consts::OS)?;
    let uncommitted = sys.run(&Program::new("git").args(["status", "--porcelain"])).context("failed to ask git")?.out;
    if let (Some(first), true) = (uncommitted.lines().next().and_then(|line| line.get(3..)), flags.twice) {
        return Err(Problem::with_hint(
            format!("`--twice` compares what is committed, and `{first}` is not"),
            "commit or stash what was changed",
        ));
    }
    if !uncommitted.is_empty() {
        sys.say("warning: what is not committed goes into the wheels");
    }
    let builder = Builder::prepare(sys, &platforms, &flags.profile)?;
    let out = if flags.out == "target/wheels" { sys.root.join(&flags.out) } else { here.join(&flags.out) };
    let mut built = Vec::new();
    for (number, platform) in platforms.iter().enumerate() {
        sys.say(format!("--- {} ({} of {})", platform.name, number + 1, platforms.len()));
        let start = Instant::now();
        let wheel = builder.build(sys, platform, &out)?;
        built.push((*platform, Built::check(platform, &wheel, &builder.folders(sys))?, start.elapsed().as_secs()));
    }
    if flags.twice {
        compare_with_a_clone(sys, &builder, &built)?;
    }
    let wheel = |(platform, wheel, seconds): (&Platform, Built, u64)| Wheel {
        platform: platform.name,
        path: wheel.path,
        size: wheel.size,
        sha256: wheel.sha256,
        glibc: wheel.glibc.map(|(major, minor)| format!("{major}.{minor}")),
        seconds,
    };
    Ok(Report { wheels: built.into_iter().map(wheel).collect(), is_twice: flags.twice })
}

/// Builds every wheel again, from a clone in a folder of its own, and compares.
fn compare_with_a_clone(sys: &Sys, builder: &Builder, built: &[(&Platform, Built, u64)]) -> anyhow::Result<()> {
    let (_keep, scratch) = sys.scratch()?;
    let clone = scratch.join("a-clone-in-another-folder");
    let words = ["clone", "--quiet", "--no-local", sys.root.as_str(), clone.as_str()];
    sys.run(&Program::new("git").args(words)).context("failed to clone this repository")?;
    let other = Sys { root: clone, ..sys.clone() };
    let mut faults = Vec::new();
    for (platform, first, _) in built {
        sys.say(format!("--- {} again, in {}", platform.name, other.root));
        let wheel = builder.build(&other, platform, &scratch)?;
        let second = Built::check(platform, &wheel, &builder.folders(&other))?;
        if first.sha256 != second.sha256 {
            // It would go with the scratch folder.
            let kept = first.path.with_extension("whl.second");
            fs_err::copy(&second.path, &kept)?;
            faults.push(Problem::with_hint(
                format!("two builds of `{}` differ", first.path),
                format!("the second one is `{kept}`; `diffoscope` shows where they differ"),
            ));
        }
    }
    all_of("wheels are not the same twice", faults)
}
