//! What the guide has for pre-commit and for pipelines, tried: the hook by pre-commit itself, the pipelines
//! held against the schemas of their services, and their lines run as a runner does.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{Checkout, repository};
use fs_err as fs;
use std::process::Command;
use wheelhaul_engine::discover::{Way, pipelines, with_hook};

/// The folder of pre-commit and check-jsonschema.
fn programs() -> anyhow::Result<Utf8PathBuf> {
    let script = repository().join("tests/python/tools.py");
    let folder = repository().join("target/xtask/test-hooks");
    let python = run(Command::new("python3").arg("-B").arg(script).arg(folder).arg("hooks"))?.text()?;
    Ok(Utf8Path::new(&python).parent().context("Python is in a folder")?.to_owned())
}

/// The sample in a repository of its own, in which `cargo xtask` is this tool.
fn sample() -> anyhow::Result<Checkout> {
    let sample = Checkout::new("hooks-")?;
    let manifest = repository().canonicalize_utf8()?.join("Cargo.toml");
    let alias = format!(
        "[alias]\nxtask = [\"run\", \"--quiet\", \"--manifest-path\", \"{manifest}\", \"--package\", \"xtask\", \"--\"]\n"
    );
    fs::create_dir_all(sample.dir()?.join(".cargo"))?;
    fs::write(sample.dir()?.join(".cargo/config.toml"), alias)?;
    Ok(sample)
}

/// The first block of the guide's page that starts with this line.
fn block(start: &str) -> anyhow::Result<String> {
    let readme = fs::read_to_string(repository().join("xtask/docs/ci.md"))?;
    let at = readme.find(&format!("\n{start}\n")).with_context(|| format!("the guide has no `{start}`"))?;
    let end = readme[at..].find("\n```").context("the block is closed")?;
    Ok(readme[at + 1..at + end + 1].to_owned())
}

fn in_sample(folder: &Utf8Path, program: impl AsRef<std::ffi::OsStr>, words: &[&str]) -> anyhow::Result<Finished> {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder).env_remove("SOURCE_DATE_EPOCH").env("GIT_CONFIG_GLOBAL", "/dev/null");
    run(command.env("PRE_COMMIT_HOME", folder.join("target/pre-commit")))
}

#[test]
fn the_hook_of_the_guide_stops_a_commit_with_a_stale_lock() -> anyhow::Result<()> {
    let programs = programs()?;
    let sample = sample()?;
    let folder = sample.dir()?;
    fs::write(folder.join(".pre-commit-config.yaml"), block("# .pre-commit-config.yaml")?)?;
    let words = ["run", "wheelhaul-lock", "--all-files"];
    let passed = in_sample(&folder, programs.join("pre-commit"), &words)?;
    ensure!(passed.succeeded() && passed.stdout.contains("Passed"), "{passed}");
    let lock = folder.join("python-app/Pipfile.lock");
    let text = fs::read_to_string(&lock)?;
    ensure!(text.contains("==1.9.0"), "the sample's lock changed");
    fs::write(&lock, text.replacen("==1.9.0", "==1.8.0", 1))?;
    let failed = in_sample(&folder, programs.join("pre-commit"), &words)?;
    ensure!(failed.code == Some(1) && failed.stdout.contains("`blinker` is 1.9.0 instead of 1.8.0"), "{failed}");
    Ok(())
}

#[test]
fn the_pipelines_of_the_guide_are_valid_and_their_lines_run() -> anyhow::Result<()> {
    let programs = programs()?;
    for (start, schema) in
        [("# .github/workflows/rpm.yml", "vendor.github-workflows"), ("# .gitlab-ci.yml", "vendor.gitlab-ci")]
    {
        let sample = sample()?;
        let folder = sample.dir()?;
        let text = block(start)?;
        fs::write(folder.join("pipeline.yml"), &text)?;
        let words = ["--builtin-schema", schema, "pipeline.yml"];
        let valid = in_sample(&folder, programs.join("check-jsonschema"), &words)?;
        ensure!(valid.succeeded(), "{start}: {valid}");
        let lines: Vec<&str> = text
            .lines()
            .filter_map(|line| {
                line.trim()
                    .trim_start_matches("- run: ")
                    .strip_prefix("cargo ")
                    .or_else(|| line.trim().strip_prefix("- cargo "))
            })
            .collect();
        ensure!(lines.len() == 2, "{start}: {lines:?}");
        for line in lines {
            let ran = in_sample(&folder, "sh", &["-e", "-c", &format!("cargo {line}")])?;
            ensure!(ran.succeeded(), "{start}: {ran}");
        }
        let bundles = checkout::list(&folder.join("dist/out"))?.into_iter().filter(|name| name.ends_with(".tar.gz"));
        ensure!(bundles.count() == 1, "{start}: there is no artifact");
    }
    Ok(())
}

/// Of both ways to start the tool: the hook stops a commit with a stale lock, the pipelines are valid.
#[test]
fn what_init_writes_is_taken_by_pre_commit_and_fits_the_schemas() -> anyhow::Result<()> {
    let programs = programs()?;
    for way in [Way::Program, Way::Cargo] {
        let sample = sample()?;
        let folder = sample.dir()?;
        for ((_, text), schema) in pipelines(way).into_iter().zip(["vendor.github-workflows", "vendor.gitlab-ci"]) {
            fs::write(folder.join("pipeline.yml"), &text)?;
            let words = ["--builtin-schema", schema, "pipeline.yml"];
            let valid = in_sample(&folder, programs.join("check-jsonschema"), &words)?;
            ensure!(valid.succeeded(), "{valid}\n{text}");
        }
        let there = "repos:\n  - repo: meta\n    hooks:\n      - id: identity\nfail_fast: true\n";
        let text = with_hook(Some(there), way).map_err(anyhow::Error::msg)?;
        fs::write(folder.join(".pre-commit-config.yaml"), text)?;
        fs::create_dir_all(folder.join("target/bin"))?;
        fs::os::unix::fs::symlink(env!("CARGO_BIN_EXE_started"), folder.join("target/bin/wheelhaul"))?;
        let hook = || -> anyhow::Result<Finished> {
            let path = format!("{}:{}", folder.join("target/bin"), std::env::var("PATH")?);
            let mut command = Command::new(programs.join("pre-commit"));
            command.args(["run", "wheelhaul-lock-check", "--all-files"]).current_dir(&folder).env("PATH", path);
            run(command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("PRE_COMMIT_HOME", folder.join("target/pre-commit")))
        };
        let passed = hook()?;
        ensure!(passed.succeeded() && passed.stdout.contains("Passed"), "{passed}");
        let lock = folder.join("python-app/Pipfile.lock");
        fs::write(&lock, fs::read_to_string(&lock)?.replacen("==1.9.0", "==1.8.0", 1))?;
        let failed = hook()?;
        ensure!(failed.code == Some(1) && failed.stdout.contains("`blinker` is 1.9.0 instead of 1.8.0"), "{failed}");
    }
    Ok(())
}
