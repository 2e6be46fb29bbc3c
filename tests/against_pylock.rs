//! Standard locks held against `packaging.pylock`, the reference of PEP 751, and those that real tools write.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use packaging::comparison::Lcg;
use packaging::{environment_of, run, test_python};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::{Application, LockSource, LockTexts, Selection, filter, parse};

#[path = "pip_files/locks.rs"]
mod locks;
#[allow(dead_code, reason = "shared with the test against `packaging`")]
mod packaging;

/// What is asked of a lock.
struct Asked {
    text: String,
    extras: Vec<&'static str>,
    groups: Vec<&'static str>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    kind: String,
    path: Option<String>,
    hashes: Vec<String>,
}

/// Name, version and hashes.
type Said = BTreeSet<(String, String, Vec<String>)>;

fn box_of_the_test() -> anyhow::Result<Target> {
    Target::find("el9-x86_64", Some("3.11"), None)
}

fn ours(asked: &Asked) -> anyhow::Result<Said> {
    let lock = Utf8Path::new("pylock.toml");
    let texts = LockTexts::from([(lock.to_owned(), Some(asked.text.clone()))]);
    let names = |names: &[&str]| names.iter().map(|name| Ok(name.parse()?)).collect::<anyhow::Result<Vec<_>>>();
    let selection = Selection { extras: names(&asked.extras)?, groups: names(&asked.groups)? };
    let app = Utf8Path::new("app");
    let pins = parse(&LockSource {
        lock,
        app: Application::in_folder(app),
        texts: &texts,
        selection: &selection,
        variable: &|_| None,
    })?;
    ensure!(!format!("{pins:?}").contains("u:p"), "a credential is shown");
    let filtered = filter(&pins, &box_of_the_test()?)?;
    let said = |pin: &wheelhaul_lockfiles::Pin| {
        (pin.name.to_string(), pin.version.to_string(), pin.hashes.iter().cloned().collect::<Vec<_>>())
    };
    Ok(filtered.kept.iter().map(|kept| said(kept.pin)).collect())
}

fn ask_packaging(locks: &[Asked]) -> anyhow::Result<Vec<Result<Vec<Package>, String>>> {
    let script = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/pylock_says.py");
    let locks: Vec<Value> =
        locks.iter().map(|lock| json!({"text": lock.text, "extras": lock.extras, "groups": lock.groups})).collect();
    let question = json!({"environment": environment_of(&box_of_the_test()?), "locks": locks}).to_string();
    let said = run(Command::new(test_python()?).arg("-B").arg(script), &question)?;
    let answers: Vec<Value> = serde_json::from_str(&said).context("the script answered no JSON")?;
    let read = |answer: Value| match answer {
        Value::String(reason) => Ok(Err(reason)),
        packages => serde_json::from_value(packages).map(Ok),
    };
    Ok(answers.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// What of a selection can be packed, or why not: the one list of what this tool refuses and PEP 751 allows.
fn packed(packages: Vec<Package>) -> Result<Said, &'static str> {
    let mut said = Said::new();
    for package in packages {
        let is_application = package.path.as_deref().is_some_and(|path| path.ends_with("app") || path == ".");
        match package.kind.as_str() {
            "directory" if is_application => continue,
            "directory" => return Err("a folder"),
            "vcs" => return Err("version control"),
            _ if package.hashes.is_empty() => return Err("no sha256"),
            _ if package.hashes.iter().any(|hash| hash.len() != 64) => return Err("a sha256 that is none"),
            _ => {}
        }
        // The version of an archive is what its name tells.
        said.insert((package.name, package.version.unwrap_or("1.0".to_owned()), package.hashes));
    }
    Ok(said)
}

/// What is wrong with an entry for this tool, and decides nothing on the box of the test.
const REFUSED_ANYWHERE: [&str; 4] = ["'aa'", "../../", "name = 'lib'", "extras = ['Web'"];

#[test]
fn locks_are_read_as_packaging_reads_them() -> anyhow::Result<()> {
    let mut taste = Lcg(5);
    let locks: Vec<Asked> = (0..8000)
        .map(|_| Asked {
            text: locks::lock(&mut taste),
            extras: if taste.one_in(4) { vec!["web"] } else { vec![] },
            groups: if taste.one_in(4) { vec!["dev"] } else { vec![] },
        })
        .collect();
    let answers = ask_packaging(&locks)?;
    ensure!(answers.len() == locks.len(), "packaging answered {} of {} locks", answers.len(), locks.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differing = Vec::new();
    for (lock, answer) in locks.iter().zip(answers) {
        let ours = ours(lock);
        let key = match (&ours, answer.map(packed)) {
            (Ok(ours), Ok(Ok(theirs))) if *ours == theirs => "both take it",
            (Err(_), Err(reason)) if reason.starts_with("invalid") => "both call it invalid",
            (Err(_), Err(_)) => "neither selects",
            (Err(_), Ok(Err(reason))) => reason,
            // `packaging` knows no list of names to ask for.
            (Err(error), Ok(Ok(_))) if format!("{error:#}").contains("the lock has no") => "an unknown name",
            (Err(_), Ok(Ok(_))) if REFUSED_ANYWHERE.iter().any(|part| lock.text.contains(part)) => "refused anywhere",
            (ours, theirs) => {
                differing.push(format!("{}\n  we: {ours:?}\n  packaging: {theirs:?}", lock.text));
                continue;
            }
        };
        *counts.entry(key).or_default() += 1;
    }
    println!("{counts:#?}");
    let count = differing.len();
    differing.truncate(4);
    ensure!(count == 0, "{count} of {} locks differ, such as\n{}", locks.len(), differing.join("\n\n"));
    for key in ["both take it", "both call it invalid", "neither selects"] {
        ensure!(counts.get(key).is_some_and(|count| *count >= 100), "the generator is one-sided: {counts:?}");
    }
    Ok(())
}

const PROJECT: &str = r#"[project]
name = "demo"
version = "1"
requires-python = ">=3.9"
dependencies = ["flask>=3", "tomli; python_version < '3.11'", "colorama; sys_platform == 'win32'"]
[project.optional-dependencies]
web = ["six"]
[dependency-groups]
dev = ["iniconfig"]
"#;

/// What uv and pip write is taken, and means what `packaging` says.
#[test]
fn locks_of_real_tools_are_read() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let python = test_python()?;
    let uv = python.parent().context("Python is in a folder")?.join("uv");
    fs_err::write(folder.path().join("pyproject.toml"), PROJECT)?;
    fs_err::write(folder.path().join("in.txt"), "flask>=3\ntomli; python_version < '3.11'\nsix")?;
    let uv_with = |words: &[&str]| {
        let mut command = Command::new(&uv);
        command.args(words).args(["--quiet", "--no-config", "--python", python.as_str()]);
        run(command.env("UV_PYTHON_DOWNLOADS", "never").current_dir(folder.path()), "").map(drop)
    };
    uv_with(&["lock"])?;
    uv_with(&["export", "--format", "pylock.toml", "--no-dev", "-o", "pylock.export.toml"])?;
    uv_with(&["export", "--format", "pylock.toml", "--all-extras", "--all-groups", "-o", "pylock.all.toml"])?;
    uv_with(&["pip", "compile", "--universal", "--format", "pylock.toml", "in.txt", "-o", "pylock.compiled.toml"])?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "lock", "--quiet", "--disable-pip-version-check", "-r", "in.txt", "-o", "pylock.pip.toml"]);
    run(pip.current_dir(folder.path()), "")?;

    let names = ["export", "all", "compiled", "pip"];
    let read = |name: &&str| -> anyhow::Result<Asked> {
        let text = fs_err::read_to_string(folder.path().join(format!("pylock.{name}.toml")))?;
        // The application is in the repository itself here, and in `app` for these tests.
        Ok(Asked { text: text.replace("path = \".\"", "path = \"app\""), extras: vec![], groups: vec![] })
    };
    let locks: Vec<Asked> = names.iter().map(read).collect::<anyhow::Result<_>>()?;
    for ((name, lock), theirs) in names.iter().zip(&locks).zip(ask_packaging(&locks)?) {
        let ours = ours(lock).with_context(|| format!("pylock.{name}.toml"))?;
        let theirs = theirs.map_err(anyhow::Error::msg).context("packaging refuses it")?;
        let theirs = packed(theirs).map_err(anyhow::Error::msg)?;
        ensure!(ours == theirs, "{name}: we {ours:#?}\npackaging {theirs:#?}");
        let has = |package: &str| ours.iter().any(|(name, ..)| name == package);
        ensure!(has("flask") && has("click") && !has("tomli") && !has("colorama"), "{name}: {ours:?}");
        ensure!(has("six") == (*name != "export") && has("iniconfig") == (*name == "all"), "{name}: {ours:?}");
    }
    Ok(())
}
