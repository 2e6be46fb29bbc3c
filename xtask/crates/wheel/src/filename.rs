//! A wheel's file name: `{distribution}-{version}(-{build tag})?-{python}-{abi}-{platform}.whl`
//! (binary distribution format, "File name convention"; compressed tag sets: PEP 425).

use anyhow::{Context as _, bail};
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::fmt;
use std::str::FromStr;
use wheelhaul_boxes::{Tag, TagRanks};

/// A parsed file name; prints as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    text: String,
    /// normalized (PEP 503)
    pub name: PackageName,
    /// the version of the distribution
    pub version: Version,
    /// the build tag, split as the format says: number, then the rest; none sorts lowest
    pub build: Option<(u64, String)>,
    tags: [Vec<String>; 3],
}

impl FromStr for WheelName {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        parse(text).with_context(|| format!("`{text}` is not the name of a wheel"))
    }
}

fn parse(text: &str) -> anyhow::Result<WheelName> {
    let stem = text.strip_suffix(".whl").context("it does not end in `.whl`")?;
    if !stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+!~".contains(&byte)) {
        bail!("it has characters that no wheel's name has");
    }
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, build, tags) = match parts.as_slice() {
        [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
        [name, version, build, python, abi, platform] => (name, version, Some(*build), [python, abi, platform]),
        _ => bail!("it has {} parts between dashes instead of 5 or 6", parts.len()),
    };
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        bail!("it does not start with a package's name");
    }
    let build = build.map(build_tag).transpose()?;
    if tags.iter().any(|set| set.split('.').any(str::is_empty)) {
        bail!("one of its tags is empty");
    }
    let tags = tags.map(|set| set.split('.').map(|tag| tag.to_ascii_lowercase()).collect());
    if size_of_product(&tags) > MOST_TAGS {
        bail!("it stands for more than {MOST_TAGS} tags");
    }
    Ok(WheelName {
        text: text.to_owned(),
        name: PackageName::from_str(name)?,
        // Old tools escaped the `+` before a local version.
        version: Version::from_str(version).or_else(|_| Version::from_str(&version.replacen('_', "+", 1)))?,
        build,
        tags,
    })
}

fn build_tag(text: &str) -> anyhow::Result<(u64, String)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number =
        text[..digits].parse().with_context(|| format!("the build tag `{text}` does not start with a number"))?;
    Ok((number, text[digits..].to_owned()))
}

/// The tags of `PYTHON-ABI-PLATFORM`, each part a set with dots between (PEP 425, "Compressed Tag Sets").
///
/// - Gives: `None` for what is not of that form, or stands for more tags than any wheel has.
pub fn expand_tags(text: &str) -> Option<Vec<Tag>> {
    let sets: Vec<Vec<String>> =
        text.trim().split('-').map(|set| set.split('.').map(str::to_ascii_lowercase).collect()).collect();
    let sets: [Vec<String>; 3] = sets.try_into().ok()?;
    (size_of_product(&sets) <= MOST_TAGS).then_some(())?;
    Some(product(&sets).collect())
}

/// More tags than any wheel has: three long sets multiply to more than memory holds.
const MOST_TAGS: usize = 10_000;

fn size_of_product(sets: &[Vec<String>; 3]) -> usize {
    sets.iter().fold(1, |size, set| size.saturating_mul(set.len()))
}

fn product(sets: &[Vec<String>; 3]) -> impl Iterator<Item = Tag> + '_ {
    let [pythons, abis, platforms] = sets;
    pythons.iter().flat_map(move |python| {
        abis.iter().flat_map(move |abi| {
            platforms.iter().map(move |platform| Tag {
                python: python.clone(),
                abi: abi.clone(),
                platform: platform.clone(),
            })
        })
    })
}

impl WheelName {
    /// Every tag of the compressed sets.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        product(&self.tags)
    }

    /// How well it fits: the best rank of its tags, or `None` where none fits.
    pub fn rank(&self, ranks: &TagRanks) -> Option<usize> {
        self.tags().filter_map(|tag| ranks.rank(&tag)).min()
    }

    /// The tags as they stand in the name, `py2.py3-none-any`.
    pub fn tag_text(&self) -> String {
        self.tags.each_ref().map(|set| set.join(".")).join("-")
    }
}

impl fmt::Display for WheelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_print_as_they_were() {
        let text = "Foo_Bar-1.0.post1-3b-cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
        let name: WheelName = text.parse().unwrap();
        assert_eq!(name.to_string(), text);
        assert_eq!(name.name.as_ref(), "foo-bar");
        assert_eq!(name.build, Some((3, "b".to_owned())));
        assert_eq!(name.tags().count(), 4);
        assert_eq!(name.tag_text(), "cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64");
    }

    #[test]
    fn compressed_tags_are_expanded() {
        let tags = expand_tags("cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64").unwrap();
        assert_eq!(tags.len(), 2);
        assert_eq!(tags[1].to_string(), "cp39-cp39-manylinux2014_x86_64");
        assert!(expand_tags("py3-none").is_none() && expand_tags("a-b-c-d").is_none());
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "a-1.tar.gz",
            "a-1-py3-none.whl",
            "a-1-b-py3-none-any.whl",
            "a-x-py3-none-any.whl",
            "a-1-py3--any.whl",
            "a-1-py3.-none-any.whl",
            "../a-1-py3-none-any.whl",
            "a-1-1-2-py3-none-any.whl",
            &format!("a-1-{0}-{0}-{0}.whl", vec!["x"; 100].join(".")),
            "-1-py3-none-any.whl",
        ] {
            assert!(text.parse::<WheelName>().is_err(), "{text}");
        }
    }
}
