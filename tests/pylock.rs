//! Our lock as `packaging.pylock` reads it: it is valid, and the box it is for installs what we chose.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use checkout::command::run;
use checkout::repository as this_repository;
use index::{write_sdist, write_wheel};
use repository::{PURE_SETUP, Repository, target_like_host};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use xtask::lockfile::Lock;

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "locking/index.rs"]
mod index;
#[allow(dead_code, reason = "the tests of `lock` use more of it")]
#[path = "locking/repository.rs"]
mod repository;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

const EL9: &str = "[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"";
const OWN: &str = "[[target]]\nname = \"own-aarch64\"\npython-full = \"3.12.4\"\n[target.box]\narch = \"aarch64\"\n\
    glibc = \"2.36\"\nsystemd = 252\npayload = \"zstd\"\nrelease = \"own\"\npython-path = \"/opt/python/bin/python3\"\n\
    markers = { platform_release = \"6.1.0\" }\n";

/// A lock with the name of its file.
type Named = (String, String);

/// Asks `packaging` what it takes from each lock: a list of names and files, or the reason why nothing.
fn ask_packaging(locks: &[Value]) -> anyhow::Result<Vec<Value>> {
    let python = run(Command::new("python3")
        .arg("-B")
        .arg(this_repository().join("tests/python/tools.py"))
        .arg(this_repository().join("target/xtask/test-tools")))?
    .text()?;
    let mut child = Command::new(python)
        .arg("-B")
        .arg(this_repository().join("tests/python/packaging_says.py"))
        .arg("pylock")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut question = child.stdin.take().context("standard input is piped")?;
    question.write_all(json!(locks).to_string().as_bytes())?;
    drop(question);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the script ended with {}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Holds each lock against what `packaging` takes from it on the lock's own box.
fn must_install_what_we_chose(locks: &[Named]) -> anyhow::Result<()> {
    let mut questions = Vec::new();
    let mut expected = Vec::new();
    for (name, text) in locks {
        let lock = Lock::parse(text).with_context(|| format!("`{name}`:\n{text}"))?;
        let target = lock.target()?;
        let tags: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
        let python = target.python_full.to_string();
        questions.push(json!({"name": name, "text": text, "python": python, "arch": target.arch, "tags": tags}));
        let rows = lock.packages.iter().map(|package| json!([package.name.as_ref(), package.wheel.to_string()]));
        expected.push(rows.collect::<Value>());
    }
    for (((name, text), expected), answer) in locks.iter().zip(expected).zip(ask_packaging(&questions)?) {
        ensure!(answer == expected, "`{name}`: {answer} instead of {expected}\n{text}");
        println!("{name}: {} packages", answer.as_array().map_or(0, Vec::len));
    }
    Ok(())
}

/// Locks in a repository, and gives every lock that was written.
fn locked(repository: &Repository) -> anyhow::Result<Vec<Named>> {
    let finished = repository.run(&["lock"])?;
    ensure!(finished.succeeded(), "{finished}");
    let names = checkout::list(Utf8Path::new(&repository.folder.join("dist")))?;
    let locks = names.into_iter().filter(|name| name.starts_with("pylock."));
    locks.map(|name| Ok((name.clone(), repository.read(&format!("dist/{name}"))?))).collect()
}

/// Every kind of lock that a team may have: its file, its text with `SHA256` for the digest, and its project.
#[rustfmt::skip]
const TEAM_LOCKS: &[(&str, &str, &str)] = &[
    ("requirements.txt", "alpha==1.0 --hash=sha256:SHA256\n", ""),
    ("Pipfile.lock", r#"{"_meta": {"pipfile-spec": 6}, "default": {"alpha": {"version": "==1.0", "hashes": ["sha256:SHA256"]}}}"#, ""),
];

#[test]
fn locks_from_every_kind_of_team_lock_are_valid() -> anyhow::Result<()> {
    for (file, text, project) in TEAM_LOCKS {
        let both = format!("{EL9}\n{OWN}");
        let repository = Repository::new(&both, "")?;
        let sha256 = write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
        repository.write(&format!("app/{file}"), &text.replace("SHA256", &sha256))?;
        if !project.is_empty() {
            repository.write("app/pyproject.toml", project)?;
        }
        let package = repository.read("dist/package.toml")?;
        repository.write("dist/package.toml", &package.replace("app/requirements.txt", &format!("app/{file}")))?;
        let locks = locked(&repository).with_context(|| format!("`{file}`"))?;
        let own = locks.iter().filter(|(_, text)| text.contains("[tool.xtask.box]")).count();
        ensure!(locks.len() == 2 && own == 1, "`{file}`: {locks:#?}");
        must_install_what_we_chose(&locks).with_context(|| format!("`{file}`"))?;
    }
    Ok(())
}

#[test]
fn a_lock_with_a_wheel_that_was_built_is_valid() -> anyhow::Result<()> {
    let repository = Repository::new(&target_like_host("2.40")?, "source==1.0\n")?;
    write_sdist(&repository.index, "source", "1.0", &[("setup.py", PURE_SETUP), ("source.py", "X = 1\n")])?;
    repository.configure(&target_like_host("2.40")?, "[sdist]\nbuild = [\"source\"]\n")?;
    let locks = locked(&repository)?;
    ensure!(locks[0].1.contains("[packages.tool.xtask.built-from]"), "{}", locks[0].1);
    must_install_what_we_chose(&locks)
}

#[test]
fn the_lock_of_the_sample_is_valid_and_a_damaged_one_is_not() -> anyhow::Result<()> {
    let name = "pylock.el9-x86_64.toml";
    let text = std::fs::read_to_string(this_repository().join("dist").join(name))?;
    must_install_what_we_chose(&[(name.to_owned(), text.clone())])?;
    let target = Lock::parse(&text)?.target()?;
    let tags: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
    let ask = |name: &str, text: &str, python: &str, arch: &str, tags: &[String]| json!({"name": name, "text": text, "python": python, "arch": arch, "tags": tags});
    #[rustfmt::skip]
    let cases = [
        (ask("pylock.el9.x86.toml", &text, "3.11.9", "x86_64", &tags),                      "is not the name of a lock"),
        (ask(name, &text.replace("sha256 = ", "# "), "3.11.9", "x86_64", &tags),            "At least one hash"),
        (ask(name, &text, "3.12.1", "x86_64", &tags),                                       "does not satisfy the Python version"),
        (ask(name, &text, "3.11.9", "aarch64", &tags),                                      "does not satisfy any of the environments"),
        (ask(name, &text, "3.11.9", "x86_64", &["py3-none-any".to_owned()]),                "No wheel found matching the provided tags"),
    ];
    let answers = ask_packaging(&cases.iter().map(|(question, _)| question.clone()).collect::<Vec<_>>())?;
    for ((_, says), answer) in cases.iter().zip(answers) {
        let reason = answer.as_str().unwrap_or_default();
        ensure!(reason.contains(says), "{answer} instead of `{says}`");
    }
    Ok(())
}
