//! The Python that a lock is for, by what a repository says of it; else the newest that the box has and all allow.

use pep440_rs::{Version, VersionSpecifiers};
use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use wheelhaul_base::toml_text;
use wheelhaul_boxes::{Target, known_targets};

/// A minor that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// `(3, 11)`
    pub version: (u8, u8),
    /// where it stands, as people are told
    pub place: String,
}

/// Reads the minor that a text names.
type Read = fn(&str) -> Option<(u8, u8)>;

/// The first of the texts that names a minor.
///
/// - Takes: `texts` by path; `folders`, in which the files are looked for, each ending in `/` or empty; `lock`, the
///   path of the lock.
pub(super) fn said(texts: &BTreeMap<String, String>, folders: &[&str], lock: Option<&str>) -> Option<Said> {
    let found = |path: &str, read: Read| {
        let version = read(texts.get(path)?)?;
        Some(Said { version, place: format!("`{path}`") })
    };
    let of_lock = lock.and_then(|lock| found(lock, of_lock));
    const FILES: [(&str, Read); 5] = [
        (".python-version", first_minor),
        ("runtime.txt", first_minor),
        ("Pipfile", of_pipfile),
        (".tool-versions", of_tool_versions),
        ("Dockerfile", of_dockerfile),
    ];
    of_lock.or_else(|| {
        let places =
            FILES.iter().flat_map(|(name, read)| folders.iter().map(move |folder| (format!("{folder}{name}"), read)));
        places.into_iter().find_map(|(path, read)| found(&path, *read))
    })
}

/// What a lock says of the one Python that it was made with: `Pipfile.lock`, and the first lines of pip-tools and uv.
fn of_lock(text: &str) -> Option<(u8, u8)> {
    if let Ok(Value::Object(lock)) = serde_json::from_str(text) {
        let requires = lock.get("_meta")?.get("requires")?;
        return first_minor(requires.get("python_full_version").or(requires.get("python_version"))?.as_str()?);
    }
    let head = text.lines().take(12).filter(|line| line.starts_with('#'));
    head.into_iter().find_map(|line| {
        let after =
            ["with Python ", "--python-version ", "--python-version="].iter().find_map(|words| line.split_once(words));
        first_minor(after?.1)
    })
}

fn of_pipfile(text: &str) -> Option<(u8, u8)> {
    let file: toml::Table = toml_text::read(text, "").ok()?;
    let requires = file.get("requires")?;
    first_minor(requires.get("python_full_version").or(requires.get("python_version"))?.as_str()?)
}

fn of_tool_versions(text: &str) -> Option<(u8, u8)> {
    text.lines().find_map(|line| first_minor(line.strip_prefix("python ")?))
}

fn of_dockerfile(text: &str) -> Option<(u8, u8)> {
    let images = text.lines().filter_map(|line| line.trim().strip_prefix("FROM "));
    images.into_iter().find_map(|image| first_minor(image.split_once("python:")?.1))
}

/// The first `3.N` of a text.
fn first_minor(text: &str) -> Option<(u8, u8)> {
    let at = text.find("3.").filter(|at| !text[..*at].ends_with(|c: char| c.is_ascii_digit() || c == '.'))?;
    let minor: String = text[at + 2..].chars().take_while(char::is_ascii_digit).collect();
    Some((3, minor.parse().ok()?))
}

/// `requires-python`, also as Poetry writes it: `^3.11`, `~3.11`, `3.11.*`.
pub(super) fn specifiers(text: &str) -> Option<VersionSpecifiers> {
    let one = |part: &str| {
        let part = part.trim();
        let version = part.trim_start_matches(['^', '~']).trim();
        match part.chars().next()? {
            '^' => Some(format!(">={version},<4")),
            '~' if !part.starts_with("~=") => {
                let (major, minor) =
                    version.split_once('.').map(|(major, rest)| (major, rest.split('.').next().unwrap_or("0")))?;
                Some(format!(">={version},<{major}.{}", minor.parse::<u32>().ok()? + 1))
            }
            c if c.is_ascii_digit() => Some(format!("=={version}")),
            _ => Some(part.to_owned()),
        }
    };
    let parts: Option<Vec<String>> = text.split(',').filter(|part| !part.trim().is_empty()).map(one).collect();
    VersionSpecifiers::from_str(&parts?.join(",")).ok()
}

/// The Pythons of a known box that all of the specifiers allow, newest first; those that can be packed for.
pub(crate) fn allowed(target: &str, specifiers: &[VersionSpecifiers]) -> Vec<Target> {
    let is_allowed = |version: &Version| specifiers.iter().all(|specifiers| specifiers.contains(version));
    let of_box =
        known_targets().into_iter().filter(|known| known.name == target && known.interpreter.version >= (3, 4));
    let mut found: Vec<Target> = of_box.filter(|known| is_allowed(&known.python_full)).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_that_names_a_minor_is_taken() {
        #[rustfmt::skip]
        let cases = [ // file            text                                                             minor
            (".python-version", "3.11.4\n",                                                               "3.11"),
            (".python-version", "pypy-7\n",                                                               ""),
            ("runtime.txt",     "python-3.12.1\n",                                                        "3.12"),
            ("Pipfile",         "[requires]\npython_version = \"3.9\"\n",                                 "3.9"),
            (".tool-versions",  "nodejs 20.3.1\npython 3.12.0\n",                                         "3.12"),
            ("Dockerfile",      "FROM node:20 AS a\nFROM docker.example/python:3.11-slim\n",              "3.11"),
            ("lock",            "{\"_meta\": {\"requires\": {\"python_version\": \"3.8\"}}}",             "3.8"),
            ("lock",            "#\n# This file is autogenerated by pip-compile with Python 3.11\n#\n",   "3.11"),
            ("lock",            "# uv pip compile --python-version 3.12 requirements.in\nflask==1\n",     "3.12"),
            ("lock",            "flask==13.11\n",                                                         ""),
            ("other",           "3.11",                                                                   ""),
        ];
        for (file, text, minor) in cases {
            let texts = BTreeMap::from([(format!("a/{file}"), text.to_owned())]);
            let said = said(&texts, &["a/", ""], Some("a/lock"));
            let found = said.map(|said| format!("{}.{}", said.version.0, said.version.1)).unwrap_or_default();
            assert_eq!(found, minor, "{file}: {text}");
        }
    }

    #[test]
    fn the_newest_that_all_allow_is_first() {
        #[rustfmt::skip]
        let cases = [
            ("el9-x86_64",  vec![">=3.9"],                 "3.14 3.12 3.11 3.9"),
            ("el9-x86_64",  vec![">=3.9", "<3.14"],        "3.12 3.11 3.9"),
            ("el9-x86_64",  vec!["^3.11"],                 "3.14 3.12 3.11"),
            ("el9-x86_64",  vec!["~3.11"],                 "3.11"),
            ("el9-x86_64",  vec!["3.11.*"],                "3.11"),
            ("el9-x86_64",  vec![">=3.15"],                ""),
            ("el7-x86_64",  vec![],                        "3.6"),
            ("el10-aarch64", vec![],                       "3.14 3.12"),
            ("other",       vec![],                        ""),
        ];
        for (target, texts, expected) in cases {
            let specifiers: Vec<_> = texts.iter().map(|text| specifiers(text).unwrap()).collect();
            let found: Vec<String> = allowed(target, &specifiers).iter().map(Target::python).collect();
            assert_eq!(found.join(" "), expected, "{target} {texts:?}");
        }
        assert!(specifiers("whatever").is_none());
    }
}
