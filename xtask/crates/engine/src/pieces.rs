//! Compressed pieces of payloads, kept between runs in the user's cache folder: a release in which only the
//! application changed compresses only the application.
//!
//! One file a piece, named by its key, with a checksum of key and bytes at its end that is looked at before each use. The
//! checksum finds damage; it is no signature, and need not be: who can write here can write the wheels as well.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;
use wheelhaul_host::{Bounds, SCRATCH, Scratch, own_folder};
use wheelhaul_package::rpm::{KeptPieces, NewPiece, PieceKey};
use xxhash_rust::xxh3::Xxh3;

/// The folder's name, in the user's cache.
pub(crate) const PIECES: &str = "pieces";
/// What the store keeps: forty releases of a large application with all that it needs.
const KEPT: Bounds = Bounds { longest_unused: Duration::from_secs(90 * 24 * 3600), most_bytes: 4 << 30 };
/// A piece that is larger than this part of the store, before compression, is not kept: it would drive out all others.
const LARGEST_PART: u64 = 4;
/// A piece up to this is read once and checked in memory; a larger one is read twice.
const IN_MEMORY: u64 = 8 << 20;
/// Checksum and mark, at the end of each file.
const TAIL: usize = 24;
const MARK: &[u8; 8] = b"xtaskpc2";

/// The folder of pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    folder: Utf8PathBuf,
    /// whether the folder is there and can be trusted
    is_own: bool,
    /// where pieces are until they are whole; made with the first
    scratch: OnceLock<Option<Scratch>>,
    bounds: Bounds,
    added: AtomicBool,
    /// so many were there and could not be taken
    damaged: AtomicUsize,
    /// why the first that was not kept could not be
    trouble: OnceLock<String>,
}

impl Pieces {
    /// The pieces in a folder, which is made where it is not there. Nothing is taken from one that others can write.
    pub(crate) fn in_folder(folder: Utf8PathBuf) -> Self {
        Self::within(folder, KEPT)
    }

    /// The same, with bounds of their own.
    pub(crate) fn within(folder: Utf8PathBuf, bounds: Bounds) -> Self {
        let trouble = OnceLock::new();
        let own = own_folder(&folder).map_err(|why| drop(trouble.set(why.to_string()))).ok();
        let (is_own, folder) = (own.is_some(), own.unwrap_or(folder));
        let (added, damaged) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { folder, is_own, scratch: OnceLock::new(), bounds, added, damaged, trouble }
    }

    /// What kept the store from being of use, in lines.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let damaged = self.damaged.load(Ordering::Relaxed);
        let damaged = (damaged > 0).then(|| {
            format!("`{}` had {damaged} that could not be read or were damaged; they were made anew", self.folder)
        });
        let trouble = self.trouble.get().map(|why| format!("nothing more is kept in `{}`: {why}", self.folder));
        damaged.into_iter().chain(trouble).collect()
    }

    /// Takes what is there, or says why that is not to be had.
    fn noticed<T>(&self, made: io::Result<T>) -> Option<T> {
        made.map_err(|error| drop(self.trouble.set(error.to_string()))).ok()
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Beside the folder, on the same file system, so that a rename suffices.
    fn scratch(&self) -> Option<&Scratch> {
        let make = || {
            let place = self.folder.with_file_name(SCRATCH);
            self.noticed(
                Scratch::new_in(&place, "pieces-").map_err(|error| std::io::Error::other(format!("{error:#}"))),
            )
        };
        self.scratch.get_or_init(make).as_ref()
    }

    fn path(&self, key: &PieceKey) -> Utf8PathBuf {
        self.folder.join(key.to_string())
    }

    /// Opens a piece; gives it with its size, at its start and known to be whole, or already read.
    fn open(&self, key: &PieceKey) -> Option<(File, u64, Option<Vec<u8>>)> {
        if !self.is_own {
            return None;
        }
        let path = self.path(key);
        // A pipe would be waited for.
        path.symlink_metadata().ok().filter(|data| data.is_file())?;
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let size = length.checked_sub(TAIL as u64)?;
        let mut content = None;
        let (digest, tail) = if length <= IN_MEMORY {
            let mut bytes = Vec::with_capacity(length as usize);
            file.read_to_end(&mut bytes).ok()?;
            let tail = bytes.split_off(size.min(bytes.len() as u64) as usize);
            let mut hasher = hasher_of(key);
            hasher.update(&bytes);
            content = Some(bytes);
            (hasher.digest128(), tail)
        } else {
            let mut hasher = hasher_of(key);
            let mut reader = BufReader::with_capacity(1 << 18, &mut file);
            copy_to(&mut (&mut reader).take(size), |bytes| {
                hasher.update(bytes);
                Ok(())
            })
            .ok()?;
            let mut tail = Vec::new();
            reader.read_to_end(&mut tail).ok()?;
            drop(reader);
            file.rewind().ok()?;
            (hasher.digest128(), tail)
        };
        (tail == tail_of(digest)).then_some((file, size, content))
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        // Nothing needs to be looked at where nothing was added.
        if self.added.load(Ordering::Relaxed) {
            self.bounds.hold(&self.folder);
        }
    }
}

/// What is kept under another name is no other piece.
fn hasher_of(key: &PieceKey) -> Xxh3 {
    let mut hasher = Xxh3::new();
    hasher.update(key.to_string().as_bytes());
    hasher
}

fn tail_of(digest: u128) -> Vec<u8> {
    [&digest.to_le_bytes()[..], MARK].concat()
}

/// Hands on all that is read, without a buffer of its own.
fn copy_to(from: &mut dyn io::BufRead, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        take(bytes)?;
        let length = bytes.len();
        from.consume(length);
    }
}

impl KeptPieces for Pieces {
    fn copy(&self, key: &PieceKey, out: &mut dyn Write) -> io::Result<Option<u64>> {
        let Some((file, size, content)) = self.open(key) else {
            let is_there = self.is_own && self.path(key).symlink_metadata().is_ok();
            self.damaged.fetch_add(usize::from(is_there), Ordering::Relaxed);
            return Ok(None);
        };
        // By its time the store knows what is still used; where it cannot be set, the piece goes sooner.
        let _ = file.set_modified(SystemTime::now());
        match content {
            Some(bytes) => out.write_all(&bytes)?,
            None => {
                let mut reader = BufReader::with_capacity(1 << 18, file);
                copy_to(&mut (&mut reader).take(size), |bytes| out.write_all(bytes))?;
            }
        }
        Ok(Some(size))
    }

    fn begin(&self, key: &PieceKey, size: u64) -> Option<Box<dyn NewPiece + '_>> {
        if !self.is_own || size > self.bounds.most_bytes / LARGEST_PART {
            return None;
        }
        let scratch = self.scratch()?;
        let file = self.noticed(NamedTempFile::new_in(scratch.folder()))?;
        Some(Box::new(New {
            file: BufWriter::with_capacity(1 << 18, file),
            hasher: hasher_of(key),
            path: self.path(key),
            store: self,
        }))
    }
}

/// A piece that is being written, under another name.
struct New<'a> {
    file: BufWriter<NamedTempFile>,
    hasher: Xxh3,
    path: Utf8PathBuf,
    store: &'a Pieces,
}

impl Write for New<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.file.write_all(bytes) {
            let _ = self.store.trouble.set(error.to_string());
            return Err(error);
        }
        self.hasher.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl NewPiece for New<'_> {
    fn finish(self: Box<Self>) {
        let tail = tail_of(self.hasher.digest128());
        let Self { mut file, path, store, .. } = *self;
        let written = file.write_all(&tail).and_then(|()| file.into_inner().map_err(io::IntoInnerError::into_error));
        let kept = written.and_then(|file| file.persist(path).map_err(|error| error.error));
        if store.noticed(kept).is_some() {
            store.added.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_package::rpm::PieceKey;

    struct Folder {
        _keep: tempfile::TempDir,
        store: Pieces,
    }

    fn folder() -> Folder {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(keep.path().join("new/pieces")).unwrap();
        Folder { _keep: keep, store: Pieces::in_folder(path) }
    }

    fn keep(store: &Pieces, key: &PieceKey, content: &[u8]) {
        let mut new = store.begin(key, content.len() as u64).unwrap();
        content.chunks(1000).for_each(|chunk| new.write_all(chunk).unwrap());
        new.finish();
    }

    fn copy(store: &Pieces, key: &PieceKey) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let size = store.copy(key, &mut out).unwrap();
        assert_eq!(size.unwrap_or_default(), out.len() as u64);
        size.map(|_| out)
    }

    #[test]
    fn what_is_kept_comes_back_and_nothing_else_does() {
        let Folder { store, .. } = &folder();
        let (key, other) = (PieceKey::of(b"1"), PieceKey::of(b"2"));
        assert_eq!(copy(store, &key), None);
        for size in [0, 1, 100_000, IN_MEMORY as usize, IN_MEMORY as usize + 5] {
            let content: Vec<u8> = (0..size).map(|byte| (byte * 7 / 3) as u8).collect();
            keep(store, &key, &content);
            assert!(copy(store, &key).as_deref() == Some(&content[..]), "{size}");
            assert_eq!(copy(store, &other), None);
        }
        // What was not finished was never there.
        drop(store.begin(&other, 3));
        assert_eq!(copy(store, &other), None);
        assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 1);
        assert!(store.begin(&other, KEPT.most_bytes / LARGEST_PART + 1).is_none());
    }

    #[test]
    fn the_store_keeps_to_its_bounds() {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let folder = folder();
        let bounds = Bounds { longest_unused: DAY, most_bytes: 10_000 };
        let of = |number: u64| PieceKey::of(&number.to_le_bytes());
        for number in 0..20 {
            // A run for each; the later, the younger.
            let store = Pieces::within(folder.store.folder().to_owned(), bounds);
            keep(&store, &of(number), &[7; 2000]);
            let time = SystemTime::now() - Duration::from_secs(100 - number);
            File::options().append(true).open(store.path(&of(number))).unwrap().set_modified(time).unwrap();
            // What is used stays, whatever its age.
            assert!(number == 0 || copy(&store, &of(0)).is_some(), "{number}");
        }
        let store = Pieces::within(folder.store.folder().to_owned(), bounds);
        let there: Vec<u64> = (0..20).filter(|number| copy(&store, &of(*number)).is_some()).collect();
        assert_eq!(there, [0, 17, 18, 19], "four of them are 8096 bytes, and five would be too much");
        let old = SystemTime::now() - 2 * DAY;
        File::options().append(true).open(store.path(&of(18))).unwrap().set_modified(old).unwrap();
        keep(&store, &of(30), b"");
        drop(store);
        assert!(copy(&folder.store, &of(18)).is_none() && copy(&folder.store, &of(19)).is_some());
    }

    #[test]
    fn what_keeps_the_store_from_being_of_use_is_said() {
        let Folder { store, .. } = &folder();
        assert_eq!(copy(store, &PieceKey::of(b"1")), None);
        assert_eq!(store.troubles(), Vec::<String>::new());
        std::fs::create_dir_all(store.path(&PieceKey::of(b"1"))).unwrap();
        assert_eq!(copy(store, &PieceKey::of(b"1")), None);
        keep(store, &PieceKey::of(b"1"), b"x");
        let said = store.troubles().join("\n");
        assert!(said.contains("had 1 that could not be read") && said.contains("nothing more is kept"), "{said}");
        std::fs::remove_dir_all(store.folder()).unwrap();
        std::fs::write(store.folder(), "a file").unwrap();
        assert!(Pieces::in_folder(store.folder().to_owned()).begin(&PieceKey::of(b"2"), 3).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_taken_from_a_folder_that_others_can_write() {
        use std::os::unix::fs::PermissionsExt as _;
        let Folder { store, .. } = &folder();
        let key = PieceKey::of(b"1");
        keep(store, &key, b"planted");
        for (mode, is_taken) in [(0o755, true), (0o777, false)] {
            std::fs::set_permissions(store.folder(), std::fs::Permissions::from_mode(mode)).unwrap();
            let again = Pieces::in_folder(store.folder().to_owned());
            assert_eq!(copy(&again, &key).is_some(), is_taken);
            assert_eq!(again.begin(&key, 3).is_some(), is_taken);
            assert_eq!(again.troubles().is_empty(), is_taken, "{:?}", again.troubles());
        }
    }

    #[test]
    fn a_piece_under_the_name_of_another_is_none() {
        let Folder { store, .. } = &folder();
        let (key, other) = (PieceKey::of(b"1"), PieceKey::of(b"2"));
        for size in [100, IN_MEMORY as usize + 5] {
            keep(store, &key, &vec![1; size]);
            keep(store, &other, &vec![2; size]);
            std::fs::copy(store.path(&key), store.path(&other)).unwrap();
            assert!(copy(store, &key).is_some() && copy(store, &other).is_none());
        }
    }

    #[test]
    fn what_is_damaged_is_as_if_it_were_not_there_and_is_replaced() {
        let Folder { store, .. } = &folder();
        let key = PieceKey::of(b"1");
        for size in [100, IN_MEMORY as usize + 5] {
            let content = vec![7; size];
            keep(store, &key, &content);
            let path = store.path(&key);
            let whole = std::fs::read(&path).unwrap();
            let mut damaged: Vec<Vec<u8>> = Vec::new();
            for cut in [0, 1, TAIL - 1, TAIL, size, whole.len() - 1] {
                damaged.push(whole[..cut].to_vec());
            }
            damaged.push([&whole[..], b"x"].concat());
            for place in [0, size / 2, size, whole.len() - 1] {
                let mut flipped = whole.clone();
                flipped[place] ^= 1;
                damaged.push(flipped);
            }
            for bytes in damaged {
                std::fs::write(&path, &bytes).unwrap();
                assert!(copy(store, &key).is_none(), "{} of {} bytes", bytes.len(), whole.len());
                keep(store, &key, &content);
                assert!(copy(store, &key).as_deref() == Some(&content[..]));
            }
        }
    }
}
