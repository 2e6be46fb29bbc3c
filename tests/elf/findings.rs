//! A package with one ELF file, and one fault at a time.

use crate::boxes::{Draft, pack};
use crate::forge::{self, Elf};
use std::io::Cursor;
use wheelhaul_boxes::{BoxRecord, Target};
use wheelhaul_verify::{Evidence, Outcome, Severity, judge};

/// The checks that look at ELF files.
const CHECKS: [&str; 5] = ["elf", "libraries", "symbols", "hardening", "extensions"];
const MODULE: &str = "demo/_x.cpython-311-x86_64-linux-gnu.so";

/// Packs files into the one dependency of the application, and reads the package back.
fn evidence(files: &[(&str, Vec<u8>)]) -> Evidence {
    const TAG: &str = "cp311-cp311-manylinux_2_17_x86_64";
    let wheel = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {TAG}\n");
    let demo = Draft::of("demo").named(&format!("demo-1.0-{TAG}.whl")).with("demo-1.0.dist-info/WHEEL", &wheel);
    evidence_of(demo, files)
}

fn evidence_of(mut demo: Draft, files: &[(&str, Vec<u8>)]) -> Evidence {
    demo.files.extend(files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone())));
    let (_, bytes) = pack(&[demo, Draft::app()]).unwrap();
    Evidence::gather(Cursor::new(bytes)).unwrap()
}

/// What the checks of ELF files say: `check: error|warning: path: found`.
fn findings(evidence: &Evidence) -> Vec<String> {
    let mut all = Vec::new();
    for judged in judge(evidence).into_iter().filter(|judged| CHECKS.contains(&judged.check.name)) {
        let Outcome::Made { findings, .. } = judged.outcome else { panic!("`{}` was not made", judged.check.name) };
        for finding in findings {
            let weight = if finding.severity == Severity::Error { "error" } else { "warning" };
            let path = finding.path.strip_prefix("/opt/demo/lib/").unwrap_or(&finding.path).to_owned();
            assert!(!finding.expected.is_empty() && !finding.cure.is_empty(), "{finding:?}");
            all.push(format!("{}: {weight}: {path}: {}", judged.check.name, finding.found));
        }
    }
    all
}

fn looked_at(evidence: &Evidence, check: &str) -> String {
    let judged = judge(evidence).into_iter().find(|judged| judged.check.name == check).unwrap();
    match judged.outcome {
        Outcome::Made { looked_at, .. } => looked_at,
        Outcome::NotMade { why, .. } => why,
    }
}

fn with(change: impl FnOnce(&mut Elf)) -> Elf {
    let mut elf = Elf::library();
    change(&mut elf);
    elf
}

#[test]
fn each_fault_is_found_by_its_check_and_by_no_other() {
    let text = |text: &str| Some(text.to_owned());
    #[rustfmt::skip]
    let cases = [ // the file                                                           the finding
        (Elf::library(),                                                                ""),
        (with(|elf| elf.sections = false),                                              ""),
        (with(|elf| elf.interpreter = text("/lib64/ld-linux-x86-64.so.2")),             ""),
        (with(|elf| elf.interpreter = text("")),                                        ""),
        (with(|elf| elf.isa_needed = Some(3)),                                          ""),
        (with(|elf| elf.runpath = text("$ORIGIN/../demo.libs:/opt/demo/lib/x:/usr/lib64")), ""),
        (with(|elf| elf.runpath = text("/opt/_internal/lib:/usr/local/lib:/homes/x")),  ""),
        (with(|elf| { elf.rpath = text("/home/builder"); elf.runpath = text("$ORIGIN"); }), ""),
        (Elf::library().asking("libstdc++.so.6", "GLIBCXX_3.4.29"),                     ""),
        (Elf::library().asking("libgcc_s.so.1", "GCC_11.0"),                            ""),
        (Elf::library().asking("libz.so.1", "ZLIB_1.2.9"),                              ""),

        (with(|elf| elf.machine = forge::AARCH64),          "elf: error: it is for aarch64, and the target is x86_64"),
        (with(|elf| elf.machine = forge::I386),             "elf: error: it is for i386, and the target is x86_64"),
        (with(|elf| elf.is_64 = false),                     "elf: error: it is of 32 bits, and the target's programs are of 64"),
        (with(|elf| elf.kind = forge::CORE),                "elf: error: it is what a program left behind that crashed"),
        (with(|elf| elf.interpreter = text("/lib/ld-musl-x86_64.so.1")),
            "elf: warning: it is started by `/lib/ld-musl-x86_64.so.1`, and the target has `/lib64/ld-linux-x86-64.so.2`"),
        (with(|elf| elf.needed = vec!["libc.musl-x86_64.so.1".to_owned()]),
            "elf: error: it asks for `libc.musl-x86_64.so.1`, which is musl's, and the target has glibc"),

        (Elf::library().asking("libc.so.6", "GLIBC_2.35"),  "symbols: error: it asks for GLIBC_2.35, and the target has 2.34"),
        (Elf::library().asking("libc.so.6", "GLIBC_PRIVATE"),
            "symbols: error: it asks for GLIBC_PRIVATE, which fits one build of glibc only"),
        (Elf::library().asking("libc.so.6", "GLIBC_ABI_DT_RELR"),
            "symbols: error: it asks for GLIBC_2.36, and the target has 2.34"),
        (Elf::library().asking("libstdc++.so.6", "GLIBCXX_3.4.9").asking("libstdc++.so.6", "GLIBCXX_3.4.30"),
            "symbols: error: it asks for GLIBCXX_3.4.30, and the target has GLIBCXX_3.4.29"),
        (Elf::library().asking("libstdc++.so.6", "CXXABI_1.3.14"),
            "symbols: error: it asks for CXXABI_1.3.14, and the target has CXXABI_1.3.13"),
        (Elf::library().asking("libgcc_s.so.1", "GCC_12.0.0"),
            "symbols: error: it asks for GCC_12.0.0, and the target has GCC_11.5"),
        (with(|elf| elf.isa_needed = Some(4)),
            "symbols: error: it needs x86-64-v3, and the target asks for x86-64-v2"),

        (with(|elf| elf.textrel = true),
            "hardening: error: its code is changed where it is loaded (text relocations)"),
        (with(|elf| elf.textrel_flag = true),
            "hardening: error: its code is changed where it is loaded (text relocations)"),
        (with(|elf| elf.stack = Some(7)),
            "hardening: error: it makes the stack of the whole process executable"),
        (with(|elf| elf.stack = None),
            "hardening: warning: it says nothing of the stack, which the loader then makes executable"),
        (with(|elf| elf.load = 7),
            "hardening: error: what is executed of it can be written as well"),

        (with(|elf| elf.kind = forge::RELOCATABLE),
            "extensions: error: it is named as a compiled module is, and nothing can load it: it has no dynamic segment"),
        (with(|elf| { elf.kind = forge::PROGRAM; elf.machine = 190; }),
            "extensions: error: it is named as a compiled module is, and nothing can load it: it has no dynamic segment"),
        (with(|elf| elf.needed.push("_private.so".to_owned())),
            "libraries: error: it asks for `_private.so`, which no file of the package brings"),
        (with(|elf| elf.runpath = text("$ORIGIN::/usr/lib")),
            "libraries: error: an empty element of its search path: libraries are loaded from the folder that it is started in"),
        (with(|elf| elf.rpath = text("../lib")),
            "libraries: error: libraries are looked for in `../lib` below the folder that it is started in"),
        (with(|elf| elf.rpath = text("$ORIGIN/../../..")),
            "libraries: error: libraries are looked for in `$ORIGIN/../../..`, which leads out of the package"),
        (with(|elf| elf.rpath = text("/home/builder/lib")),
            "libraries: error: libraries are looked for in `/home/builder/lib`, where others than root can put them"),
        (with(|elf| elf.runpath = text("/usr/lib64/../../tmp")),
            "libraries: error: libraries are looked for in `/usr/lib64/../../tmp`, where others than root can put them"),
    ];
    for (elf, expected) in cases {
        let found = findings(&evidence(&[(MODULE, elf.write())]));
        let parts: Vec<&str> = expected.splitn(3, ": ").collect();
        let expected: Vec<String> = match parts.as_slice() {
            [check, weight, found] => vec![format!("{check}: {weight}: {MODULE}: {found}")],
            _ => Vec::new(),
        };
        assert_eq!(found, expected, "{elf:?}");
    }
}

/// A wheel for any platform brings files for several, and takes the right one itself; so does one whose files say in
/// their paths what they are for.
#[test]
fn what_is_for_other_boxes_is_at_most_a_warning() {
    let aarch64 = || with(|elf| elf.machine = forge::AARCH64).asking("libother.so.1", "OTHER_9").write();
    let i386 = || {
        with(|elf| {
            elf.machine = forge::I386;
            elf.stack = Some(7)
        })
        .write()
    };
    let musl = || with(|elf| elf.needed = vec!["libc.musl-x86_64.so.1".to_owned()]).write();
    let is_for =
        |path: &str, what: &str| vec![format!("elf: warning: {path}: it is for {what}, and the target is x86_64")];
    let any = |path: &str, bytes: Vec<u8>| findings(&evidence_of(Draft::of("demo"), &[(path, bytes)]));
    let of_platform = |path: &str, bytes: Vec<u8>| findings(&evidence(&[(path, bytes)]));
    assert_eq!(any("demo/linux/manager", aarch64()), is_for("demo/linux/manager", "aarch64"));
    assert_eq!(any("demo/attach.so", i386()), is_for("demo/attach.so", "i386"));
    let musl_found =
        ["elf: warning: demo/a.so: it asks for `libc.musl-x86_64.so.1`, which is musl's, and the target has glibc"];
    assert_eq!(any("demo/a.so", musl()), musl_found);
    let broken = b"\x7fELF\x02\x01\x01".to_vec();
    assert!(any("demo/broken", broken.clone())[0].starts_with("elf: warning: demo/broken: it cannot be read"));
    assert!(of_platform("demo/broken", broken)[0].starts_with("elf: error: demo/broken: it cannot be read"));
    assert_eq!(of_platform("demo/attach_linux_x86.so", i386()), is_for("demo/attach_linux_x86.so", "i386"));
    assert_eq!(of_platform("demo/arm64/tool", aarch64()), is_for("demo/arm64/tool", "aarch64"));
    assert!(of_platform("demo/attach.so", i386())[0].starts_with("elf: error: "));
    let command = any("demo-1.0.data/scripts/tool-arm64", aarch64());
    assert_eq!(command[0], "elf: error: /opt/demo/bin/tool-arm64: it is for aarch64, and the target is x86_64");
}

/// Objects for linkers and code of other devices are data to the box.
#[test]
fn data_is_not_judged() {
    let object = with(|elf| elf.kind = forge::RELOCATABLE).write();
    let of_device = with(|elf| {
        elf.kind = forge::PROGRAM;
        elf.machine = 190;
        elf.textrel = true;
    });
    let files =
        [("demo/x.o", object.clone()), ("demo/x.cubin", of_device.write()), ("demo/kernel.so", of_device.write())];
    assert_eq!(findings(&evidence(&files)), [""; 0]);
}

#[test]
fn damaged_files_are_said_to_be() {
    let whole = Elf::library().write();
    let found = findings(&evidence(&[(MODULE, whole[..150].to_vec())]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("elf: error: {MODULE}: it cannot be read: ")), "{found:?}");
    let found = findings(&evidence(&[(MODULE, b"not at all".to_vec())]));
    assert_eq!(
        found,
        [format!("extensions: error: {MODULE}: it is named as a compiled module is, and its 10 bytes are no ELF file")]
    );
}

#[test]
fn names_of_modules_fit_the_interpreter_or_have_a_twin_that_does() {
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 9] = [
        (&["demo/_x.abi3.so"],                                                    ""),
        (&["demo/_x.so"],                                                         ""),
        (&["demo.libs/libx-1a.so.1", "demo/libx.1.so"],                           ""),
        (&["demo/_x.cpython-312-x86_64-linux-gnu.so"],                            "error"),
        (&["demo/_x.cpython-311-aarch64-linux-gnu.so"],                           "error"),
        (&["demo/_x.cpython-311-x86_64-linux-musl.so"],                           "error"),
        (&["demo/_x.pypy310-pp73-x86_64-linux-gnu.so"],                           "error"),
        (&["demo/_x.cpython-312-x86_64-linux-gnu.so", MODULE],                    "warning"),
        (&["demo/_x.cpython-312-x86_64-linux-gnu.so", "demo/_y.abi3.so"],         "error"),
    ];
    for (paths, weight) in cases {
        let files: Vec<(&str, Vec<u8>)> = paths.iter().map(|path| (*path, Elf::library().write())).collect();
        let found = findings(&evidence(&files));
        let front = format!("extensions: {weight}: {}: Python 3.11 does not import", paths[0]);
        assert!(
            if weight.is_empty() { found.is_empty() } else { found.len() == 1 && found[0].starts_with(&front) },
            "{found:?}"
        );
    }
}

#[test]
fn what_is_asked_of_the_box_stands_in_the_header() {
    let asking = Elf::library().asking("libodbc.so.2", "ODBC_1").asking("libm.so.6", "GLIBC_2.29").write();
    let good = || evidence(&[(MODULE, asking.clone())]);
    assert_eq!(findings(&good()), [""; 0]);
    assert_eq!(looked_at(&good(), "libraries"), "1 ELF file, 3 libraries of the box");
    let without = |what: &str| {
        let mut evidence = good();
        let before = evidence.described.requires.len();
        evidence.described.requires.retain(|required| !required.starts_with(what));
        assert!(evidence.described.requires.len() < before, "{what}");
        evidence
    };
    let finding = |weight: &str, library: &str| {
        vec![format!(
            "libraries: {weight}: {MODULE}: it asks for `{library}`, which neither the package brings nor the RPM requires"
        )]
    };
    assert_eq!(findings(&without("libodbc.so.2")), finding("error", "libodbc.so.2"));
    assert_eq!(findings(&without("libm.so.6")), finding("error", "libm.so.6"));
    // What the package says to be optional is; a lower version than is asked for is not enough.
    let mut optional = without("libodbc.so.2");
    optional.described.suggests.push("libodbc.so.2(ODBC_1)(64bit)".to_owned());
    assert_eq!(findings(&optional), [""; 0]);
    let mut lower = without("libm.so.6");
    lower.described.requires.push("libm.so.6(GLIBC_2.27)(64bit)".to_owned());
    assert_eq!(findings(&lower), finding("error", "libm.so.6"));
    // el7's rpm has no way to say it.
    let mut old = without("libodbc.so.2");
    old.target = Some(Target::find("el7-x86_64", None, None).unwrap());
    let of_libraries: Vec<String> = findings(&old).into_iter().filter(|found| found.starts_with("libraries")).collect();
    assert_eq!(of_libraries, finding("warning", "libodbc.so.2"));
}

#[test]
fn what_the_package_brings_is_not_asked_of_the_box() {
    let library = |soname: &str| with(|elf| elf.soname = Some(soname.to_owned())).write();
    let own = with(|elf| {
        elf.needed.push("libown-1a2b.so.1".to_owned());
        elf.runpath = Some("$ORIGIN/../demo.libs".to_owned());
    });
    assert_eq!(findings(&evidence(&[(MODULE, own.write()), ("demo.libs/libown-1a2b.so.1", library(""))])), [""; 0]);
    assert_eq!(
        findings(&evidence(&[(MODULE, own.write()), ("demo/renamed.so.9", library("libown-1a2b.so.1"))])),
        [""; 0]
    );
    // The versions of a runtime that the package brings itself are its own affair.
    let new = Elf::library().asking("libstdc++.so.6", "GLIBCXX_3.4.33").write();
    let brought = evidence(&[(MODULE, new.clone()), ("demo/libstdc++.so.6", library("libstdc++.so.6"))]);
    assert_eq!(findings(&brought), [""; 0]);
    assert_eq!(findings(&evidence(&[(MODULE, new)])).len(), 1);
}

#[test]
fn boxes_differ_in_their_runtimes_and_what_is_not_known_is_not_judged() {
    let asking = Elf::library().asking("libstdc++.so.6", "GLIBCXX_3.4.26").asking("libgcc_s.so.1", "GCC_7.0.0");
    let judged = |elf: &Elf, target: Target| {
        let mut evidence = evidence(&[(MODULE, elf.write())]);
        evidence.target = Some(target);
        let found = findings(&evidence).into_iter().filter(|found| found.starts_with("symbols")).count();
        (found, looked_at(&evidence, "symbols"))
    };
    let known = |name: &str| Target::find(name, None, None).unwrap();
    let most = "1 ELF file, GLIBC_2.17, GLIBCXX_3.4.26, GCC_7.0.0 at most";
    #[rustfmt::skip]
    let cases = [("el7-x86_64", 2), ("el8-x86_64", 1), ("el9-x86_64", 0), ("el10-x86_64", 0), ("al2023-x86_64", 0)];
    for (name, count) in cases {
        assert_eq!(judged(&asking, known(name)), (count, most.to_owned()), "{name}");
    }
    let levels = [("el7-x86_64", 1), ("el8-x86_64", 1), ("el9-x86_64", 1), ("al2023-x86_64", 1), ("el10-x86_64", 0)];
    for (name, count) in levels {
        assert_eq!(judged(&with(|elf| elf.isa_needed = Some(7)), known(name)).0, count, "{name}");
    }
    let record = BoxRecord { release: Some("deb13".to_owned()), ..known("el9-x86_64").whole_record() };
    let (found, text) = judged(&asking, Target::own("own", "3.9.25", &record).unwrap());
    assert_eq!(found, 0);
    assert!(text.ends_with("is not known, and not judged"), "{text}");
}
