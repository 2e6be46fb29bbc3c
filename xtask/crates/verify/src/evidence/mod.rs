//! What is read of an RPM: its header, and in one pass through the payload what the checks need.

mod crypto;
mod distributions;
mod entries;
mod file;
mod modules;
mod query;
mod sources;
mod texts;

pub use crypto::CryptoMarks;
pub(crate) use crypto::CryptoScan;
pub use query::{Audit, CompileReport, Fips, ParsedBy, ScriptFault, Site};

use crate::OnBox;
use crate::secret_scan::{Spotted, Spotter};
use anyhow::{Context as _, ensure};
use entries::Entries;
use file::Observers;
use std::collections::BTreeMap;
use std::io::{BufRead, Read, Seek};
use std::sync::{Arc, OnceLock};
use wheelhaul_base::calendar::Day;
use wheelhaul_boxes::Target;
use wheelhaul_pylock::Lock;
use wheelhaul_rpmfile::{FileRow, Opened, RpmDigests, RpmMetadata, Signatures};
use wheelhaul_wheel::elf::{ElfFacts, ElfReader};

pub(crate) use distributions::absolute;
pub use distributions::{Distributions, InstalledDistribution, Listed};
pub(crate) use entries::places;
pub use modules::{Module, for_each_source};
pub(crate) use sources::Sources;
use texts::is_read_as_text;

/// PEP 552.
const BYTE_CODE_HEAD: usize = 16;
/// A text is kept up to this; a METADATA or a RECORD is far smaller.
const MOST_TEXT: u64 = 32 << 20;
/// All texts together are kept up to this: those of 40 large wheels take 5 MB.
const MOST_TEXTS: u64 = 96 << 20;

/// An ELF file up to this is kept in memory while it comes: writing it to disk costs as much as unpacking it.
const MOST_ELF_IN_MEMORY: u64 = 32 << 20;
/// What ELF files ask for is kept up to this: that of 2,000 files takes 2 MB.
const MOST_ELF: usize = 64 << 20;

/// What programs of this host said; judging starts none. Nothing where none was asked.
#[derive(Debug, Default)]
pub struct OnHost {
    /// what shells said of scriptlets and scripts
    pub parsed_by: Option<ParsedBy>,
    /// what compiling the modules said, or why none was; none where the byte-code in the package says it all
    pub compiled: Option<Result<CompileReport, String>>,
    /// path of a module that does not compile → path of one that imports it
    pub importers: BTreeMap<Arc<str>, Arc<str>>,
}

/// What the checks judge.
#[derive(Debug)]
pub struct Evidence {
    /// what the header says
    pub described: RpmMetadata,
    /// the file's bytes, by digest
    pub bytes: RpmDigests,
    /// its digests and signatures, as they stand in it
    pub signatures: Signatures,
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
    /// what a box said of its installation; none where that is not given
    pub on_box: Option<OnBox>,
    /// the policy of the site that verifies; none where none is given
    pub site: Option<Site>,
    /// the day by which accepted findings are judged; that of the package if absent
    pub today: Option<Day>,
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
    /// path → what looks like a secret in a file of the application itself
    pub spotted: BTreeMap<String, Vec<Spotted>>,
    /// how many files of the application itself were looked at
    pub own_files: usize,
    /// hashes of the sources that it was made from
    pub sources: Sources,
    /// path → facts of the ELF files, or why they cannot be read
    pub elf: BTreeMap<String, Result<ElfFacts, String>>,
    elf_weight: usize,
    /// path → marks of cryptography in the ELF files that have any; looked for where FIPS is asked for
    pub crypto: BTreeMap<String, CryptoMarks>,
    /// by the first check that asks
    distributions: OnceLock<Distributions>,
    modules: OnceLock<Vec<Module>>,
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
        let mut opened = Opened::read_header(input)?;
        let mut evidence = Self {
            signatures: std::mem::take(&mut opened.signatures),
            fips,
            sources: Sources::expected(opened.metadata.files.keys()),
            ..Self::empty(Self::find_root(&opened.metadata))
        };
        opened
            .for_each_file(&mut |described, path, row, content| {
                let has = |path: &str| described.files.contains_key(path);
                evidence.look_at(path, row, content, &has)
            })
            .context("its payload")?;
        evidence.described = opened.metadata;
        evidence.bytes = opened.digests;
        evidence.digest_faults = opened.digest_faults;
        evidence.lock = evidence.find_lock();
        evidence.target = evidence.lock.as_ref().and_then(|lock| lock.target().ok());
        Ok(evidence)
    }

    /// Files that are no RPM's yet, for the checks that need none.
    pub(super) fn of_files(
        root: String,
        target: Target,
        described: RpmMetadata,
        texts: BTreeMap<String, String>,
        elf: BTreeMap<String, Result<ElfFacts, String>>,
    ) -> Self {
        Self { target: Some(target), described, texts, elf, ..Self::empty(root) }
    }

    fn empty(root: String) -> Self {
        Self {
            root,
            described: RpmMetadata::default(),
            bytes: RpmDigests::default(),
            signatures: Signatures::default(),
            digest_faults: Vec::new(),
            changed_files: Vec::new(),
            lock: None,
            target: None,
            host: OnHost::default(),
            fips: None,
            audit: None,
            on_box: None,
            site: None,
            today: None,
            texts: BTreeMap::new(),
            text_bytes: 0,
            entries: Entries::default(),
            heads: BTreeMap::new(),
            byte_code: BTreeMap::new(),
            spotted: BTreeMap::new(),
            own_files: 0,
            sources: Sources::default(),
            elf: BTreeMap::new(),
            elf_weight: 0,
            crypto: BTreeMap::new(),
            distributions: OnceLock::new(),
            modules: OnceLock::new(),
        }
    }

    /// - Takes: `has`, whether there is such a path in the package.
    fn look_at(
        &mut self,
        path: &str,
        row: &FileRow,
        content: &mut dyn BufRead,
        has: &dyn Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
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
        let observers = Observers {
            elf: ElfReader::new(row.size).with_memory(MOST_ELF_IN_MEMORY),
            crypto: self.fips.is_some().then(CryptoScan::default),
            spotter: self.of_application(path).map(|_| Spotter::default()),
            source: self.sources.hash_of(path, has),
            keeps: is_text || is_entry,
        };
        let seen = observers.watch(content)?;
        if seen.digest != row.digest || seen.size != row.size {
            self.changed_files.push(path.to_owned());
        }
        // What is ELF is no text, wherever it lies.
        let is_elf = seen.elf.is_some();
        if is_entry && !is_elf {
            self.entries.sources.insert(path.to_owned(), String::from_utf8_lossy(&seen.kept).into_owned());
        }
        // A module may be a config file as well, as `gunicorn.conf.py` is.
        if is_text
            && !is_elf
            && let Ok(text) = String::from_utf8(seen.kept)
        {
            if path.contains("/bin/") || path.ends_with(".service") {
                self.entries.note(&self.root, &text);
            }
            self.texts.insert(path.to_owned(), text);
        }
        if let Some(found) = seen.spotted {
            self.own_files += 1;
            if !found.is_empty() {
                self.spotted.insert(path.to_owned(), found);
            }
        }
        if let Some(facts) = seen.elf {
            self.elf_weight += facts.as_ref().map_or(0, ElfFacts::weight);
            ensure!(self.elf_weight <= MOST_ELF, "its ELF files ask for more than any package does, up to `{path}`");
            self.elf.insert(path.to_owned(), facts);
        }
        self.sources.hashes.extend(seen.source.map(|hash| (path.to_owned(), hash)));
        self.crypto.extend(seen.crypto.map(|marks| (path.to_owned(), marks)));
        if path.ends_with(".pyc") && path.contains("/__pycache__/") {
            let head = seen.head.into_iter().take(BYTE_CODE_HEAD).collect();
            self.byte_code.insert(path.to_owned(), head);
        } else if row.mode & 0o111 != 0 {
            self.heads.insert(path.to_owned(), seen.head);
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

    fn find_root(described: &RpmMetadata) -> String {
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
}
