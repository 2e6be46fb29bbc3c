//! What the machine is, and whether it stands for the box that the package is for.

use crate::verify::Examined;
use anyhow::{Context as _, ensure};
use wheelhaul_trial::{Machine, RootFacts};

/// Notes what the machine is.
///
/// - Fails: for the package of another processor, and for a glibc that is older than the box's.
pub(super) fn note(machine: &Machine, root: &RootFacts, examined: &Examined) -> anyhow::Result<Vec<String>> {
    let evidence = examined.evidence.as_ref().ok().context("the package cannot be read")?;
    let first = |words: &[&str]| -> String {
        let said = machine.run(words).ok().filter(|ended| ended.succeeded()).map(|ended| ended.stdout);
        said.and_then(|said| Some(said.lines().next()?.trim().to_owned())).unwrap_or_else(|| "unknown".to_owned())
    };
    let glibc = first(&["getconf", "GNU_LIBC_VERSION"]);
    let mut notes = vec![
        format!("{}; {}; {}", first(&["rpm", "--version"]), first(&["systemctl", "--version"]), glibc),
        format!("its disk is {}", machine.disk()),
    ];
    let arch = &evidence.described.arch;
    if let Some(root) = &root.arch {
        ensure!(arch == root || arch == "noarch", "the package is for {arch}, and the root for {root}");
    }
    let Some(target) = &evidence.target else { return Ok(notes) };
    if let Some((major, minor)) = version_of(&glibc) {
        let wanted = target.distribution.glibc;
        ensure!(
            (major, minor) >= wanted,
            "its glibc is {major}.{minor}, older than that of {}, {}.{}",
            target.name,
            wanted.0,
            wanted.1
        );
        if (major, minor) > wanted {
            notes.push(format!(
                "its glibc is newer than that of {}, {}.{}: symbols are judged from the bytes",
                target.name, wanted.0, wanted.1
            ));
        }
    }
    if !stands_for(&root.id, &target.distribution.dist) {
        notes.push(format!("it is not the distribution of {}, {}", target.name, target.distribution.title));
    }
    Ok(notes)
}

/// `glibc 2.34` → 2 and 34
fn version_of(text: &str) -> Option<(u16, u16)> {
    let (major, minor) = text.strip_prefix("glibc ")?.split_once('.')?;
    let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Whether an `ID` and `VERSION_ID` of os-release(5) are of the distribution with a tag such as `el9`.
fn stands_for((id, version): &(String, String), dist: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    match id.as_str() {
        "rhel" | "centos" | "rocky" | "almalinux" | "ol" => dist == format!("el{major}"),
        "amzn" => dist == format!("amzn{major}"),
        "fedora" => dist == format!("fc{major}"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_stands_for_its_distribution() {
        #[rustfmt::skip]
        let cases = [
            ("rhel",   "9.4",  "el9",      true),
            ("rocky",  "8.10", "el9",      false),
            ("amzn",   "2023", "amzn2023", true),
            ("debian", "12",   "el9",      false),
            ("",       "",     "el9",      false),
        ];
        for (id, version, dist, expected) in cases {
            assert_eq!(stands_for(&(id.to_owned(), version.to_owned()), dist), expected, "{id} {version}");
        }
    }

    #[test]
    fn a_glibc_tells_its_version() {
        let cases = [("glibc 2.34", Some((2, 34))), ("glibc 2.39.9000", Some((2, 39))), ("unknown", None)];
        for (text, version) in cases {
            assert_eq!(version_of(text), version, "{text}");
        }
    }
}
