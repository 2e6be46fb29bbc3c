//! Faults that are looked for on request: what a FIPS box refuses, and known vulnerabilities.

use crate::forge::tags::Data;
use crate::forge::{File, Forge};
use crate::{Row, row};
use camino::Utf8Path;
use fs_err as fs;

/// What rpm before 4.14 wrote over header and payload.
const HEADER_SHA1: u32 = 269;

fn library(rpm: &mut Forge, path: &str) {
    let module = rpm.path("markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so");
    let content = rpm.files[&module].content.clone();
    rpm.add_to("markupsafe", path, File::program(content));
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("fips", "an OpenSSL of its own", "libcrypto-0e3ce3d4", |rpm| library(rpm, "/opt/small/lib/markupsafe.libs/libcrypto-0e3ce3d4.so.3")).with(&["--fips"]),
        row("fips", "an OpenSSL that is linked in", "_speedups.cpython-311", |rpm| { let path = rpm.path("markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so"); rpm.append(&path, "\0OpenSSL 3.5.4 30 Sep 2025\0") }).with(&["--fips"]),
        row("fips", "MD5 digests of files", "MD5", |rpm| {
            rpm.digest_algorithm = 1;
            rpm.files.values_mut().filter(|file| file.mode >= 0o100_000).for_each(|file| file.digest = Some("0".repeat(32)));
        }).with(&["--fips"]),
        row("fips", "no SHA-256 digest of the payload", "payload", |rpm| rpm.payload_digest = |_| None).with(&["--fips"]),
        row("fips", "no SHA-256 digest of the header", "header", |rpm| { rpm.header_digest = |_| None; rpm.in_signature(HEADER_SHA1, Data::Text("0".repeat(40))) }).with(&["--fips"]),
        row("fips", "a signature by MD5", "MD5", |rpm| rpm.in_signature(268, Data::Bytes(signature(1)))).with(&["--fips"]),
        row("fips", "a signature by SHA-1", "SHA", |rpm| rpm.in_signature(268, Data::Bytes(signature(2)))).with(&["--fips"]),
        row("fips", "a signature of a key that is too small", "8 bits", |rpm| rpm.in_signature(268, Data::Bytes(signature(8)))).with(&["--fips"]),
        row("fips", "no signature", "not signed", |_| ()).with(&["--fips"]),

        row("audit", "a vulnerability in a record of OSV", "GHSA-aaaa-bbbb-cccc", |_| ()).with(&["--audit", "{folder}/osv.json"]),
        row("audit", "a vulnerability in a report of pip-audit", "PYSEC-2026-1", |_| ()).with(&["--audit", "{folder}/pip-audit.json"]),
    ]
}

const OSV: &str = r#"{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI",
    "name": "gunicorn"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "20"}, {"fixed": "27.0.2"}]}]}]}"#;
const PIP_AUDIT: &str = r#"{"dependencies": [{"name": "gunicorn", "version": "27.0.1", "vulns": [{"id": "PYSEC-2026-1",
    "fix_versions": ["27.0.2"], "aliases": [], "description": "x"}]}, {"name": "packaging", "version": "26.3", "vulns": []},
    {"name": "greenlet", "version": "3.5.6", "vulns": []}, {"name": "markupsafe", "version": "3.0.4", "vulns": []}], "fixes": []}"#;

/// Writes what the rows' flags name.
pub fn write_data(folder: &Utf8Path) -> anyhow::Result<()> {
    fs::write(folder.join("osv.json"), OSV)?;
    Ok(fs::write(folder.join("pip-audit.json"), PIP_AUDIT)?)
}

/// An RSA signature packet (RFC 4880, version 4), whose digest is by the algorithm of this number.
fn signature(hash: u8) -> Vec<u8> {
    let mut body = vec![4, 0, 1, hash, 0, 0, 0, 0, 7, 7, 0, 8, 0xff];
    let mut packet = vec![0x88, body.len() as u8];
    packet.append(&mut body);
    packet
}
