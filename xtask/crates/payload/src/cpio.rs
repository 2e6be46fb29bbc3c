//! The archive in the payload: cpio, "new ASCII" format (cpio(5)), names with `./` in front.
//!
//! A file that is too large for its fields comes after a head of rpm's own, which has the file's place in the header
//! and nothing else (`lib/cpio.c` since rpm 4.12, "stripped"). rpm tells the two apart at each entry, so that an archive
//! may have both; rpmbuild writes all entries so where one has to be.

use anyhow::{Context as _, bail, ensure};
use std::io::{Read, Write};

/// A file of so many bytes or more is one that an rpm before 4.12 cannot read: 32 bits say the sizes of an archive, and
/// rpm keeps off their last value as well (`CPIO_FILESIZE_MAX` of its `lib/cpio.c`).
pub const LARGE_FILE: u64 = u32::MAX as u64;

/// Ends an archive.
pub const TRAILER: &str = "TRAILER!!!";
const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";
/// Of a head that has a place in the header, of eight hexadecimal digits.
const PLACE_MAGIC: &[u8] = b"07070X";
const PLACE_HEADER: usize = 14;
/// No name in a package is longer.
pub const MOST_NAME: u64 = 4200;

/// What the archive says of an entry; the rest is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpioEntry {
    /// `./opt/x`
    pub name: String,
    /// unique in the archive, so that nothing looks like a hard link
    pub inode: u32,
    /// kind and permission bits
    pub mode: u32,
    /// seconds since 1970
    pub mtime: u32,
    /// in bytes
    pub size: u32,
}

fn padding(length: u64) -> usize {
    ((4 - length % 4) % 4) as usize
}

/// What comes before a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CpioHead {
    /// all that is said of an entry
    Named(CpioEntry),
    /// the place in the header of a file, which says the rest
    Place(u32),
}

/// The bytes that an entry takes, with its head and padding.
pub fn entry_size(name: &str, size: u64) -> u64 {
    let head = if size >= LARGE_FILE { PLACE_HEADER } else { HEADER + name.len() + 1 } as u64;
    head + padding(head) as u64 + size + padding(size) as u64
}

/// Writes the header, the name and its padding; the content follows, then [`write_padding`].
pub fn write_header(out: &mut dyn Write, entry: &CpioEntry) -> std::io::Result<()> {
    let links = 1;
    let fields =
        [entry.inode, entry.mode, 0, 0, links, entry.mtime, entry.size, 0, 0, 0, 0, entry.name.len() as u32 + 1, 0];
    let mut head = Vec::with_capacity(HEADER + entry.name.len() + 4);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&[b'0'; HEADER - MAGIC.len()]);
    // By hand, and no more digits than there are: formatting thirteen numbers a file is a tenth of a build that compresses
    // nothing.
    for (place, mut field) in head[MAGIC.len()..].chunks_exact_mut(8).zip(fields) {
        for digit in place.iter_mut().rev() {
            if field == 0 {
                break;
            }
            *digit = b"0123456789abcdef"[field as usize & 15];
            field >>= 4;
        }
    }
    head.extend_from_slice(entry.name.as_bytes());
    head.push(0);
    let aligned = head.len() + padding(head.len() as u64);
    head.resize(aligned, 0);
    out.write_all(&head)
}

/// Writes the head of a file of [`LARGE_FILE`] bytes or more; `place` is in the header's list of files, from 0.
pub fn write_place(out: &mut dyn Write, place: u32) -> std::io::Result<()> {
    out.write_all(PLACE_MAGIC)?;
    write!(out, "{place:08x}")?;
    write_padding(out, PLACE_HEADER as u64)
}

/// Writes what aligns a content of `size` bytes.
pub fn write_padding(out: &mut dyn Write, size: u64) -> std::io::Result<()> {
    out.write_all(&[0; 3][..padding(size)])
}

/// Writes the entry that ends the archive.
pub fn write_trailer(out: &mut dyn Write) -> std::io::Result<()> {
    write_header(out, &CpioEntry { name: TRAILER.to_owned(), inode: 0, mode: 0, mtime: 0, size: 0 })
}

/// A field of a head, by its place behind the magic.
fn field_of(head: &[u8], index: usize) -> anyhow::Result<u32> {
    let at = MAGIC.len() + index * 8;
    let digits = std::str::from_utf8(&head[at..at + 8]).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    let digits = digits.context("a field of a cpio header is not hexadecimal")?;
    Ok(u32::from_str_radix(digits, 16)?)
}

/// Reads the next head, with its name and padding; `None` at the trailer.
pub fn read_head(input: &mut dyn Read) -> anyhow::Result<Option<CpioHead>> {
    let mut head = [0; HEADER];
    let (first, rest) = head.split_at_mut(PLACE_HEADER);
    input.read_exact(first).context("the archive ends without its trailer")?;
    if first.starts_with(PLACE_MAGIC) {
        let place = field_of(first, 0)?;
        skip_padding(input, PLACE_HEADER as u64)?;
        return Ok(Some(CpioHead::Place(place)));
    }
    ensure!(first.starts_with(MAGIC), "the archive is not of cpio's new ASCII format");
    input.read_exact(rest).context("the archive ends without its trailer")?;
    let field = |index| field_of(&head, index);
    let name_size = u64::from(field(11)?);
    if !(2..=MOST_NAME).contains(&name_size) {
        bail!("a cpio header has a name of {name_size} bytes");
    }
    let mut name = vec![0; name_size as usize + padding(HEADER as u64 + name_size)];
    input.read_exact(&mut name).context("the archive ends in a name")?;
    name.truncate(name_size as usize - 1);
    let name = String::from_utf8(name).context("a name in the archive is not UTF-8")?;
    if name == TRAILER {
        return Ok(None);
    }
    Ok(Some(CpioHead::Named(CpioEntry { name, inode: field(0)?, mode: field(1)?, mtime: field(5)?, size: field(6)? })))
}

/// Skips what aligns a content of `size` bytes.
pub fn skip_padding(input: &mut dyn Read, size: u64) -> anyhow::Result<()> {
    let mut rest = [0; 3];
    input.read_exact(&mut rest[..padding(size)]).context("the archive ends in its padding")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_and_take_the_size_that_was_said() {
        for (name, content) in [("./a", "x"), ("./ab", ""), ("./abc", "four"), ("./ä/日", "12345")] {
            let entry =
                CpioEntry { name: name.to_owned(), inode: 7, mode: 0o100_644, mtime: 9, size: content.len() as u32 };
            let mut bytes = Vec::new();
            write_header(&mut bytes, &entry).unwrap();
            bytes.extend_from_slice(content.as_bytes());
            write_padding(&mut bytes, content.len() as u64).unwrap();
            assert_eq!(bytes.len() as u64, entry_size(name, content.len() as u64));
            write_trailer(&mut bytes).unwrap();
            let mut input = bytes.as_slice();
            assert_eq!(read_head(&mut input).unwrap(), Some(CpioHead::Named(entry)));
            input = &input[content.len()..];
            skip_padding(&mut input, content.len() as u64).unwrap();
            assert_eq!(read_head(&mut input).unwrap(), None);
        }
        assert!(read_head(&mut &b"070701"[..]).is_err());
        assert!(read_head(&mut &[b'0'; 200][..]).is_err());
    }

    #[test]
    fn a_large_file_has_a_place_and_no_name() {
        let mut bytes = Vec::new();
        write_place(&mut bytes, 0x1f).unwrap();
        assert_eq!(bytes, b"07070X0000001f\0\0");
        assert_eq!(read_head(&mut bytes.as_slice()).unwrap(), Some(CpioHead::Place(0x1f)));
        assert_eq!(entry_size("./opt/x", LARGE_FILE), 16 + LARGE_FILE + 1);
        assert_eq!(entry_size("./x", LARGE_FILE - 1), 116 + LARGE_FILE + 1);
        for bad in [&b"07070X0000001"[..], b"07070X0000001f", b"07070X+000001f\0\0", b"07070X       1\0\0"] {
            assert!(read_head(&mut &bad[..]).is_err(), "{bad:?}");
        }
    }
}
