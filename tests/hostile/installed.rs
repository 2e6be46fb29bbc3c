//! Packages whose lib is not what their lock says, and sources that are hard to read.

use crate::boxes::{Draft, pack_otherwise};
use crate::{Expected, Fine, Refused, Rows};
use std::io::Cursor;
use std::time::{Duration, Instant};
use wheelhaul_package::tree::{BoxPath, Tree, TreeEntry};
use wheelhaul_pylock::Lock;
use wheelhaul_verify::{Evidence, Importers, Module, Outcome, judge};

/// What the check `name` says of an RPM, as an error.
fn says(name: &str, rpm: Vec<u8>) -> anyhow::Result<()> {
    let evidence = Evidence::gather(Cursor::new(rpm))?;
    let judged = judge(&evidence).into_iter().find(|judged| judged.check.name == name).unwrap();
    match judged.outcome {
        Outcome::Made { findings, .. } if findings.is_empty() => Ok(()),
        Outcome::Made { findings, .. } => {
            let lines = findings.iter().map(|one| format!("{}: {} / {}", one.path, one.found, one.expected));
            anyhow::bail!("{}", lines.collect::<Vec<_>>().join("\n"))
        }
        Outcome::NotMade { why, .. } => anyhow::bail!("not made: {why}"),
    }
}

fn packed(
    drafts: &[Draft],
    documents: impl FnOnce(&mut Lock, &mut String),
    tree: impl FnOnce(&mut Tree),
) -> anyhow::Result<Vec<u8>> {
    let wheels = drafts.iter().map(Draft::open).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(pack_otherwise(&wheels, documents, tree)?.1)
}

#[test]
fn what_is_not_as_it_was_locked_is_found() {
    type Documents = fn(&mut Lock, &mut String);
    type Planted = fn(&mut Tree);
    let same: Documents = |_, _| ();
    let none: Planted = |_| ();
    let plant: Planted = |tree| {
        let path = BoxPath::new("/opt/demo/lib/stray.py").unwrap();
        tree.claim(path, TreeEntry::made("", 0, "nobody")).unwrap();
    };
    let with = |path: &str, text: &str| vec![Draft::of("demo").with(path, text), Draft::app()];
    let plain = || vec![Draft::of("demo"), Draft::app()];
    let two = || vec![Draft::of("demo"), Draft::of("other"), Draft::app()];
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<Draft>, Documents, Planted, Expected)> = vec![
        ("the base",              plain(), same, none, Fine),
        ("two",                   two(),   same, none, Fine),
        ("data, scripts, headers", with("demo-1.0.data/data/share/x", "x"), same, none, Fine),
        ("a purelib of its own",  with("demo-1.0.data/purelib/x.py", ""), same, none, Fine),
        ("metadata of its own",   with("demo-1.0.dist-info/INSTALLER", "me"), same, none, Fine),
        ("a dist in a dist",      with("demo/_vendor/other-1.0.dist-info/METADATA", "Name: other\nVersion: 1.0\n"), same, none, Fine),
        ("a stray file",          plain(), same, plant, Refused("stray.py: it belongs to no distribution")),
        ("one that is not locked", two(), |lock, _| drop(lock.packages.remove(1)), none, Refused("other-1.0.dist-info: the lock does not have it")),
        ("one that is missing",   plain(), |lock, _| {
            let mut more = lock.packages[0].clone();
            (more.name, more.wheel) = ("zzz".parse().unwrap(), "zzz-1.0-py3-none-any.whl".parse().unwrap());
            lock.packages.push(more);
        }, none, Refused("`zzz` of the lock is not in it")),
        ("another release",       plain(), |lock, _| {
            lock.packages[0].version = "1.1".parse().unwrap();
            lock.packages[0].wheel = "demo-1.1-py3-none-any.whl".parse().unwrap();
        }, none, Refused("it is demo 1.0 / 1.1")),
        ("other contents",        plain(), |lock, _| lock.packages[0].contents = Some("0".repeat(64)), none, Refused("what is installed has the digest")),
        ("no digest of contents", plain(), |lock, _| lock.packages[0].contents = None, none, Refused("so the contents were not compared")),
        ("another wheel's digest", plain(), |lock, _| lock.packages[0].sha256 = "cd".repeat(32), none, Refused("sbom.cdx.json: it lacks a package / demo 1.0, sha256 cdcd")),
        ("an SBOM with more",     plain(), |lock, _| lock.packages.clear(), none, Refused("it has demo 1.0, sha256 abab")),
        ("an SBOM that is none",  plain(), |_, sbom| *sbom = "{".repeat(1_000_000), none, Refused("it cannot be read")),
        ("a lock that is none",   plain(), |lock, _| lock.packages[0].sha256 = "x".to_owned(), none, Refused("no lock that can be read")),
    ];
    let mut rows = Rows::default();
    for (row, drafts, documents, tree, expected) in cases {
        rows.check(row, expected, || says("lock", packed(&drafts, documents, tree)?));
    }
    rows.finish();
}

#[test]
fn a_lock_of_a_hundred_thousand_packages_is_judged_or_refused() {
    let lock_up = |lock: &mut Lock, _: &mut String| {
        let one = lock.packages[0].clone();
        for number in 100_000..200_000 {
            let mut more = one.clone();
            more.name = format!("x{number}").parse().unwrap();
            more.wheel = format!("x{number}-1.0-py3-none-any.whl").parse().unwrap();
            lock.packages.push(more);
        }
    };
    let rpm = packed(&[Draft::of("demo"), Draft::app()], lock_up, |_| ()).unwrap();
    let start = Instant::now();
    let said = format!("{:#}", says("lock", rpm).unwrap_err());
    assert!(
        said.contains("more than metadata and scripts are read to") || said.lines().count() > 100_000,
        "{said:.300}"
    );
    assert!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
}

#[test]
fn commands_that_name_what_is_not_there_are_found() {
    let app = |source: &str, function: &str| {
        let points = format!("[console_scripts]\nserve = demoapp:{function}\n");
        vec![
            Draft::of("demo"),
            Draft::app().with("demoapp.py", source).with("demoapp-1.0.dist-info/entry_points.txt", &points),
        ]
    };
    #[rustfmt::skip]
    let cases = [
        ("it is there",       app("def main(): pass\n", "main"),          Fine),
        ("it may be there",   app("from demo import *\n", "main"),        Fine),
        ("a part of it",      app("class main:\n  run = 1\n", "main.run"), Fine),
        ("it is not there",   app("def man(): pass\n", "main"),           Refused("needs `main` of the module `demoapp`")),
        ("it is in a string", app("'''\ndef main(): pass\n'''\n", "main"), Refused("needs `main` of the module `demoapp`")),
        ("no text",           app("\0", "main"),                          Refused("needs `main` of the module `demoapp`")),
    ];
    let mut rows = Rows::default();
    for (row, drafts, expected) in cases {
        rows.check(row, expected, || says("entry-point", packed(&drafts, |_, _| (), |_| ())?));
    }
    rows.finish();
}

/// Sources of 8 MB, which is as much as is looked into, that repeat what could be looked at again and again.
#[test]
fn sources_that_are_hard_to_read_take_no_longer_than_others() {
    let module =
        |name: &str| Module::new(format!("/opt/demo/lib/{name}.py").into(), "/opt/demo/lib", "".into(), false).unwrap();
    let repeated = |text: &str| text.repeat((8 << 20) / text.len());
    let nested: String = (0..3000).map(|depth| format!("{}if a:\n", " ".repeat(depth))).collect();
    let long = "a.".repeat(2 << 20);
    for (what, source) in [
        ("brackets", repeated("(")),
        ("quotes", repeated("'")),
        ("long quotes", repeated("'''")),
        ("backslashes", repeated("\\\n")),
        ("blocks", nested),
        ("lines", repeated("\n")),
        ("statements", repeated("import a;")),
        ("dots", format!("import {long}a")),
        ("names from afar", format!("from {long}a import {}", "b,".repeat(2 << 20))),
        ("names from above", format!("from {}a import {}", ".".repeat(4 << 20), "b,".repeat(2 << 20))),
        ("bytes", repeated("\u{fffd}\0")),
    ] {
        let start = Instant::now();
        let mut importers = Importers::of(&[module("wanted")]);
        importers.take(&module("by"), source.as_bytes());
        assert!(importers.finish().is_empty(), "{what}");
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: it took {:?}", start.elapsed());
    }
}
