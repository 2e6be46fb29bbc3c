//! Inputs that git ignores are told, with lines that really end it: git is asked.

use crate::checkout::command::run;
use crate::checkout::{Checkout, git, tool_in};
use crate::index::write_wheel;
use crate::repository::Repository;
use crate::{LOCK, PACKAGE, append, built};
use anyhow::{Context, ensure};
use camino::Utf8Path;
use fs_err as fs;
use std::process::Command;

/// What of GitHub's ignore file for Python repositories is a folder or a file that inputs may be in.
const OF_GITHUB: &str = "__pycache__/\n*.py[codz]\n*.so\nbuild/\ndist/\ndownloads/\neggs/\nlib/\nlib64/\nparts/\nsdist/\nvar/\n\
    wheels/\n*.egg-info/\n*.manifest\n*.spec\n.env\n.venv\nenv/\nvenv/\n";

/// The lines after each `add these lines at the end of FILE:`, written there; gives how many files got some.
fn add_lines(folder: &Utf8Path, talk: &str) -> anyhow::Result<usize> {
    let (mut files, mut open) = (0, None);
    for line in talk.lines() {
        if let Some(file) = line.strip_prefix("  add these lines at the end of `") {
            let file = folder.join(file.trim_end_matches("`:"));
            files += 1;
            if !file.exists() {
                fs::write(&file, "")?;
            }
            open = Some(file);
        } else if let (Some(file), Some(pattern)) = (&open, line.strip_prefix("    ")) {
            append(file, &format!("{pattern}\n"))?;
        } else {
            open = None;
        }
    }
    Ok(files)
}

fn talk_of(folder: &Utf8Path, words: &[&str]) -> anyhow::Result<String> {
    let finished = run(&mut tool_in(folder, words))?;
    ensure!(finished.succeeded(), "{finished}");
    Ok(finished.stderr)
}

fn tracked(folder: &Utf8Path) -> anyhow::Result<String> {
    run(Command::new("git").args(["ls-files"]).current_dir(folder))?.text()
}

/// The sample as somebody has it who begins: nothing is committed, and these ignore files are there.
fn beginning(ignore_files: &[(&str, &str)], excluded: &str) -> anyhow::Result<Checkout> {
    let sample = Checkout::new("ignored-")?;
    sample.without_byte_code()?;
    let folder = sample.dir()?;
    fs::remove_dir_all(folder.join(".git"))?;
    git(&folder, &["init", "--quiet"])?;
    fs::write(folder.join(".git/info/exclude"), format!("/dist/out/\n/dist/wheels/\n/target/\n{excluded}"))?;
    for (file, text) in ignore_files {
        fs::write(folder.join(file), text)?;
    }
    Ok(sample)
}

#[test]
fn ignored_inputs_are_told_with_lines_that_end_it() -> anyhow::Result<()> {
    type Files = &'static [(&'static str, &'static str)];
    #[rustfmt::skip]
    let cases: [(&str, Files, &str, usize); 7] = [
        // what                      ignore files                                                 the user's own      files to mend
        ("GitHub's file",            &[(".gitignore", OF_GITHUB)],                                "",                 1),
        ("uv's file in dist",        &[(".gitignore", OF_GITHUB), ("dist/.gitignore", "*\n")],    "",                 2),
        ("only uv's file",           &[("dist/.gitignore", "*\n")],                               "",                 2),
        ("by its end",               &[(".gitignore", "package.toml\n*.lock\n*.el9-*\n")],       "",                 1),
        ("all but a list",           &[(".gitignore", "/*\n!/.gitignore\n!/python-app/\n")],      "",                 1),
        ("in .git/info/exclude",     &[],                                                         "dist/\n*.lock\n",  1),
        ("twice",                    &[(".gitignore", "dist/\n/dist/*\n**/dist/**\npackage.*\n")],   "",                 1),
    ];
    for (what, ignore_files, excluded, mended) in cases {
        let told = || -> anyhow::Result<()> {
            let sample = beginning(ignore_files, excluded)?;
            let folder = sample.dir()?;
            sample.commit("without what is ignored")?;
            ensure!(!tracked(&folder)?.contains(PACKAGE), "nothing would be shown");
            let talk = talk_of(&folder, &["lock"])?;
            ensure!(talk.contains("warning: git ignores ") && talk.contains(&format!("`{PACKAGE}`")), "{talk}");
            let said = built(&folder)?;
            ensure!(
                said.talk.contains("warning: git ignores ") && said.from.contains(PACKAGE),
                "{}\n{}",
                said.from,
                said.talk
            );
            ensure!(add_lines(&folder, &talk)? == mended, "{talk}");
            sample.commit("with the lines")?;
            let tracked = tracked(&folder)?;
            for file in [PACKAGE, LOCK, "python-app/pyproject.toml", "python-app/Pipfile.lock"] {
                ensure!(tracked.lines().any(|line| line == file), "`{file}` is still lost: {talk}\n{tracked}");
            }
            ensure!(!tracked.contains("dist/wheels") && !tracked.contains("dist/out"), "too much: {talk}\n{tracked}");
            let said = built(&folder)?;
            ensure!(!said.talk.contains("warning") && !said.from.contains(','), "{}\n{}", said.from, said.talk);
            ensure!(!talk_of(&folder, &["lock"])?.contains("warning: git"));
            Ok(())
        };
        told().with_context(|| what.to_owned())?;
    }
    Ok(())
}

/// A package that is called as GitHub's file calls build folders, and folders that are none of the application's.
#[test]
fn a_package_of_the_application_that_is_ignored_is_told() -> anyhow::Result<()> {
    for flat in [false, true] {
        let sample = beginning(&[(".gitignore", &format!("{OF_GITHUB}!/dist/\n"))], "")?;
        let folder = sample.dir()?;
        let app = if flat { folder.clone() } else { folder.join("python-app") };
        if flat {
            crate::shapes::flatten(&folder)?;
        }
        for file in ["src/lib/__init__.py", "src/lib/more.py", "build/lib/src/__init__.py", ".venv/lib/x/__init__.py"] {
            let path = app.join(file);
            fs::create_dir_all(path.parent().context("it is in a folder")?)?;
            fs::write(path, "")?;
        }
        sample.commit("without the package")?;
        let shown = if flat { "src/lib" } else { "python-app/src/lib" };
        let talk = talk_of(&folder, &["lock"])?;
        ensure!(talk.contains(&format!("git ignores `{shown}`:")), "{talk}");
        let said = built(&folder)?;
        ensure!(said.talk.contains(&format!("git ignores `{shown}`:")) && !said.from.contains(','), "{}", said.talk);
        ensure!(add_lines(&folder, &talk)? == 1, "{talk}");
        sample.commit("with the lines")?;
        let tracked = tracked(&folder)?;
        ensure!(
            tracked.contains("src/lib/more.py") && !tracked.contains("/lib/x") && !tracked.contains("build/"),
            "{tracked}"
        );
        ensure!(!talk_of(&folder, &["lock"])?.contains("git ignores"));
    }
    Ok(())
}

/// A wheel that the lock takes by its path, in a folder that GitHub's file ignores.
#[test]
fn a_wheel_of_the_repository_that_is_ignored_is_told() -> anyhow::Result<()> {
    let repository = Repository::new("[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"", "")?;
    let folder = &repository.folder;
    fs::create_dir_all(folder.join("app/wheels"))?;
    let wheel = "wheels/alpha-1.0-py3-none-any.whl";
    let sha256 = write_wheel(&folder.join("app/wheels"), "alpha-1.0-py3-none-any.whl", &[])?;
    repository.write("app/requirements.txt", &format!("./{wheel} --hash=sha256:{sha256}\n"))?;
    git(folder, &["init", "--quiet"])?;
    fs::write(folder.join(".gitignore"), "wheels/\n/target/\n")?;
    let talk = talk_of(folder, &["lock"])?;
    ensure!(talk.contains(&format!("git ignores `app/{wheel}`:")), "{talk}");
    add_lines(folder, &talk)?;
    git(folder, &["add", "--all"])?;
    ensure!(tracked(folder)?.contains(wheel), "{talk}");
    Ok(())
}

/// What is said of a second target's lock that was just written, where `package.toml` was committed long ago by
/// `git add --force`.
pub fn talk_of_a_new_lock() -> anyhow::Result<String> {
    let sample = beginning(&[(".gitignore", OF_GITHUB)], "")?;
    let folder = sample.dir()?;
    git(&folder, &["add", "--force", PACKAGE])?;
    sample.commit("by force")?;
    let talk = talk_of(&folder, &["lock"])?;
    ensure!(talk.contains(&format!("git ignores `{LOCK}`:")) && !talk.contains(&format!("`{PACKAGE}`")), "{talk}");
    add_lines(&folder, &talk)?;
    sample.commit("with the lines")?;
    ensure!(tracked(&folder)?.contains(LOCK), "{talk}");
    // What is said of the box's Python depends on the day.
    Ok(talk.split("warning: target").next().unwrap_or_default().to_owned())
}

/// The application in a folder that GitHub's file ignores, in a repository that begins further up and ignores that too.
#[test]
fn an_application_that_is_ignored_is_told_as_a_whole() -> anyhow::Result<()> {
    let sample = beginning(&[(".gitignore", "/services/\n")], "")?;
    let top = sample.dir()?;
    let folder = top.join("services/shop");
    fs::create_dir_all(folder.join("lib"))?;
    for name in ["dist", "target"] {
        fs::rename(top.join(name), folder.join(name))?;
    }
    fs::rename(top.join("python-app"), folder.join("lib/app"))?;
    let package = fs::read_to_string(folder.join(PACKAGE))?;
    fs::write(folder.join(PACKAGE), package.replace("python-app", "lib/app"))?;
    fs::write(folder.join(".gitignore"), format!("{OF_GITHUB}target/\n"))?;
    sample.commit("nothing of it")?;
    let talk = talk_of(&folder, &["lock"])?;
    ensure!(talk.contains("`lib/app`") && !talk.contains("`lib/app/pyproject.toml`"), "{talk}");
    let error = crate::refused(&folder, &["wheel"])?;
    ensure!(error.contains("git ignores the `pyproject.toml` of `lib/app`"), "{error}");
    ensure!(add_lines(&folder, &talk)? == 2, "{talk}");
    sample.commit("with the lines")?;
    let tracked = tracked(&folder)?;
    for file in [PACKAGE, LOCK, "lib/app/pyproject.toml", "lib/app/src/app.py", "lib/app/Pipfile.lock"] {
        ensure!(tracked.lines().any(|line| line == file), "`{file}` is still lost: {talk}\n{tracked}");
    }
    let said = built(&folder)?;
    ensure!(!said.talk.contains("warning") && !said.from.contains(','), "{}\n{}", said.from, said.talk);
    Ok(())
}
