//! PEP 440 → RPM: a version that rpm's comparison sorts as PEP 440 does.

use pep440_rs::{PrereleaseKind, Version};
use std::fmt::Write as _;

/// Epoch and version of the RPM.
///
/// `~` sorts below the end of a version, so pre-releases follow one and development releases, which
/// are lower still, two: `1.0.dev1 < 1.0a1 < 1.0` is `1.0~~dev1 < 1.0~a1 < 1.0`. Post-releases keep
/// their dot: `^` is not known to el8's rpm.
pub fn rpm_version(version: &Version) -> (Option<u32>, String) {
    let numbers: Vec<String> = version.release().iter().map(u64::to_string).collect();
    let mut text = numbers.join(".");
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
    if !version.local().is_empty() {
        let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
        write!(text, "+{}", local.join(".")).expect("a String takes all");
    }
    let epoch = u32::try_from(version.epoch()).ok().filter(|epoch| *epoch > 0);
    (epoch, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_what_rpm_sorts_alike() {
        #[rustfmt::skip]
        let cases = [
            ("1.0",             None,    "1.0"),
            ("1.0rc1",          None,    "1.0~rc1"),
            ("1.0.0a2",         None,    "1.0.0~a2"),
            ("1.0.dev3",        None,    "1.0~~dev3"),
            ("1.0b1.dev3",      None,    "1.0~b1~dev3"),
            ("1.0.post1",       None,    "1.0.post1"),
            ("1.0.post1.dev2",  None,    "1.0.post1~dev2"),
            ("2!1.0",           Some(2), "1.0"),
            ("1.0+deb.1",       None,    "1.0+deb.1"),
        ];
        for (python, epoch, rpm) in cases {
            assert_eq!(rpm_version(&python.parse().unwrap()), (epoch, rpm.to_owned()), "{python}");
        }
    }
}
