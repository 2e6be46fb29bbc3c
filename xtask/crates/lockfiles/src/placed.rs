//! Files that a lock places itself: what their names tell, and paths that stay in the repository.

use crate::{Place, PlacedFile, sha256_of};
use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, shortened};

/// The ends of the names of source distributions; today's are `.tar.gz`, old ones may be any of them.
const SDISTS: [&str; 6] = [".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar"];
const WHEEL: &str = ".whl";

/// Whether a path or URL ends like a wheel or a source distribution.
pub(super) fn is_archive(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(WHEEL) || SDISTS.iter().any(|end| path.ends_with(end))
}

/// Whether a file is a wheel of the same name and version, spelt alike, as one that was looked at.
pub(super) fn is_wheel_like(file: &str, known: &str) -> bool {
    let front = |name: &str| name.match_indices('-').nth(1).map(|(at, _)| at + 1);
    let Some(length) = front(known).filter(|length| file.get(..*length) == known.get(..*length)) else { return false };
    let rest = file[length..].strip_suffix(WHEEL).unwrap_or_default();
    matches!(rest.split('-').count(), 3 | 4) && rest.split('-').all(|part| !part.is_empty())
}

/// The package and version that a file's name tells (binary distribution format, "File name convention";
/// source distribution format, "Source distribution file name").
///
/// - Takes: `expected`, which tells where the name of an old source distribution ends.
/// - Fails: also for a file of another package than `expected`.
pub(super) fn told_by(file: &str, expected: Option<&PackageName>) -> anyhow::Result<(PackageName, Version)> {
    let told = match file.strip_suffix(WHEEL) {
        Some(stem) => told_by_wheel(stem),
        None => told_by_sdist(file, expected),
    };
    let (name, version) =
        told.with_context(|| format!("`{}` is not the name of a wheel or an sdist", shortened(file)))?;
    if let Some(expected) = expected.filter(|expected| **expected != name) {
        bail!("`{}` is a file of `{name}` and not of `{expected}`", shortened(file));
    }
    Ok((name, version))
}

fn told_by_wheel(stem: &str) -> anyhow::Result<(PackageName, Version)> {
    let parts: Vec<&str> = stem.splitn(7, '-').collect();
    ensure!(matches!(parts.len(), 5 | 6) && parts.iter().all(|part| !part.is_empty()), "its parts are not 5 or 6");
    // Old tools escaped the `+` before a local version.
    let version = Version::from_str(parts[1]).or_else(|_| Version::from_str(&parts[1].replacen('_', "+", 1)))?;
    Ok((package_name(parts[0])?, version))
}

fn told_by_sdist(file: &str, expected: Option<&PackageName>) -> anyhow::Result<(PackageName, Version)> {
    let stem = SDISTS.iter().find_map(|end| file.strip_suffix(end)).context("its end is of neither")?;
    ensure!(stem.len() <= 400, "it is longer than any");
    let splits = stem.match_indices('-').map(|(at, _)| (&stem[..at], &stem[at + 1..]));
    let mut found =
        splits.filter_map(|(name, version)| Some((package_name(name).ok()?, Version::from_str(version).ok()?)));
    let told = match expected {
        Some(expected) => found.find(|(name, _)| name == expected),
        None => None,
    };
    match told {
        Some(told) => Ok(told),
        None => {
            let (name, version) = stem.rsplit_once('-').context("it has no version")?;
            Ok((package_name(name)?, Version::from_str(version)?))
        }
    }
}

/// A package's name, normalized (PEP 503).
pub(super) fn package_name(text: &str) -> anyhow::Result<PackageName> {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= 200;
    ensure!(is_name, "`{}` is not the name of a package", shortened(text));
    Ok(PackageName::from_str(text)?)
}

/// The name of the file at a URL: the last component of its path, decoded.
///
/// - Fails: where that is no plain name.
pub fn name_in_url(url: &str) -> anyhow::Result<String> {
    // By bytes, which in UTF-8 are the characters themselves: locks have tens of thousands of URLs.
    let path = memchr::memchr2(b'#', b'?', url.as_bytes()).map_or(url, |end| &url[..end]);
    let last = memchr::memrchr(b'/', path.as_bytes()).map_or(path, |at| &path[at + 1..]);
    let name = percent_decoded(last).context("the name of the file in the URL is not UTF-8")?;
    let is_ordinary = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b'\\';
    let is_plain = !name.is_empty()
        && (name.bytes().all(is_ordinary)
            || !name.contains('/') && !name.contains('\\') && !name.chars().any(char::is_control));
    ensure!(is_plain, "the URL does not end in the name of a file");
    Ok(name)
}

/// Decodes `%XX` (RFC 3986, section 2.1).
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let coded = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match coded.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A path as a lock writes it, relative to `folder` of the repository, made plain: `.` and `..` are resolved.
///
/// - Gives: none for an absolute path and for one that leaves the repository.
pub(super) fn inside(folder: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
    let path = if path.contains('/') { path.to_owned() } else { path.replace('\\', "/") };
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with(['/', '\\']) || has_drive || path.contains('\0') {
        return None;
    }
    let mut plain: Vec<&str> = Vec::new();
    for part in folder.as_str().split(['/', '\\']).chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(plain.pop()?),
            part => plain.push(part),
        }
    }
    Some(Utf8PathBuf::from(plain.join("/")))
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new(""))
}

/// A file at a URL, whose name is the last part of its path.
pub(super) fn at_url(url: &str, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<PlacedFile> {
    let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
    let folder = fragment.split('&').find_map(|part| part.strip_prefix("subdirectory=")).map(percent_decoded);
    let folder = folder.map(|folder| folder.context("its `#subdirectory=` is not UTF-8")).transpose()?;
    placed(name_in_url(url)?, Place::Url(url.to_owned()), size, hash)?.with_subdirectory(folder.as_deref())
}

/// A file of the repository.
///
/// - Takes: `path` as the lock has it, relative to the folder of `lock`.
pub(super) fn at_path(
    lock: &Utf8Path,
    path: &str,
    size: Option<u64>,
    hash: Option<&str>,
) -> anyhow::Result<PlacedFile> {
    let path = inside(folder_of(lock), path).context("its path leaves the repository")?;
    let name = path.file_name().unwrap_or_default().to_owned();
    placed(name, Place::Path(path), size, hash)
}

fn placed(name: String, at: Place, size: Option<u64>, hash: Option<&str>) -> anyhow::Result<PlacedFile> {
    ensure!(is_archive(&name), "its reference does not end in the name of a wheel or an sdist");
    let hash = hash.context("the lock has no hash of its file")?;
    let sha256 = sha256_of(hash)?.context("the hash of its file is no sha256")?;
    Ok(PlacedFile { name, at, size, sha256, subdirectory: None })
}

/// The error for one file with the hashes of several.
pub(super) fn several_hashes(file: &str, count: usize) -> anyhow::Error {
    Problem::with_hint(
        format!("the one file `{}` has {count} hashes, and which one is its own is not said", shortened(file)),
        "keep the one that `pip hash FILE` prints for it, or name it in a `requirements.txt` with `#sha256=…` behind its URL",
    )
}

/// The error for what has no file that could be packed.
///
/// - Takes: `obstacle`, `comes from a folder`.
pub(super) fn no_file(what: impl std::fmt::Display, obstacle: &str) -> anyhow::Error {
    Problem::with_hint(
        format!("{what} {obstacle}, and only wheels and sdists with a sha256 can be packed"),
        "publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_package_and_version() {
        #[rustfmt::skip]
        let cases = [ // file                                 expected        told
            ("Foo_Bar-1.0-py3-none-any.whl",                  "",             "foo-bar 1.0"),
            ("foo-1.0_local-1-py2.py3-none-any.whl",          "foo",          "foo 1.0+local"),
            ("python-dateutil-2.8.2.tar.gz",                  "",             "python-dateutil 2.8.2"),
            ("a-1.0-1.tar.gz",                                "a",            "a 1.0.post1"),
            ("a-1.0.zip",                                     "a",            "a 1.0"),
            ("a-1.0.zip",                                     "b",            "error"),
            ("a-1.0.exe",                                     "",             "error"),
            ("main.zip",                                      "",             "error"),
            ("a-1.0-py3-none.whl",                            "",             "error"),
            ("a-x-py3-none-any.whl",                          "",             "error"),
            ("-1.0.tar.gz",                                   "",             "error"),
        ];
        for (file, expected, told) in cases {
            let expected = (!expected.is_empty()).then(|| package_name(expected).unwrap());
            let said = told_by(file, expected.as_ref()).map(|(name, version)| format!("{name} {version}"));
            assert_eq!(said.as_deref().unwrap_or("error"), told, "{file}");
        }
    }

    #[test]
    fn wheels_of_one_version_are_looked_at_once() {
        let known = "a_b-1.0-py3-none-any.whl";
        #[rustfmt::skip]
        let cases = [
            ("a_b-1.0-1-cp39-cp39-win32.whl",  true),
            ("a_b-1.0-cp39-cp39-win32.whl",    true),
            ("a_b-1.0-cp39-win32.whl",         false),
            ("a_b-1.0--cp39-win32.whl",        false),
            ("a_b-1.0.1-cp39-cp39-win32.whl",  false),
            ("a-b-1.0-cp39-cp39-win32.whl",    false),
            ("a_b-1.0-cp39-cp39-win32.zip",    false),
            ("a_b-1.0-a-b-c-d-e.whl",          false),
        ];
        for (file, like) in cases {
            assert_eq!(is_wheel_like(file, known), like, "{file}");
        }
    }

    #[test]
    fn paths_stay_in_the_repository() {
        #[rustfmt::skip]
        let cases = [ // folder  path                  plain
            ("",        "./vendor/../a.whl",           Some("a.whl")),
            ("deps",    "../vendor/./a.whl",           Some("vendor/a.whl")),
            ("deps",    ".",                           Some("deps")),
            (".",       ".",                           Some("")),
            ("deps",    "vendor\\a.whl",               Some("deps/vendor/a.whl")),
            ("deps",    "../../a.whl",                 None),
            ("",        "/a.whl",                      None),
            ("",        "C:/a.whl",                    None),
        ];
        for (folder, path, plain) in cases {
            assert_eq!(inside(Utf8Path::new(folder), path).as_deref().map(Utf8Path::as_str), plain, "{folder} {path}");
        }
    }

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
    fn the_last_part_of_a_url_is_decoded() {
        assert_eq!(
            name_in_url("https://u:p@index.example/x/a-1%2Bb-py3-none-any.whl?x=/y#z").unwrap(),
            "a-1+b-py3-none-any.whl"
        );
        for url in ["https://index.example/", "https://index.example/a%2Fb", "https://index.example/%FF"] {
            assert!(name_in_url(url).is_err(), "{url}");
        }
        assert_eq!(percent_decoded("%é%4").as_deref(), Some("%é%4"));
    }
}
