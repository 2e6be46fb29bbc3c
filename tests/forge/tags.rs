//! The headers of an RPM, taken apart into tags and put together again (rpm's "Header structure").

use std::collections::BTreeMap;

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
pub const INTRO: usize = 16;

/// The data of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    Halves(Vec<u16>),
    Words(Vec<u32>),
    Longs(Vec<u64>),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    Translated(Vec<String>),
}

impl Data {
    pub fn words(&self) -> &[u32] {
        match self {
            Self::Words(values) => values,
            other => panic!("{other:?} are no numbers of 32 bits"),
        }
    }

    pub fn halves(&self) -> &[u16] {
        match self {
            Self::Halves(values) => values,
            other => panic!("{other:?} are no numbers of 16 bits"),
        }
    }

    pub fn texts(&self) -> &[String] {
        match self {
            Self::Texts(values) | Self::Translated(values) => values,
            other => panic!("{other:?} are no texts"),
        }
    }

    /// `(kind, count, alignment, bytes)`
    fn encoded(&self) -> (u32, usize, usize, Vec<u8>) {
        let strings = |values: &[String]| values.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat()).collect();
        match self {
            Self::Halves(values) => (3, values.len(), 2, values.iter().flat_map(|value| value.to_be_bytes()).collect()),
            Self::Words(values) => (4, values.len(), 4, values.iter().flat_map(|value| value.to_be_bytes()).collect()),
            Self::Longs(values) => (5, values.len(), 8, values.iter().flat_map(|value| value.to_be_bytes()).collect()),
            Self::Text(text) => (6, 1, 1, [text.as_bytes(), b"\0"].concat()),
            Self::Bytes(bytes) => (7, bytes.len(), 1, bytes.clone()),
            Self::Texts(values) => (8, values.len(), 1, strings(values)),
            Self::Translated(values) => (9, values.len(), 1, strings(values)),
        }
    }
}

/// Tags by their number, without the region's own.
pub type Tags = BTreeMap<u32, Data>;

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Reads the header that starts at `at`; gives it with its end.
pub fn parse(bytes: &[u8], at: usize) -> (Tags, usize) {
    assert_eq!(bytes[at..at + 8], MAGIC, "there is no header at byte {at}");
    let (count, size) = (word(bytes, at + 8), word(bytes, at + 12));
    let store_at = at + INTRO + count * 16;
    let store = &bytes[store_at..store_at + size];
    let mut tags = Tags::new();
    for index in 0..count {
        let entry = at + INTRO + index * 16;
        let (tag, kind) = (word(bytes, entry), word(bytes, entry + 4));
        let (data, count) = (&store[word(bytes, entry + 8)..], word(bytes, entry + 12));
        if (61..=63).contains(&tag) {
            continue;
        }
        let strings = |count: usize| -> Vec<String> {
            let parts = data.split(|byte| *byte == 0).take(count);
            parts.map(|part| String::from_utf8(part.to_vec()).unwrap()).collect()
        };
        let data = match kind {
            3 => Data::Halves((0..count).map(|n| u16::from_be_bytes([data[n * 2], data[n * 2 + 1]])).collect()),
            4 => Data::Words((0..count).map(|n| word(data, n * 4) as u32).collect()),
            5 => Data::Longs(
                data.chunks_exact(8).take(count).map(|n| u64::from_be_bytes(n.try_into().unwrap())).collect(),
            ),
            6 => Data::Text(strings(1).remove(0)),
            7 => Data::Bytes(data[..count].to_vec()),
            8 => Data::Texts(strings(count)),
            9 => Data::Translated(strings(count)),
            other => panic!("tag {tag} is of kind {other}"),
        };
        tags.insert(tag as u32, data);
    }
    (tags, store_at + size)
}

/// A header whose region, with the number `region`, is all of it.
pub fn encode(tags: &Tags, region: u32) -> Vec<u8> {
    let mut index = Vec::new();
    let mut store = Vec::new();
    let mut entry = |numbers: [u32; 4]| index.extend(numbers.into_iter().flat_map(u32::to_be_bytes));
    let mut entries = Vec::new();
    for (tag, data) in tags {
        let (kind, count, alignment, bytes) = data.encoded();
        store.resize(store.len().next_multiple_of(alignment), 0);
        entries.push([*tag, kind, store.len() as u32, count as u32]);
        store.extend(bytes);
    }
    entry([region, 7, store.len() as u32, 16]);
    entries.into_iter().for_each(&mut entry);
    let count = tags.len() as u32 + 1;
    for number in [region, 7, (count * 16).wrapping_neg(), 16] {
        store.extend(number.to_be_bytes());
    }
    let mut header = MAGIC.to_vec();
    header.extend(count.to_be_bytes());
    header.extend((store.len() as u32).to_be_bytes());
    [header, index, store].concat()
}
