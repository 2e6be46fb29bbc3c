//! Files that a lock names itself, by URL or by a path of the repository, in place of an index (PEP 508, "direct reference").

use crate::file_names::{is_archive, name_in_url};
use crate::hashes::sha256_of;
use crate::paths::{folder_of, inside, percent_decoded};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::{Problem, shortened};

/// A file that a lock places itself: a direct reference (PEP 508), or a file of the repository.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectFile {
    /// the file's name
    pub name: String,
    /// where it is
    pub at: FileLocation,
    /// in bytes, where the lock says it
    pub size: Option<u64>,
    /// lower-case hex
    pub sha256: String,
    /// the folder of a source distribution that is built; none for the whole of it
    pub subdirectory: Option<Utf8PathBuf>,
}

impl DirectFile {
    /// The file, of which a folder is built.
    ///
    /// # Errors
    /// If the folder is not one of the archive, or the file is a wheel, of which nothing is built.
    pub(crate) fn with_subdirectory(self, folder: Option<&str>) -> anyhow::Result<Self> {
        let Some(folder) = folder.filter(|folder| !folder.is_empty()) else { return Ok(self) };
        ensure!(!self.name.ends_with(".whl"), "`subdirectory` of a wheel has no meaning");
        let plain = inside(Utf8Path::new(""), folder);
        let plain =
            plain.with_context(|| format!("`subdirectory = \"{}\"` leads out of the archive", shortened(folder)))?;
        Ok(Self { subdirectory: Some(plain).filter(|plain| !plain.as_str().is_empty()), ..self })
    }
}

/// Where a file is.
#[derive(Clone, PartialEq, Eq)]
pub enum FileLocation {
    /// it may hold a credential, so it is never shown
    Url(String),
    /// relative to the repository
    Path(Utf8PathBuf),
}

impl std::fmt::Debug for FileLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url(…)"),
            Self::Path(path) => write!(f, "Path({path})"),
        }
    }
}

impl std::fmt::Debug for DirectFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DirectFile({}, {})", self.name, self.sha256)
    }
}

/// A file at a URL, whose name is the last part of its path.
pub(crate) fn at_url(url: &str, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<DirectFile> {
    let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
    let folder = fragment.split('&').find_map(|part| part.strip_prefix("subdirectory=")).map(percent_decoded);
    let folder = folder.map(|folder| folder.context("its `#subdirectory=` is not UTF-8")).transpose()?;
    direct_file(name_in_url(url)?, FileLocation::Url(url.to_owned()), size, hash)?.with_subdirectory(folder.as_deref())
}

/// A file of the repository.
///
/// `path` is as the lock has it, relative to the folder of `lock`.
pub(crate) fn at_path(
    lock: &Utf8Path,
    path: &str,
    size: Option<u64>,
    hash: Option<&str>,
) -> anyhow::Result<DirectFile> {
    let path = inside(folder_of(lock), path).context("its path leaves the repository")?;
    let name = path.file_name().unwrap_or_default().to_owned();
    direct_file(name, FileLocation::Path(path), size, hash)
}

fn direct_file(name: String, at: FileLocation, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<DirectFile> {
    ensure!(is_archive(&name), "its reference does not end in the name of a wheel or an sdist");
    let hash = hash.context("the lock has no hash of its file")?;
    let sha256 = sha256_of(hash)?.context("the hash of its file is no sha256")?;
    Ok(DirectFile { name, at, size, sha256, subdirectory: None })
}

/// The error for one file with the hashes of several.
pub(crate) fn several_hashes(file: &str, count: usize) -> anyhow::Error {
    Problem::with_hint(
        format!("the one file `{}` has {count} hashes, and which one is its own is not said", shortened(file)),
        "keep the one that `pip hash FILE` prints for it, or name it in a `requirements.txt` with `#sha256=…` behind its URL",
    )
}

/// The error for what has no file that could be packed.
///
/// `obstacle` is the end of the sentence: `comes from a folder`.
pub(crate) fn no_file(what: impl std::fmt::Display, obstacle: &str) -> anyhow::Error {
    Problem::with_hint(
        format!("{what} {obstacle}, and only wheels and sdists with a sha256 can be packed"),
        "publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{DIGEST, read, said};

    #[test]
    fn a_file_has_a_name_and_a_sha256() {
        let hash = format!("sha256:{}", "a".repeat(64));
        assert_eq!(at_url("https://code.example/x-1.whl?t=1#f", None, Some(&hash)).unwrap().name, "x-1.whl");
        assert!(at_url("https://code.example/x/", None, Some(&hash)).is_err());
        assert!(at_url("https://code.example/x-1.whl", None, Some("md5:00")).is_err());
        assert!(at_path(Utf8Path::new("app/uv.lock"), "x-1.whl", None, None).is_err());
        assert!(at_path(Utf8Path::new("app/uv.lock"), "../../x-1.whl", None, Some(&hash)).is_err());
    }

    #[test]
    fn the_folder_of_an_archive_is_read_from_each_lock() {
        let url = "https://code.example/mono-3.zip";
        let uv = format!(
            "version = 1\n[[package]]\nname = \"shop\"\nversion = \"1\"\nsource = {{ virtual = \".\" }}\ndependencies = [{{ name = \"x\" }}]\n\
             [[package]]\nname = \"x\"\nversion = \"1\"\nsource = {{ url = \"{url}\", subdirectory = \"a/x\" }}\nsdist = {{ hash = \"sha256:{DIGEST}\" }}\n"
        );
        let poetry = format!(
            "[[package]]\nname = \"x\"\nversion = \"1\"\ngroups = [\"main\"]\nfiles = [{{file = \"mono-3.zip\", hash = \"sha256:{DIGEST}\"}}]\n\
             [package.source]\ntype = \"url\"\nurl = \"{url}\"\nsubdirectory = \"a/x\"\n[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\n"
        );
        let pdm = format!(
            "[metadata]\ngroups = [\"default\"]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"x\"\nversion = \"1\"\ngroups = [\"default\"]\n\
             url = \"{url}\"\nsubdirectory = \"a/x\"\nfiles = [{{file = \"mono-3.zip\", hash = \"sha256:{DIGEST}\"}}]\n"
        );
        let in_url = pdm.replace("subdirectory = \"a/x\"\n", "").replace(url, &format!("{url}#subdirectory=a%2Fx"));
        for (name, text) in [("uv.lock", &uv), ("poetry.lock", &poetry), ("pdm.lock", &pdm), ("pdm.lock", &in_url)] {
            let of = |text: &str| read(&[(name, text)], "");
            let file = of(text).unwrap().pins[0].files[0].clone();
            assert_eq!(file.subdirectory.as_ref().map(|folder| folder.as_str()), Some("a/x"), "{name}");
            let whole = of(&text.replace("a/x", ".").replace("a%2Fx", ".")).unwrap().pins[0].files[0].clone();
            assert_eq!(whole.subdirectory, None, "{name}");
            let error = said(&of(&text.replace("a/x", "../x").replace("a%2Fx", "../x")).unwrap_err());
            assert!(error.contains("leads out of the archive"), "{name}: {error}");
        }
    }
}
