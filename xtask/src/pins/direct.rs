//! Files that a lock places itself, by URL or by path.

use crate::pins::{Place, PlacedFile, sha256_of};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};

/// A file at a URL, whose name is the last part of the path.
pub fn at_url(url: &str, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<PlacedFile> {
    let plain = url.split(['#', '?']).next().unwrap_or(url);
    let name = plain.rsplit('/').next().unwrap_or(plain).to_owned();
    placed(name, Place::Url(url.to_owned()), size, hash)
}

/// A file of the repository.
///
/// - Takes: `path` as the lock has it, relative to the folder of `lock`.
pub fn at_path(lock: &Utf8Path, path: &str, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<PlacedFile> {
    let path = normal(lock.parent().unwrap_or(Utf8Path::new("")), path)?;
    let name = path.file_name().unwrap_or_default().to_owned();
    placed(name, Place::Path(path), size, hash)
}

fn placed(name: String, at: Place, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<PlacedFile> {
    ensure!(name.contains('.'), "its reference does not end in the name of a file");
    let hash = hash.context("the lock has no hash of its file")?;
    let sha256 = sha256_of(hash)?.context("the hash of its file is no sha256")?;
    Ok(PlacedFile { name, at, size, sha256 })
}

/// `path` below `folder`, without `.` and `..`; one that leaves the repository is an error.
pub fn normal(folder: &Utf8Path, path: &str) -> anyhow::Result<Utf8PathBuf> {
    let path = path.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.as_bytes().get(1) == Some(&b':');
    ensure!(!is_absolute, "its path is absolute, and the next checkout is elsewhere");
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.as_str().split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => ensure!(parts.pop().is_some(), "its path leaves the repository"),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_repository() {
        #[rustfmt::skip]
        let cases = [ // folder     path                  below the repository
            ("app",     "../vendor/x.whl",    Some("vendor/x.whl")),
            ("",        "./x.whl",            Some("x.whl")),
            (".",       "a\\x.whl",           Some("a/x.whl")),
            ("app",     "../../x.whl",        None),
            ("app",     "/x.whl",             None),
            ("app",     "C:/x.whl",           None),
        ];
        for (folder, path, below) in cases {
            assert_eq!(normal(Utf8Path::new(folder), path).ok().as_deref().map(Utf8Path::as_str), below, "{path}");
        }
    }

    #[test]
    fn a_file_has_a_name_and_a_sha256() {
        let hash = format!("sha256:{}", "a".repeat(64));
        assert_eq!(at_url("https://code.example/x-1.whl?t=1#f", None, Some(&hash)).unwrap().name, "x-1.whl");
        assert!(at_url("https://code.example/x/", None, Some(&hash)).is_err());
        assert!(at_url("https://code.example/x-1.whl", None, Some("md5:00")).is_err());
        assert!(at_path(Utf8Path::new("app/uv.lock"), "x-1.whl", None, None).is_err());
    }
}
