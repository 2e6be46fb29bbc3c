//! A wheel's archive, read without trust: every name, size, kind and checksum is checked before a
//! byte is used. Source: binary distribution format; PKWARE's APPNOTE for zip.

use anyhow::{Context as _, bail};
use rawzip::{CompressionMethod, CreatorSystem, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder};
use std::cell::RefCell;
use std::io::Read;
use wheelhaul_base::is_bomb;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_payload::{Inflater, PackedFile, Sink};

/// More entries than any published wheel has by far.
const MOST_ENTRIES: u64 = 500_000;
/// What a file that is read whole (METADATA, RECORD, a script) may have: RECORD of 500,000 rows.
const MOST_READ_WHOLE: u64 = 64 << 20;

/// Whether a file is to be executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 0644
    Plain,
    /// 0755
    Executable,
}

/// One file of an archive.
#[derive(Debug)]
pub struct Member {
    /// relative, `/` between its parts, none of which is empty, `.` or `..`
    pub path: String,
    /// in bytes, unpacked
    pub size: u64,
    /// from the archive's Unix mode, where one is given
    pub mode: Mode,
    /// of its bytes, unpacked; checked when they are
    pub crc32: u32,
    /// whether it is deflated; else it is stored
    pub is_deflated: bool,
    place: ZipArchiveEntryWayfinder,
}

impl Member {
    /// How it is packed, and what it has to unpack to.
    pub fn packed_file(&self) -> PackedFile {
        PackedFile { is_deflated: self.is_deflated, size: self.size, crc32: self.crc32 }
    }
}

/// A checked archive; its members can be read from several threads at once.
pub struct Archive<R> {
    zip: ZipArchive<R>,
    members: Vec<Member>,
    /// places of members, in the order of their paths
    index: Vec<u32>,
}

impl<R: ReaderAt> Archive<R> {
    /// Reads the central directory and checks every entry of it.
    ///
    /// The reader is over the whole file, which has `size` bytes.
    ///
    /// # Errors
    /// Once, naming every entry that is refused, and why.
    pub fn open(reader: R, size: u64) -> anyhow::Result<Self> {
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let mut tail = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let zip = rawzip::ZipLocator::new()
            .locate_in_reader(reader, &mut tail, size)
            .map_err(|(_, error)| error)
            .context("it is no zip archive, or it was cut short")?;
        if zip.entries_hint() > MOST_ENTRIES {
            bail!("it claims {} entries; at most {MOST_ENTRIES} are read", zip.entries_hint());
        }
        // An entry takes 46 bytes of the file at least, whatever is claimed.
        let mut members = Vec::with_capacity(zip.entries_hint().min(size / 46) as usize);
        let mut faults = Vec::new();
        let (mut packed, mut unpacked, mut count, mut directory_end) = (0_u64, 0_u64, 0_u64, zip.directory_offset());
        let mut entries = zip.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().context("its central directory is damaged")? {
            count += 1;
            let head = 46 + entry.file_path().as_bytes().len() + entry.extra_fields().remaining_bytes().len();
            directory_end = entry.central_directory_offset() + (head + entry.comment().as_bytes().len()) as u64;
            if count > MOST_ENTRIES {
                bail!("it has more than {MOST_ENTRIES} entries");
            }
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            if let Err(fault) = check_kind(&entry).and_then(|()| check_path(entry.file_path().as_bytes())) {
                faults.push(fault.context(format!("entry `{}`", name.escape_debug())));
                continue;
            }
            if entry.is_dir() {
                continue;
            }
            packed = packed.saturating_add(entry.compressed_size_hint());
            unpacked = unpacked.saturating_add(entry.uncompressed_size_hint());
            members.push(Member {
                path: name,
                size: entry.uncompressed_size_hint(),
                mode: if entry.mode().permissions() & 0o111 != 0 { Mode::Executable } else { Mode::Plain },
                crc32: entry.crc32(),
                is_deflated: entry.compression_method() == CompressionMethod::DEFLATE,
                place: entry.wayfinder(),
            });
        }
        // A tree of the paths would hold each of them twice.
        let mut index: Vec<u32> = (0..members.len() as u32).collect();
        let path_of = |place: &u32| members[*place as usize].path.as_str();
        index.sort_unstable_by_key(|place| path_of(place));
        let twice = index.windows(2).filter(|pair| path_of(&pair[0]) == path_of(&pair[1]));
        faults.extend(twice.map(|pair| anyhow::anyhow!("entry `{}` stands twice", path_of(&pair[0]))));
        all_of("entries are refused", faults)?;
        check_end(&zip, size, count, directory_end)?;
        if packed > size {
            bail!("its entries overlap: they claim {packed} packed bytes in a file of {size}");
        }
        if is_bomb(size, unpacked) {
            return Err(Problem::with_hint(
                format!("it claims to unpack from {size} to {unpacked} bytes"),
                "that is how a zip bomb looks; ask its publisher",
            ));
        }
        Ok(Self { zip, members, index })
    }

    /// Every file, in the order of the archive.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The places of all files in [`Archive::members`], in the order of their paths.
    pub fn by_path(&self) -> impl Iterator<Item = usize> {
        self.index.iter().map(|place| *place as usize)
    }

    /// The place of a file in [`Archive::members`].
    pub fn find(&self, path: &str) -> Option<usize> {
        let path_of = |place: &u32| self.members[*place as usize].path.as_str();
        let found = self.index.binary_search_by_key(&path, path_of).ok()?;
        Some(self.index[found] as usize)
    }

    /// Unpacks one file piece by piece.
    ///
    /// `place` is that of the file in [`Archive::members`]; `sink` is called with its bytes in order.
    ///
    /// # Errors
    /// Where the local header names another file, size or CRC-32 differ, or the deflated bytes go on behind their end;
    /// what went into the sink until then is not to be used.
    pub fn unpack(&self, place: usize, inflater: &mut Inflater, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        self.unpack_with_packed(place, inflater, &mut |_| Ok(()), sink)
    }

    /// Unpacks one file as [`Archive::unpack`] does, and hands on what it is unpacked from as well.
    ///
    /// `packed` is called in order with the bytes that the archive has: of a deflated file one whole deflate stream
    /// (RFC 1951), and nothing else.
    pub fn unpack_with_packed(
        &self,
        place: usize,
        inflater: &mut Inflater,
        packed: &mut Sink<'_>,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let member = &self.members[place];
        self.unpack_member(member, inflater, packed, sink)
            .with_context(|| format!("failed to unpack `{}`", member.path))
    }

    /// Hands on a file as it stands in the archive, without a look at what it unpacks to.
    pub fn copy_packed(&self, place: usize, inflater: &mut Inflater, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let entry = self.zip.get_entry(self.members[place].place).context("its local header is damaged")?;
        inflater.copy(&mut entry.reader(), sink)
    }

    fn unpack_member(
        &self,
        member: &Member,
        inflater: &mut Inflater,
        as_packed: &mut Sink<'_>,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let entry = self.zip.get_entry(member.place).context("its local header is damaged")?;
        let local = entry.local_header(inflater.buffer()).context("its local header is damaged")?;
        if local.file_path().as_bytes() != member.path.as_bytes() {
            bail!("its local header names another file");
        }
        inflater.unpack(&mut entry.reader(), member.packed_file(), as_packed, sink)
    }

    /// Unpacks one file whole; for small ones, of which the tool reads the content.
    pub fn read(&self, place: usize) -> anyhow::Result<Vec<u8>> {
        let member = &self.members[place];
        if member.size > MOST_READ_WHOLE {
            bail!("`{}` has {} bytes, and at most {MOST_READ_WHOLE} are read", member.path, member.size);
        }
        thread_local! {
            /// Making one costs more than unpacking a small file.
            static INFLATER: RefCell<Inflater> = RefCell::default();
        }
        let mut content = Vec::new();
        INFLATER.with_borrow_mut(|inflater| {
            self.unpack(place, inflater, &mut |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })
        })?;
        Ok(content)
    }

    /// Unpacks one text file whole.
    pub fn read_text(&self, place: usize) -> anyhow::Result<String> {
        String::from_utf8(self.read(place)?).with_context(|| format!("`{}` is not UTF-8", self.members[place].path))
    }
}

/// Refuses an archive whose end can be read in more than one way: two readers would see other files.
fn check_end<R: ReaderAt>(zip: &ZipArchive<R>, size: u64, count: u64, directory_end: u64) -> anyhow::Result<()> {
    /// how an end record starts
    const END: &[u8; 4] = b"PK\x05\x06";
    /// zip64's own end record and its locator, which stand before the classic one
    const ZIP64_END: u64 = 56 + 20;
    if count != zip.entries_hint() {
        bail!("it claims {} entries and has {count}", zip.entries_hint());
    }
    let mut comment = Vec::new();
    zip.comment().read_to_end(&mut comment).context("its comment is cut short")?;
    if zip.end_offset() != size || comment.windows(4).any(|window| window == END) {
        bail!("something stands behind its end, or another end in its comment");
    }
    // The end record says where the directory starts and how long it is: it has to end where the end
    // record (of zip64, where there is one) starts, and where the entries that were read end.
    let mut end = [0; 56];
    let classic = size - comment.len() as u64 - 22;
    let at = zip.eocd_offset();
    let length = if at == classic { 22 } else { end.len() };
    zip.get_ref().read_exact_at(&mut end[..length], at).context("its end record is cut short")?;
    let number =
        |range: std::ops::Range<usize>| end[range].iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let (length, start) = match end[..4] == *END {
        true => (number(12..16), number(16..20)),
        false => (number(40..48), number(48..56)),
    };
    // Fields of 32 bits that are all ones stand for those of the zip64 record.
    let is_elsewhere = [length, start].contains(&u64::from(u32::MAX));
    let directory_fits = is_elsewhere || start.checked_add(length) == Some(directory_end);
    let gap = at.checked_sub(directory_end);
    if !directory_fits || !matches!(gap, Some(0 | ZIP64_END)) {
        bail!("its central directory does not start and end where it says");
    }
    Ok(())
}

fn check_kind(entry: &rawzip::ZipFileHeaderRecord<'_>) -> anyhow::Result<()> {
    const KIND: u32 = 0o170_000;
    let method = entry.compression_method();
    if entry.flags().is_encrypted() {
        bail!("it is encrypted");
    }
    if method != CompressionMethod::STORE && method != CompressionMethod::DEFLATE {
        bail!("its compression method `{}` is not one of a wheel (stored, deflated)", method);
    }
    let mut kind = entry.mode().value() & KIND;
    // For an entry without type bits rawzip puts in those of a file, and for a name that ends in `/` adds a folder's: the
    // sum is a socket's.
    let from_unix = matches!(entry.version_made_by().creator_system(), CreatorSystem::UNIX | CreatorSystem::MACOS);
    if entry.is_dir() && from_unix {
        kind = (entry.external_attributes() >> 16) & KIND;
    }
    match kind {
        0 | 0o100_000 | 0o040_000 => Ok(()),
        0o120_000 => bail!("it is a symbolic link"),
        _ => bail!("it is a device, a pipe or a socket"),
    }
}

/// Refuses every name that is not plainly a path below the root.
fn check_path(raw: &[u8]) -> anyhow::Result<()> {
    let path = std::str::from_utf8(raw).context("its name is not UTF-8")?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.len() > 4000 {
        bail!("its name is longer than 4000 bytes");
    }
    if path.contains('\\') {
        bail!("its name has a backslash");
    }
    if path.chars().any(char::is_control) {
        bail!("its name has a control character");
    }
    for part in path.split('/') {
        match part {
            "" => bail!("its name is absolute, or has an empty part"),
            "." | ".." => bail!("its name has a part `{part}`"),
            part if part.len() > 255 => bail!("its name has a part longer than 255 bytes"),
            part if part.as_bytes().get(1) == Some(&b':') && part.as_bytes()[0].is_ascii_alphabetic() => {
                bail!("its name has a drive letter")
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_plainly_below_the_root_are_refused() {
        for good in ["a", "a/b.py", "a/", "pkg/ä/…", "a b/c", "..a/b..", "ab:c"] {
            check_path(good.as_bytes()).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        let long = "x".repeat(256);
        for bad in ["", "/a", "../a", "a/../b", "a//b", "./a", "a/.", "a\\b", "C:/a", "a\0b", "a\nb", "a/b//", &long] {
            assert!(check_path(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check_path(b"a/\xff").is_err());
    }
}
