//! `init`: what is found in repositories of many shapes, and that what is written works. The index is a folder.

mod applications;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the tests of `lock` use more of it")]
#[path = "locking/index.rs"]
mod index;
#[path = "init/shapes.rs"]
mod shapes;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

use anyhow::{Context as _, ensure};
use applications::{Application, GITHUB_PYTHON, paths_of};
use camino::Utf8Path;
use checkout::command::run;
use fs_err as fs;
use shapes::{SHAPES, Shape};
use std::process::Command;
use wheelhaul_config::Config;

const PINS: &str = "flask==3.0\nwerkzeug==3.0\ngunicorn==3.0\npackaging==3.0\n";
const FLASK: &str = "from flask import Flask\napp = Flask(__name__)\n";

fn flat(ignore: &str) -> anyhow::Result<Application> {
    Application::new(&[
        (".gitignore", ignore),
        ("app.py", FLASK),
        ("templates/index.html", "<p>\n"),
        ("requirements.txt", PINS),
        ("README.md", "# Shop\n"),
    ])
}

fn parsed(app: &Application) -> anyhow::Result<Config> {
    let text = app.read("dist/package.toml")?;
    Config::parse(&text).with_context(|| text)
}

/// Runs `init` in a repository of the shape, without an index.
fn check(shape: &Shape) -> anyhow::Result<()> {
    let app = Application::new(shape.files)?;
    app.commit()?;
    let folder = app.folder.join(shape.below);
    let made = app.tool(&folder, &["init", "--yes", "--offline", "--format", "json"])?;
    ensure!(made.succeeded(), "{made}");
    let config = parsed(&app)?;
    let text = app.read("dist/package.toml")?;
    let modules =
        config.app.modules().map(|modules| modules.entries.iter().map(|module| module.0.to_string()).collect());
    let modules: Vec<String> = modules.unwrap_or_default();
    let expected: Vec<&str> = shape.modules.iter().map(|module| module.trim_end_matches('/')).collect();
    ensure!(modules == expected, "modules are {modules:?}\n{text}");
    ensure!([config.app.path.as_str(), config.app.lock.as_str()] == shape.places, "places\n{text}");
    ensure!(config.service.command.join(" ") == shape.command, "the command\n{text}");
    ensure!(config.targets[0].python.as_deref() == Some(shape.python), "the Python\n{text}");
    let told: serde_json::Value = serde_json::from_str(&made.stdout)?;
    let notes = told["notes"].as_array().context("notes")?.iter();
    let notes: Vec<String> = notes.map(|note| format!("{}: {}", note["what"], note["cure"])).collect();
    ensure!(notes.len() == shape.notes.len(), "told was {notes:#?}");
    for part in shape.notes {
        ensure!(notes.iter().any(|note| note.contains(part)), "not told: {part}, but {notes:#?}");
    }
    Ok(())
}

#[test]
fn repositories_of_every_shape_get_a_configuration_that_is_accepted() {
    let mut faults = Vec::new();
    for shape in SHAPES {
        if let Err(error) = check(shape) {
            faults.push(format!("{}: {error:#}", shape.name));
        }
    }
    assert!(SHAPES.len() >= 20 && faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn nothing_at_all_is_said_and_nothing_is_written() -> anyhow::Result<()> {
    let app = Application::new(&[("README.md", "")])?;
    let refused = app.refused(&["init", "--yes"])?;
    ensure!(refused.contains("there is no Python application in `[folder]`"), "{refused}");
    ensure!(checkout::list(&app.folder)? == ["README.md"]);
    Ok(())
}

/// The main job: from a flat folder under GitHub's ignore file, through a clone, to an RPM with its template.
#[test]
fn a_flat_application_under_the_usual_ignore_file_is_packed_from_a_clone() -> anyhow::Result<()> {
    let app = flat(GITHUB_PYTHON)?;
    let made = app.run(&["init", "--yes"])?;
    ensure!(made.succeeded(), "{made}");
    ensure!(made.stdout.contains("git init") && made.stdout.contains("nothing is committed yet"), "{made}");
    insta::assert_snapshot!("init_said", made.stdout);
    insta::assert_snapshot!("init_package", app.read("dist/package.toml")?);
    app.commit()?;
    let clone = app.clone("clone", &[])?;
    ensure!(clone.join("dist/package.toml").is_file() && clone.join("templates/index.html").is_file());
    let locked = app.tool(&clone, &["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    // The lock is committed, and what is made is not.
    checkout::git(&clone, &["add", "--all"])?;
    checkout::git(&clone, &["commit", "--quiet", "--message", "locks"])?;
    let tracked = run(Command::new("git").args(["-C", clone.as_str(), "ls-files", "dist", "target"]))?.text()?;
    ensure!(tracked == "dist/package.toml\ndist/pylock.el9-x86_64.toml", "{tracked}");
    let again = app.clone_of(&clone, "second")?;
    let dist = app.tool(&again, &["dist", "--locked"])?;
    ensure!(dist.succeeded() && !dist.stderr.contains("lacks"), "{dist}");
    let paths = paths_of(&again.join("dist/out/shop-0.1.0-1.el9.x86_64.rpm"))?;
    for path in ["app.py", "templates/index.html", "bin/gunicorn", "lib/flask.py"] {
        ensure!(paths.contains(&format!("/opt/shop/{path}")), "no {path} in {paths:#?}");
    }
    Ok(())
}

/// git itself says what it would add, whatever stands in the ignore file before.
#[test]
fn git_adds_the_configuration_and_the_locks_and_nothing_that_is_made() -> anyhow::Result<()> {
    for ignore in [
        GITHUB_PYTHON,
        "",
        "dist\n",
        "*.toml\n",
        "/dist/\n",
        "dist/*\n",
        "**/dist/**\n",
        "*\n!*.py\n",
        ".cargo/\nxtask/\n",
    ] {
        let app = flat(ignore)?;
        app.git(&["init", "--quiet"])?;
        let made = app.run(&["init", "--yes", "--offline", "--cargo", "--hook", "--ci", "github"])?;
        ensure!(made.succeeded(), "{ignore:?}: {made}");
        for path in
            ["dist/pylock.el9-x86_64.toml", "dist/out/a.rpm", "dist/wheels/a.whl", "dist/rpmbuild/a", "target/debug/a"]
        {
            app.write(path, "x")?;
        }
        app.git(&["add", "--all"])?;
        let tracked = run(Command::new("git").args(["-C", app.folder.as_str(), "ls-files"]))?.text()?;
        let tracked: Vec<&str> = tracked.lines().collect();
        for path in [
            ".cargo/config.toml",
            ".github/workflows/rpm.yml",
            ".gitignore",
            ".pre-commit-config.yaml",
            "Cargo.toml",
            "dist/package.toml",
            "dist/pylock.el9-x86_64.toml",
            "xtask/Cargo.toml",
            "xtask/src/main.rs",
        ] {
            ensure!(tracked.contains(&path), "{ignore:?}: no {path} in {tracked:?}");
        }
        ensure!(
            !tracked
                .iter()
                .any(|path| path.contains("out/") || path.contains("wheels/") || path.starts_with("target/")),
            "{ignore:?}: {tracked:?}"
        );
    }
    Ok(())
}

#[test]
fn what_is_there_is_never_overwritten() -> anyhow::Result<()> {
    let app = flat("")?;
    let files = [
        ("dist/package.toml", "mine\n"),
        (".pre-commit-config.yaml", "repos: []\n"),
        (".github/workflows/rpm.yml", "mine\n"),
        ("Cargo.toml", "[workspace]\nmembers = [\"other\"]\n"),
        (".cargo/config.toml", "[alias]\nx = \"run\"\n"),
    ];
    for (path, text) in files {
        app.write(path, text)?;
    }
    let made = app.run(&["init", "--yes", "--offline", "--cargo"])?;
    ensure!(made.succeeded(), "{made}");
    for (path, text) in files {
        ensure!(app.read(path)? == text && made.stdout.contains(&format!("left {path} as it is")), "{path}: {made}");
    }
    ensure!(
        made.stdout.contains("id: wheelhaul-lock-check") && made.stdout.contains("members = [\"xtask\"]"),
        "{made}"
    );
    // What is there already as it would be written is no matter; a second run adds nothing.
    let ignore = app.read(".gitignore")?;
    let again = app.run(&["init", "--yes", "--offline", "--cargo"])?;
    ensure!(again.succeeded() && app.read(".gitignore")? == ignore && !again.stdout.contains("wrote"), "{again}");
    Ok(())
}

/// GitHub's file ignores every `lib/` and `dist/`: libraries of scripts, below `static/`, too.
#[test]
fn what_git_ignores_and_the_application_needs_is_told() -> anyhow::Result<()> {
    let app = flat(GITHUB_PYTHON)?;
    for path in [
        "static/a.css",
        "static/lib/jquery.js",
        "locale/de/LC_MESSAGES/a.mo",
        "locale/de/LC_MESSAGES/a.po",
        "instance/a.db",
        "__pycache__/a.pyc",
        "build/x",
        "tests/lib/x",
    ] {
        app.write(path, "x")?;
    }
    app.commit()?;
    let made = app.run(&["init", "--yes", "--offline"])?;
    ensure!(made.stdout.contains("is not packed: `locale/de/LC_MESSAGES/a.mo`, `static/lib/`\n"), "{made}");
    ensure!(made.stdout.contains("`!/locale/de/LC_MESSAGES/a.mo` at the end of `.gitignore`"), "{made}");
    // The cure is one: `wheel` tells what is in git now, and is not packed yet.
    app.write(".gitignore", &format!("{}!/static/lib/\n!/locale/de/LC_MESSAGES/a.mo\n", app.read(".gitignore")?))?;
    app.commit()?;
    let made = app.run(&["wheel"])?;
    ensure!(made.succeeded() && made.stderr.contains("lacks: `locale/` (1 file)\n"), "{made}");
    fs::remove_file(app.folder.join("dist/package.toml"))?;
    let made = app.run(&["init", "--yes", "--offline"])?;
    ensure!(!made.stdout.contains("git ignores"), "{made}");
    Ok(())
}

/// A link is left as one: another folder's file would not be the repository's.
#[test]
fn a_link_is_not_replaced() -> anyhow::Result<()> {
    let app = flat("")?;
    fs::rename(app.folder.join(".gitignore"), app.folder.join("ignored.txt"))?;
    fs::os::unix::fs::symlink("ignored.txt", app.folder.join(".gitignore"))?;
    let made = app.run(&["init", "--yes", "--offline"])?;
    ensure!(made.succeeded() && made.stdout.contains("left .gitignore as it is; add to it:\n    # RPMs"), "{made}");
    ensure!(app.folder.join(".gitignore").is_symlink() && app.read("ignored.txt")?.is_empty());
    Ok(())
}

#[test]
fn without_a_terminal_it_shows_and_writes_nothing() -> anyhow::Result<()> {
    let app = flat("")?;
    let refused = app.refused(&["init", "--offline"])?;
    ensure!(
        refused.contains("── dist/package.toml") && refused.contains("hint: `--yes` writes what is shown"),
        "{refused}"
    );
    ensure!(!app.folder.join("dist").exists());
    Ok(())
}

/// The newest Python of the box for which every package has a file, by the index; without one, the newest.
#[test]
fn the_index_says_which_python_the_lock_is_for() -> anyhow::Result<()> {
    let app = flat("")?;
    app.commit()?;
    app.write("requirements.txt", &format!("{PINS}fast==1.0\n"))?;
    let index = app.index()?;
    for tags in ["cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp314-cp314-win_amd64"] {
        index::write_wheel(&index, &format!("fast-1.0-{tags}.whl"), &["License-Expression: MIT"])?;
    }
    let made = app.run(&["init", "--yes"])?;
    ensure!(made.succeeded(), "{made}");
    ensure!(parsed(&app)?.targets[0].python.as_deref() == Some("3.12"), "{}", app.read("dist/package.toml")?);
    fs::remove_file(app.folder.join("dist/package.toml"))?;
    let made = app.run(&["init", "--yes", "--offline", "--target", "el8-x86_64"])?;
    let config = parsed(&app)?;
    ensure!(config.targets[0].name == "el8-x86_64" && config.targets[0].python.as_deref() == Some("3.12"), "{made}");
    Ok(())
}

#[test]
fn in_a_subfolder_it_is_set_up_for_the_repository() -> anyhow::Result<()> {
    let app = Application::new(&[
        ("a/app.py", FLASK),
        ("a/requirements.txt", PINS),
        ("b/app.py", FLASK),
        ("b/requirements.txt", PINS),
    ])?;
    app.commit()?;
    let made = app.tool(&app.folder.join("b"), &["init", "--yes", "--offline"])?;
    ensure!(made.succeeded() && parsed(&app)?.app.path == "b", "{made}");
    // The second application has the configuration in its folder, and the tool works there.
    let made = app.tool(&app.folder.join("a"), &["init", "--yes", "--offline"])?;
    ensure!(made.succeeded(), "{made}");
    let config = Config::parse(&app.read("a/dist/package.toml")?)?;
    ensure!(config.app.path == "." && config.app.lock == "requirements.txt", "{made}");
    app.commit()?;
    for (folder, name) in [("a", "a"), ("b", "b")] {
        let made = app.tool(&app.folder.join(folder), &["wheel"])?;
        ensure!(made.succeeded() && made.stdout.contains(&format!("{name}-0.1.0-py3-none-any.whl")), "{made}");
    }
    Ok(())
}

/// An answer to each question, on a terminal that `script` makes.
#[test]
fn on_a_terminal_it_asks() -> anyhow::Result<()> {
    let app = flat("")?;
    let line = format!("{} -C {} init --offline", env!("CARGO_BIN_EXE_started"), app.folder);
    let talk = |answers: &str| {
        let feed = format!("printf '{answers}' | script --quiet --return --command '{line}' /dev/null");
        run(Command::new("sh").args(["-c", &feed]))
    };
    let refused = talk("el9-x86_64\\nno\\n")?;
    ensure!(
        refused.stdout.contains("which box is it for?") && refused.stdout.contains("nothing was written"),
        "{refused}"
    );
    ensure!(!app.folder.join("dist").exists());
    let made = talk("el10-x86_64\\n\\n")?;
    ensure!(made.succeeded() && parsed(&app)?.targets[0].name == "el10-x86_64", "{made}");
    Ok(())
}

/// What `--cargo` writes is a workspace that cargo takes, with this tool by its place.
#[test]
fn the_small_xtask_is_a_workspace() -> anyhow::Result<()> {
    let app = flat("")?;
    let library = app.folder.join("../wheelhaul");
    fs::create_dir_all(library.join("src"))?;
    fs::write(
        library.join("Cargo.toml"),
        "[package]\nname = \"wheelhaul\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    fs::write(
        library.join("src/lib.rs"),
        "pub fn main(_: &str) -> std::process::ExitCode {\n    println!(\"it ran\");\n    std::process::ExitCode::SUCCESS\n}\n",
    )?;
    let made = app.run(&["init", "--yes", "--offline", "--cargo", "--from", "../../wheelhaul"])?;
    ensure!(made.succeeded(), "{made}");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["xtask", "dist"])
        .current_dir(&app.folder)
        .env_remove("CARGO_TARGET_DIR")
        .env("CARGO_NET_OFFLINE", "true");
    let ran = run(&mut cargo)?;
    ensure!(ran.succeeded() && ran.stdout == "it ran\n", "{ran}");
    // Profiles for crates that this library does not have are no matter of a warning.
    ensure!(Utf8Path::new(&app.folder.join("Cargo.lock")).is_file());
    Ok(())
}
