//! Poetry's syntax of version constraints: PEP 440's with `^`, `~`, `||` and bare versions.

use anyhow::{Context as _, bail, ensure};
use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use std::str::FromStr;

/// Longer than any constraint, and its ranges.
const MOST_BYTES: usize = 2_000;

/// Reads a constraint as sets of specifiers, of which one has to contain a version; a single empty set is any.
pub(crate) fn parse(text: &str) -> anyhow::Result<Vec<VersionSpecifiers>> {
    ensure!(text.len() <= MOST_BYTES, "a version constraint has {} bytes", text.len());
    let sets = text.split('|').map(str::trim);
    // `a || b` and `a | b` mean the same.
    let written: Vec<&str> = sets.filter(|set| !set.is_empty()).collect();
    if written.is_empty() {
        return Ok(vec![VersionSpecifiers::empty()]);
    }
    written.into_iter().map(|set| all(set).with_context(|| format!("`{text}` is not a version constraint"))).collect()
}

/// Constraints that hold together: divided by commas or by white space.
fn all(set: &str) -> anyhow::Result<VersionSpecifiers> {
    let mut specifiers = Vec::new();
    let mut operator = String::new();
    for word in set.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        let end = word.find(|c: char| !"<>=!~^".contains(c)).unwrap_or(word.len());
        operator.push_str(&word[..end]);
        if end < word.len() {
            specifiers.extend(one(&std::mem::take(&mut operator), &word[end..])?);
        }
    }
    ensure!(operator.is_empty(), "`{operator}` has no version");
    Ok(specifiers.into_iter().collect())
}

fn one(operator: &str, version: &str) -> anyhow::Result<Vec<VersionSpecifier>> {
    if version.chars().all(|c| "*xX.vV".contains(c)) {
        return Ok(Vec::new());
    }
    let takes_x = matches!(operator, "" | "=" | "==" | "!=");
    let is_x = takes_x && (version.ends_with(".x") || version.ends_with(".X"));
    let plain = if is_x { &version[..version.len() - 2] } else { version.trim_end_matches(".*") };
    let is_wild = plain.len() < version.len();
    let parsed = Version::from_str(plain)?;
    let specifier = |operator: &str| VersionSpecifier::from_str(&format!("{operator}{parsed}"));
    let below = |upper: Vec<u64>| VersionSpecifier::from_version(Operator::LessThan, Version::new(upper));
    Ok(match operator {
        "^" => vec![specifier(">=")?, below(next_breaking(parsed.release()))?],
        "~" => vec![specifier(">=")?, below(next(parsed.release(), parsed.release().len().min(2) - 1))?],
        "" | "=" | "==" | "===" if is_wild => vec![VersionSpecifier::from_str(&format!("=={parsed}.*"))?],
        "!=" if is_wild => vec![VersionSpecifier::from_str(&format!("!={parsed}.*"))?],
        "" | "=" | "==" | "===" => vec![specifier("==")?],
        "~=" if parsed.release().len() == 1 => vec![specifier(">=")?, below(next(parsed.release(), 0))?],
        "<" | "<=" | ">" | ">=" | "!=" | "~=" => vec![specifier(operator)?],
        _ => bail!("`{operator}` is not an operator"),
    })
}

/// The release with one more at `place`, and nothing behind.
fn next(release: &[u64], place: usize) -> Vec<u64> {
    let mut next: Vec<u64> = release.iter().copied().take(place + 1).collect();
    next.resize(place + 1, 0);
    next[place] = next[place].saturating_add(1);
    next
}

/// The first release that `^` leaves out: the leftmost figure that is not zero grows.
fn next_breaking(release: &[u64]) -> Vec<u64> {
    let place = release.iter().take(3).position(|part| *part != 0);
    next(release, place.unwrap_or(release.len().min(3) - 1))
}

/// A constraint on Python as a marker (PEP 508); none for any Python.
///
/// `3.11`, `>=3.11` and `<3.11` speak of the minor version; `<=3.11`, `>3.11` and `!=3.11` of its release 3.11.0.
pub(crate) fn python_marker(text: &str) -> anyhow::Result<Option<String>> {
    let mut sets = Vec::new();
    for set in parse(text)? {
        let of = |specifier: &VersionSpecifier| {
            let (operator, release) = (specifier.operator(), specifier.version().release());
            let is_wild = matches!(operator, Operator::EqualStar | Operator::NotEqualStar);
            let is_short = release.len() <= 2 && !is_wild;
            let of_release = matches!(operator, Operator::LessThanEqual | Operator::GreaterThan | Operator::NotEqual);
            // Poetry takes `>=3.11,<=3.11` for `3.11`.
            let is_end_of = |other: &VersionSpecifier| {
                *operator == Operator::LessThanEqual
                    && *other.operator() == Operator::GreaterThanEqual
                    && other.version() == specifier.version()
            };
            if is_short && of_release && !specifier.version().any_prerelease() && !set.iter().any(is_end_of) {
                let minor = release.get(1).copied().unwrap_or_default();
                return format!("python_full_version {operator} '{}.{minor}.0'", release[0]);
            }
            let variable = if is_short { "python_version" } else { "python_full_version" };
            let text = specifier.to_string();
            let at = text.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(text.len());
            format!("{variable} {} '{}'", &text[..at], &text[at..])
        };
        let parts: Vec<String> = set.iter().map(of).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        sets.push(format!("({})", parts.join(" and ")));
    }
    Ok(Some(sets.join(" or ")))
}

/// Poetry's `platform` key as a marker: names with `||` between them, `!=` in front of one.
pub(crate) fn platform_marker(text: &str) -> anyhow::Result<String> {
    let mut sets = Vec::new();
    for set in text.split('|').map(str::trim).filter(|set| !set.is_empty()) {
        let mut parts = Vec::new();
        for name in set.split([',', ' ']).filter(|name| !name.is_empty()) {
            let end = name.find(|c: char| !"=!".contains(c)).unwrap_or(name.len());
            let operator = if &name[..end] == "!=" { "!=" } else { "==" };
            let is_plain = name.len() > end && name[end..].chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            ensure!(is_plain, "`{name}` is not the name of a platform");
            parts.push(format!("sys_platform {operator} '{}'", &name[end..]));
        }
        sets.push(format!("({})", parts.join(" and ")));
    }
    ensure!(!sets.is_empty(), "`platform` is empty");
    Ok(sets.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_boxes::{Asked, Target};

    #[test]
    fn constraints_become_specifiers() {
        #[rustfmt::skip]
        let cases = [ // constraint            specifiers
            ("*",                       ""),
            ("",                        ""),
            ("^1.2.3",                  ">=1.2.3, <2"),
            ("^0.3.1",                  ">=0.3.1, <0.4"),
            ("^0.0.3",                  ">=0.0.3, <0.0.4"),
            ("^0.0",                    ">=0.0, <0.1"),
            ("^0",                      ">=0, <1"),
            ("^1.0b1",                  ">=1.0b1, <2"),
            ("~1",                      ">=1, <2"),
            ("~1.2",                    ">=1.2, <1.3"),
            ("~1.2.3",                  ">=1.2.3, <1.3"),
            ("~=1.4.2",                 "~=1.4.2"),
            ("1.4.2",                   "==1.4.2"),
            ("==1.*",                   "==1.*"),
            ("!=1.4.*",                 "!=1.4.*"),
            ("1.x",                     "==1.*"),
            (">= 1.0 , <2",             ">=1.0, <2"),
            (">=1 <2",                  ">=1, <2"),
            (">=2.7,<3.0 || >=3.5.*",   ">=2.7, <3.0|>=3.5"),
            (">=0.14.0,<0.15.0 || >0.15.0,<0.15.1 || >0.15.1", ">=0.14.0, <0.15.0|>0.15.0, <0.15.1|>0.15.1"),
        ];
        for (constraint, specifiers) in cases {
            let sets: Vec<String> = parse(constraint).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(sets.join("|"), specifiers, "{constraint}");
        }
        for wrong in ["^", "1.0 >=", "^^1", "<>1", "a", "^1.x", "1.2.3.4.5-"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&"1||".repeat(1000)).is_err());
    }

    #[test]
    fn keys_become_markers() {
        #[rustfmt::skip]
        let cases = [ // constraint   marker
            ("*",            None),
            ("<3.10",        Some("(python_version < '3.10')")),
            ("^3.8",         Some("(python_version >= '3.8' and python_version < '4')")),
            ("~3.8 || ==3.10.*", Some("(python_version >= '3.8' and python_version < '3.9') or (python_full_version == '3.10.*')")),
            (">=3.8.1",      Some("(python_full_version >= '3.8.1')")),
            (">3.8,<=3.11",  Some("(python_full_version > '3.8.0' and python_full_version <= '3.11.0')")),
            ("!=3",          Some("(python_full_version != '3.0.0')")),
            ("3.11.x",       Some("(python_full_version == '3.11.*')")),
        ];
        for (constraint, marker) in cases {
            assert_eq!(python_marker(constraint).unwrap().as_deref(), marker, "{constraint}");
        }
        assert_eq!(
            platform_marker("win32 || !=darwin").unwrap(),
            "(sys_platform == 'win32') or (sys_platform != 'darwin')"
        );
        assert!(platform_marker("' or ''=='").is_err());
    }

    /// What Poetry itself says of each constraint.
    #[test]
    fn pythons_are_those_that_poetry_takes() {
        let pythons = ["3.11.13", "3.11.0", "3.12.4", "3.9.25"];
        #[rustfmt::skip]
        let cases = [ // constraint           of these Pythons
            ("<=3.11",                     "0101"),
            (">3.11",                      "1010"),
            ("!=3.11",                     "1011"),
            ("3.11",                       "1100"),
            ("<3.11",                      "0001"),
            ("~3.11",                      "1100"),
            ("^3.11",                      "1110"),
            ("3",                          "0000"),
            ("3.*",                        "1111"),
            ("!=3.11.*",                   "0011"),
            ("<=3.11.13",                  "1101"),
            ("<=3.10",                     "0001"),
            (">3.10",                      "1110"),
            ("!=3.12",                     "1111"),
            ("~=3.11",                     "1110"),
            ("~=3.11.2",                   "1000"),
            ("2.7 | 3.11",                 "1100"),
            (">3",                         "1111"),
            ("<=3",                        "0000"),
            (">=3.11,!=3.11",              "1010"),
            ("<3.12.0a1",                  "1101"),
            (">=3.11rc1",                  "1110"),
            ("3.11.x",                     "1100"),
            ("v3.11",                      "1100"),
            (">=3.9,<3.11||>3.11,<3.13",   "1011"),
            (">=3.11,<=3.11",              "1100"),
        ];
        for (constraint, taken) in cases {
            let marker = python_marker(constraint).unwrap().unwrap();
            let holds = pythons.map(|full| {
                let minor = &full[..full.rfind('.').unwrap()];
                let target = Target::find("el9-x86_64", Some(minor), Some(full)).unwrap();
                target.environment().holds(&marker, &Asked::default()).unwrap()
            });
            let holds: String = holds.map(|holds| if holds { '1' } else { '0' }).iter().collect();
            assert_eq!(holds, taken, "{constraint}: {marker}");
        }
    }
}
