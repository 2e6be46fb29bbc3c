//! ELF files of real wheels, read as pyelftools reads them.

use crate::ask;
use crate::installers::shapes::open_wheel;
use crate::real::{Box, fetch};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_wheel::elf::{ElfFacts, ElfKind, Stack};

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
            facts.kind = if self.kind == "ET_CORE" { ElfKind::Core } else { ElfKind::Data };
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
        facts.x86_level = if machine == 62 { (32 - self.isa.leading_zeros()) as u8 } else { 0 };
        facts
    }
}

/// What is to be seen in some file at least, for the comparison to prove what it says.
fn shapes_of(facts: &ElfFacts) -> Vec<&'static str> {
    let shapes = [
        ("a program", facts.interpreter.is_some()),
        ("an RPATH", !facts.rpath.is_empty()),
        ("a RUNPATH", !facts.runpath.is_empty()),
        ("a name of its own", facts.soname.is_some()),
        ("versions", facts.versions.len() > 5),
        ("no word on the stack", facts.is_loaded() && facts.stack == Stack::Unsaid),
        ("an executable stack", facts.stack == Stack::Executable),
        ("writable code", facts.has_writable_code),
        ("text relocations", facts.has_text_relocations),
        ("a level", facts.x86_level > 1),
        ("32 bits", !facts.is_64),
        ("data", facts.kind == ElfKind::Data),
        ("aarch64", facts.machine == 183),
    ];
    shapes.into_iter().filter(|(_, is_seen)| *is_seen).map(|(shape, _)| shape).collect()
}

/// Reads files as this tool does and as pyelftools does.
///
/// - Gives: how many files have each shape.
/// - Fails: naming each file that is read otherwise.
pub fn compare(files: &[(String, Utf8PathBuf)], folder: &Utf8Path) -> anyhow::Result<BTreeMap<&'static str, usize>> {
    let list = folder.join("list");
    fs::write(&list, files.iter().map(|(_, path)| format!("{path}\n")).collect::<String>())?;
    let theirs: Vec<Theirs> = serde_json::from_str(&ask(&["files", list.as_str()])?)?;
    ensure!(theirs.len() == files.len(), "pyelftools answered for {} files", theirs.len());
    let (mut seen, mut faults) = (BTreeMap::new(), Vec::new());
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
        for shape in shapes_of(&ours) {
            *seen.entry(shape).or_default() += 1;
        }
    }
    ensure!(faults.is_empty(), "{} files differ:\n{}", faults.len(), faults.join("\n"));
    Ok(seen)
}

/// Unpacks the ELF files of a wheel, each under a number; gives what they are called.
fn unpack_elf(wheel: &Utf8Path, into: &Utf8Path, files: &mut Vec<(String, Utf8PathBuf)>) -> anyhow::Result<()> {
    for (path, bytes) in crate::real::elf_files(&open_wheel(wheel)?)? {
        let place = into.join(files.len().to_string());
        fs::write(&place, bytes)?;
        files.push((format!("{}:{path}", wheel.file_name().unwrap_or_default()), place));
    }
    Ok(())
}

#[test]
fn facts_are_those_of_pyelftools() -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("elf-").tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut compared = 0;
    let wheels = [fetch(Box::Fitting)?, fetch(Box::Aarch64)?, fetch(Box::Musl)?].concat();
    for (index, wheel) in wheels.iter().enumerate() {
        let into = folder.join(format!("wheel-{index}"));
        fs::create_dir_all(&into)?;
        let mut files = Vec::new();
        unpack_elf(wheel, &into, &mut files)?;
        compared += files.len();
        if !files.is_empty() {
            compare(&files, &into)?.into_iter().for_each(|(shape, count)| *seen.entry(shape).or_default() += count);
        }
        fs::remove_dir_all(&into)?;
    }
    println!("{compared} ELF files of {} wheels: {seen:?}", wheels.len());
    ensure!(compared > 300, "only {compared} files were compared");
    for shape in ["aarch64", "a program", "a name of its own", "an RPATH", "versions"] {
        ensure!(seen.contains_key(shape), "no file has {shape}");
    }
    Ok(())
}
