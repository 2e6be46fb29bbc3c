//! RPMs that are large, or claim to be: bounded time, memory in proportion.

use crate::boxes::{Draft, pack};
use crate::rpms::{data_of, entry_in, forged, verified};
use crate::{Random, Refused, Rows};
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wheelhaul_verify::{Evidence, judge};

/// `/opt/demo/bin/python`: the first file of the list that is one, as the place of its size in the header.
fn first_size(header: &[u8]) -> usize {
    let (modes, sizes) = (data_of(header, 1030), data_of(header, 1028));
    let place = (0..).find(|index| header[modes + index * 2] == 0x81).unwrap();
    sizes + place * 4
}

#[test]
fn what_claims_to_unpack_to_a_whole_disk_is_refused_before_it_does() {
    let mut rows = Rows::default();
    let started = Instant::now();
    let huge = forged(
        |header| {
            let at = first_size(header);
            header[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        },
        |archive| {
            let at = entry_in(archive, "./opt/demo/bin/python").start;
            archive[at + 54..at + 62].copy_from_slice(b"ffffffff");
        },
    );
    rows.check("a file of 4 GB in a payload of some kilobytes", Refused("how a bomb looks"), || verified(&huge));
    let long_link = forged(
        |header| {
            let at = data_of(header, 1030);
            let place = (0..).map(|index| at + index * 2).find(|at| header[*at] == 0x81).unwrap();
            header[place..place + 2].copy_from_slice(&0o120_777_u16.to_be_bytes());
        },
        |archive| {
            let at = entry_in(archive, "./opt/demo/bin/python").start;
            archive[at + 14..at + 22].copy_from_slice(format!("{:08x}", 0o120_777).as_bytes());
            archive[at + 54..at + 62].copy_from_slice(b"7fffffff");
        },
    );
    rows.check("a link whose target has 2 GB", Refused("no file and has content"), || verified(&long_link));
    rows.finish();
    assert!(started.elapsed() < Duration::from_secs(20), "it took {:?}", started.elapsed());
}

#[test]
fn what_rpm_would_read_otherwise_is_refused() {
    let mut rows = Rows::default();
    let placed = forged(
        |_| (),
        |archive| {
            let entry = entry_in(archive, "./opt/demo/bin/python");
            let head = (110 + "./opt/demo/bin/python".len() + 1).next_multiple_of(4);
            archive.splice(entry.start..entry.start + head, *b"07070X00000002\0\0");
        },
    );
    rows.check("a place in the header, which has no such sizes", Refused("no sizes for such"), || verified(&placed));
    // rpm makes one file of the two, with the content of the last.
    let linked = forged(
        |header| {
            let (modes, inodes) = (data_of(header, 1030), data_of(header, 1096));
            let files: Vec<usize> = (0..12).filter(|index| header[modes + index * 2] == 0x81).collect();
            let of = |file: usize| inodes + file * 4..inodes + file * 4 + 4;
            let first = header[of(files[0])].to_vec();
            header[of(files[1])].copy_from_slice(&first);
        },
        |_| (),
    );
    rows.check("two files with one inode", Refused("hard links of one another"), || verified(&linked));
    rows.finish();
}

/// The same finding-free package with `files` files more; how long judging it takes.
fn time_with(files: usize) -> Duration {
    let wheels: Vec<Draft> = (0..5)
        .map(|wheel| {
            let name = format!("many{wheel}");
            let modules =
                (0..files / 5).map(|file| (format!("{name}_data/{}/{file}.py", file % 100), b"X = 1\n".to_vec()));
            let mut draft = Draft::of(&name);
            draft.files.extend(modules);
            draft
        })
        .chain([Draft::of("demo"), Draft::app()])
        .collect();
    let (_, rpm) = pack(&wheels).unwrap();
    let started = Instant::now();
    verified(&rpm).unwrap();
    started.elapsed()
}

#[test]
fn a_hundred_thousand_files_take_time_in_proportion() {
    let (few, many) = (time_with(10_000), time_with(100_000));
    println!("10,000 files: {few:?}; 100,000 files: {many:?}");
    // Ten times the files, and a tree that is searched a little deeper.
    assert!(many < few * 25 + Duration::from_secs(1), "10,000 files: {few:?}; 100,000 files: {many:?}");
}

/// A file that counts what is read of it.
struct Counted {
    file: Cursor<Vec<u8>>,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

/// Of the mark that a package starts with, no more than its first bytes mean anything.
const LEAD: u64 = 96;

/// What `verify` costs, whatever the clock says: the payload goes by once, and so do the RECORDs.
#[test]
fn a_package_is_read_once() {
    let mut random = Random(7);
    let noise: String = (0..2_000_000).map(|_| char::from(b'!' + random.below(90) as u8)).collect();
    let demo = Draft::of("demo").with("demo/noise.txt", &noise.replace(['<', '&'], "x"));
    let (_, rpm) = pack(&[demo, Draft::app()]).unwrap();
    let (size, bytes) = (rpm.len() as u64, Arc::new(AtomicU64::new(0)));
    let mut evidence = Evidence::gather(Counted { file: Cursor::new(rpm), bytes: Arc::clone(&bytes) }).unwrap();
    let read = bytes.load(Ordering::Relaxed);
    assert!(size > 1 << 20 && (size - LEAD..size + size / 20).contains(&read), "{read} bytes were read of {size}");
    judge(&evidence);
    let first = evidence.distributions().all.len();
    evidence.texts.clear();
    judge(&evidence);
    assert!(first == 2 && evidence.distributions().all.iter().all(|dist| dist.record.is_some()), "they are read again");
}
