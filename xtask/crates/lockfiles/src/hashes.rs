//! Digests as locks write them.

use std::collections::BTreeSet;
use wheelhaul_base::hex::sha256_digest;
use wheelhaul_base::problem::{Problem, shortened};

/// The sha256 in a digest as locks write it, `sha256:HEX`; `None` for another algorithm, on which this tool does not rely.
pub(crate) fn sha256_of(hash: &str) -> anyhow::Result<Option<String>> {
    let Some((algorithm, hex)) = hash.split_once(':') else {
        return Err(Problem::with_hint(
            format!("`{}` is not a hash", shortened(hash)),
            "hashes are written `sha256:…`",
        ));
    };
    if algorithm != "sha256" {
        return Ok(None);
    }
    let not_a_digest = || {
        Problem::with_hint(
            format!("`{}` is not a sha256 digest", shortened(hash)),
            "it has 64 hexadecimal digits; make the lock anew",
        )
    };
    sha256_digest(hex).ok_or_else(not_a_digest).map(Some)
}

/// The sha256 digests of an entry.
///
/// # Errors
/// If it has hashes, and none of them is sha256.
pub(crate) fn sha256_digests<'a>(hashes: impl Iterator<Item = &'a str>) -> anyhow::Result<BTreeSet<String>> {
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
