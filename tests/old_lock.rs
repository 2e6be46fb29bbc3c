//! A lock of 2020, for the Python that el8 still has.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::unpack::unpack;
use checkout::{Checkout, list, repository, tool_in};
use fs_err as fs;
use serde_json::{Value, json};
use std::process::Command;
use wheelhaul_boxes::Target;
use wheelhaul_engine::tools::build::TargetPython;
use wheelhaul_host::{Sys, Verbosity};
use wheelhaul_pylock::Lock;

mod checkout;

const BEFORE_3_4: &str = "python_version >= '2.7' and python_version not in '3.0, 3.1, 3.2, 3.3'";
const BEFORE_3_5: &str = "python_version >= '2.7' and python_version not in '3.0, 3.1, 3.2, 3.3, 3.4'";
const BEFORE_3_5_AND_4: &str =
    "python_version >= '2.7' and python_version not in '3.0, 3.1, 3.2, 3.3, 3.4' and python_version < '4'";

/// Package, version, marker as tools wrote it then, and the module that is imported.
#[rustfmt::skip]
const PINS: [(&str, &str, &str, &str); 21] = [
    ("certifi",      "2020.6.20", "",               "certifi"),
    ("cffi",         "1.14.3",    "",               "_cffi_backend"),
    ("chardet",      "3.0.4",     "",               "chardet"),
    ("click",        "7.1.2",     BEFORE_3_5,       "click"),
    ("confuse",      "1.3.0",     "",               "confuse"),
    ("cryptography", "3.1.1",     BEFORE_3_5,       "cryptography.hazmat.bindings._openssl"),
    ("flask",        "1.1.2",     "",               "flask"),
    ("idna",         "2.10",      BEFORE_3_4,       "idna"),
    ("itsdangerous", "1.1.0",     BEFORE_3_4,       "itsdangerous"),
    ("jinja2",       "2.11.2",    BEFORE_3_5,       "jinja2"),
    ("lxml",         "4.6.1",     "",               "lxml.etree"),
    ("markupsafe",   "1.1.1",     BEFORE_3_4,       "markupsafe._speedups"),
    ("objectpath",   "0.6.1",     "",               "objectpath"),
    ("pycparser",    "2.20",      BEFORE_3_4,       "pycparser"),
    ("pyopenssl",    "19.1.0",    "",               "OpenSSL"),
    ("pyyaml",       "5.3.1",     "",               "yaml"),
    ("requests",     "2.24.0",    "",               "requests"),
    ("six",          "1.15.0",    BEFORE_3_4,       "six"),
    ("urllib3",      "1.25.11",   BEFORE_3_5_AND_4, "urllib3"),
    // The server, and a package that this Python does not need.
    ("waitress",     "1.4.4",     "",               "waitress"),
    ("werkzeug",     "1.0.1",     BEFORE_3_5,       "werkzeug"),
];

/// Locked for Pythons that this one is not.
const DROPPED: (&str, &str, &str) = ("colorama", "0.4.4", "sys_platform == 'win32' or python_version in '3.0, 3.1'");

const REQUIREMENTS: &str = "app/requirements.txt";
const PIPFILE_LOCK: &str = "app/Pipfile.lock";
/// What PyYAML of 2020 has on Linux is a source distribution, which takes libyaml where its headers are.
const BUILD: &str = "[sdist]\nbuild = [\"pyyaml\"]\nsystem-libraries = [\"libyaml-0.so.2\"]\n";

/// An application with these pins in a repository of its own.
struct Old(Checkout);

impl Old {
    fn new(lock: &str, target: &str, more: &str) -> anyhow::Result<Self> {
        let old = Self(Checkout::new("old-")?);
        let folder = old.0.dir()?;
        fs::remove_dir_all(folder.join("python-app"))?;
        fs::remove_file(folder.join("dist/pylock.el9-x86_64.toml"))?;
        fs::create_dir_all(folder.join("app/old"))?;
        let lines: String = PINS.iter().map(|(name, version, marker, _)| line(name, version, marker)).collect();
        fs::write(folder.join(REQUIREMENTS), lines + &line(DROPPED.0, DROPPED.1, DROPPED.2))?;
        let project = "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\
            [project]\nname = \"old\"\nversion = \"1\"\n[tool.setuptools]\npackages = [\"old\"]\n";
        fs::write(folder.join("app/pyproject.toml"), project)?;
        fs::write(folder.join("app/old/__init__.py"), "import flask\n\napp = flask.Flask(__name__)\n")?;
        old.configure(lock, target, more)?;
        Ok(old)
    }

    fn configure(&self, lock: &str, target: &str, more: &str) -> anyhow::Result<()> {
        let text = format!(
            "[package]\nname = \"old\"\nrelease = \"1\"\n[app]\npath = \"app\"\nlock = \"{lock}\"\n[[target]]\n{target}\n\
             [service]\ncommand = [\"waitress-serve\", \"old:app\"]\nport = 8000\ntls = \"off\"\n{more}"
        );
        fs::write(self.0.dir()?.join("dist/package.toml"), text)?;
        self.0.commit("the application of 2020")
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<Finished> {
        run(&mut tool_in(&self.0.dir()?, words))
    }

    fn lock(&self) -> anyhow::Result<Lock> {
        Lock::parse(&fs::read_to_string(self.0.dir()?.join("dist/pylock.el8-x86_64.toml"))?)
    }
}

fn line(name: &str, version: &str, marker: &str) -> String {
    let marker = if marker.is_empty() { String::new() } else { format!(" ; {marker}") };
    format!("{name}=={version}{marker}\n")
}

/// The same as pipenv wrote it, with the digests of the files that were taken.
fn pipfile_lock(lock: &Lock) -> anyhow::Result<String> {
    let mut default = serde_json::Map::new();
    for (name, version, marker) in PINS.iter().map(|pin| (pin.0, pin.1, pin.2)).chain([DROPPED]) {
        let taken = lock.packages.iter().find(|package| package.name.as_ref() == name);
        let digest = taken.map(|package| package.built_from.as_ref().map_or(&package.sha256, |built| &built.sha256));
        let mut entry = json!({"index": "pypi", "version": format!("=={version}")});
        entry["hashes"] = digest.map(|digest| format!("sha256:{digest}")).into_iter().collect();
        if !marker.is_empty() {
            entry["markers"] = marker.into();
        }
        default.insert(name.to_owned(), entry);
    }
    let meta = json!({"pipfile-spec": 6, "requires": {"python_version": "3.6"}, "sources": []});
    let whole: Value = json!({"_meta": meta, "default": default, "develop": {}});
    Ok(serde_json::to_string_pretty(&whole)?)
}

#[test]
#[ignore = "needs a CPython 3.6, which no registry has; `cargo xtask ci` runs it where the PATH or pyenv has one"]
fn a_lock_of_2020_is_packed_for_el8_and_runs_on_its_python() -> anyhow::Result<()> {
    let sys = Sys { root: repository().canonicalize_utf8()?, verbosity: Verbosity::Normal, offline: false };
    let python = TargetPython::find(&sys, &Target::find("el8-x86_64", None, None)?)?.path().to_owned();
    let old = Old::new(REQUIREMENTS, "name = \"el8-x86_64\"", BUILD)?;
    let locked = old.run(&["lock", "-v"])?;
    ensure!(locked.succeeded(), "{locked}");
    ensure!(locked.stdout.contains("21 packages, 1 dropped"), "{locked}");
    ensure!(locked.stderr.contains("dropped colorama 0.4.4"), "{locked}");
    let from_requirements = old.lock()?;
    let built: Vec<&str> =
        from_requirements.packages.iter().filter(|p| p.built_from.is_some()).map(|p| p.name.as_ref()).collect();
    ensure!(built == ["pyyaml"], "built from source: {built:?}");

    let folder = old.0.dir()?;
    fs::write(folder.join(PIPFILE_LOCK), pipfile_lock(&from_requirements)?)?;
    old.configure(PIPFILE_LOCK, "name = \"el8-x86_64\"", BUILD)?;
    let locked = old.run(&["lock"])?;
    ensure!(locked.succeeded() && locked.stdout.contains("21 packages, 1 dropped"), "{locked}");
    ensure!(old.lock()?.packages == from_requirements.packages, "Pipfile.lock and requirements give other files");
    old.0.commit("locked")?;

    let made = old.run(&["dist", "--locked", "--offline"])?;
    ensure!(made.succeeded(), "{made}");
    let verified = old.run(&["verify"])?;
    ensure!(verified.succeeded(), "{verified}");
    let rpm = folder.join("dist/out/old-1.0.0-1.el8.x86_64.rpm");
    let root = folder.join("root");
    unpack(&rpm, &root)?;
    let library = list(&root.join("opt/old/lib"))?;
    for (name, version, ..) in PINS {
        let info = format!("{}-{version}.dist-info", name);
        ensure!(library.iter().any(|folder| folder.eq_ignore_ascii_case(&info)), "no `{info}` in {library:?}");
    }
    // Its C part is there where the headers of libyaml were.
    let more = if from_requirements.requires().iter().all(|need| need.library() != "libyaml-0.so.2") {
        &["old"][..]
    } else {
        &["old", "_yaml"]
    };
    imports_all(&python, &root, more)
}

/// Starts the package's launcher as the unit does, in a mount namespace in which `/opt` has the package too.
///
/// - Takes: `more`, modules beside those of [`PINS`].
fn imports_all(python: &Utf8Path, root: &Utf8Path, more: &[&str]) -> anyhow::Result<()> {
    const IN_PLACE: &str = "mount -t overlay overlay -o \"lowerdir=$1:/opt\" /opt && shift && exec \"$@\"";
    let script: Utf8PathBuf = repository().canonicalize_utf8()?.join("tests/python/import_all.py");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", IN_PLACE, "sh"]).arg(root.join("opt"));
    command.arg(python).args(["-ISB", "/opt/old/bin/python", script.as_str()]);
    command.args(PINS.iter().map(|pin| pin.3)).args(more);
    let said = run(&mut command)?.text().context("the packages do not run")?;
    println!("{said}");
    let foreign: Vec<&str> = said
        .lines()
        .filter(|line| !line.split_once(' ').is_some_and(|(_, file)| file.starts_with("/opt/old/")))
        .collect();
    ensure!(foreign.is_empty(), "not from the package: {foreign:?}");
    ensure!(said.lines().count() == PINS.len() + more.len(), "{said}");
    Ok(())
}

#[test]
fn a_lock_of_2020_does_not_fit_a_newer_python_and_every_package_is_named() -> anyhow::Result<()> {
    let old = Old::new(REQUIREMENTS, "name = \"el9-x86_64\"\npython = \"3.11\"", "")?;
    let refused = old.run(&["lock"])?;
    ensure!(refused.code == Some(2), "{refused}");
    insta::assert_snapshot!("el9", refused.stderr);
    ensure!(!old.0.dir()?.join("dist/pylock.el9-x86_64.toml").exists(), "a lock was written");
    Ok(())
}
