//! What a requirement refers to: a package of an index, a file, a folder, version control.

use crate::direct_files::{DirectFile, FileLocation, no_file, several_hashes};
use crate::file_names::{is_archive, name_in_url, told_by};
use crate::hashes::sha256_of;
use crate::paths::{inside, percent_decoded};
use crate::pin::Pin;
use anyhow::{Context as _, bail, ensure};
use camino::Utf8Path;
use pep508_rs::{ExtraName, PackageName};
use std::collections::BTreeSet;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, shortened};
use wheelhaul_boxes::Requirement;

/// Prefixes of URLs of version control, each also with `+` and how it is reached.
const VERSION_CONTROL: [&str; 8] = ["git", "hg", "svn", "bzr", "ssh", "sftp", "lp", "static-http"];

/// What a requirement without its marker refers to.
pub(super) enum Reference<'a> {
    /// a package of an index
    Index(Requirement),
    /// a wheel or an sdist
    File(Named<'a>),
    /// a path or a `file:` URL without the end of an archive, and the name before it
    Folder(Option<PackageName>, &'a str),
    /// a repository, and the name before it
    VersionControl(Option<PackageName>, &'a str),
}

/// A file, and what is said of it before it is looked at.
pub(super) struct Named<'a> {
    name: Option<PackageName>,
    extras: Vec<ExtraName>,
    /// a URL, or a path
    at: &'a str,
}

/// Splits at the `;` before a marker: behind a URL alone, which may have one in it, only where a space follows.
pub(super) fn split_marker(text: &str) -> (&str, &str) {
    let separator = if scheme(text).is_some_and(is_known) { "; " } else { ";" };
    let (front, marker) = text.split_once(separator).unwrap_or((text, ""));
    (front.trim(), marker)
}

/// A requirement as an error may show it: URLs hold credentials.
pub(super) fn shown(text: &str) -> String {
    match text.split_once("://") {
        Some((front, _)) => shortened(&format!("{front}://…")),
        None => shortened(text),
    }
}

/// The scheme that a URL starts with (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme)).then_some(scheme)
}

/// Whether a folder is named by an absolute path, or by a URL of one.
pub(super) fn is_absolute(at: &str) -> bool {
    let path = at.get(..5).filter(|start| start.eq_ignore_ascii_case("file:")).map_or(at, |_| &at[5..]);
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

fn is_known(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    matches!(scheme.as_str(), "http" | "https" | "file" | "ftp") || is_version_control(&scheme)
}

fn is_version_control(scheme: &str) -> bool {
    let first = scheme.split('+').next().unwrap_or_default();
    VERSION_CONTROL.iter().any(|known| first.eq_ignore_ascii_case(known))
}

/// `PATH[EXTRA,…]`
pub(super) fn split_extras(text: &str) -> anyhow::Result<(&str, Vec<ExtraName>)> {
    let Some((path, extras)) = text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) else {
        return Ok((text, Vec::new()));
    };
    let requirement = Requirement::from_str(&format!("placeholder[{extras}]"))?;
    Ok((path.trim_end(), requirement.extras))
}

impl<'a> Reference<'a> {
    pub(super) fn of(text: &'a str) -> anyhow::Result<Self> {
        if scheme(text).is_some_and(is_known) {
            return Self::located(None, Vec::new(), text);
        }
        // A URL after a name: what is before it does not look like a path.
        let looks_like_path = |text: &str| text.contains('/') || text.starts_with('.');
        if let Some((front, url)) = text.split_once('@').filter(|(front, _)| !looks_like_path(front)) {
            let requirement = Requirement::from_str(front)?;
            let url = url.trim();
            ensure!(requirement.versions.is_empty(), "`{}` has versions and a URL", requirement.name);
            ensure!(!url.is_empty() && !url.contains(char::is_whitespace), "the URL of `{}` is none", requirement.name);
            return Self::located(Some(requirement.name), requirement.extras, url);
        }
        let (path, extras) = split_extras(text)?;
        if is_archive(path) {
            return Ok(Self::File(Named { name: None, extras, at: path }));
        }
        if looks_like_path(text) {
            return Ok(Self::Folder(None, path));
        }
        Ok(Self::Index(Requirement::from_str(text)?))
    }

    fn located(name: Option<PackageName>, extras: Vec<ExtraName>, url: &'a str) -> anyhow::Result<Self> {
        let what = || name.as_ref().map_or("a requirement".to_owned(), |name| format!("`{name}`"));
        let path = url.split(['?', '#']).next().unwrap_or_default();
        match scheme(url).map(str::to_ascii_lowercase).as_deref() {
            Some(scheme) if is_version_control(scheme) => Ok(Self::VersionControl(name, url)),
            Some("file") if !is_archive(path) => Ok(Self::Folder(name, url)),
            // uv writes paths there as well, which start where the file is: `shop @ .`.
            None if !is_archive(path) && !url.contains(['#', ':']) => Ok(Self::Folder(name, url)),
            None if !url.contains(['#', ':']) => Ok(Self::File(Named { name, extras, at: url })),
            Some("http" | "https" | "file") if is_archive(path) => Ok(Self::File(Named { name, extras, at: url })),
            Some("http" | "https") => {
                Err(no_file(what(), "comes from a URL that does not end in the name of a wheel or an sdist"))
            }
            _ => Err(no_file(what(), "comes from a URL that is none of `https:`, `http:` and `file:`")),
        }
    }
}

/// The pin of a file.
///
/// - Takes: `base`, from which paths start; `hashes` of the line, beside the one in the URL's fragment.
pub(super) fn direct(named: Named<'_>, base: &Utf8Path, hashes: &BTreeSet<String>, place: &str) -> anyhow::Result<Pin> {
    let (at, fragment) = named.at.split_once('#').unwrap_or((named.at, ""));
    let is_url = scheme(at).is_some_and(is_known);
    let file_name =
        if is_url { name_in_url(at)? } else { at.rsplit(['/', '\\']).next().unwrap_or_default().to_owned() };
    let (name, version) = told_by(&file_name, named.name.as_ref())?;
    let local = if is_url {
        at.get(..5).filter(|start| start.eq_ignore_ascii_case("file:")).map(|_| &at[5..])
    } else {
        Some(at)
    };
    let place_of_file = match local {
        None => FileLocation::Url(at.to_owned()),
        Some(path) => {
            let path = if is_url { percent_decoded(path).context("its path is not UTF-8")? } else { path.to_owned() };
            FileLocation::Path(inside(base, &path).ok_or_else(|| {
                Problem::with_hint(
                    format!("the file `{}` is not named by a path of the repository", shortened(&file_name)),
                    format!(
                        "put it into the repository and name its path relative to the lock, `./vendor/{}`",
                        shortened(&file_name)
                    ),
                )
            })?)
        }
    };
    let mut accepted = hashes.clone();
    for part in fragment.split('&') {
        if let Some(digest) = part.strip_prefix("sha256=") {
            accepted.extend(sha256_of(&format!("sha256:{digest}"))?);
        } else if let Some(egg) = part.strip_prefix("egg=") {
            let egg = Requirement::from_str(&percent_decoded(egg).unwrap_or_default()).context("its `#egg=`")?;
            ensure!(egg.name == name, "`#egg={}` is not the name of `{}`", egg.name, shortened(&file_name));
        } else if part.starts_with("subdirectory=") {
            bail!("only a part of `{}` is wanted, by `#subdirectory=`", shortened(&file_name));
        }
    }
    let mut digests = accepted.iter();
    let sha256 = match (digests.next(), digests.next()) {
        (Some(one), None) => one.clone(),
        (None, _) => {
            return Err(Problem::with_hint(
                format!("the file `{}` has no sha256", shortened(&file_name)),
                "put `--hash=sha256:…` behind the requirement, or `#sha256=…` behind its URL; `pip hash FILE` prints it",
            ));
        }
        _ => return Err(several_hashes(&file_name, accepted.len())),
    };
    let mut pin = Pin::new(name, version, place.to_owned());
    pin.extras = named.extras;
    pin.files = vec![DirectFile { name: file_name, at: place_of_file, size: None, sha256, subdirectory: None }];
    pin.hashes = accepted;
    Ok(pin)
}
