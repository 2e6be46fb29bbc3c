//! What an RPM's header says, as plain values.

use crate::header::Header;
use anyhow::{Context as _, ensure};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Bytes of a file name (`NAME_MAX`).
const MOST_WORD: usize = 255;
/// `RPMTAG_FILEDIGESTALGO`, without which it is MD5.
const DIGEST_ALGORITHM: u32 = 5011;
const MD5: u32 = 1;
/// `RPMTAG_BASENAMES`
const BASE_NAMES: u32 = 1117;
/// `RPMTAG_FILEMODES` and `RPMTAG_LONGFILESIZES`
const MODES: u32 = 1030;
const LONG_SIZES: u32 = 5008;

/// User and group.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileOwner {
    /// `root`
    pub user: String,
    /// `root`
    pub group: String,
}

/// What the header says of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRow {
    /// kind and permission bits, as stat(2) has them
    pub mode: u16,
    /// whose it is; files share it
    pub owner: Arc<FileOwner>,
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
#[derive(Debug, Clone, Default)]
pub struct RpmMetadata {
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
    pub(crate) order: Vec<String>,
    /// in seconds since 1970
    pub build_time: u32,
    /// the compressor's name, as the header has it; `none` where it has none
    pub compressor: String,
    /// the digest algorithm of files: 8 is SHA-256
    pub file_digest_algorithm: u32,
    /// scriptlets by name: `pre`, `post`, `preun`, `postun`, `posttrans`, `verify`
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
    /// what is installed along where it can, likewise
    pub recommends: Vec<String>,
    /// what cannot be installed beside it, likewise
    pub conflicts: Vec<String>,
    /// what it takes the place of, likewise
    pub obsoletes: Vec<String>,
    /// how it came to be
    pub origin: Origin,
}

/// How a package came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// `Epoch:`
    pub epoch: Option<u32>,
    /// who wrote it: `wheelhaul-0.2.0`, or a version of rpm
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
const SCRIPTLETS: [(&str, u32, u32); 6] = [ // RPMTAG_PREIN, RPMTAG_PREINPROG and so on
    ("pre",    1023, 1085),
    ("post",   1024, 1086),
    ("preun",  1025, 1087),
    ("postun", 1026, 1088),
    ("posttrans", 1152, 1154),
    ("verify", 1079, 1091),
];
/// Any of a kind has a program (`RPMTAG_FILETRIGGERSCRIPTPROG` and so on); the text may be absent.
#[rustfmt::skip]
const OTHER_SCRIPTLETS: [(&str, u32); 6] = [
    ("filetrigger",      5067),
    ("postuntrans",      5106),
    ("pretrans",         1153),
    ("preuntrans",       5105),
    ("transfiletrigger", 5077),
    ("trigger",          1092),
];

/// Reads what a package's header says.
pub(crate) fn metadata_of(header: &Header) -> anyhow::Result<RpmMetadata> {
    let mut scriptlets = BTreeMap::new();
    let mut interpreters = BTreeMap::new();
    for (name, script, program) in SCRIPTLETS {
        if header.has(script) {
            scriptlets.insert(name, header.text(script).with_context(|| format!("its scriptlet %{name}"))?);
        }
        if header.has(program) {
            let words = header.texts(program).with_context(|| format!("what runs %{name}"))?;
            interpreters.insert(name, words.join(" "));
        }
    }
    let others = OTHER_SCRIPTLETS.iter().filter(|(_, tag)| header.has(*tag));
    let other_scriptlets = others.map(|(name, _)| *name).collect();
    let listed = list(header).context("its list of files")?;
    check_links(header)?;
    // The archive may name a file by its place where the header has long sizes.
    let order = if header.has(LONG_SIZES) { listed.iter().map(|(path, _)| path.clone()).collect() } else { Vec::new() };
    Ok(RpmMetadata {
        name: word(header, 1000).context("its name")?,
        version: word(header, 1001).context("its version")?,
        release: word(header, 1002).context("its release")?,
        arch: word(header, 1022).context("its architecture")?,
        build_time: header.number(1006).unwrap_or(0),
        compressor: header.text(1125).unwrap_or_else(|_| "none".to_owned()),
        file_digest_algorithm: header.number(DIGEST_ALGORITHM).unwrap_or(MD5),
        scriptlets,
        interpreters,
        other_scriptlets,
        summary: header.first_text(1004).unwrap_or_default(),
        license: header.text(1014).unwrap_or_default(),
        requires: dependencies(header, [1049, 1048, 1050]).context("what it requires")?,
        provides: dependencies(header, [1047, 1112, 1113]).context("what it provides")?,
        origin: origin(header),
        suggests: dependencies(header, [5049, 5051, 5050]).context("what it suggests")?,
        recommends: dependencies(header, [5046, 5048, 5047]).context("what it recommends")?,
        conflicts: dependencies(header, [1054, 1053, 1055]).context("what it conflicts with")?,
        obsoletes: dependencies(header, [1090, 1114, 1115]).context("what it obsoletes")?,
        files: by_path(listed)?,
        order,
    })
}

/// Most come sorted; a map of them at once is made in half the time of one after another.
fn by_path(mut listed: Vec<(String, FileRow)>) -> anyhow::Result<BTreeMap<String, FileRow>> {
    listed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let twice = listed.windows(2).find(|two| two[0].0 == two[1].0);
    ensure!(twice.is_none(), "it lists `{}` twice", twice.map_or("", |two| two[0].0.as_str()));
    Ok(listed.into_iter().collect())
}

/// The files in the order of the header.
fn list(header: &Header) -> anyhow::Result<Vec<(String, FileRow)>> {
    if !header.has(MODES) && !header.has(BASE_NAMES) {
        return Ok(Vec::new());
    }
    let sizes = match header.has(LONG_SIZES) {
        true => header.int64(LONG_SIZES)?,
        false => header.int32(1028)?.into_iter().map(u64::from).collect(),
    };
    let (modes, flags, folder_indexes) = (header.int16(MODES)?, header.int32(1037)?, header.int32(1116)?);
    let ((some_digests, digests), (some_links, links)) = (header.each_text(1035)?, header.each_text(1036)?);
    let ((some_users, users), (some_groups, groups)) = (header.each_text(1039)?, header.each_text(1040)?);
    let ((count, names), folders) = (header.each_text(BASE_NAMES)?, header.texts(1118)?);
    let numbers = [sizes.len(), modes.len(), flags.len(), folder_indexes.len()];
    let mut lengths = numbers.into_iter().chain([some_digests, some_links, some_users, some_groups]);
    ensure!(lengths.all(|length| length == count), "its arrays are not of one length");
    let digest_length = match header.number(DIGEST_ALGORITHM).unwrap_or(MD5) {
        MD5 => Some(32),
        2 => Some(40),
        8 => Some(64),
        9 => Some(96),
        10 => Some(128),
        11 => Some(56),
        _ => None,
    };
    let mut listed: Vec<(String, FileRow)> = Vec::with_capacity(count);
    let texts = names.zip(digests).zip(links).zip(users).zip(groups).enumerate();
    for (at, ((((name, digest), link), user), group)) in texts {
        let (name, digest, link, user, group) = (name?, digest?, link?, user?, group?);
        let folder = folders.get(folder_indexes[at] as usize).context("a folder of a file is not listed")?;
        let path = format!("{folder}{name}");
        let is_hex = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_digest = is_hex && digest_length.is_none_or(|length| digest.len() == length);
        ensure!(digest.is_empty() || is_digest, "`{path}` has the digest `{}`", digest.escape_debug());
        let before =
            listed.last().map(|(_, row)| &row.owner).filter(|owner| owner.user == user && owner.group == group);
        let row = FileRow {
            mode: modes[at],
            owner: before
                .map_or_else(|| Arc::new(FileOwner { user: user.into_owned(), group: group.into_owned() }), Arc::clone),
            size: sizes[at],
            digest: digest.into_owned(),
            flags: flags[at],
            link: link.into_owned(),
        };
        listed.push((path, row));
    }
    Ok(listed)
}

/// Refuses files that rpm would make hard links of one another, by the inodes of the header: it reads a content for the
/// last of them alone, whatever the archive has for the others.
fn check_links(header: &Header) -> anyhow::Result<()> {
    const GHOST: u32 = 1 << 6;
    let numbers = |tag| header.int32(tag).unwrap_or_default();
    let (inodes, devices, flags) = (numbers(1096), numbers(1095), numbers(1037));
    let modes = header.int16(MODES).unwrap_or_default();
    let mut seen = HashSet::with_capacity(inodes.len());
    for (((inode, device), flags), mode) in inodes.iter().zip(&devices).zip(&flags).zip(&modes) {
        if mode & 0o170_000 == 0o100_000 && flags & GHOST == 0 {
            ensure!(seen.insert((device, inode)), "two of its files are hard links of one another, by inode {inode}");
        }
    }
    Ok(())
}

/// A part of the package's file name, so no longer than one; paths are made of it, once for each file.
fn word(header: &Header, tag: u32) -> anyhow::Result<String> {
    let text = header.text(tag)?;
    let is_plain = |c: char| c.is_ascii_graphic() && c != '/';
    ensure!(!text.is_empty() && text.len() <= MOST_WORD, "it has {} bytes instead of 1 to {MOST_WORD}", text.len());
    ensure!(text.chars().all(is_plain), "`{}` cannot stand in a file name", text.escape_debug());
    Ok(text)
}

fn origin(header: &Header) -> Origin {
    let text = |tag| header.text(tag).unwrap_or_default();
    let first = |tag| header.first_text(tag).unwrap_or_default();
    let long = |tag| header.int64(tag).ok().and_then(|sizes| sizes.first().copied());
    Origin {
        epoch: header.number(1003),
        builder: text(1064),
        level: text(1126),
        change: first(1082),
        by: first(1081),
        installed: header.number(1009).map(u64::from).or_else(|| long(5009)).unwrap_or(0),
    }
}

/// Dependencies as rpm prints them, sorted and each once, by the tags of their names, flags and versions: a package has
/// all of the three or none.
fn dependencies(header: &Header, [names, flags, versions]: [u32; 3]) -> anyhow::Result<Vec<String>> {
    if ![names, flags, versions].iter().any(|tag| header.has(*tag)) {
        return Ok(Vec::new());
    }
    let (names, flags, versions) = (header.texts(names)?, header.int32(flags)?, header.texts(versions)?);
    let texts = names.iter().zip(flags).zip(versions).map(|((name, flags), version)| {
        // RPMSENSE_LESS, _GREATER and _EQUAL.
        let signs = [(1 << 1, '<'), (1 << 2, '>'), (1 << 3, '=')];
        let sense: String = signs.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, sign)| *sign).collect();
        match sense.as_str() {
            "" => name.to_string(),
            sense => format!("{name} {sense} {version}"),
        }
    });
    Ok(texts.collect::<BTreeSet<_>>().into_iter().collect())
}
