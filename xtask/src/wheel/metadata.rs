//! `METADATA` (core metadata) and `WHEEL` (binary distribution format): e-mail headers, then a body.

use crate::pins::Requirement;
use anyhow::{Context as _, bail};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::str::FromStr;

/// What the tool reads of a distribution's core metadata.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the distribution's version
    pub version: Version,
    /// one line, where given
    pub summary: Option<String>,
    /// an SPDX expression (PEP 639), or the older free text
    pub license: Option<String>,
    /// the home page, by `Project-URL` or `Home-page`
    pub home_page: Option<String>,
    /// the author or maintainer
    pub author: Option<String>,
    /// the Pythons that it runs on
    pub requires_python: Option<VersionSpecifiers>,
    /// its dependencies
    pub requires: Vec<Requirement>,
    /// the extras that it has
    pub extras: Vec<ExtraName>,
    /// licence files, relative to the folder that its metadata version says
    pub license_files: Vec<String>,
}

impl Metadata {
    /// Reads a METADATA file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let headers = Headers::parse(text);
        let known = |value: Option<&str>| value.filter(|text| !matches!(*text, "" | "UNKNOWN")).map(str::to_owned);
        let requires = headers
            .all("Requires-Dist")
            .map(Requirement::from_str)
            .collect::<anyhow::Result<Vec<_>>>()
            .context("`Requires-Dist`")?;
        let requires_python = match known(headers.first("Requires-Python")) {
            Some(text) => {
                Some(VersionSpecifiers::from_str(&text).with_context(|| format!("`Requires-Python: {text}`"))?)
            }
            None => None,
        };
        let name = headers.first("Name").context("there is no `Name`")?;
        let version = headers.first("Version").context("there is no `Version`")?;
        Ok(Self {
            name: PackageName::from_str(name).with_context(|| format!("`Name: {name}`"))?,
            version: Version::from_str(version).with_context(|| format!("`Version: {version}`"))?,
            summary: known(headers.first("Summary")),
            license: known(headers.first("License-Expression")).or_else(|| {
                // The free text may be a whole licence; its first line then is no licence's name.
                known(headers.first("License")).filter(|text| !text.contains('\n') && text.len() <= 80)
            }),
            home_page: project_url(&headers).or_else(|| known(headers.first("Home-page"))),
            author: ["Author", "Maintainer", "Author-email", "Maintainer-email"]
                .into_iter()
                .find_map(|key| known(headers.first(key))),
            requires_python,
            requires,
            extras: headers.all("Provides-Extra").filter_map(|extra| ExtraName::from_str(extra).ok()).collect(),
            license_files: headers.all("License-File").map(str::to_owned).collect(),
        })
    }
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
}

/// E-mail headers, in order; keys match without regard to case. Those that nobody asks for are left out.
struct Headers(Vec<(String, String)>);

#[rustfmt::skip]
const WANTED: [&str; 17] = [
    "Author", "Author-email", "Home-page", "License", "License-Expression", "License-File", "Maintainer",
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
            Project-URL: Source, https://code.example\nProject-URL: Homepage, https://home.example\nRequires-Python: >=3.9\n\
            Requires-Dist: flask>=2\nRequires-Dist: tomli; python_version < '3.11' and extra == 'x'\nProvides-Extra: x\n\
            License-File: LICENSE\nDescription: long\n        text\n\nBody: not a header\n";
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(metadata.name.as_ref(), "quality-report");
        assert_eq!(metadata.license.as_deref(), Some("MIT"));
        assert_eq!(metadata.home_page.as_deref(), Some("https://home.example"));
        assert_eq!(metadata.requires.len(), 2);
        assert_eq!(metadata.requires[1].marker.as_deref(), Some("python_version < '3.11' and extra == 'x'"));
        assert_eq!(metadata.license_files, ["LICENSE"]);
        assert!(Metadata::parse("Name: x\n").unwrap_err().to_string().contains("Version"));
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
