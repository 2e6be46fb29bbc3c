//! Package and files → the header's tags (rpm's `rpmtag.h`; numbers as there).

use crate::rpm::package::{Dependency, RpmPackage, Sense};
use crate::service::Scriptlets;
use crate::tree::{BoxPath, EntryKind, Role, Tree, TreeEntry};
use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};
use wheelhaul_base::hex::hex;
use wheelhaul_boxes::Compression;
use wheelhaul_payload::cpio::LARGE_FILE;
use wheelhaul_rpmfile::{INTRO, LEAD, PAYLOAD_SHA256, Region, TagData, encode_header};

/// SHA-256 in RFC 4880's list of hash algorithms, which rpm uses for file digests.
const SHA256: u32 = 8;
/// Every check of `rpm -V`.
const VERIFY_ALL: u32 = u32::MAX;

/// A scriptlet: how a spec names it, its tags, and its text.
pub(super) struct Script {
    /// without its `%`
    pub section: &'static str,
    /// of the body
    pub tag: u32,
    /// of what it is run by
    pub program_tag: u32,
    /// none where the package has none
    pub body: fn(&Scriptlets) -> Option<&str>,
}

/// Every scriptlet that a package may have.
#[rustfmt::skip]
pub(super) const SCRIPTS: &[Script] = &[
    Script { section: "pre",    tag: 1023, program_tag: 1085, body: |scriptlets| Some(&scriptlets.pre) },
    Script { section: "post",   tag: 1024, program_tag: 1086, body: |scriptlets| Some(&scriptlets.post) },
    Script { section: "preun",  tag: 1025, program_tag: 1087, body: |scriptlets| Some(&scriptlets.preun) },
    Script { section: "postun", tag: 1026, program_tag: 1088, body: |scriptlets| Some(&scriptlets.postun) },
    Script { section: "posttrans", tag: 1152, program_tag: 1154, body: |scriptlets| Some(&scriptlets.posttrans) },
    Script { section: "verifyscript", tag: 1079, program_tag: 1091, body: |scriptlets| Some(&scriptlets.verify) },
];

/// The file's kind and permissions, as stat(2) has them.
pub(super) fn mode_of(entry: &TreeEntry) -> u16 {
    match entry.kind {
        EntryKind::Folder => 0o040_000 | entry.mode,
        EntryKind::File { .. } => 0o100_000 | entry.mode,
    }
}

/// Stands where the payload's digest will, and is as long.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What stands before a payload that is not written yet. Of the header all is known but the payload's digest, and
/// its length does not depend on that; it may have megabytes, and is encoded once.
pub(super) struct Preamble {
    header: Vec<u8>,
    written: WrittenPreamble,
}

/// What is written already, with room for what is not known yet.
pub(super) struct WrittenPreamble {
    lead: Vec<u8>,
    /// where the header begins, once it is written
    header_at: u64,
    /// of the header, in bytes
    length: usize,
    /// where the payload's digest stands in the header
    digest_at: usize,
    archive_size: u64,
}

impl Preamble {
    /// Encodes it; `archive_size` is that of the payload before compression, in bytes.
    pub(crate) fn new(package: &RpmPackage, tree: &Tree, archive_size: u64) -> anyhow::Result<Self> {
        /// Of a file, beside its name and its group: digest, owner, numbers, ends of texts.
        const OF_FILE: usize = 120;
        let of_names = |(path, entry): (&BoxPath, &TreeEntry)| path.split().1.len() + entry.group.len() + OF_FILE;
        let room = (64 << 10) + tree.entries().map(of_names).sum::<usize>();
        let header = encode_header(entries(package, tree), Region::Header, room)?;
        let digest_at = digest_at(&header).context("the header has no digest of the payload")?;
        let name = format!("{}-{}-{}", package.name, package.version, package.release);
        let written =
            WrittenPreamble { lead: lead(&name), header_at: 0, length: header.len(), digest_at, archive_size };
        Ok(Self { header, written })
    }

    /// The header, without the payload's digest.
    pub(crate) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Writes it to the start of `out`, and leaves that where the payload begins. The header is not held any longer. Gives
    /// its size in bytes as well.
    pub(crate) fn write(self, out: &mut (impl Write + Seek)) -> anyhow::Result<(WrittenPreamble, u64)> {
        let Self { header, mut written } = self;
        let before = written.before_header(NO_DIGEST, 0)?;
        written.header_at = before.len() as u64;
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&before).and_then(|()| out.write_all(&header)).context("failed to write the header")?;
        Ok((written, (before.len() + header.len()) as u64))
    }
}

impl WrittenPreamble {
    /// Fills in what was not known: sha256 in hex and size in bytes of the compressed payload.
    pub(crate) fn finish(self, digest: &str, size: u64, out: &mut (impl Read + Write + Seek)) -> anyhow::Result<()> {
        out.seek(SeekFrom::Start(self.header_at + self.digest_at as u64))?;
        out.write_all(digest.as_bytes()).context("failed to write the header")?;
        out.seek(SeekFrom::Start(self.header_at))?;
        let mut header = out.take(self.length as u64);
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match header.read(&mut buffer).context("failed to read the header")? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        let before = self.before_header(&hex(&hasher.finalize()), size)?;
        let (needed, room) = (before.len() as u64, self.header_at);
        ensure!(needed == room, "what stands before the header needs {needed} bytes, and {room} were left for it");
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&before).context("failed to write the header")?;
        Ok(out.flush()?)
    }

    /// Lead and signature header. Its length does not depend on what is taken.
    ///
    /// Lead and signature header: `digest` is the sha256 of the header in hex, `size` that of the compressed payload in
    /// bytes.
    fn before_header(&self, digest: &str, size: u64) -> anyhow::Result<Vec<u8>> {
        let mut bytes = self.lead.clone();
        let entries = signature_entries(digest, self.length, size, self.archive_size);
        bytes.extend(encode_header(entries, Region::Signature, 0)?);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        Ok(bytes)
    }
}

/// What stands before the headers, which rpm takes for nothing but a mark (rpm's docs, "Lead").
///
/// The lead, which holds 65 bytes of the name at most, and a NUL.
fn lead(name: &str) -> Vec<u8> {
    const NAME: usize = 66;
    let mut bytes = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 0];
    let length = name.len().min(NAME - 1);
    bytes.extend(&name.as_bytes()[..length]);
    bytes.resize(10 + NAME, 0);
    // The operating system, Linux, and the form of the signature: a header.
    bytes.extend([0, 1, 0, 5]);
    bytes.resize(LEAD as usize, 0);
    bytes
}

/// Where in a header the payload's digest stands: by its index, of 16 bytes a tag after an intro of as many.
fn digest_at(header: &[u8]) -> Option<usize> {
    let number = |at: usize| Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?));
    let tags = number(8)? as usize;
    let at = (1..=tags).map(|tag| INTRO * tag).find(|at| number(*at) == Some(PAYLOAD_SHA256))?;
    let store = INTRO * (tags + 1);
    let place = store + number(at + 8)? as usize;
    header[place..].starts_with(NO_DIGEST.as_bytes()).then_some(place)
}

/// The tags of the signature header, by digest and length of the header, and the sizes of the payload in bytes,
/// compressed and before.
fn signature_entries(digest: &str, length: usize, size: u64, archive_size: u64) -> Vec<(u32, TagData<'static>)> {
    let most = most_size(length, archive_size);
    let size = length as u64 + size;
    let mut entries = vec![(273, TagData::text(digest.to_owned()))];
    // RPMSIGTAG_SIZE and PAYLOADSIZE hold 32 bits, LONGSIZE and LONGARCHIVESIZE 64. Which ones stand here is decided
    // before the payload is packed, since room is left for them: by the most that it can become.
    match (u32::try_from(size), u32::try_from(archive_size)) {
        (Ok(size), Ok(archive_size)) if most < LARGE_FILE => {
            entries.extend([(1000, TagData::int32(size)), (1007, TagData::int32(archive_size))]);
        }
        _ => entries.extend([(270, TagData::int64(size)), (271, TagData::int64(archive_size))]),
    }
    entries
}

/// More than header and payload can have, in bytes: what does not compress grows by less than a hundredth and some
/// bytes a piece, of which each has 512 entries or 4 MB.
fn most_size(header: usize, archive_size: u64) -> u64 {
    (1 << 20) + header as u64 + archive_size.saturating_add(archive_size / 64)
}

fn entries<'a>(package: &'a RpmPackage, tree: &'a Tree) -> Vec<(u32, TagData<'a>)> {
    let text = |value: &'a str| TagData::text(value);
    let installed: u64 = tree.entries().map(|(_, entry)| entry.size()).sum();
    let compressor = match package.compression {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    let mut tags = vec![
        (100, TagData::texts(["C"])),
        (1000, text(&package.name)),
        (1001, text(&package.version)),
        (1002, text(&package.release)),
        (1004, TagData::Translated(&package.summary)),
        (1005, TagData::Translated(&package.description)),
        (1006, TagData::int32(package.build_time)),
        // The host that builds must not show.
        (1007, text("localhost")),
        (1014, text(&package.license)),
        (1016, TagData::Translated("Unspecified")),
        (1021, text("linux")),
        (1022, text(&package.arch)),
        // A package without it counts as a source package.
        (1044, TagData::text(format!("{}-{}-{}.src.rpm", package.name, package.version, package.release))),
        (1064, text(concat!("wheelhaul-", env!("CARGO_PKG_VERSION")))),
        (1124, text("cpio")),
        (1125, text(compressor)),
        (1126, TagData::text(package.level.to_string())),
        (1132, TagData::text(format!("{}-redhat-linux-gnu", package.arch))),
        (5062, text("utf-8")),
        (PAYLOAD_SHA256, TagData::texts([NO_DIGEST])),
        (5093, TagData::int32(SHA256)),
    ];
    tags.push(match u32::try_from(installed) {
        Ok(small) if installed < LARGE_FILE => (1009, TagData::int32(small)),
        _ => (5009, TagData::int64(installed)),
    });
    let optional = [(1011, &package.vendor), (1020, &package.url)];
    tags.extend(optional.into_iter().filter_map(|(tag, value)| value.as_deref().map(|value| (tag, text(value)))));
    tags.extend(package.epoch.map(|epoch| (1003, TagData::int32(epoch))));
    let scriptlets = &package.scriptlets;
    for script in SCRIPTS {
        if let Some(body) = (script.body)(scriptlets) {
            // As rpmbuild writes it, without a line end at the end.
            tags.push((script.tag, text(body.trim_end())));
            tags.push((script.program_tag, text("/bin/sh")));
        }
    }
    let change = &package.change;
    tags.push((1080, TagData::int32(change.time)));
    tags.push((1081, TagData::texts([change.name.as_str()])));
    tags.push((1082, TagData::texts([change.text.as_str()])));
    tags.extend(dependencies([1047, 1112, 1113], package.provides.clone()));
    tags.extend(dependencies([1049, 1048, 1050], requires(package, tree)));
    for (numbers, list) in [
        ([5049, 5051, 5050], &package.suggests),
        ([5046, 5048, 5047], &package.recommends),
        ([1054, 1053, 1055], &package.conflicts),
        ([1090, 1114, 1115], &package.obsoletes),
    ] {
        if !list.is_empty() {
            tags.extend(dependencies(numbers, list.clone()));
        }
    }
    tags.extend(files(tree));
    tags
}

/// What the package requires, and of rpm what its files need; rpmbuild adds that by itself.
fn requires(package: &RpmPackage, tree: &Tree) -> Vec<Dependency> {
    let mut requires = package.requires.clone();
    if tree.has_large_file() {
        requires.push(Dependency::large_files());
        requires.sort();
    }
    a_row_a_scriptlet(&requires)
}

/// What scriptlets are run by, in a row for each of them, as rpmbuild writes it.
fn a_row_a_scriptlet(list: &[Dependency]) -> Vec<Dependency> {
    let rows_of = |dependency: &Dependency| match dependency.sense.has(Sense::INTERPRETER) {
        false => vec![dependency.clone()],
        true => Sense::SCRIPTLETS
            .iter()
            .filter(|scriptlet| dependency.sense.has(**scriptlet))
            .map(|scriptlet| Dependency { sense: Sense::INTERPRETER.and(*scriptlet), ..dependency.clone() })
            .collect(),
    };
    list.iter().flat_map(rows_of).collect()
}

/// Takes the tags of names, flags and versions.
fn dependencies<'a>([names, flags, versions]: [u32; 3], list: Vec<Dependency>) -> [(u32, TagData<'a>); 3] {
    let bits: Vec<u32> = list.iter().map(|dependency| Sense::bits(dependency.sense)).collect();
    let (of_names, of_versions): (Vec<String>, Vec<String>) =
        list.into_iter().map(|dependency| (dependency.name, dependency.version)).unzip();
    [
        (names, TagData::texts(of_names)),
        (flags, TagData::Int32(Box::new(bits.into_iter()))),
        (versions, TagData::texts(of_versions)),
    ]
}

/// The arrays with one value a file, in the order of paths.
fn files(tree: &Tree) -> Vec<(u32, TagData<'_>)> {
    let count = tree.entries().len();
    let entries = || tree.entries().map(|(_, entry)| entry);
    let of_all = |value: u32| TagData::Int32(Box::new(std::iter::repeat_n(value, count)));
    let text_of_all = |value: &'static str| TagData::texts(std::iter::repeat_n(value, count));
    let mut folders: BTreeMap<&str, u32> = BTreeMap::new();
    for (path, _) in tree.entries() {
        let next = folders.len() as u32;
        folders.entry(path.split().0).or_insert(next);
    }
    let mut folder_names: Vec<(&str, u32)> = folders.iter().map(|(name, index)| (*name, *index)).collect();
    folder_names.sort_by_key(|(_, index)| *index);
    let folder_indexes = tree.entries().map(move |(path, _)| folders[path.split().0]);
    let small = |entry: &TreeEntry| u32::try_from(entry.size()).unwrap_or(u32::MAX);
    vec![
        match tree.has_large_file() {
            false => (1028, TagData::Int32(Box::new(entries().map(small)))),
            true => (5008, TagData::Int64(Box::new(entries().map(TreeEntry::size)))),
        },
        (1030, TagData::Int16(Box::new(entries().map(mode_of)))),
        (1033, TagData::Int16(Box::new(std::iter::repeat_n(0, count)))),
        (1034, TagData::Int32(Box::new(entries().map(|entry| entry.mtime)))),
        (1035, TagData::texts(entries().map(digest_of))),
        (1036, text_of_all("")),
        (1037, TagData::Int32(Box::new(entries().map(flags_of)))),
        (1039, text_of_all("root")),
        (1040, TagData::texts(entries().map(|entry| &*entry.group))),
        (1045, of_all(VERIFY_ALL)),
        (1095, of_all(1)),
        (1096, TagData::Int32(Box::new(1..=count as u32))),
        (1097, text_of_all("")),
        (1116, TagData::Int32(Box::new(folder_indexes))),
        (1117, TagData::texts(tree.entries().map(|(path, _)| path.split().1))),
        (1118, TagData::texts(folder_names.into_iter().map(|(name, _)| name))),
        (5011, TagData::int32(SHA256)),
    ]
}

fn digest_of(entry: &TreeEntry) -> String {
    match &entry.kind {
        EntryKind::Folder => String::new(),
        EntryKind::File { sha256, .. } => hex(sha256),
    }
}

/// RPMFILE_CONFIG, DOC, NOREPLACE and LICENSE of rpm's `rpmfiles.h`; a folder has none, as rpmbuild has it.
fn flags_of(entry: &TreeEntry) -> u32 {
    match entry.kind {
        EntryKind::File { role: Role::Config, .. } => 1 | (1 << 4),
        EntryKind::File { role: Role::Doc, .. } => 1 << 1,
        EntryKind::File { role: Role::License, .. } => 1 << 7,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_64_bits_stand_where_those_of_32_may_not_do() {
        #[rustfmt::skip]
        let cases = [ // of the archive, of the payload         tags
            (1 << 20,              1 << 19,                       [273, 1000, 1007]),
            (4 << 30,              1 << 19,                       [273, 270, 271]),
            (LARGE_FILE,           1 << 19,                       [273, 270, 271]),
            (4_200_000_000,        4_200_000_000,                 [273, 1000, 1007]),
            // It does not compress, and what stands around it is too much.
            (LARGE_FILE - 1000,    LARGE_FILE + 50_000,           [273, 270, 271]),
            (LARGE_FILE - 1000,    1 << 19,                       [273, 270, 271]),
        ];
        for (archive_size, size, tags) in cases {
            let entries = signature_entries(NO_DIGEST, 4096, size, archive_size);
            let found: Vec<u32> = entries.iter().map(|(tag, _)| *tag).collect();
            assert_eq!(found, tags, "{archive_size}, {size}");
            // Room is left before the size is known.
            let before = signature_entries(NO_DIGEST, 4096, 0, archive_size);
            let length = |entries| encode_header(entries, Region::Signature, 0).unwrap().len();
            assert_eq!(length(before), length(entries), "{archive_size}, {size}");
        }
    }
}
