//! `required-version`: which versions of this tool a repository is packed by. It is read before anything else, so that
//! the keys of another version do not hide it.

use crate::document::Document;
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr as _;
use wheelhaul_base::problem::Problem;

/// The version of this tool.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

const CURE: &str = "at the top of the file, above every table: write `required-version = \">=0.2,<0.3\"`";

/// Versions that a repository asks for, and this tool is none of them.
#[derive(Debug, PartialEq, Eq)]
pub struct UnmetVersion {
    /// as it is written in `dist/package.toml`
    pub required: String,
    /// the line that it is in
    pub line: usize,
}

/// Reads `required-version` of a `package.toml`, whatever else is in it, and holds `version` to it.
///
/// - Gives: what is not met, if anything.
/// - Fails: for a value that is no set of versions.
pub fn unmet(text: &str, version: &str) -> anyhow::Result<Option<UnmetVersion>> {
    let (document, _) = Document::parse(text);
    let Some(value) = document.get("required-version") else { return Ok(None) };
    let line = document.line_at(value.span().start);
    let wrong = |what: &str| {
        let shown = wheelhaul_base::problem::shortened(document.written(value));
        Problem::with_hint(format!("line {line}: key `required-version`: {shown} is {what}"), CURE)
    };
    let required = value.get_ref().as_str().ok_or_else(|| wrong("not a text in quotes"))?;
    let specifiers = read(required).ok_or_else(|| wrong("not a set of versions"))?;
    let version = Version::from_str(version)?;
    Ok((!specifiers.contains(&version)).then(|| UnmetVersion { required: required.to_owned(), line }))
}

/// Specifiers as PEP 440 has them; a version by itself is that one.
fn read(text: &str) -> Option<VersionSpecifiers> {
    let text = text.trim();
    match Version::from_str(text) {
        Ok(version) => VersionSpecifiers::from_str(&format!("=={version}")).ok(),
        Err(_) => VersionSpecifiers::from_str(text).ok().filter(|specifiers| specifiers.iter().next().is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_held_to_it_whatever_else_is_in_the_file() {
        #[rustfmt::skip]
        let cases = [ // the file                                              version   is it met
            ("",                                                               "0.2.0", true),
            ("required-version = \">=0.2,<0.3\"",                              "0.2.7", true),
            ("required-version = \">=0.2,<0.3\"",                              "0.3.0", false),
            ("required-version = \">=0.2,<0.3\"",                              "0.3.0-rc.1", false),
            ("required-version = \">=0.2\"",                                   "0.3.0-rc.1", true),
            ("required-version = \"0.2.0\"",                                   "0.2.0", true),
            ("required-version = \"0.2\"",                                     "0.2.1", false),
            ("required-version = '~=0.2.1'\n[package]\nnew-key = 1",           "0.2.0", false),
            ("required-version = \">=9\"\n[package\nname = ",                  "0.2.0", false),
            ("required-version = \">=9\"\n[[app]]\n[service]\nport = \"x\"",   "0.2.0", false),
        ];
        for (text, version, is_met) in cases {
            assert_eq!(unmet(text, version).unwrap().is_none(), is_met, "{text} {version}");
        }
        let found = unmet("\n\nrequired-version = \">=9\"", "0.2.0").unwrap();
        assert_eq!(found, Some(UnmetVersion { required: ">=9".to_owned(), line: 3 }));
        for text in [
            "required-version = 0.2",
            "required-version = \"new\"",
            "required-version = \"\"",
            "required-version = [\"1\"]",
        ] {
            let error = unmet(text, "0.2.0").unwrap_err();
            assert!(error.to_string().starts_with("line 1: key `required-version`: "), "{error}");
        }
    }
}
