//! "Built from commit X" in the changelog is true, or the changelog and a warning name what differs; and nothing that
//! an RPM is made from is lost by git without a word.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use checkout::command::{Finished, run};
use checkout::{Checkout, git, tool_in};
use fs_err as fs;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[path = "committed/ignored.rs"]
mod ignored;
#[allow(dead_code, reason = "the tests of `lock` use more of it")]
#[path = "locking/index.rs"]
mod index;
#[allow(dead_code, reason = "the tests of `lock` use more of it")]
#[path = "locking/repository.rs"]
mod repository;
#[path = "committed/settings.rs"]
mod settings;
#[path = "committed/shapes.rs"]
mod shapes;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

const APP: &str = "python-app/src/app.py";
const CONFIG: &str = "python-app/config.yaml";
const PACKAGE: &str = "dist/package.toml";
const LOCK: &str = "dist/pylock.el9-x86_64.toml";

/// The sample, whose changelog is there in less time without byte-code.
fn sample(name: &str) -> anyhow::Result<Checkout> {
    let sample = Checkout::new(name)?;
    sample.without_byte_code()?;
    Ok(sample)
}

/// What the changelog says that the RPM is built from, and what was said on standard error.
struct Said {
    from: String,
    talk: String,
}

fn said_of(finished: Finished) -> anyhow::Result<Said> {
    ensure!(finished.succeeded(), "{finished}");
    let line = finished.stdout.lines().find_map(|line| line.strip_prefix("- Built from "));
    Ok(Said { from: line.context("the changelog names no source")?.to_owned(), talk: finished.stderr })
}

/// The spec has the changelog, and takes less time than the RPM.
fn built(folder: &Utf8Path) -> anyhow::Result<Said> {
    said_of(run(&mut tool_in(folder, &["rpm", "--spec-only"]))?)
}

fn refused(folder: &Utf8Path, words: &[&str]) -> anyhow::Result<String> {
    let finished = run(&mut tool_in(folder, words))?;
    ensure!(finished.code == Some(2), "{words:?} was not refused: {finished}");
    Ok(finished.stderr)
}

fn append(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    Ok(fs::write(path, fs::read_to_string(path)? + text)?)
}

/// Everything as the last commit has it, without flags in the index.
fn undo(folder: &Utf8Path) -> anyhow::Result<()> {
    fs::remove_file(folder.join(".git/index"))?;
    git(folder, &["reset", "--quiet", "--hard"])?;
    git(folder, &["clean", "--quiet", "--force", "-d", "--", "python-app", "extra"])
}

/// Hides a change of a file from `git status`.
fn hidden(folder: &Utf8Path, flag: &str, path: &str) -> anyhow::Result<()> {
    git(folder, &["update-index", flag, path])?;
    append(&folder.join(path), "\n# password: x\n")?;
    nothing_is_seen(folder)
}

/// Ignores a file that the index no longer has.
fn dropped(folder: &Utf8Path, path: &str) -> anyhow::Result<()> {
    git(folder, &["rm", "--quiet", "--cached", path])?;
    append(&folder.join(".git/info/exclude"), &format!("/{path}\n"))
}

#[test]
fn what_differs_from_the_commit_is_named_in_the_changelog_and_a_warning() -> anyhow::Result<()> {
    type Deed = fn(&Utf8Path) -> anyhow::Result<()>;
    let sample = sample("differs-")?;
    let folder = &sample.dir()?;
    #[rustfmt::skip]
    let cases: [(&str, Deed, &str); 14] = [ // what                  what is done                                                          what is named
        ("a change",                     |f| append(&f.join(APP), "# more\n"),                                              APP),
        ("a staged change",              |f| { append(&f.join(APP), "# more\n")?; git(f, &["add", APP]) },                  APP),
        ("assume-unchanged, config",     |f| hidden(f, "--assume-unchanged", CONFIG),                                       CONFIG),
        ("skip-worktree, config",        |f| hidden(f, "--skip-worktree", CONFIG),                                          CONFIG),
        ("assume-unchanged, source",     |f| hidden(f, "--assume-unchanged", APP),                                          APP),
        ("skip-worktree, package.toml",  |f| hidden(f, "--skip-worktree", PACKAGE),                                         PACKAGE),
        ("assume-unchanged, project",    |f| hidden(f, "--assume-unchanged", "python-app/pyproject.toml"),                  "python-app/pyproject.toml"),
        ("a new file",                   |f| Ok(fs::write(f.join("python-app/src/new.py"), "")?),                           "python-app/src/new.py"),
        ("only to be added",             |f| { fs::write(f.join("python-app/src/new.py"), "")?; git(f, &["add", "-N", "python-app/src/new.py"]) }, "python-app/src/new.py"),
        ("taken out of git",             |f| git(f, &["rm", "--quiet", "python-app/src/static/css/report.css"]),             "python-app/src/static/css/report.css"),
        ("a mode",                       |f| git(f, &["update-index", "--chmod=+x", APP]),                                  APP),
        ("a change of the same size and time", same_size_and_time,                                                          APP),
        ("package.toml is ignored",      |f| dropped(f, PACKAGE),                                                           PACKAGE),
        ("a lock is ignored",            |f| dropped(f, LOCK),                                                              LOCK),
    ];
    let clean = built(folder)?;
    ensure!(clean.from.strip_prefix("commit ").is_some_and(|commit| commit.len() == 40), "{}", clean.from);
    ensure!(!clean.talk.contains("warning"), "{}", clean.talk);
    let mut faults = Vec::new();
    for (what, deed, named) in cases {
        deed(folder).with_context(|| what.to_owned())?;
        let said = built(folder).with_context(|| what.to_owned())?;
        let changes = said.from.split_once(", with changes that are not committed: ").map(|(_, changes)| changes);
        if changes != Some(named) || !said.talk.contains(&format!("not committed as packed: `{named}`;")) {
            faults.push(format!("{what}: {}\n{}", said.from, said.talk));
        }
        undo(folder)?;
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Changes a letter and puts the time back, as rsync and `cp --preserve` do, where settings say that this is enough to
/// be the same.
fn same_size_and_time(folder: &Utf8Path) -> anyhow::Result<()> {
    git(folder, &["config", "core.checkStat", "minimal"])?;
    git(folder, &["config", "core.trustCTime", "false"])?;
    // Git looks at the content of a file that is as young as the index.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    git(folder, &["update-index", "--force-write-index"])?;
    let path = folder.join(APP);
    let (text, time) = (fs::read_to_string(&path)?, fs::metadata(&path)?.modified()?);
    fs::write(&path, text.replacen("The web application", "The wed application", 1))?;
    ensure!(fs::read_to_string(&path)? != text, "nothing was changed");
    fs::File::options().write(true).open(&path)?.file().set_modified(time)?;
    nothing_is_seen(folder)
}

fn nothing_is_seen(folder: &Utf8Path) -> anyhow::Result<()> {
    let status = run(std::process::Command::new("git").args(["status", "--porcelain"]).current_dir(folder))?;
    ensure!(status.stdout.is_empty(), "git sees it: nothing would be shown: {status}");
    Ok(())
}

#[test]
fn what_is_equal_is_not_named_whatever_git_notes_of_it() -> anyhow::Result<()> {
    let sample = sample("equal-")?;
    let folder = &sample.dir()?;
    fs::write(folder.join("python-app/src/static/css/old.css"), "body {\r\n}\r\n")?;
    sample.commit("CRLF")?;
    let windows = sample.cloned("windows-", &["core.autocrlf=true"])?;
    let index =
        |folder: &Utf8Path, flag: &str, paths: &[&str]| git(folder, &[&["update-index", flag][..], paths].concat());
    for folder in [folder, &windows.dir()?] {
        index(folder, "--assume-unchanged", &[APP, CONFIG, PACKAGE, "python-app/src/static/css/old.css"])?;
        index(folder, "--skip-worktree", &[LOCK, "python-app/src/report.py"])?;
        // Times that are not those of the index.
        run(std::process::Command::new("find").args([folder.as_str(), "-name", "*.py", "-exec", "touch", "{}", "+"]))?
            .text()?;
        run(std::process::Command::new("chmod").args(["a+x", folder.join(APP).as_str()]))?.text()?;
        let said = built(folder)?;
        ensure!(!said.from.contains(',') && !said.talk.contains("warning"), "{}\n{}", said.from, said.talk);
    }
    Ok(())
}

#[test]
fn what_the_commit_has_and_the_checkout_lacks_is_an_error_with_its_cure() -> anyhow::Result<()> {
    let sample = sample("sparse-")?;
    let folder = &sample.dir()?;
    let by_cure = |error: &str, words: &str| -> anyhow::Result<()> {
        let cure =
            error.split('`').find(|part| part.starts_with(words)).with_context(|| format!("no `{words}`: {error}"))?;
        let cure: Vec<&str> = cure.split(' ').skip(1).collect();
        let place = error.split_once("hint: in `").and_then(|(_, rest)| rest.split('`').next()).context("no folder")?;
        git(Utf8Path::new(place), &cure)?;
        let said = built(folder)?;
        ensure!(!said.from.contains(','), "{}", said.from);
        Ok(())
    };
    for cure in ["git sparse-checkout add", "git sparse-checkout disable"] {
        git(folder, &["sparse-checkout", "set", "--no-cone", "/*", "!/python-app/src/static/"])?;
        ensure!(!folder.join("python-app/src/static").exists(), "it is there: nothing would be shown");
        for task in [&["wheel"][..], &["rpm"], &["dist", "--locked"]] {
            let error = refused(folder, task)?;
            ensure!(error.contains("python-app/src/static/") || error.contains("`src/static/"), "{error}");
            ensure!(error.contains("it is left out of this checkout"), "{error}");
        }
        by_cure(&refused(folder, &["wheel"])?, cure)?;
        git(folder, &["sparse-checkout", "disable"])?;
    }
    git(folder, &["update-index", "--skip-worktree", APP])?;
    fs::remove_file(folder.join(APP))?;
    by_cure(&refused(folder, &["wheel"])?, "git sparse-checkout disable")?;
    fs::remove_file(folder.join(APP))?;
    let error = refused(folder, &["wheel"])?;
    ensure!(error.contains("it was removed from this checkout"), "{error}");
    by_cure(&error, "git restore")?;
    Ok(())
}

#[test]
fn a_config_file_that_git_does_not_know_is_an_error_that_names_the_way() -> anyhow::Result<()> {
    let sample = sample("config-")?;
    let folder = &sample.dir()?;
    let package = fs::read_to_string(folder.join(PACKAGE))?;
    fs::write(folder.join(PACKAGE), package.replace("[\"config.yaml\"]", "[\"config.yaml\", \".env\"]"))?;
    sample.commit("a second config file")?;
    fs::write(folder.join("python-app/.env"), "PASSWORD=x\n")?;
    let names_the_way = |error: &str| {
        let parts =
            ["config file `.env`", "defaults that are committed", "`service.secrets`", "/etc/sysconfig/quality_report"];
        parts.iter().all(|part| error.contains(part))
    };
    // Not added yet, then ignored.
    for task in [&["rpm"][..], &["rpm", "--spec-only"], &["dist", "--locked"]] {
        let error = refused(folder, task)?;
        ensure!(names_the_way(&error), "{error}");
    }
    append(&folder.join(".git/info/exclude"), ".env\n")?;
    let error = refused(folder, &["dist"])?;
    ensure!(names_the_way(&error) && !folder.join("dist/out").join("x").exists(), "{error}");
    git(folder, &["add", "--force", "python-app/.env"])?;
    let said = built(folder)?;
    ensure!(said.from.ends_with(": python-app/.env"), "{}", said.from);
    Ok(())
}

#[test]
fn a_new_file_in_an_ignored_folder_is_told_though_others_are_tracked() -> anyhow::Result<()> {
    insta::assert_snapshot!("ignored", ignored::talk_of_a_new_lock()?);
    Ok(())
}
