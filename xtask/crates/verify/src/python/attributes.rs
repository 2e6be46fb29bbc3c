//! Whether a module has the object that the service starts with.

use crate::Evidence;
use crate::evidence::places;
use crate::python::source::{Line, for_each_line};

/// Whether a module plainly lacks a name: its source was read, and nothing in it could be the one.
///
/// - Takes: `object`, as a command has it: `app`, `app.wsgi`, `create_app()`.
pub(crate) fn plainly_lacks(evidence: &Evidence, module: &str, object: &str) -> bool {
    let name = object.split(['.', '(']).next().unwrap_or(object);
    let folder = module.replace('.', "/");
    let below = ["", "/lib"].map(|library| format!("{}{library}/{folder}", evidence.root()));
    let is_module =
        |base: &String| evidence.has(&format!("{base}/{name}")) || evidence.has(&format!("{base}/{name}.py"));
    if below.iter().any(is_module) {
        return false;
    }
    let there: Vec<String> = places(evidence.root(), module).into_iter().filter(|path| evidence.has(path)).collect();
    let lacks = |path: &String| evidence.entries.sources.get(path).is_some_and(|source| !may_have(source, name));
    match there.is_empty() {
        true => below.iter().any(|base| evidence.has(base)) && !below.iter().any(|base| is_compiled(evidence, base)),
        false => there.iter().all(lacks),
    }
}

/// Whether a module or a package may have its code in another form than its source. A folder without any is a
/// namespace package, and has modules alone.
fn is_compiled(evidence: &Evidence, base: &str) -> bool {
    [format!("{base}."), format!("{base}/__init__.")].iter().any(|start| {
        let mut files = evidence.described.files.range(start.clone()..);
        files.next().is_some_and(|(path, _)| path.starts_with(start))
    })
}

/// Whether a module may have a name at its top level: what cannot be told may.
fn may_have(source: &str, name: &str) -> bool {
    let mut found = false;
    for_each_line(source, &mut |line| {
        found = names_it(line, name);
        !found
    });
    found
}

fn names_it(line: &Line, name: &str) -> bool {
    // What reaches for the module itself may put any name into it.
    const REACHING: [&str; 6] = ["__getattr__", "exec", "globals", "locals", "setattr", "vars"];
    let is_star = line.code.starts_with("from") && line.code.ends_with('*');
    if is_star || line.code.contains("sys.modules") || line.code.contains("__dict__") {
        return true;
    }
    let is_global = line.code.starts_with("global ");
    let is_at_top = is_global || !line.is_inner();
    line.names().any(|word| REACHING.contains(&word)) || (is_at_top && line.may_bind(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_missing_only_where_nothing_could_be_it() {
        #[rustfmt::skip]
        let cases = [
            ("app = Flask(__name__)",                    true),
            ("app: Flask = Flask()",                     true),
            ("a, app = 1, 2",                            true),
            ("def app(environ, start): pass",            true),
            ("async def app(scope): pass",               true),
            ("@x\nclass app:\n  pass",                   true),
            ("if x:\n  app = 1\nelse:\n  from b import app", true),
            ("try:\n  import app\nexcept E:\n  pass",    true),
            ("from a import (b,\n  c as app)",           true),
            ("with make() as app:\n  pass",              true),
            ("for app in x: pass",                       true),
            ("(app := 1)",                               true),
            ("from a import *",                          true),
            ("def __getattr__(name):\n  return 1",       true),
            ("globals()[x] = 1",                         true),
            ("sys.modules[__name__] = x",                true),
            ("def f():\n  global app\n  app = 1",        true),
            ("",                                         false),
            ("application = Flask(__name__)",            false),
            ("# app\n'app'\n\"\"\"\napp = 1\n\"\"\"",    false),
            ("def make():\n  app = 1\n  return app",     false),
            ("class A:\n  app = 1",                      false),
            ("x.app = 1",                                false),
            ("if x:\n  app()",                           false),
            ("x = app (1)",                              false),
            ("@app(1)\ndef f(): pass",                   false),
            ("def app (x): pass",                        true),
            ("app(x); app = 1",                          true),
            ("import my.app",                            false),
        ];
        for (source, expected) in cases {
            assert_eq!(may_have(source, "app"), expected, "{source}");
        }
    }
}
