//! The sample's RPM under the eyes of rpmlint, that of Debian and the newest of PyPI: nothing is found but what
//! `rpmlint.toml` has a reason for, and no line of it is there for nothing.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use checkout::command::run;
use checkout::{Checkout, repository, tool_in};
use fs_err as fs;
use std::process::Command;

const RPM: &str = "dist/out/quality_report-0.0.1-1.el9.x86_64.rpm";

/// rpmlint of PyPI, in an environment of the Python that the system's `rpm` module is for: `rpm` of PyPI finds that.
fn newest() -> anyhow::Result<Utf8PathBuf> {
    let script = repository().join("tests/python/tools.py");
    let folder = repository().join("target/xtask/test-rpmlint");
    let python = run(Command::new("/usr/bin/python3").arg("-B").arg(script).arg(folder).args(["backends", "rpmlint"]))?
        .text()?;
    Ok(camino::Utf8Path::new(&python).with_file_name("rpmlint"))
}

/// The lines with a finding, `NAME.ARCH: E: …`.
fn findings(rpmlint: &Utf8PathBuf, words: &[&str]) -> anyhow::Result<Vec<String>> {
    // Its exit code says that there is an error, which is judged here; a crash prints no summary.
    let said = run(Command::new(rpmlint).args(words))?;
    anyhow::ensure!(said.stdout.contains("1 packages and 0 specfiles checked"), "{said}");
    let is_finding = |line: &&str| line.contains(": E: ") || line.contains(": W: ");
    Ok(said.stdout.lines().filter(is_finding).map(str::to_owned).collect())
}

/// The filters of the file, which are texts without a pattern.
fn filters(text: &str) -> Vec<&str> {
    let (_, list) = text.split_once("Filters = [").unwrap_or_default();
    list.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\",")).collect()
}

#[test]
fn rpmlint_finds_nothing_but_what_has_a_reason() -> anyhow::Result<()> {
    let sample = Checkout::new("rpmlint-")?;
    run(&mut tool_in(&sample.dir()?, &["rpm"]))?.text()?;
    let rpm = sample.dir()?.join(RPM);
    let config = repository().join("tests/rpmlint.toml");
    let text = fs::read_to_string(&config)?;
    let mut unfiltered = Vec::new();
    for rpmlint in ["/usr/bin/rpmlint".into(), newest()?] {
        let found = findings(&rpmlint, &["--config", config.as_str(), rpm.as_str()])
            .with_context(|| format!("`{rpmlint}` is needed: `cargo xtask ci` installs it"))?;
        assert!(found.is_empty(), "{rpmlint}:\n{}", found.join("\n"));
        unfiltered.extend(findings(&rpmlint, &[rpm.as_str()])?);
    }
    let needless: Vec<&str> = filters(&text)
        .into_iter()
        .filter(|filter| *filter != "spelling-error" && !unfiltered.iter().any(|line| line.contains(filter)))
        .collect();
    assert!(!filters(&text).is_empty() && needless.is_empty(), "filters that nothing needs: {needless:?}");
    Ok(())
}
