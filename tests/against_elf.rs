//! What is read of ELF files, held against pyelftools over the files of real wheels; and the boxes' C++ libraries
//! against auditwheel's policies.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::repository;
use fs_err as fs;
use installers::shapes::open_wheel;
use installers::{Tools, wheels_in};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use xtask::elf::{ElfFacts, Kind, Stack};

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the wheels are what is used of it here")]
mod installers;

const PINS: [&str; 2] = ["auditwheel==6.8.2", "pyelftools==0.33"];

/// What pyelftools says of a file.
#[derive(Deserialize)]
struct Theirs {
    is_64: bool,
    machine: String,
    kind: String,
    interpreter: Option<String>,
    soname: Option<String>,
    needed: Vec<String>,
    rpath: Vec<String>,
    runpath: Vec<String>,
    textrel: bool,
    stack: Option<bool>,
    writable_code: bool,
    versions: BTreeSet<(String, String)>,
    is_dynamic: bool,
    isa: u32,
}

impl Theirs {
    /// As this tool says it; none of what it does not look at in files that no box loads.
    fn as_ours(&self) -> ElfFacts {
        let machine = match self.machine.as_str() {
            "EM_X86_64" => 62,
            "EM_AARCH64" => 183,
            "EM_386" => 3,
            "EM_ARM" => 40,
            "EM_BPF" => 247,
            other => other.trim_start_matches("EM_").parse().unwrap_or(0),
        };
        let is_loaded = ["ET_DYN", "ET_EXEC"].contains(&self.kind.as_str()) && self.machine != "EM_BPF";
        let mut facts = ElfFacts { is_64: self.is_64, machine, stack: Stack::Unsaid, ..ElfFacts::default() };
        if !is_loaded {
            facts.kind = if self.kind == "ET_CORE" { Kind::Core } else { Kind::Data };
            return facts;
        }
        facts.interpreter.clone_from(&self.interpreter);
        facts.is_dynamic = self.is_dynamic;
        facts.soname.clone_from(&self.soname);
        facts.needed.clone_from(&self.needed);
        facts.versions.clone_from(&self.versions);
        facts.rpath.clone_from(&self.rpath);
        facts.runpath.clone_from(&self.runpath);
        facts.has_text_relocations = self.textrel;
        facts.has_writable_code = self.writable_code;
        facts.stack = match self.stack {
            None => Stack::Unsaid,
            Some(true) => Stack::Executable,
            Some(false) => Stack::Plain,
        };
        facts.x86_level = if self.is_64 && machine == 62 { (32 - self.isa.leading_zeros()) as u8 } else { 0 };
        facts
    }
}

/// Asks the script in the environment of the pins.
fn ask(words: &[&str]) -> anyhow::Result<String> {
    let tools = repository().join("tests/python/tools.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(tools).arg(repository().join("target/xtask/test-elf")).args(PINS);
    let python = run(&mut python).context("hint: `apt-get install python3 python3-venv`")?.text()?;
    run(Command::new(python).arg("-B").arg(repository().join("tests/python/elf_says.py")).args(words))?.text()
}

/// Unpacks the ELF files of a wheel, each under a number; gives what they are called.
fn unpack_elf(wheel: &Utf8Path, into: &Utf8Path, files: &mut Vec<(String, Utf8PathBuf)>) -> anyhow::Result<()> {
    let archive = open_wheel(wheel)?;
    for (place, member) in archive.members().iter().enumerate() {
        let is_likely = [".so", "/bin/", "/scripts/", ".o"].iter().any(|part| member.path.contains(part));
        if member.size > 60 << 20 || !is_likely {
            continue;
        }
        let bytes = archive.read(place)?;
        if bytes.starts_with(b"\x7fELF") {
            let path = into.join(files.len().to_string());
            fs::write(&path, bytes)?;
            files.push((format!("{}:{}", wheel.file_name().unwrap_or_default(), member.path), path));
        }
    }
    Ok(())
}

#[test]
fn facts_are_those_of_pyelftools() -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("elf-").tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let mut faults = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut compared = 0;
    for (index, wheel) in wheels_in(&Tools::prepare()?.fetch_wheels()?)?.iter().enumerate() {
        let into = folder.join(format!("wheel-{index}"));
        fs::create_dir_all(&into)?;
        let mut files = Vec::new();
        unpack_elf(wheel, &into, &mut files)?;
        if files.is_empty() {
            continue;
        }
        let list = into.join("list");
        fs::write(&list, files.iter().map(|(_, path)| format!("{path}\n")).collect::<String>())?;
        let theirs: Vec<Theirs> = serde_json::from_str(&ask(&["files", list.as_str()])?)?;
        ensure!(theirs.len() == files.len(), "pyelftools answered for {} files", theirs.len());
        for ((name, path), theirs) in files.iter().zip(&theirs) {
            let ours = ElfFacts::read_file(fs::File::open(path)?.into_parts().0);
            let again = ElfFacts::read_bytes(&fs::read(path)?);
            ensure!(ours == again, "`{name}`: from a file {ours:?}, from memory {again:?}");
            let mut ours = match ours {
                Ok(ours) => ours,
                Err(why) => {
                    faults.push(format!("`{name}`: {why}"));
                    continue;
                }
            };
            // These follow from the versions.
            (ours.glibc, ours.private_symbols) = (None, false);
            let theirs = theirs.as_ours();
            if ours != theirs {
                faults.push(format!("`{name}`:\n  {ours:?} instead of\n  {theirs:?}"));
            }
            compared += 1;
            for (shape, is_seen) in [
                ("a program", ours.interpreter.is_some()),
                ("an RPATH", !ours.rpath.is_empty()),
                ("a RUNPATH", !ours.runpath.is_empty()),
                ("a name of its own", ours.soname.is_some()),
                ("versions", ours.versions.len() > 5),
                ("no stack", ours.is_loaded() && ours.stack == Stack::Unsaid),
                ("executable stack", ours.stack == Stack::Executable),
                ("writable code", ours.has_writable_code),
                ("text relocations", ours.has_text_relocations),
                ("a level", ours.x86_level > 0),
                ("32 bits", !ours.is_64),
                ("data", ours.kind == Kind::Data),
            ] {
                *seen.entry(shape).or_default() += usize::from(is_seen);
            }
        }
        fs::remove_dir_all(&into)?;
    }
    println!("{compared} ELF files: {seen:?}");
    ensure!(faults.is_empty(), "{} files differ:\n{}", faults.len(), faults.join("\n"));
    ensure!(compared > 1000, "only {compared} files were compared");
    for shape in ["a RUNPATH", "an RPATH", "a name of its own", "a program", "versions"] {
        ensure!(seen[shape] > 0, "no file has {shape}");
    }
    Ok(())
}
