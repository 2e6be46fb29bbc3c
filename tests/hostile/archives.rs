//! Archives: names, kinds, sizes and structure that lie.

use crate::boxes::{Draft, open};
use crate::zip::{Entry, Fields, Zip, crc32, deflated};
use crate::{Expected, Fine, Random, Refused, Rows};
use std::panic::catch_unwind;
use wheelhaul_wheel::Archive;

/// Opens an archive and unpacks every file of it.
fn unpack(bytes: Vec<u8>) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let size = bytes.len() as u64;
    let archive = Archive::open(bytes, size)?;
    let read = |(place, member): (usize, &wheelhaul_wheel::Member)| Ok((member.path.clone(), archive.read(place)?));
    archive.members().iter().enumerate().map(read).collect()
}

#[test]
fn names_that_could_leave_the_box_or_confuse_it_are_refused() {
    let long = "x".repeat(256);
    let deep = format!("{}x", "a/".repeat(2000));
    #[rustfmt::skip]
    let cases: &[(&[u8], Expected)] = &[
        (b"a",                       Fine),
        (b"a/b.py",                  Fine),
        (b"..a/b..",                 Fine),
        (b"a./b. ",                  Fine),
        (b"../x",                    Refused("a part `..`")),
        (b"a/../../x",               Refused("a part `..`")),
        (b"..",                      Refused("a part `..`")),
        (b"./x",                     Refused("a part `.`")),
        (b"/etc/passwd",             Refused("absolute")),
        (b"//x",                     Refused("absolute")),
        (b"a//b",                    Refused("empty part")),
        (b"",                        Refused("empty part")),
        (b"/",                       Refused("")),
        (b"..\\x",                   Refused("a backslash")),
        (b"C:/x",                    Refused("a drive letter")),
        (b"a/c:x",                   Refused("a drive letter")),
        (b"a\0.py",                  Refused("a control character")),
        (b"a\n.py",                  Refused("a control character")),
        (b"a\x1b[31m",               Refused("a control character")),
        ("a\u{85}".as_bytes(),       Refused("a control character")),
        (b"caf\xe9.py",              Refused("not UTF-8")),
        (b"\xed\xa0\x80",            Refused("not UTF-8")),
        (long.as_bytes(),            Refused("longer than 255")),
        (deep.as_bytes(),            Refused("longer than 4000")),
    ];
    let mut rows = Rows::default();
    for (name, expected) in cases {
        let entry = Entry::stored("a", b"1").both(|fields| fields.name = name.to_vec());
        rows.check(&String::from_utf8_lossy(&name[..name.len().min(40)]), *expected, || {
            unpack(Zip::of(vec![entry]).bytes())
        });
    }
    rows.finish();
}

/// An archive of one file, whose packed bytes go on where they ought to end.
fn behind_the_stream(mut entry: Entry, more: &[u8]) -> Zip {
    entry.data.extend_from_slice(more);
    Zip::of(vec![entry.both(|fields| fields.packed += more.len() as u32)])
}

#[test]
fn entries_that_lie_are_refused() {
    let text = b"one and the same content, one and the same content";
    let base = || Entry::deflated("a", text);
    let other = || Entry::stored("b", b"other");
    let changed = |change: &dyn Fn(&mut Entry)| {
        let mut entry = base();
        change(&mut entry);
        Zip::of(vec![entry, other()])
    };
    let both = |change: fn(&mut Fields)| Zip::of(vec![base().both(change), other()]);
    let descriptor = |lie: u32| {
        changed(&|entry| {
            entry.local.flags |= 8;
            entry.central.flags |= 8;
            (entry.local.crc32, entry.local.packed, entry.local.size) = (0, 0, 0);
            for number in [0x0807_4b50, crc32(text) ^ lie, entry.central.packed + lie, text.len() as u32 + lie] {
                entry.behind.extend_from_slice(&number.to_le_bytes());
            }
        })
    };
    // A zip64 extra field is looked at where the 32 bits are all ones.
    let zip64 = |size: u64, packed: u64| {
        changed(&|entry| {
            entry.central.extra = [1_u16.to_le_bytes(), 16_u16.to_le_bytes()].concat();
            entry.central.extra.extend_from_slice(&size.to_le_bytes());
            entry.central.extra.extend_from_slice(&packed.to_le_bytes());
            (entry.central.size, entry.central.packed) = (u32::MAX, u32::MAX);
        })
    };
    let packed = deflated(text).len() as u64;
    #[rustfmt::skip]
    let cases: Vec<(&str, Zip, Expected)> = vec![
        ("the base",                        changed(&|_| ()),                                       Fine),
        ("a stored file",                   Zip::of(vec![Entry::stored("a", text)]),                Fine),
        ("an honest data descriptor",       descriptor(0),                                          Fine),
        ("an honest zip64 field",           zip64(text.len() as u64, packed),                       Fine),
        ("a comment",                       Zip { comment: b"PK".to_vec(), ..changed(&|_| ()) },    Fine),
        ("a symbolic link",                 changed(&|e| e.mode = 0o120_777),                       Refused("symbolic link")),
        ("a character device",              changed(&|e| e.mode = 0o020_666),                       Refused("a device")),
        ("a block device",                  changed(&|e| e.mode = 0o060_666),                       Refused("a device")),
        ("a pipe",                          changed(&|e| e.mode = 0o010_666),                       Refused("a pipe")),
        ("a socket",                        changed(&|e| e.mode = 0o140_666),                       Refused("a socket")),
        ("encrypted",                       both(|f| f.flags |= 1),                                 Refused("encrypted")),
        ("bzip2",                           both(|f| f.method = 12),                                Refused("compression method")),
        ("a method that nobody knows",      both(|f| f.method = 99),                                Refused("compression method")),
        ("another name in the local header", changed(&|e| e.local.name = b"b".to_vec()),            Refused("names another file")),
        ("no local header",                 changed(&|e| e.offset = Some(3)),                       Refused("local header is damaged")),
        ("a local header past the end",     changed(&|e| e.offset = Some(1 << 30)),                 Refused("")),
        ("a smaller size",                  both(|f| f.size -= 1),                                  Refused("more than the")),
        ("a size of 0",                     both(|f| f.size = 0),                                   Refused("more than the")),
        ("a larger size",                   both(|f| f.size += 1),                                  Refused("instead of the")),
        ("a smaller packed size",           both(|f| f.packed -= 3),                                Refused("")),
        ("bytes behind the deflated ones",  behind_the_stream(base(), b"x"),                        Refused("goes on behind its end")),
        ("many bytes behind them",          behind_the_stream(base(), &[0; 1 << 17]),               Refused("goes on behind its end")),
        ("a packed size of 0",              both(|f| f.packed = 0),                                 Refused("")),
        ("a packed size past the end",      both(|f| f.packed = 1 << 20),                           Refused("overlap")),
        ("deflated said to be stored",      both(|f| f.method = 0),                                 Refused("")),
        ("a wrong CRC-32",                  both(|f| f.crc32 ^= 1),                                 Refused("CRC-32")),
        ("a zip64 field with a huge size",  zip64(1 << 40, packed),                                 Refused("claims to unpack")),
        ("a zip64 field of all ones",       zip64(u64::MAX, u64::MAX),                              Refused("")),
        ("a zip64 field with a small size", zip64(1, packed),                                       Refused("more than the")),
        ("a name twice",                    Zip::of(vec![base(), base()]),                          Refused("stands twice")),
        ("a directory past the end",        Zip { directory_offset: Some(1 << 30), ..changed(&|_| ()) }, Refused("")),
    ];
    let mut rows = Rows::default();
    for (row, zip, expected) in cases {
        rows.check(row, expected, || unpack(zip.bytes()));
    }
    rows.finish();
}

/// Files may share no byte: one stream that stands for many files is how a small archive becomes large.
#[test]
fn entries_that_overlap_are_refused() {
    let bomb = Entry::deflated("a", &vec![0; 1 << 20]);
    let mut zip = Zip::of(vec![bomb.clone()]);
    // The second entry is the first one's local header and data.
    zip.entries.push(Entry { data: vec![0; 2000], offset: Some(0), ..bomb.both(|fields| fields.name = b"b".to_vec()) });
    let mut rows = Rows::default();
    rows.check("two entries at one place", Refused(""), || unpack(zip.bytes()));
    let many: Vec<Entry> = (0..200)
        .map(|index| {
            let entry = Entry::deflated("same", &vec![0; 1 << 20]);
            let local = entry.local.clone();
            let mut entry = entry.both(|fields| fields.name = format!("{index}").into_bytes());
            entry.local = local;
            entry.offset = Some(0);
            entry.data = if index == 0 { entry.data } else { Vec::new() };
            entry
        })
        .collect();
    rows.check("many entries at one place", Refused(""), || unpack(Zip::of(many).bytes()));
    rows.finish();
}

#[test]
fn bombs_are_refused_before_a_byte_is_unpacked() {
    let claim = |size: u32, count: usize| {
        let entries = (0..count).map(|index| {
            let entry = Entry::deflated("x", b"x").both(|fields| fields.size = size);
            entry.both(|fields| fields.name = index.to_string().into_bytes())
        });
        Zip::of(entries.collect()).bytes()
    };
    let mut rows = Rows::default();
    rows.check("one of 3 GB", Refused("claims to unpack"), || unpack(claim(3 << 30, 1)));
    rows.check("2000 of 1 MB", Refused("claims to unpack"), || unpack(claim(1 << 20, 2000)));
    // 1000:1, and small: below what is always allowed.
    let real = Entry::deflated("x", &vec![0; 8 << 20]);
    rows.check("1000:1 of 8 MB", Fine, || unpack(Zip::of(vec![real.clone()]).bytes()));
    let lie = real.both(|fields| fields.size = 10);
    rows.check("8 MB said to be 10 bytes", Refused("more than the 10 bytes"), || unpack(Zip::of(vec![lie]).bytes()));
    rows.finish();
}

/// The end of the archive in its zip64 form, which can claim any number of entries.
fn with_zip64_end(zip: &Zip, count: u64) -> Vec<u8> {
    let plain = zip.bytes();
    let (front, end) = plain.split_at(plain.len() - 22);
    let mut out = front.to_vec();
    let at = out.len() as u64;
    out.extend_from_slice(b"PK\x06\x06");
    out.extend_from_slice(&44_u64.to_le_bytes());
    out.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    for at in [12, 16] {
        out.extend_from_slice(&u64::from(u32::from_le_bytes(end[at..at + 4].try_into().unwrap())).to_le_bytes());
    }
    out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&[0xff; 12]);
    out.extend_from_slice(&[0, 0]);
    out
}

#[test]
fn more_entries_than_any_wheel_has_are_refused() {
    let zip = Zip::of(vec![Entry::stored("a", b"1"), Entry::stored("b", b"1")]);
    let mut rows = Rows::default();
    rows.check("an honest zip64 end", Fine, || unpack(with_zip64_end(&zip, 2)));
    rows.check("500,001", Refused("claims 500001 entries"), || unpack(with_zip64_end(&zip, 500_001)));
    rows.check("all ones", Refused("entries"), || unpack(with_zip64_end(&zip, u64::MAX)));
    rows.finish();
}

/// Readers differ in which of the end's fields they believe; a wheel in which they disagree shows other
/// files to a scanner than to the box.
#[test]
fn archives_that_readers_read_differently_are_refused() {
    let zip = || Zip::of(vec![Entry::stored("a", b"1"), Entry::stored("b", b"1")]);
    // A directory of its own in front, of a file that the directory before the end does not have.
    let hidden = Zip::of(vec![Entry::stored("hidden", b"1")]).bytes();
    let shown = Entry::stored("shown", b"1");
    let at = hidden.windows(4).position(|four| four == b"PK\x01\x02").unwrap() as u32;
    let two = Zip { before: hidden.clone(), directory_offset: Some(at), ..Zip::of(vec![shown.clone()]) };
    let mut rows = Rows::default();
    rows.check("a count that is too high", Refused(""), || unpack(Zip { count: Some(7), ..zip() }.bytes()));
    rows.check("a count that is too low", Refused(""), || unpack(Zip { count: Some(1), ..zip() }.bytes()));
    rows.check("a directory that is too long", Refused(""), || {
        unpack(Zip { directory_size: Some(1 << 30), ..zip() }.bytes())
    });
    rows.check("a directory that is too short", Refused(""), || {
        unpack(Zip { directory_size: Some(47), ..zip() }.bytes())
    });
    rows.check("a zip64 count that is too high", Refused(""), || unpack(with_zip64_end(&zip(), 400_000)));
    rows.check("two directories", Refused(""), || unpack(two.bytes()));
    let behind = Zip { comment: hidden, ..Zip::of(vec![shown]) };
    rows.check("a whole archive in the comment", Refused(""), || unpack(behind.bytes()));
    rows.finish();
}

#[test]
fn a_file_and_a_folder_of_one_name_do_not_both_land_on_the_box() {
    let draft = Draft::of("demo").with("x", "file").with("x/y", "below it");
    let mut rows = Rows::default();
    rows.check("the base", Fine, || crate::boxes::pack(&[Draft::of("demo"), Draft::app()]));
    rows.check("both files", Refused("/opt/demo/lib/x"), || crate::boxes::pack(&[draft, Draft::app()]));
    let twins = Draft::of("demo").with("Readme", "1").with("README", "2");
    rows.check("case twins, which the box tells apart", Fine, || crate::boxes::pack(&[twins, Draft::app()]));
    rows.finish();
}

#[test]
fn a_wheel_that_is_cut_short_is_refused_wherever_it_is_cut() {
    let draft = Draft::app();
    let bytes = draft.zip().bytes();
    open(&draft.file_name, bytes.clone()).unwrap();
    for length in 0..bytes.len() {
        let cut = bytes[..length].to_vec();
        let opened = catch_unwind(|| open(&draft.file_name, cut).is_ok());
        assert!(matches!(opened, Ok(false)), "cut to {length} bytes: {opened:?}");
    }
}

/// What was flipped is refused, or changes nothing that lands on the box.
#[test]
fn no_flipped_byte_of_a_wheel_changes_what_lands_on_the_box() {
    let draft = Draft::app();
    let bytes = draft.zip().bytes();
    let all = |bytes: Vec<u8>| -> anyhow::Result<(Vec<String>, Vec<u8>)> {
        let wheel = open(&draft.file_name, bytes)?;
        let (layout, rpm) = crate::boxes::pack_wheels(&[wheel])?;
        Ok((crate::boxes::paths(&layout), rpm))
    };
    let good = all(bytes.clone()).unwrap();
    // The directory's "made by" and mode: whether a file is executable is not in RECORD.
    let headers = bytes.windows(4).enumerate().filter(|(_, four)| four == b"PK\x01\x02").map(|(at, _)| at);
    let modes: Vec<usize> = headers.flat_map(|at| [at + 5].into_iter().chain(at + 38..at + 42)).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut faults = Vec::new();
    let mut taken = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << random.below(8);
        match catch_unwind(|| all(flipped)) {
            Err(_) => faults.push(format!("byte {at}: it panicked")),
            Ok(Ok(other)) if modes.contains(&at) && other.0 == good.0 => {}
            Ok(Ok(other)) if other != good => faults.push(format!("byte {at}: other content was taken")),
            Ok(Ok(_)) => taken += 1,
            Ok(Err(_)) => {}
        }
    }
    // Times, versions and attributes of entries, which mean nothing here.
    assert!(taken < bytes.len() / 2, "{taken} of {} flips changed nothing", bytes.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
