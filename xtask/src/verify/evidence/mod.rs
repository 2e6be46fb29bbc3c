//! What is read of an RPM: its header, and in one pass through the payload what the checks need.

mod entries;
mod modules;
mod sources;
mod crypto;

pub use crypto::{CryptoMarks, CryptoScan};

use crate::elf::{ElfFacts, ElfReader};
use crate::hex::hex;
use crate::lockfile::Lock;
use crate::rpm::{Described, FileRow, Opened, Vouching};
use crate::target::Target;
use crate::verify::Compiled;
use crate::verify::scriptlets::ParsedBy;
use crate::verify::spotted::{Spotted, Spotter};
use crate::verify::{Audit, Fips};
use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, Read, Seek};
use entries::Entries;

pub use entries::places;
pub use modules::{Module, for_each_source};
pub use sources::Sources;

/// The first bytes of a file, enough for a `#!` line.
const HEAD: usize = 256;
/// PEP 552.
const BYTE_CODE_HEAD: usize = 16;
/// A text is kept up to this; a METADATA or a RECORD is far smaller.
const MOST_TEXT: u64 = 32 << 20;
/// All texts together are kept up to this: those of 40 large wheels take 5 MB.
const MOST_TEXTS: u64 = 96 << 20;

/// What ELF files ask for is kept up to this: that of 2,000 files takes 2 MB.
const MOST_ELF: usize = 64 << 20;

/// What programs of this host said; judging starts none. Nothing where none was asked.
#[derive(Debug, Default)]
pub struct OnHost {
    /// what compiling the modules said, or why none was; none where the byte-code in the package says it all
    pub compiled: Option<Result<Compiled, String>>,
    /// path of a module that does not compile → path of one that imports it
    pub importers: BTreeMap<String, String>,
    /// what shells said of scriptlets and scripts
    pub parsed_by: Option<ParsedBy>,
}

/// What the checks judge.
#[derive(Debug)]
pub struct Evidence {
    /// what the header says
    pub described: Described,
    /// its digests and signatures, as they stand in it
    pub vouching: Vouching,
    /// of header and payload, in words
    pub digest_faults: Vec<String>,
    /// paths of files whose bytes do not have the digest of the header
    pub changed_files: Vec<String>,
    /// the lock that travels in the package, where there is one that can be read
    pub lock: Option<Lock>,
    /// the box that it is for: as given, or as the lock says
    pub target: Option<Target>,
    /// what programs of this host said
    pub host: OnHost,
    /// what is asked of a box in FIPS mode; none where that is not asked
    pub fips: Option<Fips>,
    /// what is known of vulnerabilities; none where that is not asked
    pub audit: Option<Audit>,
    root: String,
    /// path → content of the files that are read as text; without those that are not UTF-8
    pub texts: BTreeMap<String, String>,
    text_bytes: u64,
    /// what the service may start at
    pub entries: Entries,
    /// path → first bytes of the files that can be executed
    pub heads: BTreeMap<String, Vec<u8>>,
    /// path → first bytes of the files of byte-code in `__pycache__`
    pub byte_code: BTreeMap<String, Vec<u8>>,
    /// hashes of the sources that it was made from
    pub sources: Sources,
    /// path → what looks like a secret in a file of the application itself
    pub spotted: BTreeMap<String, Vec<Spotted>>,
    /// how many files of the application itself were looked at
    pub own_files: usize,
    /// path → facts of the ELF files, or why they cannot be read
    pub elf: BTreeMap<String, Result<ElfFacts, String>>,
    /// path → marks of cryptography in the ELF files that have any; looked for where FIPS is asked for
    pub crypto: BTreeMap<String, CryptoMarks>,
    elf_weight: usize,
}

impl Evidence {
    /// Reads an RPM for the checks that are always made.
    ///
    /// - Takes: `input`, the whole file; memory stays flat, whatever its size.
    /// - Fails: for what is no RPM, or is too damaged to be read to its end.
    pub fn gather(input: impl Read + Seek + Send) -> anyhow::Result<Self> {
        Self::gather_with(input, None)
    }

    /// Reads an RPM; with `fips`, its ELF files are looked through for cryptography.
    pub fn gather_with(input: impl Read + Seek + Send, fips: Option<Fips>) -> anyhow::Result<Self> {
        let mut opened = Opened::read(input)?;
        let mut evidence = Self {
            root: Self::find_root(&opened.described),
            described: opened.described.clone(),
            vouching: std::mem::take(&mut opened.vouching),
            digest_faults: std::mem::take(&mut opened.digest_faults),
            changed_files: Vec::new(),
            lock: None,
            target: None,
            host: OnHost::default(),
            fips,
            audit: None,
            texts: BTreeMap::new(),
            text_bytes: 0,
            entries: Entries::default(),
            heads: BTreeMap::new(),
            byte_code: BTreeMap::new(),
            sources: Sources::expected(opened.described.files.keys()),
            spotted: BTreeMap::new(),
            own_files: 0,
            elf: BTreeMap::new(),
            crypto: BTreeMap::new(),
            elf_weight: 0,
        };
        opened.for_each_file(&mut |path, row, content| evidence.look_at(path, row, content)).context("its payload")?;
        evidence.lock = evidence.find_lock();
        evidence.target = evidence.lock.as_ref().and_then(|lock| lock.target().ok());
        Ok(evidence)
    }

    fn look_at(&mut self, path: &str, row: &FileRow, content: &mut dyn BufRead) -> anyhow::Result<()> {
        let mut hasher = Sha256::new();
        let mut size = 0_usize;
        let mut head = Vec::new();
        let mut keep = Vec::new();
        let mut elf = ElfReader::new(row.size);
        let mut source = self.sources.hash_of(path, |path| self.has(path));
        let mut spotter = self.of_application(path).map(|_| Spotter::default());
        let mut crypto = self.fips.is_some().then(CryptoScan::default);
        let is_text = is_read_as_text(path, row);
        let is_entry = self.entries.wants(&self.root, path, row);
        if is_text {
            self.text_bytes += row.size;
            ensure!(
                row.size <= MOST_TEXT && self.text_bytes <= MOST_TEXTS,
                "`{path}` has {} bytes, more than metadata and scripts are read to",
                row.size
            );
        }
        loop {
            let piece = content.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            hasher.update(piece);
            head.extend_from_slice(&piece[..piece.len().min(HEAD.saturating_sub(head.len()))]);
            elf.take(piece)?;
            if let Some(source) = &mut source {
                source.take(piece);
            }
            if let Some(spotter) = &mut spotter {
                spotter.take(piece);
            }
            crypto.iter_mut().filter(|_| !elf.is_none()).for_each(|scan| scan.take(piece));
            if is_text || is_entry {
                keep.extend_from_slice(piece);
            }
            let count = piece.len();
            content.consume(count);
            size += count;
        }
        if hex(&hasher.finalize()) != row.digest || size as u64 != row.size {
            self.changed_files.push(path.to_owned());
        }
        if let Some(source) = source {
            self.sources.hashes.insert(path.to_owned(), source.finish());
        }
        if let Some(spotter) = spotter {
            self.own_files += 1;
            let found = spotter.finish();
            if !found.is_empty() {
                self.spotted.insert(path.to_owned(), found);
            }
        }
        if let Some(facts) = elf.finish()? {
            self.elf_weight += facts.as_ref().map_or(0, ElfFacts::weight);
            ensure!(self.elf_weight <= MOST_ELF, "its ELF files ask for more than any package does, up to `{path}`");
            self.elf.insert(path.to_owned(), facts);
            if let Some(marks) = crypto.map(CryptoScan::finish).filter(CryptoMarks::is_any) {
                self.crypto.insert(path.to_owned(), marks);
            }
        } else if is_entry {
            self.entries.sources.insert(path.to_owned(), String::from_utf8_lossy(&keep).into_owned());
        } else if is_text && let Ok(text) = String::from_utf8(keep) {
            if path.contains("/bin/") || path.ends_with(".service") {
                self.entries.note(&self.root, &text);
            }
            self.texts.insert(path.to_owned(), text);
        }
        if path.ends_with(".pyc") && path.contains("/__pycache__/") {
            head.truncate(BYTE_CODE_HEAD);
            self.byte_code.insert(path.to_owned(), head);
        } else if row.mode & 0o111 != 0 {
            self.heads.insert(path.to_owned(), head);
        }
        Ok(())
    }

    /// The lock that travels in the package.
    fn find_lock(&self) -> Option<Lock> {
        let folder = format!("/usr/share/doc/{}/pylock.", self.described.name);
        let text = self.texts.iter().find(|(path, _)| path.starts_with(&folder)).map(|(_, text)| text)?;
        Lock::parse(text).ok()
    }

    /// The application's own folder, `/opt/NAME`: that of the launcher, wherever the prefix put it.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The path below the application's folder, for what is its own and no dependency's.
    pub fn of_application<'a>(&self, path: &'a str) -> Option<&'a str> {
        let below = path.strip_prefix(self.root.as_str())?.strip_prefix('/')?;
        (!below.starts_with("lib/")).then_some(below)
    }

    fn find_root(described: &Described) -> String {
        let launcher = format!("/{}/bin/python", described.name);
        let prefix =
            described.files.keys().filter_map(|path| path.strip_suffix(&launcher)).min_by_key(|path| path.len());
        format!("{}/{}", prefix.unwrap_or("/opt"), described.name)
    }

    /// Whether a file or folder is in the package.
    pub fn has(&self, path: &str) -> bool {
        self.described.files.contains_key(path)
    }

    /// The folder of the dependencies' modules.
    pub fn library(&self) -> String {
        format!("{}/lib", self.root)
    }

    /// The `*.dist-info` folders in the two folders that are imported from, sorted. What a distribution brings in a
    /// folder of its own is none of these, as it is none to `importlib.metadata`.
    pub fn dist_infos(&self) -> Vec<&str> {
        let library = self.library();
        let is_imported_from = |folder: &str| folder == self.root || folder == library;
        self.described
            .files
            .keys()
            .filter_map(|path| path.strip_suffix("/METADATA"))
            .filter(|path| path.ends_with(".dist-info"))
            .filter(|path| path.rsplit_once('/').is_some_and(|(folder, _)| is_imported_from(folder)))
            .collect()
    }
}

fn is_read_as_text(path: &str, row: &FileRow) -> bool {
    const CONFIG: u32 = 1;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let of_dist = folder.ends_with(".dist-info") && matches!(name, "METADATA" | "WHEEL" | "RECORD" | "direct_url.json");
    of_dist
        || row.flags & CONFIG != 0
        || name.ends_with(".pth")
        || ((name.starts_with("pylock.") || name == "sbom.cdx.json") && folder.starts_with("/usr/share/doc/"))
        || folder == "/usr/lib/systemd/system"
        || folder == "/usr/lib/sysusers.d"
        || (folder.ends_with("/bin") && row.size < 1 << 20)
}
