//! What stands before an RPM's payload, and a signature put into it: bytes in, bytes out.
//!
//! rpm signs the header alone (which has the payload's digest): its magic and its immutable region. The
//! signature goes into the signature header, which nothing is signed over; all else stays as it is.

use crate::read::{INTRO, LEAD, for_each_tag};
use crate::tags::{BINARY, Data, HEADER_REGION, MAGIC, SIGNATURE_REGION, encode};
use crate::{Algorithm, Signature};
use anyhow::{Context as _, ensure};
use wheelhaul_base::problem::Problem;

/// `RPMSIGTAG_RSA`, `RPMSIGTAG_DSA`: signatures over the header.
const RSA: u32 = 268;
const DSA: u32 = 267;
/// `RPMSIGTAG_OPENPGP`, `_PGP`, `_GPG`, `_PGP5`: signatures of other kinds, which rpmsign takes away as well.
const OTHER_SIGNATURES: [u32; 4] = [278, 1002, 1005, 1006];
/// `RPMSIGTAG_RESERVEDSPACE`: room that rpmbuild leaves for a signature.
const ROOM: u32 = 1008;
/// `RPMTAG_RPMFORMAT`: from version 6 on a package says its format.
const FORMAT: u32 = 5114;

/// A tag as it stands in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    number: u32,
    kind: u32,
    count: u32,
    data: Vec<u8>,
}

/// Lead, signature header and header.
#[derive(Debug, Clone)]
pub struct Front {
    lead: Vec<u8>,
    tags: Vec<Tag>,
    header: Vec<u8>,
}

impl Front {
    /// Takes an RPM's bytes up to the payload apart.
    ///
    /// - Takes: `bytes`, whose headers are checked to end where they say; `header_at`, where the header starts.
    /// - Fails: for a header that a header-only signature would not cover whole, and for formats after 4.
    pub(super) fn parse(bytes: Vec<u8>, header_at: usize) -> anyhow::Result<Self> {
        let lead = LEAD as usize;
        ensure!(bytes.len() >= header_at && header_at >= lead + INTRO, "its headers are too short");
        let mut tags = Vec::new();
        let (index, store) = parts(&bytes[lead..header_at])?;
        for_each_tag(index, store, |number, kind, count, data| {
            tags.push(Tag { number, kind, count, data: data.to_vec() });
        })
        .context("its signature header")?;
        let header = &bytes[header_at..];
        check_region(header).context("its header")?;
        Ok(Self { lead: bytes[..lead].to_vec(), tags, header: header.to_vec() })
    }

    /// The bytes that a signature is made over.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Whether there is a signature, of whatever kind.
    pub fn is_signed(&self) -> bool {
        self.tags.iter().any(|tag| is_signature(tag.number))
    }

    /// The signature over the header, if there is one that can be read.
    pub fn signature(&self) -> Option<Signature> {
        let tag = self.tags.iter().find(|tag| [RSA, DSA].contains(&tag.number) && tag.kind == BINARY)?;
        Signature::parse(tag.data.clone()).ok()
    }

    /// Lead, signature header with `signature` instead of any other, padding and header, as bytes.
    pub fn signed(&self, signature: &Signature) -> anyhow::Result<Vec<u8>> {
        let number = match signature.algorithm {
            Algorithm::Rsa => RSA,
            Algorithm::Dsa | Algorithm::Ecdsa | Algorithm::EdDsa => DSA,
        };
        let data = signature.bytes().to_vec();
        let count = data.len() as u32;
        let mut tags: Vec<Tag> =
            self.tags.iter().filter(|tag| !is_signature(tag.number) && tag.number != ROOM).cloned().collect();
        tags.push(Tag { number, kind: BINARY, count, data });
        let mut bytes = self.lead.clone();
        let tags = tags.iter().map(|tag| (tag.number, Data::Raw(tag.kind, tag.count, &tag.data)));
        bytes.extend(encode(tags.collect(), SIGNATURE_REGION, 0)?);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(&self.header);
        Ok(bytes)
    }
}

fn is_signature(number: u32) -> bool {
    number == RSA || number == DSA || OTHER_SIGNATURES.contains(&number)
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Index and data of a header.
pub(super) fn parts(header: &[u8]) -> anyhow::Result<(&[u8], &[u8])> {
    ensure!(header.len() >= INTRO, "a header is too short");
    let (tags, data) = (number_at(header, 8) as usize, number_at(header, 12) as usize);
    let (index, rest) = header[INTRO..].split_at_checked(tags * INTRO).context("a header is too short")?;
    Ok((index, rest.get(..data).context("a header is too short")?))
}

/// Checks that the immutable region is all of the header, as rpm has it in packages (`hdrblobVerifyRegion`).
fn check_region(header: &[u8]) -> anyhow::Result<()> {
    let (index, store) = parts(header)?;
    let mut format = None;
    let region = for_each_tag(index, store, |number, _, _, data| {
        if number == FORMAT {
            format = Some(data.last().copied().unwrap_or(0));
        }
    })?;
    if let Some(format) = format.filter(|format| *format > 4) {
        return Err(Problem::with_hint(
            format!("the package is of format {format}, and this tool signs format 4"),
            "sign it with `rpmsign` of rpm 6",
        ));
    }
    let odd = || {
        Problem::with_hint(
            "it is not wholly within its immutable region, so that a signature would not cover it",
            "build it again with rpm 4.14 or later",
        )
    };
    if header[..8] != MAGIC || region != HEADER_REGION || store.len() < INTRO {
        return Err(odd());
    }
    let at = store.len() - INTRO;
    let entry = [HEADER_REGION, BINARY, at as u32, INTRO as u32];
    let trailer = [HEADER_REGION, BINARY, (index.len() as u32).wrapping_neg(), INTRO as u32];
    let is = |bytes: &[u8], numbers: [u32; 4]| (0..4).all(|place| number_at(bytes, place * 4) == numbers[place]);
    if is(index, entry) && is(&store[at..], trailer) { Ok(()) } else { Err(odd()) }
}
