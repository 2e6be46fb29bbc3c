//! `app.modules`: applications that no build backend builds, and what a wheel lacks of what git tracks. The index is a
//! folder; one test lets setuptools of the real index build.

#[allow(dead_code, reason = "the tests of `init` use more of it")]
mod applications;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the tests of ELF files use more of it")]
#[path = "forge/elf.rs"]
mod forge;
#[allow(dead_code, reason = "the tests of `lock` use more of it")]
#[path = "locking/index.rs"]
mod index;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

use anyhow::ensure;
use applications::{Application, paths_of};
use fs_err as fs;

const LOCK: &str = "flask==3.0\nwerkzeug==3.0\ngunicorn==3.0\npackaging==3.0\n";

fn config(app: &str) -> String {
    format!(
        "[package]\nname = \"shop\"\nrelease = \"1\"\nlicense = \"MIT\"\nbyte-code = false\n[app]\npath = \".\"\n\
         lock = \"requirements.txt\"\n{app}\n[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n[service]\n\
         command = [\"gunicorn\", \"app:app\"]\nport = 8000\ntls = \"off\"\n"
    )
}

const MODULES: &str = "modules = [\"app.py\", \"templates/\", \"run.sh\"]\nversion = \"1.2.0\"";

/// A flat application under git, committed.
fn flat(app: &str) -> anyhow::Result<Application> {
    let made = Application::new(&[
        (".gitignore", "/dist/out/\n/dist/wheels/\n/target/\n/local/\n"),
        ("app.py", "app = 1\n"),
        ("templates/index.html", "<p>\n"),
        ("templates/config.html", "<i>\n"),
        ("run.sh", "#!/bin/sh\n"),
        ("README.md", "# Shop\n"),
        ("LICENSE", "free\n"),
        ("tests/test_app.py", "\n"),
        ("requirements.txt", LOCK),
        ("dist/package.toml", &config(app)),
    ])?;
    made.commit()?;
    made.git(&["update-index", "--chmod=+x", "run.sh"])?;
    made.git(&["commit", "--quiet", "--message", "it runs"])?;
    made.git(&["checkout", "--quiet", "--force", "."])?;
    Ok(made)
}

#[test]
fn an_application_without_packaging_becomes_an_rpm_and_the_same_from_a_clone() -> anyhow::Result<()> {
    let app = flat(MODULES)?;
    let made = app.run(&["dist"])?;
    ensure!(made.succeeded() && !made.stderr.contains("lacks"), "{made}");
    let rpm = app.folder.join("dist/out/shop-1.2.0-1.el9.x86_64.rpm");
    let paths = paths_of(&rpm)?;
    for path in ["app.py", "templates/index.html", "run.sh", "shop-1.2.0.dist-info/METADATA"] {
        ensure!(paths.contains(&format!("/opt/shop/{path}")), "no {path} in {paths:#?}");
    }
    ensure!(paths.contains(&"/usr/share/licenses/shop/shop/LICENSE".to_owned()), "{paths:#?}");
    ensure!(!paths.iter().any(|path| path.contains("README") || path.contains("tests")), "{paths:#?}");
    app.commit()?;
    // What a clone on Windows looks like, and what nobody added to git.
    let clone = app.clone("clone", &["--config", "core.autocrlf=true"])?;
    ensure!(fs::read_to_string(clone.join("app.py"))?.contains("\r\n"), "the clone has no CRLF");
    fs::write(clone.join("templates/new.html"), "new")?;
    let again = app.tool(&clone, &["dist", "--locked"])?;
    ensure!(again.succeeded(), "{again}");
    ensure!(again.stderr.contains("git does not track `templates/new.html`"), "{again}");
    let wheel = "dist/out/shop-1.2.0-py3-none-any.whl";
    ensure!(fs::read(app.folder.join(wheel))? == fs::read(clone.join(wheel))?, "the wheels differ");
    let kept = app.tool(&clone, &["wheel", "-v"])?;
    ensure!(kept.stderr.contains("is up to date"), "{kept}");
    Ok(())
}

/// What is ignored may well be a password: nothing asks for it to be committed but the line that says what it has to be.
#[test]
fn an_ignored_config_file_is_an_error_that_names_the_rule_and_the_way_of_secrets() -> anyhow::Result<()> {
    let app = flat(&format!("{MODULES}\nconfig = [\".env\"]"))?;
    app.write(".env", "SECRET_KEY=x\n")?;
    app.write(".gitignore", "/dist/out/\n/dist/wheels/\n/target/\n.env\n")?;
    app.commit()?;
    let said = app.refused(&["dist"])?;
    ensure!(
        said.contains("ignores the config file `.env` of `app.config`, by `.env` in line 4 of `.gitignore`"),
        "{said}"
    );
    ensure!(said.contains("service.secrets") && !said.contains("!/.env"), "{said}");
    Ok(())
}

#[test]
fn libraries_that_the_application_opens_by_name_are_told_once() -> anyhow::Result<()> {
    let app = flat(MODULES)?;
    let brought = forge::Elf { soname: Some("libbrought.so.1".to_owned()), ..forge::Elf::library() };
    index::write_wheel_with(
        &app.index()?,
        "native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        &["License-Expression: MIT"],
        &[("native.libs/libbrought-1a2b3c4d.so.1", brought.write())],
    )?;
    app.write("requirements.txt", &format!("{LOCK}native==1.0\n"))?;
    app.write("app.py", "from ctypes import CDLL\napp = [CDLL('libmagic.so.1'), CDLL('libbrought.so.1')]\n")?;
    let two = "[[target]]\nname = \"el8-x86_64\"\npython = \"3.11\"\n[[target]]";
    let config = config(MODULES).replace("[[target]]", two);
    let rpm = |config: &str| {
        app.write("dist/package.toml", config)?;
        app.commit()?;
        let made = app.run(&["dist"])?;
        ensure!(made.succeeded(), "{made}");
        Ok(Vec::from_iter(made.stderr.lines().filter(|line| line.contains("opens what")).map(str::to_owned)))
    };
    let expected = "warning: Python code of `shop` opens what neither a wheel nor glibc brings: `libmagic.so.1`; let the RPM \
        require it: `requires = [\"libmagic.so.1()(64bit)\"]` under `[package]`; or, where the application works without: \
        `optional-libraries = [\"libmagic.so.1\"]` (on el8-x86_64 and el9-x86_64)";
    let said = rpm(&config)?;
    ensure!(said == [expected], "{said:#?}");
    let said = rpm(&config.replace("[app]\n", "requires = [\"libmagic.so.1()(64bit)\"]\n[app]\n"))?;
    ensure!(said.is_empty(), "{said:#?}");
    Ok(())
}

/// Python would see one distribution of the two, and miss the entry points of the other.
#[test]
fn a_dependency_with_the_name_of_the_package_is_refused() -> anyhow::Result<()> {
    let app = flat(MODULES)?;
    fs::write(app.folder.join("dist/package.toml"), config(MODULES).replace("\"shop\"", "\"flask\""))?;
    app.commit()?;
    let said = app.run(&["lock"])?;
    let wanted = "`requirements.txt`, line 1: `flask==3.0` has the name of the package itself";
    ensure!(!said.succeeded() && said.stderr.contains(wanted), "{said}");
    ensure!(said.stderr.contains("hint: give the package a name of its own: `name = \"our-flask\"`"), "{said}");
    Ok(())
}

#[test]
fn a_version_comes_from_the_tag() -> anyhow::Result<()> {
    let app = flat(&MODULES.replace("1.2.0", "git"))?;
    let refused = app.refused(&["wheel"])?;
    ensure!(refused.contains("no tag before this commit") && refused.contains("version = \"1.2.0\""), "{refused}");
    app.git(&["tag", "latest"])?;
    app.git(&["tag", "v1.1.0"])?;
    app.git(&["tag", "--annotate", "--message", "x", "1.2.0"])?;
    let wheels = |folder: &camino::Utf8Path| -> anyhow::Result<Vec<String>> {
        let _ = fs::remove_dir_all(folder.join("dist/out"));
        let made = app.tool(folder, &["wheel"])?;
        ensure!(made.succeeded(), "{made}");
        checkout::list(&folder.join("dist/out"))
    };
    ensure!(wheels(&app.folder)? == ["shop-1.2.0-py3-none-any.whl"]);
    // The tag alone is enough where the commit has it.
    ensure!(wheels(&app.clone("tagged", &["--depth", "1", "--branch", "1.2.0"])?)? == ["shop-1.2.0-py3-none-any.whl"]);
    app.write("app.py", "app = 2\n")?;
    app.commit()?;
    app.commit()?;
    let [made] = &wheels(&app.folder)?[..] else { anyhow::bail!("not one wheel") };
    ensure!(
        made.starts_with("shop-1.2.0.post2+g") && made.len() == "shop-1.2.0.post2+g012345678-py3-none-any.whl".len(),
        "{made}"
    );
    let shallow = app.tool(&app.clone("shallow", &["--depth", "2"])?, &["wheel"])?;
    ensure!(shallow.code == Some(2) && shallow.stderr.contains("fetch-depth: 0"), "{shallow}");
    Ok(())
}

#[test]
fn entries_that_git_does_not_have_are_refused_with_the_cure() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let cases = [ // entry       what is said                                       the cure
        ("templats/",  "`templats` is not there",                        "did you mean `templates`?"),
        ("new.py",     "git does not track `new.py`",                    "`git add new.py`"),
        ("local/",     "git ignores `local`, by `/local/` in line 4 of `.gitignore`", "`!/local`"),
        ("empty/",     "`empty` is an empty folder",                     "leave it out"),
        ("lib/",       "`lib` is taken on the box",                      "git mv lib"),
    ];
    for (entry, says, cure) in cases {
        let app = flat(&format!("modules = [\"app.py\", \"{entry}\"]\nversion = \"1\""))?;
        app.write("new.py", "")?;
        app.write("local/a.py", "")?;
        app.write("lib/a.py", "")?;
        fs::create_dir_all(app.folder.join("empty"))?;
        let refused = app.refused(&["wheel"])?;
        ensure!(refused.contains(says) && refused.contains(cure), "{entry}: {refused}");
    }
    Ok(())
}

/// Nothing is asked of an index: there is no lock, and PATH is empty but for git.
#[test]
fn what_cannot_be_packed_is_refused_before_anything_is_fetched() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let cases = [
        ("",                                           "has no `pyproject.toml`"),
        ("[tool.uv]\npackage = false\n",               "`[tool.uv] package = false`"),
        ("[tool.poetry]\npackage-mode = false\n",      "`[tool.poetry] package-mode = false`"),
    ];
    for (pyproject, says) in cases {
        let app = flat("")?;
        if !pyproject.is_empty() {
            app.write("pyproject.toml", pyproject)?;
        }
        app.commit()?;
        for task in ["wheel", "dist"] {
            let refused = app.refused(&[task])?;
            ensure!(refused.contains(says) && !refused.contains("fetched"), "{refused}");
            ensure!(refused.contains("modules = [\"app.py\", \"templates/\"]"), "{refused}");
        }
        ensure!(!app.folder.join("dist/pylock.el9-x86_64.toml").exists(), "it was locked first");
    }
    Ok(())
}

#[test]
fn half_a_lock_and_no_lock_lead_to_one() -> anyhow::Result<()> {
    let app = flat(MODULES)?;
    app.write("requirements.txt", "flask==3.0\ngunicorn==3.0\n")?;
    let refused = app.refused(&["lock"])?;
    ensure!(refused.contains("`flask` requires `werkzeug`, which is missing"), "{refused}");
    ensure!(refused.contains("hint: `cargo xtask lock --upgrade` makes `requirements.txt`"), "{refused}");
    app.write("requirements.txt", "flask\ngunicorn\n")?;
    let refused = app.refused(&["lock"])?;
    ensure!(refused.contains("`flask` is not pinned") && refused.contains("lock --upgrade"), "{refused}");
    fs::rename(app.folder.join("requirements.txt"), app.folder.join("requirements.in"))?;
    let refused = app.refused(&["lock"])?;
    ensure!(refused.contains("is not there") && refused.contains("from `requirements.in`"), "{refused}");
    let made = app.run(&["lock", "--upgrade"])?;
    ensure!(made.succeeded() && app.read("requirements.txt")?.contains("werkzeug==3.0"), "{made}");
    // A lock of another name is made from ranges in `requirements.txt`.
    fs::rename(app.folder.join("requirements.in"), app.folder.join("requirements.txt"))?;
    app.write("dist/package.toml", &config(MODULES).replace("requirements.txt", "requirements.lock.txt"))?;
    let made = app.run(&["lock", "--upgrade"])?;
    ensure!(made.succeeded() && app.read("requirements.lock.txt")?.contains("packaging==3.0"), "{made}");
    ensure!(app.read("requirements.txt")? == "flask\ngunicorn\n", "the ranges were overwritten");
    Ok(())
}

#[test]
fn what_the_wheel_lacks_is_told_with_the_cure() -> anyhow::Result<()> {
    let app = flat("modules = [\"app.py\"]\nversion = \"1\"")?;
    let made = app.run(&["wheel", "--format", "json"])?;
    ensure!(
        made.stderr.contains("warning: git tracks what the application's wheel lacks: `templates/` (2 files)"),
        "{made}"
    );
    ensure!(made.stderr.contains("modules = […, \"templates/\"]"), "{made}");
    let json: serde_json::Value = serde_json::from_str(&made.stdout)?;
    ensure!(json["lacks"] == serde_json::json!(["templates/"]), "{json:#}");
    // Told of what is on disk already, and by the others too.
    for task in [&["wheel"][..], &["lock"], &["rpm"], &["dist"]] {
        let made = app.run(task)?;
        ensure!(made.succeeded() && made.stderr.contains("lacks: `templates/`") == (task[0] != "lock"), "{made}");
    }
    Ok(())
}

/// setuptools finds the package and leaves its data out; it comes from the real index.
#[test]
fn data_that_setuptools_was_not_told_of_is_told() -> anyhow::Result<()> {
    let app = flat("")?;
    let project = "[build-system]\nrequires = [\"setuptools==80.9.0\"]\nbuild-backend = \"setuptools.build_meta\"\n\
                   [project]\nname = \"shop\"\nversion = \"1\"\n[tool.setuptools]\npackages = [\"shop\"]\n";
    for (path, text) in [
        ("pyproject.toml", project),
        ("shop/__init__.py", "X = 1\n"),
        ("shop/templates/a.html", "<p>\n"),
        ("shop/tests/data.json", "{}\n"),
        ("docs/index.rst", "\n"),
    ] {
        app.write(path, text)?;
    }
    app.commit()?;
    let build = |app: &Application| checkout::command::run(&mut checkout::tool_in(&app.folder, &["wheel"]));
    let made = build(&app)?;
    let says = [
        "`app.py`, `shop/templates/` (1 file), `templates/` (2 files)",
        "`shop = [\"templates/**\"]` under `[tool.setuptools.package-data]`",
    ];
    ensure!(made.succeeded() && says.iter().all(|part| made.stderr.contains(part)), "{made}");
    // The cure is one: the data is packed, and no longer told of.
    app.write(
        "pyproject.toml",
        &format!("{project}py-modules = [\"app\"]\n[tool.setuptools.package-data]\nshop = [\"templates/**\"]\n"),
    )?;
    let made = build(&app)?;
    ensure!(made.succeeded() && made.stderr.contains("lacks: `templates/` (2 files)\n"), "{made}");
    Ok(())
}
