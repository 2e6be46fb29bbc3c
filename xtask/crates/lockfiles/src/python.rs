//! The Pythons that a project says it is for, read before its wheel is built.

use crate::poetry_constraint;
use pep440_rs::{Version, VersionSpecifiers};
use serde_json::Value;
use std::str::FromStr as _;
use wheelhaul_base::problem::Problem;
use wheelhaul_base::toml_text;

/// The Pythons that a project says it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pythons {
    /// as it is written
    pub written: String,
    /// the key that says it
    pub key: &'static str,
    /// one of them has to contain the version
    sets: Vec<VersionSpecifiers>,
}

impl Pythons {
    /// Whether the project is for a Python.
    pub fn contain(&self, version: &Version) -> bool {
        self.sets.iter().any(|set| set.contains(version))
    }

    fn standard(written: &str, key: &'static str) -> anyhow::Result<Self> {
        let set = VersionSpecifiers::from_str(written.trim()).map_err(|_| {
            let what = format!("`{key} = {written:?}` is not a set of versions");
            Problem::with_hint(what, format!("write it such as `{key} = \">=3.9\"`"))
        })?;
        Ok(Self { written: written.to_owned(), key, sets: vec![set] })
    }

    /// Reads the text of a `pyproject.toml`: `[project] requires-python`, or Poetry's `python`.
    ///
    /// # Errors
    /// For a text that is not TOML, and a value that is no set of versions.
    pub fn of_pyproject(text: &str) -> anyhow::Result<Option<Self>> {
        let file: Value = toml_text::read(text, "correct `pyproject.toml`")?;
        if let Some(written) = file["project"]["requires-python"].as_str() {
            return Self::standard(written, "requires-python").map(Some);
        }
        let python = &file["tool"]["poetry"]["dependencies"]["python"];
        let Some(written) = python.as_str().or(python["version"].as_str()) else { return Ok(None) };
        // Poetry says itself what is wrong with its own constraints.
        let sets = poetry_constraint::parse(written).ok();
        Ok(sets.map(|sets| Self { written: written.to_owned(), key: "python", sets }))
    }

    /// Reads the text of a `setup.cfg` or `setup.py`: `python_requires`, where it is a literal.
    pub fn of_setup(text: &str) -> Option<Self> {
        let written = text.lines().find_map(|line| {
            let rest = line.trim_start().strip_prefix("python_requires")?.trim_start().strip_prefix('=')?.trim_start();
            match rest.chars().next().filter(|c| ['"', '\''].contains(c)) {
                Some(quote) => rest[1..].split(quote).next(),
                None => Some(rest.trim_end()),
            }
        })?;
        Self::standard(written, "python_requires").ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_say_it_is_read() {
        #[rustfmt::skip]
        let cases = [ // text                                                        3.9    3.11
            ("[project]\nrequires-python = \">=3.10\"",                             false, true),
            ("[project]\nrequires-python = \">=3.8, <3.11\"",                       true,  false),
            ("[tool.poetry.dependencies]\npython = \"^3.10\"",                      false, true),
            ("[tool.poetry.dependencies]\npython = \"~3.9 || ~3.11\"",              true,  true),
            ("[tool.poetry.dependencies]\npython = { version = \">=3.10\" }",       false, true),
            ("[project]\nname = \"a\"",                                             true,  true),
            ("",                                                                    true,  true),
        ];
        for (text, old, new) in cases {
            let pythons = Pythons::of_pyproject(text).unwrap();
            let fits =
                |version: &str| pythons.as_ref().is_none_or(|pythons| pythons.contain(&version.parse().unwrap()));
            assert_eq!((fits("3.9.18"), fits("3.11.9")), (old, new), "{text}");
        }
        for text in [
            "[metadata]\nname = a\n[options]\npython_requires = >=3.10\n",
            "setup(\n    python_requires='>=3.10',\n)",
            "setup(\n python_requires = \">=3.10\")",
        ] {
            assert_eq!(Pythons::of_setup(text).unwrap().written, ">=3.10", "{text}");
        }
        assert_eq!(Pythons::of_setup("setup(python_requires=REQUIRES)"), None);
        assert!(Pythons::of_pyproject("[project]\nrequires-python = \"3.10 or so\"").is_err());
        assert!(Pythons::of_pyproject("[project").is_err());
    }
}
