//! The gzip payload against those who read such: rpm's own reader, GNU gzip, Python's gzip and zlib-ng. In it are files
//! as a wheel has them deflated, between others that were compressed here.

#[allow(dead_code, reason = "a part of what hostile wheels are made by")]
#[path = "hostile/boxes.rs"]
mod boxes;
#[allow(dead_code, reason = "each test that runs programs uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "a part of what hostile archives are made by")]
#[path = "hostile/zip.rs"]
mod zip;

use anyhow::{Context as _, ensure};
use boxes::{Draft, open, pack_by};
use camino::Utf8Path;
use checkout::command::run;
use checkout::repository;
use flate2::Compression as Level;
use flate2::write::DeflateEncoder;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::process::Command;
use wheelhaul_base::hex::hex;
use wheelhaul_boxes::Compression;

/// A digest of what a module of Python unpacks.
const SCRIPT: &str = "import hashlib, importlib, sys\n\
    with importlib.import_module(sys.argv[1]).open(sys.argv[2]) as file:\n    \
    print(hashlib.sha256(file.read()).hexdigest())";

/// Words that shrink, another text for each `number`.
fn text(number: u32, size: usize) -> String {
    let mut state = number;
    let mut text = String::with_capacity(size + 8);
    while text.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(&format!("{:x} ", (state >> 16) % 5000));
    }
    text.truncate(size);
    text
}

/// A wheel with small and large files in turn, deflated at all levels, one of them stored.
fn wheel() -> Vec<u8> {
    let sizes = [0, 10, 40_000, 100_000, 32 << 10, (32 << 10) - 1, 3, 2_000_000, 70_000, 33_000];
    let draft = (0..40_usize).fold(Draft::of("demo"), |draft, number| {
        let size = sizes[number % sizes.len()] + number / sizes.len();
        draft.with(&format!("demo/{number:02}.txt"), &text(number as u32, size))
    });
    let mut zip = draft.zip();
    for (number, entry) in zip.entries.iter_mut().enumerate() {
        let Some((_, content)) = draft.files.get(number) else { continue };
        if number == 10 {
            entry.data.clone_from(content);
            *entry = entry.clone().both(|fields| (fields.method, fields.packed) = (0, fields.size));
            continue;
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Level::new(number as u32 % 10));
        encoder.write_all(content).unwrap();
        entry.data = encoder.finish().unwrap();
        let packed = entry.data.len() as u32;
        *entry = entry.clone().both(|fields| fields.packed = packed);
    }
    zip.bytes()
}

/// Where the payload starts: behind the lead, the signature header, which is aligned to 8, and the header.
fn payload(rpm: &[u8]) -> &[u8] {
    let number = |at: usize| u32::from_be_bytes(rpm[at..at + 4].try_into().unwrap()) as usize;
    let end = |at: usize| at + 16 + 16 * number(at + 8) + number(at + 12);
    &rpm[end(end(96).next_multiple_of(8))..]
}

#[test]
fn everyone_reads_the_same_archive() -> anyhow::Result<()> {
    let wheels = [open("demo-1.0-py3-none-any.whl", wheel())?, Draft::app().open()?];
    let (_, rpm) = pack_by(Compression::Gzip, &wheels, |_, _| (), |_| ())?;
    let (_, other) = pack_by(Compression::Zstd, &wheels, |_, _| (), |_| ())?;
    let archive = zstd::stream::decode_all(payload(&other))?;
    ensure!(archive.len() > 8_000_000, "the archive has {} bytes", archive.len());
    let expected = hex(&Sha256::digest(&archive));

    let keep = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(keep.path()).context("the folder's path is not UTF-8")?;
    let (rpm_path, gz) = (folder.join("demo.rpm"), folder.join("payload.gz"));
    fs::write(&rpm_path, &rpm)?;
    fs::write(folder.join("other.rpm"), &other)?;
    fs::write(&gz, payload(&rpm))?;
    run(Command::new("rpm").args(["-K", "--nosignature", rpm_path.as_str()]))?.text()?;
    run(Command::new("gzip").args(["--test", gz.as_str()]))?.text()?;
    let digest_of = |line: &str| {
        let shell = format!("set -e; {line} > archive; sha256sum < archive");
        let said = run(Command::new("sh").args(["-c", &shell]).current_dir(folder))?.text()?;
        anyhow::Ok(said.split(' ').next().unwrap_or_default().to_owned())
    };
    assert_eq!(digest_of("gzip -dc payload.gz")?, expected);
    // rpm 4.20 and later write the archive anew.
    assert_eq!(digest_of("rpm2cpio demo.rpm")?, digest_of("rpm2cpio other.rpm")?);
    let tools = repository().join("tests/python/tools.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(tools).arg(repository().join("target/xtask/test-gzip")).arg("gzip");
    let python = run(&mut python).context("hint: `apt-get install python3 python3-venv`")?.text()?;
    for module in ["gzip", "zlib_ng.gzip_ng"] {
        let said = run(Command::new(&python).args(["-c", SCRIPT, module, gz.as_str()]))?.text()?;
        assert_eq!(said, expected, "{module}");
    }

    // They would tell a fault: a byte of a stream that was taken as it is, or of its checksum.
    let mut damaged = payload(&rpm).to_vec();
    let at = damaged.len() / 2;
    damaged[at] ^= 0x55;
    fs::write(&gz, damaged)?;
    ensure!(!run(Command::new("gzip").args(["--test", gz.as_str()]))?.succeeded(), "gzip took a damaged payload");
    Ok(())
}
