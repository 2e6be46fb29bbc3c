//! What is read of ELF files, held against pyelftools over the files of real wheels and of this host's compiler; what
//! `verify` says of wheels that fit and of some that do not; and the boxes' C++ libraries against auditwheel's policies.

#[allow(dead_code, reason = "the hostile tests use the rest of it")]
#[path = "hostile/boxes.rs"]
mod boxes;
#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[path = "elf/compiled.rs"]
mod compiled;
#[path = "elf/facts.rs"]
mod facts;
#[allow(dead_code, reason = "the wheels are what is used of it here")]
mod installers;
#[path = "elf/policies.rs"]
mod policies;
#[path = "elf/real.rs"]
mod real;
#[allow(dead_code, reason = "the hostile tests use the rest of it")]
#[path = "hostile/zip.rs"]
mod zip;

use anyhow::Context as _;
use checkout::command::run;
use checkout::repository;
use std::process::Command;

/// Asks the script in the environment of its lock.
fn ask(words: &[&str]) -> anyhow::Result<String> {
    let tools = repository().join("tests/python/tools.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(tools).arg(repository().join("target/xtask/test-elf")).arg("elf");
    let python = run(&mut python).context("hint: `apt-get install python3 python3-venv`")?.text()?;
    run(Command::new(python).arg("-B").arg(repository().join("tests/python/elf_says.py")).args(words))?.text()
}
