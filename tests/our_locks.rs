//! Our lock as `packaging.pylock` reads it: it is valid, and the box it is for installs what we chose.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use checkout::repository as this_repository;
use index::{write_sdist, write_wheel};
use packaging::{ask_packaging, environment_of};
use repository::{PURE_SETUP, Repository, target_like_host};
use serde_json::{Value, json};
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::LockFormat;
use wheelhaul_pylock::Lock;

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "locking/index.rs"]
mod index;
#[allow(dead_code, reason = "shared with the test against `packaging`")]
mod packaging;
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

/// What is asked of `packaging`: what a box installs from a lock.
fn question(name: &str, text: &str, target: &Target) -> Value {
    let tags: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
    json!({"name": name, "text": text, "environment": environment_of(target), "tags": tags})
}

/// For each question a list of names and files, or the reason why nothing.
fn ask(questions: &[Value]) -> anyhow::Result<Vec<Value>> {
    Ok(serde_json::from_value(ask_packaging("pylock", &json!(questions))?)?)
}

/// Holds each lock against what `packaging` takes from it on the lock's own box.
fn must_install_what_we_chose(locks: &[Named]) -> anyhow::Result<()> {
    let mut questions = Vec::new();
    let mut expected = Vec::new();
    for (name, text) in locks {
        let lock = Lock::parse(text).with_context(|| format!("`{name}`:\n{text}"))?;
        questions.push(question(name, text, &lock.target()?));
        let rows = lock.packages.iter().map(|package| json!([package.name.as_ref(), package.wheel.to_string()]));
        expected.push(rows.collect::<Value>());
    }
    for (((name, text), expected), answer) in locks.iter().zip(expected).zip(ask(&questions)?) {
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
const TEAM_LOCKS: [(&str, &str, &str); 6] = [
    ("requirements.txt", "alpha==1.0 --hash=sha256:SHA256\n", ""),
    ("Pipfile.lock", r#"{"_meta": {"pipfile-spec": 6}, "default": {"alpha": {"version": "==1.0", "hashes": ["sha256:SHA256"]}}}"#, ""),
    ("pylock.toml", r#"
lock-version = "1.0"
created-by = "a tool"
[[packages]]
name = "alpha"
version = "1.0"
wheels = [{ path = "alpha-1.0-py3-none-any.whl", hashes = { sha256 = "SHA256" } }]
"#, ""),
    ("uv.lock", r#"
version = 1
requires-python = ">=3.8"
[[package]]
name = "alpha"
version = "1.0"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://index.example/alpha-1.0-py3-none-any.whl", hash = "sha256:SHA256" }]
[[package]]
name = "web"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "alpha" }]
[package.metadata]
requires-dist = [{ name = "alpha" }]
"#, PROJECT),
    ("poetry.lock", r#"
[[package]]
name = "alpha"
version = "1.0"
description = ""
optional = false
python-versions = "*"
groups = ["main"]
files = [{ file = "alpha-1.0-py3-none-any.whl", hash = "sha256:SHA256" }]
[metadata]
lock-version = "2.1"
python-versions = ">=3.8"
content-hash = "0000000000000000000000000000000000000000000000000000000000000000"
"#, PROJECT),
    ("pdm.lock", r#"
[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
[[metadata.targets]]
requires_python = ">=3.8"
[[package]]
name = "alpha"
version = "1.0"
summary = ""
groups = ["default"]
files = [{ file = "alpha-1.0-py3-none-any.whl", hash = "sha256:SHA256" }]
"#, PROJECT),
];

const PROJECT: &str =
    "[project]\nname = \"web\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"alpha\"]\n";

#[test]
fn locks_from_every_kind_of_team_lock_are_valid() -> anyhow::Result<()> {
    ensure!(LockFormat::all().iter().all(|format| TEAM_LOCKS.iter().any(|(file, ..)| *file == format.name)));
    for (file, text, project) in TEAM_LOCKS {
        let both = format!("{EL9}\n{OWN}");
        let repository = Repository::new(&both, "")?;
        let sha256 = write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
        // The standard lock places its files itself.
        write_wheel(&repository.folder.join("app"), "alpha-1.0-py3-none-any.whl", &[])?;
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
    let text = std::fs::read_to_string(this_repository().join("tests/checkout").join(name))?;
    must_install_what_we_chose(&[(name.to_owned(), text.clone())])?;
    let el9 = Lock::parse(&text)?.target()?;
    let mut without_tags = question(name, &text, &el9);
    without_tags["tags"] = json!(["py3-none-any"]);
    #[rustfmt::skip]
    let cases = [
        (question("pylock.el9.x86.toml", &text, &el9),                          "is not the name of a lock"),
        (question(name, &text.replace("sha256 = ", "# "), &el9),                "At least one hash"),
        (question(name, &text, &Target::find("el9-x86_64", Some("3.12"), None)?), "does not satisfy the Python version"),
        (question(name, &text, &Target::find("el9-aarch64", Some("3.11"), None)?), "does not satisfy any of the environments"),
        (without_tags,                                                          "No wheel found matching the provided tags"),
    ];
    let answers = ask(&cases.iter().map(|(question, _)| question.clone()).collect::<Vec<_>>())?;
    for ((_, says), answer) in cases.iter().zip(answers) {
        let reason = answer.as_str().unwrap_or_default();
        ensure!(reason.contains(says), "{answer} instead of `{says}`");
    }
    Ok(())
}
