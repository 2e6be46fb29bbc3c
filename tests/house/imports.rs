//! Which file of a crate imports from which, read from the text of its `use` lines and paths.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// A module's path in its crate: `["rpm", "spec"]`; none for `lib.rs`.
type Module = Vec<String>;

/// The code without items that are compiled for tests alone.
pub fn without_tests(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        rest = after_item(&rest[at + MARK.len()..]);
    }
    kept + rest
}

/// What follows the first item: it ends at a `;`, or where its braces are closed.
fn after_item(text: &str) -> &str {
    let mut depth = 0;
    let mut end = text.len();
    for line in text.split_inclusive('\n') {
        let start = line.as_ptr() as usize - text.as_ptr() as usize;
        // rustfmt ends an item that began at the margin by a brace at the margin: texts inside of it are indented.
        if depth == 0 && line.trim_end().ends_with(';') && !line.contains('{') {
            end = start + line.len();
            break;
        }
        depth += usize::from(line.contains('{'));
        if line.starts_with('}') || (depth == 1 && line.trim_end().ends_with('}') && !line.starts_with(' ')) {
            end = start + line.len();
            break;
        }
    }
    &text[end..]
}

/// Comments may name what they like.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn module_of(path: &Utf8Path) -> Module {
    let mut parts: Module = path.with_extension("").components().map(|part| part.as_str().to_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// The names of a `use` tree, each as a whole path.
fn names_of(tree: &str, front: &[String], into: &mut Vec<(Module, String)>) {
    let tree = tree.trim();
    if let Some(list) = tree.strip_prefix('{') {
        let list = list.strip_suffix('}').unwrap_or(list);
        let (mut depth, mut start) = (0, 0);
        for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !list[start..at].trim().is_empty() {
                        names_of(&list[start..at], front, into);
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    match tree.split_once("::") {
        Some((part, rest)) => names_of(rest, &[front, &[part.trim().to_owned()]].concat(), into),
        None => {
            let (name, alias) = tree.split_once(" as ").unwrap_or((tree, tree));
            let path = if name == "self" { front.to_vec() } else { [front, &[name.trim().to_owned()]].concat() };
            into.push((path, alias.trim().to_owned()));
        }
    }
}

/// The `use` lines of a code: whether each hands its names on, and its names.
fn uses(code: &str) -> Vec<(bool, Vec<(Module, String)>)> {
    let mut found = Vec::new();
    for part in code.split(';') {
        let Some(line) = part.rfind("use ").filter(|at| *at == 0 || part[..*at].ends_with(['\n', ' '])) else {
            continue;
        };
        let before = part[..line].lines().last().unwrap_or_default().trim();
        if !(before.is_empty() || before.starts_with("pub")) {
            continue;
        }
        let mut names = Vec::new();
        names_of(&part[line + 4..], &[], &mut names);
        found.push((before.starts_with("pub"), names));
    }
    found
}

/// Paths in the code itself, such as `crate::tree::LARGE_FILE`.
fn paths(code: &str) -> Vec<Module> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..at].ends_with(is_part) {
            continue;
        }
        let text: String = code[at..].chars().take_while(|c| is_part(*c)).collect();
        found.push(text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
    }
    found
}

/// A path as seen from a module, from the root of the crate; none where it leads out of the crate.
fn absolute(path: &[String], module: &[String], modules: &BTreeMap<Module, Imports>) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => absolute(&[&["self".to_owned()], rest].concat(), &module[..module.len().checked_sub(1)?], modules),
        _ => {
            let child = [module, std::slice::from_ref(first)].concat();
            modules.contains_key(&child).then(|| [module, path].concat())
        }
    }
}

/// What a module takes in, and what it hands on under which name.
#[derive(Default)]
struct Imports {
    takes: Vec<Module>,
    hands_on: Vec<(String, Module)>,
}

/// The module that a path's name is defined in, through what modules hand on.
fn defined_in(path: &[String], modules: &BTreeMap<Module, Imports>, depth: usize) -> Option<Module> {
    let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    let Some(name) = rest.first().filter(|_| depth < 8) else { return Some(module.to_vec()) };
    let handed = modules[module].hands_on.iter().find(|(as_name, _)| as_name == name);
    match handed.and_then(|(_, target)| absolute(target, module, modules)) {
        Some(target) => defined_in(&target, modules, depth + 1),
        None => Some(module.to_vec()),
    }
}

/// Circles of files that import from each other; a module and those inside of it do not count.
///
/// - Takes: each file's path below `src`, and its text.
pub fn circles(sources: &[(Utf8PathBuf, String)]) -> Vec<Vec<String>> {
    let mut modules: BTreeMap<Module, Imports> = BTreeMap::new();
    for (path, text) in sources {
        let code = without_comments(&without_tests(text));
        let mut imports = Imports::default();
        for (is_public, names) in uses(&code) {
            for (name, alias) in names {
                if is_public {
                    imports.hands_on.push((alias, name.clone()));
                }
                imports.takes.push(name);
            }
        }
        imports.takes.extend(paths(&code));
        modules.insert(module_of(path), imports);
    }
    let mut edges: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, imports) in &modules {
        let targets =
            imports.takes.iter().filter_map(|path| defined_in(&absolute(path, module, &modules)?, &modules, 0));
        let is_family = |other: &Module| other.starts_with(module) || module.starts_with(other);
        edges.insert(module, targets.filter(|target| !is_family(target)).collect());
    }
    let reaches = |from: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(module) = open.pop() {
            for next in &edges[module] {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = edges.keys().map(|module| (*module, reaches(module))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (module, reached) in &reach {
        let circle: Vec<String> =
            reached.iter().filter(|other| reach[**other].contains(*module)).map(|other| other.join("/")).collect();
        if reached.contains(*module) {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

#[test]
fn circles_are_found_through_what_is_handed_on_and_behind_tests() {
    let sources = |rows: &[(&str, &str)]| -> Vec<(Utf8PathBuf, String)> {
        rows.iter().map(|(path, text)| (Utf8PathBuf::from(*path), (*text).to_owned())).collect()
    };
    #[rustfmt::skip]
    let cases = [ // files                                                                                  circles
        (sources(&[("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")]),            1),
        (sources(&[("lib.rs", "pub use b::B;\nmod b;"), ("a.rs", "use crate::{B, C};"), ("b.rs", "fn f() { crate::a::g() }")]), 1),
        (sources(&[("a/mod.rs", "mod b;\nmod c;"), ("a/b.rs", "use super::c::C;"), ("a/c.rs", "use crate::a::b::{self, B};")]), 1),
        (sources(&[("a.rs", "#[cfg(test)]\nmod reading;\nuse crate::b::B;"), ("b.rs", "use crate::a::A;")]),              1),
        (sources(&[("a.rs", "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n"), ("b.rs", "use crate::a::A;")]),      0),
        (sources(&[("a/mod.rs", "use b::B;\npub struct A;"), ("a/b.rs", "use crate::a::A;")]),                            0),
        (sources(&[("a.rs", "// crate::b\nuse std::b::B;"), ("b.rs", "use crate::a::A;")]),                               0),
        (sources(&[("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c.rs", "pub struct C;")]),               0),
    ];
    for (files, expected) in cases {
        assert_eq!(circles(&files).len(), expected, "{files:?}: {:?}", circles(&files));
    }
}
