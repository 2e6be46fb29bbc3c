//! Faults that are looked for on request: what a FIPS box refuses, and known vulnerabilities.

use crate::forge::tags::Data;
use crate::forge::{File, Forge};
use crate::{Row, row};

/// What rpm before 4.14 wrote over header and payload.
const HEADER_SHA1: u32 = 269;
const WHOLE_MD5: u32 = 1004;

fn library(rpm: &mut Forge, path: &str) {
    let module = rpm.path("markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so");
    let content = rpm.files[&module].content.clone();
    rpm.add_to("markupsafe", path, File::program(content));
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("fips", "an OpenSSL of its own", "libcrypto", |rpm| library(rpm, "/opt/small/lib/markupsafe.libs/libcrypto-0e3ce3d4.so.3")).with(&["--fips"]),
        row("fips", "an OpenSSL that is linked in", "markupsafe", |rpm| { let path = rpm.path("markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so"); rpm.append(&path, "\0OpenSSL 3.5.4 30 Sep 2025\0") }).with(&["--fips"]),
        row("fips", "MD5 digests of files", "", |rpm| {
            rpm.digest_algorithm = 1;
            rpm.files.values_mut().filter(|file| file.mode >= 0o100_000).for_each(|file| file.digest = Some("0".repeat(32)));
        }).with(&["--fips"]),
        row("fips", "no SHA-256 digest of the payload", "", |rpm| rpm.payload_digest = |_| None).with(&["--fips"]),
        row("fips", "no SHA-256 digest of the header", "", |rpm| { rpm.header_digest = |_| None; rpm.in_signature(HEADER_SHA1, Data::Text("0".repeat(40))) }).with(&["--fips"]),
        row("fips", "a signature by MD5", "MD5", |rpm| rpm.in_signature(268, Data::Bytes(signature(1)))).with(&["--fips"]),
        row("fips", "a signature by SHA-1", "SHA-1", |rpm| rpm.in_signature(268, Data::Bytes(signature(2)))).with(&["--fips"]),
        row("fips", "a digest by MD5 beside the others", "MD5", |rpm| rpm.in_signature(WHOLE_MD5, Data::Bytes(vec![0; 16]))).with(&["--fips"]),
    ]
}

/// An RSA signature packet (RFC 4880, version 4), whose digest is by the algorithm of this number.
fn signature(hash: u8) -> Vec<u8> {
    let mut body = vec![4, 0, 1, hash, 0, 0, 0, 0, 7, 7, 0, 8, 0xff];
    let mut packet = vec![0x88, body.len() as u8];
    packet.append(&mut body);
    packet
}
