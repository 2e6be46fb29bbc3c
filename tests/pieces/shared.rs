//! Who shares pieces, what a change costs, and how they go.

use crate::app::{RPM, differences};
use crate::checkout::command::run;
use crate::checkout::tool_in;
use crate::store::{Store, counts, told};
use anyhow::{Context as _, ensure};
use fs_err as fs;
use serde_json::Value;
use std::process::Stdio;

const DEPENDENCIES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// What is said of a package.
fn package<'t>(told: &'t Value, name: &str) -> anyhow::Result<&'t Value> {
    let packages = told["packages"].as_array().context("no packages")?;
    packages.iter().find(|package| package["name"] == name).with_context(|| format!("no `{name}`: {told:#}"))
}

fn all_reused(told: &Value, names: &[&str]) -> anyhow::Result<()> {
    for name in names {
        let package = package(told, name)?;
        ensure!(package["pieces"] == package["reused"] && package["bytes"] == package["reused-bytes"], "{package}");
        ensure!(package["pieces"].as_u64() > Some(0), "{package}");
    }
    Ok(())
}

#[test]
fn a_changed_application_makes_its_own_pieces_alone() -> anyhow::Result<()> {
    let store = Store::new()?;
    let first = store.dist()?;
    store
        .repository
        .write("app/web/__init__.py", "def app(environ, start):\n    return []\n\n\ndef main():\n    pass\n")?;
    let second = store.dist()?;
    all_reused(&second, &DEPENDENCIES)?;
    let own = package(&second, "small")?;
    ensure!(own["reused"].as_u64() < own["pieces"].as_u64(), "{own}");
    let dependencies = DEPENDENCIES.iter().map(|name| Ok(package(&second, name)?["pieces"].as_u64().unwrap_or(0)));
    let dependencies: u64 = dependencies.sum::<anyhow::Result<u64>>()?;
    ensure!(counts(&second).1 >= dependencies && counts(&second).0 < counts(&first).0, "{}", second["pieces"]);
    ensure!(second["rpms"][0]["sha256"] != first["rpms"][0]["sha256"] && second["rpms"][0]["verified-before"] == false);
    // Back again: all pieces of the first release are still there.
    store.repository.write("app/web/__init__.py", "def main():\n    pass\n\n\ndef app(environ, start):\n    pass\n")?;
    let third = store.dist()?;
    ensure!(third["rpms"][0]["sha256"] == first["rpms"][0]["sha256"] && counts(&third).0 == 1, "{third:#}");
    Ok(())
}

#[test]
fn targets_and_repositories_share_pieces() -> anyhow::Result<()> {
    let store = Store::new()?;
    let package = store.repository.read("dist/package.toml")?;
    let two = "[[target]]\nname = \"el10-x86_64\"\npython = \"3.12\"\n[service]";
    store.repository.write("dist/package.toml", &package.replace("[service]", two))?;
    ensure!(run(&mut store.command(&["lock", "-q"]))?.succeeded());
    let told_of_two = store.dist()?;
    for name in DEPENDENCIES {
        let package = self::package(&told_of_two, name)?;
        let (pieces, reused) = (package["pieces"].as_u64(), package["reused"].as_u64());
        ensure!(
            pieces.is_some() && pieces == reused.map(|reused| 2 * reused),
            "the second takes those of the first: {package}"
        );
    }
    let said = run(&mut store.command(&["dist"]))?;
    ensure!(said.stderr.contains("payload") && said.stderr.contains("pieces reused"), "{said}");
    ensure!(!said.stdout.contains("pieces"), "times and pieces are no data: {said}");
    let said = run(&mut store.command(&["dist", "-q"]))?;
    ensure!(said.stderr.is_empty() && said.stdout.is_empty(), "{said}");

    let mut other = Store::new()?;
    other.cache.clone_from(&store.cache);
    let (told_of_other, said) = other.dist_again()?;
    all_reused(&told_of_other, &DEPENDENCIES)?;
    ensure!(said.contains(&format!("taken from `{}`", store.pieces())), "{said}");
    Ok(())
}

#[test]
fn two_runs_at_once_share_a_store() -> anyhow::Result<()> {
    let one = Store::new()?;
    let mut other = Store::new()?;
    other.cache.clone_from(&one.cache);
    let start = |store: &Store| {
        let mut command = store.command(&["dist", "--format", "json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    for _ in 0..3 {
        if one.pieces().exists() {
            fs::remove_dir_all(one.pieces())?;
        }
        one.take_away()?;
        other.take_away()?;
        for child in [start(&one)?, start(&other)?] {
            let ended = child.wait_with_output()?;
            ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        let digests = [one.made()?, other.made()?].map(|made| made.get(RPM).cloned());
        ensure!(digests[0].is_some() && digests[0] == digests[1], "{digests:?}");
    }
    let hidden: Vec<_> =
        one.files()?.into_iter().filter(|path| path.file_name().unwrap_or_default().starts_with('.')).collect();
    ensure!(hidden.is_empty(), "half written: {hidden:?}");
    let (told, _) = one.dist_again()?;
    ensure!(counts(&told).0 == 1, "{}", told["pieces"]);
    Ok(())
}

#[test]
fn clean_empties_what_is_kept_and_breaks_nobody() -> anyhow::Result<()> {
    let store = Store::new()?;
    let first = store.dist()?;
    let expected = store.made()?;
    let clean = |words: &[&str]| -> anyhow::Result<Value> {
        told(&run(&mut store.command(&[&["clean", "--format", "json"], words].concat()))?)
    };
    let announced = clean(&["--dry-run"])?;
    ensure!(store.files()?.len() as u64 + 1 == counts(&first).0, "a dry run removed something");
    let removed = clean(&[])?;
    ensure!(
        announced["files"] == removed["files"] && announced["removed"] == removed["removed"],
        "{announced} {removed}"
    );
    let bytes = removed["removed"].as_array().context("no rows")?.iter().map(|row| row["bytes"].as_u64().unwrap_or(0));
    ensure!(removed["bytes"].as_u64() == Some(bytes.sum()) && removed["files"].as_u64() > Some(5), "{removed:#}");
    ensure!(store.files()?.is_empty() && differences(&store.made()?, &expected, true).is_empty());
    ensure!(clean(&[])?["files"] == 0);
    let again = store.dist()?;
    ensure!(counts(&again) == counts(&first) && again["rpms"][0]["verified-before"] == false, "{again:#}");
    ensure!(differences(&store.made()?, &expected, true).is_empty());

    // Outside of a repository: the user's cache alone. What a link leads to stays.
    let nowhere = tempfile::tempdir()?;
    let nowhere = camino::Utf8Path::from_path(nowhere.path()).context("UTF-8")?;
    let outside = nowhere.join("outside");
    fs::write(&outside, "x")?;
    let link = store.pieces().join("0a".repeat(32));
    fs::os::unix::fs::symlink(&outside, &link)?;
    let finished = run(tool_in(nowhere, &["clean"]).env("XDG_CACHE_HOME", &store.cache))?;
    ensure!(finished.succeeded() && finished.stdout.contains("/xtask/kept/pieces: "), "{finished}");
    ensure!(outside.is_file() && store.files()? == [link.clone()], "{finished}");
    fs::remove_file(link)?;
    ensure!(
        store.repository.folder.join("target/xtask/kept/made").read_dir_utf8()?.next().is_some(),
        "it was the repository's"
    );
    let finished = run(tool_in(nowhere, &["clean"]).env_remove("XDG_CACHE_HOME").env_remove("HOME"))?;
    ensure!(finished.succeeded() && finished.stdout == "there is nothing to remove\n", "{finished}");
    let refused = run(&mut tool_in(nowhere, &["clean", "--target", "el9-x86_64"]))?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("does not go by targets"), "{refused}");
    let refused = run(&mut tool_in(nowhere, &["clean", "--wheels"]))?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("hint:"), "{refused}");

    // What cannot be removed keeps nothing else from going, and that is said.
    let workspace = store.repository.folder.join("target/xtask");
    store.dist()?;
    let compiled = store.cache.join("xtask/kept/compiled");
    fs::remove_dir_all(&compiled)?;
    fs::write(&compiled, "no folder")?;
    let blocked = store.cache.join("xtask/kept/parsed");
    fs::create_dir_all(&blocked)?;
    let odd: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(b"a\xff".to_vec());
    std::fs::write(blocked.as_std_path().join(odd), "x")?;
    let told_of = run(&mut store.command(&["clean"]))?;
    let says = ["not everything could be removed; for the rest: removed ", "failed to clean", "/parsed"];
    ensure!(told_of.code == Some(2) && says.iter().all(|words| told_of.stderr.contains(words)), "{told_of}");
    ensure!(store.files()?.is_empty());
    std::fs::remove_dir_all(&blocked)?;
    ensure!(fs::read_to_string(&compiled)? == "no folder", "{told_of}");
    fs::remove_file(&compiled)?;
    // A link in a repository leads to what is not its own.
    let moved = store.cache.join("moved");
    fs::rename(&workspace, &moved)?;
    fs::os::unix::fs::symlink(&moved, &workspace)?;
    let note = moved.join("kept/made").join(format!("{}.json", "0a".repeat(32)));
    fs::write(&note, "{}")?;
    let left = clean(&["--tools"])?;
    ensure!(note.is_file() && workspace.is_symlink());
    ensure!(left["left-alone"][0]["why"] == "a link leads to it", "{left:#}");
    fs::remove_file(&workspace)?;
    fs::rename(&moved, &workspace)?;

    // While others run.
    for _ in 0..3 {
        store.take_away()?;
        let mut command = store.command(&["dist", "-q"]);
        let mut running = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        while running.try_wait()?.is_none() {
            clean(&[])?;
        }
        let ended = running.wait_with_output()?;
        ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        ensure!(differences(&store.made()?, &expected, true).is_empty());
    }

    // What is asked for goes as well. A repository's tools may be links to those of another; what they lead to stays.
    let tools = store.repository.folder.join("target/xtask");
    let borrowed = nowhere.join("tools");
    fs::create_dir(&borrowed)?;
    fs::os::unix::fs::symlink(&borrowed, tools.join("tools-borrowed"))?;
    let linked = tools.read_dir_utf8()?.flatten().filter(|entry| {
        let path = entry.path();
        path.is_symlink() && entry.file_name().starts_with("tools-")
    });
    let leads_to: Vec<_> = linked.map(|entry| entry.path().canonicalize_utf8()).collect::<Result<_, _>>()?;
    ensure!(!leads_to.is_empty());
    clean(&["--wheels", "--out", "--tools"])?;
    for folder in ["dist/wheels", "dist/out"] {
        ensure!(store.repository.folder.join(folder).read_dir_utf8()?.next().is_none(), "`{folder}` is not empty");
    }
    ensure!(leads_to.iter().all(|path| path.is_dir()), "{leads_to:?}");
    ensure!(store.repository.folder.join("dist/package.toml").is_file());
    Ok(())
}
