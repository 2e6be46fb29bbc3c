//! What is forged is read as it was meant, by readelf and by this tool; what is cut short or lies is refused.

use crate::forge::{self, Elf};
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul_wheel::elf::{ElfFacts, ElfKind, Stack};

/// One with everything in it.
fn rich() -> Elf {
    let mut elf = Elf::library().asking("libstdc++.so.6", "GLIBCXX_3.4.29").asking("libc.so.6", "GLIBC_2.34");
    elf.interpreter = Some("/lib64/ld-linux-x86-64.so.2".to_owned());
    elf.rpath = Some("/old".to_owned());
    elf.runpath = Some("$ORIGIN/../x.libs:".to_owned());
    elf.soname = Some("libown.so.1".to_owned());
    elf.isa_needed = Some(7);
    elf.textrel_flag = true;
    elf.load = forge::READ | forge::WRITE | forge::EXECUTE;
    elf.stack = Some(forge::READ | forge::EXECUTE);
    elf
}

#[test]
fn all_of_it_is_read_whatever_the_class_and_without_sections() {
    for (is_64, sections) in [(true, true), (true, false), (false, true), (false, false)] {
        let facts = ElfFacts::read_bytes(&Elf { is_64, sections, ..rich() }.write()).unwrap();
        let expected = ElfFacts {
            is_64,
            machine: forge::X86_64,
            kind: ElfKind::Loaded,
            interpreter: Some("/lib64/ld-linux-x86-64.so.2".to_owned()),
            is_dynamic: true,
            glibc: Some((2, 34)),
            private_symbols: false,
            soname: Some("libown.so.1".to_owned()),
            needed: ["libc.so.6", "libstdc++.so.6"].map(str::to_owned).into(),
            versions: [("libc.so.6", "GLIBC_2.17"), ("libc.so.6", "GLIBC_2.34"), ("libstdc++.so.6", "GLIBCXX_3.4.29")]
                .map(|(library, version)| (library.to_owned(), version.to_owned()))
                .into(),
            rpath: vec!["/old".to_owned()],
            runpath: vec!["$ORIGIN/../x.libs".to_owned(), String::new()],
            has_text_relocations: true,
            has_writable_code: true,
            stack: Stack::Executable,
            x86_level: 3,
        };
        assert_eq!(facts, expected, "64 bits: {is_64}, sections: {sections}");
        assert_eq!(facts.search(), expected.runpath, "with a RUNPATH the RPATH counts for nothing");
    }
}

#[test]
fn kinds_and_stacks_are_told_apart() {
    let read = |elf: Elf| ElfFacts::read_bytes(&elf.write()).unwrap();
    #[rustfmt::skip]
    let kinds = [ // e_type          e_machine         what it is
        (forge::LIBRARY,             forge::X86_64,    ElfKind::Loaded),
        (forge::PROGRAM,             forge::AARCH64,   ElfKind::Loaded),
        (forge::RELOCATABLE,         forge::X86_64,    ElfKind::Data),
        (forge::PROGRAM,             190,              ElfKind::Data),
        (forge::CORE,                forge::X86_64,    ElfKind::Core),
    ];
    for (kind, machine, what) in kinds {
        assert_eq!(read(Elf { kind, machine, ..Elf::library() }).kind, what, "{kind} {machine}");
    }
    let stacks = [(None, Stack::Unsaid), (Some(6), Stack::Plain), (Some(7), Stack::Executable)];
    for (stack, what) in stacks {
        assert_eq!(read(Elf { stack, ..Elf::library() }).stack, what, "{stack:?}");
    }
    // An empty path is none to the loader.
    assert!(read(Elf { runpath: Some(String::new()), ..Elf::library() }).runpath.is_empty());
}

#[test]
fn what_is_forged_is_what_readelf_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.so");
    for is_64 in [true, false] {
        std::fs::write(&path, Elf { is_64, ..rich() }.write()).unwrap();
        let said = Command::new("readelf").args(["-dlVW"]).arg(&path).env("LC_ALL", "C").output();
        let said = said.expect("`readelf` is needed: `cargo xtask ci` installs it with `cc`");
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success() && said.stderr.is_empty(), "{text}{}", String::from_utf8_lossy(&said.stderr));
        for part in [
            "Shared library: [libstdc++.so.6]",
            "Library soname: [libown.so.1]",
            "Library runpath: [$ORIGIN/../x.libs:]",
            "Requesting program interpreter: /lib64/ld-linux-x86-64.so.2",
            "Name: GLIBCXX_3.4.29",
            "TEXTREL",
            "GNU_PROPERTY",
        ] {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
    }
}

/// Sections may say what they like: the loader does not look at them.
#[test]
fn lying_sections_change_nothing() {
    let honest = rich().write();
    let facts = ElfFacts::read_bytes(&honest).unwrap();
    let at = u64::from_le_bytes(honest[40..48].try_into().unwrap()) as usize;
    let mut lying = honest.clone();
    lying[at..].fill(0xff);
    assert_eq!(ElfFacts::read_bytes(&lying), Ok(facts.clone()));
    lying[40..48].fill(0xff);
    assert_eq!(ElfFacts::read_bytes(&lying), Ok(facts));
}

#[test]
fn what_is_cut_short_or_damaged_is_refused_or_read_and_soon() {
    let whole = rich().write();
    let start = Instant::now();
    let mut refused = 0;
    for length in 0..whole.len() {
        refused += usize::from(ElfFacts::read_bytes(&whole[..length]).is_err());
    }
    // What stands at the end, the sections, nobody reads.
    assert!(refused > whole.len() / 2, "{refused} of {}", whole.len());
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            drop(ElfFacts::read_bytes(&damaged));
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Tables that refer to themselves, or are longer than any.
#[test]
fn tables_without_end_are_refused() {
    let mut many = Elf::library();
    many.needed = (0..20_000).map(|index| format!("lib{index}.so.1")).collect();
    let said = ElfFacts::read_bytes(&many.write()).unwrap_err();
    assert!(said.contains("more than 10000 libraries"), "{said}");
    let mut many = Elf::library();
    many.versions = (0..20_000).map(|index| ("libc.so.6".to_owned(), format!("X_{index}"))).collect();
    let said = ElfFacts::read_bytes(&many.write()).unwrap_err();
    assert!(said.contains("more than 10000 symbol versions"), "{said}");
    let mut wide = Elf::library();
    wide.needed = (0..400).map(|index| format!("{index}{}", "x".repeat(4000))).collect();
    let said = ElfFacts::read_bytes(&wide.write()).unwrap_err();
    assert!(said.contains("more than 1048576 bytes"), "{said}");
    let mut searching = Elf::library();
    searching.runpath = Some(":".repeat(2000));
    let said = ElfFacts::read_bytes(&searching.write()).unwrap_err();
    assert!(said.contains("more than 1000 folders"), "{said}");
    let mut long = Elf::library();
    long.needed = vec!["x".repeat(5000)];
    let said = ElfFacts::read_bytes(&long.write()).unwrap_err();
    assert!(said.contains("a name in it has no end"), "{said}");
}

#[test]
fn many_files_are_read_in_no_time() {
    let files: Vec<Vec<u8>> =
        (0..200).map(|index| rich().asking("libm.so.6", &format!("GLIBC_2.{index}")).write()).collect();
    let start = Instant::now();
    for file in &files {
        ElfFacts::read_bytes(file).unwrap();
    }
    println!("200 files in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}
