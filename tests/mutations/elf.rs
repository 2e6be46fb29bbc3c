//! Faults of compiled modules: the processor, libraries, versions of symbols, protection of memory, names.

use crate::forge::Forge;
use crate::forge::native::{
    AARCH64, DT_NEEDED, DT_RELACOUNT, DT_RPATH, DT_RUNPATH, DT_TEXTREL, PPC64, make_stack_executable, offset_of,
    set_dynamic, set_interpreter, set_level, set_machine,
};
use crate::{Base, Row, row};

const SPEEDUPS: &str = "/opt/small/lib/markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so";
const GREENLET: &str = "/opt/small/lib/greenlet/_greenlet.cpython-311-x86_64-linux-gnu.so";

/// Lets a module look for libraries elsewhere: the entry for `libpthread.so.0` becomes that of a search path, and the
/// name of a symbol that nobody defines its text.
fn search_path(rpm: &mut Forge, path: &str, tag: u64, text: &str) {
    const SYMBOL: &[u8] = b"_ITM_deregisterTMCloneTable\0";
    let content = &mut rpm.file(path).content;
    let place = offset_of(content, SYMBOL);
    set_dynamic(content, |entry, name| entry == DT_NEEDED && name == "libpthread.so.0", tag, |_| place);
    let mut text = text.as_bytes().to_vec();
    text.resize(SYMBOL.len(), 0);
    rpm.patch(path, SYMBOL, &text);
}

/// Renames a file, with its row of RECORD.
fn rename(rpm: &mut Forge, dist: &str, from: &str, to: &str) {
    let file = rpm.remove(from);
    rpm.add_to(dist, to, file);
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("elf", "of another processor", SPEEDUPS, |rpm| set_machine(&mut rpm.file(SPEEDUPS).content, AARCH64)),
        row("elf", "a wheel of a third processor", GREENLET, |rpm| rpm.files.values_mut().filter(|file| file.content.starts_with(b"\x7fELF")).for_each(|file| set_machine(&mut file.content, PPC64))),
        row("elf", "of 32 bits", SPEEDUPS, |rpm| rpm.file(SPEEDUPS).content[4] = 1),
        row("elf", "of the other byte order", SPEEDUPS, |rpm| rpm.file(SPEEDUPS).content[5] = 2),
        row("elf", "cut short in its header", SPEEDUPS, |rpm| rpm.file(SPEEDUPS).content.truncate(40)),
        row("elf", "cut short in its segments", SPEEDUPS, |rpm| rpm.file(SPEEDUPS).content.truncate(9000)),
        row("elf", "a program interpreter that is not there", "/lib/ld-musl-x86_64.so.1", |rpm| set_interpreter(&mut rpm.file(SPEEDUPS).content, "/lib/ld-musl-x86_64.so.1")),
        row("extensions", "an object file with a module's name", SPEEDUPS, |rpm| rpm.file(SPEEDUPS).content[16] = 1),
        row("extensions", "no ELF file with a module's name", SPEEDUPS, |rpm| rpm.file(SPEEDUPS).content = b"/* GNU ld script */\n".to_vec()),
        row("elf", "numpy of another processor", "_multiarray_umath", |rpm| { let path = rpm.path("_multiarray_umath.cpython-311-x86_64-linux-gnu.so"); set_machine(&mut rpm.file(&path).content, AARCH64) }).on(Base::Large),

        row("libraries", "a library that nobody has", "libq.so.6", |rpm| rpm.patch(GREENLET, b"libm.so.6\0", b"libq.so.6\0")),
        row("libraries", "a search path outside", "/var/tmp/lib", |rpm| search_path(rpm, SPEEDUPS, DT_RUNPATH, "/var/tmp/lib")),
        row("libraries", "a search path of the building host", "/home/build/lib", |rpm| search_path(rpm, SPEEDUPS, DT_RPATH, "/home/build/lib")),
        row("libraries", "a search path up and out", "$ORIGIN/../../../../tmp", |rpm| search_path(rpm, SPEEDUPS, DT_RUNPATH, "$ORIGIN/../../../../tmp")),
        row("libraries", "a search path that is relative", "lib/x", |rpm| search_path(rpm, SPEEDUPS, DT_RUNPATH, "lib/x")),
        row("libraries", "a part of a search path that is empty", SPEEDUPS, |rpm| search_path(rpm, SPEEDUPS, DT_RUNPATH, "$ORIGIN::/opt/small/lib")),
        row("libraries", "Requires without a library", "libstdc++.so.6", |rpm| rpm.without_requires(|name| name.starts_with("libstdc++"))),
        row("libraries", "Requires without a version", "libc.so.6", |rpm| rpm.without_requires(|name| name.contains("GLIBC_2.14"))),
        row("libraries", "numpy without a library that it brings", "libscipy_openblas", |rpm| {
            let path = rpm.files.keys().find(|path| path.contains("/numpy.libs/libscipy_openblas")).unwrap().clone();
            rpm.remove(&path);
        }).on(Base::Large),

        row("symbols", "glibc that is too new", "GLIBC_2.99", |rpm| rpm.patch(SPEEDUPS, b"GLIBC_2.14\0", b"GLIBC_2.99\0")),
        row("symbols", "libstdc++ that is too new", "GLIBCXX_3.4.99", |rpm| rpm.patch(GREENLET, b"GLIBCXX_3.4.21\0", b"GLIBCXX_3.4.99\0")),
        row("symbols", "the C++ ABI that is too new", "CXXABI_1.9.9", |rpm| rpm.patch(GREENLET, b"CXXABI_1.3.9\0", b"CXXABI_1.9.9\0")),
        row("symbols", "libgcc that is too new", "GCC_99", |rpm| rpm.patch(GREENLET, b"GCC_3.0\0", b"GCC_99\0\0")),
        row("symbols", "a newer level of the processor", "x86-64-v4", |rpm| set_level(&mut rpm.file(SPEEDUPS).content, 4)),

        row("hardening", "text relocations", SPEEDUPS, |rpm| set_dynamic(&mut rpm.file(SPEEDUPS).content, |tag, _| tag == DT_RELACOUNT, DT_TEXTREL, |_| 0)),
        row("hardening", "an executable stack", SPEEDUPS, |rpm| make_stack_executable(&mut rpm.file(SPEEDUPS).content)),
        row("hardening", "numpy with an executable stack", "_multiarray_umath", |rpm| { let path = rpm.path("_multiarray_umath.cpython-311-x86_64-linux-gnu.so"); make_stack_executable(&mut rpm.file(&path).content) }).on(Base::Large),

        row("extensions", "the name of another Python", "cpython-312", |rpm| rename(rpm, "markupsafe", SPEEDUPS, "/opt/small/lib/markupsafe/_speedups.cpython-312-x86_64-linux-gnu.so")),
        row("extensions", "the name of another processor", "aarch64", |rpm| rename(rpm, "markupsafe", SPEEDUPS, "/opt/small/lib/markupsafe/_speedups.cpython-311-aarch64-linux-gnu.so")),
        row("extensions", "the name of another C library", "musl", |rpm| rename(rpm, "markupsafe", SPEEDUPS, "/opt/small/lib/markupsafe/_speedups.cpython-311-x86_64-linux-musl.so")),
        row("extensions", "the name of a debugging Python", "cpython-311d", |rpm| rename(rpm, "markupsafe", SPEEDUPS, "/opt/small/lib/markupsafe/_speedups.cpython-311d-x86_64-linux-gnu.so")),
        row("extensions", "the name of another system", "darwin", |rpm| rename(rpm, "markupsafe", SPEEDUPS, "/opt/small/lib/markupsafe/_speedups.cpython-311-darwin.so")),
    ]
}
