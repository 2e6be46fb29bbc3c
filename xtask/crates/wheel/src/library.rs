//! What a wheel puts into the folder that is imported from, as one digest: the same from the wheel's RECORD and
//! from what is installed, so that an installation can be held against the wheel when the archive is gone.

use crate::{Archive, Contents, Digest, Inflater, Placed, Scheme};
use anyhow::{anyhow, bail};
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::collections::BTreeMap;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::all_of;

/// Metadata that an installer writes, whatever the wheel has under the name (PEP 376, PEP 610).
const OF_INSTALLER: [&str; 6] = ["RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"];

/// Whether a file is byte-code in a `__pycache__`: made anew wherever a wheel is installed.
pub fn is_byte_code(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    parts.next().is_some_and(|name| name.ends_with(".pyc")) && parts.next() == Some("__pycache__")
}

/// Whether a file is installed with the bytes that the wheel has: all but byte-code, and metadata that the
/// installer writes.
///
/// - Takes: `path` below the folder that is imported from; `dist_info`, `NAME-VERSION.dist-info`.
pub fn is_compared(path: &str, dist_info: &str) -> bool {
    let own = path.strip_prefix(dist_info).and_then(|rest| rest.strip_prefix('/'));
    !is_byte_code(path) && !own.is_some_and(|file| OF_INSTALLER.contains(&file))
}

/// The digest of files by their path below the folder that is imported from.
///
/// - Takes: for each path the sha256 of its bytes, in lower-case hex; of those that [`is_compared`] holds for.
/// - Gives: the sha256, in lower-case hex, over the lines `PATH NUL SHA256 LF`, in the order of the paths' bytes.
pub fn digest_of_library(files: &BTreeMap<&str, String>) -> String {
    let mut hasher = Sha256::new();
    for (path, sha256) in files {
        hasher.update(path);
        hasher.update([0]);
        hasher.update(sha256);
        hasher.update(b"\n");
    }
    hex(&hasher.finalize())
}

/// [`digest_of_library`] of a wheel: of its files for `purelib` and `platlib`, where they land. Scripts, headers and
/// data are left out: they land elsewhere, and the first lines of scripts are rewritten.
///
/// - Fails: where a file does not have its digest, of those whose digest in RECORD is no sha256; the others are not
///   read.
pub fn library_digest<R: ReaderAt>(archive: &Archive<R>, contents: &Contents) -> anyhow::Result<String> {
    let mut files = BTreeMap::new();
    let in_library = contents.files.iter().filter(|placed| placed.scheme == Scheme::Library);
    for placed in in_library.filter(|placed| is_compared(&placed.path, &contents.dist_info)) {
        files.insert(placed.path.as_str(), hex(&sha256_of(archive, placed)?));
    }
    Ok(digest_of_library(&files))
}

/// RECORD's sha256, or for a stronger digest the sha256 of the file, once that digest matched.
pub fn sha256_of<R: ReaderAt>(archive: &Archive<R>, placed: &Placed) -> anyhow::Result<[u8; 32]> {
    if let Digest::Sha256(bytes) = placed.digest {
        return Ok(bytes);
    }
    let mut sha256 = Sha256::new();
    let mut strong = (Sha384::new(), Sha512::new());
    archive.unpack(placed.place, &mut Inflater::default(), &mut |piece| {
        sha256.update(piece);
        match placed.digest {
            Digest::Sha384(_) => strong.0.update(piece),
            _ => strong.1.update(piece),
        }
        Ok(())
    })?;
    let found = match placed.digest {
        Digest::Sha384(_) => strong.0.finalize().to_vec(),
        _ => strong.1.finalize().to_vec(),
    };
    if found != placed.digest.bytes() {
        bail!("`{}` does not have the digest of RECORD", placed.path);
    }
    Ok(sha256.finalize().into())
}

/// Holds every file of a wheel against its digest in RECORD, which packing would do later.
///
/// # Errors
/// Names every file whose bytes are others.
pub fn check_digests<R: ReaderAt>(archive: &Archive<R>, contents: &Contents) -> anyhow::Result<()> {
    let mut inflater = Inflater::default();
    let mut faults = Vec::new();
    for placed in &contents.files {
        // A stronger digest is compared where the sha256 is taken.
        let Digest::Sha256(expected) = placed.digest else {
            faults.extend(sha256_of(archive, placed).err());
            continue;
        };
        let mut sha256 = Sha256::new();
        let unpacked = archive.unpack(placed.place, &mut inflater, &mut |piece| {
            sha256.update(piece);
            Ok(())
        });
        match unpacked {
            Err(fault) => faults.push(fault),
            Ok(()) if sha256.finalize()[..] != expected => {
                faults.push(anyhow!("`{}` does not have the digest of RECORD", placed.path));
            }
            Ok(()) => {}
        }
    }
    all_of("files do not match RECORD", faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_installer_writes_is_not_compared() {
        #[rustfmt::skip]
        let cases = [
            ("demo.py",                            true),
            ("demo-1.dist-info/METADATA",          true),
            ("demo-1.dist-info/licenses/INSTALLER", true),
            ("other/demo-1.dist-info/RECORD",      true),
            ("demo-1.dist-info/RECORD",            false),
            ("demo-1.dist-info/INSTALLER",         false),
            ("__pycache__/demo.cpython-39.pyc",    false),
            ("a/__pycache__/demo.txt",             true),
            ("a/demo.pyc",                         true),
        ];
        for (path, compared) in cases {
            assert_eq!(is_compared(path, "demo-1.dist-info"), compared, "{path}");
        }
    }

    #[test]
    fn every_path_and_digest_changes_the_digest() {
        let of = |files: &[(&'static str, &str)]| {
            digest_of_library(&files.iter().map(|(path, digest)| (*path, (*digest).to_owned())).collect())
        };
        let base = of(&[("a", "00"), ("b", "01")]);
        assert_eq!(base, of(&[("b", "01"), ("a", "00")]));
        for other in [&[("a", "00")][..], &[("a", "01"), ("b", "01")], &[("a", "00"), ("c", "01")], &[]] {
            assert_ne!(base, of(other), "{other:?}");
        }
    }
}
