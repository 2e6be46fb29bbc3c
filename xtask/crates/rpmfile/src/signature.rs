//! An OpenPGP signature as gpg writes it: one packet of version 4 (RFC 9580, sections 4.2 and 5.2.3).

use anyhow::{Context as _, ensure};
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;

/// What a key signs with, as far as rpm knows it (RFC 9580, section 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// 1 and 3
    Rsa,
    /// 17
    Dsa,
    /// 19
    Ecdsa,
    /// 22: Ed25519, as gpg 2 writes it
    EdDsa,
}

impl Algorithm {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Dsa => "DSA",
            Self::Ecdsa => "ECDSA",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A detached signature that rpm can verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    bytes: Vec<u8>,
    /// what the key signs with
    pub algorithm: Algorithm,
    /// fingerprint of the key (or subkey) that signed, or its long id, in upper-case hex; empty where it is not said
    pub issuer: String,
}

/// SHA-256, SHA-384 and SHA-512 (RFC 9580, section 9.5): what every rpm knows, and no policy refuses.
const HASHES: std::ops::RangeInclusive<u8> = 8..=10;

impl Signature {
    /// Reads what gpg wrote: a binary packet, not armored.
    ///
    /// # Errors
    /// For another version than 4, another type than that of a document, a hash weaker than SHA-256, and an algorithm
    /// that rpm has no tag for.
    pub fn parse(bytes: Vec<u8>) -> anyhow::Result<Self> {
        let body = packet(&bytes)?;
        let version = *body.first().context("its packet is empty")?;
        if version != 4 {
            return Err(Problem::with_hint(
                format!("it is an OpenPGP signature of version {version}, and rpm reads version 4"),
                "sign with a key of version 4: one made by gpg with `--rfc4880`, or by gpg 2.2",
            ));
        }
        let [_, kind, algorithm, hash, rest @ ..] = body else { anyhow::bail!("its packet is cut short") };
        ensure!(*kind == 0, "it is a signature of type {kind}, and not one over bytes");
        if !HASHES.contains(hash) {
            return Err(Problem::with_hint(
                format!("its hash is {}, and boxes refuse what is weaker than SHA-256", hash_name(*hash)),
                "take `digest-algo` and `personal-digest-preferences` out of gpg.conf; a card may know no other hash",
            ));
        }
        let algorithm = match algorithm {
            1 | 3 => Algorithm::Rsa,
            17 => Algorithm::Dsa,
            19 => Algorithm::Ecdsa,
            22 => Algorithm::EdDsa,
            other => {
                return Err(Problem::with_hint(
                    format!("its algorithm has the number {other}, which rpm's version 4 packages have no tag for"),
                    "sign with an RSA key, which every rpm verifies, or with Ed25519 for el9 and later",
                ));
            }
        };
        let issuer = issuer(rest)?;
        Ok(Self { algorithm, issuer, bytes })
    }

    /// The packet.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

pub(crate) fn hash_name(number: u8) -> String {
    match number {
        1 => "MD5".to_owned(),
        2 => "SHA-1".to_owned(),
        3 => "RIPEMD-160".to_owned(),
        8 => "SHA-256".to_owned(),
        9 => "SHA-384".to_owned(),
        10 => "SHA-512".to_owned(),
        11 => "SHA-224".to_owned(),
        other => format!("number {other}"),
    }
}

/// The body of the one packet that `bytes` is.
pub(crate) fn packet(bytes: &[u8]) -> anyhow::Result<&[u8]> {
    let [first, rest @ ..] = bytes else { anyhow::bail!("it is empty") };
    ensure!(first & 0x80 != 0, "it is no binary OpenPGP packet");
    let (tag, length, body) = match (first & 0x40 != 0, first & 3, rest) {
        // The format of today: one, two or five bytes of length; parts are for what is streamed.
        (true, _, [one @ 0..=191, body @ ..]) => (first & 0x3f, usize::from(*one), body),
        (true, _, [one @ 192..=223, two, body @ ..]) => {
            (first & 0x3f, (usize::from(*one) - 192) * 256 + usize::from(*two) + 192, body)
        }
        (true, _, [255, a, b, c, d, body @ ..]) => (first & 0x3f, four(*a, *b, *c, *d), body),
        // The old one, which gpg writes for signatures.
        (false, 0, [one, body @ ..]) => (first >> 2 & 0xf, usize::from(*one), body),
        (false, 1, [a, b, body @ ..]) => (first >> 2 & 0xf, four(0, 0, *a, *b), body),
        (false, 2, [a, b, c, d, body @ ..]) => (first >> 2 & 0xf, four(*a, *b, *c, *d), body),
        _ => anyhow::bail!("its packet has no length"),
    };
    ensure!(tag == 2, "it is an OpenPGP packet with tag {tag}, and a signature has 2");
    if body.len() > length && body[length] & 0x80 != 0 {
        return Err(Problem::with_hint(
            "it is more than one signature",
            "name one key; `local-user` in gpg.conf adds more",
        ));
    }
    ensure!(body.len() == length, "its packet claims {length} bytes and has {}", body.len());
    Ok(body)
}

fn four(a: u8, b: u8, c: u8, d: u8) -> usize {
    u32::from_be_bytes([a, b, c, d]) as usize
}

/// Who signed, by the two areas of subpackets; the fingerprint (33) before the key id (16).
pub(crate) fn issuer(areas: &[u8]) -> anyhow::Result<String> {
    let mut found = (String::new(), String::new());
    let mut rest = areas;
    for _ in 0..2 {
        let [a, b, tail @ ..] = rest else { anyhow::bail!("its packet is cut short") };
        let length = four(0, 0, *a, *b);
        ensure!(length <= tail.len(), "its subpackets are cut short");
        let (mut area, behind) = tail.split_at(length);
        rest = behind;
        while let [first, tail @ ..] = area {
            let (length, tail) = match (*first, tail) {
                (0..=191, _) => (usize::from(*first), tail),
                (192..=254, [two, tail @ ..]) => ((usize::from(*first) - 192) * 256 + usize::from(*two) + 192, tail),
                (255, [a, b, c, d, tail @ ..]) => (four(*a, *b, *c, *d), tail),
                _ => anyhow::bail!("its subpackets are cut short"),
            };
            ensure!(length >= 1 && length <= tail.len(), "its subpackets are cut short");
            let (subpacket, behind) = tail.split_at(length);
            match (subpacket[0] & 0x7f, &subpacket[1..]) {
                (33, [4, print @ ..]) if print.len() == 20 => found.0 = hex(print).to_uppercase(),
                (16, id) if id.len() == 8 => found.1 = hex(id).to_uppercase(),
                _ => {}
            }
            area = behind;
        }
    }
    // Two bytes of the hash, then the numbers of the signature.
    ensure!(rest.len() > 4, "its packet is cut short");
    Ok(if found.0.is_empty() { found.1 } else { found.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;

    /// A packet in gpg's manner, by an issuer named in both ways.
    fn packet_of(version: u8, kind: u8, algorithm: u8, hash: u8) -> Vec<u8> {
        let mut body = vec![version, kind, algorithm, hash, 0, 29];
        body.extend([22, 33, 4]);
        body.extend([0xab; 20]);
        body.extend([5, 2, 1, 2, 3, 4]);
        body.extend([0, 10, 9, 16]);
        body.extend([0xcd; 8]);
        body.extend([7, 7, 0, 8, 0xff]);
        [vec![0x88, body.len() as u8], body].concat()
    }

    #[test]
    fn what_rpm_can_verify_is_taken() {
        #[rustfmt::skip]
        let cases = [ // version, type, algorithm, hash                what is said
            (4, 0,  1,  8, Ok(Algorithm::Rsa)),
            (4, 0,  3, 10, Ok(Algorithm::Rsa)),
            (4, 0, 17,  8, Ok(Algorithm::Dsa)),
            (4, 0, 19,  9, Ok(Algorithm::Ecdsa)),
            (4, 0, 22,  8, Ok(Algorithm::EdDsa)),
            (3, 0,  1,  8, Err("version 3")),
            (5, 0, 22,  8, Err("version 5")),
            (6, 0, 27,  8, Err("version 6")),
            (4, 1,  1,  8, Err("type 1")),
            (4, 0,  1,  2, Err("SHA-1")),
            (4, 0,  1, 11, Err("SHA-224")),
            (4, 0,  1, 12, Err("number 12")),
            (4, 0, 27,  8, Err("the number 27")),
            (4, 0, 16,  8, Err("the number 16")),
        ];
        for (version, kind, algorithm, hash, expected) in cases {
            let row = format!("version {version}, type {kind}, algorithm {algorithm}, hash {hash}");
            let read = Signature::parse(packet_of(version, kind, algorithm, hash));
            match (expected, read) {
                (Ok(expected), Ok(read)) => {
                    assert_eq!((read.algorithm, read.issuer.as_str()), (expected, "AB".repeat(20).as_str()), "{row}")
                }
                (Err(says), Err(error)) => assert!(format!("{error:#}").contains(says), "{row}: {error:#}"),
                (expected, read) => panic!("{row}: {expected:?}, but {read:?}"),
            }
        }
    }

    #[test]
    fn every_form_of_length_is_read_and_nothing_else() {
        let old = packet_of(4, 0, 1, 8);
        let (length, body) = (old[1], old[2..].to_vec());
        let with = |head: &[u8], body: &[u8]| Signature::parse([head, body].concat());
        for head in [
            &[0x88, length][..],
            &[0x89, 0, length],
            &[0x8a, 0, 0, 0, length],
            &[0xc2, length],
            &[0xc2, 255, 0, 0, 0, length],
        ] {
            assert!(with(head, &body).is_ok(), "{head:?}");
        }
        let long = [&body[..], &vec![1; 300]].concat();
        let two = long.len() - 192;
        assert!(with(&[0xc2, 192 + (two >> 8) as u8, two as u8], &long).is_ok());
        for head in [
            &[0x8b][..],
            &[0x08, length],
            &[0xc2, 224],
            &[0x98, length],
            &[0x88, length + 1],
            &[0x88, length - 1],
            b"-----BEGIN",
        ] {
            assert!(with(head, &body).is_err(), "{head:?}");
        }
        let twice = Signature::parse([old.clone(), old.clone()].concat()).unwrap_err();
        assert!(twice.to_string().contains("more than one") && hints_of(&twice)[0].contains("one key"));
        for end in 0..old.len() {
            assert!(Signature::parse(old[..end].to_vec()).is_err(), "cut to {end}");
            if end > 2 {
                // The lengths inside then point out of it.
                assert!(with(&[0x88, end as u8 - 2], &old[2..end]).is_err(), "cut to {end}, and said so");
            }
        }
    }
}
