//! The boxes, and `packaging` to ask about them.

pub mod comparison;
pub mod difference;
#[allow(clippy::duplicate_mod, reason = "tests that do not check the sample out need it as well")]
#[path = "../checkout/home.rs"]
mod home;
pub mod real_markers;
pub mod verdict;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use wheelhaul_boxes::{Target, known_targets};

/// Kernels by which boxes of one's own differ: one whose release is a version, and one whose is not.
const KERNELS: [(&str, &str); 2] = [
    ("6.1.0", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.0-1 (2023-01-07)"),
    ("5.14.0-503.el9.x86_64", "#1 SMP PREEMPT_DYNAMIC Thu Nov 21 12:44:04 UTC 2024"),
];

/// Every known box with every Python that it can have, and boxes of one's own that know their kernel.
pub fn targets() -> anyhow::Result<Vec<Target>> {
    let mut targets = known_targets();
    for (index, (release, version)) in KERNELS.iter().enumerate() {
        let known = Target::find("el9-x86_64", Some("3.11"), None)?;
        let mut record = known.whole_record();
        for (name, value) in [("platform_release", release), ("platform_version", version)] {
            record.markers.insert(name.to_owned(), (*value).to_owned());
        }
        targets.push(Target::own(&format!("own{index}"), &known.python_full.to_string(), &record)?);
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
    let mut values = json!({
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
    });
    for (name, value) in target.record().unwrap_or_default().markers {
        values[name] = json!(value);
    }
    values
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
    command
        .arg("-B")
        .arg(repository.join("tests/python/tools.py"))
        .arg(repository.join("target/xtask/test-tools"))
        .arg("comparing");
    Ok(run(&mut command, "")?.trim_end().into())
}

pub fn run(command: &mut Command, input: &str) -> anyhow::Result<String> {
    let line = format!("{command:?}");
    let mut child = home::in_test_home(command)
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
