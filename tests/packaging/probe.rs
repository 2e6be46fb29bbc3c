//! The probe script, run by every Python of this host, against what `packaging` says there.

use crate::packaging::{run, test_python};
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use wheelhaul_boxes::{Asked, Target, VARIABLES, read_probe};
use wheelhaul_engine::templates::{probe, probe_program};

/// The interpreters of pyenv, of the system, and the one that is called `python3`, each once.
fn interpreters() -> anyhow::Result<Vec<Utf8PathBuf>> {
    const REAL: &str = "import sys; print(getattr(sys, '_base_executable', sys.executable))";
    let host = run(Command::new("python3").args(["-c", REAL]), "")?;
    let mut found = vec![Utf8PathBuf::from(host.trim_end())];
    let mut folders = vec![Utf8PathBuf::from("/usr/bin"), "/usr/local/bin".into()];
    if let Ok(home) = std::env::var("HOME") {
        let versions = Utf8PathBuf::from(home).join(".pyenv/versions");
        for version in versions.read_dir_utf8().into_iter().flatten() {
            folders.push(version?.path().join("bin"));
        }
    }
    for folder in folders {
        for entry in folder.read_dir_utf8().into_iter().flatten() {
            let path = entry?.into_path();
            let minor = path.file_name().and_then(|name| name.strip_prefix("python")).unwrap_or_default();
            if minor.strip_prefix("3.").is_some_and(|minor| minor.parse::<u8>().is_ok_and(|minor| minor >= 6)) {
                found.push(path);
            }
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| path.canonicalize_utf8().is_ok_and(|real| seen.insert(real)));
    Ok(found)
}

/// The last `packaging` that a Python can run, as wheels to import from.
fn reference(version: (u8, u8)) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let packaging = match version {
        (3, ..=6) => "21.3-py3",
        (3, 7) => "24.0-py3",
        (3, 8) => "25.0-py3",
        _ => "26.3-py3",
    };
    let python = test_python()?;
    let folder = python.parent().and_then(Utf8Path::parent).context("the environment has a folder")?.join("reference");
    Ok(vec![
        folder.join(format!("packaging-{packaging}-none-any.whl")),
        folder.join("pyparsing-2.4.7-py2.py3-none-any.whl"),
    ])
}

#[test]
fn the_probe_says_of_each_python_of_this_host_what_packaging_says() -> anyhow::Result<()> {
    let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/packaging_here.py");
    let mut told = Vec::new();
    for python in interpreters()? {
        let printed = run(Command::new("sh").args(["-s", python.as_str()]), &probe())
            .with_context(|| format!("the probe by {python}"))?;
        let ours: Value = serde_json::from_str(&printed)?;
        let (full, mut record) = read_probe(&printed)?;
        // A container has none, and then `package.toml` has to say it.
        record.systemd.get_or_insert(252);
        let target = Target::own("probed", &full, &record).with_context(|| format!("the probe by {python}"))?;
        let wheels: Vec<String> = reference(target.interpreter.version)?.iter().map(ToString::to_string).collect();
        ensure!(wheels.iter().all(|wheel| Utf8Path::new(wheel).is_file()), "{wheels:?} are not there");
        let mut command = Command::new(&python);
        command.arg("-B").arg(&here).env("PYTHONPATH", wheels.join(":"));
        let theirs: Value = serde_json::from_str(&run(&mut command, "")?)?;

        ensure!(ours["markers"] == theirs["markers"], "{python}: {} and {}", ours["markers"], theirs["markers"]);
        let tags = |value: &Value| serde_json::from_value::<Vec<String>>(value["tags"].clone());
        let theirs = crate::with_plain_linux_last(&with_own_none_any(tags(&theirs)?, target.interpreter.version));
        must_be_equal(&tags(&ours)?, &theirs).with_context(|| format!("{python} and packaging"))?;

        // And the target that is made of it is that box.
        let of_target: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
        must_be_equal(&of_target, &theirs).with_context(|| format!("the target of {python}"))?;
        let environment = target.environment();
        for name in VARIABLES {
            ensure!(environment.text(name) == ours["markers"][name].as_str(), "{python}: {name} of the target");
        }
        ensure!(
            environment.unknowable("platform_release == '1' or platform_version == '1'", &Asked::default()).is_empty()
        );
        told.push(format!("{python} ({full}, {} tags)", of_target.len()));
    }
    println!("{} Pythons:\n{}", told.len(), told.join("\n"));
    ensure!(!told.is_empty(), "not even python3 was found");
    Ok(())
}

/// packaging has `cp36-none-any` since 22.0 only; pip took it on every Python before.
fn with_own_none_any(mut tags: Vec<String>, (major, minor): (u8, u8)) -> Vec<String> {
    let own = format!("cp{major}{minor}-none-any");
    let pure = tags.iter().position(|tag| *tag == format!("py{major}{minor}-none-any"));
    if let Some(place) = pure.filter(|_| (major, minor) < (3, 7) && !tags.contains(&own)) {
        tags.insert(place, own);
    }
    tags
}

fn must_be_equal(ours: &[String], theirs: &[String]) -> anyhow::Result<()> {
    let differs = ours.iter().zip(theirs).position(|(our, their)| our != their);
    if let Some(rank) = differs {
        anyhow::bail!("rank {rank} is `{}` instead of `{}`", ours[rank], theirs[rank]);
    }
    ensure!(ours.len() == theirs.len(), "{} tags instead of {}", ours.len(), theirs.len());
    Ok(())
}

/// Boxes and interpreters that cannot be targets, as the script meets them.
#[test]
fn the_probe_refuses_what_cannot_be_a_target() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let cases = [ // what is otherwise there                                                      what it says
        ("import platform; platform.python_implementation = lambda: 'PyPy'",                      "this is PyPy"),
        ("import platform; platform.system = lambda: 'Darwin'",                                   "this is Darwin"),
        ("import struct; struct.calcsize = lambda kind: 4",                                       "32-bit"),
        ("import os; os.confstr = lambda name: None",                                             "not glibc"),
        ("import sysconfig; sysconfig.get_platform = lambda: 'linux-ppc64le'",                    "the processor is ppc64le"),
        ("import sysconfig; sysconfig.get_config_var = lambda name: name == 'Py_GIL_DISABLED'",   "free-threaded"),
        ("import sysconfig; sysconfig.get_config_var = lambda name: name == 'Py_DEBUG'",          "debug build"),
        ("import platform; platform.python_version = lambda: '3.15.0rc1'",                        "not a final release"),
        ("import sys; sys.executable = ''",                                                       "does not know where it is"),
        ("import sys; sys.base_prefix = '/elsewhere'",                                            "virtual environment"),
    ];
    let python = interpreters()?.remove(0);
    for (otherwise, says) in cases {
        let code = format!("{otherwise}\nimport sys\nexec(compile(sys.stdin.read(), 'probe.py', 'exec'))");
        let mut child = Command::new(&python)
            .args(["-c", &code])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        std::io::Write::write_all(&mut child.stdin.take().context("piped")?, probe_program().as_bytes())?;
        let output = child.wait_with_output()?;
        let error = String::from_utf8(output.stderr)?;
        ensure!(output.status.code() == Some(1) && output.stdout.is_empty(), "{says}: {}", output.status);
        ensure!(error.contains(says) && error.contains("\nhint: "), "{says}: {error}");
    }
    Ok(())
}
