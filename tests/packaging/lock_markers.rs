//! Markers of locks: `extras` and `dependency_groups` (PEP 751), which packaging knows with `lock_file`.

use crate::packaging::comparison::{Atom, Lcg};
use crate::packaging::verdict::Verdict;
use crate::packaging::{ask_packaging, distinct, environment_of, targets};
use anyhow::ensure;
use pep508_rs::ExtraName;
use serde_json::{Value, json};
use std::str::FromStr as _;
use wheelhaul_boxes::{Asked, Target};

const NAMES: [&str; 7] = ["test", "Test", "dev_tools", "dev-tools", "Dev.Tools", "socks", "a"];
/// What is asked for: extras, and groups.
const ASKED: [(&[&str], &[&str]); 4] =
    [(&[], &[]), (&["test"], &[]), (&["dev-tools", "a"], &["test"]), (&["socks"], &["dev-tools", "a"])];

fn asked(of: (&[&str], &[&str])) -> anyhow::Result<Asked> {
    let names = |names: &[&str]| names.iter().map(|name| Ok(ExtraName::from_str(name)?)).collect::<anyhow::Result<_>>();
    Ok(Asked { extras: names(of.0)?, groups: names(of.1)? })
}

/// A comparison with what is asked for, mostly as PEP 751 writes it.
fn membership(taste: &mut Lcg) -> String {
    let name = taste.pick(&NAMES);
    let quote = taste.pick(&["'", "\""]);
    let of = taste.pick(&["extras", "dependency_groups"]);
    let operator = taste.pick(&["in", "not in", "not  in"]);
    match taste.one_in(20) {
        true => format!("{of} {} {quote}{name}{quote}", taste.pick(&["in", "not in", "~=", "<"])),
        false => format!("{quote}{name}{quote} {operator} {of}"),
    }
}

fn nested(atoms: &[Atom], taste: &mut Lcg, depth: usize) -> String {
    if depth == 0 || taste.one_in(3) {
        return if taste.one_in(2) { membership(taste) } else { taste.pick(atoms).write(taste) };
    }
    let (left, right) = (nested(atoms, taste, depth - 1), nested(atoms, taste, depth - 1));
    let word = taste.pick(&["and", "or"]);
    if taste.one_in(2) { format!("({left} {word} {right})") } else { format!("{left} {word} {right}") }
}

/// Where packaging answers and this tool refuses: the specification gives sets no operators but `in` and `not in`
/// ("Dependency specifiers", "Environment Markers"), and `a-` is no name (PEP 503).
#[test]
fn what_is_no_membership_is_an_error() -> anyhow::Result<()> {
    let target = Target::find("el9-x86_64", None, None)?;
    let markers = ["'a' == extras", "'a' != dependency_groups", "'a-' in extras"];
    let triples: Vec<_> = markers.iter().map(|marker| (marker, 0, 0)).collect();
    let question = json!({
        "environments": [environment_of(&target)], "asked": [{"extras": ["a"], "groups": []}], "pairs": triples
    });
    let answers: Vec<Value> = serde_json::from_value(ask_packaging("lock", &question)?)?;
    for (marker, answer) in markers.iter().zip(answers) {
        ensure!(answer.is_boolean(), "packaging refuses `{marker}` now, too: take it off this list");
        ensure!(target.environment().holds(marker, &asked((&["a"], &[]))?).is_err(), "{marker}");
    }
    Ok(())
}

#[test]
fn markers_of_locks_are_judged_as_packaging_does() -> anyhow::Result<()> {
    let targets: Vec<Target> = distinct(targets()?);
    let mut taste = Lcg(5);
    let mut atoms = crate::agreed(&targets)?;
    // What `extra` means in a lock is not defined; here it is what is asked for, as in metadata.
    atoms.retain(|atom| atom.variable != "extra");
    let triples: Vec<(String, usize, usize)> = (0..10_000)
        .map(|_| (nested(&atoms, &mut taste, 2), taste.below(targets.len()), taste.below(ASKED.len())))
        .collect();
    let environments: Vec<Value> = targets.iter().map(environment_of).collect();
    let wanted: Vec<Value> = ASKED.iter().map(|(extras, groups)| json!({"extras": extras, "groups": groups})).collect();
    let question = json!({"environments": environments, "asked": wanted, "pairs": triples});
    let answers: Vec<Value> = serde_json::from_value(ask_packaging("lock", &question)?)?;
    ensure!(answers.len() == triples.len(), "packaging answered {} of {}", answers.len(), triples.len());
    let (mut hold, mut fail, mut differing) = (0, 0, Vec::new());
    for ((marker, place, of), answer) in triples.iter().zip(answers) {
        let theirs = match answer {
            Value::Bool(holds) => Verdict::Holds(holds),
            other => Verdict::Error(other.to_string()),
        };
        let ours = match targets[*place].environment().holds(marker, &asked(ASKED[*of])?) {
            Ok(holds) => Verdict::Holds(holds),
            Err(error) => Verdict::Error(error.root_cause().to_string()),
        };
        hold += usize::from(theirs == Verdict::Holds(true));
        fail += usize::from(matches!(theirs, Verdict::Error(_)));
        if !ours.agrees(&theirs) {
            differing.push(format!("`{marker}` with {:?}: {ours:?}, and packaging says {theirs:?}", ASKED[*of]));
        }
    }
    println!("{} markers: {hold} true, {fail} errors, the rest false", triples.len());
    ensure!(hold > 1_000 && fail > 500 && hold + fail < 9_000, "the generator is lopsided");
    ensure!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing[..differing.len().min(20)].join("\n"));
    Ok(())
}
