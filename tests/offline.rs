//! `--offline`: what the README says that a runner without a network needs is enough, and what is missing is said at once.

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{Checkout, list, tool_in};
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul_base::hex::hex;

/// A folder for PATH with a link to each program of this host but those that are not to be found.
fn path_without(folder: &Utf8Path, hidden: &[&str]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for place in std::env::split_paths(&std::env::var_os("PATH").context("PATH is not set")?) {
        let Ok(place) = Utf8PathBuf::try_from(place) else { continue };
        if !place.is_dir() {
            continue;
        }
        for name in list(&place)?.iter().filter(|name| !hidden.contains(&name.as_str())) {
            let link = folder.join(name);
            if link.symlink_metadata().is_err() {
                symlink(place.join(name), link)?;
            }
        }
    }
    Ok(())
}

/// The tool in a place of its own: a home without anything in it, and no variable of this host but the PATH.
fn alone(command: &mut Command, home: &Utf8Path, path: &Utf8Path) -> anyhow::Result<Finished> {
    fs::create_dir_all(home)?;
    run(command.env_clear().env("HOME", home).env("PATH", path).env("LC_ALL", "C.UTF-8"))
}

/// The tool where no network is: not even the loopback is up.
fn without_a_network(folder: &Utf8Path, words: &[&str]) -> anyhow::Result<Command> {
    let tool = tool_in(folder, words);
    let is_root = run(Command::new("id").arg("-u"))?.text()? == "0";
    let mut command = Command::new("unshare");
    command.args(if is_root { ["--net", "--"].as_slice() } else { &["--map-root-user", "--net", "--"] });
    command.arg(tool.get_program()).args(tool.get_args()).current_dir(folder);
    Ok(command)
}

fn digests(folder: &Utf8Path) -> anyhow::Result<String> {
    let mut names = list(&folder.join("dist/out"))?;
    names.retain(|name| name.ends_with(".rpm") || name.ends_with(".tar.gz"));
    ensure!(names.len() == 2, "an RPM and a bundle: {names:?}");
    run(Command::new("sha256sum").args(&names).current_dir(folder.join("dist/out")))?.text()
}

#[test]
fn a_clone_and_its_wheels_make_the_same_without_a_network() -> anyhow::Result<()> {
    let sample = Checkout::new("online-")?;
    let online = sample.dir()?;
    // Neither a tool nor a wheel of another run.
    fs::remove_dir_all(online.join("target"))?;
    let _ = fs::remove_dir_all(online.join("dist/wheels/tools"));
    let path = online.join("target/path");
    path_without(&path, &["uv", "uvx"])?;
    // How this host reaches its index is in its environment.
    let made = run(tool_in(&online, &["dist", "--locked", "-q"]).env("PATH", &path))?;
    ensure!(made.succeeded(), "{made}");
    let clone = sample.cloned("offline-", &[])?;
    let offline = clone.dir()?;
    fs::remove_dir_all(offline.join("target"))?;
    let mut command = without_a_network(&offline, &["dist", "--locked", "--offline", "-q"])?;
    let made = alone(&mut command, &offline.join("target/home"), &path)?;
    ensure!(made.succeeded(), "{made}");
    assert_eq!(digests(&offline)?, digests(&online)?);
    // There was none: the same run asks for the wheels that are taken away, and is refused.
    fs::remove_dir_all(offline.join("dist/wheels"))?;
    let refused = alone(&mut without_a_network(&offline, &["rpm"])?, &offline.join("target/home"), &path)?;
    ensure!(refused.code == Some(2), "the index was reached: {refused}");
    Ok(())
}

#[test]
fn all_that_is_missing_is_said_at_once_and_no_downloader_is_started() -> anyhow::Result<()> {
    const LATEST: Duration = Duration::from_secs(1);
    let sample = Checkout::new("bare-")?;
    let folder = sample.dir()?;
    fs::remove_dir_all(folder.join("target"))?;
    let _ = fs::remove_dir_all(folder.join("dist/wheels"));
    let (path, told) = (folder.join("target/path"), folder.join("target/told"));
    path_without(&path, &["uv", "uvx", "pip", "pip3", "createrepo_c", "python", "python3"])?;
    let record = |name: &str, says: &str| -> anyhow::Result<()> {
        let script = format!("#!/bin/sh\necho \"{name} $*\" >> '{told}'\n{says}\n");
        fs::write(path.join(name), script)?;
        Ok(fs::set_permissions(path.join(name), std::fs::Permissions::from_mode(0o755))?)
    };
    let python = run(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))?.text()?;
    for name in ["python", "python3"] {
        record(name, &format!("exec '{python}' \"$@\""))?;
    }
    for name in ["pip", "pip3"] {
        record(name, "exit 1")?;
    }
    let uv = "there is no uv";
    let others =
        ["`dist/wheels` lacks 21 of the locked wheels", "lacks the build backend", "there is no `createrepo_c`"];
    for has_uv in [false, true] {
        if has_uv {
            record("uv", "[ \"$1\" = --version ] && echo 'uv 0.13.9' && exit; exit 1")?;
        }
        fs::write(&told, "")?;
        let mut command = tool_in(&folder, &["dist", "--locked", "--offline", "--repo", "target/repo"]);
        let begun = Instant::now();
        let refused = alone(&mut command, &folder.join("target/home"), &path)?;
        ensure!(begun.elapsed() < LATEST, "it took {:?}", begun.elapsed());
        ensure!(refused.code == Some(2), "{refused}");
        let silent: Vec<_> = others.iter().filter(|words| !refused.stderr.contains(**words)).collect();
        ensure!(silent.is_empty() && refused.stderr.contains(uv) != has_uv, "{silent:?}: {refused}");
        for cure in ["cargo xtask rpm", "cargo xtask wheel", "apt-get install createrepo-c"] {
            ensure!(refused.stderr.contains(cure), "{cure}: {refused}");
        }
        let told = fs::read_to_string(&told)?;
        let is_harmless = |line: &&str| *line == "uv --version" || !(line.contains("pip") || line.starts_with("uv"));
        ensure!(told.lines().all(|line| is_harmless(&line)) && !told.contains("venv"), "{told}");
    }
    // Nothing of it is made, so that the next run says the same.
    ensure!(!folder.join("dist/out").exists() && !folder.join("dist/wheels").exists());
    Ok(())
}

/// Where a wheel of a tool has other bytes than this program knows, it is as good as absent.
#[test]
fn a_tool_is_installed_by_its_digest_alone() -> anyhow::Result<()> {
    let sample = Checkout::new("forged-")?;
    let folder = sample.dir()?;
    fs::remove_dir_all(folder.join("target"))?;
    let path = folder.join("target/path");
    path_without(&path, &["uv", "uvx"])?;
    let tools = folder.join("dist/wheels/tools");
    let _ = fs::remove_dir_all(&tools);
    fs::create_dir_all(&tools)?;
    fs::write(tools.join("uv-0.13.9-py3-none-any.whl"), "forged")?;
    let home = folder.join("target/home");
    let refused = alone(&mut tool_in(&folder, &["wheel", "--offline"]), &home, &path)?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("has no wheel of uv==0.13.9"), "{refused}");
    // An index that serves another uv: pip itself refuses it.
    let served = folder.join("target/served");
    fs::create_dir_all(&served)?;
    fs::write(served.join("uv-0.13.9-py3-none-any.whl"), "forged")?;
    let mut command = tool_in(&folder, &["wheel"]);
    command.env_clear().env("HOME", &home).env("PATH", &path);
    let refused = run(command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &served))?;
    let got = hex(&Sha256::digest("forged"));
    ensure!(refused.code == Some(2) && refused.stderr.contains(&format!("Got        {got}")), "{refused}");
    Ok(())
}
