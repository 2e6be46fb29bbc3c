//! What the index is asked for.

use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::Pin;

/// A version that the index is asked for, under the marker of the boxes that get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// normalized
    pub name: PackageName,
    /// exact
    pub version: Version,
    /// whether a release with a local part will do
    pub takes_local: bool,
    /// a marker; empty for every box
    pub marker: String,
}

impl Question {
    /// The same, for that version alone.
    pub fn exact(&self) -> Self {
        Self { takes_local: false, ..self.clone() }
    }
}

/// The questions of several targets at once: a pin of only some is asked under their marker, so that
/// two versions of a package for two Pythons do not contradict each other.
pub fn questions(of: &[(&Target, Vec<&Pin>)]) -> Vec<Question> {
    let mut boxes: BTreeMap<(&PackageName, &Version, bool), BTreeSet<String>> = BTreeMap::new();
    for (target, pins) in of {
        let marker = format!(
            "(sys_platform == 'linux' and python_version == '{}' and platform_machine == '{}')",
            target.python(),
            target.arch
        );
        for pin in pins {
            boxes.entry((&pin.name, &pin.version, pin.takes_local)).or_default().insert(marker.clone());
        }
    }
    let all: BTreeSet<&String> = boxes.values().flatten().collect();
    let all = all.len();
    boxes
        .iter()
        .map(|((name, version, takes_local), markers)| Question {
            name: (*name).clone(),
            version: (*version).clone(),
            takes_local: *takes_local,
            marker: if markers.len() == all {
                String::new()
            } else {
                markers.iter().cloned().collect::<Vec<_>>().join(" or ")
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_lockfiles::parse_text;

    #[test]
    fn a_pin_of_some_boxes_is_asked_under_their_marker() {
        let el8 = Target::find("el8-x86_64", None, None).unwrap();
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let pins = parse_text("requirements.txt", "a==1\nb==1").unwrap().pins;
        let asked = questions(&[(&el8, pins.iter().collect()), (&el9, vec![&pins[0]])]);
        assert_eq!(asked[0].marker, "");
        assert_eq!(
            asked[1].marker,
            "(sys_platform == 'linux' and python_version == '3.6' and platform_machine == 'x86_64')"
        );
    }
}
