//! The modules of the distributions: what can be imported on the box.

use crate::verify::Evidence;
use crate::wheel::Record;
use std::collections::BTreeMap;
use std::io::{Read, Seek};

/// A source is looked into up to this: its compiler takes two hundred times the memory.
pub const MOST_SOURCE: u64 = 8 << 20;

/// A source that can be imported by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// on the box
    pub path: String,
    /// `flask.json.tag`; that of a package is its folder's
    pub name: String,
    /// the `*.dist-info` of its distribution
    pub dist: String,
    /// whether it is the application's own
    pub is_application: bool,
}

impl Module {
    /// Whether it is the `__init__.py` of a package.
    pub fn is_package(&self) -> bool {
        self.path.ends_with("/__init__.py")
    }

    /// Whether nothing but tests and examples live where it is: there, what no Python compiles may lie on purpose.
    pub fn is_aside(&self) -> bool {
        const WORDS: [&str; 9] =
            ["conftest", "example", "examples", "fixtures", "template", "templates", "test", "testing", "tests"];
        self.name.split('.').any(|part| {
            let part = part.trim_start_matches('_');
            let ends = ["_test", "_tests", "_template", "_templates"];
            WORDS.contains(&part) || part.starts_with("test_") || ends.iter().any(|end| part.ends_with(end))
        })
    }
}

impl Evidence {
    /// Every module of every distribution, sorted by path; without files whose names no `import` can say.
    pub fn modules(&self) -> Vec<Module> {
        let mut modules = BTreeMap::new();
        for info in self.dist_infos() {
            let Some(Ok(record)) = self.texts.get(&format!("{info}/RECORD")).map(|text| Record::parse(text)) else {
                continue;
            };
            let folder = info.rsplit_once('/').map_or("", |(folder, _)| folder);
            for relative in record.rows.keys() {
                let Some(name) = name_of(relative) else { continue };
                let path = format!("{folder}/{relative}");
                if self.has(&path) {
                    let is_application = folder == self.root();
                    let module = Module { path: path.clone(), name, dist: info.to_owned(), is_application };
                    modules.entry(path).or_insert(module);
                }
            }
        }
        modules.into_values().collect()
    }

    /// The modules without byte-code, where the package has some.
    ///
    /// - Gives: none where it has none at all, and for a Python whose byte-code is not known.
    pub fn without_byte_code(&self) -> Option<Vec<Module>> {
        let tag = self.target.as_ref()?.magic_tag().filter(|_| !self.byte_code.is_empty())?;
        let lacks =
            |module: &Module| tag.cached(&module.path).is_some_and(|cached| !self.byte_code.contains_key(&cached));
        Some(self.modules().into_iter().filter(lacks).collect())
    }
}

/// The name that a file below a folder of modules is imported by.
fn name_of(relative: &str) -> Option<String> {
    let stem = relative.strip_suffix(".py")?;
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
    let is_identifier = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    stem.split('/').all(is_identifier).then(|| stem.replace('/', "."))
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
    let mut opened = crate::rpm::Opened::again(input, &evidence.described, &evidence.bytes)?;
    opened.for_each_file(&mut |path, row, content| {
        let Some(module) = modules.get(path) else { return Ok(()) };
        if row.size > MOST_SOURCE {
            visit(module, None);
            return Ok(());
        }
        let mut source = Vec::new();
        content.read_to_end(&mut source)?;
        visit(module, Some(source));
        Ok(())
    })
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
            assert_eq!(name_of(path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn tests_and_examples_are_aside() {
        let aside = |name: &str| {
            Module { path: String::new(), name: name.to_owned(), dist: String::new(), is_application: false }.is_aside()
        };
        for name in ["a.tests.b", "lib2to3.test", "a._testing", "a.test_b", "a.b_test", "a.app_template.b"] {
            assert!(aside(name), "{name}");
        }
        for name in ["a.b", "a.latest", "a.contest", "attest", "a.testify"] {
            assert!(!aside(name), "{name}");
        }
    }
}
