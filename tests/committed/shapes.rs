//! Repositories of other shapes: what the commit has is known in each.

use crate::checkout::command::run;
use crate::checkout::{git, tool_in};
use crate::{APP, LOCK, PACKAGE, append, built, said_of, sample};
use anyhow::ensure;
use camino::Utf8Path;
use fs_err as fs;
use std::process::Command;
use wheelhaul_engine::tools::git::Inputs;
use wheelhaul_host::{Sys, Verbosity};

fn is_clean(folder: &Utf8Path) -> anyhow::Result<()> {
    let said = built(folder)?;
    ensure!(said.from.len() == "commit ".len() + 40 && !said.talk.contains("warning"), "{}\n{}", said.from, said.talk);
    Ok(())
}

fn names(folder: &Utf8Path, path: &str) -> anyhow::Result<()> {
    let said = built(folder)?;
    ensure!(said.from.ends_with(&format!("not committed: {path}")), "{}\n{}", said.from, said.talk);
    Ok(())
}

#[test]
fn a_work_tree_of_its_own_and_a_repository_that_begins_further_up() -> anyhow::Result<()> {
    let sample = sample("shapes-")?;
    let top = sample.dir()?;
    let other = top.join("target/tree");
    git(&top, &["worktree", "add", "--quiet", "--detach", other.as_str()])?;
    if top.join("dist/wheels").is_dir() {
        run(Command::new("cp").args(["-r", top.join("dist/wheels").as_str(), other.join("dist").as_str()]))?.text()?;
    }
    is_clean(&other)?;
    append(&other.join(APP), "# more\n")?;
    names(&other, APP)?;
    is_clean(&top)?;

    let folder = top.join("services/shop");
    fs::create_dir_all(&folder)?;
    for name in ["dist", "python-app"] {
        fs::rename(top.join(name), folder.join(name))?;
    }
    append(&top.join(".git/info/exclude"), "wheels/\nout/\ntarget/\n")?;
    fs::write(top.join("unrelated.txt"), "x")?;
    sample.commit("further down")?;
    fs::write(top.join("unrelated.txt"), "y")?;
    is_clean(&folder)?;
    append(&folder.join(PACKAGE), "# more\n")?;
    names(&folder, PACKAGE)
}

/// Moves the application to the top of its repository.
pub fn flatten(folder: &Utf8Path) -> anyhow::Result<()> {
    for name in crate::checkout::list(&folder.join("python-app"))? {
        fs::rename(folder.join("python-app").join(&name), folder.join(&name))?;
    }
    let package = fs::read_to_string(folder.join(PACKAGE))?;
    fs::write(folder.join(PACKAGE), package.replace("python-app/", "").replace("python-app", "."))?;
    run(&mut tool_in(folder, &["lock"]))?.text().map(drop)
}

#[test]
fn an_application_that_has_the_repository_to_itself() -> anyhow::Result<()> {
    let sample = sample("flat-")?;
    let folder = sample.dir()?;
    flatten(&folder)?;
    fs::create_dir_all(folder.join("xtask"))?;
    fs::write(folder.join("xtask/main.rs"), "")?;
    sample.commit("flat")?;
    is_clean(&folder)?;
    // What this tool brings is no part of the application; what else lies in `dist` is nothing that is read.
    fs::write(folder.join("xtask/main.rs"), "fn main() {}")?;
    fs::write(folder.join("dist/notes.txt"), "")?;
    is_clean(&folder)?;
    git(&folder, &["update-index", "--assume-unchanged", LOCK, "src/app.py"])?;
    append(&folder.join("src/app.py"), "# more\n")?;
    names(&folder, "src/app.py")
}

#[test]
fn an_application_in_a_submodule_is_compared_with_the_commit_that_the_repository_names() -> anyhow::Result<()> {
    let sample = sample("outer-")?;
    let folder = sample.dir()?;
    let app = folder.join("python-app");
    git(&folder, &["rm", "-r", "--quiet", "--cached", "python-app"])?;
    git(&app, &["init", "--quiet"])?;
    git(&app, &["add", "--all"])?;
    git(&app, &["commit", "--quiet", "--message", "inner"])?;
    // Not yet in the commit of the repository.
    let said = built(&folder)?;
    ensure!(said.from.contains(APP), "{}", said.from);
    git(&folder, &["-c", "advice.addEmbeddedRepo=false", "add", "python-app"])?;
    sample.commit("as a submodule")?;
    is_clean(&folder)?;
    git(&app, &["update-index", "--assume-unchanged", "src/app.py"])?;
    append(&folder.join(APP), "# more\n")?;
    names(&folder, APP)?;
    git(&app, &["update-index", "--no-assume-unchanged", "src/app.py"])?;
    git(&app, &["commit", "--quiet", "--all", "--message", "further"])?;
    // The submodule is clean, and not where the repository has it.
    names(&folder, APP)?;
    git(&app, &["checkout", "--quiet", "HEAD^"])?;
    is_clean(&folder)
}

#[test]
fn links_of_the_repository_are_followed() -> anyhow::Result<()> {
    let sample = sample("links-")?;
    let folder = sample.dir()?;
    fs::create_dir_all(folder.join("shared"))?;
    fs::rename(folder.join(LOCK), folder.join("shared/lock.toml"))?;
    std::os::unix::fs::symlink("../shared/lock.toml", folder.join(LOCK))?;
    fs::rename(folder.join("python-app"), folder.join("shared/app"))?;
    std::os::unix::fs::symlink("shared/app", folder.join("python-app"))?;
    sample.commit("links")?;
    is_clean(&folder)?;
    git(&folder, &["update-index", "--assume-unchanged", "shared/app/src/app.py"])?;
    append(&folder.join(APP), "# more\n")?;
    names(&folder, "shared/app/src/app.py")
}

#[test]
fn without_a_commit_a_time_has_to_be_given() -> anyhow::Result<()> {
    let sample = sample("unborn-")?;
    let folder = sample.dir()?;
    fs::remove_dir_all(folder.join(".git"))?;
    git(&folder, &["init", "--quiet"])?;
    fs::write(folder.join(".git/info/exclude"), "/dist/wheels/\n/dist/out/\n/target/\n")?;
    git(&folder, &["add", "--all"])?;
    let error = crate::refused(&folder, &["rpm"])?;
    ensure!(error.contains("the repository has no commit"), "{error}");
    let said = said_of(run(tool_in(&folder, &["rpm", "--spec-only"]).env("SOURCE_DATE_EPOCH", "1700000000"))?)?;
    ensure!(
        said.from == "files that are not committed" && said.talk.contains("no commit"),
        "{}\n{}",
        said.from,
        said.talk
    );
    // Nor does `lock` need git, or a repository.
    run(tool_in(&folder, &["lock", "--check"]).env("PATH", ""))?.text()?;
    fs::remove_dir_all(folder.join(".git"))?;
    run(&mut tool_in(&folder, &["lock", "--check"]))?.text()?;
    let error = crate::refused(&folder, &["rpm"])?;
    ensure!(error.contains("install git, and commit the application"), "{error}");
    Ok(())
}

/// A repository that is damaged, or that git refuses to look at, is not taken for one without a commit.
#[test]
fn a_commit_that_cannot_be_read_is_an_error() -> anyhow::Result<()> {
    let sample = sample("damaged-")?;
    let folder = sample.dir()?;
    let commit = run(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(&folder))?.text()?;
    fs::remove_file(folder.join(".git/objects").join(&commit[..2]).join(&commit[2..]))?;
    let finished = run(tool_in(&folder, &["rpm", "--spec-only"]).env("SOURCE_DATE_EPOCH", "1700000000"))?;
    ensure!(finished.code == Some(2) && finished.stderr.contains("the last commit is not known"), "{finished}");
    Ok(())
}

/// As much as an ordinary monorepo has, with a hundred files that git does not look at.
#[test]
fn ten_thousand_files_do_not_cost_seconds() -> anyhow::Result<()> {
    let keep = tempfile::tempdir()?;
    let root = camino::Utf8PathBuf::try_from(keep.path().canonicalize()?)?;
    for part in 0..100 {
        fs::create_dir_all(root.join(format!("app/{part}")))?;
        for file in 0..100 {
            fs::write(root.join(format!("app/{part}/{file}.txt")), format!("{part} {file}\n"))?;
        }
    }
    git(&root, &["init", "--quiet"])?;
    git(&root, &["add", "--all"])?;
    git(&root, &["commit", "--quiet", "--message", "data"])?;
    let flagged: Vec<String> = (0..100).map(|file| format!("app/7/{file}.txt")).collect();
    let flagged = ["update-index", "--assume-unchanged"].into_iter().chain(flagged.iter().map(String::as_str));
    git(&root, &flagged.collect::<Vec<_>>())?;
    for file in ["app/7/50.txt", "app/8/50.txt"] {
        fs::write(root.join(file), "another\n")?;
    }
    let sys = Sys { root, verbosity: Verbosity::Quiet, offline: false };
    let inputs = Inputs { app: Utf8Path::new("app"), skipped: &[], files: &[] };
    let mut least = u128::MAX;
    for _ in 0..7 {
        let started = std::time::Instant::now();
        let head = wheelhaul_engine::tools::git::head(&sys)?;
        let found = wheelhaul_engine::tools::git::differing(&sys, head.as_ref(), &inputs)?;
        least = least.min(started.elapsed().as_millis());
        ensure!(found.all.iter().eq(["app/7/50.txt", "app/8/50.txt"]), "{found:?}");
    }
    // A tenth of a second on a quiet machine; a program for each file would take half a minute.
    println!("{least} ms");
    ensure!(least < 3000, "it took {least} ms");
    Ok(())
}
