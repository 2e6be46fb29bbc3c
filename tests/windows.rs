//! The tool built for Windows, and run: it makes what the one for Linux makes, byte for byte.
//!
//! The whole of `xtask.exe` is real, and so is what it does with files, paths and processes, as far as wine is
//! Windows. Replaced is `git.exe`, by a wrapper (`tests/windows/git.c`) around the git of Linux. No uv and no pip for
//! Windows take part: wheelhouse and application's wheel come from Linux, and have to be taken for current.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[path = "machine/needs.rs"]
mod needs;
#[path = "windows/root.rs"]
mod root;

use anyhow::ensure;
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{Checkout, list, repository, tool_in};
use fs_err as fs;
use root::Root;
use std::collections::BTreeSet;
use wheelhaul_engine::tools::git;
use wheelhaul_host::{Sys, Verbosity};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// What a checkout on Windows has: CRLF, no modes, no links.
const OF_WINDOWS: [&str; 3] = ["core.autocrlf=true", "core.fileMode=false", "core.symlinks=false"];

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap, 5 GB, and a quarter of an hour the first time"]
fn the_windows_build_makes_the_same_bytes() -> anyhow::Result<()> {
    needs::check()?;
    let root = Root::prepare()?;
    check_out_with_crlf(&repository(), &root.sources())?;
    root.build(&["mkdir", "-p", "/target/git"])?;
    let wrapper = ["-O1", "-Wall", "-Werror", "-o", "/target/git/git.exe", "/crate/tests/windows/git.c"];
    root.build(&[&["x86_64-w64-mingw32-gcc"], &wrapper[..]].concat())?;
    let built =
        root.build(&["cargo", "build", "--locked", "-Zbuild-std=std,panic_abort", "--target", TARGET, "-p", "xtask"])?;
    ensure!(!built.contains("warning: unused") && !built.contains("generated 1 warning"), "{built}");

    let sample = Checkout::new("linux-")?;
    // No Python for Windows is there to compile it.
    sample.without_byte_code()?;
    run(&mut tool_in(&sample.dir()?, &["dist", "--locked"]))?.text()?;
    let windows = sample.cloned("windows-", &OF_WINDOWS)?;
    let (from, to) = (sample.dir()?, windows.dir()?);
    fs::create_dir_all(to.join("dist/out"))?;
    for name in list(&from.join("dist/out"))?.iter().filter(|name| name.ends_with(".whl")) {
        fs::copy(from.join("dist/out").join(name), to.join("dist/out").join(name))?;
    }
    let (from_notes, to_notes) = (from.join("target/xtask/kept/app-wheels"), to.join("target/xtask/kept/app-wheels"));
    fs::create_dir_all(&to_notes)?;
    for name in list(&from_notes)? {
        fs::copy(from_notes.join(&name), to_notes.join(&name))?;
    }
    // Of Linux, and nothing may start them.
    for name in list(&to.join("target/xtask"))?.iter().filter(|name| name.starts_with("tools-")) {
        fs::remove_file(to.join("target/xtask").join(name))?;
    }

    let xtask = format!(r"Z:\target\{TARGET}\debug\xtask.exe");
    let tasks: [&[&str]; 3] = [
        &["lock", "--check"],
        &["dist", "--locked", "--offline"],
        &["-C", r"Z:\sample\python-app\src", "rpm", "--offline"],
    ];
    for words in tasks {
        let finished = root.wine(&to, &[&[xtask.as_str()], words].concat())?;
        ensure!(finished.succeeded(), "{finished}");
        ensure!(!finished.stderr.contains("not committed"), "{finished}");
        let mut differing = Vec::new();
        for name in list(&to.join("dist/out"))? {
            if fs::read(from.join("dist/out").join(&name))? != fs::read(to.join("dist/out").join(&name))? {
                differing.push(name);
            }
        }
        ensure!(differing.is_empty(), "after {words:?} these differ: {}", differing.join(", "));
    }
    ensure!(list(&to.join("dist/out"))? == list(&from.join("dist/out"))?, "not the same files were made");
    Ok(())
}

/// Copies what git knows, as a checkout on Windows has it: what is compiled in must not be shipped with CRLF.
///
/// A file that is there with the same bytes is left alone, for cargo.
fn check_out_with_crlf(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    let sys = Sys { root: from.canonicalize_utf8()?, verbosity: Verbosity::Quiet, offline: false };
    let files = git::files(&sys, &sys.root, &[])?;
    // What an earlier checkout had and this one has not: a module cannot be at two places.
    remove_others(to, &files.iter().map(|file| to.join(&file.path)).collect())?;
    for file in files {
        let mut bytes = fs::read(from.join(&file.path))?;
        if let Some(text) = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains(['\0', '\r'])) {
            bytes = text.replace('\n', "\r\n").into_bytes();
        }
        let copy = to.join(&file.path);
        if fs::read(&copy).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::write(&copy, bytes)?;
    }
    Ok(())
}

/// Removes every file below `folder` that is not in `wanted`.
fn remove_others(folder: &Utf8Path, wanted: &BTreeSet<Utf8PathBuf>) -> anyhow::Result<()> {
    for name in list(folder)? {
        let path = folder.join(name);
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
