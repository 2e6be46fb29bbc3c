//! Check for boxes in FIPS mode: what rpm verifies there, and cryptography that is not the box's.

use crate::evidence::Fips;
use crate::{CryptoMarks, Evidence, Finding, Outcome, Owners, count};
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use wheelhaul_rpmfile::SignatureFacts;

const SHA256: u32 = 8;
/// SHA-256, SHA-384, SHA-512 of OpenPGP.
const STRONG: std::ops::RangeInclusive<u8> = 8..=10;
/// Ends of releases whose FIPS policy has no Ed25519 (crypto-policies, `FIPS.pol` of RHEL 8 and 9; el7 has none of
/// it at all). FIPS 186-5 has it; of other boxes it is not known.
const WITHOUT_ED25519: [&str; 3] = ["el7", "el8", "el9"];
/// A signature has as many bits as its RSA key but for a few, and keys have whole steps.
const FEWEST_BITS: u32 = 2048 - 64;
/// Libraries of cryptography by their name, as wheels bring them: `libcrypto-fb8d5b21.so.3`.
const LIBRARIES: [&str; 16] = [
    "libcrypto",
    "libssl",
    "libgcrypt",
    "libsodium",
    "libgnutls",
    "libnettle",
    "libhogweed",
    "libnss3",
    "libnssutil3",
    "libsoftokn3",
    "libfreebl3",
    "libfreeblpriv3",
    "libmbedcrypto",
    "libmbedtls",
    "libwolfssl",
    "libk5crypto",
];

/// `fips`
pub fn judge(evidence: &Evidence) -> Outcome {
    let none = Fips::default();
    let asked = evidence.fips.as_ref().unwrap_or(&none);
    let mut findings = digests(evidence);
    findings.extend(signatures(evidence));
    let brought = brought(evidence);
    let mut used = BTreeSet::new();
    for Brought { path, owner, what } in &brought {
        match owner {
            Some(owner) if asked.allowed.contains(owner) => drop(used.insert(owner.clone())),
            owner => findings.push(Finding::error(
                *path,
                format!("{what}, which is no validated module of the box"),
                "code that calls the box's OpenSSL",
                cure(owner.as_ref()),
            )),
        }
    }
    for name in asked.allowed.difference(&used) {
        let found = format!("`--fips-allow {name}` allows nothing: the package brings no cryptography by that name");
        findings.push(Finding::warning(Finding::error("", found, "what is needed", "leave it out")));
    }
    let signatures: Vec<String> = evidence.signatures.packets.iter().flatten().map(SignatureFacts::title).collect();
    let signed = if signatures.is_empty() { "unsigned".to_owned() } else { signatures.join(", ") };
    let allowed = match used.is_empty() {
        true => String::new(),
        false => format!("; allowed: {}", used.iter().map(|name| name.as_ref()).collect::<Vec<_>>().join(", ")),
    };
    let looked_at = format!("digests, signature ({signed}), {}{allowed}", count(evidence.elf.len(), "ELF file"));
    Outcome::Made { looked_at, findings }
}

/// Those that rpm in FIPS mode can verify: it computes no MD5, and where that is all there is, it says `no digest`.
fn digests(evidence: &Evidence) -> Vec<Finding> {
    let again = "build it with this tool, or with rpmbuild of rpm 4.14 or later and SHA-256 digests";
    let mut findings = Vec::new();
    let mut fault = |found: String, expected: &str| findings.push(Finding::error("", found, expected, again));
    if !evidence.signatures.header_sha256 {
        fault("the header has no SHA-256 digest".to_owned(), "one: rpm in FIPS mode computes no MD5");
    }
    match evidence.signatures.payload_algorithm {
        None => fault("the payload has no digest".to_owned(), "one by SHA-256"),
        Some(SHA256) => {}
        Some(other) => fault(format!("the payload's digest is by the algorithm {other}"), "8, which is SHA-256"),
    }
    match evidence.described.file_digest_algorithm {
        SHA256 => {}
        1 => fault("files have MD5 digests".to_owned(), "SHA-256: with MD5, rpm in FIPS mode unpacks no file"),
        other => fault(format!("files have digests of the algorithm {other}"), "8, which is SHA-256"),
    }
    findings
}

fn signatures(evidence: &Evidence) -> Vec<Finding> {
    const CURE: &str = "sign it with an RSA key of 3072 bits or more: `cargo xtask sign`";
    const EXPECTED: &str = "RSA of 2048 bits or more, or ECDSA over P-256, P-384 or P-521, with SHA-256 or better";
    if evidence.signatures.packets.is_empty() {
        let expected = "a signature: FIPS does not ask for one, and the profiles that go with it \
            (`localpkg_gpgcheck = 1`) do";
        return vec![Finding::error("", "it is not signed", expected, CURE).warning()];
    }
    let has_none =
        WITHOUT_ED25519.iter().any(|dist| evidence.described.release.split(['.', '_', '+']).any(|part| part == *dist));
    let fault = |signature: &Result<SignatureFacts, String>| {
        let facts = match signature {
            Ok(facts) => facts,
            Err(why) => return Some(Finding::error("", format!("a signature cannot be read: {why}"), EXPECTED, CURE)),
        };
        let title = facts.title();
        let finding = |found: String| Finding::error("", found, EXPECTED, CURE);
        match facts.algorithm {
            _ if !STRONG.contains(&facts.hash) => Some(finding(format!("it is signed by {title}"))),
            1 | 3 if facts.bits < FEWEST_BITS => {
                Some(finding(format!("it is signed by {title} and a key of some {} bits", facts.bits)))
            }
            1 | 3 | 19 => None,
            22 | 27 if has_none => Some(finding(format!(
                "it is signed by {title}, which the FIPS policy of the box's release does not have"
            ))),
            22 | 27 => Some(
                finding(format!(
                    "it is signed by {title}: FIPS 186-5 has it, and whether the box takes it in FIPS mode is not known"
                ))
                .warning(),
            ),
            _ => Some(finding(format!("it is signed by {title}"))),
        }
    };
    evidence.signatures.packets.iter().filter_map(fault).collect()
}

/// Cryptography in the package.
struct Brought<'a> {
    path: &'a str,
    /// the package whose RECORD lists it
    owner: Option<PackageName>,
    /// `it has OpenSSL 3.5.8 25 Aug 2026 within`
    what: String,
}

fn brought(evidence: &Evidence) -> Vec<Brought<'_>> {
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    for (path, _) in evidence.described.files.iter().filter(|(_, row)| row.is_file()) {
        if let Some(library) = library_of(path) {
            found.insert(path, format!("it is a {library} of its own"));
        }
    }
    for (path, marks) in &evidence.crypto {
        let calls_another = evidence.elf.get(path).is_some_and(
            |facts| matches!(facts, Ok(facts) if facts.needed.iter().any(|name| is_one_of(name, &LIBRARIES[..2]))),
        );
        let carries = has_own(marks, calls_another);
        match found.get_mut(path.as_str()) {
            Some(what) if marks.openssl.is_some() || carries => what.push_str(&format!(" ({})", marks.title())),
            Some(_) => {}
            None if carries => drop(found.insert(path, format!("it has {} within", marks.title()))),
            None => {}
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let owners = Owners::of(evidence);
    let owner = |path: &str| owners.name_of(path).and_then(|name| PackageName::from_str(name).ok());
    found.into_iter().map(|(path, what)| Brought { path, owner: owner(path), what }).collect()
}

/// Whether marks are of code that is in the file; the version alone is also in what was compiled against OpenSSL
/// and calls it.
fn has_own(marks: &CryptoMarks, calls_another: bool) -> bool {
    marks.has_ciphers || (marks.openssl.is_some() && !calls_another)
}

fn library_of(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    LIBRARIES.into_iter().find(|library| is_one_of(name, &[library]))
}

/// Whether a file's name is that of a shared library: `libssl.so.3`, and `libssl-8bd944e8.so.3` in wheels.
fn is_one_of(name: &str, libraries: &[&str]) -> bool {
    let rests = libraries.iter().filter_map(|library| name.strip_prefix(library));
    rests.into_iter().any(|rest| rest.starts_with(['.', '-']) && (rest.ends_with(".so") || rest.contains(".so.")))
}

/// What to do about a package's own cryptography.
fn cure(owner: Option<&PackageName>) -> String {
    let Some(owner) = owner else { return "leave the file out, and call the box's OpenSSL".to_owned() };
    let name = owner.as_ref();
    let build = |name: &str| format!("`[sdist] build = [\"{name}\"]` on a host with the box's OpenSSL");
    let what = match name {
        "psycopg2-binary" => format!("lock `psycopg2` instead, and build it: {}", build("psycopg2")),
        "psycopg-binary" => format!("lock `psycopg[c]` instead, and build it: {}", build("psycopg-c")),
        "grpcio" => format!("build it with GRPC_PYTHON_BUILD_SYSTEM_OPENSSL=1: {}", build(name)),
        "awscrt" => format!("build it with AWS_CRT_BUILD_USE_SYSTEM_LIBCRYPTO=1: {}", build(name)),
        "pycryptodome" | "pycryptodomex" | "pynacl" => {
            format!("call `cryptography` instead, built against the box's OpenSSL: {}", build("cryptography"))
        }
        _ => format!("build it: {}", build(name)),
    };
    format!("{what}; or `--fips-allow {name}`, where nothing that FIPS is asked for passes through it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_known_by_their_names_in_wheels() {
        #[rustfmt::skip]
        let cases = [
            ("/a/x.libs/libcrypto-fb8d5b21.so.3",    Some("libcrypto")),
            ("/a/mysql/vendor/libssl.so.3",          Some("libssl")),
            ("/a/libssl-7f59e8e2.so.1.1.1k",         Some("libssl")),
            ("/a/libsodium.so",                      Some("libsodium")),
            ("/a/libnss3-0a.so",                     Some("libnss3")),
            ("/a/libk5crypto-b1f99d5c.so.3.1",       Some("libk5crypto")),
            ("/a/libcrypt-bc2db45e.so.1",            None),
            ("/a/libnss_files.so.2",                 None),
            ("/a/libcrypto.py",                      None),
            ("/a/libngtcp2_crypto_ossl-7.so.0",      None),
            ("/a/libssl-notes.so.txt/readme",        None),
        ];
        for (path, library) in cases {
            assert_eq!(library_of(path), library, "{path}");
        }
    }

    #[test]
    fn a_version_alone_is_no_library_where_another_one_is_called() {
        let of = |has_ciphers: bool, version: bool| CryptoMarks {
            has_ciphers,
            openssl: version.then(|| "OpenSSL 3.0.7 1 Nov 2022".to_owned()),
            ..CryptoMarks::default()
        };
        #[rustfmt::skip]
        let cases = [ // marks      calls another   has its own
            (of(true,  true),  false, true),
            (of(true,  false), true,  true),
            (of(false, true),  false, true),
            (of(false, true),  true,  false),
            (of(false, false), false, false),
        ];
        for (marks, calls_another, expected) in cases {
            assert_eq!(has_own(&marks, calls_another), expected, "{marks:?}, {calls_another}");
        }
    }
}
