//! The header of an RPM, parsed once: its bytes, and where in them the data of each tag is (rpm's docs, "RPM V4
//! Package format"). All other files of this crate build on this one, which has their constants as well.

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use wheelhaul_base::hex::hex;

/// The size of the lead, which is the first part of every RPM.
pub const LEAD: u64 = 96;
/// The size of what comes before the index: magic, number of tags, bytes of data.
pub const INTRO: usize = 16;
/// The size of a tag in the index, and of the trailer of a region.
pub(crate) const ENTRY: usize = 16;
/// What every header starts with: magic, version 1, four reserved bytes.
pub(crate) const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
/// rpm's own limits (`header.c`): bytes of data and number of tags in a header.
pub(crate) const MOST_DATA: u32 = 256 << 20;
const MOST_TAGS: u32 = 65_535;

/// Kinds of values (`rpmTagType` of rpm's `rpmtag.h`).
pub(crate) const INT16: u32 = 3;
pub(crate) const INT32: u32 = 4;
pub(crate) const INT64: u32 = 5;
pub(crate) const STRING: u32 = 6;
pub(crate) const BINARY: u32 = 7;
pub(crate) const STRING_ARRAY: u32 = 8;
pub(crate) const TRANSLATED: u32 = 9;

/// `RPMTAG_PAYLOADSHA256`: the payload's digest.
pub const PAYLOAD_SHA256: u32 = 5092;
/// `RPMTAG_PAYLOADSHA256ALGO`
pub(crate) const PAYLOAD_ALGORITHM: u32 = 5093;
/// `RPMTAG_ENCODING`: `utf-8` where rpmbuild checked that every text is.
pub(crate) const ENCODING: u32 = 5062;
/// `RPMTAG_RPMFORMAT`: from version 6 on a package says its format.
pub(crate) const FORMAT: u32 = 5114;
/// `RPMSIGTAG_SHA256`: the header's digest.
pub(crate) const HEADER_SHA256: u32 = 273;
/// `RPMSIGTAG_RESERVEDSPACE`: room that rpmbuild leaves for a signature.
pub(crate) const RESERVED: u32 = 1008;
/// `RPMSIGTAG_DSA` and `RPMSIGTAG_RSA`: a signature over the header, one binary packet each.
pub(crate) const DSA: u32 = 267;
pub(crate) const RSA: u32 = 268;
/// `RPMSIGTAG_PGP`, `_GPG`, `_PGP5`: signatures over header and payload, one binary packet each.
pub(crate) const OVER_ALL: [u32; 3] = [1002, 1005, 1006];
/// `RPMSIGTAG_OPENPGP`: signatures as base64, one a string.
pub(crate) const OPENPGP: u32 = 278;

/// Which of the two headers it is: the number of the tag that comes first in it and says where its immutable region
/// ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// `RPMTAG_HEADERSIGNATURES`
    Signature = 62,
    /// `RPMTAG_HEADERIMMUTABLE`
    Header = 63,
}

/// `RPMTAG_HEADERIMAGE`, which the trailer of an old signature header may say instead.
const IMAGE: u32 = 61;

/// What a tag of a header has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) kind: u32,
    pub(crate) count: u32,
    pub(crate) data: &'a [u8],
}

/// A tag in the index; its data is a part of the header's bytes.
#[derive(Debug, Clone)]
struct Entry {
    kind: u32,
    count: u32,
    data: Range<usize>,
}

/// A header, checked as rpm checks it when it is read.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// by the numbers of the tags, without that of the region
    index: BTreeMap<u32, Entry>,
    /// from the magic to the end of the data
    bytes: Vec<u8>,
    has_region: bool,
}

impl Header {
    /// Reads a header of a file of `length` bytes. The length is compared first: a header that claims more than the
    /// file has takes no memory.
    pub(crate) fn read(input: &mut (impl Read + Seek), at: u64, length: u64, region: Region) -> anyhow::Result<Self> {
        input.seek(SeekFrom::Start(at))?;
        let mut intro = [0; INTRO];
        input.read_exact(&mut intro).context("the file is too short")?;
        ensure!(intro[..8] == MAGIC, "it does not start as the header of an RPM does");
        let [_, _, tags, data] = four_numbers(&intro).unwrap_or_default();
        ensure!(tags <= MOST_TAGS && data <= MOST_DATA, "it claims {tags} tags and {data} bytes, more than rpm reads");
        let end = at + INTRO as u64 + u64::from(tags) * ENTRY as u64 + u64::from(data);
        ensure!(end <= length, "it claims to end at byte {end}, and the file has {length}");
        let mut bytes = vec![0; (end - at) as usize];
        bytes[..INTRO].copy_from_slice(&intro);
        input.read_exact(&mut bytes[INTRO..])?;
        Self::parse(bytes, region)
    }

    /// Takes a header apart, from its magic to its end. Checks, as rpm does (`hdrblobVerifyInfo`), that each tag has
    /// data, which is aligned and comes after that of the tag before it; that no tag is there twice; and the region.
    pub(crate) fn parse(bytes: Vec<u8>, region: Region) -> anyhow::Result<Self> {
        let [_, _, tags, length] = four_numbers(&bytes).context("a header is too short")?;
        let store_at = INTRO + tags as usize * ENTRY;
        let rows = bytes.get(INTRO..store_at).context("a header is too short")?;
        let store = bytes[store_at..].get(..length as usize).context("a header is too short")?;
        let mut index = BTreeMap::new();
        let mut free = 0;
        for (place, row) in rows.chunks_exact(ENTRY).enumerate() {
            let [tag, kind, offset, count] = four_numbers(row).unwrap_or_default();
            let offset = offset as usize;
            let rest = store.get(offset..).with_context(|| format!("its tag {tag} points out of it"))?;
            let length = length_of(tag, kind, count as usize, rest)?;
            ensure!(length <= rest.len(), "its tag {tag} points out of it");
            ensure!(length > 0, "its tag {tag} has no data");
            ensure!(
                offset.is_multiple_of(alignment_of(kind)),
                "its tag {tag} does not begin where numbers of its size do"
            );
            if place == 0 && (IMAGE..=Region::Header as u32).contains(&tag) {
                continue;
            }
            let data = store_at + offset..store_at + offset + length;
            // Which of the two counts depends on who reads: the box could run another scriptlet than the one judged.
            ensure!(index.insert(tag, Entry { kind, count, data }).is_none(), "its tag {tag} stands twice");
            ensure!(offset >= free, "its tag {tag} shares its data with another one");
            free = offset + length;
        }
        let has_region = check_region(rows, store, region)?;
        Ok(Self { index, bytes, has_region })
    }

    /// From the magic to the end of the data.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// In hex.
    pub(crate) fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.bytes))
    }

    /// Whether it has an immutable region. That of a package's header is all of it, or the header was refused.
    pub(crate) fn has_region(&self) -> bool {
        self.has_region
    }

    /// The value of a tag.
    pub(crate) fn value(&self, tag: u32) -> Option<Value<'_>> {
        self.index.get(&tag).map(|entry| self.value_of(entry))
    }

    /// All tags in the order of their numbers, without the region's own.
    pub(crate) fn values(&self) -> impl Iterator<Item = (u32, Value<'_>)> {
        self.index.iter().map(|(tag, entry)| (*tag, self.value_of(entry)))
    }

    fn value_of(&self, entry: &Entry) -> Value<'_> {
        Value { kind: entry.kind, count: entry.count, data: &self.bytes[entry.data.clone()] }
    }
}

/// What the data of a kind is aligned to, in bytes.
pub(crate) fn alignment_of(kind: u32) -> usize {
    match kind {
        INT16 => 2,
        INT32 => 4,
        INT64 => 8,
        _ => 1,
    }
}

/// How many bytes `count` values of a kind take at the start of `rest`; it may be more than `rest` has.
fn length_of(tag: u32, kind: u32, count: usize, rest: &[u8]) -> anyhow::Result<usize> {
    Ok(match kind {
        1 | 2 | BINARY => count,
        INT16 | INT32 | INT64 => count.saturating_mul(alignment_of(kind)),
        STRING | STRING_ARRAY | TRANSLATED => {
            ensure!(kind != STRING || count == 1, "its tag {tag} is one string and claims {count}");
            let mut ends = memchr::memchr_iter(0, rest);
            match count.checked_sub(1).map(|last| ends.nth(last)) {
                None => 0,
                Some(end) => 1 + end.with_context(|| format!("its tag {tag} has strings without an end"))?,
            }
        }
        _ => bail!("its tag {tag} is of a kind that is not known"),
    })
}

/// Checks the region of a header as rpm does (`hdrblobVerifyRegion`): its trailer says so as well, and how far before it
/// the index starts. That of a package's header is all of the header; after that of a signature header more may come.
///
/// Gives whether there is one: packages of rpm 3 have none.
fn check_region(index: &[u8], store: &[u8], region: Region) -> anyhow::Result<bool> {
    let tag = region as u32;
    let first = four_numbers(index).context("it has no tags")?;
    if first[0] != tag {
        return Ok(false);
    }
    let [_, kind, offset, count] = first;
    ensure!([kind, count] == [BINARY, ENTRY as u32], "the tag {tag} of its region is damaged");
    let trailer = store.get(offset as usize..).and_then(four_numbers).context("its region has no end")?;
    let [last, kind, back, count] = trailer;
    let length = back.wrapping_neg();
    let is_named = last == tag || (last == IMAGE && region == Region::Signature);
    let fits = length.is_multiple_of(ENTRY as u32) && length > 0 && length as usize <= index.len();
    ensure!(is_named && [kind, count] == [BINARY, ENTRY as u32] && fits, "the end of its region is damaged");
    let is_all = length as usize == index.len() && offset as usize + ENTRY == store.len();
    ensure!(is_all || region == Region::Signature, "its region is not all of it");
    Ok(true)
}

fn four_numbers(bytes: &[u8]) -> Option<[u32; 4]> {
    let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    Some([number(0)?, number(4)?, number(8)?, number(12)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of the rows of an index and a store.
    fn header(rows: &[[u32; 4]], store: &[u8]) -> Vec<u8> {
        let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let sizes = numbers(&[rows.len() as u32, store.len() as u32]);
        let index: Vec<u8> = rows.iter().flat_map(|row| numbers(row)).collect();
        [&MAGIC[..], &sizes, &index, store].concat()
    }

    /// The end of a region over so many tags.
    fn trailer(tag: u32, tags: u32) -> Vec<u8> {
        [tag, BINARY, (tags * 16).wrapping_neg(), 16].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn the_region_of_a_header_is_all_of_it_and_that_of_a_signature_header_need_not_be() {
        let name = |offset| [1000, STRING, offset, 1];
        let more = |offset| [1001, STRING, offset, 1];
        let region = |tag, offset| [tag, BINARY, offset, 16];
        let whole = |tag, ends| header(&[region(tag, 2), name(0)], &[b"x\0", &trailer(ends, 2)[..]].concat());
        let with_more =
            |tag| header(&[region(tag, 2), name(0), more(18)], &[b"x\0", &trailer(tag, 2)[..], b"y\0"].concat());
        let longer = |tag| header(&[region(tag, 2), name(0)], &[b"x\0", &trailer(tag, 2)[..], b"y\0"].concat());
        let fewer = |tag| header(&[region(tag, 2), name(0)], &[b"x\0", &trailer(tag, 1)[..]].concat());
        let (sig, main) = (Region::Signature, Region::Header);
        #[rustfmt::skip]
        let cases = [
            ("all of it",                  whole(63, 63),            main, Ok(true)),
            ("all of a signature header",  whole(62, 62),            sig,  Ok(true)),
            ("an old end",                 whole(62, 61),            sig,  Ok(true)),
            ("an old end elsewhere",       whole(63, 61),            main, Err("the end of its region is damaged")),
            ("none",                       header(&[name(0)], b"x\0"), main, Ok(false)),
            ("that of the other",          whole(62, 62),            main, Ok(false)),
            ("a tag after it",             with_more(63),            main, Err("its region is not all of it")),
            ("a signature after it",       with_more(62),            sig,  Ok(true)),
            ("data after it",              longer(63),               main, Err("its region is not all of it")),
            ("a tag that it leaves out",   fewer(63),                main, Err("its region is not all of it")),
            ("of a signature header",      fewer(62),                sig,  Ok(true)),
            ("more tags than there are",   header(&[region(63, 0)], &trailer(63, 2)), main, Err("the end of its region is damaged")),
            ("no end",                     header(&[region(63, 0)], &[0; 16]),        main, Err("the end of its region is damaged")),
            ("no tags",                    header(&[], b""),         sig,  Err("it has no tags")),
        ];
        for (row, bytes, region, expected) in cases {
            let read = Header::parse(bytes, region);
            let read = read.map(|header| header.has_region()).map_err(|error| format!("{error:#}"));
            assert_eq!(read, expected.map_err(str::to_owned), "{row}");
        }
    }
}
