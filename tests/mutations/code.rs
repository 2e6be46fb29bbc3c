//! Faults of Python code: what does not compile, byte-code that is not of its source, commands that lead nowhere.

use crate::forge::pyc::{MAGIC_311, MAGIC_312, by_hash, by_time};
use crate::forge::{File, Forge};
use crate::{Base, Row, row};

const MODULE: &str = "/opt/small/lib/gunicorn/app/base.py";
const UNIT: &str = "/usr/lib/systemd/system/small.service";

/// Puts a module, which RECORD lists, into gunicorn, and has it imported.
fn module(rpm: &mut Forge, content: impl Into<Vec<u8>>) {
    rpm.append("/opt/small/lib/gunicorn/__init__.py", "\nimport gunicorn.odd\n");
    rpm.add_to("gunicorn", "/opt/small/lib/gunicorn/odd.py", File::plain(content));
}

/// Puts byte-code of [`MODULE`] below a name, which RECORD lists.
fn compiled(rpm: &mut Forge, name: &str, make: impl FnOnce(&[u8]) -> Vec<u8>) {
    let source = rpm.files[MODULE].content.clone();
    let folder = "/opt/small/lib/gunicorn/app/__pycache__";
    rpm.add(folder, File::folder());
    rpm.add_to("gunicorn", &format!("{folder}/{name}"), File::plain(make(&source)));
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("imports", "a syntax error", "odd.py", |rpm| module(rpm, "def f(:\n    pass\n")).on(Base::LikeHost),
        row("imports", "syntax of a newer Python", "odd.py", |rpm| module(rpm, "lazy import json\n")).on(Base::LikeHost),
        row("imports", "syntax of Python 2", "odd.py", |rpm| module(rpm, "print 'hello'\n")).on(Base::LikeHost),
        row("imports", "tabs and spaces", "odd.py", |rpm| module(rpm, "if 1:\n        x = 1\n\ty = 2\n")).on(Base::LikeHost),
        row("imports", "a NUL in a module", "odd.py", |rpm| module(rpm, "x = 1\0\n")).on(Base::LikeHost),
        row("imports", "a module that is not UTF-8", "odd.py", |rpm| module(rpm, b"x = '\xff\xfe'\n".to_vec())).on(Base::LikeHost),
        row("imports", "an encoding that nobody knows", "odd.py", |rpm| module(rpm, "# coding: nonesuch\nx = 1\n")).on(Base::LikeHost),
        row("imports", "a module of the application", "small/__init__.py", |rpm| rpm.append("/opt/small/small/__init__.py", "return 1\n")).on(Base::LikeHost),
        row("imports", "a module that nests too deep", "odd.py", |rpm| module(rpm, format!("x = {}1{}\n", "(".repeat(3000), ")".repeat(3000)))).on(Base::LikeHost),

        row("byte-code", "of another Python", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |source| by_hash(MAGIC_312, 1, source))),
        row("byte-code", "of another source", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |_| by_hash(MAGIC_311, 1, b"x = 1\n"))),
        row("byte-code", "checked at each start", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |source| by_hash(MAGIC_311, 3, source))),
        row("byte-code", "valid by its source's time", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |source| by_time(MAGIC_311, 1_700_000_000, source))),
        row("byte-code", "without its source", "gone.cpython-311.pyc", |rpm| compiled(rpm, "gone.cpython-311.pyc", |source| by_hash(MAGIC_311, 1, source))),
        row("byte-code", "with the name of another Python", "base.cpython-312.pyc", |rpm| compiled(rpm, "base.cpython-312.pyc", |source| by_hash(MAGIC_312, 1, source))),
        row("byte-code", "with a name that nobody looks for", "base.pyc", |rpm| compiled(rpm, "base.pyc", |source| by_hash(MAGIC_311, 1, source))),
        row("byte-code", "of another level of optimisation", "base.cpython-311.opt-2.pyc", |rpm| compiled(rpm, "base.cpython-311.opt-2.pyc", |source| by_hash(MAGIC_311, 1, source))),
        row("byte-code", "cut short in its head", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |source| by_hash(MAGIC_311, 1, source)[..12].to_vec())),
        row("byte-code", "empty", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |_| Vec::new())),
        row("byte-code", "with unknown flags", "base.cpython-311.pyc", |rpm| compiled(rpm, "base.cpython-311.pyc", |source| by_hash(MAGIC_311, 8, source))),

        row("entry-point", "the script is gone", "/opt/small/bin/gunicorn", |rpm| drop(rpm.remove("/opt/small/bin/gunicorn"))),
        row("entry-point", "the module of the script is gone", "gunicorn.app.wsgiapp", |rpm| drop(rpm.remove("/opt/small/lib/gunicorn/app/wsgiapp.py"))),
        row("entry-point", "the function of the script is gone", "run", |rpm| rpm.replace("/opt/small/lib/gunicorn/app/wsgiapp.py", "def run(", "def walk(")),
        row("entry-point", "the application's module is gone", "nosuch", |rpm| rpm.replace(UNIT, "small:app", "nosuch:app")),
        row("entry-point", "the application's object is gone", "nosuch", |rpm| rpm.replace(UNIT, "small:app", "small:nosuch")),
        row("entry-point", "the application's package has no code", "small", |rpm| drop(rpm.remove("/opt/small/small/__init__.py"))),
        row("entry-point", "the launcher is gone", "bin/python", |rpm| drop(rpm.remove("/opt/small/bin/python"))),
        row("entry-point", "the program that makes certificates is gone", "self-signed-certificate", |rpm| drop(rpm.remove("/opt/small/bin/self-signed-certificate"))),
        row("entry-point", "no ExecStart", "no ExecStart", |rpm| rpm.replace(UNIT, "ExecStart=", "ExecReload=")),
        row("entry-point", "no unit", "no unit of its name", |rpm| drop(rpm.remove(UNIT))),
        row("entry-point", "another interpreter", "/usr/bin/python3.12", |rpm| rpm.replace(UNIT, "/usr/bin/python3.11 -ISB /opt/small/bin/python", "/usr/bin/python3.12 -ISB /opt/small/bin/python")),
    ]
}

#[test]
fn byte_code_that_is_right_is_no_fault() {
    // Of CPython 3.11's `_imp.source_hash`, with the raw magic number as its key.
    let pyc = by_hash(MAGIC_311, 1, b"hello world, here");
    assert_eq!(pyc[8..16], 0xfb95_7264_bcf3_3246_u64.to_le_bytes());
}
