//! Files of this host's compiler, with what wheels rarely have: levels, executable stacks, text relocations, RUNPATH.

use crate::facts::compare;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;

/// What is compiled, and how.
const FILES: &[(&str, &str, &[&str])] = &[
    ("plain", "int answer(void) { return 42; }", &["-shared", "-fPIC"]),
    ("named", "int answer(void) { return 42; }", &["-shared", "-fPIC", "-Wl,-soname,libanswer.so.4"]),
    (
        "runpath",
        "int answer(void) { return 42; }",
        &["-shared", "-fPIC", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../x:/y"],
    ),
    ("rpath", "int answer(void) { return 42; }", &["-shared", "-fPIC", "-Wl,--disable-new-dtags,-rpath,$ORIGIN"]),
    ("stack", "int answer(void) { return 42; }", &["-shared", "-fPIC", "-Wl,-z,execstack"]),
    ("object", "int answer(void) { return 42; }", &["-c"]),
    ("program", "#include <stdio.h>\nint main(void) { return puts(\"x\"); }", &[]),
    ("static", "void _start(void) { for (;;) {} }", &["-nostdlib", "-static"]),
    ("together", "int answer(void) { return 42; }", &["-shared", "-fPIC", "-nostdlib", "-Wl,-N"]),
];
/// The same on x86-64 alone.
const ON_X86: &[(&str, &str, &[&str])] = &[
    ("level", "int answer(void) { return 42; }", &["-shared", "-fPIC", "-Wl,-z,x86-64-v3"]),
    (
        "text",
        "int answer;\n__asm__(\".text\\n.globl f\\nf: movabsq $answer, %rax\\nret\\n\");",
        &["-shared", "-fPIC", "-Wl,-z,notext"],
    ),
];

#[test]
fn what_a_compiler_writes_is_read_as_pyelftools_reads_it() -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("compiled-").tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let mut files: Vec<(String, Utf8PathBuf)> = Vec::new();
    let is_x86 = cfg!(target_arch = "x86_64");
    for (name, text, words) in FILES.iter().chain(ON_X86.iter().filter(|_| is_x86)) {
        let (source, path) = (folder.join(format!("{name}.c")), folder.join(name));
        fs::write(&source, text)?;
        let mut cc = Command::new("cc");
        let said = cc.args(*words).arg("-o").arg(&path).arg(&source).output();
        let said = said.context("`cc` is needed: `cargo xtask ci` installs it")?;
        ensure!(said.status.success(), "`{name}`: {}", String::from_utf8_lossy(&said.stderr));
        files.push(((*name).to_owned(), path));
    }
    let seen = compare(&files, folder)?;
    println!("{seen:?}");
    let mut shapes = vec!["a RUNPATH", "an RPATH", "an executable stack", "a name of its own", "a program", "data"];
    if is_x86 {
        shapes.extend(["a level", "text relocations", "writable code"]);
    }
    for shape in shapes {
        ensure!(seen.contains_key(shape), "no file has {shape}: {seen:?}");
    }
    Ok(())
}
