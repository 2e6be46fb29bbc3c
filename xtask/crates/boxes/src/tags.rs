//! The tags of wheels that fit a target, best first: PEP 425, PEP 600, and packaging.python.org's
//! "Platform compatibility tags". musllinux (PEP 656) is another C library and never fits.

use anyhow::ensure;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use wheelhaul_base::problem::shortened;

/// One python-abi-platform triple.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    /// `cp311`, `py3`
    pub python: String,
    /// `cp311`, `abi3`, `none`
    pub abi: String,
    /// `manylinux_2_17_x86_64`, `any`
    pub platform: String,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

impl FromStr for Tag {
    type Err = anyhow::Error;

    /// One triple; a compressed set (`py2.py3-none-any`) is more than one.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [python, abi, platform] = parts.as_slice() else {
            anyhow::bail!("`{}` is not PYTHON-ABI-PLATFORM", shortened(text));
        };
        let is_plain = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        ensure!(parts.iter().all(is_plain), "`{}` has parts that no tag has", shortened(text));
        Ok(Self { python: (*python).to_owned(), abi: (*abi).to_owned(), platform: (*platform).to_owned() })
    }
}

/// The rank of each tag of a target: 0 is best.
#[derive(Debug)]
pub struct TagRanks(HashMap<Tag, usize>);

impl TagRanks {
    /// Ranks tags by their place in a list that is best first.
    pub fn new(best_first: Vec<Tag>) -> Self {
        Self(best_first.into_iter().enumerate().map(|(rank, tag)| (tag, rank)).collect())
    }

    /// The rank of `tag`, or `None` where it does not fit.
    pub fn rank(&self, tag: &Tag) -> Option<usize> {
        self.0.get(tag).copied()
    }
}

/// The names that PEP 513, 571 and 599 gave to what PEP 600 calls `manylinux_2_N`.
const LEGACY: &[(u16, &str)] = &[(17, "manylinux2014"), (12, "manylinux2010"), (5, "manylinux1")];

/// The platform tags of a glibc and an architecture, best first, plain `linux` last.
///
/// PEP 600 reaches down to 2.5 on x86_64 (manylinux1); other architectures came with 2.17.
pub(crate) fn platforms(glibc: (u16, u16), arch: &str) -> Vec<String> {
    let lowest = if arch == "x86_64" { 5 } else { 17 };
    let mut platforms = Vec::new();
    for minor in (lowest..=glibc.1).rev() {
        platforms.push(format!("manylinux_{}_{minor}_{arch}", glibc.0));
        if let Some((_, legacy)) = LEGACY.iter().find(|(of, _)| *of == minor) {
            platforms.push(format!("{legacy}_{arch}"));
        }
    }
    platforms.push(format!("linux_{arch}"));
    platforms
}

/// The tags of CPython `version` on `platforms`, best first.
///
/// Order: own ABI, stable ABI, no ABI; stable ABI of older minors; then pure wheels, first for a
/// platform, then for any. Up to 3.7 the ABI carries an `m` (PEP 3149's pymalloc flag). PEP 384's `abi3` came with 3.2.
pub(crate) fn best_first(version: (u8, u8), platforms: &[String]) -> Vec<Tag> {
    let (major, minor) = version;
    let own = format!("cp{major}{minor}");
    let abi = format!("{own}{}", if version < (3, 8) { "m" } else { "" });
    let tag = |python: &str, abi: &str, platform: &str| Tag {
        python: python.to_owned(),
        abi: abi.to_owned(),
        platform: platform.to_owned(),
    };
    let mut tags = Vec::new();
    for abi in [&abi, "abi3", "none"] {
        tags.extend(platforms.iter().map(|platform| tag(&own, abi, platform)));
    }
    for older in (2..minor).rev() {
        tags.extend(platforms.iter().map(|platform| tag(&format!("cp{major}{older}"), "abi3", platform)));
    }
    let mut pythons = vec![format!("py{major}{minor}"), format!("py{major}")];
    pythons.extend((0..minor).rev().map(|older| format!("py{major}{older}")));
    for python in &pythons {
        tags.extend(platforms.iter().map(|platform| tag(python, "none", platform)));
    }
    tags.push(tag(&own, "none", "any"));
    tags.extend(pythons.iter().map(|python| tag(python, "none", "any")));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_go_down_to_manylinux1_on_x86_64_and_to_2014_elsewhere() {
        let x86 = platforms((2, 28), "x86_64");
        assert_eq!(x86[0], "manylinux_2_28_x86_64");
        assert!(x86.contains(&"manylinux2014_x86_64".to_owned()));
        assert_eq!(&x86[x86.len() - 3..], ["manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64"]);
        let arm = platforms((2, 34), "aarch64");
        assert_eq!(&arm[arm.len() - 3..], ["manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"]);
    }

    #[test]
    fn ranks_prefer_the_own_abi_then_abi3_then_pure() {
        let ranks = TagRanks::new(best_first((3, 11), &platforms((2, 34), "x86_64")));
        let rank = |text: &str| ranks.rank(&text.parse().unwrap());
        let order = [
            "cp311-cp311-manylinux_2_34_x86_64",
            "cp311-cp311-manylinux2014_x86_64",
            "cp311-abi3-manylinux_2_17_x86_64",
            "cp39-abi3-manylinux_2_28_x86_64",
            "cp37-abi3-manylinux_2_28_x86_64",
            "py3-none-manylinux_2_17_x86_64",
            "py3-none-any",
        ];
        assert!(order.map(|tag| rank(tag).unwrap()).is_sorted());
        for foreign in [
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp311-cp311-musllinux_1_2_x86_64",
            "py2-none-any",
            "cp311-cp311-manylinux_2_35_x86_64",
            "cp311-cp311-manylinux_2_17_aarch64",
            "cp312-abi3-manylinux_2_17_x86_64",
        ] {
            assert_eq!(rank(foreign), None, "{foreign}");
        }
        assert_eq!(best_first((3, 6), &["any_box".to_owned()])[0].abi, "cp36m");
    }

    #[test]
    fn a_tag_reads_back_as_it_is_written() {
        let text = "cp311-abi3-manylinux_2_17_x86_64";
        assert_eq!(text.parse::<Tag>().unwrap().to_string(), text);
        for text in ["", "cp311", "cp311-cp311", "py2.py3-none-any", "a-b-c-d", "a--c", "cp311-cp311-linux x"] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }
}
