//! `METADATA` (core metadata) and `WHEEL` (binary distribution format): e-mail headers, then a body.

use anyhow::{Context as _, bail};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::str::FromStr;
use wheelhaul_boxes::Requirement;
use wheelhaul_licenses::LicenseClaim;

/// What the tool reads of a distribution's core metadata.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the distribution's version
    pub version: Version,
    /// one line, where given
    pub summary: Option<String>,
    /// what it says of its licence
    pub license: LicenseClaim,
    /// the home page, by `Project-URL` or `Home-page`
    pub home_page: Option<String>,
    /// the author or maintainer
    pub author: Option<String>,
    /// the Pythons that it runs on; all, where what is written cannot be read
    pub requires_python: Option<VersionSpecifiers>,
    /// its dependencies
    pub requires: Vec<Requirement>,
    /// those of them whose versions cannot be read, and count as any
    pub lenient: Vec<Lenient>,
    /// what it asks for in lines that cannot be read
    pub unreadable: Vec<Unreadable>,
    /// the extras that it has
    pub extras: Vec<ExtraName>,
    /// licence files, relative to `licenses` below the metadata (2.4), or of older ones to the metadata or the sources
    pub license_files: Vec<String>,
}

/// A dependency that cannot be read, which matters only where its marker holds.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// none for always, and where it cannot be told from the rest
    pub marker: Option<String>,
    /// what is wrong with it
    pub why: String,
}

/// A requirement whose versions cannot be read: `pytz (>dev)`, of which pip and uv read the name.
#[derive(Debug, Clone)]
pub struct Lenient {
    /// what is required
    pub name: PackageName,
    /// as written
    pub line: String,
}

impl Metadata {
    /// Reads a METADATA file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let headers = Headers::parse(text);
        let known = |value: Option<&str>| value.filter(|text| !matches!(*text, "" | "UNKNOWN")).map(str::to_owned);
        let (mut requires, mut lenient, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for line in headers.all("Requires-Dist") {
            match requirement(line) {
                Ok((requirement, is_whole)) => {
                    let name = requirement.name.clone();
                    lenient.extend((!is_whole).then(|| Lenient { name, line: line.to_owned() }));
                    requires.push(requirement);
                }
                Err(error) => {
                    let marker = line.split_once(';').filter(|(front, _)| !front.contains('@'));
                    let marker = marker.map(|(_, marker)| marker.trim().to_owned());
                    unreadable.push(Unreadable { marker, why: format!("{error:#}") });
                }
            }
        }
        let requires_python = known(headers.first("Requires-Python")).and_then(|text| pythons(&text));
        let name = headers.first("Name").context("there is no `Name`")?;
        let version = headers.first("Version").context("there is no `Version`")?;
        Ok(Self {
            name: PackageName::from_str(name).with_context(|| format!("`Name: {name}`"))?,
            version: Version::from_str(version).with_context(|| format!("`Version: {version}`"))?,
            summary: known(headers.first("Summary")),
            license: LicenseClaim {
                expression: known(headers.first("License-Expression")),
                license: known(headers.first("License")),
                classifiers: headers
                    .all("Classifier")
                    .filter_map(|text| text.strip_prefix("License ::"))
                    .map(|text| text.trim().to_owned())
                    .collect(),
            },
            home_page: project_url(&headers).or_else(|| known(headers.first("Home-page"))),
            author: ["Author", "Maintainer", "Author-email", "Maintainer-email"]
                .into_iter()
                .find_map(|key| known(headers.first(key))),
            requires_python,
            requires,
            lenient,
            unreadable,
            extras: headers.all("Provides-Extra").filter_map(|extra| ExtraName::from_str(extra).ok()).collect(),
            license_files: headers.all("License-File").map(str::to_owned).collect(),
        })
    }
}

/// `Requires-Python`, as pip and uv take it: mistakes of old are put right, and what then cannot be read is no limit.
fn pythons(text: &str) -> Option<VersionSpecifiers> {
    let read = |text: &str| VersionSpecifiers::from_str(text).ok();
    read(text).or_else(|| read(&repaired(text)?))
}

/// `Requires-Dist`, with mistakes of old in its versions put right, as uv does.
///
/// - Gives: whether its versions were read; else it is any version.
/// - Fails: with what is wrong in the line as it is written.
fn requirement(line: &str) -> anyhow::Result<(Requirement, bool)> {
    Requirement::from_str(line).map(|read| (read, true)).or_else(|error| {
        let (front, marker) = line.split_once(';').map_or((line, None), |(front, marker)| (front, Some(marker)));
        let start = front.find(['<', '>', '=', '!', '~', '(']).unwrap_or(front.len());
        let versions = front[start..].trim();
        let versions = versions.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(versions);
        if front.contains('@') {
            return Err(error);
        }
        let with = |versions: &str| {
            let marker = marker.map(|it| format!(" ;{it}")).unwrap_or_default();
            Requirement::from_str(&format!("{}{versions}{marker}", &front[..start]))
        };
        let read = repaired(versions).and_then(|versions| with(&versions).ok());
        match read {
            Some(read) => Ok((read, true)),
            // What is left where there were versions is a name, with extras or none.
            None if start < front.len() => with("").map(|read| (read, false)).map_err(|_| error),
            None => Err(error),
        }
    })
}

/// Specifiers without the mistakes that builders of old let pass, as uv repairs them.
///
/// - Gives: none for a version without an operator.
fn repaired(specifiers: &str) -> Option<String> {
    let is_operator = |c: char| "<>=!~".contains(c);
    let mut clauses = Vec::new();
    let mut rest = specifiers.trim_start_matches([',', ' ', '\t', '\n']);
    while !rest.is_empty() {
        let (operator, after) = rest.split_at(rest.find(|c| !is_operator(c)).unwrap_or(rest.len()));
        let after = after.trim_start();
        // A comma is forgotten: `>=3.6<4`, `>=3.6 <4`.
        let end = after.find(|c: char| c == ',' || c.is_whitespace() || is_operator(c)).unwrap_or(after.len());
        let version = after[..end].trim_matches(['\'', '"']);
        rest = after[end..].trim_start_matches([',', ' ', '\t', '\n']);
        clauses.push(match (operator, version.strip_suffix('*')) {
            ("", _) => return None,
            ("<" | "<=" | ">" | ">=", Some(plain)) => format!("{operator}{}", plain.trim_end_matches('.')),
            ("!=~", None) => format!("!={version}.*"),
            ("==" | "!=", Some(plain)) => format!("{operator}{}.*", plain.trim_end_matches('.')),
            (operator, _) => format!("{operator}{version}"),
        });
    }
    Some(clauses.join(","))
}

fn project_url(headers: &Headers) -> Option<String> {
    let urls: Vec<(&str, &str)> = headers.all("Project-URL").filter_map(|line| line.split_once(',')).collect();
    ["homepage", "home", "documentation", "source", "repository"].into_iter().find_map(|label| {
        urls.iter().find(|(name, _)| name.trim().eq_ignore_ascii_case(label)).map(|(_, url)| url.trim().to_owned())
    })
}

/// What the tool reads of a `WHEEL` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFile {
    /// the tags, one expanded triple a line, as written
    pub tags: Vec<String>,
}

impl WheelFile {
    /// Reads a WHEEL file; a major version of the format other than 1 is refused, as it demands.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let headers = Headers::parse(text);
        let version = headers.first("Wheel-Version").context("there is no `Wheel-Version`")?;
        if version.split('.').next() != Some("1") {
            bail!("`Wheel-Version: {version}` is not known, only 1.x");
        }
        Ok(Self { tags: headers.all("Tag").map(str::to_owned).collect() })
    }

    /// Whether it says to be for any platform, and for no other.
    pub fn is_any(&self) -> bool {
        !self.tags.is_empty() && self.tags.iter().all(|tag| tag.trim().to_ascii_lowercase().ends_with("-any"))
    }
}

/// E-mail headers, in order; keys match without regard to case. Those that nobody asks for are left out.
struct Headers(Vec<(String, String)>);

#[rustfmt::skip]
const WANTED: [&str; 18] = [
    "Author", "Author-email", "Classifier", "Home-page", "License", "License-Expression", "License-File", "Maintainer",
    "Maintainer-email", "Name", "Project-URL", "Provides-Extra", "Requires-Dist", "Requires-Python", "Summary", "Tag",
    "Version", "Wheel-Version",
];

impl Headers {
    fn parse(text: &str) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut wanted = false;
        for line in text.lines() {
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut().filter(|_| wanted) {
                    value.push('\n');
                    value.push_str(line.trim());
                }
            } else if let Some((key, value)) = line.split_once(':') {
                wanted = WANTED.iter().any(|name| name.eq_ignore_ascii_case(key.trim()));
                if wanted {
                    headers.push((key.trim().to_owned(), value.trim().to_owned()));
                }
            }
        }
        Self(headers)
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    fn first(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let text = "Metadata-Version: 2.4\nName: Quality_Report\nVersion: 0.0.1\nSummary: A report\nLicense: UNKNOWN\nLicense-Expression: MIT\n\
            Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: x\n\
            Project-URL: Source, https://code.example\nProject-URL: Homepage, https://home.example\nRequires-Python: >=3.9\n\
            Requires-Dist: flask>=2\nRequires-Dist: tomli; python_version < '3.11' and extra == 'x'\nProvides-Extra: x\n\
            License-File: LICENSE\nDescription: long\n        text\n\nBody: not a header\n";
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(metadata.name.as_ref(), "quality-report");
        let classifiers = vec!["OSI Approved :: MIT License".to_owned()];
        assert_eq!(metadata.license, LicenseClaim { expression: Some("MIT".to_owned()), license: None, classifiers });
        assert_eq!(metadata.home_page.as_deref(), Some("https://home.example"));
        assert_eq!(metadata.requires.len(), 2);
        assert_eq!(metadata.requires[1].marker.as_deref(), Some("python_version < '3.11' and extra == 'x'"));
        assert_eq!(metadata.license_files, ["LICENSE"]);
        assert!(Metadata::parse("Name: x\n").unwrap_err().to_string().contains("Version"));
    }

    #[test]
    fn mistakes_of_old_are_put_right() {
        #[rustfmt::skip]
        let cases = [ // Requires-Python      read
            (">=3.6",                     Some(">=3.6")),
            (">=3.5.*",                   Some(">=3.5")),
            (">=3.6,",                    Some(">=3.6")),
            (">=2.7,!=3.0*, !=3.1.*",     Some(">=2.7, !=3.0.*, !=3.1.*")),
            (">=3.6.1 <4",                Some(">=3.6.1, <4")),
            (">= 3.6<4",                  Some(">=3.6, <4")),
            (">='3.6'",                   Some(">=3.6")),
            ("!=~3.0,>=3",                Some("!=3.0.*, >=3")),
            ("<=3.9.*",                   Some("<=3.9")),
            ("3.11",                      None),
            ("*",                         None),
            (">dev",                      None),
            ("=>3.6",                     None),
            (">=",                        None),
        ];
        for (text, read) in cases {
            assert_eq!(pythons(text).map(|read| read.to_string()).as_deref(), read, "{text}");
        }
        #[rustfmt::skip]
        let cases = [ // Requires-Dist        versions
            ("b>=1.*",                    Some(">=1")),
            ("b >=0.5<2.0",               Some(">=0.5, <2.0")),
            ("b[x] (>=1 <2) ; extra == 'y'", Some(">=1, <2")),
            ("b !=1.2.*,>=0.5.*",         Some(">=0.5, !=1.2.*")),
            ("b>=1,",                     Some(">=1")),
            ("b (>dev)",                  Some("")),
            ("b (1.0)",                   Some("")),
            ("b[x] >=x.y ; extra == 'y'", Some("")),
            ("b >=1, ?",                  Some("")),
            ("(>=1)",                     None),
            ("b c",                       None),
            ("b @ https://index.example/b>=1.*", Some("")),
        ];
        for (text, versions) in cases {
            let read = requirement(text).ok().map(|(read, is_whole)| {
                assert_eq!(is_whole, versions != Some("") || text.contains('@'), "{text}");
                read
            });
            assert_eq!(read.as_ref().map(|read| read.versions.to_string()).as_deref(), versions, "{text}");
            let marker = read.and_then(|read| read.marker);
            assert_eq!(marker.is_some(), text.contains(';') && versions.is_some(), "{text}");
        }
        let long = format!("Name: x\nVersion: 1\nRequires-Python: {}\n", ">=3.*<".repeat(100_000));
        assert!(Metadata::parse(&long).is_ok());
    }

    #[test]
    fn only_the_first_major_version_of_the_format_is_known() {
        assert_eq!(
            WheelFile::parse("Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n").unwrap().tags.len(),
            2
        );
        assert!(WheelFile::parse("Wheel-Version: 2.0\n").is_err());
    }
}
