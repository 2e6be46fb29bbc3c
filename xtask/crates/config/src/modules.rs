//! `app.modules` and `app.version`: an application that this tool packs without a build backend.

use crate::check_inside;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;
use serde::Deserialize;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, all_of};

/// What of the application is packed, and as which version.
#[derive(Debug, Clone, Copy)]
pub struct Modules<'a> {
    /// files and folders, relative to `app.path`; what they are called there they are called on the box
    pub entries: &'a [ModulePath],
    /// the version of the wheel
    pub version: &'a AppVersion,
}

/// A file or a folder of `app.modules`, without a `/` at its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct ModulePath(pub Utf8PathBuf);

impl From<String> for ModulePath {
    fn from(text: String) -> Self {
        Self(text.strip_suffix('/').map(str::to_owned).unwrap_or(text).into())
    }
}

/// `app.version`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum AppVersion {
    /// `"git"`: from the nearest tag
    Git,
    /// `"1.2.0"`
    Given(Version),
}

impl TryFrom<String> for AppVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "git" => Ok(Self::Git),
            _ => Version::from_str(&text).map(Self::Given).map_err(|_| {
                format!(
                    "`{}` is neither a version such as \"1.2.0\" nor \"git\"",
                    wheelhaul_base::problem::shortened(&text)
                )
            }),
        }
    }
}

/// Folders of `/opt/NAME` that are this tool's: what is in them, and the first part of their path.
const TAKEN: [(&str, &str); 5] = [
    ("bin", "console scripts"),
    ("include", "headers of the dependencies"),
    ("lib", "the dependencies"),
    ("lib64", "the dependencies"),
    ("libexec", "programs of this tool"),
];

/// What a folder of this name holds on the box, where it cannot be the application's.
pub fn taken_by_layout(name: &str) -> Option<&'static str> {
    // A box's file system tells `Lib` from `lib`; a checkout on Windows or macOS does not.
    TAKEN.iter().find(|(taken, _)| taken.eq_ignore_ascii_case(name)).map(|(_, what)| *what)
}

/// Refuses modules that cannot lie in `/opt/NAME`.
pub(super) fn check(
    modules: &[ModulePath],
    version: Option<&AppVersion>,
    config: &[Utf8PathBuf],
) -> anyhow::Result<()> {
    match (modules.is_empty(), version) {
        (true, None) => return Ok(()),
        (true, Some(_)) => {
            return Err(Problem::with_hint(
                "key `app.version` is given without `app.modules`",
                "leave it out: the version is the one that the application's build backend writes",
            ));
        }
        (false, None) => {
            return Err(Problem::with_hint(
                "key `app.modules` is given without `app.version`",
                "add under `[app]`: version = \"1.0.0\", or version = \"git\" to take it from the tag",
            ));
        }
        (false, Some(_)) => {}
    }
    all_of("entries cannot be packed", modules.iter().filter_map(|module| check_one(&module.0, config).err()).collect())
        .context("key `app.modules`")
}

fn check_one(path: &Utf8Path, config: &[Utf8PathBuf]) -> anyhow::Result<()> {
    if path == "." || path == "" {
        return Err(Problem::with_hint(
            format!("`{path}` is the whole folder"),
            "name what the application needs when it runs: modules = [\"app.py\", \"templates/\"]",
        ));
    }
    check_inside(path)?;
    let first = path.components().next().map(|part| part.as_str()).unwrap_or_default();
    if let Some(what) = taken_by_layout(first) {
        return Err(Problem::with_hint(
            format!("`{first}` is taken on the box, where it holds {what}"),
            format!("rename the folder (`git mv {first} …`), and its imports"),
        ));
    }
    if first.ends_with(".dist-info") || first.ends_with(".data") {
        return Err(Problem::with_hint(
            format!("`{first}` has a name that wheels keep for themselves"),
            "rename it, or leave it out",
        ));
    }
    if config.iter().any(|config| config == path) {
        return Err(Problem::with_hint(
            format!("`{path}` is one of `app.config` as well"),
            "leave it out here: a config file is packed anyway, and is the administrator's",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;

    #[test]
    fn every_entry_has_a_place_on_the_box_or_a_cure() {
        #[rustfmt::skip]
        let cases = [ // entry             what is said                          in the hint
            ("app.py",           "",                                   ""),
            ("shop/",            "",                                   ""),
            ("shop/lib/",        "",                                   ""),
            ("library",          "",                                   ""),
            ("lib/",             "`lib` is taken",                     "git mv lib"),
            ("Lib/x.py",         "`Lib` is taken",                     "git mv Lib"),
            ("bin",              "console scripts",                    ""),
            ("libexec/run",      "`libexec` is taken",                 ""),
            (".",                "the whole folder",                   "modules = ["),
            ("/",                "the whole folder",                   "modules = ["),
            ("../shop",          "does not lie below",                 ""),
            ("shop//a",          "does not lie below",                 ""),
            ("shop-1.dist-info", "wheels keep",                        ""),
            ("config.yaml",      "`app.config` as well",               "leave it out"),
        ];
        let version = AppVersion::try_from("1.2.0".to_owned()).unwrap();
        for (entry, says, cure) in cases {
            let checked = check(&[ModulePath::from(entry.to_owned())], Some(&version), &["config.yaml".into()]);
            match checked {
                Ok(()) => assert_eq!(says, "", "{entry}"),
                Err(error) => {
                    assert!(!says.is_empty() && format!("{error:#}").contains(says), "{entry}: {error:#}");
                    assert!(hints_of(&error).join("\n").contains(cure), "{entry}: {:?}", hints_of(&error));
                }
            }
        }
    }

    #[test]
    fn a_version_goes_with_modules_and_only_with_them() {
        let modules = [ModulePath::from("app.py".to_owned())];
        assert!(format!("{:#}", check(&modules, None, &[]).unwrap_err()).contains("without `app.version`"));
        assert!(
            format!("{:#}", check(&[], Some(&AppVersion::Git), &[]).unwrap_err()).contains("without `app.modules`")
        );
        assert!(AppVersion::try_from("1.2.0".to_owned()).is_ok_and(|version| version != AppVersion::Git));
        assert!(AppVersion::try_from("v one".to_owned()).unwrap_err().contains("nor \"git\""));
    }
}
