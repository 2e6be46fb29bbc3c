//! One dependency specifier (PEP 508), with its marker kept as it was written.

use anyhow::{Context as _, anyhow, ensure};
use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName, VerbatimUrl, VersionOrUrl};
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, shortened};

/// A dependency specifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the extras in brackets
    pub extras: Vec<ExtraName>,
    /// the versions that satisfy it; all, where it names a URL
    pub versions: VersionSpecifiers,
    /// whether it names a URL instead of versions
    pub is_url: bool,
    /// the marker behind `;`, as written
    pub marker: Option<String>,
}

impl FromStr for Requirement {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        parse(text).with_context(|| format!("`{}` is not a dependency specifier", shown(text)))
    }
}

/// A specifier as an error may show it: what is before its URL, which may hold credentials.
fn shown(text: &str) -> String {
    // `user:secret@host` has its secret before the `@`.
    let end = [text.find("://"), text.find('@'), text.find(':')].into_iter().flatten().min();
    match end {
        Some(end) => shortened(&format!("{}…", &text[..end])),
        None => shortened(text),
    }
}

fn parse(text: &str) -> anyhow::Result<Requirement> {
    let (front, marker) = split_marker(text);
    check_names(front)?;
    // Not by pep508_rs, which would put variables of this host's environment into the URL.
    let (front, is_url) = match before_url(front) {
        Some((front, url)) => {
            ensure!(!url.is_empty() && !url.contains(char::is_whitespace), "what follows its `@` is no URL");
            (front, true)
        }
        None => (front, false),
    };
    let parsed =
        pep508_rs::Requirement::<VerbatimUrl>::from_str(front).map_err(|error| match front.contains([':', '@']) {
            true => anyhow!("it has a `:` or an `@` where none belongs"),
            false => anyhow!("{}", error.message),
        })?;
    let versions = match parsed.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(versions)) => versions,
        None | Some(VersionOrUrl::Url(_)) => VersionSpecifiers::empty(),
    };
    ensure!(!is_url || versions.is_empty(), "it has versions and a URL");
    let marker = marker.map(str::trim).filter(|marker| !marker.is_empty()).map(str::to_owned);
    Ok(Requirement { name: parsed.name, extras: parsed.extras, versions, is_url, marker })
}

/// Splits at the `;` before a marker; one inside a URL has no space before it (PEP 508, "URL reference").
fn split_marker(text: &str) -> (&str, Option<&str>) {
    let first = text.find(';').unwrap_or(text.len());
    let separator = if text[..first].contains('@') { " ;" } else { ";" };
    match text.split_once(separator) {
        Some((front, marker)) => (front.trim(), Some(marker)),
        None => (text.trim(), None),
    }
}

/// Splits at the `@` behind the name and the extras.
fn before_url(front: &str) -> Option<(&str, &str)> {
    let (before, url) = front.split_once('@')?;
    let is_front = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "._-[],".contains(c);
    before.chars().all(is_front).then(|| (before.trim_end(), url.trim()))
}

/// Refuses names of packages and extras that end in a separator, on which pep508_rs panics.
fn check_names(front: &str) -> anyhow::Result<()> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = front.find(|c: char| !is_name(c)).unwrap_or(front.len());
    let extras = front[end..].trim_start().strip_prefix('[').map(|rest| rest.split(']').next().unwrap_or_default());
    let extras =
        extras.into_iter().flat_map(|extras| extras.split(',')).map(str::trim).filter(|extra| !extra.is_empty());
    ensure!(end > 0, "it does not start with a name");
    for name in std::iter::once(&front[..end]).chain(extras) {
        ensure!(name.len() <= 200, "the name `{}` is longer than any package's", shown(name));
        let is_whole = name.chars().all(is_name) && name.ends_with(|c: char| c.is_ascii_alphanumeric());
        ensure!(is_whole, "the name `{}` does not end in a letter or a digit", shown(name));
    }
    Ok(())
}

impl Requirement {
    /// The one version that the specifier pins.
    pub fn pinned(&self) -> anyhow::Result<Version> {
        let exact =
            || self.versions.iter().filter(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual));
        // `==1.0,>=0.9` pins as `==1.0` does.
        match exact().map(|one| one.version()).find(|version| self.versions.contains(version)) {
            Some(version) => Ok(version.clone()),
            None if exact().next().is_some() => Err(Problem::with_hint(
                format!("no version of `{}` is `{}`", self.name, self.versions),
                "one of its limits excludes what another pins: lock again, or correct it",
            )),
            None => Err(Problem::with_hint(
                format!("`{}` is not pinned to one version", self.name),
                "a lock has `NAME==VERSION` for each package, and for each that those need: move what is there into `requirements.in`, \
                 and `cargo xtask lock --upgrade` makes a whole `requirements.txt` of it",
            )),
        }
    }

    /// Whether a release with a local part will do for a pin without one: `1.0+corp.1` for `==1.0`, and not for `===1.0`
    /// (PEP 440, "Version Matching").
    pub fn takes_local(&self) -> bool {
        !self.versions.iter().any(|one| *one.operator() == Operator::ExactEqual || one.version().is_local())
    }
}

/// Whether a text can be a library's name (`DT_SONAME`), and stand in a `Requires`.
pub fn is_soname(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    text.contains(".so") && text.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_keep_their_marker_as_written() {
        let requirement: Requirement = "Flask[async] >=2,<4 ; python_version<'3.9'".parse().unwrap();
        assert_eq!(requirement.name.as_ref(), "flask");
        assert_eq!(requirement.extras[0].as_ref(), "async");
        assert_eq!(requirement.marker.as_deref(), Some("python_version<'3.9'"));
        assert!(requirement.versions.contains(&"3.0".parse().unwrap()));
        let at: Requirement = "a; platform_release == 'x@y'".parse().unwrap();
        assert_eq!(at.marker.as_deref(), Some("platform_release == 'x@y'"));
        let url: Requirement = "x @ https://index.example/a;b.whl ; os_name == 'posix'".parse().unwrap();
        assert!(url.is_url && url.marker.as_deref() == Some("os_name == 'posix'"));
    }

    #[test]
    fn bad_requirements_are_errors_and_not_panics() {
        for text in [
            "requests-==1",
            "numpy.*",
            "-x",
            "",
            "a b",
            "a ===",
            "a>=1,",
            "a[",
            "é==1",
            "; python_version<'3'",
            "requests[security-]==1",
            "a[b, c.]",
            "a @",
            "a @ b c",
        ] {
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
    }

    #[test]
    fn errors_show_no_credentials() {
        #[rustfmt::skip]
        let cases = [ // requirement                  what is shown
            ("user:S3CRET@h/x.git",                   "`user…`"),
            ("a b https://u:S3CRET@h",                "`a b https…`"),
            ("z @ https://u:S3CRET@h/x [",            "`z …`"),
            ("https://u:S3CRET@h",                    "`https…`"),
            ("x[a://u:S3CRET@h]",                     "`x[a…`"),
            ("x ==1://u:S3CRET@h",                    "`x ==1…`"),
            ("a b",                                   "`a b`"),
        ];
        for (text, shown) in cases {
            let error = format!("{:#}", text.parse::<Requirement>().unwrap_err());
            assert!(error.starts_with(&format!("{shown} is not")) && !error.contains("S3CRET"), "{error}");
        }
    }

    #[test]
    fn other_limits_beside_a_pin_have_to_contain_it() {
        #[rustfmt::skip]
        let cases = [ // requirement        pinned, and whether a local part will do
            ("a==1.0,>=0.9",                Some(("1.0", true))),
            ("a>=0.9,==1.0,!=1.1",          Some(("1.0", true))),
            ("a==1.0,===1.0",               Some(("1.0", false))),
            ("a==1.0,==1.0+x",              Some(("1.0+x", false))),
            ("a==1.*,==1.4",                Some(("1.4", true))),
            ("a==1.0,>=2",                  None),
            ("a==1,==2",                    None),
            ("a==1.*,>=1",                  None),
        ];
        for (text, pinned) in cases {
            let read: Requirement = text.parse().unwrap();
            let found = read.pinned().ok().map(|version| (version.to_string(), read.takes_local()));
            assert_eq!(found.as_ref().map(|(version, local)| (version.as_str(), *local)), pinned, "{text}");
        }
    }

    #[test]
    fn only_exact_pins_are_pins() {
        for (text, pinned) in
            [("a==1.0", true), ("a===1.0", true), ("a==1.*", false), ("a>=1", false), ("a", false), ("a==1,==1", true)]
        {
            assert_eq!(text.parse::<Requirement>().unwrap().pinned().is_ok(), pinned, "{text}");
        }
    }
}
