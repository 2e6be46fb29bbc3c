//! Lines about one package: what pip's resolver makes of them.

use crate::pin::Pin;
use crate::pins::{Constraint, MOST_FAULTS};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::Problem;

/// A constraint with the hashes behind it.
pub(super) type Limit = (Constraint, BTreeSet<String>);

/// Makes one pin of those that pin the same version under the same marker: with the extras of all, and the
/// hashes that all of them with hashes have.
pub(super) fn united(pins: Vec<Pin>, faults: &mut Vec<anyhow::Error>) -> Vec<Pin> {
    let mut united: Vec<Pin> = Vec::with_capacity(pins.len());
    let mut places = BTreeMap::new();
    for pin in pins {
        let key = (pin.name.clone(), pin.version.clone(), pin.marker.clone());
        let Some(first) = places.get(&key).and_then(|place: &usize| united.get_mut(*place)) else {
            places.insert(key, united.len());
            united.push(pin);
            continue;
        };
        if first.files != pin.files {
            faults.push(Problem::with_hint(
                format!("{} and {} get `{}` from different files", first.place, pin.place, pin.name),
                "take one of the lines out",
            ));
            continue;
        }
        for extra in &pin.extras {
            if !first.extras.contains(extra) {
                first.extras.push(extra.clone());
            }
        }
        match common(&first.hashes, &pin.hashes) {
            Some(hashes) => first.hashes = hashes,
            None => faults.push(nothing_left(&first.place, &pin.place, &pin)),
        }
    }
    faults.truncate(MOST_FAULTS);
    united
}

/// Applies the hashes of constraints, as pip does.
pub(super) fn limited(mut pins: Vec<Pin>, limits: &[Limit], faults: &mut Vec<anyhow::Error>) -> Vec<Pin> {
    let mut of_name: BTreeMap<_, Vec<&Limit>> = BTreeMap::new();
    for limit in limits.iter().filter(|(_, hashes)| !hashes.is_empty()) {
        of_name.entry(&limit.0.requirement.name).or_default().push(limit);
    }
    for pin in &mut pins {
        for (constraint, hashes) in of_name.get(&pin.name).into_iter().flatten() {
            let marker = &constraint.requirement.marker;
            if marker.is_some() && *marker != pin.marker {
                faults.push(Problem::with_hint(
                    format!("{}: the hashes of a constraint with a marker of its own", constraint.place),
                    format!("put them behind the pin of `{}` ({})", pin.name, pin.place),
                ));
                continue;
            }
            match common(&pin.hashes, hashes) {
                Some(hashes) => pin.hashes = hashes,
                None => faults.push(nothing_left(&constraint.place, &pin.place, pin)),
            }
        }
    }
    faults.truncate(MOST_FAULTS);
    pins
}

/// The hashes that both sides accept, where no hash accepts all; none where nothing is left.
fn common(a: &BTreeSet<String>, b: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    if a.is_empty() || b.is_empty() {
        return Some(a.union(b).cloned().collect());
    }
    let both: BTreeSet<String> = a.intersection(b).cloned().collect();
    (!both.is_empty()).then_some(both)
}

fn nothing_left(first: &str, second: &str, pin: &Pin) -> anyhow::Error {
    Problem::with_hint(
        format!(
            "{first} and {second} have no hash of `{}=={}` in common, so pip takes no file of it",
            pin.name, pin.version
        ),
        "lock again, or give all hashes in one line",
    )
}
