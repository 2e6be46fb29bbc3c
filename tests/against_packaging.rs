//! Tags, markers and versions held against `packaging`, the reference of the specifications, and
//! against rpm's own comparison (`packaging/versions.rs`).

use anyhow::ensure;
use packaging::comparison::{Atom, Lcg, atoms};
use packaging::difference::DIFFERENCES;
use packaging::real_markers::REAL_MARKERS;
use packaging::verdict::{Verdict, judge, must_agree};
use packaging::{ask_packaging, distinct, targets};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::Target;

#[path = "packaging/advisories.rs"]
mod advisories;
#[path = "packaging/lock_markers.rs"]
mod lock_markers;
mod packaging;
#[path = "packaging/probe.rs"]
mod probe;
#[path = "packaging/versions.rs"]
mod versions;

#[test]
fn tags_are_those_of_packaging_in_the_same_order() -> anyhow::Result<()> {
    let targets = targets()?;
    ensure!(targets.len() >= 36, "the tables shrank to {} boxes", targets.len());
    let boxes: Vec<Value> = targets
        .iter()
        .map(|t| json!({"python": t.interpreter.version, "glibc": t.distribution.glibc, "arch": t.arch}))
        .collect();
    let theirs: Vec<Vec<String>> = serde_json::from_value(ask_packaging("tags", &json!(boxes))?)?;
    ensure!(theirs.len() == targets.len(), "packaging answered for {} boxes", theirs.len());
    let mut compared = 0;
    for (target, theirs) in targets.iter().zip(theirs) {
        let ours: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
        let theirs = with_plain_linux_last(&theirs);
        compared += ours.len();
        for (rank, (our, their)) in ours.iter().zip(&theirs).enumerate() {
            ensure!(our == their, "{}: rank {rank} is `{our}` instead of `{their}`", target.name);
        }
        ensure!(ours.len() == theirs.len(), "{}: {} tags instead of {}", target.name, ours.len(), theirs.len());
    }
    println!("{compared} tags of {} boxes", targets.len());
    Ok(())
}

/// The one intended difference: `linux_ARCH` comes last among the platforms of a Python and an ABI.
///
/// packaging has it first since 26.3, for wheels that were built on the machine they run on. pip up to
/// 26.2 and uv have it last, no specification orders the two, and no box builds a wheel.
pub fn with_plain_linux_last(tags: &[String]) -> Vec<String> {
    let group = |tag: &String| tag.rsplit_once('-').map(|(front, _)| front.to_owned());
    let mut ordered = Vec::new();
    for run in tags.chunk_by(|a, b| group(a) == group(b)) {
        let (plain, others): (Vec<&String>, Vec<&String>) = run.iter().partition(|tag| tag.contains("-linux_"));
        ordered.extend(others.into_iter().chain(plain).cloned());
    }
    ordered
}

/// Each comparison on each box: PEP 508 leaves none of them out.
#[test]
fn every_comparison_is_judged_as_packaging_does() -> anyhow::Result<()> {
    let targets = distinct(targets()?);
    let mut taste = Lcg(1);
    let mut atoms = atoms();
    // What has no meaning comes last: after a panic in pep508_rs each further judgement panics, too.
    atoms.sort_by_key(|atom| atom.operator == "~=" && !atom.is_of_version());
    let texts: Vec<String> = atoms.iter().map(|atom| atom.write(&mut taste)).collect();
    let pairs: Vec<(String, usize)> =
        texts.iter().flat_map(|text| (0..targets.len()).map(move |place| (text.clone(), place))).collect();
    let verdicts = judge(&targets, &pairs)?;
    let mut unexplained: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for (index, ((ours, theirs), (text, place))) in verdicts.iter().zip(&pairs).enumerate() {
        if ours.agrees(theirs) {
            continue;
        }
        let atom = &atoms[index / targets.len()];
        match DIFFERENCES.iter().position(|known| (known.covers)(atom) && known.explains(ours)) {
            Some(known) => {
                used.insert(known);
            }
            None => {
                let side = if atom.reversed { "reversed" } else { "" };
                let key = format!("{} {} {side}", atom.variable, atom.operator);
                let box_name = format!("{} with {}", targets[*place].name, targets[*place].python_full);
                let said = format!("`{text}` on {box_name}: {ours:?}, and packaging says {theirs:?}");
                let (count, examples) = unexplained.entry(key).or_default();
                *count += 1;
                if *count == 1 {
                    examples.push(said);
                }
            }
        }
    }
    println!("{} pairs of {} comparisons and {} boxes", pairs.len(), atoms.len(), targets.len());
    let stale: Vec<&str> =
        (0..DIFFERENCES.len()).filter(|place| !used.contains(place)).map(|place| DIFFERENCES[place].reason).collect();
    ensure!(stale.is_empty() || !unexplained.is_empty(), "listed, but no longer different:\n{}", stale.join("\n"));
    let kinds: Vec<String> = unexplained
        .iter()
        .map(|(kind, (count, examples))| format!("{kind}: {count} pairs, such as\n  {}", examples.join("\n  ")))
        .collect();
    ensure!(kinds.is_empty(), "{} kinds of comparisons differ:\n{}", kinds.len(), kinds.join("\n"));
    Ok(())
}

/// Nested markers, of comparisons that are judged alike on their own, and the same with a fault.
#[test]
fn nested_markers_are_judged_as_packaging_does() -> anyhow::Result<()> {
    let targets = distinct(targets()?);
    let mut taste = Lcg(2);
    let atoms = agreed(&targets)?;
    ensure!(atoms.len() >= 5_000, "only {} comparisons are judged alike", atoms.len());
    let mut pairs = Vec::new();
    for _ in 0..20_000 {
        let mut text = nested(&atoms, &mut taste, 3);
        if taste.one_in(4) {
            text = with_fault(&text, &mut taste);
        }
        pairs.push((text, taste.below(targets.len())));
    }
    let verdicts = judge(&targets, &pairs)?;
    let tally = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|(_, theirs)| wanted(theirs)).count();
    let (hold, fail) = (tally(|v| *v == Verdict::Holds(true)), tally(|v| matches!(v, Verdict::Error(_))));
    println!("{} markers: {hold} true, {fail} errors, the rest false", pairs.len());
    ensure!(hold > 2_000 && fail > 2_000 && hold + fail < 18_000, "the generator is lopsided");
    must_agree(&targets, &pairs, &verdicts)
}

/// The comparisons that both judge alike on every box.
pub fn agreed(targets: &[Target]) -> anyhow::Result<Vec<Atom>> {
    let mut taste = Lcg(3);
    let known = |atom: &Atom| DIFFERENCES.iter().any(|known| (known.covers)(atom));
    let mut atoms = atoms();
    atoms.retain(|atom| !known(atom) && (atom.operator != "~=" || atom.is_of_version()));
    let texts: Vec<String> = atoms.iter().map(|atom| atom.write(&mut taste)).collect();
    let pairs: Vec<(String, usize)> =
        texts.iter().flat_map(|text| (0..targets.len()).map(move |place| (text.clone(), place))).collect();
    let verdicts = judge(targets, &pairs)?;
    let alike = verdicts
        .chunks(targets.len())
        .map(|of| of.iter().all(|(ours, theirs)| ours.agrees(theirs) && matches!(theirs, Verdict::Holds(_))));
    Ok(atoms.iter().zip(alike).filter(|(_, alike)| *alike).map(|(atom, _)| *atom).collect())
}

/// A marker by PEP 508's grammar: `marker_or`, `marker_and` and parentheses, at most `depth` deep.
fn nested(atoms: &[Atom], taste: &mut Lcg, depth: usize) -> String {
    if depth == 0 || taste.one_in(3) {
        return taste.pick(atoms).write(taste);
    }
    let mut text = nested(atoms, taste, depth - 1);
    for _ in 0..1 + taste.below(3) {
        let word = taste.pick(&["and", "or"]);
        let space = taste.pick(&[" ", "  ", "\t"]);
        let next = nested(atoms, taste, depth - 1);
        text = format!("{text}{space}{word}{space}{next}");
    }
    if taste.one_in(2) { format!("{0}({0}{text}{1}){1}", taste.pick(&["", " "]), taste.pick(&["", " "])) } else { text }
}

/// The marker with one character gone, doubled, or put to another place.
///
/// Literals and operators stay whole: with another one it would be another comparison, not a fault.
fn with_fault(marker: &str, taste: &mut Lcg) -> String {
    let mut quote = None;
    let mut places = Vec::new();
    let mut characters: Vec<char> = marker.chars().collect();
    for (place, c) in characters.iter().enumerate() {
        match (quote, *c) {
            (None, '\'' | '"') => quote = Some(*c),
            (Some(open), c) if c == open => quote = None,
            (None, '<' | '>' | '=' | '!' | '~') | (Some(_), _) => {}
            (None, _) => places.push(place),
        }
    }
    let (place, other) = (taste.pick(&places), taste.pick(&places));
    match taste.below(3) {
        0 => drop(characters.remove(place)),
        1 => characters.insert(place, characters[place]),
        _ => characters.swap(place, other),
    }
    characters.into_iter().collect()
}

#[test]
fn real_markers_are_judged_as_packaging_does() -> anyhow::Result<()> {
    let targets = distinct(targets()?);
    let pairs: Vec<(String, usize)> = REAL_MARKERS
        .iter()
        .flat_map(|marker| (0..targets.len()).map(move |place| ((*marker).to_owned(), place)))
        .collect();
    let verdicts = judge(&targets, &pairs)?;
    println!("{} pairs of {} markers", pairs.len(), REAL_MARKERS.len());
    must_agree(&targets, &pairs, &verdicts)
}
