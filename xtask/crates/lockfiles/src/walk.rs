//! The walk of a lock that is a graph: from its roots along every need whose marker is true on the box.

use crate::pin::{Need, Pin};
use crate::pins::Pins;
use crate::unknown::Unknown;
use anyhow::Context as _;
use pep508_rs::{ExtraName, PackageName};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{Asked, Environment, Target};

/// The places in [`Pins::pins`] that the walk reaches, each with the extras that were asked for on the way.
type Reached = BTreeMap<usize, BTreeSet<ExtraName>>;

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Walked {
    /// what the box gets
    pub reached: Reached,
    /// for who is needed under a marker that is false: by whom, and the marker
    pub cut: BTreeMap<PackageName, (String, String)>,
    /// what decided on the way and nobody can know; needs of what is not reached are not among them
    pub unknown: BTreeSet<Unknown>,
    /// each once
    pub faults: Vec<anyhow::Error>,
}

/// More entries of one package than any lock has, and few enough to look through for each need.
const MOST_ENTRIES: usize = 100;

/// Walks a graph.
///
/// A lock without exact edges (Poetry up to 1.8, PDM without `inherit_metadata`) can leave several versions for
/// a need. The walk then takes one that is needed anyway, or else the last: those of one name stand in the order
/// in which their tool's solver likes them.
///
/// - Takes: `roots` of `pins`, which are in the order of names.
/// - Gives: a fault for each marker that cannot be judged, each need that no pin satisfies, and each package with
///   two entries that nothing tells apart.
pub(crate) fn walk(pins: &Pins, roots: &[Need], target: &Target) -> Walked {
    let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
    for (place, pin) in pins.pins.iter().enumerate() {
        by_name.entry(&pin.name).or_default().push(place);
    }
    let mut walk = Walk {
        pins,
        by_name,
        target,
        environment: &target.environment(),
        reached: Reached::new(),
        waiting: Vec::new(),
        undecided: BTreeMap::new(),
        cut: BTreeMap::new(),
        unknown: BTreeSet::new(),
        faults: Vec::new(),
    };
    for (name, entries) in walk.by_name.iter().filter(|(_, entries)| entries.len() > MOST_ENTRIES) {
        walk.faults.push(anyhow::anyhow!("the lock has {} entries of `{name}`", entries.len()));
    }
    if walk.faults.is_empty() {
        for need in roots {
            walk.follow(need, "the project", &pins.asked);
        }
        walk.go();
    }
    let mut seen = BTreeSet::new();
    walk.faults.retain(|fault| seen.insert(format!("{fault:#}")));
    Walked { reached: walk.reached, cut: walk.cut, unknown: walk.unknown, faults: walk.faults }
}

struct Walk<'a> {
    pins: &'a Pins,
    by_name: BTreeMap<&'a PackageName, Vec<usize>>,
    target: &'a Target,
    environment: &'a Environment,
    reached: Reached,
    waiting: Vec<usize>,
    /// sets of entries of which one has to be taken, with the extras that were asked for
    undecided: BTreeMap<Vec<usize>, BTreeSet<ExtraName>>,
    cut: BTreeMap<PackageName, (String, String)>,
    unknown: BTreeSet<Unknown>,
    faults: Vec<anyhow::Error>,
}

impl Walk<'_> {
    /// Follows all that waits, and takes one of the undecided only when nothing else is left.
    fn go(&mut self) {
        let mut followed: BTreeMap<usize, BTreeSet<ExtraName>> = BTreeMap::new();
        loop {
            while let Some(place) = self.waiting.pop() {
                let extras = &self.reached[&place];
                // They only become more: as many as before are the same.
                if followed.get(&place).is_some_and(|before: &BTreeSet<ExtraName>| before.len() == extras.len()) {
                    continue;
                }
                let extras = extras.clone();
                let is_first = !followed.contains_key(&place);
                let pin = &self.pins.pins[place];
                let of_roots = &self.pins.asked;
                let asked = Asked {
                    extras: extras.iter().chain(&of_roots.extras).cloned().collect(),
                    groups: of_roots.groups.clone(),
                };
                let who = format!("`{}=={}`", pin.name, pin.version);
                let needs = &pin.needs;
                for need in needs {
                    let reads_extras = || need.marker.as_ref().is_some_and(|marker| marker.contains("extra"));
                    let is_wanted = need.of_extra.as_ref().is_none_or(|extra| extras.contains(extra));
                    if is_wanted && (is_first || need.of_extra.is_some() || reads_extras()) {
                        self.follow(need, &who, &asked);
                    }
                }
                followed.insert(place, extras);
            }
            let Some((entries, extras)) = self.undecided.pop_first() else { break };
            let reached = entries.iter().rfind(|entry| self.reached.contains_key(entry));
            if let Some(entry) = reached.or(entries.last()) {
                self.reach(*entry, &extras);
            }
        }
    }

    fn reach(&mut self, place: usize, extras: &BTreeSet<ExtraName>) {
        let is_new = !self.reached.contains_key(&place);
        let known = self.reached.entry(place).or_default();
        let before = known.len();
        known.extend(extras.iter().cloned());
        if is_new || known.len() > before {
            self.waiting.push(place);
        }
    }

    fn follow(&mut self, need: &Need, who: &str, asked: &Asked) {
        let wanted: BTreeSet<ExtraName> = need.extras.iter().cloned().collect();
        match self.find(need, who, asked) {
            Ok(found) => match found.as_slice() {
                [] => {}
                [one] => self.reach(*one, &wanted),
                _ => self.undecided.entry(found).or_default().extend(wanted),
            },
            Err(fault) => self.faults.push(fault),
        }
    }

    /// The pins that satisfy a need; none where the need is not one on this box.
    fn find(&mut self, need: &Need, who: &str, asked: &Asked) -> anyhow::Result<Vec<usize>> {
        let holds = |marker: &Option<String>| marker.as_ref().map_or(Ok(true), |m| self.environment.holds(m, asked));
        let unknown = |name, marker: &Option<String>| {
            let marker = marker.as_deref().unwrap_or_default();
            Unknown::of(name, marker, &self.environment.unknowable(marker, asked)).collect::<Vec<_>>()
        };
        self.unknown.extend(unknown(&need.name, &need.marker));
        if !holds(&need.marker).with_context(|| format!("{who} needs `{}`", need.name))? {
            let marker = need.marker.clone().unwrap_or_default();
            self.cut.entry(need.name.clone()).or_insert_with(|| (who.to_owned(), marker));
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for place in self.by_name.get(&need.name).into_iter().flatten() {
            let pin: &Pin = &self.pins.pins[*place];
            self.unknown.extend(unknown(&pin.name, &pin.marker));
            if need.versions.contain(&pin.version)
                && need.entry.as_ref().is_none_or(|entry| *entry == pin.place)
                && holds(&pin.marker).with_context(|| format!("`{}` ({})", pin.name, pin.place))?
            {
                found.push(*place);
            }
        }
        let full = &self.target.python_full;
        let fits = |place: &usize| self.pins.pins[*place].requires_python.as_ref().is_none_or(|r| r.contains(full));
        if found.len() > 1 && found.iter().any(fits) {
            found.retain(fits);
        }
        let entry = |place: usize| &self.pins.pins[place];
        let twice = found.windows(2).find(|pair| entry(pair[0]).version == entry(pair[1]).version);
        match (found.as_slice(), twice) {
            ([], _) => Err(Problem::with_hint(
                format!("{who} needs `{}`, and the lock has no entry of it for this target", need.name),
                "the lock is not whole, or not made for this Python: lock again with its own tool",
            )),
            (_, Some(pair)) => Err(Problem::with_hint(
                format!(
                    "{who} needs `{}`, and two entries of {} are left: {} and {}",
                    need.name,
                    entry(pair[0]).version,
                    entry(pair[0]).place,
                    entry(pair[1]).place
                ),
                "one of them must have a marker that is false on this target",
            )),
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::filter;
    use crate::pin::Versions;
    use wheelhaul_boxes::Target;

    fn need(name: &str, marker: &str, of_extra: &str) -> Need {
        let (name, extra) = name.split_once('+').unwrap_or((name, ""));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Need {
            name: name.parse().unwrap(),
            extras: text(extra).map(|extra| extra.parse().unwrap()).into_iter().collect(),
            versions: Versions::Any,
            entry: None,
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
    fn what_is_not_reached_is_not_warned_of() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let packages = [
            ("a", vec![need("mac", "sys_platform == 'darwin'", ""), need("c", "platform_release < '3'", "slow")]),
            ("mac", vec![need("c", "platform_release >= '17'", "")]),
            ("c", vec![]),
        ];
        for (root, warned) in [("a", 0), ("a+slow", 1), ("mac", 1)] {
            let pins = pins(vec![need(root, "", "")], &packages);
            assert_eq!(filter(&pins, &el9).unwrap().unknown.len(), warned, "{root}");
        }
    }

    #[test]
    fn a_need_without_its_entry_is_named_with_who_needs_it() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let pins = pins(vec![need("a", "", ""), need("z", "", "")], &[("a", vec![need("b", "", "")])]);
        let error = filter(&pins, &el9).unwrap_err().to_string();
        assert!(error.contains("the project needs `z`") && error.contains("`a==1` needs `b`"), "{error}");
    }
}
