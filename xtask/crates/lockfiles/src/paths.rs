//! Paths as locks write them: relative to the repository, with `/` on every host, percent-encoded in URLs.

use camino::{Utf8Path, Utf8PathBuf};

/// A path as a lock writes it, relative to `folder` of the repository, made plain: `.` and `..` are resolved.
///
/// `None` for an absolute path, and for one that leaves the repository.
pub(crate) fn inside(folder: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
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
pub(crate) fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new(""))
}

/// A path in the folder of another, with `/` on every host: the digest of a lock's inputs has it.
pub(crate) fn beside(path: &Utf8Path, name: &str) -> Utf8PathBuf {
    match folder_of(path).as_str() {
        "" => name.into(),
        folder => format!("{folder}/{name}").into(),
    }
}

/// Decodes `%XX` (RFC 3986, section 2.1).
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_not_percent_encoded_stays_as_it_is() {
        assert_eq!(percent_decoded("%é%4").as_deref(), Some("%é%4"));
    }
}
