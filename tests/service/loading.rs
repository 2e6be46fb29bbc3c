//! What `rpm -V` says of compiled modules: real packages that are imported in odd ways, whole and damaged.

use crate::checkout::command::run;
use crate::installers::{Tools, wheels_in};
use anyhow::{Context, ensure};
use camino::Utf8Path;
use fs_err as fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use wheelhaul_boxes::Target;
use wheelhaul_package::templates;

/// psycopg_binary refuses to be imported before psycopg; modules in debugpy are imported by another name, and some of its
/// libraries are none; markupsafe works without its compiled module.
const PINS: [&str; 5] =
    ["debugpy==1.8.22", "markupsafe==3.0.4", "psycopg-binary==3.3.5", "psycopg==3.3.5", "typing-extensions==4.16.0"];

/// A user that every host has; root becomes it.
const USER: &str = "daemon";

fn check(root: &Utf8Path) -> anyhow::Result<(bool, String)> {
    let values = minijinja::context! {
        name => USER, root => root.as_str(), interpreter => "/usr/bin/python3.11", major => 3, minor => 11,
        script => "", module => "", applications => "",
    };
    let text = templates().get_template("verify.sh")?.render(values)?;
    let finished = run(Command::new("sh").args(["-c", &text]))?;
    Ok((finished.succeeded(), format!("{}{}", finished.stdout, finished.stderr)))
}

#[test]
fn rpm_verify_is_silent_but_for_what_the_loader_refuses() -> anyhow::Result<()> {
    ensure!(Utf8Path::new("/usr/bin/python3.11").exists(), "no Python 3.11\nhint: `apt-get install python3.11`");
    let tools = Tools::prepare()?;
    let target = Target::find("el9-x86_64", Some("3.11"), None)?;
    let wheels = wheels_in(&tools.fetch_wheels_for(&target, &PINS, "test-loading")?)?;
    let keep = tempfile::tempdir()?;
    fs::set_permissions(keep.path(), std::fs::Permissions::from_mode(0o755))?;
    let root = Utf8Path::from_path(keep.path()).context("the temporary folder is not UTF-8")?;
    let lib = root.join("lib");
    tools.pip_install(&lib, &wheels)?;
    // A library of another processor, as packages ship some to attach to other processes.
    fs::write(lib.join("debugpy/of_others.so"), b"\x7fELF\x01\x01\x01")?;
    let (succeeded, said) = check(root)?;
    ensure!(succeeded && said.is_empty(), "{said}");

    #[rustfmt::skip]
    let cases = [ // folder                                    module
        ("psycopg_binary",                                     "psycopg_binary._psycopg"),
        ("markupsafe",                                         "markupsafe._speedups"),
        ("debugpy/_vendored/pydevd/_pydevd_bundle",            "debugpy._vendored.pydevd._pydevd_bundle.pydevd_cython"),
    ];
    for (folder, module) in cases {
        let stem = module.rsplit('.').next().unwrap_or(module);
        let folder = lib.join(folder);
        let file =
            crate::checkout::list(&folder)?.into_iter().find(|name| name.starts_with(&format!("{stem}.cpython-")));
        let file = folder.join(file.with_context(|| format!("`{folder}` has no `{stem}`"))?);
        let whole = fs::read(&file)?;
        fs::write(&file, [b"lost", &whole[4..]].concat())?;
        let (succeeded, said) = check(root)?;
        let expected = format!("daemon: `import {module}` fails: OSError: ");
        ensure!(!succeeded && said.starts_with(&expected) && said.contains(file.as_str()), "{module}: {said}");
        ensure!(said.lines().count() == 1, "{said}");
        fs::write(&file, whole)?;
    }
    Ok(())
}
