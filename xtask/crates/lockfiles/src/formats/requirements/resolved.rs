//! What was resolved for several targets, as one requirements file with hashes.

use crate::pin::Pin;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use wheelhaul_boxes::Target;

/// The pins that were resolved for the targets of one Python and processor.
#[derive(Debug)]
pub struct Resolved<'a> {
    /// one of the targets
    pub target: &'a Target,
    /// its pins
    pub pins: Vec<Pin>,
}

/// Writes the file.
///
/// - Takes: `from` and `targets`, for the comment at its top.
/// - Gives: a line a package; where targets differ, a line a version under the marker of those that get it.
pub fn to_requirements(resolved: &[Resolved<'_>], from: &str, targets: &[&str]) -> String {
    let mut packages: BTreeMap<&PackageName, BTreeMap<&Version, Line>> = BTreeMap::new();
    for (place, of) in resolved.iter().enumerate() {
        for pin in &of.pins {
            let line = packages.entry(&pin.name).or_default().entry(&pin.version).or_default();
            line.places.insert(place);
            line.extras.extend(pin.extras.iter().map(ToString::to_string));
            line.hashes.extend(&pin.hashes);
        }
    }
    let mut text = format!(
        "# Resolved from {from} by `cargo xtask lock --upgrade`, with wheels that fit {}.\n",
        targets.join(", ")
    );
    for (name, versions) in packages {
        for (version, line) in versions {
            let extras: Vec<String> = line.extras.into_iter().collect();
            let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
            write!(text, "{name}{extras}=={version}").expect("a String takes all");
            if line.places.len() < resolved.len() {
                write!(text, " ; {}", marker_of(&line.places, resolved)).expect("a String takes all");
            }
            for hash in line.hashes {
                write!(text, " \\\n    --hash=sha256:{hash}").expect("a String takes all");
            }
            text.push('\n');
        }
    }
    text
}

/// The marker of some of the boxes: for each the shortest that is true on none of the others.
fn marker_of(places: &BTreeSet<usize>, resolved: &[Resolved<'_>]) -> String {
    let mut markers: Vec<String> = Vec::new();
    for place in places {
        let marker =
            [false, true].into_iter().flat_map(|arch| [(false, arch), (true, arch)]).find_map(|(full, arch)| {
                let of = |place: usize| marker_of_box(resolved[place].target, full, arch);
                let own = of(*place);
                (0..resolved.len()).all(|other| of(other) != own || places.contains(&other)).then_some(own)
            });
        let marker = marker.unwrap_or_else(|| marker_of_box(resolved[*place].target, true, true));
        if !markers.contains(&marker) {
            markers.push(marker);
        }
    }
    markers.join(" or ")
}

fn marker_of_box(target: &Target, full: bool, arch: bool) -> String {
    let python = match full {
        true => format!("python_full_version == '{}'", target.python_full),
        false => format!("python_version == '{}'", target.python()),
    };
    if arch { format!("({python} and platform_machine == '{}')", target.arch) } else { python }
}

#[derive(Default)]
struct Line<'a> {
    /// whose it is, in `resolved`
    places: BTreeSet<usize>,
    extras: BTreeSet<String>,
    hashes: BTreeSet<&'a String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::filter;
    use crate::formats::parse_text;

    #[test]
    fn boxes_with_two_releases_of_one_python_are_told_apart() {
        let boxes = ["3.11.2", "3.11.9"].map(|full| Target::find("el9-x86_64", Some("3.11"), Some(full)).unwrap());
        let pins = |text: &str| parse_text("requirements.txt", text).unwrap().pins;
        let resolved =
            [Resolved { target: &boxes[0], pins: pins("a==1") }, Resolved { target: &boxes[1], pins: pins("a==2") }];
        let text = to_requirements(&resolved, "`x`", &[]);
        assert!(text.contains("a==1 ; python_full_version == '3.11.2'\n"), "{text}");
        assert!(text.contains("a==2 ; python_full_version == '3.11.9'\n"), "{text}");
    }

    #[test]
    fn targets_that_differ_get_lines_of_their_own() {
        let el8 = Target::find("el8-x86_64", None, None).unwrap();
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let pins = |text: &str| parse_text("requirements.txt", text).unwrap().pins;
        let hash = |digit: &str| format!("--hash=sha256:{}", digit.repeat(64));
        let arm = Target::find("el9-aarch64", None, None).unwrap();
        let resolved = [
            Resolved { target: &el8, pins: pins(&format!("a==1 {}\nb==1\nc==1", hash("2"))) },
            Resolved { target: &el9, pins: pins(&format!("a==1 {}\nb==2\nd==1", hash("1"))) },
            Resolved { target: &arm, pins: pins(&format!("a==1 {}\nb==2", hash("1"))) },
        ];
        let text = to_requirements(&resolved, "`requirements.in`", &["el8-x86_64", "el9-x86_64"]);
        let expected = format!(
            "# Resolved from `requirements.in` by `cargo xtask lock --upgrade`, with wheels that fit el8-x86_64, el9-x86_64.\n\
             a==1 \\\n    {} \\\n    {}\nb==1 ; python_version == '3.6'\n\
             b==2 ; python_version == '3.9'\nc==1 ; python_version == '3.6'\n\
             d==1 ; (python_version == '3.9' and platform_machine == 'x86_64')\n",
            hash("1"),
            hash("2")
        );
        assert_eq!(text, expected);
        let read = parse_text("requirements.txt", &text).unwrap();
        assert_eq!(filter(&read, &el8).unwrap().kept.len(), 3);
        assert_eq!(filter(&read, &el9).unwrap().kept.len(), 3);
        assert_eq!(filter(&read, &arm).unwrap().kept.len(), 2);
    }
}
