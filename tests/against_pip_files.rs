//! Requirements files held against pip's own parser: the same pins, the same refusals, and each refusal of
//! ours alone for a reason that is listed.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use grammar::{VARIABLES, mutated, tree};
use packaging::comparison::Lcg;
use packaging::{run, test_python};
use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use wheelhaul_boxes::{Asked, Target, may_hold};
use wheelhaul_lockfiles::{Application, FileLocation, LockSource, Pins, Selection, filter, parse, texts_of};

#[path = "pip_files/grammar.rs"]
mod grammar;
#[allow(dead_code, reason = "shared with the test against `packaging`")]
mod packaging;

type Tree = BTreeMap<String, String>;

/// A line as pip reads it.
#[derive(Deserialize)]
struct Line {
    name: Option<String>,
    extras: Vec<String>,
    specifiers: Vec<(String, String)>,
    marker: Option<String>,
    link: Option<String>,
    is_vcs: bool,
    is_folder: bool,
    hashes: BTreeMap<String, Vec<String>>,
    is_editable: bool,
    is_constraint: bool,
    place: String,
}

#[derive(Deserialize)]
struct Lines {
    lines: Vec<Line>,
    require_hashes: bool,
}

fn ask_pip(trees: &[Tree]) -> anyhow::Result<Vec<Result<Lines, String>>> {
    let script = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/pip_says.py");
    let variables: BTreeMap<&str, &str> = VARIABLES.into();
    let question = json!({"variables": variables, "trees": trees}).to_string();
    let said = run(Command::new(test_python()?).arg("-B").arg(script).env_remove("UNSET"), &question)?;
    let answers: Vec<Value> = serde_json::from_str(&said).context("the script answered no JSON")?;
    let read = |answer: Value| match answer {
        Value::String(reason) => Ok(Err(reason)),
        lines => serde_json::from_value(lines).map(Ok),
    };
    Ok(answers.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// What a tree is, in words that both sides can say; sorted, each line once.
type Said = BTreeSet<String>;

/// What we read, also where a marker is judged.
fn ours(tree: &Tree) -> anyhow::Result<Said> {
    let lock = Utf8Path::new("requirements.txt");
    let texts = texts_of(lock, |path| Ok(tree.get(path.as_str()).cloned()))?;
    let variable = |name: &str| VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    let selection = Selection::default();
    let app = Application::in_folder(Utf8Path::new("app"));
    let source = LockSource { lock, app, texts: &texts, selection: &selection, variable: &variable };
    let pins = parse(&source)?;
    filter(&pins, &Target::find("el9-x86_64", Some("3.11"), None)?)?;
    Ok(words_of(&pins))
}

fn words_of(pins: &Pins) -> Said {
    let pin = |pin: &wheelhaul_lockfiles::Pin| {
        let extras: BTreeSet<&str> = pin.extras.iter().map(AsRef::as_ref).collect();
        let link = pin.files.first().map(|file| match &file.at {
            FileLocation::Url(url) => url.clone(),
            FileLocation::Path(path) => format!("file:{path}"),
        });
        let marker = pin.marker.as_deref().map(plain_marker);
        format!("{}=={} {extras:?} {marker:?} {link:?} {:?} {}", pin.name, pin.version, pin.hashes, pin.place)
    };
    let constraint = |constraint: &wheelhaul_lockfiles::Constraint| {
        let limit = &constraint.requirement;
        let specifiers: BTreeSet<String> = limit.versions.iter().map(ToString::to_string).collect();
        format!("-c {} {specifiers:?} {:?} {}", limit.name, limit.marker.as_deref().map(plain_marker), constraint.place)
    };
    pins.pins.iter().map(pin).chain(pins.constraints.iter().map(constraint)).collect()
}

/// A marker without what `packaging` writes its own way: white space, quotes, brackets.
fn plain_marker(marker: &str) -> String {
    marker.chars().filter(|c| !c.is_whitespace() && !"'\"()".contains(*c)).collect()
}

/// What pip reads, or why it cannot be a lock: pip takes what no lock has.
fn theirs(lines: &Lines) -> Result<Said, String> {
    let mut said = Said::new();
    for line in &lines.lines {
        said.extend(line.words().map_err(|reason| format!("{}: {reason}", line.place))?);
        let is_pin = !line.is_constraint && !line.is_folder && !line.is_vcs;
        if lines.require_hashes && line.hashes.is_empty() && is_pin {
            return Err(format!("{}: no hash, with `--require-hashes`", line.place));
        }
    }
    Ok(said)
}

impl Line {
    /// The version that one specifier pins and all others contain.
    fn pinned(&self) -> Result<Version, &'static str> {
        let exact = self.specifiers.iter().filter(|(operator, _)| ["==", "==="].contains(&operator.as_str()));
        let exact: Vec<&String> = exact.map(|(_, version)| version).filter(|version| !version.ends_with('*')).collect();
        if exact.is_empty() {
            return Err("not one exact version");
        }
        let all: Vec<String> =
            self.specifiers.iter().map(|(operator, version)| format!("{operator}{version}")).collect();
        let all: VersionSpecifiers = all.join(",").parse().map_err(|_| "`===` with what is no version")?;
        let versions = exact.iter().filter_map(|version| version.parse::<Version>().ok());
        versions.into_iter().find(|version| all.contains(version)).ok_or("versions that exclude each other")
    }

    /// The line in words; none for what no box gets.
    fn words(&self) -> Result<Option<String>, &'static str> {
        let is_possible =
            self.marker.as_deref().is_none_or(|marker| may_hold(marker, &Asked::default()).unwrap_or(true));
        let is_application = matches!(self.link.as_deref(), Some("file:app"));
        let place = self.place.trim_start_matches("-r ").trim_start_matches("-c ");
        let place = place.replace("requirements.txt (", "").replace(" (line", " line").replace(')', "");
        let marker = self.marker.as_deref().map(plain_marker);
        if self.is_constraint {
            if self.is_editable || self.link.is_some() || !self.extras.is_empty() {
                return Err("a constraint that is more than a name with versions");
            }
            let name = normalized(self.name.as_deref().unwrap_or_default());
            let specifiers: BTreeSet<String> =
                self.specifiers.iter().map(|(op, version)| format!("{op}{version}")).collect();
            return Ok(Some(format!("-c {name} {specifiers:?} {marker:?} {place}")));
        }
        if self.is_editable {
            return if is_application { Ok(None) } else { Err("editable") };
        }
        if self.is_vcs || self.is_folder {
            return if is_application || !is_possible { Ok(None) } else { Err("no file") };
        }
        if self.link.is_some() && !is_possible {
            return Ok(None);
        }
        if !self.hashes.is_empty() && !self.hashes.contains_key("sha256") {
            return Err("hashes without sha256");
        }
        let hashes: BTreeSet<&String> = self.hashes.get("sha256").into_iter().flatten().collect();
        if hashes.iter().any(|digest| digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err("a digest that is none");
        }
        let (version, link) = match &self.link {
            Some(link) => {
                let file = link.rsplit(['/', ':']).next().unwrap_or_default();
                let file = file.trim_end_matches(".tar.gz");
                let told = file.split('-').next().map(normalized);
                if told != self.name.as_deref().map(normalized) {
                    return Err("a file of another package, which pip sees later");
                }
                let version = file.split('-').nth(1).and_then(|version| version.parse::<Version>().ok());
                if hashes.len() != 1 {
                    return Err("a file without its one sha256");
                }
                (version.ok_or("a file without a version")?, Some(link.clone()))
            }
            None => (self.pinned()?, None),
        };
        let name = normalized(self.name.as_deref().ok_or("a file without a name")?);
        let extras: BTreeSet<String> = self.extras.iter().map(|extra| normalized(extra)).collect();
        Ok(Some(format!("{name}=={version} {extras:?} {marker:?} {link:?} {hashes:?} {place}")))
    }
}

fn normalized(name: &str) -> String {
    name.to_lowercase().split(['_', '.', '-']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Compares, and gives how often both took a tree, both refused it, and only we did.
fn compare(trees: &[Tree]) -> anyhow::Result<[usize; 3]> {
    let answers = ask_pip(trees)?;
    ensure!(answers.len() == trees.len(), "pip answered {} of {} trees", answers.len(), trees.len());
    let mut differing = Vec::new();
    let mut counts = [0; 3];
    for (tree, answer) in trees.iter().zip(answers) {
        let ours = ours(tree);
        let theirs =
            answer.map_err(|reason| (0, reason)).and_then(|lines| theirs(&lines).map_err(|reason| (1, reason)));
        let fault = match (&ours, theirs) {
            // Which features there are is another list in each pip.
            (_, Err((0, reason))) if reason.contains("--use-f") => continue,
            // Where pip crashes: an encoding that Python does not have, over a text that is ASCII; a `\\` in a
            // marker's literal, which the grammar does not have, taken as Python source.
            (_, Err((0, reason))) if reason.starts_with("LookupError") || reason.starts_with("SyntaxError") => continue,
            // pip looks for a folder before it reads the marker, by which no box gets it.
            (Ok(_), Err((0, reason))) if reason.contains("Invalid requirement: ") && reason.contains('/') => continue,
            (Ok(ours), Ok(theirs)) if *ours == theirs => {
                counts[0] += 1;
                continue;
            }
            (Err(_), Err((who, _))) => {
                counts[1 + who] += 1;
                continue;
            }
            (Ok(ours), Ok(theirs)) => format!("  we: {ours:#?}\n  pip: {theirs:#?}"),
            (Ok(ours), Err((_, reason))) => format!("  we: {ours:#?}\n  pip, or this test: {reason}"),
            (Err(error), Ok(theirs)) => format!("  we: {error:#}\n  pip: {theirs:#?}"),
        };
        differing.push(format!("{tree:#?}\n{fault}"));
    }
    let count = differing.len();
    differing.truncate(3);
    ensure!(count == 0, "{count} of {} trees differ, such as\n{}", trees.len(), differing.join("\n\n"));
    Ok(counts)
}

#[test]
fn files_are_read_as_pip_reads_them() -> anyhow::Result<()> {
    let (mut taste, mut count) = (Lcg(3), 0);
    let trees: Vec<Tree> = (0..3000).map(|_| tree(&mut taste, &mut count)).collect();
    let counts = compare(&trees)?;
    println!("both take {}, both refuse {}, only this tool refuses {}", counts[0], counts[1], counts[2]);
    ensure!(counts.iter().all(|count| *count >= 250), "the generator is one-sided: {counts:?}");
    Ok(())
}

#[test]
fn changed_files_are_read_as_pip_reads_them() -> anyhow::Result<()> {
    let (mut taste, mut count) = (Lcg(4), 0);
    let mut trees: Vec<Tree> = (0..2000).map(|_| tree(&mut taste, &mut count)).collect();
    for tree in &mut trees {
        let text = mutated(&tree["requirements.txt"], &mut taste);
        tree.insert("requirements.txt".to_owned(), text);
    }
    let counts = compare(&trees)?;
    println!("both take {}, both refuse {}, only this tool refuses {}", counts[0], counts[1], counts[2]);
    ensure!(counts.iter().all(|count| *count >= 100), "the generator is one-sided: {counts:?}");
    Ok(())
}
