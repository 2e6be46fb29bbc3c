//! An RPM read back, from its bytes alone and without trust: header, digests, files one after another.

use crate::ahead::{Ahead, read_ahead};
use crate::cpio;
use crate::described::{Described, FileRow, describe};
use crate::front::{Front, parts};
use crate::tagged::Tags;
use crate::tags::{BINARY, HEADER_REGION, MAGIC, SIGNATURE_REGION};
use crate::unpacked::Unpacked;
use crate::vouching::{HEADER_SHA256, PAYLOAD_SHA256, Vouching};
use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead, Read, Seek, SeekFrom};
use wheelhaul_base::hex::hex;
use wheelhaul_base::is_bomb;

/// rpm's own limits (`header.c`): bytes of data and number of tags in a header.
pub(super) const MOST_DATA: u32 = 256 << 20;
const MOST_TAGS: u32 = 65_535;
pub const LEAD: u64 = 96;
pub const INTRO: usize = 16;

/// What looks at the files: the header, a path, its row and its content.
pub type Visit<'a> = dyn FnMut(&Described, &str, &FileRow, &mut dyn BufRead) -> anyhow::Result<()> + 'a;

/// The bytes of an RPM. A signature changes its size, and neither of the digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes {
    /// the whole file
    pub size: u64,
    /// SHA-256 of the header, in hex
    pub header: String,
    /// SHA-256 of the compressed payload, in hex; empty while it was not read
    pub payload: String,
}

/// An opened RPM, its header read, its payload not yet.
pub struct Opened<R> {
    /// what the header says
    pub described: Described,
    /// digests of header and payload that are not what the package says, in words; of what was read
    pub digest_faults: Vec<String>,
    /// what it is made of, as found
    pub bytes: Bytes,
    /// its digests and signatures, as they stand there
    pub vouching: Vouching,
    /// the payload's digest, as the header says
    said: Option<String>,
    input: R,
    header_at: u64,
    payload_at: u64,
}

impl<R: Read + Seek + Send> Opened<R> {
    /// Reads the header, and checks the digests of header and payload.
    ///
    /// - Fails: for a file that is no RPM or was cut short within its header.
    pub fn read(input: R) -> anyhow::Result<Self> {
        let mut opened = Self::read_header(input)?;
        opened.read_payload()?;
        Ok(opened)
    }

    /// Reads the header, and checks its digest; that of the payload is checked by [`Self::for_each_file`].
    ///
    /// - Fails: as [`Self::read`].
    pub fn read_header(mut input: R) -> anyhow::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        let mut lead = [0; LEAD as usize];
        input.seek(SeekFrom::Start(0))?;
        let is_rpm = input.read_exact(&mut lead).is_ok() && lead[..4] == [0xed, 0xab, 0xee, 0xdb];
        ensure!(is_rpm, "it is no RPM: it does not start as one does");
        // What rpm looks at in the lead (`rpmLeadRead`): the format, and that the signature is a header.
        ensure!([3, 4].contains(&lead[4]), "its lead says format {}, and rpm reads 3 and 4", lead[4]);
        ensure!(lead[78..80] == [0, 5], "its lead says a kind of signature that rpm does not read");
        let signature_header = header_bytes(&mut input, LEAD, length).context("its signature header")?;
        let header_at = (LEAD + signature_header.len() as u64).next_multiple_of(8);
        let header = header_bytes(&mut input, header_at, length).context("its header")?;
        let payload_at = header_at + header.len() as u64;
        let signature_tags = Tags::read(&signature_header).context("its signature header")?;
        let tags = Tags::read(&header).context("its header")?;
        check_region(&signature_header, SIGNATURE_REGION).context("its signature header")?;
        check_region(&header, HEADER_REGION).context("its header")?;
        let vouching = Vouching::read(&signature_header, &header)?;
        let said = tags.first_text(PAYLOAD_SHA256).ok();
        let (described, digest_faults) = (describe(&tags)?, Vec::new());
        let bytes = Bytes { size: length, header: hex(&Sha256::digest(&header)), ..Bytes::default() };
        let mut opened = Self { described, digest_faults, bytes, vouching, said, input, header_at, payload_at };
        let said = signature_tags.text(HEADER_SHA256).ok();
        opened.digest_faults.extend(digest_fault("header", said.as_deref(), &opened.bytes.header));
        Ok(opened)
    }

    fn note_payload(&mut self, digest: String) {
        self.digest_faults.extend(digest_fault("payload", self.said.as_deref(), &digest));
        self.bytes.payload = digest;
    }

    /// Everything before the payload: lead, signature header, header.
    pub fn front(&mut self) -> anyhow::Result<Front> {
        let mut bytes = vec![0; self.payload_at as usize];
        self.input.seek(SeekFrom::Start(0))?;
        self.input.read_exact(&mut bytes)?;
        Front::parse(bytes, self.header_at as usize)
    }

    /// Writes everything behind the header to `out`.
    pub fn copy_payload(&mut self, out: &mut impl std::io::Write) -> anyhow::Result<u64> {
        self.input.seek(SeekFrom::Start(self.payload_at))?;
        Ok(std::io::copy(&mut self.input, out)?)
    }

    fn read_payload(&mut self) -> anyhow::Result<()> {
        self.input.seek(SeekFrom::Start(self.payload_at))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match self.input.read(&mut buffer)? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        self.note_payload(hex(&hasher.finalize()));
        Ok(())
    }

    /// Gives each file of the archive to `visit`, with a reader of its content that ends where it ends. Then the
    /// payload's digest is known and checked, where it was not before.
    ///
    /// - Fails: for an archive that is damaged, or has a file that the header lacks or says otherwise.
    pub fn for_each_file(&mut self, visit: &mut Visit<'_>) -> anyhow::Result<()> {
        let has = self.input.seek(SeekFrom::End(0))? - self.payload_at;
        let claims = self.described.files.values().fold(0_u64, |sum, row| sum.saturating_add(row.size));
        if is_bomb(has, claims) {
            bail!("it claims to unpack from {has} to {claims} bytes, which is how a bomb looks");
        }
        self.input.seek(SeekFrom::Start(self.payload_at))?;
        let unpacked = Unpacked::new(&self.described.compressor, &mut self.input)?;
        let described = &self.described;
        // One core unpacks, and hashes what it unpacks; the other looks at what comes.
        let (visited, unpacked) = read_ahead(unpacked, |archive| for_each_entry(archive, described, visit));
        visited?;
        if self.bytes.payload.is_empty() {
            let digest = hex(&unpacked.digest()?);
            self.note_payload(digest);
        }
        Ok(())
    }
}

fn digest_fault(what: &str, said: Option<&str>, found: &str) -> Option<String> {
    match said {
        None => Some(format!("there is no SHA-256 digest of the {what}")),
        Some(said) if said != found => Some(format!("the {what} has the SHA-256 digest {found} instead of {said}")),
        Some(_) => None,
    }
}

/// The file that an entry of the archive is, with its size.
fn find<'a>(described: &'a Described, head: &cpio::Head) -> anyhow::Result<(&'a str, &'a FileRow, u64)> {
    let path = match head {
        cpio::Head::Named(entry) => entry.name.strip_prefix('.').unwrap_or(&entry.name),
        cpio::Head::Place(place) => {
            let path = described.order.get(*place as usize);
            path.with_context(|| format!("the archive has a file {place}, and the header no sizes for such"))?
        }
    };
    let found = described.files.get_key_value(path);
    let (path, row) = found.with_context(|| format!("the archive has `{path}`, which the header lacks"))?;
    match head {
        cpio::Head::Named(entry) => {
            let is_same = entry.mode == u32::from(row.mode);
            ensure!(is_same, "the archive says another mode of `{path}` than the header");
            Ok((path, row, u64::from(entry.size)))
        }
        // rpm takes the size from the header, and none for what is neither a file nor a link.
        cpio::Head::Place(_) => Ok((path, row, if row.is_file() || row.is_link() { row.size } else { 0 })),
    }
}

fn for_each_entry(archive: &mut Ahead, described: &Described, visit: &mut Visit<'_>) -> anyhow::Result<()> {
    let mut seen: HashSet<&str> = HashSet::with_capacity(described.files.len());
    while let Some(head) = cpio::read_head(archive)? {
        let (path, row, size) = find(described, &head)?;
        ensure!(seen.insert(path), "the archive has `{path}` twice");
        if row.is_file() {
            ensure!(size == row.size, "the archive says another size of `{path}` than the header");
            let mut content = archive.take(size);
            visit(described, path, row, &mut content)?;
            std::io::copy(&mut content, &mut std::io::sink())?;
            ensure!(content.limit() == 0, "the archive ends in `{path}`");
        } else {
            // The target of a link is a path.
            let most = if row.is_link() { cpio::MOST_NAME } else { 0 };
            ensure!(size <= most, "`{path}` is no file and has content");
            std::io::copy(&mut archive.take(size), &mut std::io::sink())?;
        }
        cpio::skip_padding(archive, size)?;
    }
    const GHOST: u32 = 1 << 6;
    let missing = described.files.iter().find(|(path, row)| row.flags & GHOST == 0 && !seen.contains(path.as_str()));
    if let Some((path, _)) = missing {
        bail!("the header lists `{path}`, which the archive lacks");
    }
    Ok(())
}

/// Reads a header, from its magic to its end, after a look at the file's length: what a header claims takes no memory that
/// the file does not have.
fn header_bytes(input: &mut (impl Read + Seek), at: u64, length: u64) -> anyhow::Result<Vec<u8>> {
    input.seek(SeekFrom::Start(at))?;
    let mut intro = [0; INTRO];
    input.read_exact(&mut intro).context("the file is too short")?;
    ensure!(intro[..8] == MAGIC, "it does not start as the header of an RPM does");
    let number = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let (tags, data) = (number(&intro[8..]), number(&intro[12..]));
    ensure!(tags <= MOST_TAGS && data <= MOST_DATA, "it claims {tags} tags and {data} bytes, more than rpm reads");
    let end = at + INTRO as u64 + u64::from(tags) * INTRO as u64 + u64::from(data);
    ensure!(end <= length, "it claims to end at byte {end}, and the file has {length}");
    let mut bytes = vec![0; (end - at) as usize];
    bytes[..INTRO].copy_from_slice(&intro);
    input.read_exact(&mut bytes[INTRO..])?;
    Ok(bytes)
}

/// Checks the region of a header, where it has one, as rpm does (`hdrblobVerifyRegion`): its trailer says so as well, and
/// where it starts.
fn check_region(header: &[u8], tag: u32) -> anyhow::Result<()> {
    /// `RPMTAG_HEADERIMAGE`, which the trailer of a signature header may say instead
    const IMAGE: u32 = 61;
    let (index, store) = parts(header)?;
    let numbers = |bytes: &[u8]| -> Option<[u32; 4]> {
        let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        Some([number(0)?, number(4)?, number(8)?, number(12)?])
    };
    let Some([first, kind, offset, count]) = numbers(index).filter(|[first, ..]| *first == tag) else { return Ok(()) };
    ensure!([kind, count] == [BINARY, INTRO as u32], "the tag {first} of its region is damaged");
    let trailer = store.get(offset as usize..).and_then(numbers).context("its region has no end")?;
    let [last, kind, back, count] = trailer;
    let entries = back.wrapping_neg();
    let is_named = last == tag || (last == IMAGE && tag == SIGNATURE_REGION);
    let fits = entries.is_multiple_of(INTRO as u32) && entries > 0 && entries as usize <= index.len();
    ensure!(is_named && [kind, count] == [BINARY, INTRO as u32] && fits, "the end of its region is damaged");
    Ok(())
}

/// Gives each tag of a header to `visit`: number, kind, count and data; the region's own entry, which
/// comes first, is passed over. Gives the number of that, 0 for a header without one. Checks, as rpm does
/// (`hdrblobVerifyInfo`), that each tag has data, which is aligned and lies behind that of the tag before it; and that each
/// stands once.
///
/// - Takes: `index` and `store`, the two parts of a header behind its intro.
pub(super) fn for_each_tag<'a>(
    index: &[u8],
    store: &'a [u8],
    mut visit: impl FnMut(u32, u32, u32, &'a [u8]),
) -> anyhow::Result<u32> {
    /// The tags whose data is a trailer that says where the immutable region ends.
    const REGIONS: std::ops::RangeInclusive<u32> = 61..=63;
    let mut free = 0;
    let mut region = 0;
    let mut seen = BTreeSet::new();
    for (place, entry) in index.chunks_exact(INTRO).enumerate() {
        let field = |at: usize| u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]);
        let (tag, kind, offset, count) = (field(0), field(4), field(8) as usize, field(12) as usize);
        let rest = store.get(offset..).with_context(|| format!("its tag {tag} points out of it"))?;
        let length = match kind {
            1 | 2 | 7 => count,
            3 => count.saturating_mul(2),
            4 => count.saturating_mul(4),
            5 => count.saturating_mul(8),
            6 | 8 | 9 => {
                ensure!(kind != 6 || count == 1, "its tag {tag} is one string and claims {count}");
                let mut ends = memchr::memchr_iter(0, rest);
                match count.checked_sub(1).map(|last| ends.nth(last)) {
                    None => 0,
                    Some(end) => 1 + end.with_context(|| format!("its tag {tag} has strings without an end"))?,
                }
            }
            _ => bail!("its tag {tag} is of a kind that is not known"),
        };
        ensure!(length <= rest.len(), "its tag {tag} points out of it");
        ensure!(length > 0, "its tag {tag} has no data");
        let step = [(3, 2), (4, 4), (5, 8)].iter().find(|(of, _)| *of == kind).map_or(1, |(_, step)| *step);
        ensure!(offset.is_multiple_of(step), "its tag {tag} does not begin where numbers of its size do");
        if place == 0 && REGIONS.contains(&tag) {
            region = tag;
            continue;
        }
        // Which of the two counts depends on who reads: the box could run another scriptlet than the one judged.
        ensure!(seen.insert(tag), "its tag {tag} stands twice");
        ensure!(offset >= free, "its tag {tag} shares its data with another one");
        free = offset + length;
        visit(tag, kind, field(12), &rest[..length]);
    }
    Ok(region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Owner;
    use std::collections::BTreeMap;

    #[test]
    fn a_place_in_the_header_is_a_file_with_the_size_that_stands_there() {
        let row = |mode, size| FileRow {
            mode,
            owner: Owner { user: "root".to_owned(), group: "root".to_owned() }.into(),
            size,
            digest: String::new(),
            flags: 0,
            link: String::new(),
        };
        let rows: BTreeMap<String, FileRow> =
            [("/d", row(0o040_755, 4096)), ("/f", row(0o100_644, 5 << 30)), ("/l", row(0o120_777, 3))]
                .map(|(path, row)| (path.to_owned(), row))
                .into();
        let order = ["/f", "/l", "/d", "/gone"].map(str::to_owned);
        type Row<'a> = (&'a [String], u32, Result<(&'a str, u64), &'a str>);
        #[rustfmt::skip]
        let cases: [Row<'_>; 7] = [
            (&order, 0,        Ok(("/f", 5 << 30))),
            (&order, 1,        Ok(("/l", 3))),
            (&order, 2,        Ok(("/d", 0))),
            (&order, 3,        Err("the archive has `/gone`, which the header lacks")),
            (&order, 4,        Err("the archive has a file 4, and the header no sizes for such")),
            // To some rpms this is the end of the archive.
            (&order, u32::MAX, Err("the archive has a file 4294967295, and the header no sizes for such")),
            (&[],    0,        Err("the archive has a file 0, and the header no sizes for such")),
        ];
        for (order, place, expected) in cases {
            let described = Described { files: rows.clone(), order: order.to_vec(), ..Described::default() };
            let head = cpio::Head::Place(place);
            let found = find(&described, &head).map(|(path, _, size)| (path, size)).map_err(|error| error.to_string());
            assert_eq!(found.as_ref().map_err(String::as_str).copied(), expected, "{place}");
        }
    }
}
