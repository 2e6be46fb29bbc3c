//! `extensions`: Python imports the compiled modules by their names (PEP 3149; `dynload_shlib.c` of CPython).

use super::owners::Owned;
use crate::{Evidence, Finding, Outcome, no_target};
use std::cell::LazyCell;
use wheelhaul_boxes::Target;
use wheelhaul_wheel::elf::{ElfFacts, ElfKind};

/// A file that is named as a compiled module is, with the tag in its name.
#[derive(Debug, PartialEq, Eq)]
struct Module<'a> {
    /// folder and name of the module: `/opt/x/lib/numpy/_core/_multiarray_umath`
    stem: &'a str,
    /// `cpython-311-x86_64-linux-gnu`, `abi3`; empty for a plain `.so`
    tag: &'a str,
}

impl<'a> Module<'a> {
    /// - Gives: none for what no import names: other files, libraries (`libx.so.1.so`), folders with a dash.
    fn of(root: &str, path: &'a str) -> Option<Self> {
        let front = path.strip_suffix(".so")?;
        let start = front.rfind('/').map_or(0, |at| at + 1);
        let (stem, tag) = match front[start..].find('.') {
            Some(dot) => (&front[..start + dot], &front[start + dot + 1..]),
            None => (front, ""),
        };
        let is_known = tag.is_empty() || ["abi3", "cpython", "graalpy", "pypy"].iter().any(|of| tag.starts_with(of));
        let below = stem.strip_prefix(root)?.strip_prefix('/')?;
        // A digit may be the first one: mypyc calls its modules by a digest.
        let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_known && below.split('/').all(is_name)).then_some(Self { stem, tag })
    }
}

/// The tags that a target's Python imports, best first; a module without one it takes as well.
fn tags_of(target: &Target) -> Vec<String> {
    let (major, minor) = target.interpreter.version;
    // `m` is pymalloc's of PEP 3149, up to 3.7.
    let flag = if minor < 8 { "m" } else { "" };
    vec![format!("cpython-{major}{minor}{flag}-{}-linux-gnu", target.arch), "abi3".to_owned()]
}

/// The check.
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let tags = tags_of(target);
    let imports = tags.iter().map(|tag| format!("`.{tag}.so`")).chain(["`.so`".to_owned()]).collect::<Vec<_>>();
    let expected = format!("a name that ends in {}", imports.join(", "));
    let cure = format!("lock a wheel for {}", target.in_words());
    let aside = LazyCell::new(|| Owned::of(evidence, target).aside);
    let mut findings = Vec::new();
    let mut modules = 0;
    for (path, row) in evidence.described.files.iter().filter(|(_, row)| row.is_file()) {
        let Some(module) = Module::of(evidence.root(), path) else { continue };
        let fits = module.tag.is_empty() || tags.iter().any(|tag| tag == module.tag);
        let is_elf = evidence.elf.contains_key(path);
        if module.tag.is_empty() && !is_elf {
            continue;
        }
        modules += 1;
        if !is_elf && fits {
            let found = format!("it is named as a compiled module is, and its {} bytes are no ELF file", row.size);
            findings.push(Finding::error(path, found, "an ELF file", &cure));
        }
        let is_module = |facts: &ElfFacts| match facts.kind {
            ElfKind::Loaded => facts.is_dynamic,
            ElfKind::Data => false,
            // `elf` says so.
            ElfKind::Core => true,
        };
        if fits && !module.tag.is_empty() && matches!(evidence.elf.get(path), Some(Ok(facts)) if !is_module(facts)) {
            let found = "it is named as a compiled module is, and nothing can load it: it has no dynamic segment";
            findings.push(Finding::error(path, found, "a library that was linked as one", &cure));
        }
        if fits {
            continue;
        }
        let found = format!("Python {} does not import a module with the tag `{}`", target.python(), module.tag);
        let finding = Finding::error(path, found, &expected, &cure);
        let ends = tags.iter().map(|tag| format!(".{tag}.so")).chain([".so".to_owned(), ".py".to_owned()]);
        let mut twins = ends.map(|end| format!("{}{end}", module.stem));
        // Some wheels carry a module for several Pythons; the one that fits is taken.
        let has_twin = twins.any(|twin| evidence.has(&twin));
        findings.push(if has_twin || aside.contains(path) { finding.warning() } else { finding });
    }
    let noun = if modules == 1 { "compiled module" } else { "compiled modules" };
    Outcome::Made { looked_at: format!("{modules} {noun}"), findings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_told_by_name_and_tag() {
        #[rustfmt::skip]
        let cases = [ // below the root                              the tag, for a module
            ("lib/a/b.cpython-311-x86_64-linux-gnu.so",              Some("cpython-311-x86_64-linux-gnu")),
            ("lib/a/b.abi3.so",                                      Some("abi3")),
            ("lib/b.so",                                             Some("")),
            ("lib/b.pypy310-pp73-x86_64-linux-gnu.so",               Some("pypy310-pp73-x86_64-linux-gnu")),
            ("lib/a.libs/libx-1a2b.so.1",                            None),
            ("lib/a.libs/libx.so",                                   None),
            ("lib/a/libx-1.so",                                      None),
            ("lib/a/libx.1.so",                                      None),
            ("lib/3c22db458360489351e4__mypyc.abi3.so",              Some("abi3")),
            ("lib/a/b.py",                                           None),
            ("lib/a/.so",                                            None),
        ];
        for (path, tag) in cases {
            let path = format!("/opt/x/{path}");
            assert_eq!(Module::of("/opt/x", &path).map(|module| module.tag), tag, "{path}");
        }
        assert_eq!(Module::of("/opt/x", "/opt/xy/b.so"), None);
    }

    #[test]
    fn tags_are_those_of_the_boxes_pythons() {
        #[rustfmt::skip]
        let cases = [
            ("el9-x86_64",  "3.11", "cpython-311-x86_64-linux-gnu"),
            ("el8-aarch64", "3.6",  "cpython-36m-aarch64-linux-gnu"),
        ];
        for (name, python, tag) in cases {
            let target = Target::find(name, Some(python), None).unwrap();
            assert_eq!(tags_of(&target), [tag, "abi3"], "{name}");
        }
    }
}
