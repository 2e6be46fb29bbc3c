//! Check of the modules: each that the application could import compiles under the target's Python.

use crate::python::source::for_each_line;
use crate::{Evidence, Finding, Module, Outcome, count};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `imports`
pub fn imports(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return crate::no_target() };
    let modules = evidence.modules();
    let mut findings = Vec::new();
    let no_code = "the target's Python could not compile it: it has no byte-code, which the others have";
    let (by, faults) = match (evidence.without_byte_code(), &evidence.host.compiled) {
        (Some(lacking), said) => {
            let why = |path: &str| match said {
                Some(Ok(compiled)) => compiled.faults.get(path).cloned(),
                _ => None,
            };
            let fault = |module: &Module| {
                let why = why(&module.path).unwrap_or_else(|| no_code.to_owned());
                (module.path.to_string(), why)
            };
            let faults = lacking.into_iter().map(fault).collect();
            (format!("by the byte-code of CPython {}", target.python()), faults)
        }
        (None, Some(Ok(compiled))) => {
            let skipped = compiled.skipped.iter().map(|path| {
                let expected = "a module that can be compiled to look at it";
                Finding::error(path, "it is too large to be compiled here", expected, "look at it by hand").warning()
            });
            findings.extend(skipped);
            (format!("compiled by CPython {}", compiled.by), compiled.faults.clone())
        }
        (None, Some(Err(why))) => return Outcome::not_asked(why),
        (None, None) => return Outcome::not_asked("there is no byte-code in the package, and nothing was compiled"),
    };
    let mut unused = 0;
    for module in modules.iter().filter(|module| faults.contains_key(&*module.path)) {
        let Some(reason) = importer(evidence, module) else {
            unused += 1;
            continue;
        };
        let found = format!("{}; {reason}", faults[&*module.path]);
        let expected = format!("a module that Python {} compiles", target.python());
        let cure = "correct it, or lock a release of its distribution that runs on this Python";
        findings.push(Finding::error(&*module.path, found, expected, cure));
    }
    let unused = match unused {
        0 => String::new(),
        number => format!("; {} that nothing imports without a condition cannot be", count(number, "module")),
    };
    Outcome::Made { looked_at: format!("{} {by}{unused}", count(modules.len(), "module")), findings }
}

/// Why a module is imported, if anything says that it is.
fn importer(evidence: &Evidence, module: &Module) -> Option<String> {
    if module.is_aside() {
        return None;
    }
    if module.is_application {
        return Some("it is the application's own".to_owned());
    }
    if module.is_at_top() {
        return Some(format!("`import {}` is what its distribution is for", module.name()));
    }
    evidence.host.importers.get(&module.path).map(|by| format!("`{by}` imports it"))
}

/// Finds who imports some modules, wherever no `if` or `try` stands before it: what an older or a newer Python alone
/// is to read stands behind one.
#[derive(Debug)]
pub struct Importers {
    /// name → paths
    wanted: BTreeMap<String, Vec<Arc<str>>>,
    found: BTreeMap<Arc<str>, Arc<str>>,
}

impl Importers {
    /// - Takes: the modules in question.
    pub fn of(modules: &[Module]) -> Self {
        let mut wanted: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
        for module in modules {
            wanted.entry(module.name()).or_default().push(Arc::clone(&module.path));
        }
        Self { wanted, found: BTreeMap::new() }
    }

    /// Looks into a module's source. Those in question, and tests, count as nobody.
    pub fn take(&mut self, by: &Module, source: &[u8]) {
        let name = by.name();
        if by.is_aside() || self.wanted.get(&name).is_some_and(|paths| paths.contains(&by.path)) {
            return;
        }
        let source = String::from_utf8_lossy(source);
        for_each_line(&source, &mut |line| {
            if !line.is_perhaps() && (line.code.starts_with("import") || line.code.starts_with("from")) {
                for name in imported(&line.code, by) {
                    for path in self.wanted.get(&name).into_iter().flatten() {
                        self.found.entry(Arc::clone(path)).or_insert_with(|| Arc::clone(&by.path));
                    }
                }
            }
            true
        });
    }

    /// Path of the module → path of who imports it.
    pub fn finish(self) -> BTreeMap<Arc<str>, Arc<str>> {
        self.found
    }
}

/// The modules that a logical line imports, and what may be one: `from a import b` may be `a.b`.
fn imported(code: &str, by: &Module) -> Vec<String> {
    let mut names = Vec::new();
    // `a; b` are two statements.
    for statement in code.split(';').map(str::trim) {
        if let Some(list) = statement.strip_prefix("import ") {
            for item in list.split(',') {
                names.extend(with_parents(item.split_whitespace().next().unwrap_or_default()));
            }
        } else if let Some((from, list)) = statement.strip_prefix("from").and_then(|rest| rest.split_once(" import"))
            && from.starts_with([' ', '.'])
            && let Some(base) = resolved(from.trim(), by)
        {
            names.extend(with_parents(&base));
            for item in list.trim_matches([' ', '(', ')']).split(',') {
                let item = item.split_whitespace().next().unwrap_or_default();
                names.push(if base.is_empty() { item.to_owned() } else { format!("{base}.{item}") });
            }
        }
    }
    names
}

/// A dotted name and all before it: they are imported first.
fn with_parents(name: &str) -> Vec<String> {
    // Deeper than paths can be on the box is no module.
    let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]).take(64);
    ends.map(|end| name[..end].to_owned()).filter(|name| !name.is_empty()).collect()
}

/// What stands behind `from`, with its dots resolved; none where they lead out.
fn resolved(from: &str, by: &Module) -> Option<String> {
    let name = from.trim_start_matches(['.', ' ']);
    let dots = from[..from.len() - name.len()].matches('.').count();
    // Longer than paths can be on the box is no module, and would be repeated for each name of the list.
    if name.len() > 4096 {
        return None;
    }
    if dots == 0 {
        return Some(name.to_owned());
    }
    let mut parts: Vec<&str> = by.parts().collect();
    let up = if by.is_package() { dots - 1 } else { dots };
    parts.truncate(parts.len().checked_sub(up)?);
    parts.extend((!name.is_empty()).then_some(name));
    Some(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> Module {
        Module::new(path.into(), "/lib", "".into(), false).unwrap()
    }

    #[test]
    fn imports_count_unless_they_hang_on_a_condition() {
        let broken = module("/lib/a/b/broken.py");
        let package = module("/lib/a/b/__init__.py");
        let plain = module("/lib/a/b/c.py");
        #[rustfmt::skip]
        let cases = [ // by       source                                      counts
            (&plain,   "import a.b.broken",                                true),
            (&plain,   "import x, a.b.broken.inner as y",                  true),
            (&plain,   "import x; import a.b.broken",                      true),
            (&plain,   "from a.b.broken import (x,\n y)",                  true),
            (&plain,   "from a.b import x, broken",                        true),
            (&plain,   "from . import broken as y",                        true),
            (&plain,   "from .broken import *",                            true),
            (&plain,   "from ..b import broken",                           true),
            (&package, "from .broken import x",                            true),
            (&package, "from ..broken import x",                           false),
            (&plain,   "def f():\n  from .broken import x",                true),
            (&plain,   "if PY2:\n  from .broken import x",                 false),
            (&plain,   "try:\n  from .broken import x\nexcept E: pass",    false),
            (&plain,   "'''\nimport a.b.broken\n'''",                      false),
            (&plain,   "import broken",                                    false),
            (&plain,   "from ....x import broken",                         false),
            (&broken,  "import a.b.broken",                                false),
        ];
        for (by, source, counts) in cases {
            let mut importers = Importers::of(std::slice::from_ref(&broken));
            importers.take(by, source.as_bytes());
            let found = importers.finish();
            assert_eq!(found.contains_key("/lib/a/b/broken.py"), counts, "{}: {source}", by.name());
        }
    }
}
