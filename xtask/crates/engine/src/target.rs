//! `cargo xtask target`: the boxes, and the script that describes one more.

use crate::Project;
use crate::report::Report;
use crate::support;
use crate::templates::{evidence, probe};
use serde_json::{Map, Value, json};
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{BOXES, Target, VARIABLES, known_names, known_targets};

/// What `target` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A target of `dist/package.toml`, or a known one
    pub name: Option<String>,
    /// Its wheel tags, best first
    pub tags: bool,
    /// The values that markers are judged with
    pub markers: bool,
    /// Which Python of a known box; the box's own if not given
    pub python: Option<String>,
    /// Print the script that describes a box
    pub probe: bool,
    /// Print the script that tells, after the installation, how the service does on a box; for `verify --box`
    pub evidence: bool,
}

impl Options {
    /// The script that is to be printed, which needs no repository.
    pub fn script(&self) -> Option<String> {
        match (self.probe, self.evidence) {
            (true, _) => Some(probe()),
            (_, true) => Some(evidence()),
            _ => None,
        }
    }
}

/// The task.
///
/// - Takes: `project`, where there is one.
pub fn run(project: Option<&Project>, options: &Options) -> anyhow::Result<Report> {
    if let Some(script) = options.script() {
        return Ok(Report::fine(script.clone(), json!({"script": script})));
    }
    let own = project.map(|project| project.targets.as_slice()).unwrap_or_default();
    match &options.name {
        None => Ok(list(own).saying(told(own))),
        Some(name) => {
            let target = find(own, name, options.python.as_deref())?;
            Ok(show(&target, options).saying(told([&target])))
        }
    }
}

/// What is said beside the result, of Pythons whose support ends.
fn told<'a>(targets: impl IntoIterator<Item = &'a Target>) -> String {
    support::notices(targets).iter().map(|notice| format!("warning: {notice}\n")).collect()
}

/// A target of the project before a known one, unless another Python is asked for.
fn find(own: &[Target], name: &str, python: Option<&str>) -> anyhow::Result<Target> {
    let is_it = |target: &&Target| target.name == name && python.is_none_or(|python| python == target.python());
    if let Some(target) = own.iter().find(is_it) {
        return Ok(target.clone());
    }
    if own.iter().any(|target| target.name == name) && !known_names().iter().any(|known| known == name) {
        return Err(Problem::with_hint(format!("`{name}` has one Python"), "leave `--python` out"));
    }
    Target::find(name, python, None)
}

fn show(target: &Target, options: &Options) -> Report {
    let mut value = describe(target);
    let tags: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
    let environment = target.environment();
    let markers: Vec<(&str, Option<&str>)> = VARIABLES.iter().map(|name| (*name, environment.text(name))).collect();
    let both = !options.tags && !options.markers;
    let mut text = String::new();
    if both {
        text.push_str(&line(target));
        text.push_str(&format!("python: {}", target.interpreter.path));
        let package = target.interpreter.package.as_ref().map(|package| format!(" of {package}"));
        text.push_str(&format!("{}\nrelease: .{}\n\n", package.unwrap_or_default(), target.distribution.dist));
    }
    if options.markers || both {
        for (name, value) in &markers {
            let value = value.map_or("(only the box itself knows)".to_owned(), |value| format!("{value:?}"));
            text.push_str(&format!("{name:<31} {value}\n"));
        }
        value["markers"] =
            markers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>().into();
    }
    if options.tags {
        text.extend(tags.iter().map(|tag| format!("{tag}\n")));
        value["tags"] = json!(tags);
    } else if both {
        text.push_str(&format!(
            "\n{} wheel tags, from {} to {}: see --tags\n",
            tags.len(),
            tags[0],
            tags[tags.len() - 1]
        ));
    }
    Report::fine(text, json!({"target": value}))
}

fn list(own: &[Target]) -> Report {
    let mut text = String::new();
    if !own.is_empty() {
        text.push_str("targets of `dist/package.toml`:\n");
        text.extend(own.iter().map(|target| format!("  {}", line(target))));
        text.push('\n');
    }
    text.push_str(
        "known boxes, each on x86_64 and aarch64 (the box's own Python first, which lives as long as the box):\n",
    );
    for row in BOXES {
        let mut pythons: Vec<_> = row.pythons.iter().collect();
        pythons.sort_by_key(|python| python.version != row.default_python);
        let pythons: Vec<String> = pythons.into_iter().map(|python| row.in_words(python)).collect();
        let (major, minor) = row.glibc;
        text.push_str(&format!(
            "  {:<7} glibc {major}.{minor}, manylinux_{major}_{minor}, systemd {}, until {}\n          Python {}\n",
            row.id,
            row.systemd,
            row.until,
            pythons.join(", ")
        ));
    }
    text.push_str("\nanother box describes itself: `cargo xtask target --help`\n");
    let known: Vec<Value> = known_targets().iter().map(describe).collect();
    Report::fine(text, json!({"targets": own.iter().map(describe).collect::<Vec<_>>(), "known": known}))
}

fn highest(target: &Target) -> String {
    target.platforms().into_iter().next().unwrap_or_else(|| "any".to_owned())
}

fn line(target: &Target) -> String {
    let (major, minor) = target.distribution.glibc;
    format!(
        "{}: Python {}, glibc {major}.{minor}, {}, systemd {} ({})\n",
        target.name,
        target.python_full,
        highest(target),
        target.distribution.systemd,
        target.distribution.title
    )
}

fn describe(target: &Target) -> Value {
    let (major, minor) = target.distribution.glibc;
    let life = target.row();
    let until = life.and_then(|(row, python)| row.end_of(python));
    json!({
        "name": target.name,
        "title": target.distribution.title,
        "arch": target.arch,
        "python": target.python(),
        "python-full": target.python_full.to_string(),
        "python-path": target.interpreter.path,
        "python-package": target.interpreter.package,
        "python-since": life.and_then(|(row, python)| row.since(python)),
        "python-until": until.map(|end| format!("{}-{:02}", end.year, end.month)),
        "glibc": format!("{major}.{minor}"),
        "highest-platform": highest(target),
        "systemd": target.distribution.systemd,
        "payload": target.distribution.compression,
        "release": target.distribution.dist,
    })
}
