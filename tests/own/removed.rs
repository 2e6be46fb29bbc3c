//! Names like those of this tool's own scratch, a day old, beside each of its outputs: all of them stay.

use crate::app::small;
use crate::boxes::{Draft, pack};
use crate::checkout::command::run;
use crate::checkout::tool_in;
use crate::keys::Keys;
use crate::repository::Repository;
use crate::{give_away, set_mode, temporary};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::time::{Duration, SystemTime};

/// Files whose names begin as scratch of this tool does or did.
const MINE: [&str; 7] = [
    "tmp-thesis/chapter/1.tex",
    ".fetch-list/names",
    ".xtask-notes/1",
    ".xtask-notes.part",
    "tmp-scripts/f",
    "work-list/1",
    "work-list.txt",
];

/// Puts them into folders, and knows whether all of them are there as they were.
struct Mine(Vec<Utf8PathBuf>);

impl Mine {
    fn put(folders: &[Utf8PathBuf]) -> anyhow::Result<Self> {
        let mut paths = Vec::new();
        for folder in folders {
            for name in MINE {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().context("a folder")?)?;
                fs::write(&path, name)?;
                for old in path.ancestors().take_while(|above| above != folder) {
                    age(old)?;
                }
                paths.push(path);
            }
        }
        Ok(Self(paths))
    }

    fn are_there(&self, after: &str) -> anyhow::Result<()> {
        let gone: Vec<_> = self.0.iter().filter(|path| !path.is_file()).collect();
        ensure!(gone.is_empty(), "`{after}` removed {gone:?}");
        Ok(())
    }
}

/// Makes it look as if nobody had touched it since yesterday.
fn age(path: &Utf8Path) -> anyhow::Result<()> {
    Ok(fs::File::open(path)?.file().set_modified(SystemTime::now() - Duration::from_secs(90_000))?)
}

/// Runs the tool, which has to succeed, and looks.
fn runs(repository: &Repository, mine: &Mine, words: &[&str]) -> anyhow::Result<()> {
    let cache = repository.folder.join("index/cache");
    let finished = run(repository.command(words).env("XDG_CACHE_HOME", &cache))?;
    ensure!(finished.succeeded(), "{finished}");
    mine.are_there(&words.join(" "))
}

#[test]
fn no_task_removes_what_lies_beside_its_outputs() -> anyhow::Result<()> {
    let repository = small()?;
    let at = |path: &str| repository.folder.join(path);
    repository.write("app/requirements.in", "alpha\n")?;
    let shelf = "index/shelf";
    for folder in ["dist/wheels", "dist/out", "target/xtask/kept/byte-code", shelf] {
        fs::create_dir_all(at(folder))?;
    }
    let outputs = ["", "dist", "dist/wheels", "dist/out", "app", "target/xtask", "target/xtask/kept/byte-code", shelf];
    let kept = ["index/cache/xtask", "index/cache/xtask/kept/pieces", "index/cache/xtask/kept/compiled"];
    let mine = Mine::put(&outputs.iter().chain(&kept).map(|path| at(path)).collect::<Vec<_>>())?;

    runs(&repository, &mine, &["lock"])?;
    runs(&repository, &mine, &["dist", "--repo", shelf])?;
    // Its metadata are exchanged, and what else lies among them is not.
    let among = Mine::put(&[at(shelf).join("repodata")])?;
    let package = repository.read("dist/package.toml")?;
    repository.write("dist/package.toml", &package.replace("release = \"1\"", "release = \"2\""))?;
    runs(&repository, &mine, &["dist", "--repo", shelf])?;
    among.are_there("dist --repo")?;
    let listed = fs::read_to_string(at(shelf).join("repodata/repomd.xml"))?;
    let metadata = at(shelf)
        .join("repodata")
        .read_dir_utf8()?
        .flatten()
        .filter(|entry| entry.file_name().ends_with(".gz") && !listed.contains(entry.file_name()));
    ensure!(metadata.count() == 0, "metadata of before are left");
    runs(&repository, &mine, &["verify", "--report", "review.html"])?;
    runs(&repository, &mine, &["lock", "--upgrade"])?;
    runs(&repository, &mine, &["clean", "--wheels", "--out", "--tools"])?;
    ensure!(!at("dist/wheels").read_dir_utf8()?.flatten().any(|entry| entry.file_name().ends_with(".whl")));
    Ok(())
}

#[test]
fn neither_does_signing_or_a_report_in_a_folder_of_all() -> anyhow::Result<()> {
    let (_keep, folder) = temporary()?;
    let (_, bytes) = pack(&[Draft::of("demo"), Draft::app()])?;
    let rpm = folder.join("demo.rpm");
    fs::write(&rpm, bytes)?;
    let mine = Mine::put(&[folder.clone(), folder.join("reports")])?;
    // As root it could remove what is another's, in spite of the sticky bit.
    set_mode(&folder.join("reports"), 0o1777)?;
    give_away(&folder.join("reports/tmp-thesis"))?;
    let keys = Keys::of(&["ed25519"])?;
    let words = ["sign", "demo.rpm", "--key", "ed25519@example.invalid"];
    for words in [&words[..], &["verify", "demo.rpm", "--report", "reports/review.html"]] {
        let mut command = tool_in(&folder, words);
        let finished = run(command.env("GNUPGHOME", keys.home()?).env("XDG_CACHE_HOME", folder.join("cache")))?;
        ensure!(finished.succeeded(), "{finished}");
        mine.are_there(&words.join(" "))?;
    }
    ensure!(folder.join("reports/review.html").is_file());
    Ok(())
}

#[test]
fn scratch_is_swept_where_nobody_holds_it_and_by_no_age() -> anyhow::Result<()> {
    let repository = small()?;
    let scratch = repository.folder.join("target/xtask/scratch");
    for name in ["work-held", "work-orphan"] {
        fs::create_dir_all(scratch.join(name))?;
        fs::write(scratch.join(name).join("file"), "x")?;
        fs::write(scratch.join(format!("{name}.lock")), "")?;
    }
    // Another process that is asleep: it holds the lock, and all looks a day old.
    let lock = fs::File::open(scratch.join("work-held.lock"))?;
    lock.file().try_lock()?;
    for path in ["work-held/file", "work-held", "work-held.lock"] {
        age(&scratch.join(path))?;
    }
    let cache = repository.folder.join("index/cache");
    let lock_task = || -> anyhow::Result<()> {
        let finished = run(repository.command(&["lock", "--refresh"]).env("XDG_CACHE_HOME", &cache))?;
        ensure!(finished.succeeded(), "{finished}");
        Ok(())
    };
    lock_task()?;
    ensure!(scratch.join("work-held/file").is_file(), "what another process holds was removed");
    let names = || -> anyhow::Result<Vec<String>> { crate::checkout::list(&scratch) };
    ensure!(names()? == ["work-held", "work-held.lock"], "{:?}", names()?);
    drop(lock);
    lock_task()?;
    ensure!(names()?.is_empty(), "{:?}", names()?);
    Ok(())
}
