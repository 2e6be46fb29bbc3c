//! What comes before an RPM's payload: lead, signature header and header; and a signature put into it.
//!
//! rpm signs the header alone (which has the payload's digest): its magic and its immutable region. The
//! signature goes into the signature header, which nothing is signed over; all else stays as it is.

use crate::header::{BINARY, DSA, FORMAT, Header, LEAD, OPENPGP, OVER_ALL, RESERVED, RSA, Region};
use crate::header_encode::{TagData, encode_header};
use crate::{Algorithm, Signature};
use anyhow::{Context as _, ensure};
use std::io::{Read, Seek, SeekFrom};
use wheelhaul_base::problem::Problem;

/// Lead, signature header and header.
#[derive(Debug, Clone)]
pub struct Preamble {
    lead: [u8; LEAD as usize],
    pub(crate) signature_header: Header,
    pub(crate) header: Header,
    /// where the payload starts, in bytes
    pub(crate) end: u64,
}

impl Preamble {
    /// Reads it from the start of a file of `length` bytes.
    ///
    /// # Errors
    /// For a file that is no RPM, or in whose headers rpm would find a fault.
    pub(crate) fn read(input: &mut (impl Read + Seek), length: u64) -> anyhow::Result<Self> {
        let mut lead = [0; LEAD as usize];
        input.seek(SeekFrom::Start(0))?;
        let is_rpm = input.read_exact(&mut lead).is_ok() && lead[..4] == [0xed, 0xab, 0xee, 0xdb];
        ensure!(is_rpm, "it is no RPM: it does not start as one does");
        // What rpm looks at in the lead (`rpmLeadRead`): the format, and that the signature is a header.
        ensure!([3, 4].contains(&lead[4]), "its lead says format {}, and rpm reads 3 and 4", lead[4]);
        ensure!(lead[78..80] == [0, 5], "its lead says a kind of signature that rpm does not read");
        let signature_header = Header::read(input, LEAD, length, Region::Signature).context("its signature header")?;
        let header_at = (LEAD + signature_header.bytes().len() as u64).next_multiple_of(8);
        let header = Header::read(input, header_at, length, Region::Header).context("its header")?;
        let end = header_at + header.bytes().len() as u64;
        Ok(Self { lead, signature_header, header, end })
    }

    /// Checks that a signature over the header would cover all that rpm reads of it.
    ///
    /// # Errors
    /// For a header without an immutable region, and for formats after 4.
    pub(crate) fn check_signable(&self) -> anyhow::Result<()> {
        let format = self.header.value(FORMAT).map(|value| value.data.last().copied().unwrap_or(0));
        if let Some(format) = format.filter(|format| *format > 4) {
            return Err(Problem::with_hint(
                format!("the package is of format {format}, and this tool signs format 4"),
                "sign it with `rpmsign` of rpm 6",
            ));
        }
        if !self.header.has_region() {
            return Err(Problem::with_hint(
                "its header has no immutable region, so a signature would not cover it",
                "build it again with rpm 4.14 or later",
            ));
        }
        Ok(())
    }

    /// The bytes that a signature is made over.
    pub fn header(&self) -> &[u8] {
        self.header.bytes()
    }

    /// Whether there is a signature, of whatever kind.
    pub fn is_signed(&self) -> bool {
        self.signature_header.values().any(|(tag, _)| is_signature(tag))
    }

    /// The signature over the header, if there is one that can be read.
    pub fn signature(&self) -> Option<Signature> {
        let values = [DSA, RSA].map(|tag| self.signature_header.value(tag));
        let value = values.into_iter().flatten().find(|value| value.kind == BINARY)?;
        Signature::parse(value.data.to_vec()).ok()
    }

    /// Lead, signature header with `signature` instead of any other, padding and header, as bytes.
    pub fn signed(&self, signature: &Signature) -> anyhow::Result<Vec<u8>> {
        let number = match signature.algorithm {
            Algorithm::Rsa => RSA,
            Algorithm::Dsa | Algorithm::Ecdsa | Algorithm::EdDsa => DSA,
        };
        let data = signature.bytes();
        let kept = self.signature_header.values().filter(|(tag, _)| !is_signature(*tag) && *tag != RESERVED);
        let mut tags: Vec<(u32, TagData<'_>)> =
            kept.map(|(tag, value)| (tag, TagData::Raw(value.kind, value.count, value.data))).collect();
        tags.push((number, TagData::Raw(BINARY, data.len() as u32, data)));
        let mut bytes = self.lead.to_vec();
        bytes.extend(encode_header(tags, Region::Signature, 0)?);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(self.header.bytes());
        Ok(bytes)
    }
}

/// rpmsign takes those of other kinds away as well.
fn is_signature(tag: u32) -> bool {
    [DSA, RSA, OPENPGP].contains(&tag) || OVER_ALL.contains(&tag)
}
