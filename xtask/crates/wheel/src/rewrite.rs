//! A wheel's archive written anew: what the host that built it left there is not carried over.

use crate::{Archive, Inflater};
use anyhow::Context as _;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ReaderAt, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io::Write;
use wheelhaul_base::hex::hex;

/// The first time that an archive can hold: 1980-01-01.
pub(super) const EARLIEST: u32 = 315_532_800;

/// Files that are executable: the last part of the path, and the sha256 in lower-case hex.
pub type Executables = BTreeSet<(String, String)>;

/// Writes the files of an archive in its order, with modes and times by rule, packed alike on every host.
///
/// Python on Windows knows no modes and says so in the archive; how small it packs is its zlib's affair. No content is
/// changed, so the wheel's RECORD holds.
///
/// - Takes: `epoch`, the time of every file in seconds since 1970; `executables`, which get 0755 where the archive
///   has them, under whatever folder.
pub fn rewrite<R: ReaderAt, W: Write>(
    archive: &Archive<R>,
    epoch: u32,
    executables: &Executables,
    into: W,
) -> anyhow::Result<W> {
    let time = UtcDateTime::from_unix(epoch.max(EARLIEST).into());
    let mut zip = ZipArchiveWriter::new(into);
    let mut inflater = Inflater::default();
    for (place, member) in archive.members().iter().enumerate() {
        let mode = if is_executable(archive, place, executables, &mut inflater)? { 0o100_755 } else { 0o100_644 };
        let file = zip.new_file(&member.path).compression_method(CompressionMethod::DEFLATE);
        let (mut entry, config) = file.last_modified(time).unix_permissions(mode).start()?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        archive.unpack(place, &mut inflater, &mut |piece| Ok(writer.write_all(piece)?))?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
    }
    zip.finish().context("failed to end the archive")
}

fn is_executable<R: ReaderAt>(
    archive: &Archive<R>,
    place: usize,
    executables: &Executables,
    inflater: &mut Inflater,
) -> anyhow::Result<bool> {
    let path = &archive.members()[place].path;
    let name = path.rsplit('/').next().unwrap_or(path);
    if !executables.iter().any(|(known, _)| known == name) {
        return Ok(false);
    }
    let mut hasher = Sha256::new();
    archive.unpack(place, inflater, &mut |piece| {
        hasher.update(piece);
        Ok(())
    })?;
    Ok(executables.contains(&(name.to_owned(), hex(&hasher.finalize()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;

    /// An archive of stored files, each with the mode that its maker knows, if it knows any.
    fn archive(files: &[(&str, &[u8], Option<u32>)]) -> Vec<u8> {
        let mut zip = ZipArchiveWriter::new(Vec::new());
        for (path, bytes, mode) in files {
            let mut file = zip.new_file(*path);
            if let Some(mode) = mode {
                file = file.unix_permissions(*mode);
            }
            let (mut entry, config) = file.start().unwrap();
            let mut writer = config.wrap(&mut entry);
            writer.write_all(bytes).unwrap();
            let (_, descriptor) = writer.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        zip.finish().unwrap()
    }

    fn open(bytes: &[u8]) -> Archive<&[u8]> {
        Archive::open(bytes, bytes.len() as u64).unwrap()
    }

    #[test]
    fn what_two_hosts_built_becomes_equal() {
        let run: &[u8] = b"#!/bin/sh\n";
        let linux = archive(&[
            ("a/run.sh", run, Some(0o100_755)),
            ("a/other/run.sh", b"", Some(0o100_644)),
            ("a/\u{e4}.py", b"1\n", Some(0o100_664)),
            ("a.dist-info/RECORD", b"", Some(0o100_600)),
        ]);
        let windows = archive(&[
            ("a/run.sh", run, None),
            ("a/other/run.sh", b"", None),
            ("a/\u{e4}.py", b"1\n", Some(0o100_777)),
            ("a.dist-info/RECORD", b"", None),
        ]);
        let executables = Executables::from([("run.sh".to_owned(), hex(&Sha256::digest(run)))]);
        let anew = |bytes: &[u8], epoch| rewrite(&open(bytes), epoch, &executables, Vec::new()).unwrap();
        let (one, other) = (anew(&linux, 1_700_000_000), anew(&windows, 1_700_000_000));
        assert!(one == other && one == anew(&one, 1_700_000_000), "they differ");
        assert!(anew(&linux, 0) == anew(&linux, EARLIEST) && one != anew(&linux, 0));
        let archive = open(&one);
        let modes: Vec<_> = archive.members().iter().map(|member| (member.path.as_str(), member.mode)).collect();
        #[rustfmt::skip]
        assert_eq!(modes, [
            ("a/run.sh",           Mode::Executable),
            ("a/other/run.sh",     Mode::Plain),
            ("a/\u{e4}.py",        Mode::Plain),
            ("a.dist-info/RECORD", Mode::Plain),
        ]);
        assert_eq!((archive.read(0).unwrap(), archive.read(2).unwrap()), (run.to_vec(), b"1\n".to_vec()));
    }
}
