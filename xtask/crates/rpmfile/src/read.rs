//! An RPM read back, from its bytes alone and without trust: header, digests, files one after another.

use crate::header::{HEADER_SHA256, PAYLOAD_SHA256};
use crate::metadata::{FileRow, RpmMetadata, metadata_of};
use crate::preamble::Preamble;
use crate::signatures::Signatures;
use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::io::{BufRead, Read, Seek, SeekFrom};
use wheelhaul_base::hex::hex;
use wheelhaul_base::is_bomb;
use wheelhaul_payload::{Ahead, Unpacked, cpio, read_ahead};

/// What looks at the files: the header, a path, its row and its content.
pub type Visit<'a> = dyn FnMut(&RpmMetadata, &str, &FileRow, &mut dyn BufRead) -> anyhow::Result<()> + 'a;

/// What tells an RPM from others: a signature changes its size, and neither of the digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RpmDigests {
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
    pub metadata: RpmMetadata,
    /// digests of header and payload that are not what the package says, in words; of what was read
    pub digest_faults: Vec<String>,
    /// size and digests, as found
    pub digests: RpmDigests,
    /// its digests and signatures, as its headers say
    pub signatures: Signatures,
    /// the payload's digest, as the header says
    said: Option<String>,
    input: R,
    payload_at: u64,
}

impl<R: Read + Seek + Send> Opened<R> {
    /// Reads the header, and checks the digests of header and payload.
    ///
    /// # Errors
    /// For a file that is no RPM or was cut short within its header, and for headers that rpm refuses.
    pub fn read(input: R) -> anyhow::Result<Self> {
        let mut opened = Self::read_header(input)?;
        opened.read_payload()?;
        Ok(opened)
    }

    /// Reads the header, and checks its digest; that of the payload is checked by [`Self::for_each_file`].
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_header(mut input: R) -> anyhow::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        let Preamble { signature_header, header, end, .. } = Preamble::read(&mut input, length)?;
        let signatures = Signatures::read(&signature_header, &header)?;
        let said = header.first_text(PAYLOAD_SHA256).ok();
        let digests = RpmDigests { size: length, header: header.sha256(), payload: String::new() };
        let said_of_header = signature_header.text(HEADER_SHA256).ok();
        let digest_faults = digest_fault("header", said_of_header.as_deref(), &digests.header).into_iter().collect();
        let metadata = metadata_of(&header)?;
        Ok(Self { metadata, digest_faults, digests, signatures, said, input, payload_at: end })
    }

    fn note_payload(&mut self, digest: String) {
        self.digest_faults.extend(digest_fault("payload", self.said.as_deref(), &digest));
        self.digests.payload = digest;
    }

    /// Everything before the payload, into which a signature can be put.
    ///
    /// # Errors
    /// For a package whose header a signature would not cover, and for formats after 4.
    pub fn preamble(&mut self) -> anyhow::Result<Preamble> {
        // Read again and not kept: the header of a large package has tens of megabytes.
        let preamble = Preamble::read(&mut self.input, self.digests.size)?;
        let is_same = preamble.end == self.payload_at && preamble.header.sha256() == self.digests.header;
        ensure!(is_same, "it was changed while it was read");
        preamble.check_signable().context("its header")?;
        Ok(preamble)
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
    /// # Errors
    /// For an archive that is damaged, or has a file of which the header says nothing or something else.
    pub fn for_each_file(&mut self, visit: &mut Visit<'_>) -> anyhow::Result<()> {
        let has = self.input.seek(SeekFrom::End(0))? - self.payload_at;
        let claims = self.metadata.files.values().fold(0_u64, |sum, row| sum.saturating_add(row.size));
        if is_bomb(has, claims) {
            bail!("it claims to unpack from {has} to {claims} bytes, which is how a bomb looks");
        }
        self.input.seek(SeekFrom::Start(self.payload_at))?;
        let unpacked = Unpacked::new(&self.metadata.compressor, &mut self.input)?;
        let metadata = &self.metadata;
        // One core unpacks, and hashes what it unpacks; the other looks at what comes.
        let (visited, unpacked) = read_ahead(unpacked, |archive| for_each_entry(archive, metadata, visit));
        visited?;
        if self.digests.payload.is_empty() {
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
fn find<'a>(metadata: &'a RpmMetadata, head: &cpio::CpioHead) -> anyhow::Result<(&'a str, &'a FileRow, u64)> {
    let path = match head {
        cpio::CpioHead::Named(entry) => entry.name.strip_prefix('.').unwrap_or(&entry.name),
        cpio::CpioHead::Place(place) => {
            let path = metadata.order.get(*place as usize);
            path.with_context(|| format!("the archive has a file {place}, and the header no sizes for such"))?
        }
    };
    let found = metadata.files.get_key_value(path);
    let (path, row) = found.with_context(|| format!("the archive has `{path}`, which the header lacks"))?;
    match head {
        cpio::CpioHead::Named(entry) => {
            let is_same = entry.mode == u32::from(row.mode);
            ensure!(is_same, "the archive says another mode of `{path}` than the header");
            Ok((path, row, u64::from(entry.size)))
        }
        // rpm takes the size from the header, and none for what is neither a file nor a link.
        cpio::CpioHead::Place(_) => Ok((path, row, if row.is_file() || row.is_link() { row.size } else { 0 })),
    }
}

fn for_each_entry(archive: &mut Ahead, metadata: &RpmMetadata, visit: &mut Visit<'_>) -> anyhow::Result<()> {
    let mut seen: HashSet<&str> = HashSet::with_capacity(metadata.files.len());
    while let Some(head) = cpio::read_head(archive)? {
        let (path, row, size) = find(metadata, &head)?;
        ensure!(seen.insert(path), "the archive has `{path}` twice");
        if row.is_file() {
            ensure!(size == row.size, "the archive says another size of `{path}` than the header");
            let mut content = archive.take(size);
            visit(metadata, path, row, &mut content)?;
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
    let missing = metadata.files.iter().find(|(path, row)| row.flags & GHOST == 0 && !seen.contains(path.as_str()));
    if let Some((path, _)) = missing {
        bail!("the header lists `{path}`, which the archive lacks");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileOwner;
    use std::collections::BTreeMap;

    #[test]
    fn a_place_in_the_header_is_a_file_with_the_size_that_stands_there() {
        let row = |mode, size| FileRow {
            mode,
            owner: FileOwner { user: "root".to_owned(), group: "root".to_owned() }.into(),
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
            let metadata = RpmMetadata { files: rows.clone(), order: order.to_vec(), ..RpmMetadata::default() };
            let head = cpio::CpioHead::Place(place);
            let found = find(&metadata, &head).map(|(path, _, size)| (path, size)).map_err(|error| error.to_string());
            assert_eq!(found.as_ref().map_err(String::as_str).copied(), expected, "{place}");
        }
    }
}
