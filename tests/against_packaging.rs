//! Tags, markers and versions held against `packaging`, the reference of the specifications, and
//! against rpm's own comparison.

use anyhow::{Context, ensure};
use packaging::comparison::{Atom, Lcg, atoms};
use packaging::difference::DIFFERENCES;
use packaging::real_markers::REAL_MARKERS;
use packaging::verdict::{Verdict, judge, must_agree};
use packaging::{ask_packaging, distinct, run, targets};
use pep440_rs::Version;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::str::FromStr as _;
use xtask::rpm::rpm_version;
use xtask::target::Target;

#[path = "packaging/lock_markers.rs"]
mod lock_markers;
mod packaging;
#[path = "packaging/probe.rs"]
mod probe;

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

/// Pieces of PEP 440 versions, each list with the empty one.
const RELEASES: [&str; 8] = ["0.9", "1", "1.0", "1.0.1", "1.1", "1.10", "2.0", "2024.1"];
const PRES: [&str; 6] = ["", "a1", "a2", "b1", "rc1", "rc10"];
const POSTS: [&str; 3] = ["", ".post1", ".post2"];
const DEVS: [&str; 3] = ["", ".dev1", ".dev2"];
const EPOCHS: [&str; 2] = ["", "1!"];
const LOCALS: [&str; 9] = ["", "+1", "+2", "+10", "+a", "+ab", "+1.a", "+1.1", "+a.1"];

/// Every version of the pieces, in a fixed order.
fn versions() -> Vec<String> {
    let mut versions = Vec::new();
    for epoch in EPOCHS {
        for release in RELEASES {
            for pre in PRES {
                for post in POSTS {
                    for dev in DEVS {
                        versions.push(format!("{epoch}{release}{pre}{post}{dev}"));
                    }
                }
            }
        }
    }
    versions
}

#[test]
fn rpm_sorts_versions_as_packaging_does() -> anyhow::Result<()> {
    let versions = versions();
    let places: Vec<usize> = serde_json::from_value(ask_packaging("versions", &json!(versions))?)?;
    let mut taste = Lcg(4);
    let mut by_place: Vec<usize> = (0..versions.len()).collect();
    by_place.sort_by_key(|index| places[*index]);
    // Neighbours are the hardest, and any two must do as well.
    let neighbours = by_place.windows(2).map(|pair| (pair[0], pair[1]));
    let any = (0..2_000).map(|_| (taste.below(versions.len()), taste.below(versions.len())));
    let pairs: Vec<(usize, usize)> = neighbours.chain(any).collect();
    let ours =
        compare_with_rpm(&pairs.iter().map(|(a, b)| (evr(&versions[*a]), evr(&versions[*b]))).collect::<Vec<_>>())?;
    let mut differing = Vec::new();
    for ((a, b), ours) in pairs.iter().zip(ours) {
        let theirs = places[*a].cmp(&places[*b]);
        if ours != theirs && !is_known_to_sort_otherwise(&versions[*a], &versions[*b]) {
            differing.push(format!(
                "`{}` and `{}`: rpm says {ours:?} of `{}` and `{}`, packaging {theirs:?}",
                versions[*a],
                versions[*b],
                evr(&versions[*a]),
                evr(&versions[*b])
            ));
        }
    }
    println!("{} pairs of {} versions", pairs.len(), versions.len());
    ensure!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), pairs.len(), differing.join("\n"));
    Ok(())
}

/// Releases that differ by zeros at the end alone: `1` and `1.0` are one version to PEP 440 and two to rpm.
///
/// The RPM keeps the digits that the team wrote; nobody ships both spellings of one release.
fn is_known_to_sort_otherwise(a: &str, b: &str) -> bool {
    let release = |text: &str| Version::from_str(text).expect("made by PEP 440's grammar").release().to_vec();
    let trimmed = |numbers: &[u64]| numbers.iter().rposition(|n| *n != 0).map_or(0, |last| last + 1);
    let (a, b) = (release(a), release(b));
    a != b && a[..trimmed(&a)] == b[..trimmed(&b)]
}

/// Local versions sort right among those of one public version.
#[test]
fn rpm_sorts_local_versions_of_one_release_as_packaging_does() -> anyhow::Result<()> {
    let mut compared = 0;
    for public in ["1.0", "1.0rc1", "1.0.post1", "1.0.dev1", "1!2.0"] {
        let versions: Vec<String> = LOCALS.iter().map(|local| format!("{public}{local}")).collect();
        let places: Vec<usize> = serde_json::from_value(ask_packaging("versions", &json!(versions))?)?;
        let pairs: Vec<(usize, usize)> =
            (0..versions.len()).flat_map(|a| (0..versions.len()).map(move |b| (a, b))).collect();
        let texts: Vec<_> = pairs.iter().map(|(a, b)| (evr(&versions[*a]), evr(&versions[*b]))).collect();
        for (((a, b), texts), ours) in pairs.iter().zip(&texts).zip(compare_with_rpm(&texts)?) {
            let theirs = places[*a].cmp(&places[*b]);
            ensure!(ours == theirs, "rpm says {ours:?} of `{}` and `{}`, packaging {theirs:?}", texts.0, texts.1);
        }
        compared += pairs.len();
    }
    println!("{compared} pairs");
    Ok(())
}

/// Local versions that rpm sorts otherwise: to it `+` is one more separator, and digits are newer than letters.
///
/// A local version is a patched build of a release; that its next public release takes the place of it
/// holds for every release number but one that starts with the same digits.
const LOCAL_LIMITS: [(&str, &str, Ordering); 3] = [
    ("1.0+1", "1.0.1", Ordering::Equal),
    ("1.0+2", "1.0.1", Ordering::Greater),
    ("1.0+1", "1.0.post1", Ordering::Greater),
];

#[test]
fn limits_of_local_versions_are_what_they_were() -> anyhow::Result<()> {
    for (a, b, expected) in LOCAL_LIMITS {
        let places: Vec<usize> = serde_json::from_value(ask_packaging("versions", &json!([a, b]))?)?;
        ensure!(places[0] < places[1], "packaging no longer sorts `{a}` below `{b}`");
        let ours = compare_with_rpm(&[(evr(a), evr(b))])?;
        ensure!(ours == [expected], "rpm says {ours:?} of `{a}` and `{b}`: correct `LOCAL_LIMITS`");
    }
    Ok(())
}

/// Epoch and version as rpm compares them.
fn evr(version: &str) -> String {
    let (epoch, text) = rpm_version(&Version::from_str(version).expect("made by PEP 440's grammar"));
    format!("{}:{text}", epoch.unwrap_or(0))
}

/// Compares pairs by the rpm of this host, in one process.
fn compare_with_rpm(pairs: &[(String, String)]) -> anyhow::Result<Vec<Ordering>> {
    const SCRIPT: &str =
        "%{lua: for line in io.lines() do local a, b = line:match('(%S+) (%S+)') print(rpm.vercmp(a, b), '') end}";
    let lines: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let said = run(Command::new("rpm").args(["--eval", SCRIPT]), &lines)?;
    let answers: Vec<Ordering> = said
        .split_whitespace()
        .map(|number| Ok(number.parse::<i32>()?.cmp(&0)))
        .collect::<anyhow::Result<_>>()
        .with_context(|| format!("rpm said {said}"))?;
    ensure!(answers.len() == pairs.len(), "rpm answered {} of {} pairs", answers.len(), pairs.len());
    Ok(answers)
}
