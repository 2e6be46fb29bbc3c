//! What an RPM has to be checked by, as its headers say and good or not: digests, and every signature.

use crate::header::{DSA, HEADER_SHA256, Header, OPENPGP, OVER_ALL, PAYLOAD_ALGORITHM, PAYLOAD_SHA256, RSA};
use crate::signature::{hash_name, issuer, packet};
use anyhow::{bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wheelhaul_base::hex::hex;

/// More signatures than any package has.
const MOST_SIGNATURES: usize = 100;

/// Digests and signatures of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// whether there is a SHA-256 digest of the header
    pub header_sha256: bool,
    /// the algorithm of the payload's digest, 8 is SHA-256; none where there is no such digest
    pub payload_algorithm: Option<u32>,
    /// of every kind, in the order of tags; or why one cannot be read
    pub packets: Vec<Result<SignatureFacts, String>>,
}

/// How a signature was made, by its packet (RFC 9580, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFacts {
    /// of the key (section 9.1): 1 and 3 RSA, 17 DSA, 19 ECDSA, 22 EdDSA
    pub algorithm: u8,
    /// section 9.5: 8 to 10 are SHA-256, SHA-384 and SHA-512
    pub hash: u8,
    /// fingerprint of the key, or its long id, in upper-case hex; empty where it is not said
    pub issuer: String,
    /// of its first number; with RSA as many as the key has, but for a few
    pub bits: u32,
}

impl SignatureFacts {
    /// `RSA with SHA-256`
    pub fn title(&self) -> String {
        format!("{} with {}", self.key(), hash_name(self.hash))
    }

    fn key(&self) -> String {
        let key = match self.algorithm {
            1 | 3 => "RSA",
            17 => "DSA",
            19 => "ECDSA",
            22 => "EdDSA",
            27 => "Ed25519",
            28 => "Ed448",
            other => return format!("algorithm {other}"),
        };
        key.to_owned()
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let body = packet(bytes)?;
        let cut = || anyhow::anyhow!("its packet is cut short");
        let (algorithm, hash, issuer, rest) = match body {
            // Length 5, type, time, key id.
            [3, rest @ ..] => {
                let (issuer, rest) = rest.get(6..).and_then(|rest| rest.split_at_checked(8)).ok_or_else(cut)?;
                let [algorithm, hash, rest @ ..] = rest else { return Err(cut()) };
                (*algorithm, *hash, hex(issuer).to_uppercase(), rest)
            }
            [4, _, algorithm, hash, areas @ ..] => {
                let rest = behind_area(areas).and_then(behind_area).ok_or_else(cut)?;
                (*algorithm, *hash, issuer(areas)?, rest)
            }
            [version, ..] => bail!("it is an OpenPGP signature of version {version}"),
            [] => return Err(cut()),
        };
        let [_, _, high, low, ..] = rest else { return Err(cut()) };
        Ok(Self { algorithm, hash, issuer, bits: u32::from(*high) << 8 | u32::from(*low) })
    }
}

/// What comes after an area of subpackets.
fn behind_area(bytes: &[u8]) -> Option<&[u8]> {
    let [high, low, rest @ ..] = bytes else { return None };
    rest.get(usize::from(*high) << 8 | usize::from(*low)..)
}

impl Signatures {
    /// Who says to have signed it, `RSA 0123ABC…`, not verified; none where there is no signature.
    pub fn signer(&self) -> Option<String> {
        let read = self.packets.iter().flatten().next().map(|facts| format!("{} {}", facts.key(), facts.issuer));
        read.or_else(|| (!self.packets.is_empty()).then(|| "of a kind that this tool does not read".to_owned()))
    }

    /// Reads them from the two headers.
    pub(crate) fn read(signature_header: &Header, header: &Header) -> anyhow::Result<Self> {
        let mut packets = Vec::new();
        for (tag, value) in signature_header.values() {
            match tag {
                OPENPGP => packets.extend(armored(value.data).map(|packet| facts(packet.as_deref()))),
                tag if [DSA, RSA].contains(&tag) || OVER_ALL.contains(&tag) => packets.push(facts(Ok(value.data))),
                _ => {}
            }
        }
        ensure!(packets.len() <= MOST_SIGNATURES, "it has {} signatures", packets.len());
        let algorithm = header.value(PAYLOAD_ALGORITHM).and_then(|value| value.data.first_chunk().copied());
        let payload_algorithm =
            header.has(PAYLOAD_SHA256).then(|| algorithm.map(u32::from_be_bytes).unwrap_or_default());
        Ok(Self { header_sha256: signature_header.has(HEADER_SHA256), payload_algorithm, packets })
    }
}

fn facts(packet: Result<&[u8], &String>) -> Result<SignatureFacts, String> {
    SignatureFacts::parse(packet.map_err(Clone::clone)?).map_err(|error| format!("{error:#}"))
}

/// The packets of an array of strings.
fn armored(data: &[u8]) -> impl Iterator<Item = Result<Vec<u8>, String>> {
    let texts = data.split(|byte| *byte == 0).filter(|text| !text.is_empty());
    texts.take(MOST_SIGNATURES + 1).map(|text| STANDARD.decode(text).map_err(|error| format!("its base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of version 4 or 3 whose first number has so many bits.
    fn packet_of(version: u8, algorithm: u8, hash: u8, bits: u16) -> Vec<u8> {
        let mut body = match version {
            3 => [&[3, 5, 0][..], &[0; 4], &[9; 8], &[algorithm, hash]].concat(),
            version => [&[version, 0, algorithm, hash, 0, 3, 2, 2, 9, 0, 10, 9, 16][..], &[10; 8]].concat(),
        };
        body.extend([7, 7]);
        body.extend(bits.to_be_bytes());
        body.extend(vec![1; usize::from(bits).div_ceil(8)]);
        [&[0x89][..], &(body.len() as u16).to_be_bytes(), &body].concat()
    }

    #[test]
    fn a_signature_says_key_hash_and_size_whatever_its_worth() {
        #[rustfmt::skip]
        let cases = [ // version, algorithm, hash, bits     title
            (4,  1,  8, 2047, Some("RSA with SHA-256")),
            (4,  1,  2, 1024, Some("RSA with SHA-1")),
            (3,  1,  1, 1023, Some("RSA with MD5")),
            (3, 17,  2,  160, Some("DSA with SHA-1")),
            (4, 19,  9,  384, Some("ECDSA with SHA-384")),
            (4, 22, 10,  256, Some("EdDSA with SHA-512")),
            (4, 99,  8,  256, Some("algorithm 99 with SHA-256")),
            (6, 27,  8,  256, None),
        ];
        for (version, algorithm, hash, bits, title) in cases {
            let bytes = packet_of(version, algorithm, hash, bits);
            let read = SignatureFacts::parse(&bytes);
            let said = read.as_ref().ok().map(|facts| (facts.title(), facts.bits, facts.issuer.as_str()));
            let issuer = if version == 3 { "09".repeat(8) } else { "0A".repeat(8) };
            let expected = title.map(|title| (title.to_owned(), u32::from(bits), issuer.as_str()));
            assert_eq!(said, expected, "version {version}, algorithm {algorithm}, hash {hash}: {read:?}");
            for end in 0..bytes.len() {
                assert!(SignatureFacts::parse(&bytes[..end]).is_err(), "cut to {end}");
            }
        }
    }

    #[test]
    fn the_first_signature_that_can_be_read_says_who_signed() {
        let read = |bytes: Vec<u8>| facts(Ok(&bytes));
        let (good, odd) = (read(packet_of(4, 1, 8, 2048)), read(packet_of(6, 27, 8, 256)));
        #[rustfmt::skip]
        let cases = [
            (vec![],                        None),
            (vec![odd.clone()],             Some("of a kind that this tool does not read".to_owned())),
            (vec![odd, good],               Some(format!("RSA {}", "0A".repeat(8)))),
        ];
        for (packets, expected) in cases {
            assert_eq!(Signatures { packets, ..Signatures::default() }.signer(), expected);
        }
    }

    #[test]
    fn strings_of_base64_are_packets() {
        let packet = packet_of(4, 1, 8, 2048);
        let data = [STANDARD.encode(&packet).as_bytes(), b"\0?\0"].concat();
        let read: Vec<_> = armored(&data).map(|packet| facts(packet.as_deref()).map(|facts| facts.bits)).collect();
        assert!(matches!(&read[..], [Ok(2048), Err(why)] if why.contains("base64")), "{read:?}");
    }
}
