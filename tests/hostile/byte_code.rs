//! Byte-code: archives of the cache that are not what they were, and what others compiled.

use crate::boxes::{Draft, digest, pack, pack_wheels, paths};
use crate::zip::{Entry, Zip};
use crate::{Expected, Fine, Refused, Rows};
use std::io::Cursor;
use wheelhaul_verify::{Evidence, Outcome, Severity, judge};
use wheelhaul_wheel::ByteCode;

const MODULE: &str = "__pycache__/demo.cpython-311.pyc";
/// Magic number 3495, valid unchecked, with the hash of the module that `Draft` has.
const HEAD: &[u8] = b"\xa7\r\r\n\x01\0\0\0\x94\x82\x95\xed.\xa8*C";
const APP: &str = "__pycache__/demoapp.cpython-311.pyc";

fn archive(files: &[(&str, &[u8])], record: &str) -> Vec<u8> {
    let mut entries: Vec<Entry> = files.iter().map(|(path, content)| Entry::stored(path, content)).collect();
    entries.push(Entry::stored("RECORD", record.as_bytes()));
    Zip::of(entries).bytes()
}

fn opened(bytes: Vec<u8>) -> anyhow::Result<ByteCode<Vec<u8>>> {
    let size = bytes.len() as u64;
    ByteCode::open(bytes, size)
}

fn row(path: &str, content: &[u8]) -> String {
    format!("{path},{},{}\n", digest(content), content.len())
}

#[test]
fn an_archive_of_the_cache_that_is_not_whole_is_refused() {
    let whole = archive(&[(MODULE, HEAD)], &row(MODULE, HEAD));
    let cut = whole[..whole.len() - 1].to_vec();
    let mut flipped = whole.clone();
    flipped[40 + MODULE.len()] ^= 1;
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("the base",               whole,                                                       Fine),
        ("nothing compiled",       archive(&[], ""),                                            Fine),
        ("cut",                    cut,                                                         Refused("")),
        ("a bit of a file",        flipped,                                                     Refused("CRC-32")),
        ("empty",                  Vec::new(),                                                  Refused("no zip archive")),
        ("no RECORD",              Zip::of(vec![Entry::stored(MODULE, HEAD)]).bytes(),           Refused("there is no `RECORD`")),
        ("a file without a row",   archive(&[(MODULE, HEAD)], ""),                              Refused("other files than its RECORD lists")),
        ("a row without a file",   archive(&[(MODULE, HEAD)], &row("x.pyc", HEAD)),             Refused("`x.pyc`, which is not there")),
        ("another digest",         archive(&[(MODULE, HEAD)], &row(MODULE, b"x")),              Refused("does not have the digest")),
        ("no digest",              archive(&[(MODULE, HEAD)], &format!("{MODULE},,\n")),        Refused("does not have the digest")),
        ("a path outside",         archive(&[("../x.pyc", HEAD)], &row("../x.pyc", HEAD)),      Refused("a part `..`")),
    ];
    let mut rows = Rows::default();
    for (name, bytes, expected) in cases {
        rows.check(name, expected, || opened(bytes));
    }
    rows.finish();
}

/// What `verify` finds of byte-code in a package whose application has `files` as its own.
fn findings(files: &[(&str, &[u8])]) -> Vec<String> {
    let record: String = files.iter().map(|(path, content)| row(path, content)).collect();
    let mut wheels = vec![Draft::of("demo").open().unwrap(), Draft::app().open().unwrap()];
    wheels[0].byte_code = Some(opened(archive(files, &record)).unwrap());
    wheels[1].byte_code = Some(opened(archive(&[(APP, HEAD)], &row(APP, HEAD))).unwrap());
    let (_, rpm) = pack_wheels(&wheels).unwrap();
    let evidence = Evidence::gather(Cursor::new(rpm)).unwrap();
    let mut found = Vec::new();
    for judged in judge(&evidence) {
        match judged.outcome {
            Outcome::Made { findings, .. } => {
                found.extend(findings.into_iter().map(|f| format!("{}: {}", judged.check.name, f.found)))
            }
            // No program of this host is asked here.
            Outcome::NotMade { severity: Severity::Warning, .. } => {}
            Outcome::NotMade { why, .. } => found.push(why),
        }
    }
    found
}

#[test]
fn byte_code_that_is_not_as_this_tool_makes_it_is_found() {
    let with = |at: usize, byte: u8| {
        let mut head = HEAD.to_vec();
        head[at] = byte;
        head
    };
    #[rustfmt::skip]
    let cases: [(&str, &str, Vec<u8>, &str); 8] = [
        ("the base",               MODULE,                             HEAD.to_vec(), ""),
        ("valid by time",          MODULE,                             with(4, 0),    "by the time of its source"),
        ("held against it",        MODULE,                             with(4, 3),    "at each start"),
        ("of another Python",      MODULE,                             with(0, 0x61), "magic number 3425"),
        ("named for another one",  "__pycache__/demo.cpython-39.pyc",  HEAD.to_vec(), "none that this Python looks for"),
        ("without a source",       "__pycache__/gone.cpython-311.pyc", HEAD.to_vec(), "its source `/opt/demo/lib/gone.py` is not there"),
        ("cut short",              MODULE,                             HEAD[..12].to_vec(), "too short"),
        ("of another source",      MODULE,                             with(8, 0),    "of a source with the hash 008295ed2ea82a43"),
    ];
    for (name, path, content, says) in cases {
        let found = findings(&[(path, &content)]).join("\n");
        assert!(if says.is_empty() { found.is_empty() } else { found.contains(says) }, "{name}: {found}");
        assert!(says.is_empty() || found.starts_with("byte-code: "), "{name}: {found}");
    }
}

#[test]
fn what_others_compiled_is_left_out_and_no_claim() {
    let theirs = |path: &str| Draft::of("demo").with(path, "of their host");
    for path in
        [MODULE, "__pycache__/demo.cpython-39.pyc", "demo-1.0.data/purelib/a/__pycache__/b.cpython-311.opt-1.pyc"]
    {
        let mut wheels = vec![theirs(path).open().unwrap(), Draft::app().open().unwrap()];
        wheels[0].byte_code = Some(opened(archive(&[(MODULE, HEAD)], &row(MODULE, HEAD))).unwrap());
        let (layout, _) = pack_wheels(&wheels).unwrap();
        let compiled: Vec<String> = paths(&layout).into_iter().filter(|path| path.ends_with(".pyc")).collect();
        assert_eq!(compiled, [format!("/opt/demo/lib/{MODULE}")], "{path}");
    }
    // A module without a source is what it is, and so is data that lies there.
    for path in ["a/b.pyc", "__pycache__/data.txt"] {
        let (layout, _) = pack(&[theirs(path), Draft::app()]).unwrap();
        assert!(paths(&layout).contains(&format!("/opt/demo/lib/{path}")), "{path}");
    }
}

/// A namespace's `__init__.py` of two wheels is compiled with each; by time, where Python knows no hashes.
#[test]
fn a_module_that_two_wheels_share_has_the_byte_code_of_the_first() {
    const SHARED: &str = "ns/__pycache__/__init__.cpython-311.pyc";
    const EMPTY: &[u8] = b"\xa7\r\r\n\x01\0\0\0s\x8d\x9c\xd5\xd5\xe8\x7fs";
    let mut wheels = Vec::new();
    for (name, content) in [("demo", EMPTY.to_vec()), ("other", HEAD.to_vec())] {
        let mut wheel = Draft::of(name).with("ns/__init__.py", "").open().unwrap();
        wheel.byte_code = Some(opened(archive(&[(SHARED, &content)], &row(SHARED, &content))).unwrap());
        wheels.push(wheel);
    }
    wheels.push(Draft::app().open().unwrap());
    let (_, rpm) = pack_wheels(&wheels).unwrap();
    let evidence = Evidence::gather(Cursor::new(rpm)).unwrap();
    let found: Vec<_> = judge(&evidence)
        .into_iter()
        // The other modules have none here, which is that check's affair.
        .filter(|judged| judged.check.name != "imports")
        .filter_map(|judged| match judged.outcome {
            Outcome::Made { findings, .. } if findings.is_empty() => None,
            Outcome::NotMade { severity: Severity::Warning, .. } => None,
            outcome => Some(outcome),
        })
        .collect();
    assert!(found.is_empty(), "{found:?}");
}
