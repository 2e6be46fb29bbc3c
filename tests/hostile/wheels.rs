//! What a wheel says of itself: metadata, RECORD, entry points.

use crate::boxes::{Draft, digest};
use crate::zip::{Entry, Zip};
use crate::{Expected, Fine, Refused, Rows};
use anyhow::ensure;
use wheelhaul_wheel::{Contents, Metadata, WheelRecord, console_scripts};

const INFO: &str = "demo-1.0.dist-info";

fn base() -> Draft {
    Draft::of("demo")
}

fn with_metadata(text: &str) -> Draft {
    base().with(&format!("{INFO}/METADATA"), text)
}

#[test]
fn metadata_that_is_not_of_the_wheel_is_refused() {
    let moved = |from: &str, to: &str| {
        let mut draft = base();
        draft.dist_info = to.to_owned();
        for (path, _) in &mut draft.files {
            *path = path.replace(from, to);
        }
        draft
    };
    #[rustfmt::skip]
    let cases: Vec<(&str, Draft, Expected)> = vec![
        ("the base",                base(),                                                         Fine),
        ("another spelling",        moved(INFO, "Demo-1.0.0.dist-info"),                            Fine),
        ("no metadata at all",      base().without(&format!("{INFO}/METADATA")).without(&format!("{INFO}/WHEEL")), Refused("there is no `demo-1.0.dist-info/METADATA`")),
        ("two folders",             base().with("demo-2.0.dist-info/METADATA", "x"),                Refused("2 `*.dist-info` folders")),
        ("another package's",       moved(INFO, "other-1.0.dist-info"),                             Refused("belongs to another wheel")),
        ("another version's",       moved(INFO, "demo-2.0.dist-info"),                              Refused("belongs to another wheel")),
        ("a suffix twice",          moved(INFO, "demo-1.0.dist-info.dist-info"),                    Refused("")),
        ("the file's name differs", base().named("other-1.0-py3-none-any.whl"),                     Refused("belongs to another wheel")),
        ("no METADATA",             base().without(&format!("{INFO}/METADATA")),                    Refused("there is no `demo-1.0.dist-info/METADATA`")),
        ("no WHEEL",                base().without(&format!("{INFO}/WHEEL")),                       Refused("there is no `demo-1.0.dist-info/WHEEL`")),
        ("no name",                 with_metadata("Version: 1.0\n"),                                Refused("there is no `Name`")),
        ("no version",              with_metadata("Name: demo\n"),                                  Refused("there is no `Version`")),
        ("another name",            with_metadata("Name: other\nVersion: 1.0\n"),                   Refused("its METADATA is of other 1.0")),
        ("another version",         with_metadata("Name: demo\nVersion: 1.1\n"),                    Refused("its METADATA is of demo 1.1")),
        ("a name in the body",      with_metadata("\nName: demo\nVersion: 1.0\n"),                  Refused("there is no `Name`")),
        ("a name with a separator", with_metadata("Name: demo-\nVersion: 1.0\n"),                   Refused("`Name: demo-`")),
        ("a version with a slash",  with_metadata("Name: demo\nVersion: 1/0\n"),                    Refused("`Version: 1/0`")),
        ("an odd Requires-Python",  with_metadata("Name: demo\nVersion: 1.0\nRequires-Python: new\n"), Fine),
        ("WHEEL of version 2",      base().with(&format!("{INFO}/WHEEL"), "Wheel-Version: 2.0\n"),  Refused("`Wheel-Version: 2.0` is not known")),
        ("WHEEL without a version", base().with(&format!("{INFO}/WHEEL"), "Tag: py3-none-any\n"),   Refused("there is no `Wheel-Version`")),
        ("a name that is no wheel", base().named("demo-1.0.zip"),                                   Refused("is not the name of a wheel")),
    ];
    let mut rows = Rows::default();
    for (row, draft, expected) in cases {
        rows.check(row, expected, || draft.open());
    }
    let binary = Zip::of(vec![Entry::stored(&format!("{INFO}/METADATA"), b"Name: \xff\n")]);
    rows.check("METADATA is not UTF-8", Refused("is not UTF-8"), || {
        crate::boxes::open("demo-1.0-py3-none-any.whl", binary.bytes())
    });
    rows.check("an empty archive", Refused("no `*.dist-info`"), || {
        crate::boxes::open("demo-1.0-py3-none-any.whl", Zip::of(Vec::new()).bytes())
    });
    rows.finish();
}

/// pep508_rs panics on a name or an extra that ends in a separator; both stand in METADATA and in locks.
#[test]
fn names_that_end_in_a_separator_are_refused_without_a_panic() {
    let mut rows = Rows::default();
    for requirement in [
        "requests-",
        "requests-==1",
        "requests._; os_name == 'x'",
        "a[b-]",
        "a[b-]==1",
        "a[b_, c]",
        "a[b.] ; extra == 'x'",
    ] {
        rows.check(&format!("Requires-Dist: {requirement}"), Refused("is not a dependency specifier"), || {
            let read = Metadata::parse(&format!("Name: demo\nVersion: 1.0\nRequires-Dist: {requirement}\n"))?;
            ensure!(read.unreadable.is_empty() && read.requires.len() == 1, "{}", read.unreadable[0].why);
            Ok(read)
        });
    }
    rows.check("Provides-Extra: x-", Fine, || Metadata::parse("Name: demo\nVersion: 1.0\nProvides-Extra: x-\n"));
    rows.finish();
}

#[test]
fn a_marker_is_never_lost() {
    for text in ["a; sys_platform == 'win32'", "a; platform_release == 'x@y'", "a[b]==1;extra=='@'"] {
        let metadata = Metadata::parse(&format!("Name: demo\nVersion: 1.0\nRequires-Dist: {text}\n")).unwrap();
        assert!(metadata.requires[0].marker.is_some(), "the marker of `{text}` is gone");
    }
}

#[test]
fn a_wheel_that_differs_from_its_record_is_refused() {
    let row = |path: &str, content: &str| format!("{path},{},{}\n", digest(content.as_bytes()), content.len());
    let code = "def main():\n    pass\n";
    let own = || row("demo.py", code);
    let swapped = |with: String| base().record(|text| text.replace(&own(), &with));
    #[rustfmt::skip]
    let cases: Vec<(&str, Draft, Expected)> = vec![
        ("the base",                   base(),                                                      Fine),
        ("line ends of Windows",       base().record(|text| text.replace('\n', "\r\n")),            Fine),
        ("a row twice",                base().record(|text| text.clone() + &text),                  Fine),
        ("a name that must be quoted", base().with("a,\"b\".py", "x"),                              Fine),
        ("a row without a size",       swapped(format!("demo.py,{},\n", digest(code.as_bytes()))),  Fine),
        ("a row of a folder",          base().record(|text| text + "demo/,,\n"),                    Fine),
        ("a file that is not listed",  swapped(String::new()),                                      Refused("RECORD does not list `demo.py`")),
        ("a row without a file",       base().record(|text| text + &row("gone.py", "x")),           Refused("RECORD lists `gone.py`")),
        ("a row without a digest",     swapped("demo.py,,\n".to_owned()),                           Refused("RECORD has no digest of `demo.py`")),
        ("a wrong size",               swapped(own().replace(&format!(",{}", code.len()), ",1")),   Refused("instead of the 1 of RECORD")),
        ("a size below 0",             swapped(own().replace(&format!(",{}", code.len()), ",-1")),  Refused("the size `-1`")),
        ("md5",                        swapped("demo.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,20\n".to_owned()), Refused("`md5` digests are not accepted")),
        ("sha1",                       swapped("demo.py,sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk,20\n".to_owned()), Refused("`sha1` digests are not accepted")),
        ("a digest that is too short", swapped("demo.py,sha256=AAAA,20\n".to_owned()),              Refused("bytes instead of")),
        ("two rows that differ",       base().record(|text| text + &row("demo.py", "x")),           Refused("stands twice")),
        ("a field too many",           swapped(own().replace('\n', ",\n")),                         Refused("4 fields")),
        ("a quote that is not closed", base().record(|text| format!("\"{text}")),                   Refused("")),
        ("`..` in a row",              swapped(row("../demo.py", code)),                            Refused("../demo.py")),
        ("nothing in it",              base().record(|_| String::new()),                            Refused("RECORD does not list")),
    ];
    let mut rows = Rows::default();
    for (row, draft, expected) in cases {
        rows.check(row, expected, || crate::boxes::pack(&[draft, Draft::app()]));
    }
    let lie = swapped(row("demo.py", "def main():\n    evil\n").replace(",24", ",20"));
    rows.check("a wrong digest", Refused("digest that its RECORD says"), || crate::boxes::pack(&[lie, Draft::app()]));
    let mut zip = base().zip();
    zip.entries.pop();
    rows.check("no RECORD", Refused("there is no `demo-1.0.dist-info/RECORD`"), || {
        crate::boxes::open("demo-1.0-py3-none-any.whl", zip.bytes())
    });
    rows.finish();
}

#[test]
fn entry_points_that_leave_their_folder_or_inject_code_are_refused() {
    #[rustfmt::skip]
    let cases: &[(&str, Expected)] = &[
        ("tool = demo:main",                     Fine),
        ("tool = demo.cli:App.run [extra]",      Fine),
        ("tool.py = demo:main",                  Fine),
        ("../tool = demo:main",                  Refused("cannot be the name")),
        ("/bin/sh = demo:main",                  Refused("cannot be the name")),
        (".. = demo:main",                       Refused("cannot be the name")),
        ("a b = demo:main",                      Refused("cannot be the name")),
        ("-rf = demo:main",                      Refused("cannot be the name")),
        ("a\0b = demo:main",                     Refused("cannot be the name")),
        (" = demo:main",                         Refused("cannot be the name")),
        ("tool = demo",                          Refused("not `module:function`")),
        ("tool = demo:",                         Refused("not a dotted name")),
        ("tool = demo:main()",                   Refused("not a dotted name")),
        ("tool = demo:main;import os",           Refused("not a dotted name")),
        ("tool = demo import x\\nevil:main",     Refused("not a dotted name")),
        ("tool = demo:a.__class__ or evil()",    Refused("not a dotted name")),
        ("tool = ..demo:main",                   Refused("not a dotted name")),
        ("tool = demo:{{ root }}",               Refused("not a dotted name")),
        ("tool = de\u{2028}mo:main",             Refused("not a dotted name")),
        ("tool = demo:m\u{b2}",                  Refused("not a dotted name")),
        ("tool = demo:\u{663}m",                 Refused("not a dotted name")),
        ("tool = demo:import",                   Refused("not a dotted name")),
        ("tool",                                 Refused("no `=`")),
    ];
    let mut rows = Rows::default();
    for (line, expected) in cases {
        rows.check(line, *expected, || console_scripts(&format!("[console_scripts]\n{line}\n")));
    }
    rows.finish();
    let long = format!("[console_scripts]\n{} = demo:main\n", "x".repeat(300));
    let draft = base().with(&format!("{INFO}/entry_points.txt"), &long);
    assert!(crate::boxes::pack(&[draft, Draft::app()]).is_err(), "a script's name is longer than a file's may be");
}

#[test]
fn large_texts_take_time_in_proportion() {
    let start = std::time::Instant::now();
    WheelRecord::parse(&"a,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n".repeat(100_000)).unwrap();
    WheelRecord::parse(&"\"\"".repeat(2_000_000)).unwrap_err();
    Metadata::parse(&format!("Name: demo\nVersion: 1.0\n{}", "Description: x\n y\n".repeat(200_000))).unwrap();
    Metadata::parse(&format!("Name: demo\nVersion: 1.0\nSummary: {}\n", "x".repeat(50 << 20))).unwrap();
    assert!(console_scripts(&format!("[console_scripts]\n{}\n", "=".repeat(4 << 20))).is_err());
    assert!(start.elapsed().as_secs() < 10, "it took {:?}", start.elapsed());
    // Only so that the type is named: what was read is never changed afterwards.
    let _: fn(&wheelhaul_wheel::Archive<Vec<u8>>, &wheelhaul_wheel::WheelName) -> anyhow::Result<Contents> =
        Contents::read;
}
