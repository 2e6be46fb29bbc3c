//! `cargo xtask ci`: everything that has to pass before a change lands.

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value, json};
use std::time::Instant;
use wheelhaul::boxes::Target;
use wheelhaul::commands::Report;
use wheelhaul::problem::Problem;
use wheelhaul::sys::{Program, Sys, on_path};
use wheelhaul::tools::build::TargetPython;
use wheelhaul::tools::uv::Uv;

/// What the tests need beside cargo and python3: a program, and the Debian package that has it.
#[rustfmt::skip]
const NEEDS: &[(&str, &str)] = &[
    ("cc",             "gcc"),
    ("cpio",           "cpio"),
    ("createrepo_c",   "createrepo-c"),
    ("dnf",            "dnf"),
    ("git",            "git"),
    ("gpg",            "gnupg"),
    ("gzip",           "gzip"),
    ("ip",             "iproute2"),
    ("kill",           "procps"),
    ("mmdebstrap",     "mmdebstrap"),
    ("openssl",        "openssl"),
    ("podman",         "podman"),
    ("rpm",            "rpm"),
    ("rpm2cpio",       "rpm2cpio"),
    ("rpmbuild",       "rpm"),
    ("rpmsign",        "rpm"),
    ("rpmlint",        "rpmlint"),
    ("rpmspec",        "rpm"),
    ("shellcheck",     "shellcheck"),
    ("strace",         "strace"),
    ("systemd-analyze", "systemd"),
    ("systemd-nspawn", "systemd-container"),
    ("systemd-sysusers", "systemd"),
    ("valgrind",       "valgrind"),
    ("zstd",           "zstd"),
];

/// Why the test of the Windows build is not run here.
const WINDOWS: &str = "it builds Rust's standard library for Windows first, a quarter of an hour: as root, `cargo test --test windows -- --ignored`";

/// Set up what the tests need, then run fmt, clippy, all tests and the install test
///
/// On Debian and Ubuntu what is missing is installed through apt, as root or with sudo; it is said first. On
/// other systems the packages are named. The install test takes four machines without network, with rpm 4.16,
/// 4.18, 4.20 and 6.1: the sample RPM is installed by the real `rpm` and `dnf`, started by a real systemd, asked for
/// its page, upgraded and removed, in every state that its service can be in.
///
/// A lock of 2020 is packed for el8 and imported by CPython 3.6, where the PATH or pyenv has one: no registry
/// does. What was not run is listed at the end with the reason.
#[derive(Debug, Args)]
pub struct Flags {
    /// Leave out the install test, which needs root and a Debian archive
    #[arg(long)]
    no_install_test: bool,
}

/// The task.
pub fn run(sys: &Sys, flags: &Flags) -> anyhow::Result<Report> {
    set_up(sys)?;
    // The tests share this one, where uv is not on the PATH.
    Uv::find(sys)?;
    let mut steps = vec![
        ("format", vec!["fmt", "--all", "--check"]),
        ("clippy", vec!["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
        ("tests", vec!["test", "--workspace", "--locked", "--no-fail-fast"]),
    ];
    let mut not_run = Vec::new();
    match flags.no_install_test {
        false => {
            steps.push(("install test", ignored_test("install")));
            steps.push(("service test", ignored_test("service")));
            steps.push(("trial", ignored_test("verify_install")));
        }
        true => {
            let why = || "left out with `--no-install-test`".to_owned();
            not_run.extend([("install test", why()), ("service test", why()), ("trial", why())]);
        }
    }
    match TargetPython::find(sys, &Target::find("el8-x86_64", None, None)?) {
        Ok(_) => steps.push(("lock of 2020", ignored_test("old_lock"))),
        Err(why) => not_run.push(("lock of 2020", why.to_string())),
    }
    not_run.push(("Windows build", WINDOWS.to_owned()));
    let mut text = String::new();
    let mut rows = Vec::new();
    for (name, words) in steps {
        sys.say(format!("--- {name}: cargo {}", words.join(" ")));
        let start = Instant::now();
        let passed = cargo(sys, &words)?;
        let seconds = start.elapsed().as_secs();
        text.push_str(&format!("{:<8} {name} ({seconds} s)\n", if passed { "ok" } else { "FAILED" }));
        rows.push((name, passed, seconds));
    }
    let findings = rows.iter().any(|(_, passed, _)| !passed);
    let mut steps: Vec<Value> = rows
        .iter()
        .map(|(name, passed, seconds)| json!({"name": name, "passed": passed, "seconds": seconds}))
        .collect();
    for (name, why) in not_run {
        text.push_str(&format!("NOT RUN  {name}: {why}\n"));
        steps.push(json!({"name": name, "passed": null, "not-run": why}));
    }
    Ok(Report { text, json: json!({"steps": steps}), findings, talk: String::new() })
}

/// The words for a test that asks more of the host than every host has.
fn ignored_test(name: &'static str) -> Vec<&'static str> {
    vec!["test", "--workspace", "--locked", "--test", name, "--", "--ignored", "--nocapture"]
}

/// Runs cargo with its output where it belongs, and tells whether it passed.
fn cargo(sys: &Sys, words: &[&str]) -> anyhow::Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo).args(words).current_dir(&sys.root).status();
    Ok(status.context("failed to run cargo")?.success())
}

fn set_up(sys: &Sys) -> anyhow::Result<()> {
    let mut packages: Vec<&str> =
        NEEDS.iter().filter(|(program, _)| on_path(program).is_none()).map(|(_, package)| *package).collect();
    if !python_makes_environments(sys) {
        packages.push("python3-venv");
    }
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if on_path("apt-get").is_none() {
        return Err(Problem::with_hint(
            format!("programs that the tests need are missing; in Debian's packages: {list}"),
            "install them with this system's package manager",
        ));
    }
    sys.say(format!("installing through apt what the tests need: {list}"));
    let apt = |words: &[&str]| -> anyhow::Result<()> {
        let words: Vec<&str> = ["apt-get", "-qq", "-y"].iter().chain(words).copied().collect();
        let program = match (is_root(sys), on_path("sudo")) {
            (true, _) => Program::new(words[0]).args(words[1..].iter().copied()),
            (false, Some(sudo)) => Program::new(sudo).args(["-n"]).args(words.iter().copied()),
            (false, None) => bail!("only root can install packages: run `apt-get install {list}` as root"),
        };
        let _spinner = sys.spinner(&words.join(" "));
        sys.run(&program.env("DEBIAN_FRONTEND", "noninteractive"))?;
        Ok(())
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages.as_slice()].concat())
}

fn python_makes_environments(sys: &Sys) -> bool {
    let check = |python: &str| sys.run(&Program::new(python).args(["-c", "import ensurepip, venv"])).is_ok();
    ["python3", "python"].into_iter().any(check)
}

fn is_root(sys: &Sys) -> bool {
    sys.run(&Program::new("id").args(["-u"])).is_ok_and(|said| said.out.trim() == "0")
}
