//! What is wrong with `dist/package.toml` and the files that it names is told at once, by every task alike, before
//! anything is fetched or built.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;

use camino::Utf8Path;
use checkout::command::{Finished, run};
use checkout::{Checkout, tool_in};
use fs_err as fs;

const TASKS: [&[&str]; 6] =
    [&["lock"], &["lock", "--check"], &["wheel"], &["rpm"], &["rpm", "--spec-only"], &["dist", "--no-sign"]];

/// Runs a task on a host without uv, pip and a network: what asks for them fails in another way.
fn tool(folder: &Utf8Path, words: &[&str]) -> Finished {
    let mut command = tool_in(folder, words);
    command.env("UV_OFFLINE", "1").env("PIP_NO_INDEX", "1").env("COLUMNS", "100");
    run(&mut command).unwrap()
}

/// Changes a text in a file; without one, removes the file.
fn change(folder: &Utf8Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    if from.is_empty() {
        return fs::write(&path, to).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "`{from}` is not in `{file}`:\n{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

/// A file, what is replaced in it by what; and what is in the error and its hint.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const PACKAGE: &str = "dist/package.toml";
const PROJECT: &str = "python-app/pyproject.toml";

#[rustfmt::skip]
const CASES: &[Case] = &[
    (PACKAGE, "port = 9091", "",                                     "key `service.port` is missing",                     "write `port = 8000`"),
    (PACKAGE, "port = 9091", "port = \"9091\"",                      "line 16: key `service.port` is the text",           "line 16: write `port = 9091`"),
    (PACKAGE, "[\"gunicorn\", \"src.app:app\"]", "\"gunicorn src.app:app\"", "key `service.command` is the text",         "write `command = [\"gunicorn\", \"src.app:app\"]`"),
    (PACKAGE, "\"python-app\"", "\"pythonapp\"",                     "key `app.path` of `dist/package.toml`: there is no folder `pythonapp`", "write `path = \"python-app\"`"),
    (PACKAGE, "\"python-app\"", "\"python-app/src\"",                "`python-app/src` has no `pyproject.toml`",          "modules = [\"__init__.py\", \"app.py\""),
    (PACKAGE, "\"python-app\"", "\"python-app/pyproject.toml\"",     "`python-app/pyproject.toml` is a file",             "write `path = \"python-app\"`"),
    (PACKAGE, "python-app/Pipfile.lock", "python-app/uv.lock",       "key `app.lock` of `dist/package.toml`: the team's lock `python-app/uv.lock` is not there", "write `lock = \"python-app/Pipfile.lock\"`"),
    (PACKAGE, "python-app/Pipfile.lock", "Pipfile.lock",             "`Pipfile.lock` is not there",                       "write `lock = \"python-app/Pipfile.lock\"`"),
    (PACKAGE, "python-app/Pipfile.lock", "python-app",               "`python-app` is a folder",                          "write `lock = \"python-app/Pipfile.lock\"`"),
    (PACKAGE, "config.yaml", "confg.yaml",                           "the config file `confg.yaml` cannot be read",       "did you mean `config = [\"config.yaml\"]`?"),
    (PACKAGE, "config.yaml", "python-app/config.yaml",               "`python-app/config.yaml` cannot be read",           "write `config = [\"config.yaml\"]`"),
    (PACKAGE, "config.yaml\"]", "config.yaml\"]\nextras = [\"web\"]", "key `app.extras` of `dist/package.toml`: ",          "leave it out of `app.extras`"),
    (PACKAGE, "config.yaml\"]", "config.yaml\"]\ngroups = [\"devlop\"]", "key `app.groups` of `dist/package.toml`: the lock has no group `devlop`", "known groups: dev-packages"),
    (PACKAGE, "\"gunicorn\"", "\"gunicron\"",                        "`gunicron` is not a program",                       "did you mean `gunicorn`? write `command = [\"gunicorn\", \"src.app:app\"]`"),
    (PACKAGE, "\"gunicorn\"", "\"hypercorn\"",                       "`hypercorn` is not locked: `python-app/Pipfile.lock` has no `hypercorn`", "add it: `pipenv install hypercorn`; or start what is locked: `command = [\"gunicorn\", \"src.app:app\"]`"),
    (PACKAGE, "\"src.app:app\"]", "\"src.app:app\", \"--daemon\"]", "key `service.command`: `--daemon` puts the server into the background", "leave it out"),
    (PACKAGE, "src.app:app", "src.apps:app",                         "the application has no module `src.apps`",          "did you mean `src.app:…`?"),
    (PACKAGE, "src.app:app", "app:app",                              "the application has no module `app`",               "did you mean `src.app:…`?"),
    (PACKAGE, "el9-x86_64", "el9",                                   "line 10: `[[target]]` `el9`: unknown target `el9`", "did you mean `el9-x86_64`?"),
    (PACKAGE, "python = \"3.11\"", "python = 3.11",                  "key `target.python` is the number 3.11",            "write `python = \"3.11\"`"),
    (PROJECT, "requires-python = \">=3.9\"", "requires-python = \">=3.12\"", "`python-app/pyproject.toml` says `requires-python = \">=3.12\"`, and the target `el9-x86_64` has Python 3.11", "write `python = \"3.14\"` under `[[target]]` `el9-x86_64`"),
    (PROJECT, "requires-python = \">=3.9\"", "requires-python = \"3.9 or newer\"", "`requires-python = \"3.9 or newer\"` is not a set of versions", "write it such as `requires-python = \">=3.9\"`"),
    (PROJECT, "[project]", "[project",                               "`python-app/pyproject.toml` cannot be read: line",                 "correct `pyproject.toml`"),
];

#[test]
fn each_is_told_by_every_task_before_anything_is_fetched() {
    let sample = Checkout::new("early-").unwrap();
    let folder = sample.dir().unwrap();
    let _ = fs::remove_dir_all(folder.join("dist/wheels"));
    for (file, from, to, says, cure) in CASES {
        let before = fs::read(folder.join(file)).unwrap();
        change(&folder, file, from, to);
        for words in TASKS {
            let refused = tool(&folder, words);
            assert_eq!(refused.code, Some(2), "{to} {words:?}: {refused}");
            assert!(refused.stderr.contains(says), "{to} {words:?}: {refused}");
            let hints = refused.stderr.split_once("hint:").map_or("", |(_, hints)| hints);
            assert!(hints.contains(cure), "{to} {words:?}: {refused}");
            for raw in ["TOML parse error", "invalid type", "missing field", "unknown field", "untagged", "os error 21"]
            {
                assert!(!refused.stderr.contains(raw), "{to} {words:?}: {refused}");
            }
        }
        fs::write(folder.join(file), before).unwrap();
    }
    assert!(!folder.join("dist/wheels").exists() && !folder.join("dist/out").exists());
    assert_eq!(tool(&folder, &["lock", "--check"]).code, Some(0));
}

#[test]
fn a_lock_that_is_still_to_be_made_is_told_with_the_command_that_makes_it() {
    let sample = Checkout::new("early-").unwrap();
    let folder = sample.dir().unwrap();
    change(&folder, PACKAGE, "python-app/Pipfile.lock", "python-app/requirements.lock.txt");
    for (name, says) in [
        // Another lock that is there is more likely what was meant.
        ("requirements.in", "write `lock = \"python-app/Pipfile.lock\"`"),
        (
            "requirements.txt",
            "`cargo xtask lock --upgrade` makes `python-app/requirements.lock.txt` from `python-app/requirements.txt`",
        ),
    ] {
        fs::write(folder.join("python-app").join(name), "flask\ngunicorn\n").unwrap();
        let refused = tool(&folder, &["dist"]);
        assert_eq!(refused.code, Some(2), "{name}: {refused}");
        assert!(refused.stderr.contains(says), "{name}: {refused}");
        for gone in ["requirements.in", "Pipfile", "Pipfile.lock", "pyproject.toml"] {
            let _ = fs::remove_file(folder.join("python-app").join(gone));
        }
        sample.commit("without them").unwrap();
    }
}

/// gunicorn's configuration file counts where it goes on the box, and by its plain values.
#[test]
fn what_gunicorn_reads_is_judged_where_it_goes_on_the_box() {
    let sample = Checkout::new("early-").unwrap();
    let folder = sample.dir().unwrap();
    let settings = "python-app/gunicorn.conf.py";
    fs::write(folder.join(settings), "workers = 4\ndaemon = True\npidfile = 'web.pid'\n").unwrap();
    sample.commit("settings of gunicorn").unwrap();
    // No backend packs it.
    assert_eq!(tool(&folder, &["lock", "--check"]).code, Some(0));
    change(&folder, PACKAGE, "config.yaml\"]", "config.yaml\", \"gunicorn.conf.py\"]");
    let refused = tool(&folder, &["lock"]);
    assert_eq!(refused.code, Some(2), "{refused}");
    for says in
        ["`daemon = True` puts the server into the background", "`pidfile = web.pid` writes where the service cannot"]
    {
        let says = format!("`gunicorn.conf.py`, which gunicorn reads: {says}");
        assert!(refused.stderr.contains(&says), "{refused}");
    }
    assert!(refused.stderr.contains("set `RuntimeDirectory = \"quality_report\"`"), "{refused}");
    change(
        &folder,
        settings,
        "daemon = True\npidfile = 'web.pid'",
        "daemon = False\npidfile = '/var/lib/quality_report/web.pid'",
    );
    let taken = tool(&folder, &["lock", "--check"]);
    assert!(!taken.stderr.contains("gunicorn reads"), "{taken}");
    change(&folder, PACKAGE, "\"src.app:app\"]", "\"src.app:app\", \"--config\", \"src/server.py\"]");
    fs::write(folder.join("python-app/src/server.py"), "user = 'www-data'\n").unwrap();
    let refused = tool(&folder, &["lock"]);
    assert!(
        refused.stderr.contains("`src/server.py`, which gunicorn reads: `user = www-data` names another account"),
        "{refused}"
    );
}

#[test]
fn all_of_them_are_told_at_once() {
    let sample = Checkout::new("early-").unwrap();
    let folder = sample.dir().unwrap();
    for (from, to) in [
        ("config.yaml", "config.yml"),
        ("port = 9091", "prot = 9091"),
        ("Pipfile.lock", "uv.lock"),
        ("src.app:app", "src.apps:app"),
        ("release = \"1\"", "workers = 4"),
    ] {
        change(&folder, PACKAGE, from, to);
    }
    change(&folder, PROJECT, ">=3.9", ">=3.12");
    let place = folder.canonicalize_utf8().unwrap();
    let shown = |words: &[&str]| tool(&folder, words).stderr.replace(place.as_str(), "[folder]");
    insta::assert_snapshot!("mistakes", shown(&["lock"]));
    // What is wrong around a file without mistakes.
    change(&folder, PACKAGE, "prot = 9091", "port = 9091");
    change(&folder, PACKAGE, "workers = 4", "");
    insta::assert_snapshot!("around", shown(&["rpm"]));
}

#[test]
fn the_python_that_a_lock_is_for_is_told_with_one_that_will_do() {
    let sample = Checkout::new("early-").unwrap();
    let folder = sample.dir().unwrap();
    change(&folder, PACKAGE, "Pipfile.lock", "pylock.toml");
    let lock = "lock-version = \"1.0\"\ncreated-by = \"test\"\nrequires-python = \">=3.12,<3.14\"\n[[packages]]\nname = \"gunicorn\"\n\
        version = \"1\"\n[[packages.wheels]]\nname = \"gunicorn-1-py3-none-any.whl\"\nurl = \"https://index.example/gunicorn-1-py3-none-any.whl\"\n\
        hashes = { sha256 = \"DIGEST\" }\n";
    change(&folder, "python-app/pylock.toml", "", &lock.replace("DIGEST", &"0".repeat(64)));
    for words in TASKS {
        let refused = tool(&folder, words);
        assert_eq!(refused.code, Some(2), "{words:?}: {refused}");
        assert!(refused.stderr.contains("the lock `python-app/pylock.toml` is for Python"), "{words:?}: {refused}");
        assert!(
            refused.stderr.contains("write `python = \"3.12\"` under `[[target]]` `el9-x86_64`"),
            "{words:?}: {refused}"
        );
    }
}

#[test]
fn another_version_that_is_required_is_told_before_all_else() {
    let sample = Checkout::new("required-").unwrap();
    let folder = sample.dir().unwrap();
    change(&folder, PACKAGE, "[package]", "required-version = \">=9,<10\"\n[[new-in-nine]]\n[package]\nnew-key = 1");
    let tasks: [&[&str]; 9] = [
        &["lock"],
        &["wheel"],
        &["rpm"],
        &["dist"],
        &["verify"],
        &["verify", "any.rpm"],
        &["target"],
        &["schema"],
        &["a-task-of-version-nine", "--with", "flags"],
    ];
    for words in tasks {
        let refused = tool(&folder, words);
        assert_eq!(refused.code, Some(2), "{words:?}: {refused}");
        let version = env!("CARGO_PKG_VERSION");
        let says = format!("error: `dist/package.toml` requires wheelhaul >=9,<10 (line 1), and this is {version}\n");
        assert!(refused.stderr.starts_with(&says), "{words:?}: {refused}");
        assert!(refused.stderr.contains("hint: in `xtask/Cargo.toml`, name a version"), "{words:?}: {refused}");
        let elsewhere = tempfile::tempdir().unwrap();
        let elsewhere = Utf8Path::from_path(elsewhere.path()).unwrap();
        let words: Vec<&str> = words.iter().copied().chain(["-C", folder.as_str()]).collect();
        assert!(tool(elsewhere, &words).stderr.starts_with(&says), "{words:?}");
    }
    fs::create_dir_all(folder.join("xtask")).unwrap();
    change(
        &folder,
        "xtask/Cargo.toml",
        "",
        "[dependencies]\nwheelhaul = { git = \"https://git.example/w\", tag = \"v0.2.0\" }\n",
    );
    let refused = tool(&folder, &["lock"]);
    assert!(refused.stderr.contains("hint: line 2 of `xtask/Cargo.toml`: change `tag`"), "{refused}");
    // One that is met, and one that is nothing.
    change(&folder, PACKAGE, ">=9,<10\"\n[[new-in-nine]]\n[package]\nnew-key = 1", ">=0.2\"\n[package]");
    assert_eq!(tool(&folder, &["lock", "--check"]).code, Some(0));
    change(&folder, PACKAGE, "\">=0.2\"", "0.2");
    let refused = tool(&folder, &["lock", "--check"]);
    assert!(
        refused.code == Some(2) && refused.stderr.contains("line 1: key `required-version`: 0.2 is not a text"),
        "{refused}"
    );
}

#[test]
fn completions_are_for_the_program_and_need_no_repository() {
    let nowhere = tempfile::tempdir().unwrap();
    let nowhere = Utf8Path::from_path(nowhere.path()).unwrap();
    // The tests start the program as `cargo xtask` does.
    let refused = tool(nowhere, &["completions", "bash"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("`wheelhaul completions SHELL`"), "{refused}");
}
