//! What somebody else prepared beside an RPM, or where a user's answers are kept, is neither run nor believed.

use crate::boxes::{Draft, pack};
use crate::checkout::command::{Finished, run};
use crate::checkout::tool_in;
use crate::{give_away, mode, set_mode, temporary};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Value, json};
use std::process::Command;
use wheelhaul_host::key_of;

/// A package with a module that does not compile, and answers about it as this host gives them.
struct Victim {
    _keep: tempfile::TempDir,
    folder: Utf8PathBuf,
    /// the user's cache with honest answers
    honest: Utf8PathBuf,
}

impl Victim {
    fn new() -> anyhow::Result<Self> {
        let (keep, folder) = temporary()?;
        let (_, bytes) = pack(&[Draft::of("demo"), Draft::app().with("demoapp/broken.py", "def f(:\n")])?;
        fs::create_dir(folder.join("work"))?;
        fs::write(folder.join("work/demo.rpm"), bytes)?;
        let made = Self { honest: folder.join("honest"), folder, _keep: keep };
        let said = made.verify(&made.honest)?;
        ensure!(found(&said), "{said}");
        ensure!(made.answers()?.len() > 1, "{:?}", made.answers()?);
        Ok(made)
    }

    /// Judges the package, with a cache folder of the user.
    fn verify(&self, cache: &Utf8Path) -> anyhow::Result<Finished> {
        run(tool_in(&self.folder.join("work"), &["verify", "demo.rpm"]).env("XDG_CACHE_HOME", cache))
    }

    /// What interpreters and shells said, as files below the cache.
    fn answers(&self) -> anyhow::Result<Vec<Utf8PathBuf>> {
        let base = self.honest.join("xtask");
        let mut found = Vec::new();
        for folder in ["interpreters", "compiled", "parsed"].map(|name| base.join("kept").join(name)) {
            for entry in folder.read_dir_utf8()? {
                let path = entry?.into_path();
                if path.extension() == Some("json") {
                    found.push(path.strip_prefix(&base)?.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Writes a folder of answers as an attacker wants them: nothing is wrong, and the interpreter is his program.
    fn forge(&self, place: &Utf8Path) -> anyhow::Result<()> {
        let program = self.folder.join("evil-python");
        fs::write(&program, format!("#!/bin/sh\nid -u >> {}\nexec python3 \"$@\"\n", self.marker()))?;
        set_mode(&program, 0o755)?;
        for path in self.answers()? {
            let mut answer: Value = serde_json::from_slice(&fs::read(self.honest.join("xtask").join(&path))?)?;
            let folder = path.parent().and_then(Utf8Path::file_name).unwrap_or_default();
            match folder {
                "interpreters" => answer["value"]["path"] = json!(program),
                "compiled" => answer["value"] = json!({"faults": {}, "skipped": []}),
                _ => {}
            }
            // With the digest that goes with it.
            let value = serde_json::to_vec(&answer["value"])?;
            let key = path.file_stem().unwrap_or_default();
            answer["sha256"] = json!(key_of([key.as_bytes(), value.as_slice()]));
            fs::create_dir_all(place.join(&path).parent().context("a folder")?)?;
            fs::write(place.join(&path), serde_json::to_vec(&answer)?)?;
        }
        Ok(())
    }

    fn marker(&self) -> Utf8PathBuf {
        self.folder.join("ran-as")
    }

    /// The program did not run, and the module is found that does not compile.
    fn is_safe(&self, said: &Finished) -> anyhow::Result<()> {
        ensure!(!self.marker().exists(), "the attacker's program ran as {}", fs::read_to_string(self.marker())?);
        ensure!(found(said), "a forged answer was believed: {said}");
        Ok(())
    }
}

fn found(said: &Finished) -> bool {
    said.code == Some(1) && said.stdout.contains("/broken.py: line 1")
}

#[test]
fn a_repository_around_the_folder_is_not_asked() -> anyhow::Result<()> {
    for without_answers in [false, true] {
        let victim = Victim::new()?;
        victim.forge(&victim.folder.join("target/xtask"))?;
        if without_answers {
            // Then the interpreter is started.
            fs::remove_dir_all(victim.folder.join("target/xtask/kept/compiled"))?;
        }
        fs::create_dir(victim.folder.join("dist"))?;
        fs::write(victim.folder.join("dist/package.toml"), "")?;
        for path in ["dist", "target"] {
            give_away(&victim.folder.join(path))?;
        }
        set_mode(&victim.folder, 0o777)?;
        let (_keep, cache) = temporary()?;
        victim.is_safe(&victim.verify(&cache)?)?;
        ensure!(fs::read_dir(victim.folder.join("dist"))?.count() == 1, "it left something in another's repository");
    }
    Ok(())
}

#[test]
fn a_cache_that_others_can_write_is_not_used_and_that_is_said() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let cases = [ // mode of the cache folder, of `xtask` in it, of `xtask/kept/compiled`, what is said
        (0o755,  0o777,  0o755, "/xtask` can be written by everybody"),
        (0o777,  0o755,  0o755, "/cache` can be written by everybody"),
        (0o755,  0o1777, 0o755, "/xtask` can be written by everybody"),
        (0o755,  0o755,  0o777, "/compiled` can be written by everybody"),
    ];
    for (outer, inner, compiled, expected) in cases {
        let victim = Victim::new()?;
        let cache = victim.folder.join("cache");
        victim.forge(&cache.join("xtask"))?;
        // The interpreter that is kept is one that this host has; the program of a stranger is another test's matter.
        let interpreters = "xtask/kept/interpreters";
        for entry in cache.join(interpreters).read_dir_utf8()?.flatten() {
            fs::copy(victim.honest.join(interpreters).join(entry.file_name()), entry.path())?;
        }
        for (path, mode) in [("", outer), ("xtask", inner), ("xtask/kept/compiled", compiled)] {
            set_mode(&cache.join(path), mode)?;
        }
        let said = victim.verify(&cache)?;
        victim.is_safe(&said)?;
        let warnings: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        ensure!(warnings.len() == 1 && warnings[0].contains(expected), "{expected}: {said}");
    }
    Ok(())
}

#[test]
fn a_cache_of_another_user_is_neither_used_nor_written() -> anyhow::Result<()> {
    let victim = Victim::new()?;
    let home = victim.folder.join("home");
    // `sudo` may keep HOME.
    fs::create_dir_all(home.join(".cache"))?;
    for is_forged in [false, true] {
        if is_forged {
            victim.forge(&home.join(".cache/xtask"))?;
        }
        if !give_away(&home)? {
            println!("not run: only root can give a folder to another user");
            return Ok(());
        }
        let mut command = tool_in(&victim.folder.join("work"), &["verify", "demo.rpm"]);
        let said = run(command.env("HOME", &home).env_remove("XDG_CACHE_HOME"))?;
        victim.is_safe(&said)?;
        ensure!(
            said.stderr.contains("is not used, and nothing is kept in it") && said.stderr.contains("65534"),
            "{said}"
        );
        let mine = run(Command::new("find").args([home.as_str(), "!", "-user", "65534"]))?.text()?;
        ensure!(mine.is_empty(), "it wrote into another's home: {mine}");
    }
    Ok(())
}

#[test]
fn an_interpreter_that_is_kept_is_one_of_this_host() -> anyhow::Result<()> {
    let victim = Victim::new()?;
    let cache = victim.folder.join("cache");
    victim.forge(&cache.join("xtask"))?;
    fs::remove_dir_all(cache.join("xtask/kept/compiled"))?;
    victim.is_safe(&victim.verify(&cache)?)
}

#[test]
fn what_is_kept_is_the_users_alone_whatever_the_umask() -> anyhow::Result<()> {
    let victim = Victim::new()?;
    for umask in ["000", "002", "022", "077"] {
        let cache = victim.folder.join(format!("cache-{umask}"));
        let tool = tool_in(&victim.folder.join("work"), &["verify", "demo.rpm"]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {umask} && exec \"$@\""), "sh"]).arg(tool.get_program());
        command.args(tool.get_args()).current_dir(victim.folder.join("work")).env("XDG_CACHE_HOME", &cache);
        let said = run(&mut command)?;
        ensure!(found(&said) && said.stderr.is_empty(), "{umask}: {said}");
        for path in ["", "xtask", "xtask/kept/compiled"] {
            ensure!(mode(&cache.join(path))? == 0o700, "{umask}: `{path}` is {:o}", mode(&cache.join(path))?);
        }
        // It is used the next time.
        let kept = |cache: &Utf8Path| -> anyhow::Result<Vec<u64>> {
            let files = cache.join("xtask/kept/compiled").read_dir_utf8()?.flatten();
            Ok(files
                .filter_map(|file| file.metadata().ok())
                .map(|data| std::os::unix::fs::MetadataExt::ino(&data))
                .collect())
        };
        let before = kept(&cache)?;
        ensure!(!before.is_empty() && found(&victim.verify(&cache)?) && kept(&cache)? == before, "{umask}");
    }
    Ok(())
}
