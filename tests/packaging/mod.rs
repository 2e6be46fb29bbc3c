//! The boxes, and `packaging` to ask about them.

pub mod comparison;
pub mod difference;
pub mod real_markers;
pub mod verdict;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use xtask::target::Target;

const DISTRIBUTIONS: [&str; 4] = ["el8", "el9", "el10", "al2023"];
const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// Every box with every Python that it can have.
pub fn targets() -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for distribution in DISTRIBUTIONS {
        for arch in ARCHITECTURES {
            let name = format!("{distribution}-{arch}");
            for interpreter in Target::find(&name, None, None)?.distribution.interpreters {
                let (major, minor) = interpreter.version;
                targets.push(Target::find(&name, Some(&format!("{major}.{minor}")), None)?);
            }
        }
    }
    Ok(targets)
}

/// The boxes whose marker values differ.
pub fn distinct(targets: Vec<Target>) -> Vec<Target> {
    let mut seen = BTreeSet::new();
    targets.into_iter().filter(|target| seen.insert(environment_of(target).to_string())).collect()
}

/// The marker values of a box (PEP 508, "Environment Markers"), from its record alone.
pub fn environment_of(target: &Target) -> Value {
    let full = target.python_full.to_string();
    json!({
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": target.arch,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": target.python(),
        "sys_platform": "linux",
    })
}

/// Asks the helper script a question.
pub fn ask_packaging(what: &str, question: &Value) -> anyhow::Result<Value> {
    let repository = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = repository.join("tests/python/packaging_says.py");
    let said = run(Command::new(test_python()?).arg("-B").arg(script).arg(what), &question.to_string())?;
    serde_json::from_str(&said).context("the helper script answered no JSON")
}

/// The Python of the environment with pinned `packaging`, made at the first use.
pub fn test_python() -> anyhow::Result<Utf8PathBuf> {
    let repository = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new("python3");
    command.arg("-B").arg(repository.join("tests/python/tools.py")).arg(repository.join("target/xtask/test-tools"));
    Ok(run(&mut command, "")?.trim_end().into())
}

pub fn run(command: &mut Command, input: &str) -> anyhow::Result<String> {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start `{line}`\nhint: `apt-get install python3 python3-venv rpm`"))?;
    let mut stdin = child.stdin.take().context("standard input is piped")?;
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output();
        writer.join().expect("it does not panic").ok();
        output
    })?;
    ensure!(output.status.success(), "`{line}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
