//! The Python of the package, by each Python of the host: the prefix, and whatever it starts.

use crate::checkout::command::run;
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use wheelhaul_package::templates;

/// A dependency: a module that can be run, and that finds its data file as JupyterLab does.
const MODULE: &str = r#"
import os
import sys

DATA = os.path.join(sys.prefix, "share", "demo", "page.html")


def main():
    print(sys.prefix, sys.argv[1:], os.path.exists(DATA))


if __name__ == "__main__":
    main()
"#;

/// Starts children in every way that Python has, and prints a line for each.
const CHILDREN: &str = r#"
import multiprocessing
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ProcessPoolExecutor


def work(number):
    import demo

    return "%s %d" % (sys.prefix, number) if os.path.exists(demo.DATA) else "no data"


def said(*words):
    return subprocess.check_output(words, universal_newlines=True).strip()


if __name__ == "__main__":
    code = "import demo; demo.main()"
    print("-c", said(sys.executable, "-c", code, "a"))
    print("-m", said(sys.executable, "-m", "demo", "a"))
    print("file", said(sys.executable, sys.argv[1], "a"))
    print("script", said(os.path.join(sysconfig.get_path("scripts"), "demo"), "a"))
    for method in ("fork", "forkserver", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(work, [7])[0])
    with ProcessPoolExecutor(1) as pool:
        print("executor", list(pool.map(work, [7]))[0])
"#;

/// What a program asks of its surroundings, a line each.
const ASKED: &str = r#"
import site, sys, sysconfig
paths = sysconfig.get_paths()
for name in ("prefix", "exec_prefix", "executable"):
    print(name, getattr(sys, name))
for name in ("scripts", "data", "purelib", "platlib"):
    print(name, paths[name])
print("site", " ".join(site.getsitepackages()))
print("variable", sysconfig.get_config_var("base"), sysconfig.get_config_var("platbase"))
print("base", sys.base_prefix, sys.base_exec_prefix)
print("stdlib", paths["stdlib"], paths["include"])
"#;

/// The launcher for an interpreter, with one dependency, its console script and its data file.
fn lay_out(root: &Utf8Path, python: &str) -> anyhow::Result<()> {
    for folder in ["bin", "lib", "share/demo"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::write(root.join("lib/demo.py"), MODULE)?;
    fs::write(root.join("share/demo/page.html"), "a page")?;
    fs::write(root.join("children.py"), CHILDREN)?;
    let launcher = minijinja::context! { root => root.as_str(), name => "demo", interpreter => python };
    let script = minijinja::context! { root => root.as_str(), module => "demo", first => "main", function => "main" };
    for (file, template, values) in [("python", "launcher.py", launcher), ("demo", "console_script.py", script)] {
        let path = root.join("bin").join(file);
        fs::write(&path, templates().get_template(template)?.render(values)?)?;
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    }
    Ok(())
}

fn in_folder(test: fn(&Utf8Path, &str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let temporary = Utf8PathBuf::try_from(temporary.path().canonicalize()?)?;
    let all = crate::every_python()?;
    ensure!(all.len() > 1, "this host has no Python but {all:?}\nhint: install others with pyenv");
    for (number, python) in all.iter().enumerate() {
        let root = temporary.join(format!("{number}/opt/demo"));
        lay_out(&root, python)?;
        test(&root, python).with_context(|| python.to_owned())?;
        // Nothing is written at run time.
        ensure!(!root.join("lib/__pycache__").exists(), "{python}: byte-code was written");
    }
    Ok(())
}

#[test]
fn the_prefix_is_the_folder_of_the_package_and_the_base_stays() -> anyhow::Result<()> {
    in_folder(|root, python| {
        let said = run(Command::new(root.join("bin/python")).args(["-c", ASKED]).current_dir("/"))?.text()?;
        let plain = run(Command::new(python).args(["-I", "-c", ASKED]))?.text()?;
        let lines_of = |text: &str, names: [&str; 2]| -> Vec<String> {
            text.lines().filter(|line| names.iter().any(|name| line.starts_with(name))).map(str::to_owned).collect()
        };
        let kept = ["base ", "stdlib "];
        ensure!(lines_of(&said, kept) == lines_of(&plain, kept), "{said}\nbut without the launcher\n{plain}");
        let expected = [
            format!("prefix {root}"),
            format!("exec_prefix {root}"),
            format!("executable {root}/bin/python"),
            format!("scripts {root}/bin"),
            format!("data {root}"),
            format!("purelib {root}/lib"),
            format!("platlib {root}/lib"),
            format!("site {root}/lib"),
            format!("variable {root} {root}"),
        ];
        for line in expected {
            ensure!(said.lines().any(|other| other == line), "no line `{line}` in\n{said}");
        }
        Ok(())
    })
}

#[test]
fn whatever_it_starts_has_the_prefix_and_the_packages_too() -> anyhow::Result<()> {
    in_folder(|root, _| {
        let script = root.join("children.py");
        let module = root.join("lib/demo.py");
        let said = run(Command::new(root.join("bin/python")).args([&script, &module]).current_dir("/"))?.text()?;
        let expected: Vec<String> = ["-c", "-m", "file", "script"]
            .map(|way| format!("{way} {root} ['a'] True"))
            .into_iter()
            .chain(["fork", "forkserver", "spawn", "executor"].map(|way| format!("{way} {root} 7")))
            .collect();
        ensure!(said.lines().collect::<Vec<_>>() == expected, "{said}\nbut expected\n{}", expected.join("\n"));
        Ok(())
    })
}
