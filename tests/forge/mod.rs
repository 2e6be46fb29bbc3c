//! An RPM taken into parts, changed at will, and put together with digests that agree with the change: what is
//! wrong with it then is the change itself, and not its shadow.

mod cpio;
pub mod native;
pub mod pyc;
pub mod tags;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cpio::{pack, unpack};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use tags::{Data, Tags};
use wheelhaul_base::hex::hex;

const LEAD: usize = 96;
/// The tags with one value a file, and those of their folders, all made anew.
const OF_FILES: [u32; 17] =
    [1028, 1030, 1033, 1034, 1035, 1036, 1037, 1039, 1040, 1045, 1095, 1096, 1097, 1116, 1117, 1118, 5011];
/// `require` in a header: names, flags, versions.
const REQUIRES: [u32; 3] = [1049, 1048, 1050];

/// `RPMFILE_CONFIG`, and `RPMFILE_NOREPLACE`.
pub const CONFIG: u32 = 1;
pub const NOREPLACE: u32 = 1 << 4;

/// A file, folder, link or device.
#[derive(Debug, Clone)]
pub struct File {
    /// kind and permission bits
    pub mode: u16,
    /// of a device
    pub device: u16,
    pub mtime: u32,
    pub flags: u32,
    pub user: String,
    pub group: String,
    /// of a symbolic link: where it leads
    pub link: String,
    pub content: Vec<u8>,
    /// what the header says, instead of the true one
    pub digest: Option<String>,
    /// its name in the archive, instead of that of the header
    pub archived_as: Option<String>,
    /// whether the archive has it
    pub is_archived: bool,
}

impl File {
    /// Root's, 0644.
    pub fn plain(content: impl Into<Vec<u8>>) -> Self {
        Self {
            mode: 0o100_644,
            device: 0,
            mtime: 1_700_000_000,
            flags: 0,
            user: "root".to_owned(),
            group: "root".to_owned(),
            link: String::new(),
            content: content.into(),
            digest: None,
            archived_as: None,
            is_archived: true,
        }
    }

    /// Root's, 0755.
    pub fn program(content: impl Into<Vec<u8>>) -> Self {
        Self { mode: 0o100_755, ..Self::plain(content) }
    }

    pub fn folder() -> Self {
        Self { mode: 0o040_755, ..Self::plain("") }
    }

    pub fn link_to(place: &str) -> Self {
        Self { mode: 0o120_777, link: place.to_owned(), ..Self::plain(place) }
    }

    fn is_regular(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// The parts of an RPM.
#[derive(Clone)]
pub struct Forge {
    lead: Vec<u8>,
    signature: Tags,
    /// without those of files
    pub tags: Tags,
    /// path on the box → file
    pub files: BTreeMap<String, File>,
    /// the algorithm of files' digests that the header claims
    pub digest_algorithm: u32,
    /// What the header says of the payload's digest: the truth, unless this changes it.
    pub payload_digest: fn(String) -> Option<String>,
    /// likewise what the signature header says of the header's
    pub header_digest: fn(String) -> Option<String>,
    /// the last touch, to the whole file
    pub last: fn(&mut Vec<u8>),
    /// paths of RECORD files that stay as they are
    pub kept_records: Vec<String>,
    /// the service's name, which is the package's
    pub name: String,
}

impl Forge {
    /// Takes an RPM with a zstd payload into parts.
    pub fn open(bytes: &[u8]) -> Self {
        let (signature, end) = tags::parse(bytes, LEAD);
        let (mut tags, payload_at) = tags::parse(bytes, end.next_multiple_of(8));
        let contents = unpack(&zstd::stream::decode_all(&bytes[payload_at..]).unwrap());
        let of_files: BTreeMap<u32, Data> =
            OF_FILES.iter().filter_map(|tag| tags.remove(tag).map(|data| (*tag, data))).collect();
        let names = of_files[&1117].texts();
        let mut files = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            let folder = &of_files[&1118].texts()[of_files[&1116].words()[index] as usize];
            let path = format!("{folder}{name}");
            let file = File {
                mode: of_files[&1030].halves()[index],
                device: of_files[&1033].halves()[index],
                mtime: of_files[&1034].words()[index],
                flags: of_files[&1037].words()[index],
                user: of_files[&1039].texts()[index].clone(),
                group: of_files[&1040].texts()[index].clone(),
                link: of_files[&1036].texts()[index].clone(),
                content: contents[&path].clone(),
                digest: None,
                archived_as: None,
                is_archived: true,
            };
            files.insert(path, file);
        }
        let Data::Text(name) = tags[&1000].clone() else { panic!("a package has a name") };
        Self {
            lead: bytes[..LEAD].to_vec(),
            signature,
            tags,
            files,
            digest_algorithm: 8,
            payload_digest: Some,
            header_digest: Some,
            last: |_| (),
            kept_records: Vec::new(),
            name,
        }
    }

    /// Puts the parts together.
    pub fn write(&self) -> Vec<u8> {
        let mut files = self.files.clone();
        self.settle_records(&mut files);
        let archive = pack(&files);
        let payload = zstd::stream::encode_all(archive.as_slice(), 1).unwrap();
        let mut tags = self.tags.clone();
        tags.extend(self.file_tags(&files));
        let size: u64 = files.values().map(|file| file.content.len() as u64).sum();
        tags.insert(1009, Data::Words(vec![size as u32]));
        match (self.payload_digest)(hex(&Sha256::digest(&payload))) {
            Some(digest) => tags.insert(5092, Data::Texts(vec![digest])),
            None => tags.remove(&5092),
        };
        let header = tags::encode(&tags, 63);
        let mut signature = self.signature.clone();
        match (self.header_digest)(hex(&Sha256::digest(&header))) {
            Some(digest) => signature.insert(273, Data::Text(digest)),
            None => signature.remove(&273),
        };
        signature.insert(1000, Data::Words(vec![(header.len() + payload.len()) as u32]));
        signature.insert(1007, Data::Words(vec![archive.len() as u32]));
        let mut bytes = self.lead.clone();
        bytes.extend(tags::encode(&signature, 62));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(header);
        bytes.extend(payload);
        (self.last)(&mut bytes);
        bytes
    }

    fn file_tags(&self, files: &BTreeMap<String, File>) -> Vec<(u32, Data)> {
        let mut folders: Vec<String> = Vec::new();
        let mut indexes = Vec::new();
        let mut names = Vec::new();
        for path in files.keys() {
            let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, name)| (folder, name));
            let folder = format!("{folder}/");
            let place = folders.iter().position(|other| *other == folder).unwrap_or_else(|| {
                folders.push(folder);
                folders.len() - 1
            });
            indexes.push(place as u32);
            names.push(name.to_owned());
        }
        let words = |of: fn(&File) -> u32| Data::Words(files.values().map(of).collect());
        let halves = |of: fn(&File) -> u16| Data::Halves(files.values().map(of).collect());
        let texts = |of: fn(&File) -> String| Data::Texts(files.values().map(of).collect());
        let count = files.len();
        let digest = |file: &File| match &file.digest {
            Some(digest) => digest.clone(),
            None if file.is_regular() => hex(&Sha256::digest(&file.content)),
            None => String::new(),
        };
        vec![
            (1028, words(|file| file.content.len() as u32)),
            (1030, halves(|file| file.mode)),
            (1033, halves(|file| file.device)),
            (1034, words(|file| file.mtime)),
            (1035, texts(digest)),
            (1036, texts(|file| file.link.clone())),
            (1037, words(|file| file.flags)),
            (1039, texts(|file| file.user.clone())),
            (1040, texts(|file| file.group.clone())),
            (1045, Data::Words(vec![u32::MAX; count])),
            (1095, Data::Words(vec![1; count])),
            (1096, Data::Words((1..=count as u32).collect())),
            (1097, Data::Texts(vec![String::new(); count])),
            (1116, Data::Words(indexes)),
            (1117, Data::Texts(names)),
            (1118, Data::Texts(folders)),
            (5011, Data::Words(vec![self.digest_algorithm])),
        ]
    }

    /// Lets each RECORD say what the files are now, without those that are gone.
    fn settle_records(&self, files: &mut BTreeMap<String, File>) {
        let records: Vec<String> = files.keys().filter(|path| path.ends_with(".dist-info/RECORD")).cloned().collect();
        for record in records.into_iter().filter(|path| !self.kept_records.contains(path)) {
            let text = String::from_utf8(files[&record].content.clone()).unwrap();
            let mut settled = String::new();
            for line in text.lines() {
                let mut fields = line.rsplitn(3, ',');
                let (_, digest) = (fields.next(), fields.next().unwrap());
                let path = fields.next().unwrap();
                let place = place_of(&record, path.trim_matches('"'));
                match files.get(&place) {
                    Some(_) if digest.is_empty() => settled.push_str(line),
                    Some(file) => settled.push_str(&format!("{path},{},{}", said(&file.content), file.content.len())),
                    None => continue,
                }
                settled.push('\n');
            }
            files.get_mut(&record).unwrap().content = settled.into_bytes();
        }
    }

    pub fn file(&mut self, path: &str) -> &mut File {
        self.files.get_mut(path).unwrap_or_else(|| panic!("the package has no `{path}`"))
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.files[path].content.clone()).unwrap()
    }

    /// Replaces a text in a file, at least once.
    pub fn replace(&mut self, path: &str, from: &str, to: &str) {
        let text = self.text(path);
        assert!(text.contains(from), "`{path}` has no `{from}`:\n{text}");
        self.file(path).content = text.replace(from, to).into_bytes();
    }

    pub fn append(&mut self, path: &str, text: &str) {
        self.file(path).content.extend_from_slice(text.as_bytes());
    }

    /// Replaces bytes by as many, everywhere in a file.
    pub fn patch(&mut self, path: &str, from: &[u8], to: &[u8]) {
        assert_eq!(from.len(), to.len(), "a patch keeps the length");
        let content = &mut self.file(path).content;
        let places: Vec<usize> =
            content.windows(from.len()).enumerate().filter(|(_, w)| *w == from).map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "`{path}` has no {from:?}");
        for at in places {
            content[at..at + to.len()].copy_from_slice(to);
        }
    }

    pub fn add(&mut self, path: &str, file: File) {
        assert!(self.files.insert(path.to_owned(), file).is_none(), "`{path}` is there already");
    }

    /// Adds a file that the RECORD of a distribution lists.
    pub fn add_to(&mut self, dist: &str, path: &str, file: File) {
        let record = self.record_of(dist);
        let base = record.rsplit_once('/').unwrap().0.rsplit_once('/').unwrap().0.to_owned();
        let row = match path.strip_prefix(&format!("{base}/")) {
            Some(relative) => relative.to_owned(),
            None => format!("../{}", path.strip_prefix(&format!("/opt/{}/", self.name)).unwrap()),
        };
        let row = format!("{row},{},{}\n", said(&file.content), file.content.len());
        self.append(&record, &row);
        self.add(path, file);
    }

    pub fn remove(&mut self, path: &str) -> File {
        self.files.remove(path).unwrap_or_else(|| panic!("the package has no `{path}`"))
    }

    /// Takes away a distribution with all that its RECORD lists.
    pub fn remove_dist(&mut self, dist: &str) {
        let record = self.record_of(dist);
        for line in self.text(&record).lines() {
            let path = line.rsplitn(3, ',').nth(2).unwrap().trim_matches('"');
            self.files.remove(&place_of(&record, path));
        }
        let folder = record.strip_suffix("RECORD").unwrap();
        self.files.retain(|path, _| !format!("{path}/").starts_with(folder));
    }

    /// The `*.dist-info` folder of a distribution, `markupsafe`.
    pub fn info_of(&self, dist: &str) -> String {
        self.record_of(dist).strip_suffix("/RECORD").unwrap().to_owned()
    }

    fn record_of(&self, dist: &str) -> String {
        let start = format!("/{dist}-");
        let is_it = |path: &&String| {
            path.strip_suffix(".dist-info/RECORD")
                .is_some_and(|folder| folder.rfind('/').is_some_and(|at| folder[at..].starts_with(&start)))
        };
        self.files.keys().find(is_it).unwrap_or_else(|| panic!("there is no `{dist}`")).clone()
    }

    /// The path of the one file that ends so.
    pub fn path(&self, end: &str) -> String {
        let mut paths = self.files.keys().filter(|path| path.ends_with(end));
        let first = paths.next().unwrap_or_else(|| panic!("the package has no `…{end}`"));
        assert!(paths.next().is_none(), "there are many `…{end}`");
        first.clone()
    }

    /// Takes away what the package requires where `is_gone` says so of its name.
    pub fn without_requires(&mut self, is_gone: impl Fn(&str) -> bool) {
        let names = self.tags[&REQUIRES[0]].texts().to_vec();
        let kept: Vec<usize> = (0..names.len()).filter(|index| !is_gone(&names[*index])).collect();
        assert!(kept.len() < names.len(), "none of {names:?} is gone");
        for tag in REQUIRES {
            let data = match &self.tags[&tag] {
                Data::Words(values) => Data::Words(kept.iter().map(|index| values[*index]).collect()),
                Data::Texts(values) => Data::Texts(kept.iter().map(|index| values[*index].clone()).collect()),
                other => panic!("{other:?}"),
            };
            self.tags.insert(tag, data);
        }
    }

    /// Puts a tag into the signature header.
    pub fn in_signature(&mut self, tag: u32, data: Data) {
        self.signature.insert(tag, data);
    }

    /// Replaces a text in a scriptlet's tag.
    pub fn replace_in_tag(&mut self, tag: u32, from: &str, to: &str) {
        let Data::Text(text) = &self.tags[&tag] else { panic!("tag {tag} is no text") };
        assert!(text.contains(from), "tag {tag} has no `{from}`:\n{text}");
        self.tags.insert(tag, Data::Text(text.replace(from, to)));
    }
}

fn said(content: &[u8]) -> String {
    format!("sha256={}", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(content)))
}

/// Where a row of a RECORD leads to.
fn place_of(record: &str, row: &str) -> String {
    let mut parts: Vec<&str> = record.split('/').collect();
    parts.truncate(parts.len() - 2);
    for part in row.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
