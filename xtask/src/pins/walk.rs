//! The walk of a lock that is a graph: from its roots along every need whose marker is true on the box.

use crate::pins::{Need, Pin, Pins};
use crate::problem::Problem;
use crate::target::{Asked, Environment};
use anyhow::Context as _;
use pep508_rs::{ExtraName, PackageName};
use std::collections::{BTreeMap, BTreeSet};

/// The places in [`Pins::pins`] that the walk reaches, each with the extras that were asked for on the way.
pub type Reached = BTreeMap<usize, BTreeSet<ExtraName>>;

/// Walks a graph.
///
/// - Takes: `roots` of `pins`, which are in the order of names.
/// - Gives: what is reached, and a fault for each marker that cannot be judged and each need that no pin, or
///   more than one, satisfies.
pub fn walk(pins: &Pins, roots: &[Need], environment: &Environment) -> (Reached, Vec<anyhow::Error>) {
    let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
    for (place, pin) in pins.pins.iter().enumerate() {
        by_name.entry(&pin.name).or_default().push(place);
    }
    let mut walk =
        Walk { pins, by_name, environment, reached: Reached::new(), waiting: Vec::new(), faults: Vec::new() };
    for need in roots {
        walk.follow(need, "the project", &[]);
    }
    while let Some(place) = walk.waiting.pop() {
        let pin = &pins.pins[place];
        let extras: Vec<ExtraName> = walk.reached[&place].iter().cloned().collect();
        for need in &pin.needs {
            if need.of_extra.as_ref().is_none_or(|extra| extras.contains(extra)) {
                walk.follow(need, &format!("`{}=={}`", pin.name, pin.version), &extras);
            }
        }
    }
    let mut seen = BTreeSet::new();
    walk.faults.retain(|fault| seen.insert(format!("{fault:#}")));
    (walk.reached, walk.faults)
}

struct Walk<'a> {
    pins: &'a Pins,
    by_name: BTreeMap<&'a PackageName, Vec<usize>>,
    environment: &'a Environment,
    reached: Reached,
    waiting: Vec<usize>,
    faults: Vec<anyhow::Error>,
}

impl Walk<'_> {
    fn follow(&mut self, need: &Need, who: &str, extras: &[ExtraName]) {
        match self.find(need, who, extras) {
            Ok(Some(place)) => {
                let is_new = !self.reached.contains_key(&place);
                let known = self.reached.entry(place).or_default();
                let before = known.len();
                known.extend(need.extras.iter().cloned());
                if is_new || known.len() > before {
                    self.waiting.push(place);
                }
            }
            Ok(None) => {}
            Err(fault) => self.faults.push(fault),
        }
    }

    /// The one pin that satisfies a need; none where the need is not one on this box.
    fn find(&self, need: &Need, who: &str, extras: &[ExtraName]) -> anyhow::Result<Option<usize>> {
        let asked = Asked {
            extras: extras.iter().chain(&self.pins.asked.extras).cloned().collect(),
            groups: self.pins.asked.groups.clone(),
        };
        let holds = |marker: &Option<String>| marker.as_ref().map_or(Ok(true), |m| self.environment.holds(m, &asked));
        if !holds(&need.marker).with_context(|| format!("{who} needs `{}`", need.name))? {
            return Ok(None);
        }
        let mut found = Vec::new();
        for place in self.by_name.get(&need.name).into_iter().flatten() {
            let pin: &Pin = &self.pins.pins[*place];
            if need.versions.contain(&pin.version)
                && holds(&pin.marker).with_context(|| format!("`{}` ({})", pin.name, pin.place))?
            {
                found.push(*place);
            }
        }
        match found.as_slice() {
            [one] => Ok(Some(*one)),
            [] => Err(Problem::with_hint(
                format!("{who} needs `{}`, and the lock has no entry of it for this target", need.name),
                "the lock is not whole, or not made for this Python: lock again with its own tool",
            )),
            [first, second, ..] => {
                let entry =
                    |place: usize| format!("{} ({})", self.pins.pins[place].version, self.pins.pins[place].place);
                Err(Problem::with_hint(
                    format!(
                        "{who} needs `{}`, and two entries are left: {} and {}",
                        need.name,
                        entry(*first),
                        entry(*second)
                    ),
                    "one of them must have a marker that is false on this target",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{Versions, filter};
    use crate::target::Target;

    fn need(name: &str, marker: &str, of_extra: &str) -> Need {
        let (name, extra) = name.split_once('+').unwrap_or((name, ""));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Need {
            name: name.parse().unwrap(),
            extras: text(extra).map(|extra| extra.parse().unwrap()).into_iter().collect(),
            versions: Versions::Any,
            marker: text(marker),
            of_extra: text(of_extra).map(|extra| extra.parse().unwrap()),
        }
    }

    fn pins(roots: Vec<Need>, packages: &[(&str, Vec<Need>)]) -> Pins {
        let pin = |(name, needs): &(&str, Vec<Need>)| {
            let mut pin = Pin::new(name.parse().unwrap(), "1".parse().unwrap(), format!("entry {name}"));
            pin.needs = needs.clone();
            pin
        };
        Pins { pins: packages.iter().map(pin).collect(), roots: Some(roots), ..Pins::default() }
    }

    #[test]
    fn only_what_is_needed_on_the_box_is_reached() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let packages = [
            ("a", vec![need("b+fast", "", ""), need("w", "sys_platform == 'win32'", "")]),
            ("b", vec![need("c", "", "fast"), need("d", "", "slow"), need("a", "", "")]),
            ("c", vec![]),
            ("d", vec![]),
            ("w", vec![]),
        ];
        let pins = pins(vec![need("a", "", "")], &packages);
        let filtered = filter(&pins, &el9).unwrap();
        let names: Vec<&str> = filtered.kept.iter().map(|kept| kept.pin.name.as_ref()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(filtered.kept[1].extras[0].as_ref(), "fast");
        assert_eq!(filtered.dropped.len(), 2);
    }

    #[test]
    fn a_need_without_its_entry_is_named_with_who_needs_it() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let pins = pins(vec![need("a", "", ""), need("z", "", "")], &[("a", vec![need("b", "", "")])]);
        let error = filter(&pins, &el9).unwrap_err().to_string();
        assert!(error.contains("the project needs `z`") && error.contains("`a==1` needs `b`"), "{error}");
    }
}
