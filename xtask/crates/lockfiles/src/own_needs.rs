//! What the application itself asks for, by the files that a team writes by hand: flat locks do not say it.

use crate::formats::pipenv;
use crate::formats::poetry::Project;
use crate::pin::{Need, Versions};
use crate::project_file::{Dependencies, need};
use crate::selection::Selection;
use pep508_rs::PackageName;
use std::str::FromStr as _;
use wheelhaul_boxes::Requirement;

/// The needs in a file, whose name tells what it is; none if it cannot be read, which other steps report.
pub fn own_needs(name: &str, text: &str, selection: &Selection) -> Vec<Need> {
    match name {
        "pyproject.toml" => Project::parse(text).and_then(|project| project.roots(selection)).unwrap_or_default(),
        "Pipfile" => of_pipfile(text, selection),
        "setup.cfg" => of_lines(install_requires(text)),
        _ => of_lines(text.lines().map(|line| line.split(" #").next().unwrap_or_default())),
    }
}

/// Whether a `pyproject.toml` says what the application needs, in `[project]`, or in the extras and groups that are asked for.
pub fn has_dependencies(pyproject: &str, selection: &Selection) -> bool {
    let read = Dependencies::parse(pyproject);
    read.is_ok_and(|project| !project.roots(&selection.extras, &selection.groups).is_empty())
}

fn of_pipfile(text: &str, selection: &Selection) -> Vec<Need> {
    let wanted = pipenv::wanted_markers(text, &selection.groups);
    let needs = wanted.into_iter().filter_map(|(name, marker)| {
        let name = PackageName::from_str(&name).ok()?;
        Some(Need { name, extras: Vec::new(), versions: Versions::Any, entry: None, marker, of_extra: None })
    });
    needs.collect()
}

fn of_lines<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<Need> {
    lines.filter_map(|line| Requirement::from_str(line.trim()).ok()).map(|requirement| need(&requirement)).collect()
}

/// The lines of `install_requires` under `[options]`.
fn install_requires(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("install_requires"));
    let first = lines.next().and_then(|line| line.split_once('=')).map(|(_, rest)| rest);
    first.into_iter().chain(lines.take_while(|line| line.starts_with([' ', '\t']) || line.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_says_what_the_application_asks_for() {
        let selection = Selection { extras: vec!["web".parse().unwrap()], groups: vec!["more".parse().unwrap()] };
        #[rustfmt::skip]
        let cases = [ // file             text                                                                            asks for
            ("pyproject.toml",   "[project]\ndependencies = ['a>=1']\n[project.optional-dependencies]\nweb = ['b']\nx = ['c']",  "a b"),
            ("pyproject.toml",   "[tool.poetry.dependencies]\npython = '^3.9'\na = '^1'\n[tool.poetry.group.more.dependencies]\nb = '*'", "a b"),
            ("Pipfile",          "[packages]\nA_b = '*'\nshop = {path = '.'}\n[dev-packages]\nc = '*'\n[more]\nd = {version = '*', os_name = \"== 'nt'\"}", "a-b shop d"),
            ("setup.cfg",        "[options]\ninstall_requires =\n    a>=1\n    b[x] ; os_name == 'nt'\n[options.extras_require]\nc = d",  "a b"),
            ("requirements.in",  "# x\na>=1  # why\n-r other.in\nb\n",                                                     "a b"),
            ("pyproject.toml",   "[",                                                                                      ""),
        ];
        for (name, text, asks) in cases {
            let names: Vec<String> =
                own_needs(name, text, &selection).iter().map(|need| need.name.to_string()).collect();
            assert_eq!(names.join(" "), asks, "{name}: {text}");
        }
        let needs = own_needs("Pipfile", "[packages]\nd = {version = '*', os_name = \"== 'nt'\"}", &selection);
        assert_eq!(needs[0].marker.as_deref(), Some("os_name == 'nt'"));
    }
}
