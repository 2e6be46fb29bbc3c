//! PEP 440 → RPM: a version that rpm's comparison sorts as PEP 440 does.

use pep440_rs::{PrereleaseKind, Version};
use std::fmt::Write as _;

/// Zeros that are not written mean the same to PEP 440, and rpm takes `1.0` for older than `1.0.0`.
const NUMBERS: usize = 3;

/// Epoch and version of the RPM.
///
/// - The release has three numbers at least, and more only where they are not 0: `1`, `1.0` and `1.0.0.0` are all
///   `1.0.0`, as they are one version to PEP 440.
/// - `~` sorts below the end of a version, so pre-releases follow one and development releases, which are lower
///   still, two: `1.0.dev1 < 1.0a1 < 1.0` is `1.0.0~~dev1 < 1.0.0~a1 < 1.0.0`.
/// - Post-releases keep their dot: `^` is not known to the rpm of el7 and el8. Letters sort below numbers, so
///   `1.0.0.post1 < 1.0.0.1`.
/// - A local version follows `+local`, a word below `post`: `1.0+5` is `1.0.0+local.5`, above `1.0.0` and below
///   `1.0.0.post1`.
pub fn rpm_version(version: &Version) -> (Option<u32>, String) {
    let mut numbers = trimmed(version);
    numbers.resize(numbers.len().max(NUMBERS), 0);
    let mut text = dotted(&numbers) + &suffix(version);
    if !version.local().is_empty() {
        let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
        write!(text, "+local.{}", local.join(".")).expect("a String takes all");
    }
    (epoch(version), text)
}

/// The version of a package that is bundled, with its epoch, as Fedora's generator for `python3dist()` writes it:
/// without zeros at the end and without a local version. Post-releases keep their dot here as well.
pub fn bundled_version(version: &Version) -> String {
    let mut numbers = trimmed(version);
    numbers.resize(numbers.len().max(1), 0);
    let epoch = epoch(version).map(|epoch| format!("{epoch}:")).unwrap_or_default();
    format!("{epoch}{}{}", dotted(&numbers), suffix(version))
}

fn epoch(version: &Version) -> Option<u32> {
    u32::try_from(version.epoch()).ok().filter(|epoch| *epoch > 0)
}

/// The release without zeros at its end.
fn trimmed(version: &Version) -> Vec<u64> {
    let release = version.release();
    let end = release.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
    release[..end].to_vec()
}

fn dotted(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// What follows the release, but for a local version.
fn suffix(version: &Version) -> String {
    let mut text = String::new();
    if let Some(pre) = version.pre() {
        let kind = match pre.kind {
            PrereleaseKind::Alpha => "a",
            PrereleaseKind::Beta => "b",
            PrereleaseKind::Rc => "rc",
        };
        write!(text, "~{kind}{}", pre.number).expect("a String takes all");
    }
    if let Some(post) = version.post() {
        write!(text, ".post{post}").expect("a String takes all");
    }
    if let Some(dev) = version.dev() {
        let below = if version.pre().is_some() || version.post().is_some() { "~" } else { "~~" };
        write!(text, "{below}dev{dev}").expect("a String takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_what_rpm_sorts_alike() {
        #[rustfmt::skip]
        let cases = [ // PEP 440   epoch    of the RPM             bundled
            ("1.0",             None,    "1.0.0",               "1"),
            ("1",               None,    "1.0.0",               "1"),
            ("1.2.3.0",         None,    "1.2.3",               "1.2.3"),
            ("1.2.0.4",         None,    "1.2.0.4",             "1.2.0.4"),
            ("0",               None,    "0.0.0",               "0"),
            ("2024.10",         None,    "2024.10.0",           "2024.10"),
            ("1.0rc1",          None,    "1.0.0~rc1",           "1~rc1"),
            ("1.0.0a2",         None,    "1.0.0~a2",            "1~a2"),
            ("1.0.dev3",        None,    "1.0.0~~dev3",         "1~~dev3"),
            ("1.0b1.dev3",      None,    "1.0.0~b1~dev3",       "1~b1~dev3"),
            ("1.0.post1",       None,    "1.0.0.post1",         "1.post1"),
            ("1.0.post1.dev2",  None,    "1.0.0.post1~dev2",    "1.post1~dev2"),
            ("2!1.0",           Some(2), "1.0.0",               "2:1"),
            ("1.0+deb.1",       None,    "1.0.0+local.deb.1",   "1"),
        ];
        for (python, epoch, rpm, bundled) in cases {
            let version = python.parse().unwrap();
            assert_eq!(rpm_version(&version), (epoch, rpm.to_owned()), "{python}");
            assert_eq!(bundled_version(&version), bundled, "{python}");
        }
    }
}
