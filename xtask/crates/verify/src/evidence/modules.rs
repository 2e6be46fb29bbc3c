//! The modules of the distributions: what can be imported on the box.

use crate::Evidence;
use anyhow::ensure;
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

/// A source is looked into up to this: its compiler takes two hundred times the memory.
pub const MOST_SOURCE: u64 = 8 << 20;

/// A source that can be imported by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// on the box
    pub path: Arc<str>,
    /// in bytes, of the folder that it is imported from
    folder: usize,
    /// the `*.dist-info` of its distribution
    pub dist: Arc<str>,
    /// whether it is the application's own
    pub is_application: bool,
}

impl Module {
    /// A module, where some `import` can say its name.
    ///
    /// - Takes: `folder`, which it is imported from and which `path` begins with.
    pub fn new(path: Arc<str>, folder: &str, dist: Arc<str>, is_application: bool) -> Option<Self> {
        let stem = stem_of(path.strip_prefix(folder)?.strip_prefix('/')?)?;
        let is_identifier = |part: &str| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let is_module = stem.split('/').all(is_identifier);
        is_module.then_some(Self { folder: folder.len(), path, dist, is_application })
    }

    /// `flask.json.tag`; that of a package is its folder's.
    pub fn name(&self) -> String {
        self.stem().replace('/', ".")
    }

    fn stem(&self) -> &str {
        let relative = &self.path[self.folder + 1..];
        stem_of(relative).unwrap_or(relative)
    }

    /// The parts of its name.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.stem().split('/')
    }

    /// Whether it is imported by itself, and not from a package.
    pub fn is_at_top(&self) -> bool {
        !self.stem().contains('/')
    }

    /// Whether it is the `__init__.py` of a package.
    pub fn is_package(&self) -> bool {
        self.path.ends_with("/__init__.py")
    }

    /// Whether nothing but tests and examples live where it is: there, what no Python compiles may lie on purpose.
    pub fn is_aside(&self) -> bool {
        const WORDS: [&str; 9] =
            ["conftest", "example", "examples", "fixtures", "template", "templates", "test", "testing", "tests"];
        self.parts().any(|part| {
            let part = part.trim_start_matches('_');
            let ends = ["_test", "_tests", "_template", "_templates"];
            WORDS.contains(&part) || part.starts_with("test_") || ends.iter().any(|end| part.ends_with(end))
        })
    }
}

impl Evidence {
    /// Every module of every distribution, sorted by path; without files whose names no `import` can say.
    pub fn modules(&self) -> &[Module] {
        self.modules.get_or_init(|| self.find_modules())
    }

    fn find_modules(&self) -> Vec<Module> {
        let mut modules = Vec::with_capacity(self.distributions().files());
        for dist in &self.distributions().all {
            let is_application = dist.folder() == self.root();
            for listed in dist.listed() {
                let Some(path) = &listed.path else { continue };
                modules.extend(Module::new(Arc::clone(path), dist.folder(), Arc::clone(&dist.info), is_application));
            }
        }
        // Stable: a module that two list is the first one's.
        modules.sort_by(|a, b| a.path.cmp(&b.path));
        modules.dedup_by(|a, b| a.path == b.path);
        modules
    }

    /// The modules without byte-code, where the package has some.
    ///
    /// - Gives: none where it has none at all, and for a Python whose byte-code is not known.
    pub fn without_byte_code(&self) -> Option<Vec<&Module>> {
        let tag = self.target.as_ref()?.magic_tag().filter(|_| !self.byte_code.is_empty())?;
        let lacks =
            |module: &&Module| tag.cached(&module.path).is_some_and(|cached| !self.byte_code.contains_key(&cached));
        Some(self.modules().iter().filter(lacks).collect())
    }
}

/// The path of a file without what makes it a module, or a folder a package.
fn stem_of(relative: &str) -> Option<&str> {
    let stem = relative.strip_suffix(".py")?;
    Some(stem.strip_suffix("/__init__").unwrap_or(stem))
}

/// Reads an RPM once more, and gives the source of each module that is asked for to `visit`; none for one that is
/// larger than [`MOST_SOURCE`].
///
/// - Takes: `input`, the file that the evidence is of; `modules` by path.
/// - Fails: where the file is another one now.
pub fn for_each_source(
    input: impl Read + Seek + Send,
    evidence: &Evidence,
    modules: &BTreeMap<&str, &Module>,
    visit: &mut dyn FnMut(&Module, Option<Vec<u8>>),
) -> anyhow::Result<()> {
    const CHANGED: &str = "it was changed while it was read";
    let mut opened = wheelhaul_rpmfile::Opened::read_header(input)?;
    ensure!(opened.digests.header == evidence.bytes.header, CHANGED);
    opened.for_each_file(&mut |_, path, row, content| {
        let Some(module) = modules.get(path) else { return Ok(()) };
        if row.size > MOST_SOURCE {
            visit(module, None);
            return Ok(());
        }
        let mut source = Vec::new();
        content.read_to_end(&mut source)?;
        visit(module, Some(source));
        Ok(())
    })?;
    ensure!(opened.digests == evidence.bytes, CHANGED);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_import_can_say_is_a_module() {
        #[rustfmt::skip]
        let cases = [
            ("a.py",                         Some("a")),
            ("a/__init__.py",                Some("a")),
            ("a/b_1/ä.py",                   Some("a.b_1.ä")),
            ("__init__.py",                  Some("__init__")),
            ("a/{{ name }}.py",              None),
            ("a-b/c.py",                     None),
            ("a/1.py",                       None),
            ("../bin/a.py",                  None),
            ("a-1.dist-info/a.py",           None),
            ("a.pyi",                        None),
        ];
        for (path, name) in cases {
            let module = Module::new(format!("/lib/{path}").into(), "/lib", "".into(), false);
            assert_eq!(module.map(|module| module.name()).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn tests_and_examples_are_aside() {
        let aside = |name: &str| {
            let path = format!("/lib/{}.py", name.replace('.', "/"));
            Module::new(path.into(), "/lib", "".into(), false).is_some_and(|module| module.is_aside())
        };
        for name in ["a.tests.b", "lib2to3.test", "a._testing", "a.test_b", "a.b_test", "a.app_template.b"] {
            assert!(aside(name), "{name}");
        }
        for name in ["a.b", "a.latest", "a.contest", "attest", "a.testify"] {
            assert!(!aside(name), "{name}");
        }
    }
}
