//! Pins and a target → what the box gets: the pins whose marker is true there, or that a walk reaches.

use crate::pin::Pin;
use crate::pins::Pins;
use crate::unknown::Unknown;
use crate::walk::walk;
use anyhow::Context as _;
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_boxes::Target;

/// A pin that the box gets.
#[derive(Debug)]
pub struct KeptPin<'a> {
    /// what it gets
    pub pin: &'a Pin,
    /// the extras that were asked for, by the team or on the way through the graph
    pub extras: Vec<ExtraName>,
}

/// A pin that the box does not get.
#[derive(Debug)]
pub struct DroppedPin<'a> {
    /// what was dropped
    pub pin: &'a Pin,
    /// why
    pub why: Why,
}

/// Why a box does not get a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// this marker of it is false, as written
    False(String),
    /// who would need it, under a marker that is false
    Cut(String, String),
    /// another version of it is taken
    Other(Version),
    /// it is for these groups alone
    Group(String),
    /// nobody on the box needs it
    Unneeded,
}

impl Why {
    /// The marker that is false, where one is.
    pub fn marker(&self) -> Option<&str> {
        match self {
            Self::False(marker) | Self::Cut(_, marker) => Some(marker),
            _ => None,
        }
    }

    /// For people, as the end of a sentence.
    pub fn in_words(&self, target: &str) -> String {
        match self {
            Self::False(marker) => format!("`{}` is false on {target}", shortened(marker)),
            Self::Cut(by, marker) => format!("{by} needs it where `{}`, which is false on {target}", shortened(marker)),
            Self::Other(version) => format!("{version} is taken on {target}"),
            Self::Group(groups) => format!("it is for the group {groups} alone, which `app.groups` does not name"),
            Self::Unneeded => {
                format!("nothing that was chosen for {target} needs it (`app.extras` and `app.groups` choose)")
            }
        }
    }
}

/// The pins of a target.
#[derive(Debug)]
pub struct Filtered<'a> {
    /// what the box gets, in the order of names, each name once
    pub kept: Vec<KeptPin<'a>>,
    /// what it does not get
    pub dropped: Vec<DroppedPin<'a>>,
    /// what was decided by a value that the record of the box cannot know, each once
    pub unknown: BTreeSet<Unknown>,
}

/// Decides what `target` gets.
///
/// `pins` are in the order of names.
///
/// # Errors
/// Names each marker that cannot be judged, each package of which more than one
///   entry is left, each need without an entry, and each pin that a constraint or the Python forbids.
pub fn filter<'a>(pins: &'a Pins, target: &Target) -> anyhow::Result<Filtered<'a>> {
    let environment = target.environment();
    let mut faults = Vec::new();
    check_environments(pins, target, &mut faults);
    let mut filtered = Filtered { kept: Vec::new(), dropped: Vec::new(), unknown: BTreeSet::new() };
    match &pins.roots {
        Some(roots) => {
            let mut walked = walk(pins, roots, target);
            faults.append(&mut walked.faults);
            filtered.unknown.append(&mut walked.unknown);
            let taken: BTreeMap<&PackageName, &Version> =
                walked.reached.keys().map(|place| (&pins.pins[*place].name, &pins.pins[*place].version)).collect();
            for (place, pin) in pins.pins.iter().enumerate() {
                let why = || match (taken.get(&pin.name), walked.cut.get(&pin.name)) {
                    (Some(version), _) => Why::Other((*version).clone()),
                    (None, Some((by, marker))) => Why::Cut(by.clone(), marker.clone()),
                    (None, None) => Why::Unneeded,
                };
                match walked.reached.get(&place) {
                    Some(extras) => filtered.kept.push(KeptPin { pin, extras: extras.iter().cloned().collect() }),
                    None => filtered.dropped.push(DroppedPin { pin, why: why() }),
                }
            }
        }
        None => {
            // Of ten thousand pins most share a few markers: whether each holds, and the variables that nobody knows.
            let mut known: BTreeMap<&str, (bool, Vec<String>)> = BTreeMap::new();
            for pin in &pins.pins {
                if let Some(groups) = &pin.left_out {
                    filtered.dropped.push(DroppedPin { pin, why: Why::Group(groups.clone()) });
                    continue;
                }
                let Some(marker) = pin.marker.as_deref() else {
                    filtered.kept.push(KeptPin { pin, extras: pin.extras.clone() });
                    continue;
                };
                if !known.contains_key(marker) {
                    match environment.holds(marker, &pins.asked) {
                        Ok(holds) => known.insert(marker, (holds, environment.unknowable(marker, &pins.asked))),
                        Err(fault) => {
                            faults.push(fault.context(format!("`{}=={}` ({})", pin.name, pin.version, pin.place)));
                            continue;
                        }
                    };
                }
                let (holds, variables) = &known[marker];
                filtered.unknown.extend(Unknown::of(&pin.name, marker, variables));
                match holds {
                    true => filtered.kept.push(KeptPin { pin, extras: pin.extras.clone() }),
                    false => filtered.dropped.push(DroppedPin { pin, why: Why::False(marker.to_owned()) }),
                }
            }
        }
    }
    join_twins(&mut filtered.kept, pins.no_twins);
    check_kept(pins, &filtered.kept, target, &mut faults);
    all_of("entries have no clear answer", faults)?;
    Ok(filtered)
}

/// Whether the lock was made for such a box at all (PEP 751, `environments` and `requires-python`).
fn check_environments(pins: &Pins, target: &Target, faults: &mut Vec<anyhow::Error>) {
    if let Some(requires) = pins.requires_python.as_ref().filter(|requires| !requires.contains(&target.python_full)) {
        faults.push(Problem::with_hint(
            format!("the lock is for Python {requires}, and the target has {}", target.python_full),
            "choose a target with another Python, or lock for this one",
        ));
    }
    let environment = target.environment();
    let mut holds = pins.environments.is_empty();
    for marker in &pins.environments {
        match environment.holds(marker, &pins.asked) {
            Ok(held) => holds |= held,
            Err(fault) => faults.push(fault.context("`environments`")),
        }
    }
    if !holds {
        faults.push(Problem::with_hint(
            format!(
                "none of the lock's `environments` is {}: {}",
                target.in_words(),
                shortened(&pins.environments.join("; "))
            ),
            "lock for this target as well",
        ));
    }
}

/// Entries of one file set that differ in extras and markers alone are one package with the extras of all: PDM
/// lists `a` and `a[x]`, and requirements may pin one version on two lines.
fn join_twins(kept: &mut Vec<KeptPin<'_>>, are_wrong: bool) {
    kept.dedup_by(|later, first| {
        let (a, b) = (first.pin, later.pin);
        let of_one = a.name == b.name && a.version == b.version && a.hashes == b.hashes && a.files == b.files;
        let same = of_one && (a.extras != b.extras || !are_wrong);
        if same {
            let extras = later.extras.drain(..).filter(|extra| !first.extras.contains(extra));
            first.extras.extend(extras.collect::<Vec<_>>());
        }
        same
    });
}

fn check_kept(pins: &Pins, kept: &[KeptPin<'_>], target: &Target, faults: &mut Vec<anyhow::Error>) {
    for pair in kept.windows(2).filter(|pair| pair[0].pin.name == pair[1].pin.name) {
        let entry = |pin: &Pin| match &pin.marker {
            Some(marker) => format!("{} ({}, `{}`)", pin.version, pin.place, shortened(marker)),
            None => format!("{} ({}, no marker)", pin.version, pin.place),
        };
        faults.push(Problem::with_hint(
            format!("`{}` is left twice: {} and {}", pair[0].pin.name, entry(pair[0].pin), entry(pair[1].pin)),
            "one of them must have a marker that is false on this target",
        ));
    }
    let full = &target.python_full;
    for KeptPin { pin, .. } in kept {
        if let Some(obstacle) = &pin.obstacle {
            faults.push(obstacle.error(&format!("`{}` ({})", pin.name, pin.place)));
        }
        if let Some(requires) = pin.requires_python.as_ref().filter(|requires| !requires.contains(full)) {
            faults.push(Problem::with_hint(
                format!(
                    "`{}=={}` ({}) is for Python {requires}, and the target has {full}",
                    pin.name, pin.version, pin.place
                ),
                "lock a release for that Python, or choose a target with another",
            ));
        }
    }
    let environment = target.environment();
    for constraint in &pins.constraints {
        let limit = &constraint.requirement;
        let holds = limit.marker.as_ref().map_or(Ok(true), |marker| environment.holds(marker, &pins.asked));
        match holds.with_context(|| format!("the constraint on `{}` ({})", limit.name, constraint.place)) {
            Ok(true) => faults.extend(
                kept.iter()
                    .map(|kept| kept.pin)
                    .filter(|pin| pin.name == limit.name && !limit.versions.contains(&pin.version))
                    .map(|pin| {
                        Problem::with_hint(
                            format!(
                                "`{}=={}` ({}) is outside of the constraint `{}` ({})",
                                pin.name, pin.version, pin.place, limit.versions, constraint.place
                            ),
                            "lock again under the constraints",
                        )
                    }),
            ),
            Ok(false) => {}
            Err(fault) => faults.push(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::parse_text;

    #[test]
    fn markers_decide_what_each_box_gets() {
        let el8 = Target::find("el8-x86_64", None, None).unwrap();
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        #[rustfmt::skip]
        let cases = [ // line in the team's lock                     el8    el9
            ("flask==3.0.0",                                         true,  true),
            ("colorama==0.4.6 ; sys_platform == 'win32'",            false, false),
            ("tomli==2.0.1 ; python_version < '3.9'",                true,  false),
            ("x==1 ; python_full_version != '3.9.25'",               true,  false),
        ];
        for (line, on_el8, on_el9) in cases {
            let pins = parse_text("requirements.txt", line).unwrap();
            assert_eq!(filter(&pins, &el8).unwrap().kept.len() == 1, on_el8, "el8: {line}");
            assert_eq!(filter(&pins, &el9).unwrap().kept.len() == 1, on_el9, "el9: {line}");
        }
    }

    #[test]
    fn what_nobody_can_know_is_one_warning_and_none_where_it_decides_nothing() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let warnings = |text: &str| {
            let pins = parse_text("requirements.txt", text).unwrap();
            let filtered = filter(&pins, &el9).unwrap();
            Unknown::warnings(&filtered.unknown.iter().map(|one| ("el9", one)).collect::<Vec<_>>())
        };
        let darwin = "a==1 ; platform_release >= '17' and sys_platform == 'darwin'\nb==1 ; sys_platform == 'darwin' and platform_release < '3'";
        assert_eq!(warnings(darwin), [""; 0]);
        assert_eq!(
            warnings("a==1 ; platform_release >= '17'"),
            [
                "`a`: the marker `platform_release >= '17'` depends on `platform_release`, which belongs to the running kernel and is not known of el9: it counts as empty"
            ]
        );
        let many = "a==1 ; platform_release >= '17'\nb==1 ; platform_release >= '18'\nc==1 ; platform_release >= '17'";
        assert_eq!(
            warnings(many),
            [
                "`a` (`platform_release >= '17'`) and 2 more: their markers depend on `platform_release`, which belongs to the running kernel and is not known of el9: it counts as empty"
            ]
        );
    }

    #[test]
    fn two_entries_that_survive_are_an_error_that_names_both() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let pins =
            parse_text("requirements.txt", "a==1 ; python_version < '3.10'\nb==1\na==2 ; sys_platform == 'linux'")
                .unwrap();
        let error = filter(&pins, &el9).unwrap_err().to_string();
        assert_eq!(
            error,
            "`a` is left twice: 1 (line 1, `python_version < '3.10'`) and 2 (line 3, `sys_platform == 'linux'`)"
        );
    }
}
