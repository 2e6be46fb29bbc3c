//! What earlier runs made, with what decided its bytes: what is the same and still whole is not made again.
//!
//! What is noted here is believed only together with the bytes that it is about: a file is the same where it has the
//! sha256 that was noted, and what it is made from is the same, this program included.

use crate::Project;
use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::Metadata;
use std::time::{Duration, UNIX_EPOCH};
use wheelhaul_base::hex::hex;
use wheelhaul_host::{Bounds, sha256_of};

/// What is kept of notes: a page and a verdict are a megabyte at most.
const KEPT: Bounds = Bounds { longest_unused: Duration::from_secs(30 * 24 * 3600), most_bytes: 100 << 20 };

/// The folder of notes in the workspace.
pub const NOTES: &str = "made";

/// A note as it lies on disk.
#[derive(Serialize, Deserialize)]
struct Note<T> {
    /// of `about`, and of the name of the note: what is damaged or was put elsewhere tells nothing
    sha256: String,
    about: T,
}

/// A digest of words, which no word can pass for two of.
pub fn digest_of<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> String {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update((word.len() as u64).to_le_bytes());
        hasher.update(word);
    }
    hex(&hasher.finalize())
}

/// This program, by where its file is, its size, time and number: what is built anew is another one. Its digest would take
/// as long as all else in a small build. None where that cannot be read; then nothing is taken from earlier runs.
fn this_program() -> Option<String> {
    let path = Utf8PathBuf::try_from(std::env::current_exe().ok()?).ok()?;
    Some(format!("{path} {}", identity(&path.metadata().ok()?)))
}

/// Names what a thing is made from: `inputs`, by this program. None where nothing is to be taken from earlier runs.
pub fn name<'w>(project: &Project, inputs: impl IntoIterator<Item = &'w [u8]>) -> Option<String> {
    // What is built to be compared must not be what it is compared with.
    let program = this_program().filter(|_| !project.makes_elsewhere())?;
    let inputs = digest_of(inputs);
    Some(digest_of([program.as_bytes(), inputs.as_bytes()]))
}

/// What was noted under a name.
pub fn noted<T: Serialize + DeserializeOwned>(project: &Project, name: &str) -> Option<T> {
    let path = place(project, name)?;
    let bytes = fs_err::read(&path).ok()?;
    let note: Note<T> = serde_json::from_slice(&bytes).ok()?;
    if checksum(name, &note.about)? != note.sha256 {
        return None;
    }
    // By its time the folder knows what is still used.
    let _ = fs_err::File::open(&path).and_then(|file| file.file().set_modified(std::time::SystemTime::now()));
    Some(note.about)
}

/// Notes something under a name; where that fails, the next run makes it again.
pub fn note<T: Serialize>(project: &Project, name: &str, about: T) {
    let (Some(sha256), Some(path)) = (checksum(name, &about), place(project, name)) else { return };
    let written = serde_json::to_vec(&Note { sha256, about })
        .map_err(anyhow::Error::from)
        .and_then(|bytes| project.sys.write(&path, &bytes));
    match written {
        Ok(()) => path.parent().into_iter().for_each(|folder| KEPT.hold(folder)),
        Err(error) => project.sys.detail(format!("what was made is not noted: {error:#}")),
    }
}

/// Gives the identity of a file where it is a file and has this sha256.
pub fn whole(path: &Utf8Path, sha256: &str) -> Option<String> {
    // A rename takes the place of a link, and so it is to be.
    let data = path.symlink_metadata().ok().filter(Metadata::is_file)?;
    (sha256_of(path).ok()? == sha256).then(|| identity(&data))
}

/// Tells a file from any that takes its place: another run may write its own between two looks of this one.
pub fn identity(data: &Metadata) -> String {
    let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(data);
    #[cfg(not(unix))]
    let number = 0;
    format!("{} {time:?} {number}", data.len())
}

/// Whether the file at a path is still that of an identity.
pub fn is_still(path: &Utf8Path, identity: &str) -> bool {
    path.symlink_metadata().is_ok_and(|data| self::identity(&data) == identity)
}

fn place(project: &Project, name: &str) -> Option<Utf8PathBuf> {
    Some(project.sys.workspace_folder(NOTES)?.join(format!("{name}.json")))
}

fn checksum<T: Serialize>(name: &str, about: &T) -> Option<String> {
    let bytes = serde_json::to_vec(about).ok()?;
    Some(digest_of([name.as_bytes(), &bytes]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_not_run_into_each_other() {
        let of = |words: &[&str]| digest_of(words.iter().map(|word| word.as_bytes()));
        let different = [of(&["ab", "c"]), of(&["a", "bc"]), of(&["abc"]), of(&["abc", ""]), of(&[])];
        for (place, digest) in different.iter().enumerate() {
            assert!(!different[..place].contains(digest), "{place}");
        }
        assert_eq!(of(&["ab", "c"]), different[0]);
    }

    #[test]
    fn what_is_no_file_or_another_one_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let file = folder.join("file");
        fs_err::write(&file, "bytes").unwrap();
        let sha256 = sha256_of(&file).unwrap();
        let identity = whole(&file, &sha256).unwrap();
        assert!(is_still(&file, &identity));
        assert!(whole(folder, &sha256).is_none() && whole(&folder.join("none"), &sha256).is_none());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&file, folder.join("link")).unwrap();
            assert!(whole(&folder.join("link"), &sha256).is_none());
        }
        fs_err::write(folder.join("other"), "bytes").unwrap();
        fs_err::rename(folder.join("other"), &file).unwrap();
        assert!(whole(&file, &sha256).is_some() && !is_still(&file, &identity));
        fs_err::write(&file, "Bytes").unwrap();
        assert!(whole(&file, &sha256).is_none());
    }
}
