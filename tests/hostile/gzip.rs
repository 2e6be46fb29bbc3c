//! Deflated files of wheels that a gzip payload takes as they are: what they are is known before it has a size.

use crate::boxes::{Draft, digest, open, pack_by};
use crate::zip::{Entry, Zip};
use crate::{Expected, Fine, Refused, Rows};
use flate2::read::MultiGzDecoder;
use std::io::Read as _;
use wheelhaul_boxes::Compression;

const LARGE: &str = "demo/large.txt";

fn draft(text: &str) -> Draft {
    Draft::of("demo").with(LARGE, text)
}

/// Packs a wheel whose large file is changed.
fn pack(draft: &Draft, change: impl FnOnce(&mut Entry)) -> anyhow::Result<Vec<u8>> {
    let mut zip: Zip = draft.zip();
    let entry = zip.entries.iter_mut().find(|entry| entry.central.name == LARGE.as_bytes());
    change(entry.expect("it was put there"));
    let wheels = [open("demo-1.0-py3-none-any.whl", zip.bytes())?, Draft::app().open()?];
    Ok(pack_by(Compression::Gzip, &wheels, |_, _| (), |_| ())?.1)
}

/// The archive in an RPM.
fn archive(rpm: &[u8]) -> Vec<u8> {
    let starts = |at: &usize| rpm[*at..].starts_with(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let start = (0..rpm.len()).find(starts).expect("a payload");
    let mut archive = Vec::new();
    MultiGzDecoder::new(&rpm[start..]).read_to_end(&mut archive).unwrap();
    archive
}

fn both(entry: &mut Entry, change: impl Fn(&mut crate::zip::Fields)) {
    *entry = entry.clone().both(change);
}

#[test]
fn a_deflated_file_that_lies_is_refused() {
    let text: String = (0..40_000).map(|number| format!("{:x}\n", number * number % 7919)).collect();
    let good = draft(&text);
    let other = good.clone().record(|record| record.replace(&digest(text.as_bytes()), &digest(b"other")));
    type Change = Box<dyn FnOnce(&mut Entry)>;
    #[rustfmt::skip]
    let cases: Vec<(&str, &Draft, Change, Expected)> = vec![
        ("the base",               &good,  Box::new(|_| ()),                                     Fine),
        ("a digest of other text", &other, Box::new(|_| ()),                                     Refused("digest that its RECORD says")),
        ("another CRC-32",         &good,  Box::new(|e| both(e, |f| f.crc32 ^= 1)),               Refused("its CRC-32 is")),
        ("a stream behind it",     &good,  Box::new(|e| {
            let more = e.data.clone();
            e.data.extend_from_slice(&more);
            both(e, |f| f.packed *= 2);
        }),                                                                                       Refused("goes on behind its end")),
        ("a byte behind it",       &good,  Box::new(|e| {
            e.data.push(0);
            both(e, |f| f.packed += 1);
        }),                                                                                       Refused("goes on behind its end")),
        ("a stream without end",   &good,  Box::new(|e| {
            e.data.truncate(e.data.len() - 5);
            both(e, |f| f.packed -= 5);
        }),                                                                                       Refused("its data ends too early")),
        ("damaged",                &good,  Box::new(|e| {
            let half = e.data.len() / 2;
            e.data[half..half + 64].fill(0xff);
        }),                                                                                       Refused("")),
        ("stored",                 &good,  Box::new({
            let text = text.clone();
            move |e| {
                e.data = text.clone().into_bytes();
                both(e, |f| (f.method, f.packed) = (0, f.size));
            }
        }),                                                                                       Fine),
    ];
    let mut rows = Rows::default();
    for (row, draft, change, expected) in cases {
        rows.check(row, expected, || pack(draft, change));
    }
    rows.finish();
}

/// Whether a file is below the size that makes it a member of its own, at it or above, the archive is the same.
#[test]
fn what_is_taken_as_it_is_unpacks_to_what_is_compressed_anew() {
    for size in [0, 1, (32 << 10) - 1, 32 << 10, (32 << 10) + 1, 300_000] {
        let text: String = ('a'..='z').cycle().take(size).collect();
        let gzip = archive(&pack(&draft(&text), |_| ()).unwrap());
        let wheels = [draft(&text).open().unwrap(), Draft::app().open().unwrap()];
        let (_, zstd) = pack_by(Compression::Zstd, &wheels, |_, _| (), |_| ()).unwrap();
        let start = zstd.windows(4).position(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]).expect("a payload");
        assert!(gzip == zstd::stream::decode_all(&zstd[start..]).unwrap(), "{size}");
    }
}

/// Two wheels with the same files, deflated otherwise, are other pieces.
#[test]
fn a_piece_is_named_by_the_wheel_that_its_deflated_bytes_are_of() {
    use std::collections::BTreeSet;
    use std::io::Write;
    use std::sync::Mutex;
    use wheelhaul_package::rpm::{KeptPieces, NewPiece, PieceKey};

    #[derive(Default)]
    struct Asked(Mutex<BTreeSet<PieceKey>>);
    impl KeptPieces for Asked {
        fn copy(&self, key: &PieceKey, _: &mut dyn Write) -> std::io::Result<Option<u64>> {
            self.0.lock().unwrap().insert(*key);
            Ok(None)
        }
        fn begin(&self, _: &PieceKey, _: u64) -> Option<Box<dyn NewPiece + '_>> {
            None
        }
    }
    let keys = |size: usize, compression: Compression, deflated: bool| {
        let text: String = ('a'..='z').cycle().take(size).collect();
        let mut zip = draft(&text).zip();
        if !deflated {
            // An empty block in front: another stream of the same text.
            let entry = zip.entries.iter_mut().find(|entry| entry.central.name == LARGE.as_bytes()).unwrap();
            entry.data.splice(0..0, [0, 0, 0, 0xff, 0xff]);
            both(entry, |fields| fields.packed += 5);
        }
        let wheels = [open("demo-1.0-py3-none-any.whl", zip.bytes()).unwrap(), Draft::app().open().unwrap()];
        let asked = Asked::default();
        crate::boxes::pack_into(compression, &wheels, &asked, |_, _| (), |_| ()).unwrap();
        asked.0.into_inner().unwrap()
    };
    for (size, compression, same) in
        [(100_000, Compression::Gzip, false), (100_000, Compression::Zstd, true), (1_000, Compression::Gzip, true)]
    {
        assert_eq!(keys(size, compression, true) == keys(size, compression, false), same, "{size} {compression:?}");
    }
}

/// What was unpacked for another target is copied, and only as long as it is what was unpacked.
#[test]
fn what_was_found_right_before_is_taken_only_while_it_is_the_same() {
    let text: String = ('a'..='z').cycle().take(100_000).collect();
    let wheels = || [draft(&text).open().unwrap(), Draft::app().open().unwrap()];
    let by = |compression, wheels: &[_]| Ok(pack_by(compression, wheels, |_, _| (), |_| ())?.1);
    let (fresh, known) = (wheels(), wheels());
    let expected: Vec<u8> = by(Compression::Gzip, &fresh).unwrap();
    by(Compression::Zstd, &known).unwrap();
    for wheels in [&fresh, &known] {
        assert!(by(Compression::Gzip, wheels).unwrap() == expected);
    }

    let mut zip = draft(&text).zip();
    let entry = zip.entries.iter_mut().find(|entry| entry.central.name == LARGE.as_bytes()).unwrap();
    // An empty block in front: another stream of the same text.
    entry.data.splice(0..0, [0, 0, 0, 0xff, 0xff]);
    both(entry, |fields| fields.packed += 5);
    let changed = |checked| {
        let mut wheels = [open("demo-1.0-py3-none-any.whl", zip.bytes()).unwrap(), Draft::app().open().unwrap()];
        wheels[0].checked = checked;
        wheels
    };
    let mut rows = Rows::default();
    rows.check("a wheel that nobody saw", Fine, || by(Compression::Gzip, &changed(Default::default())));
    rows.check("another than was seen", Refused("was changed while it was packed"), || {
        by(Compression::Gzip, &changed(known[0].checked.clone()))
    });
    rows.finish();
}
