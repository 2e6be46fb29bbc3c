//! What earlier runs made, with what decided its bytes: what is the same and still whole is not made again.
//!
//! What is noted here is believed only together with the bytes that it is about: a file is the same where it has the
//! sha256 that was noted, and what it is made from is the same, this program included.

use crate::Project;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::Metadata;
use std::time::UNIX_EPOCH;
use wheelhaul_host::{Bounds, Cache, key_of, sha256_of};

/// What is kept of notes: a page and a verdict are a megabyte at most.
const KEPT: Bounds = Bounds { most_bytes: 100 << 20, ..Bounds::USUAL };

/// This program, by where its file is, its size, time and number: what is built anew is another one. Its digest would take
/// as long as all else in a small build. None where that cannot be read; then nothing is taken from earlier runs.
fn this_program() -> Option<String> {
    let path = Utf8PathBuf::try_from(std::env::current_exe().ok()?).ok()?;
    Some(format!("{path} {}", identity(&path.metadata().ok()?)))
}

/// Names what a thing is made from: `inputs`, by this program. None where nothing is to be taken from earlier runs.
pub(crate) fn name<'w>(project: &Project, inputs: impl IntoIterator<Item = &'w [u8]>) -> Option<String> {
    // What is built to be compared must not be what it is compared with.
    let program = this_program().filter(|_| !project.makes_elsewhere())?;
    let inputs = key_of(inputs);
    Some(key_of([program.as_bytes(), inputs.as_bytes()]))
}

/// What was noted under a name.
pub(crate) fn noted<T: Serialize + DeserializeOwned>(project: &Project, name: &str) -> Option<T> {
    notes(project).read(name)
}

/// Notes something under a name; where that fails, the next run makes it again.
pub(crate) fn note<T: Serialize>(project: &Project, name: &str, about: &T) {
    notes(project).keep(&project.sys, name, about);
}

fn notes(project: &Project) -> Cache {
    project.sys.repository_cache("made", KEPT)
}

/// Gives the identity of a file where it is a file and has this sha256.
pub(crate) fn whole(path: &Utf8Path, sha256: &str) -> Option<String> {
    // A rename takes the place of a link, and so it is to be.
    let data = path.symlink_metadata().ok().filter(Metadata::is_file)?;
    (sha256_of(path).ok()? == sha256).then(|| identity(&data))
}

/// Tells a file from any that takes its place: another run may write its own between two looks of this one.
pub(crate) fn identity(data: &Metadata) -> String {
    let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(data);
    #[cfg(not(unix))]
    let number = 0;
    format!("{} {time:?} {number}", data.len())
}

/// Whether the file at a path is still that of an identity.
pub(crate) fn is_still(path: &Utf8Path, identity: &str) -> bool {
    path.symlink_metadata().is_ok_and(|data| self::identity(&data) == identity)
}

#[cfg(test)]
mod tests {
    use super::*;

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
