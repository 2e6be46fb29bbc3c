//! Tags → the bytes of a header. Nothing is held twice: the lists of a package with 100,000 files are larger than all
//! else that is known of it.

use crate::header::{
    BINARY, ENTRY, INT16, INT32, INT64, MAGIC, MOST_DATA, Region, STRING, STRING_ARRAY, TRANSLATED, alignment_of,
};
use anyhow::ensure;
use std::borrow::Cow;

/// The data of a tag.
pub enum TagData<'a> {
    /// numbers of 16 bits
    Int16(Box<dyn Iterator<Item = u16> + 'a>),
    /// numbers of 32 bits
    Int32(Box<dyn Iterator<Item = u32> + 'a>),
    /// numbers of 64 bits
    Int64(Box<dyn Iterator<Item = u64> + 'a>),
    /// one string
    Text(Cow<'a, str>),
    /// one string that could be translated, in no language
    Translated(&'a str),
    /// an array of strings
    Texts(Box<dyn Iterator<Item = Cow<'a, str>> + 'a>),
    /// what another header has: kind, count, bytes
    Raw(u32, u32, &'a [u8]),
}

impl<'a> TagData<'a> {
    /// One number of 32 bits.
    pub fn int32(value: u32) -> Self {
        Self::Int32(Box::new([value].into_iter()))
    }

    /// One number of 64 bits.
    pub fn int64(value: u64) -> Self {
        Self::Int64(Box::new([value].into_iter()))
    }

    /// One string.
    pub fn text(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(value.into())
    }

    /// An array of strings.
    pub fn texts<T: Into<Cow<'a, str>> + 'a>(values: impl IntoIterator<Item = T, IntoIter: 'a>) -> Self {
        Self::Texts(Box::new(values.into_iter().map(Into::into)))
    }

    /// Appends it to the store, which begins at `head`; gives its kind, where it starts there, and its count.
    fn append(self, store: &mut Vec<u8>, head: usize) -> [u32; 3] {
        let mut count = 0;
        let kind = match &self {
            Self::Int16(_) => INT16,
            Self::Int32(_) => INT32,
            Self::Int64(_) => INT64,
            Self::Text(_) => STRING,
            Self::Texts(_) => STRING_ARRAY,
            Self::Translated(_) => TRANSLATED,
            Self::Raw(kind, ..) => *kind,
        };
        store.resize(head + (store.len() - head).next_multiple_of(alignment_of(kind)), 0);
        let start = (store.len() - head) as u32;
        let mut text = |value: &str| {
            store.extend_from_slice(value.as_bytes());
            store.push(0);
            count += 1;
        };
        match self {
            Self::Text(value) => text(&value),
            Self::Translated(value) => text(value),
            Self::Texts(values) => values.for_each(|value| text(&value)),
            Self::Int16(values) => values.for_each(|value| {
                store.extend_from_slice(&value.to_be_bytes());
                count += 1;
            }),
            Self::Int32(values) => values.for_each(|value| {
                store.extend_from_slice(&value.to_be_bytes());
                count += 1;
            }),
            Self::Int64(values) => values.for_each(|value| {
                store.extend_from_slice(&value.to_be_bytes());
                count += 1;
            }),
            Self::Raw(_, of, bytes) => {
                store.extend_from_slice(bytes);
                count = of;
            }
        }
        [kind, start, count]
    }
}

/// Writes a header: intro, region, tags in the order of their numbers, their data in the same order, trailer.
///
/// `room` is about how many bytes the data has: a buffer that has to grow takes twice the memory.
///
/// # Errors
/// For more data than rpm reads.
pub fn encode_header(mut tags: Vec<(u32, TagData<'_>)>, region: Region, room: usize) -> anyhow::Result<Vec<u8>> {
    let region = region as u32;
    tags.sort_by_key(|(tag, _)| *tag);
    let count = tags.len() as u32 + 1;
    // What stands before the data is as long whatever it says.
    let head = MAGIC.len() + 8 + count as usize * ENTRY;
    let mut bytes = Vec::with_capacity(head + room + ENTRY);
    bytes.resize(head, 0);
    let mut index = Vec::with_capacity(count as usize);
    for (tag, data) in tags {
        let [kind, start, count] = data.append(&mut bytes, head);
        index.push([tag, kind, start, count]);
    }
    let end = bytes.len() - head;
    let has = end + ENTRY;
    ensure!(has <= MOST_DATA as usize, "its header has {has} bytes of data, and rpm reads {MOST_DATA}");
    let end = end as u32;
    index.insert(0, [region, BINARY, end, ENTRY as u32]);
    let in_bytes = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut intro = MAGIC.to_vec();
    intro.extend(in_bytes(&[count, end + ENTRY as u32]));
    intro.extend(index.iter().flat_map(|entry| in_bytes(entry)));
    bytes[..head].copy_from_slice(&intro);
    bytes.extend(in_bytes(&[region, BINARY, (count * ENTRY as u32).wrapping_neg(), ENTRY as u32]));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_laid_out_as_rpm_reads_it() {
        let tags = vec![(1007, TagData::int32(0x0102_0304)), (1000, TagData::text("x"))];
        let bytes = encode_header(tags, Region::Signature, 0).unwrap();
        #[rustfmt::skip]
        let expected = [
            0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0,   0, 0, 0, 3,  0, 0, 0, 24,
            0, 0, 0, 62,    0, 0, 0, 7,  0, 0, 0, 8,  0, 0, 0, 16,
            0, 0, 3, 0xe8,  0, 0, 0, 6,  0, 0, 0, 0,  0, 0, 0, 1,
            0, 0, 3, 0xef,  0, 0, 0, 4,  0, 0, 0, 4,  0, 0, 0, 1,
            b'x', 0, 0, 0,  1, 2, 3, 4,
            0, 0, 0, 62,    0, 0, 0, 7,  0xff, 0xff, 0xff, 0xd0,  0, 0, 0, 16,
        ];
        assert_eq!(bytes, expected);
    }
}
