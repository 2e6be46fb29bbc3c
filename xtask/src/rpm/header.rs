//! Package and files → the header's tags (rpm's `rpmtag.h`; numbers as there).

use crate::hex::hex;
use crate::rpm::{Dependency, Package, Sense};
use crate::service::Scriptlets;
use crate::target::Compression;
use crate::tree::{Entry, Kind, LARGE_FILE, Role, Tree};
use rpm::{Header, HeaderEntry, IndexData, IndexSignatureTag, IndexTag, Lead, PackageMetadata};
use std::collections::BTreeMap;

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
    Script { section: "verifyscript", tag: 1079, program_tag: 1091, body: |scriptlets| Some(&scriptlets.verify) },
];

/// The file's kind and permissions, as stat(2) has them.
pub(super) fn mode_of(entry: &Entry) -> u16 {
    match entry.kind {
        Kind::Folder => 0o040_000 | entry.mode,
        Kind::File { .. } => 0o100_000 | entry.mode,
    }
}

/// What is known once the payload is written.
#[derive(Debug, Clone)]
pub(super) struct PayloadFacts {
    /// sha256 of the compressed payload, in hex
    pub digest: String,
    /// of the compressed payload, in bytes
    pub size: u64,
    /// before compression, in bytes
    pub archive_size: u64,
}

/// Lead, signature header and header as bytes. Their length does not depend on `payload`'s values.
pub(super) fn encode(package: &Package, tree: &Tree, payload: &PayloadFacts) -> anyhow::Result<Vec<u8>> {
    let header = Header::from_entries(entries(package, tree, payload), IndexTag::RPMTAG_HEADERIMMUTABLE);
    let lead = Lead::new(&format!("{}-{}-{}", package.name, package.version, package.release));
    let signature = Header::from_entries([], IndexSignatureTag::HEADER_SIGNATURES);
    let mut metadata = PackageMetadata { lead, signature, header };
    let header_bytes = metadata.header_bytes()?;
    metadata.signature =
        Header::from_entries(signature_entries(&header_bytes, payload), IndexSignatureTag::HEADER_SIGNATURES);
    let mut bytes = Vec::with_capacity(header_bytes.len() + 1024);
    metadata.write(&mut bytes)?;
    Ok(bytes)
}

fn signature_entries(header: &[u8], payload: &PayloadFacts) -> Vec<HeaderEntry> {
    use sha2::Digest as _;
    let digest = hex(&sha2::Sha256::digest(header));
    let (size, archive_size) = (header.len() as u64 + payload.size, payload.archive_size);
    let mut entries = vec![HeaderEntry::new(273, IndexData::StringTag(digest))];
    // RPMSIGTAG_SIZE and PAYLOADSIZE hold 32 bits, LONGSIZE and LONGARCHIVESIZE 64. Which ones stand here is decided
    // before the payload is packed, since room is left for them: by the most that it can become.
    match (u32::try_from(size), u32::try_from(archive_size)) {
        (Ok(size), Ok(archive_size)) if most_size(header.len(), payload.archive_size) < LARGE_FILE => {
            entries.push(HeaderEntry::new(1000, IndexData::Int32(vec![size])));
            entries.push(HeaderEntry::new(1007, IndexData::Int32(vec![archive_size])));
        }
        _ => {
            entries.push(HeaderEntry::new(270, IndexData::Int64(vec![size])));
            entries.push(HeaderEntry::new(271, IndexData::Int64(vec![archive_size])));
        }
    }
    entries
}

/// More than header and payload can have, in bytes: what does not compress grows by less than a hundredth and some
/// bytes a piece, of which each has 512 entries or 4 MB.
fn most_size(header: usize, archive_size: u64) -> u64 {
    (1 << 20) + header as u64 + archive_size.saturating_add(archive_size / 64)
}

fn text(value: &str) -> IndexData {
    IndexData::StringTag(value.to_owned())
}

fn texts(values: impl IntoIterator<Item = impl Into<String>>) -> IndexData {
    IndexData::StringArray(values.into_iter().map(Into::into).collect())
}

fn entries(package: &Package, tree: &Tree, payload: &PayloadFacts) -> Vec<HeaderEntry> {
    let translated = |value: &str| IndexData::I18NString(vec![value.to_owned()]);
    let installed: u64 = tree.entries().map(|(_, entry)| entry.size()).sum();
    let compressor = match package.compression {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    let mut tags: Vec<(u32, IndexData)> = vec![
        (100, texts(["C"])),
        (1000, text(&package.name)),
        (1001, text(&package.version)),
        (1002, text(&package.release)),
        (1004, translated(&package.summary)),
        (1005, translated(&package.description)),
        (1006, IndexData::Int32(vec![package.build_time])),
        // The host that builds must not show.
        (1007, text("localhost")),
        (1014, text(&package.license)),
        (1016, translated("Unspecified")),
        (1021, text("linux")),
        (1022, text(&package.arch)),
        // A package without it counts as a source package.
        (1044, text(&format!("{}-{}-{}.src.rpm", package.name, package.version, package.release))),
        (1064, text(concat!("xtask-", env!("CARGO_PKG_VERSION")))),
        (1124, text("cpio")),
        (1125, text(compressor)),
        (1126, text(&package.level.to_string())),
        (1132, text(&format!("{}-redhat-linux-gnu", package.arch))),
        (5062, text("utf-8")),
        (5092, texts([payload.digest.as_str()])),
        (5093, IndexData::Int32(vec![SHA256])),
    ];
    tags.push(match u32::try_from(installed) {
        Ok(small) if installed < LARGE_FILE => (1009, IndexData::Int32(vec![small])),
        _ => (5009, IndexData::Int64(vec![installed])),
    });
    let optional = [(1011, &package.vendor), (1020, &package.url)];
    tags.extend(optional.into_iter().filter_map(|(tag, value)| value.as_deref().map(|value| (tag, text(value)))));
    tags.extend(package.epoch.map(|epoch| (1003, IndexData::Int32(vec![epoch]))));
    let scriptlets = &package.scriptlets;
    for script in SCRIPTS {
        if let Some(body) = (script.body)(scriptlets) {
            // As rpmbuild writes it, without a line end at the end.
            tags.push((script.tag, text(body.trim_end())));
            tags.push((script.program_tag, text("/bin/sh")));
        }
    }
    let change = &package.change;
    tags.push((1080, IndexData::Int32(vec![change.time])));
    tags.push((1081, texts([change.name.as_str()])));
    tags.push((1082, texts([change.text.as_str()])));
    tags.extend(dependencies([1047, 1112, 1113], &package.provides));
    tags.extend(dependencies([1049, 1048, 1050], &requires(package, tree)));
    if !package.suggests.is_empty() {
        tags.extend(dependencies([5049, 5051, 5050], &package.suggests));
    }
    tags.extend(files(tree));
    tags.into_iter().map(|(tag, data)| HeaderEntry::new(tag, data)).collect()
}

/// What the package requires, and of rpm what its files need; rpmbuild adds that by itself.
fn requires(package: &Package, tree: &Tree) -> Vec<Dependency> {
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
fn dependencies([names, flags, versions]: [u32; 3], list: &[Dependency]) -> [(u32, IndexData); 3] {
    [
        (names, texts(list.iter().map(|dependency| dependency.name.clone()))),
        (flags, IndexData::Int32(list.iter().map(|dependency| Sense::bits(dependency.sense)).collect())),
        (versions, texts(list.iter().map(|dependency| dependency.version.clone()))),
    ]
}

/// The arrays with one value a file, in the order of paths.
fn files(tree: &Tree) -> Vec<(u32, IndexData)> {
    let count = tree.entries().len();
    let entries: Vec<&Entry> = tree.entries().map(|(_, entry)| entry).collect();
    let int32 = |of: &dyn Fn(&Entry) -> u32| IndexData::Int32(entries.iter().map(|entry| of(entry)).collect());
    let mut folders: BTreeMap<&str, u32> = BTreeMap::new();
    for (path, _) in tree.entries() {
        let next = folders.len() as u32;
        folders.entry(path.split().0).or_insert(next);
    }
    let folder_indexes = tree.entries().map(|(path, _)| folders[path.split().0]).collect();
    let mut folder_names: Vec<(&str, u32)> = folders.iter().map(|(name, index)| (*name, *index)).collect();
    folder_names.sort_by_key(|(_, index)| *index);
    vec![
        match tree.has_large_file() {
            false => (1028, int32(&|entry| u32::try_from(entry.size()).unwrap_or(u32::MAX))),
            true => (5008, IndexData::Int64(entries.iter().map(|entry| entry.size()).collect())),
        },
        (1030, IndexData::Int16(entries.iter().map(|entry| mode_of(entry)).collect())),
        (1033, IndexData::Int16(vec![0; count])),
        (1034, int32(&|entry| entry.mtime)),
        (1035, texts(entries.iter().map(|entry| digest_of(entry)))),
        (1036, texts(vec![""; count])),
        (1037, int32(&flags_of)),
        (1039, texts(vec!["root"; count])),
        (1040, texts(entries.iter().map(|entry| entry.group.clone()))),
        (1045, IndexData::Int32(vec![VERIFY_ALL; count])),
        (1095, IndexData::Int32(vec![1; count])),
        (1096, IndexData::Int32((1..=count as u32).collect())),
        (1097, texts(vec![""; count])),
        (1116, IndexData::Int32(folder_indexes)),
        (1117, texts(tree.entries().map(|(path, _)| path.split().1))),
        (1118, texts(folder_names.into_iter().map(|(name, _)| name))),
        (5011, IndexData::Int32(vec![SHA256])),
    ]
}

fn digest_of(entry: &Entry) -> String {
    match &entry.kind {
        Kind::Folder => String::new(),
        Kind::File { sha256, .. } => hex(sha256),
    }
}

/// RPMFILE_CONFIG, DOC, NOREPLACE and LICENSE of rpm's `rpmfiles.h`; a folder has none, as rpmbuild has it.
fn flags_of(entry: &Entry) -> u32 {
    match entry.kind {
        Kind::File { role: Role::Config, .. } => 1 | (1 << 4),
        Kind::File { role: Role::Doc, .. } => 1 << 1,
        Kind::File { role: Role::License, .. } => 1 << 7,
        _ => 0,
    }
}
