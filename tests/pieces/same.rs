//! The same bytes, whatever became of what was kept.

use crate::app::{BUNDLE, RPM, differences};
use crate::checkout::command::run;
use crate::store::{Store, counts, told};
use anyhow::{Context as _, ensure};
use camino::Utf8Path;
use fs_err as fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

/// The piece that ends the archive has 124 bytes, and is not kept.
const END: u64 = 1;

/// A way to spoil a kept file.
type Damage = fn(&Utf8Path) -> anyhow::Result<()>;

fn cut(path: &Utf8Path) -> anyhow::Result<()> {
    let bytes = fs::read(path)?;
    Ok(fs::write(path, &bytes[..bytes.len() / 2])?)
}

fn flip(path: &Utf8Path) -> anyhow::Result<()> {
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(fs::write(path, bytes)?)
}

fn swap_for_folder(path: &Utf8Path) -> anyhow::Result<()> {
    fs::remove_file(path)?;
    Ok(fs::create_dir(path)?)
}

#[test]
fn a_full_an_empty_and_a_damaged_store_give_the_same_bytes() -> anyhow::Result<()> {
    let store = Store::new()?;
    let (first, said) = store.dist_again()?;
    let expected = store.made()?;
    let (all, none) = counts(&first);
    ensure!(all > 5 && none == 0, "{}", first["pieces"]);
    ensure!(said.contains(&format!("0 taken from `{}`", store.pieces())), "{said}");
    ensure!(store.files()?.len() as u64 == all - END);

    let (full, said) = store.dist_again()?;
    ensure!(counts(&full) == (END, all - END), "{}", full["pieces"]);
    ensure!(said.contains(&format!("{} taken from `{}`", all - END, store.pieces())), "{said}");
    ensure!(full["pieces"]["bytes"] == first["pieces"]["bytes"]);
    ensure!(differences(&store.made()?, &expected, true).is_empty());

    let emptied: Damage = |path| Ok(fs::write(path, "")?);
    let damages: [(&str, Damage); 4] =
        [("cut", cut), ("flipped", flip), ("emptied", emptied), ("a folder", swap_for_folder)];
    for (name, damage) in damages {
        for file in store.files()? {
            damage(&file).with_context(|| format!("{name}: {file}"))?;
        }
        let (damaged, said) = store.dist_again()?;
        ensure!(counts(&damaged) == (all, 0), "{name}: {}", damaged["pieces"]);
        ensure!(said.contains(&format!("had {} that could not be read or were damaged", all - END)), "{name}: {said}");
        let faults = differences(&store.made()?, &expected, true);
        ensure!(faults.is_empty(), "{name}: {}", faults.join("\n"));
        // They were replaced, but where a folder has the name.
        let (again, said) = store.dist_again()?;
        match name {
            "a folder" => ensure!(said.contains("nothing more is kept in"), "{name}: {said}"),
            _ => ensure!(counts(&again) == (END, all - END), "{name}: {}", again["pieces"]),
        }
    }
    fs::remove_dir_all(store.pieces())?;
    store.dist_again()?;
    for file in store.files()? {
        fs::set_permissions(&file, fs::metadata(&file)?.permissions().tap_mode(0))?;
    }
    // Root reads them nevertheless.
    let (unreadable, _) = store.dist_again()?;
    ensure!([(all, 0), (END, all - END)].contains(&counts(&unreadable)), "{}", unreadable["pieces"]);
    ensure!(differences(&store.made()?, &expected, true).is_empty());
    Ok(())
}

/// Permissions with another mode.
trait TapMode {
    fn tap_mode(self, mode: u32) -> Self;
}

impl TapMode for std::fs::Permissions {
    fn tap_mode(mut self, mode: u32) -> Self {
        self.set_mode(mode);
        self
    }
}

#[test]
fn without_a_place_for_pieces_nothing_but_time_is_lost() -> anyhow::Result<()> {
    let store = Store::new()?;
    store.dist_again()?;
    let expected = store.made()?;
    let same = |what: &str| -> anyhow::Result<()> {
        let faults = differences(&store.made()?, &expected, true);
        ensure!(faults.is_empty(), "{what}: {}", faults.join("\n"));
        Ok(())
    };
    let run_again = |command: &mut Command| -> anyhow::Result<_> {
        store.take_away()?;
        let finished = run(command)?;
        let value = told(&finished)?;
        Ok((counts(&value), finished.stderr))
    };
    let words = ["dist", "--format", "json", "-v"];

    let file = store.cache.join("file");
    fs::write(&file, "no folder")?;
    for nowhere in [file.as_str(), "/proc/none", "/dev/null"] {
        let ((_, reused), said) = run_again(store.command(&words).env("XDG_CACHE_HOME", nowhere))?;
        ensure!(reused == 0 && said.contains("nothing more is kept in"), "{nowhere}: {said}");
        same(nowhere)?;
    }

    // A user without a home: the repository's workspace has the pieces.
    for is_second in [false, true] {
        let mut homeless = store.repository.command(&words);
        let ((made, reused), said) = run_again(homeless.env_remove("XDG_CACHE_HOME").env_remove("HOME"))?;
        let place = store.repository.folder.join("target/xtask/kept/pieces");
        ensure!(said.contains(&format!("{reused} taken from `{place}`")), "{said}");
        ensure!((made == END) == is_second, "{made} made, {reused} reused");
        same("no home")?;
    }

    // A disk that has room for the first pieces alone.
    let tool = store.command(&words);
    let mut full = Command::new("unshare");
    if run(Command::new("id").arg("-u"))?.text()?.trim() != "0" {
        full.args(["--user", "--map-root-user"]);
    }
    let script = "mount -t tmpfs -o size=1M disk \"$XDG_CACHE_HOME\" && exec \"$@\"";
    full.args(["--mount", "sh", "-c", script, "sh"]).arg(tool.get_program()).args(tool.get_args());
    full.current_dir(&store.repository.folder).env("XDG_CACHE_HOME", &store.cache).env_remove("SOURCE_DATE_EPOCH");
    let (_, said) = run_again(&mut full)?;
    ensure!(said.contains("nothing more is kept in") && said.contains("No space left"), "{said}");
    same("a full disk")?;

    for cores in ["0", "0,1"] {
        fs::remove_dir_all(store.pieces())?;
        let tool = store.command(&words);
        let mut bound = Command::new("taskset");
        bound.args(["-c", cores]).arg(tool.get_program()).args(tool.get_args());
        bound.current_dir(&store.repository.folder).env("XDG_CACHE_HOME", &store.cache);
        let ((_, reused), said) = run_again(bound.env_remove("SOURCE_DATE_EPOCH"))?;
        ensure!(reused == 0, "{said}");
        same(cores)?;
    }
    Ok(())
}

/// What tells whether a file was written again.
fn written(store: &Store) -> anyhow::Result<Vec<(u64, i64, i64)>> {
    let of = |path: &str| {
        let data = fs::metadata(store.repository.folder.join(path))?;
        anyhow::Ok((data.ino(), data.mtime(), data.mtime_nsec()))
    };
    [RPM, BUNDLE].into_iter().map(of).collect()
}

#[test]
fn what_is_the_same_and_whole_is_neither_made_nor_judged_again() -> anyhow::Result<()> {
    let store = Store::new()?;
    let first = store.dist()?;
    let before = |told: &serde_json::Value| told["rpms"][0]["verified-before"].clone();
    ensure!(before(&first) == false, "{first:#}");
    let (expected, times) = (store.made()?, written(&store)?);
    let second = store.dist()?;
    ensure!(before(&second) == true && counts(&second).0 == 0, "{second:#}");
    ensure!(second["verify"] == first["verify"] && second["bundle"] == first["bundle"], "{second:#}");
    ensure!(written(&store)? == times, "what is the same was written again");
    let said = run(&mut store.command(&["dist", "-v"]))?;
    ensure!(said.stdout.contains(" for el9-x86_64\n") && said.succeeded(), "{said}");
    let said = run(&mut store.command(&["dist", "-v"]))?;
    ensure!(said.stdout.contains("verified before: the same bytes"), "{said}");
    ensure!(said.stderr.contains(&format!("`{RPM}` is up to date")), "{said}");

    // What lies there is looked at, and not believed.
    for path in [RPM, BUNDLE] {
        let whole = store.repository.folder.join(path);
        for damage in [flip, cut, |path| Ok(fs::remove_file(path)?), swap_for_link] as [Damage; 4] {
            damage(&whole)?;
            store.dist()?;
            ensure!(whole.symlink_metadata()?.is_file(), "`{path}` is a link");
            let faults = differences(&store.made()?, &expected, true);
            ensure!(faults.is_empty(), "{}", faults.join("\n"));
        }
    }
    // Notes that are damaged, or lie under the name of others, tell nothing.
    let notes = store.repository.folder.join("target/xtask/kept/made");
    for damage in [flip, cut, |path| Ok(fs::write(path, "{}")?)] as [Damage; 3] {
        for entry in notes.read_dir_utf8()? {
            damage(entry?.path())?;
        }
        ensure!(before(&store.dist()?) == false);
        ensure!(differences(&store.made()?, &expected, true).is_empty());
    }
    // Another tool may judge otherwise.
    let other = store.cache.join("other-tool");
    fs::copy(env!("CARGO_BIN_EXE_started"), &other)?;
    let bytes = [fs::read(&other)?, b"another".to_vec()].concat();
    fs::write(&other, bytes)?;
    ensure!(before(&store.dist()?) == true);
    let mut command = Command::new(&other);
    command.args(["dist", "--format", "json"]).current_dir(&store.repository.folder);
    command.env("XDG_CACHE_HOME", &store.cache).env_remove("SOURCE_DATE_EPOCH");
    let by_other = told(&run(&mut command)?)?;
    ensure!(before(&by_other) == false && counts(&by_other).0 == END, "{by_other:#}");
    ensure!(differences(&store.made()?, &expected, true).is_empty());
    Ok(())
}

fn swap_for_link(path: &Utf8Path) -> anyhow::Result<()> {
    let elsewhere = path.with_file_name(".elsewhere");
    fs::rename(path, &elsewhere)?;
    Ok(fs::os::unix::fs::symlink(&elsewhere, path)?)
}
