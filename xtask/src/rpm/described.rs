//! What an RPM's header says, as plain values.

use anyhow::{Context as _, anyhow, ensure};
use rpm::{DependencyFlags, IndexTag, PackageMetadata};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Bytes of a file name (`NAME_MAX`).
const MOST_WORD: usize = 255;

/// User and group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// `root`
    pub user: String,
    /// `root`
    pub group: String,
}

/// What the header says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// kind and permission bits, as stat(2) has them
    pub mode: u16,
    /// whose it is
    pub owner: Owner,
    /// in bytes
    pub size: u64,
    /// hex, empty for what is no regular file
    pub digest: String,
    /// `RPMFILE_*`: 1 config, 16 noreplace, 64 ghost
    pub flags: u32,
    /// where a symbolic link leads; empty for what is none
    pub link: String,
}

impl FileRow {
    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    /// Whether it is a config file (`RPMFILE_CONFIG` of rpm's `rpmfiles.h`).
    pub fn is_config(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether an upgrade leaves what the administrator wrote in its place (`RPMFILE_NOREPLACE`).
    pub fn is_kept(&self) -> bool {
        self.flags & 16 != 0
    }
}

/// What the header says.
#[derive(Debug, Clone)]
pub struct Described {
    /// `quality_report`
    pub name: String,
    /// `0.0.1`
    pub version: String,
    /// `1.el9`
    pub release: String,
    /// `x86_64`
    pub arch: String,
    /// path → row
    pub files: BTreeMap<String, FileRow>,
    /// the paths in the order of the header, where its archive may name files by their place; else none
    pub(super) order: Vec<String>,
    /// in seconds since 1970
    pub build_time: u32,
    /// the compressor's name, as the header has it; `none` where it has none
    pub compressor: String,
    /// the digest algorithm of files: 8 is SHA-256
    pub file_digest_algorithm: u32,
    /// scriptlets by name: `pre`, `post`, `preun`, `postun`, `verify`
    pub scriptlets: BTreeMap<&'static str, String>,
    /// what runs each of them, with its arguments: `/bin/sh`; a program may stand without a text
    pub interpreters: BTreeMap<&'static str, String>,
    /// scriptlets of other kinds, which this tool does not write: `pretrans`, `trigger`
    pub other_scriptlets: Vec<&'static str>,
    /// a line
    pub summary: String,
    /// an SPDX expression
    pub license: String,
    /// what it requires, sorted, as `rpm -qp --requires` prints it: `python3.11`, `config(x) = 1-1`
    pub requires: Vec<String>,
    /// what it provides, likewise
    pub provides: Vec<String>,
    /// what it works without, likewise
    pub suggests: Vec<String>,
    /// how it came to be
    pub origin: Origin,
}

/// How a package came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// `Epoch:`
    pub epoch: Option<u32>,
    /// who wrote it: `xtask-0.1.0`, or a version of rpm
    pub builder: String,
    /// what the compressor was told, `9`; rpmbuild may write more behind the number
    pub level: String,
    /// the newest entry of its changelog, `- Built from commit 12ab…`
    pub change: String,
    /// who made that entry, `Example Ltd - 1.0-1.el9`
    pub by: String,
    /// what its files take on the box, in bytes
    pub installed: u64,
}

#[rustfmt::skip]
const SCRIPTLETS: [(&str, IndexTag, IndexTag); 5] = [
    ("pre",    IndexTag::RPMTAG_PREIN,        IndexTag::RPMTAG_PREINPROG),
    ("post",   IndexTag::RPMTAG_POSTIN,       IndexTag::RPMTAG_POSTINPROG),
    ("preun",  IndexTag::RPMTAG_PREUN,        IndexTag::RPMTAG_PREUNPROG),
    ("postun", IndexTag::RPMTAG_POSTUN,       IndexTag::RPMTAG_POSTUNPROG),
    ("verify", IndexTag::RPMTAG_VERIFYSCRIPT, IndexTag::RPMTAG_VERIFYSCRIPTPROG),
];
/// Any of a kind has a program; the text may be absent.
#[rustfmt::skip]
const OTHER_SCRIPTLETS: [(&str, IndexTag); 7] = [
    ("filetrigger",      IndexTag::RPMTAG_FILETRIGGERSCRIPTPROG),
    ("posttrans",        IndexTag::RPMTAG_POSTTRANSPROG),
    ("postuntrans",      IndexTag::RPMTAG_POSTUNTRANSPROG),
    ("pretrans",         IndexTag::RPMTAG_PRETRANSPROG),
    ("preuntrans",       IndexTag::RPMTAG_PREUNTRANSPROG),
    ("transfiletrigger", IndexTag::RPMTAG_TRANSFILETRIGGERSCRIPTPROG),
    ("trigger",          IndexTag::RPMTAG_TRIGGERSCRIPTPROG),
];

pub(super) fn describe(metadata: &PackageMetadata) -> anyhow::Result<Described> {
    let header = &metadata.header;
    let text = |tag: IndexTag| -> anyhow::Result<String> { Ok(header.get_entry_data_as_string(tag)?.to_owned()) };
    let may_place = header.entry_is_present(IndexTag::RPMTAG_LONGFILESIZES);
    let (mut files, mut order) = (BTreeMap::new(), Vec::new());
    // One by one: a list of all would take more memory than what is kept.
    let mut fault = None;
    let visited = metadata.for_each_file_entry(|entry| {
        let Some(path) = entry.path().to_str().map(str::to_owned) else {
            fault.get_or_insert_with(|| anyhow!("a path in it is not UTF-8"));
            return Ok(());
        };
        let row = FileRow {
            mode: entry.mode().raw_mode(),
            owner: Owner { user: entry.user().to_owned(), group: entry.group().to_owned() },
            size: entry.size() as u64,
            digest: entry.digest().map(|digest| digest.as_hex().to_owned()).unwrap_or_default(),
            flags: entry.flags().bits(),
            link: entry.linkto().unwrap_or_default().to_owned(),
        };
        order.extend(may_place.then(|| path.clone()));
        if let Some((path, _)) = files.get_key_value(&path) {
            fault.get_or_insert_with(|| anyhow!("it lists `{path}` twice"));
        } else {
            files.insert(path, row);
        }
        Ok(())
    });
    visited.context("its list of files")?;
    fault.map_or(Ok(()), Err)?;
    check_links(header)?;
    let algorithm = header.get_entry_data_as_u32(IndexTag::RPMTAG_FILEDIGESTALGO).unwrap_or(1);
    let mut scriptlets = BTreeMap::new();
    let mut interpreters = BTreeMap::new();
    for (name, script, program) in SCRIPTLETS {
        if header.entry_is_present(script) {
            scriptlets.insert(name, text(script).with_context(|| format!("its scriptlet %{name}"))?);
        }
        if header.entry_is_present(program) {
            let words = header.get_entry_data_as_string_array(program).map(|words| words.join(" "));
            interpreters.insert(name, words.or_else(|_| text(program)).with_context(|| format!("what runs %{name}"))?);
        }
    }
    let others = OTHER_SCRIPTLETS.iter().filter(|(_, tag)| header.entry_is_present(*tag));
    let other_scriptlets = others.map(|(name, _)| *name).collect();
    Ok(Described {
        name: word(header, IndexTag::RPMTAG_NAME).context("its name")?,
        version: word(header, IndexTag::RPMTAG_VERSION).context("its version")?,
        release: word(header, IndexTag::RPMTAG_RELEASE).context("its release")?,
        arch: word(header, IndexTag::RPMTAG_ARCH).context("its architecture")?,
        build_time: header.get_entry_data_as_u32(IndexTag::RPMTAG_BUILDTIME).unwrap_or(0),
        compressor: text(IndexTag::RPMTAG_PAYLOADCOMPRESSOR).unwrap_or_else(|_| "none".to_owned()),
        file_digest_algorithm: algorithm,
        scriptlets,
        interpreters,
        other_scriptlets,
        summary: in_no_language(header, IndexTag::RPMTAG_SUMMARY),
        license: text(IndexTag::RPMTAG_LICENSE).unwrap_or_default(),
        requires: dependencies(metadata.get_requires().context("what it requires")?),
        provides: dependencies(metadata.get_provides().context("what it provides")?),
        origin: origin(header),
        suggests: dependencies(metadata.get_suggests().context("what it suggests")?),
        files,
        order,
    })
}

/// Refuses files that rpm would make hard links of one another, by the inodes of the header: it reads a content for the
/// last of them alone, whatever the archive has for the others.
fn check_links(header: &rpm::Header<IndexTag>) -> anyhow::Result<()> {
    const GHOST: u32 = 1 << 6;
    let numbers = |tag| header.get_entry_data_as_u32_array(tag).unwrap_or_default();
    let inodes = numbers(IndexTag::RPMTAG_FILEINODES);
    let (devices, flags) = (numbers(IndexTag::RPMTAG_FILEDEVICES), numbers(IndexTag::RPMTAG_FILEFLAGS));
    let modes = header.get_entry_data_as_u16_array(IndexTag::RPMTAG_FILEMODES).unwrap_or_default();
    let mut seen = HashSet::with_capacity(inodes.len());
    for (((inode, device), flags), mode) in inodes.iter().zip(&devices).zip(&flags).zip(&modes) {
        if mode & 0o170_000 == 0o100_000 && flags & GHOST == 0 {
            ensure!(seen.insert((device, inode)), "two of its files are hard links of one another, by inode {inode}");
        }
    }
    Ok(())
}

/// A part of the package's file name, so no longer than one; paths are made of it, once for each file.
fn word(header: &rpm::Header<IndexTag>, tag: IndexTag) -> anyhow::Result<String> {
    let text = header.get_entry_data_as_string(tag)?;
    let is_plain = |c: char| c.is_ascii_graphic() && c != '/';
    ensure!(!text.is_empty() && text.len() <= MOST_WORD, "it has {} bytes instead of 1 to {MOST_WORD}", text.len());
    ensure!(text.chars().all(is_plain), "`{}` cannot stand in a file name", text.escape_debug());
    Ok(text.to_owned())
}

/// A text that a package may have in several languages, in the first, which is none.
fn in_no_language(header: &rpm::Header<IndexTag>, tag: IndexTag) -> String {
    let plain = || header.get_entry_data_as_string(tag).map(str::to_owned);
    let texts = header.get_entry_data_as_i18n_string(tag).map(|texts| texts.to_owned());
    texts.or_else(|_| plain()).unwrap_or_default()
}

fn origin(header: &rpm::Header<IndexTag>) -> Origin {
    let text = |tag| header.get_entry_data_as_string(tag).map(str::to_owned).unwrap_or_default();
    let changes = header.get_entry_data_as_string_array(IndexTag::RPMTAG_CHANGELOGTEXT).unwrap_or_default();
    let installed = header.get_entry_data_as_u32(IndexTag::RPMTAG_SIZE).map(u64::from);
    let installed = installed.or_else(|_| header.get_entry_data_as_u64(IndexTag::RPMTAG_LONGSIZE));
    Origin {
        epoch: header.get_entry_data_as_u32(IndexTag::RPMTAG_EPOCH).ok(),
        builder: text(IndexTag::RPMTAG_RPMVERSION),
        level: text(IndexTag::RPMTAG_PAYLOADFLAGS),
        change: changes.first().map(|text| (*text).to_owned()).unwrap_or_default(),
        by: header
            .get_entry_data_as_string_array(IndexTag::RPMTAG_CHANGELOGNAME)
            .ok()
            .and_then(|names| names.first().map(|name| (*name).to_owned()))
            .unwrap_or_default(),
        installed: installed.unwrap_or(0),
    }
}

/// As rpm prints them, sorted and each once.
fn dependencies(of: Vec<rpm::Dependency>) -> Vec<String> {
    let texts = of.into_iter().map(|dependency| {
        let has = |flag| dependency.flags.contains(flag);
        let mut sense = String::new();
        for (flag, sign) in
            [(DependencyFlags::LESS, '<'), (DependencyFlags::GREATER, '>'), (DependencyFlags::EQUAL, '=')]
        {
            if has(flag) {
                sense.push(sign);
            }
        }
        match sense.as_str() {
            "" => dependency.name,
            sense => format!("{} {sense} {}", dependency.name, dependency.version),
        }
    });
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}
