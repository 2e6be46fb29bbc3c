//! What the name of a wheel or of a source distribution tells, and the end of a URL.

use crate::paths::percent_decoded;
use anyhow::{Context as _, bail, ensure};
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::str::FromStr as _;
use wheelhaul_base::problem::shortened;

/// The ends of the names of source distributions; today's are `.tar.gz`, old ones may be any of them.
const SDISTS: [&str; 6] = [".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar"];
const WHEEL: &str = ".whl";

/// Whether a path or URL ends like a wheel or a source distribution.
pub(crate) fn is_archive(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(WHEEL) || SDISTS.iter().any(|end| path.ends_with(end))
}

/// Whether a file is a wheel of the same name and version, spelt alike, as one that was looked at.
pub(crate) fn is_wheel_like(file: &str, known: &str) -> bool {
    let front = |name: &str| name.match_indices('-').nth(1).map(|(at, _)| at + 1);
    let Some(length) = front(known).filter(|length| file.get(..*length) == known.get(..*length)) else { return false };
    let rest = file[length..].strip_suffix(WHEEL).unwrap_or_default();
    matches!(rest.split('-').count(), 3 | 4) && rest.split('-').all(|part| !part.is_empty())
}

/// The package and version that a file's name tells (binary distribution format, "File name convention";
/// source distribution format, "Source distribution file name").
///
/// `expected` tells where the name of an old source distribution ends.
///
/// # Errors
/// Also for a file of another package than `expected`.
pub(crate) fn told_by(file: &str, expected: Option<&PackageName>) -> anyhow::Result<(PackageName, Version)> {
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
pub(crate) fn package_name(text: &str) -> anyhow::Result<PackageName> {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= 200;
    ensure!(is_name, "`{}` is not the name of a package", shortened(text));
    Ok(PackageName::from_str(text)?)
}

/// The name of the file at a URL: the last component of its path, decoded.
///
/// # Errors
/// If that is not a plain name.
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
    fn the_last_part_of_a_url_is_decoded() {
        assert_eq!(
            name_in_url("https://u:p@index.example/x/a-1%2Bb-py3-none-any.whl?x=/y#z").unwrap(),
            "a-1+b-py3-none-any.whl"
        );
        for url in ["https://index.example/", "https://index.example/a%2Fb", "https://index.example/%FF"] {
            assert!(name_in_url(url).is_err(), "{url}");
        }
    }
}
