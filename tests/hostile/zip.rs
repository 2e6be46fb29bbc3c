//! Zip archives by hand (PKWARE's APPNOTE): every field can lie, on its own in either header.

use flate2::Crc;
use flate2::write::DeflateEncoder;
use std::io::Write as _;

/// The fields that a local header and the central directory both have.
#[derive(Clone)]
pub struct Fields {
    pub name: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub crc32: u32,
    pub packed: u32,
    pub size: u32,
    pub extra: Vec<u8>,
}

/// An entry: its data as it stands in the file, and what the two headers say of it.
#[derive(Clone)]
pub struct Entry {
    pub local: Fields,
    pub central: Fields,
    pub data: Vec<u8>,
    /// bytes between the data and the next entry
    pub behind: Vec<u8>,
    /// 3 is Unix
    pub system: u8,
    pub mode: u32,
    /// in the central directory, instead of the true one
    pub offset: Option<u32>,
}

/// A whole archive, with an end that can lie.
#[derive(Clone, Default)]
pub struct Zip {
    pub before: Vec<u8>,
    pub entries: Vec<Entry>,
    pub count: Option<u16>,
    pub directory_size: Option<u32>,
    pub directory_offset: Option<u32>,
    pub comment: Vec<u8>,
}

pub fn crc32(data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(data);
    crc.sum()
}

pub fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

impl Entry {
    /// A stored file.
    pub fn stored(name: &str, content: &[u8]) -> Self {
        Self::made(name, content, content.to_vec(), 0)
    }

    /// A deflated file.
    pub fn deflated(name: &str, content: &[u8]) -> Self {
        Self::made(name, content, deflated(content), 8)
    }

    fn made(name: &str, content: &[u8], data: Vec<u8>, method: u16) -> Self {
        let fields = Fields {
            name: name.as_bytes().to_vec(),
            method,
            flags: 0x800,
            crc32: crc32(content),
            packed: data.len() as u32,
            size: content.len() as u32,
            extra: Vec::new(),
        };
        Self {
            local: fields.clone(),
            central: fields,
            data,
            behind: Vec::new(),
            system: 3,
            mode: 0o100_644,
            offset: None,
        }
    }

    /// Changes both headers alike.
    pub fn both(mut self, change: impl Fn(&mut Fields)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }
}

impl Zip {
    pub fn of(entries: Vec<Entry>) -> Self {
        Self { entries, ..Self::default() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.before.clone();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let at = out.len() as u32;
            out.extend_from_slice(b"PK\x03\x04\x14\0");
            fields(&mut out, &entry.local, None);
            out.extend_from_slice(&entry.data);
            out.extend_from_slice(&entry.behind);
            directory.extend_from_slice(&[b'P', b'K', 1, 2, 0x14, entry.system, 0x14, 0]);
            fields(&mut directory, &entry.central, Some((entry.mode << 16, entry.offset.unwrap_or(at))));
        }
        let at = out.len() as u32;
        let count = self.count.unwrap_or(self.entries.len() as u16);
        out.extend_from_slice(&directory);
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&self.directory_size.unwrap_or(directory.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.directory_offset.unwrap_or(at).to_le_bytes());
        out.extend_from_slice(&(self.comment.len() as u16).to_le_bytes());
        out.extend_from_slice(&self.comment);
        out
    }
}

/// From the flags on; `central` has the external attributes and the offset.
fn fields(out: &mut Vec<u8>, fields: &Fields, central: Option<(u32, u32)>) {
    out.extend_from_slice(&fields.flags.to_le_bytes());
    out.extend_from_slice(&fields.method.to_le_bytes());
    // 1980-01-01 00:00
    out.extend_from_slice(&[0, 0, 0x21, 0]);
    for number in [fields.crc32, fields.packed, fields.size] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&(fields.name.len() as u16).to_le_bytes());
    out.extend_from_slice(&(fields.extra.len() as u16).to_le_bytes());
    if let Some((attributes, offset)) = central {
        // comment, disk, internal attributes
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&attributes.to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
    }
    out.extend_from_slice(&fields.name);
    out.extend_from_slice(&fields.extra);
}
