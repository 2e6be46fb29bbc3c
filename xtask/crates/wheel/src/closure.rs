//! The closure of what was chosen: whether every distribution finds, on the box, the Python and the
//! distributions that its metadata asks for (core metadata, `Requires-Python` and `Requires-Dist`).

use crate::Metadata;
use anyhow::Context as _;
use pep508_rs::{ExtraName, PackageName};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::Requirement;
use wheelhaul_boxes::{Asked, Target};

/// A distribution that was chosen.
#[derive(Debug, Clone, Copy)]
pub struct ChosenDist<'a> {
    /// its core metadata
    pub metadata: &'a Metadata,
    /// the extras that the team asked for; those that other distributions ask for are found on the way
    pub extras: &'a [ExtraName],
}

/// Something that is not as a distribution asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// who asks
    pub by: PackageName,
    /// what is wrong, as the end of a sentence that starts with who asks
    pub what: String,
    /// what to do about it
    pub cure: &'static str,
    /// the package that is asked for; none for Python, and where that cannot be read
    pub of: Option<PackageName>,
    /// whether who is asked for is not there at all
    pub is_missing: bool,
}

/// One distribution asks for another, on the box.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asks {
    /// who is asked for
    pub name: PackageName,
    /// by whom
    pub by: PackageName,
    /// the extra of the asking one that brings it, if one does
    pub extra: Option<ExtraName>,
    /// what is asked for, `werkzeug>=3.0.0`
    pub what: String,
}

/// What the walk found.
#[derive(Debug, Default)]
pub struct Closure {
    /// how many requirements were judged
    pub judged: usize,
    /// in the order of who asks, each once
    pub faults: Vec<Fault>,
    /// in the order of who is asked for
    pub asks: Vec<Asks>,
}

const RELOCK: &str = "lock again with every dependency in it: a lock that was made on another platform may lack those of this one (`uv pip compile --universal`, `uv lock`, `poetry lock` and `pdm lock` keep them), or name it in the project's own dependencies";

/// Requirements that are judged, each anew with every extra that is asked for: many times those of a large
/// application.
const MOST_JUDGED: usize = 500_000;

/// Walks from every distribution, under the target's markers, with the extras that are asked for on the way.
pub fn walk(dists: &[ChosenDist<'_>], target: &Target) -> Closure {
    let by_name: BTreeMap<&PackageName, &ChosenDist<'_>> =
        dists.iter().map(|dist| (&dist.metadata.name, dist)).collect();
    let environment = target.environment();
    let mut closure = Closure::default();
    let mut waiting: Vec<(&PackageName, Option<ExtraName>)> = Vec::new();
    for dist in dists {
        let metadata = dist.metadata;
        if let Some(requires) = metadata.requires_python.as_ref().filter(|r| !r.contains(&target.python_full)) {
            closure.faults.push(Fault {
                by: metadata.name.clone(),
                what: format!("requires Python {requires}, and the target has {}", target.python_full),
                cure: "lock a release for that Python, or choose a target with another; `python-full` says which patch release the box has",
                of: None,
                is_missing: false,
            });
        }
        waiting.push((&metadata.name, None));
        waiting.extend(dist.extras.iter().map(|extra| (&metadata.name, Some(extra.clone()))));
    }
    let mut seen: BTreeSet<(&PackageName, Option<ExtraName>)> = waiting.iter().cloned().collect();
    while let Some((name, extra)) = waiting.pop() {
        let Some(dist) = by_name.get(name) else { continue };
        if closure.judged > MOST_JUDGED {
            closure.faults.push(Fault {
                by: name.clone(),
                what: format!("asks for extras that ask for extras: more than {MOST_JUDGED} requirements in all"),
                cure: "report it to its publisher; lock another release",
                of: None,
                is_missing: false,
            });
            break;
        }
        let asked = Asked { extras: extra.iter().cloned().collect(), groups: Vec::new() };
        for unreadable in &dist.metadata.unreadable {
            let marker = unreadable.marker.as_ref();
            if marker.is_none_or(|marker| environment.holds(marker, &asked).unwrap_or(true)) {
                closure.faults.push(Fault {
                    by: name.clone(),
                    what: format!("asks for what cannot be read: {}", unreadable.why),
                    cure: "report it to its publisher; lock another release",
                    of: None,
                    is_missing: false,
                });
            }
        }
        for requirement in &dist.metadata.requires {
            closure.judged += 1;
            let marker = requirement.marker.as_ref();
            match marker.map_or(Ok(true), |marker| environment.holds(marker, &asked)) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(error) => {
                    let context: anyhow::Result<()> = Err(error).context(format!("asks for `{}`", requirement.name));
                    let what = context.map_or_else(|error| format!("{error:#}"), |()| String::new());
                    closure.faults.push(Fault {
                        by: name.clone(),
                        what,
                        cure: "report it to its publisher; lock another release",
                        of: Some(requirement.name.clone()),
                        is_missing: false,
                    });
                    continue;
                }
            }
            let found = by_name.get_key_value(&requirement.name);
            closure.faults.extend(unsatisfied(name, extra.as_ref(), requirement, found.map(|(_, dist)| dist.metadata)));
            closure.asks.push(Asks {
                name: requirement.name.clone(),
                by: name.clone(),
                extra: extra.clone(),
                what: in_words(requirement),
            });
            let Some((next, _)) = found else { continue };
            for wanted in &requirement.extras {
                let next = (*next, Some(wanted.clone()));
                if seen.insert(next.clone()) {
                    waiting.push(next);
                }
            }
        }
    }
    closure.faults.sort();
    closure.faults.dedup();
    // What is asked for without an extra is found again with each one.
    closure.asks.sort();
    closure
        .asks
        .dedup_by(|again, first| (&again.name, &again.by, &again.what) == (&first.name, &first.by, &first.what));
    closure
}

fn unsatisfied(
    by: &PackageName,
    extra: Option<&ExtraName>,
    requirement: &Requirement,
    found: Option<&Metadata>,
) -> Option<Fault> {
    let with = extra.map(|extra| format!(" with its extra `{extra}`")).unwrap_or_default();
    let (what, cure) = match found {
        None => (format!("{with} requires `{}`, which is missing", in_words(requirement)), RELOCK),
        Some(found) if !requirement.versions.contains(&found.version) => (
            format!("{with} requires `{}`, and {} is there", in_words(requirement), found.version),
            "lock the two at versions that go together",
        ),
        Some(_) => return None,
    };
    let of = Some(requirement.name.clone());
    Some(Fault { by: by.clone(), what: what.trim_start().to_owned(), cure, of, is_missing: found.is_none() })
}

/// `uvicorn[standard]>=0.30`, without its marker.
fn in_words(requirement: &Requirement) -> String {
    let extras: Vec<String> = requirement.extras.iter().map(ToString::to_string).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    format!("{}{extras}{}", requirement.name, requirement.versions)
}

/// For each distribution the places of those that it asks for, however indirectly; none for those that are not
/// `wanted`, since all of all are as many as the square of them.
pub fn reach(names: &[&PackageName], asks: &[Asks], wanted: &dyn Fn(usize) -> bool) -> Vec<BTreeSet<usize>> {
    let places: BTreeMap<&PackageName, usize> = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    let mut direct: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); names.len()];
    for asks in asks {
        if let (Some(by), Some(asked)) = (places.get(&asks.by), places.get(&asks.name)) {
            direct[*by].insert(*asked);
        }
    }
    let reached = |start: usize| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![start];
        while let Some(place) = waiting.pop() {
            waiting.extend(direct[place].iter().filter(|next| reached.insert(**next)));
        }
        reached
    };
    (0..names.len()).map(|place| if wanted(place) { reached(place) } else { BTreeSet::new() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(name: &str, version: &str, lines: &[&str]) -> Metadata {
        Metadata::parse(&format!("Name: {name}\nVersion: {version}\n{}\n", lines.join("\n"))).unwrap()
    }

    #[test]
    fn what_is_missing_or_does_not_satisfy_is_named_with_who_wants_it() {
        let target = Target::find("el9-x86_64", None, None).unwrap();
        let all = [
            metadata(
                "a",
                "1",
                &["Requires-Dist: b>=2", "Requires-Dist: gone; sys_platform == 'linux'", "Requires-Python: >=3.10"],
            ),
            metadata(
                "b",
                "1.5",
                &[
                    "Requires-Dist: winonly; sys_platform == 'win32'",
                    "Requires-Dist: c[x]",
                    "Requires-Dist: d; extra == 'no'",
                ],
            ),
            metadata("c", "2rc1", &["Requires-Dist: e; extra == 'x'", "Requires-Dist: a"]),
        ];
        let dists: Vec<ChosenDist<'_>> = all.iter().map(|metadata| ChosenDist { metadata, extras: &[] }).collect();
        let closure = walk(&dists, &target);
        let faults: Vec<String> = closure.faults.iter().map(|fault| format!("{} {}", fault.by, fault.what)).collect();
        assert_eq!(
            faults,
            [
                "a requires Python >=3.10, and the target has 3.9.25",
                "a requires `b>=2`, and 1.5 is there",
                "a requires `gone`, which is missing",
                "c with its extra `x` requires `e`, which is missing",
            ]
        );
        let asks: Vec<String> = closure.asks.iter().map(|asks| format!("{} by {}", asks.what, asks.by)).collect();
        assert_eq!(asks, ["a by c", "b>=2 by a", "c[x] by b", "e by c", "gone by a"]);
    }

    #[test]
    fn what_cannot_be_read_matters_where_its_marker_holds() {
        let target = Target::find("el9-x86_64", None, None).unwrap();
        let cases = [
            ("b c", 1),
            ("b c ; sys_platform == 'linux'", 1),
            ("b c ; extra == 'x'", 0),
            ("b c ; sys_platform == 'win32'", 0),
            ("b c ; nonsense", 1),
            ("c (>dev)", 0),
            ("b @ https://index.example/ x ; extra == 'x'", 1),
        ];
        for (line, faults) in cases {
            let one = metadata("a", "1", &[&format!("Requires-Dist: {line}")]);
            let other = metadata("c", "1", &[]);
            let dists = [&one, &other].map(|metadata| ChosenDist { metadata, extras: &[] });
            assert_eq!(walk(&dists, &target).faults.len(), faults, "{line}");
        }
        let one = metadata("a", "1", &["Requires-Dist: b c ; extra == 'x'"]);
        let faults = walk(&[ChosenDist { metadata: &one, extras: &["x".parse().unwrap()] }], &target).faults;
        assert!(faults[0].what.starts_with("asks for what cannot be read: `b c ; extra"), "{faults:?}");
    }

    #[test]
    fn a_chain_of_extras_ends() {
        let target = Target::find("el9-x86_64", None, None).unwrap();
        let lines = (0..20_000).map(|n| format!("Requires-Dist: a[e{}]; extra == 'e{n}'", n + 1));
        let lines: Vec<String> = lines.chain(["Requires-Dist: a[e0]".to_owned()]).collect();
        let one = metadata("a", "1", &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let closure = walk(&[ChosenDist { metadata: &one, extras: &[] }], &target);
        assert_eq!(closure.judged / 100_000, MOST_JUDGED / 100_000);
        assert!(
            closure.faults.iter().any(|fault| fault.what.starts_with("asks for extras that")),
            "{:?}",
            closure.faults
        );
    }

    #[test]
    fn extras_that_the_team_asked_for_are_walked() {
        let target = Target::find("el9-x86_64", None, None).unwrap();
        let one = metadata("u", "1", &["Requires-Dist: h; extra == 'standard'"]);
        let extras = ["standard".parse().unwrap()];
        assert!(walk(&[ChosenDist { metadata: &one, extras: &[] }], &target).faults.is_empty());
        assert_eq!(walk(&[ChosenDist { metadata: &one, extras: &extras }], &target).faults.len(), 1);
    }

    #[test]
    fn what_is_required_is_followed_to_its_end() {
        let names: Vec<PackageName> = ["a", "b", "c", "d"].map(|name| name.parse().unwrap()).into();
        let asks = |by: usize, name: usize| Asks {
            name: names[name].clone(),
            by: names[by].clone(),
            extra: None,
            what: String::new(),
        };
        let found = reach(&names.iter().collect::<Vec<_>>(), &[asks(0, 1), asks(1, 2), asks(2, 1)], &|_| true);
        let expected: [&[usize]; 4] = [&[1, 2], &[1, 2], &[1, 2], &[]];
        assert_eq!(found, expected.map(|places| places.iter().copied().collect::<BTreeSet<_>>()));
    }
}
