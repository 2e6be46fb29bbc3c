//! What the team locked: pins, read from the lock of their own tool, each with its place in it.

mod filter;
mod pipfile_lock;
mod requirement;
mod requirements;

pub use filter::{Dropped, Filtered, Kept, filter};
pub use requirement::Requirement;

use crate::problem::{Problem, shortened};
use camino::Utf8Path;
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use std::collections::BTreeSet;

/// One package at one version, under a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the exact version
    pub version: Version,
    /// extras that the team asked for
    pub extras: Vec<ExtraName>,
    /// the marker as it was written; none is always true
    pub marker: Option<String>,
    /// the sha256 digests, in lower-case hex, of the files that the team accepts; empty: any file
    pub hashes: BTreeSet<String>,
    /// where it stands in the lock, `default.flask` or `line 3`
    pub place: String,
}

/// A lock file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// pipenv's `Pipfile.lock`, specification version 6
    PipfileLock,
    /// pinned lines of pip's requirements file format
    Requirements,
}

impl Format {
    /// The format that a lock's file name tells.
    pub fn of(path: &Utf8Path) -> anyhow::Result<Self> {
        match (path.file_name().unwrap_or_default(), path.extension()) {
            ("Pipfile.lock", _) => Ok(Self::PipfileLock),
            (_, Some("txt")) => Ok(Self::Requirements),
            _ => Err(Problem::with_hint(
                format!("the format of the lock `{path}` is not known"),
                "known locks: `Pipfile.lock`, and `requirements.txt` with exact pins, also under other names that end in `.txt`",
            )),
        }
    }
}

/// Reads a lock's text.
///
/// - Gives: the pins in the order of names, then of places.
/// - Fails: once, naming every entry that is not an exact pin of an index package.
pub fn parse(format: Format, text: &str) -> anyhow::Result<Vec<Pin>> {
    let mut pins = match format {
        Format::PipfileLock => pipfile_lock::parse(text),
        Format::Requirements => requirements::parse(text),
    }?;
    pins.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pins)
}

/// Takes a digest as locks write it, `sha256:HEX`.
///
/// - Gives: `None` for another algorithm, which this tool does not rely on.
fn sha256_of(hash: &str) -> anyhow::Result<Option<String>> {
    let Some((algorithm, hex)) = hash.split_once(':') else {
        return Err(Problem::with_hint(
            format!("`{}` is not a hash", shortened(hash)),
            "hashes are written `sha256:…`",
        ));
    };
    if algorithm != "sha256" {
        return Ok(None);
    }
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::with_hint(
            format!("`{}` is not a sha256 digest", shortened(hash)),
            "it has 64 hexadecimal digits; make the lock anew",
        ));
    }
    Ok(Some(hex.to_ascii_lowercase()))
}

/// Gathers the sha256 digests of an entry; hashes of which none is sha256 are an error.
fn sha256_digests<'a>(hashes: impl Iterator<Item = &'a str>) -> anyhow::Result<BTreeSet<String>> {
    let mut digests = BTreeSet::new();
    let mut given = 0;
    for hash in hashes {
        given += 1;
        digests.extend(sha256_of(hash)?);
    }
    if given > 0 && digests.is_empty() {
        return Err(Problem::with_hint(
            "none of its hashes is sha256",
            "lock again with sha256 hashes; pip, pipenv and uv do so by default",
        ));
    }
    Ok(digests)
}
