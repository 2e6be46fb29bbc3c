//! The version that the tags of the repository give to the commit: `app.version = "git"`.

use crate::tools::git::{git, head};
use anyhow::Context as _;
use pep440_rs::Version;
use std::str::FromStr as _;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::Sys;

/// Of the tags before the commit, the newest that are looked at: each costs a walk of the history.
const MOST_TAGS: usize = 16;

/// Digits of the commit in the version; git's own abbreviation grows with the repository.
const DIGITS: usize = 9;

/// The version of the last commit: that of its tag, or of the nearest tag before it with the number of commits since.
///
/// # Errors
/// Where no tag names a version, and in a clone without the history that would have to be counted.
pub(crate) fn version(sys: &Sys) -> anyhow::Result<Version> {
    let failed = || "`app.version` is \"git\", and git does not tell the version";
    let head = head(sys)
        .with_context(failed)?
        .ok_or_else(|| {
            Problem::with_hint("this repository has no commit", "commit the application, and tag it: `git tag 1.0.0`")
        })
        .with_context(failed)?;
    let is_shallow = is_shallow(sys)?;
    let mut nearest: Option<(u64, Version)> = None;
    for (tag, version) in tags(sys)? {
        let range = format!("refs/tags/{tag}..HEAD");
        let said = sys.run(&git(&["rev-list", "--count", &range])).with_context(failed)?;
        let behind: u64 = said.out.trim().parse().context("git gave no number of commits").with_context(failed)?;
        let is_nearer = |(count, known): &(u64, Version)| behind < *count || (behind == *count && version > *known);
        if nearest.as_ref().is_none_or(is_nearer) {
            nearest = Some((behind, version));
        }
    }
    match nearest {
        Some((0, version)) => Ok(version),
        _ if is_shallow => Err(Problem::with_hint(
            "this clone is shallow: the tag, or the commits since it, are not here",
            "fetch the whole history: `fetch-depth: 0` of actions/checkout on GitHub, `GIT_DEPTH: 0` on GitLab, \
             `git fetch --unshallow --tags` by hand; or write the version: version = \"1.2.0\"",
        )),
        Some((behind, version)) => after(&version, behind, &head.commit),
        None => Err(Problem::with_hint(
            "no tag before this commit names a version, as `1.2.0` and `v1.2.0` do",
            "tag the commit: `git tag 1.2.0`; or write the version under `[app]` of `dist/package.toml`: version = \"1.2.0\"",
        )),
    }
    .with_context(failed)
}

/// Whether a tag before the last commit names a version.
pub(crate) fn has_tag(sys: &Sys) -> bool {
    tags(sys).is_ok_and(|tags| !tags.is_empty())
}

/// Tags before the last commit that name a version, newest first.
fn tags(sys: &Sys) -> anyhow::Result<Vec<(String, Version)>> {
    let words = ["for-each-ref", "--merged=HEAD", "--sort=-creatordate", "--format=%(refname:strip=2)", "refs/tags"];
    let said = sys.run(&git(&words)).context("failed to list the tags")?;
    let named = said.out.lines().filter_map(|tag| Some((tag.to_owned(), version_of(tag)?)));
    Ok(named.take(MOST_TAGS).collect())
}

/// The version that a tag names: `1.2.0` or `v1.2.0`; none for one of development, or with a label of its own, since
/// nothing can be counted on top of it.
fn version_of(tag: &str) -> Option<Version> {
    let text = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let version = Version::from_str(text).ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit()))?;
    (!version.is_dev() && !version.is_local()).then_some(version)
}

/// The version of a commit that many after a tag: `1.2.0.post3+g0123abcde`.
fn after(version: &Version, behind: u64, commit: &str) -> anyhow::Result<Version> {
    let post = version.post().unwrap_or(0).saturating_add(behind);
    let base = version.clone().with_post(None);
    let text = format!("{base}.post{post}+g{}", commit.get(..DIGITS).unwrap_or(commit));
    Version::from_str(&text).with_context(|| format!("`{text}` is not a version"))
}

fn is_shallow(sys: &Sys) -> anyhow::Result<bool> {
    let said = sys.run(&git(&["rev-parse", "--git-path", "shallow"])).context("failed to ask git for its folder")?;
    Ok(sys.root.join(said.out.trim()).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_name_versions() {
        #[rustfmt::skip]
        let cases = [ // tag               tagged             three commits after it
            ("1.2.0",          "1.2.0",           "1.2.0.post3+g0123abcde"),
            ("v1.2.0",         "1.2.0",           "1.2.0.post3+g0123abcde"),
            ("V2",             "2",               "2.post3+g0123abcde"),
            ("1.2.0rc1",       "1.2.0rc1",        "1.2.0rc1.post3+g0123abcde"),
            ("1.2.0.post4",    "1.2.0.post4",     "1.2.0.post7+g0123abcde"),
            ("1!1.0",          "1!1.0",           "1!1.0.post3+g0123abcde"),
            ("1.2.0.dev1",     "",                ""),
            ("1.2.0+site",     "",                ""),
            ("release-1.2.0",  "",                ""),
            ("vv1",            "",                ""),
            ("shop/1.2.0",     "",                ""),
            ("latest",         "",                ""),
        ];
        for (tag, tagged, later) in cases {
            let version = version_of(tag);
            assert_eq!(version.as_ref().map(ToString::to_string).unwrap_or_default(), tagged, "{tag}");
            let after = version.map(|version| after(&version, 3, "0123abcdef0123abcdef").unwrap().to_string());
            assert_eq!(after.unwrap_or_default(), later, "{tag}");
        }
    }
}
