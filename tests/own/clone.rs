//! Root in a clone that belongs to another user, as in many containers of CI systems.

use crate::app::small;
use crate::boxes::{Draft, pack};
use crate::checkout::command::{Finished, run};
use crate::checkout::{list, repository as ours};
use crate::repository::Repository;
use crate::{give_away, mode, set_mode, temporary};
use anyhow::ensure;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;
use wheelhaul_engine::tools::python::UV;
use wheelhaul_host::elsewhere;

struct Clone {
    repository: Repository,
    _keep: tempfile::TempDir,
    cache: Utf8PathBuf,
    config: Utf8PathBuf,
}

impl Clone {
    /// None where this user cannot give it away.
    fn new() -> anyhow::Result<Option<Self>> {
        let repository = small()?;
        let (keep, folder) = temporary()?;
        let config = folder.join("gitconfig");
        fs::write(&config, "")?;
        // A uv of its own, which is not to be run.
        let planted = repository.folder.join("target/xtask").join(UV.folder).join("bin");
        fs::remove_dir_all(repository.folder.join("target"))?;
        fs::create_dir_all(&planted)?;
        for name in ["uv", "python"] {
            fs::write(planted.join(name), format!("#!/bin/sh\nid -u >> {folder}/ran-as\nexit 1\n"))?;
            set_mode(&planted.join(name), 0o755)?;
        }
        // The user's own, so that none has to be fetched.
        let cache = folder.join("cache");
        let workspace = elsewhere(&cache.join("xtask"), &repository.folder);
        fs::create_dir_all(&workspace)?;
        let tools = ours().canonicalize_utf8()?.join("target/xtask");
        let names = if tools.is_dir() { list(&tools)? } else { Vec::new() };
        for name in names.iter().filter(|name| name.starts_with("tools-")) {
            fs::os::unix::fs::symlink(tools.join(name), workspace.join(name))?;
        }
        let is_given = give_away(&repository.folder)?;
        Ok(is_given.then_some(Self { repository, _keep: keep, cache, config }))
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<Finished> {
        let mut command = self.repository.command(words);
        command.env("XDG_CACHE_HOME", &self.cache).env("GIT_CONFIG_GLOBAL", &self.config).env_remove("SUDO_UID");
        run(&mut command)
    }

    fn trust(&self) -> anyhow::Result<()> {
        Ok(fs::write(&self.config, format!("[safe]\n\tdirectory = {}\n", self.repository.folder))?)
    }

    /// Nothing of `target` is this user's, and nothing of it was run.
    fn is_untouched(&self) -> anyhow::Result<()> {
        let target = self.repository.folder.join("target");
        let mine = run(Command::new("find").args([target.as_str(), "!", "-user", "65534"]))?.text()?;
        ensure!(mine.is_empty(), "left in another's clone: {mine}");
        let ran = self.config.with_file_name("ran-as");
        ensure!(!ran.exists(), "a program of another's `target/xtask` ran");
        Ok(())
    }
}

#[test]
fn a_clone_of_another_user_is_refused_until_git_trusts_it() -> anyhow::Result<()> {
    let Some(clone) = Clone::new()? else {
        println!("not run: only root can give a clone to another user");
        return Ok(());
    };
    for words in [&["lock"][..], &["rpm"], &["dist"], &["wheel"], &["clean", "--out"]] {
        let refused = clone.run(words)?;
        let says = ["belongs to user 65534", "hint: run it as that user", "safe.directory"];
        ensure!(refused.code == Some(2) && says.iter().all(|words| refused.stderr.contains(words)), "{refused}");
    }
    clone.is_untouched()?;

    clone.trust()?;
    let made = clone.run(&["dist"])?;
    ensure!(made.succeeded(), "{made}");
    let said = "target/xtask` is not used, but `";
    ensure!(made.stderr.matches(said).count() == 1 && made.stderr.contains("/repositories/"), "{made}");
    clone.is_untouched()?;
    // What was kept is used again, and `clean` finds it.
    let again = clone.run(&["dist"])?;
    ensure!(again.stdout.contains("verified before"), "{again}");
    let workspace = elsewhere(&clone.cache.join("xtask"), &clone.repository.folder);
    let notes = workspace.join("kept/made");
    ensure!(notes.read_dir_utf8()?.count() > 0 && mode(&notes)? == 0o700);
    let cleaned = clone.run(&["clean"])?;
    ensure!(cleaned.succeeded() && cleaned.stdout.contains("target/xtask: left alone: "), "{cleaned}");
    ensure!(notes.read_dir_utf8()?.count() == 0, "{cleaned}");
    clone.is_untouched()
}

#[test]
fn judging_what_another_user_built_leaves_nothing_there() -> anyhow::Result<()> {
    let Some(clone) = Clone::new()? else {
        println!("not run: only root can give a clone to another user");
        return Ok(());
    };
    let (_, bytes) = pack(&[Draft::of("demo"), Draft::app()])?;
    fs::create_dir_all(clone.repository.folder.join("dist/out"))?;
    fs::write(clone.repository.folder.join("dist/out/small-1-1.el9.x86_64.rpm"), bytes)?;
    fs::remove_dir_all(clone.repository.folder.join("target/xtask"))?;
    for words in [&["verify"][..], &["verify", "dist/out/small-1-1.el9.x86_64.rpm"]] {
        let said = clone.run(words)?;
        ensure!(said.stdout.contains("  ok        digests"), "{said}");
        ensure!(!clone.repository.folder.join("target/xtask").exists(), "`{words:?}` made `target/xtask`");
    }
    clone.is_untouched()
}

#[test]
fn a_configuration_that_a_stranger_put_above_is_refused() -> anyhow::Result<()> {
    let (_keep, folder) = temporary()?;
    let work = folder.join("shared/work");
    fs::create_dir_all(&work)?;
    set_mode(&folder.join("shared"), 0o1777)?;
    fs::create_dir(folder.join("shared/dist"))?;
    fs::write(folder.join("shared/dist/package.toml"), "[sign]\nkey = \"x\"\n")?;
    if !give_away(&folder.join("shared/dist"))? {
        println!("not run: only root can give a folder to another user");
        return Ok(());
    }
    let (_, bytes) = pack(&[Draft::of("demo"), Draft::app()])?;
    fs::write(work.join("demo.rpm"), bytes)?;
    for words in [&["lock"][..], &["dist"], &["sign", "demo.rpm"], &["rebuild", ".", "demo.rpm"]] {
        let refused = run(&mut crate::checkout::tool_in(Utf8Path::new(&work), words))?;
        ensure!(
            refused.code == Some(2) && refused.stderr.contains("/dist` belongs to user 65534"),
            "{words:?} {refused}"
        );
    }
    Ok(())
}
