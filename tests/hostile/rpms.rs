//! RPMs for `verify`: cut short, flipped, and made anew with digests that agree with the lie.

use crate::boxes::{Draft, pack};
use crate::{Expected, Fine, Random, Refused, Rows};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::panic::catch_unwind;
use std::process::Command;
use wheelhaul_rpmfile::{Opened, Signature};
use wheelhaul_verify::{CompileReport, Evidence, Outcome, Severity, judge};

const LEAD: usize = 96;
const INTRO: usize = 16;

fn good() -> Vec<u8> {
    pack(&[Draft::of("demo"), Draft::app()]).unwrap().1
}

/// Every finding of every check; an error is what the front door shows.
pub fn findings(bytes: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut evidence = Evidence::gather(Cursor::new(bytes))?;
    // No interpreter is asked here, and none would find a fault in the base.
    evidence.host.compiled = Some(Ok(CompileReport::default()));
    let mut found = Vec::new();
    for judged in judge(&evidence) {
        match judged.outcome {
            Outcome::Made { findings, .. } => {
                found.extend(findings.into_iter().map(|f| format!("{}: {}: {}", judged.check.name, f.path, f.found)));
            }
            // No program of this host is asked here.
            Outcome::NotMade { severity: Severity::Warning, .. } => {}
            Outcome::NotMade { why, .. } => found.push(format!("{}: not made: {why}", judged.check.name)),
        }
    }
    Ok(found)
}

/// Findings as an error.
pub fn verified(bytes: &[u8]) -> anyhow::Result<()> {
    let found = findings(bytes)?;
    anyhow::ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// The header and the digests alone.
fn damage(bytes: &[u8]) -> anyhow::Result<()> {
    let opened = Opened::read(Cursor::new(bytes))?;
    anyhow::ensure!(opened.digest_faults.is_empty(), "{}", opened.digest_faults.join("\n"));
    Ok(())
}

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn header_end(bytes: &[u8], at: usize) -> usize {
    at + INTRO + number(bytes, at + 8) * INTRO + number(bytes, at + 12)
}

/// Where the header and the payload start.
fn places(bytes: &[u8]) -> (usize, usize) {
    let header = header_end(bytes, LEAD).next_multiple_of(8);
    (header, header_end(bytes, header))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len(), "an edit in place keeps the length");
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| *w == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "there is nothing to replace");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}

/// Edits the header in place and the unpacked payload at will, and makes the digests agree again.
pub fn forged(header: impl FnOnce(&mut Vec<u8>), payload: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let bytes = good();
    let (header_at, payload_at) = places(&bytes);
    let mut front = bytes[..header_at].to_vec();
    let mut middle = bytes[header_at..payload_at].to_vec();
    let mut archive = zstd::stream::decode_all(&bytes[payload_at..]).unwrap();
    payload(&mut archive);
    let packed = zstd::stream::encode_all(archive.as_slice(), 1).unwrap();
    replace(&mut middle, hex(&bytes[payload_at..]).as_bytes(), hex(&packed).as_bytes());
    header(&mut middle);
    replace(&mut front, hex(&bytes[header_at..payload_at]).as_bytes(), hex(&middle).as_bytes());
    [front, middle, packed].concat()
}

/// The place of a tag's data in a header.
pub fn data_of(header: &[u8], tag: usize) -> usize {
    let count = number(header, 8);
    let entry = (0..count).map(|index| INTRO + index * INTRO).find(|at| number(header, *at) == tag).unwrap();
    INTRO + count * INTRO + number(header, entry + 8)
}

#[test]
fn an_rpm_that_is_cut_short_is_no_good_rpm() {
    let bytes = good();
    verified(&bytes).unwrap();
    let (_, payload_at) = places(&bytes);
    let lengths = (0..payload_at).step_by(11).chain(payload_at..bytes.len());
    for length in lengths {
        let cut = &bytes[..length];
        let read = catch_unwind(|| verified(cut).is_err());
        assert!(matches!(read, Ok(true)), "cut to {length} bytes: {read:?}");
    }
    assert!(verified(&[bytes.as_slice(), b"x"].concat()).is_err(), "bytes behind the payload");
}

/// The allowed exceptions, which no digest covers: the lead, the signature header's sizes, the padding behind it. What
/// passes there, rpm has to take as well.
fn is_covered(bytes: &[u8], at: usize) -> bool {
    let (header_at, _) = places(bytes);
    at >= header_at
}

#[test]
fn a_flipped_byte_of_a_header_is_found() {
    let bytes = good();
    let (header_at, payload_at) = places(&bytes);
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut faults = Vec::new();
    let mut passed = BTreeMap::new();
    for at in 0..payload_at {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << random.below(8);
        // Whether the payload is read as well makes no difference to a fault that is found before it.
        let is_found = || damage(&flipped).is_err() || (!is_covered(&bytes, at) && verified(&flipped).is_err());
        match catch_unwind(is_found) {
            Err(_) => faults.push(format!("byte {at}: it panicked")),
            Ok(false) if is_covered(&bytes, at) => {
                faults.push(format!("byte {at} of the header at {header_at}: it passed"))
            }
            Ok(false) => drop(passed.insert(at, flipped)),
            Ok(true) => {}
        }
    }
    let in_signature: Vec<&usize> = passed.keys().filter(|at| **at >= LEAD).collect();
    // The digest itself, and what leads to it, is looked at.
    assert!(
        in_signature.len() < 130,
        "{} bytes of the signature header mean nothing: {in_signature:?}",
        in_signature.len()
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flipped.rpm");
    for (at, flipped) in &passed {
        std::fs::write(&file, flipped).unwrap();
        let said = Command::new("rpm").args(["-K", "--nosignature"]).arg(&file).output().unwrap();
        if !said.status.success() {
            let said = [said.stdout, said.stderr].concat();
            faults.push(format!("byte {at}: it passed, and rpm says: {}", String::from_utf8_lossy(&said)));
        }
    }
    assert!(passed.len() > 60, "nothing was asked of rpm");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_flipped_byte_of_the_payload_is_found() {
    let bytes = good();
    let (_, payload_at) = places(&bytes);
    let mut random = Random(0xabcd_ef01_2345_6789);
    for at in payload_at..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << random.below(8);
        assert!(damage(&flipped).is_err(), "byte {at}");
        if at % 5 == 0 {
            let read = catch_unwind(|| verified(&flipped).is_err());
            assert!(matches!(read, Ok(true)), "byte {at}: {read:?}");
        }
    }
}

/// With digests that agree, so that what is behind them is reached.
#[test]
fn a_forged_header_never_panics() {
    let mut random = Random(0x0bad_cafe_0bad_cafe);
    let bytes = good();
    let (header_at, payload_at) = places(&bytes);
    let mut faults = Vec::new();
    let index_end = INTRO + number(&bytes, header_at + 8) * INTRO;
    for round in 0..3000 {
        let mut flipped = bytes.clone();
        for _ in 0..=random.below(3) {
            // Half of the edits hit the index, where the lies are.
            let end = if round % 2 == 0 { index_end } else { payload_at - header_at };
            let at = header_at + INTRO + random.below(end - INTRO);
            flipped[at] = [0, 1, 2, 4, 9, 0x7f, 0x80, 0xff, random.next() as u8][random.below(9)];
        }
        let (old, new) = (hex(&bytes[header_at..payload_at]), hex(&flipped[header_at..payload_at]));
        replace(&mut flipped[..header_at], old.as_bytes(), new.as_bytes());
        if catch_unwind(|| drop(findings(&flipped))).is_err() {
            faults.push(format!("round {round}: it panicked"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn lengths_and_counts_that_lie_are_errors() {
    let bytes = good();
    let (header_at, _) = places(&bytes);
    let mut rows = Rows::default();
    for at in [LEAD, header_at] {
        for (field, what) in [(8, "tags"), (12, "bytes")] {
            for lie in [0_u32, 1, 0xffff, 0x1_0000, 0x0fff_ffff, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
                let mut lying = bytes.clone();
                lying[at + field..at + field + 4].copy_from_slice(&lie.to_be_bytes());
                rows.check(&format!("header at {at}: {lie} {what}"), Refused(""), || verified(&lying));
            }
        }
    }
    rows.finish();
}

/// A header whose tags all claim all of its data.
#[cfg(target_os = "linux")]
pub fn tags_that_share_their_data(tags: u32, data: u32) -> Vec<u8> {
    let mut header = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
    header.extend_from_slice(&tags.to_be_bytes());
    header.extend_from_slice(&data.to_be_bytes());
    for tag in 0..tags {
        for field in [100_000 + tag, 4, 0, data / 4] {
            header.extend_from_slice(&field.to_be_bytes());
        }
    }
    header.resize(header.len() + data as usize, 0);
    let bytes = good();
    let (header_at, _) = places(&bytes);
    [&bytes[..header_at], &header].concat()
}

fn cpio_entry(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut out = format!("070701{:08x}{mode:08x}{:024x}{:08x}{:08x}{:032x}", 99, 0, 0, content.len(), 0).into_bytes();
    out.extend_from_slice(format!("{:08x}{:08x}{name}\0", name.len() + 1, 0).as_bytes());
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// The place of an entry in an archive, and of the one after it.
pub fn entry_in(archive: &[u8], name: &str) -> std::ops::Range<usize> {
    let needle = format!("{name}\0");
    let at = archive.windows(needle.len()).position(|window| window == needle.as_bytes()).unwrap() - 110;
    let next =
        archive[at + 6..].windows(6).position(|window| window == b"070701").map_or(archive.len(), |n| at + 6 + n);
    at..next
}

#[test]
fn archives_that_differ_from_the_header_are_refused() {
    let payload = |edit: &dyn Fn(&mut Vec<u8>)| forged(|_| (), |archive| edit(archive));
    let insert = |entry: Vec<u8>| payload(&|archive| drop(archive.splice(0..0, entry.clone())));
    let module = "./opt/demo/lib/demo.py";
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("the base, forged",              forged(|_| (), |_| ()),                                                   Fine),
        ("a file that is not listed",     insert(cpio_entry("./opt/demo/evil", 0o100_644, b"x")),                   Refused("which the header lacks")),
        ("a file outside",                insert(cpio_entry("./../etc/passwd", 0o100_644, b"x")),                   Refused("which the header lacks")),
        ("a file twice",                  insert(cpio_entry("./opt/demo/config.yaml", 0o100_640, b"a: 1\n")),       Refused("twice")),
        ("a file twice, once without `.`", insert(cpio_entry("/opt/demo/config.yaml", 0o100_640, b"a: 1\n")),       Refused("twice")),
        ("a file that is a link",         insert(cpio_entry("./opt/demo/config.yaml", 0o120_777, b"/x\n\n\n")),     Refused("another mode")),
        ("another size",                  insert(cpio_entry("./opt/demo/config.yaml", 0o100_640, b"a: 10\n")),      Refused("another size")),
        ("a folder with content",         insert(cpio_entry("./opt/demo", 0o040_755, b"x")),                        Refused("no file and has content")),
        ("a huge name",                   insert(cpio_entry(&"x".repeat(5000), 0o100_644, b"")),                    Refused("a name of 5001 bytes")),
        ("a file that is gone",           payload(&|archive| drop(archive.drain(entry_in(archive, module)))),       Refused("which the archive lacks")),
        ("other bytes",                   payload(&|archive| replace(archive, b"def main", b"def evil")),           Refused("have another digest")),
        ("an early end",                  insert(cpio_entry("TRAILER!!!", 0, b"")),                                 Refused("which the archive lacks")),
        ("no end",                        payload(&|archive| { let end = entry_in(archive, "TRAILER!!!").start; archive.truncate(end) }), Refused("without its trailer")),
        ("a magic that is not known",     payload(&|archive| archive[5] = b'2'),                                    Refused("new ASCII format")),
        ("a size that is no number",      payload(&|archive| archive[54] = b'-'),                                   Refused("not hexadecimal")),
        ("nothing",                       payload(&|archive| archive.clear()),                                      Refused("without its trailer")),
        // rpm ends at the trailer as well: what is behind it is neither unpacked nor installed.
        ("a bomb behind the last file",   payload(&|archive| archive.resize(64 << 20, 0)),                          Fine),
    ];
    let mut rows = Rows::default();
    for (row, bytes, expected) in cases {
        rows.check(row, expected, || verified(&bytes));
    }
    rows.finish();
}

#[test]
fn headers_that_no_box_should_take_are_found() {
    let edit = |from: &'static [u8], to: &'static [u8]| forged(|header| replace(header, from, to), |_| ());
    let named = |from: &'static [u8], to: &'static [u8], name: (&'static [u8], &'static [u8])| {
        forged(|header| replace(header, from, to), |archive| replace(archive, name.0, name.1))
    };
    let mode = |kind: u16| {
        forged(
            |header| {
                // The first file of the list that is one: `/opt/demo/bin/python`.
                let at = data_of(header, 1030);
                let place = (0..).map(|index| at + index * 2).find(|at| header[*at] == 0x81).unwrap();
                header[place..place + 2].copy_from_slice(&kind.to_be_bytes());
            },
            |archive| {
                let at = entry_in(archive, "./opt/demo/bin/python").start;
                archive[at + 14..at + 22].copy_from_slice(format!("{kind:08x}").as_bytes());
            },
        )
    };
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("`..` in a folder",        named(b"/opt/demo/lib/\0", b"/opt/../../li/\0", (b"./opt/demo/lib/demo.py", b"./opt/../../li/demo.py")), Refused("")),
        ("a name with a slash",     named(b"config.yaml\0", b"../nfig.yml\0", (b"demo/config.yaml", b"demo/../nfig.yml")),            Refused("")),
        ("a file elsewhere",        named(b"/usr/lib/sysusers.d/\0", b"/usr/lib/tmpfiles.d/\0", (b"sysusers.d/demo", b"tmpfiles.d/demo")), Refused("")),
        ("setuid",                  mode(0o104_755),                                                                                  Refused("setuid")),
        ("everybody may write it",  mode(0o100_757),                                                                                  Refused("everybody may write")),
        ("owned by the service",    edit(b"root\0root\0root\0", b"demo\0root\0root\0"),                                               Refused("")),
        ("file digests by MD5",     forged(|header| { let at = data_of(header, 5011); header[at + 3] = 1 }, |_| ()),                  Refused("")),
        ("another compressor",      edit(b"zstd\0", b"lzma\0"),                                                                       Refused("")),
    ];
    let mut rows = Rows::default();
    for (row, bytes, expected) in cases {
        rows.check(row, expected, || verified(&bytes));
    }
    rows.finish();
}

#[test]
fn a_signature_goes_into_damaged_headers_without_harm() {
    let signature = Signature::parse(b"\x88\x0d\x04\0\x01\x08\0\0\0\0\x07\x07\0\x08\xff".to_vec()).unwrap();
    let signed = |bytes: &[u8]| -> anyhow::Result<Vec<u8>> {
        let mut opened = Opened::read(Cursor::new(bytes))?;
        anyhow::ensure!(opened.digest_faults.is_empty(), "{}", opened.digest_faults.join("\n"));
        let mut whole = opened.preamble()?.signed(&signature)?;
        opened.copy_payload(&mut whole)?;
        Ok(whole)
    };
    let bytes = good();
    let (header_at, _) = places(&bytes);
    let once = signed(&bytes).unwrap();
    assert_eq!(signed(&once).unwrap(), once, "signed twice, it is another");
    let mut random = Random(0x0bad_5eed_0bad_5eed);
    for at in 0..header_at + 64 {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << random.below(8);
        let made = catch_unwind(|| signed(&flipped)).unwrap_or_else(|_| panic!("byte {at}: it panicked"));
        if let Ok(made) = made {
            assert!(at < header_at, "byte {at} of the header may change");
            assert!(made[places(&made).0..] == bytes[header_at..], "byte {at}: what is signed is another package");
            verified(&made).unwrap_or_else(|error| panic!("byte {at}: {error:#}"));
        }
    }
}

#[test]
fn other_files_are_no_rpms() {
    let mut bytes = Vec::new();
    for text in [&b""[..], b"PK\x03\x04", b"\xed\xab\xee\xdb", b"#!/bin/sh\n"] {
        bytes.clear();
        bytes.write_all(text).unwrap();
        assert!(verified(&bytes).is_err());
        bytes.resize(4096, 0);
        assert!(verified(&bytes).is_err());
    }
}
