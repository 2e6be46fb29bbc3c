//! Application objects and factories in Python sources, by the lines that make them.

/// How a server calls the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interface {
    /// PEP 3333
    Wsgi,
    /// the ASGI specification
    Asgi,
}

/// A framework whose applications are told by the call that makes them.
struct Row {
    /// the callee, or its end after a dot
    call: &'static str,
    /// the package that is imported
    package: &'static str,
    interface: Interface,
    /// what of the object the server takes
    attribute: &'static str,
}

const fn row(call: &'static str, package: &'static str, interface: Interface, attribute: &'static str) -> Row {
    Row { call, package, interface, attribute }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("get_wsgi_application",  "django",    Interface::Wsgi, ""),
    row("get_asgi_application",  "django",    Interface::Asgi, ""),
    row("Flask",                 "flask",     Interface::Wsgi, ""),
    row("APIFlask",              "apiflask",  Interface::Wsgi, ""),
    row("OpenAPI",               "flask_openapi3", Interface::Wsgi, ""),
    row("FlaskApp",              "connexion", Interface::Asgi, ""),
    row("AsyncApp",              "connexion", Interface::Asgi, ""),
    row("Dash",                  "dash",      Interface::Wsgi, ".server"),
    row("Bottle",                "bottle",    Interface::Wsgi, ""),
    row("default_app",           "bottle",    Interface::Wsgi, ""),
    row("falcon.App",            "falcon",    Interface::Wsgi, ""),
    row("falcon.API",            "falcon",    Interface::Wsgi, ""),
    row("falcon.asgi.App",       "falcon",    Interface::Asgi, ""),
    row("make_wsgi_app",         "pyramid",   Interface::Wsgi, ""),
    row("FastAPI",               "fastapi",   Interface::Asgi, ""),
    row("Starlette",             "starlette", Interface::Asgi, ""),
    row("Litestar",              "litestar",  Interface::Asgi, ""),
    row("Quart",                 "quart",     Interface::Asgi, ""),
    row("Sanic",                 "sanic",     Interface::Asgi, ""),
    row("BlackSheep",            "blacksheep", Interface::Asgi, ""),
    row("ProtocolTypeRouter",    "channels",  Interface::Asgi, ""),
];

/// Names that teams give to a function that makes the application.
const FACTORIES: [&str; 6] = ["create_app", "create_application", "make_app", "build_app", "get_app", "app_factory"];
/// Names that they give to the application, the likeliest first.
const NAMES: [&str; 5] = ["application", "app", "server", "api", "asgi_app"];
/// Modules that hold it, the likeliest first.
const MODULES: [&str; 9] = ["wsgi", "asgi", "app", "main", "application", "server", "web", "api", "__init__"];

/// An application as a source has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// the source, relative to the repository
    pub file: String,
    /// `app`, `dash_app.server`; of a factory its name
    pub name: String,
    /// whether it is a function that makes the application
    pub is_factory: bool,
    /// how a server calls it; none where the source does not tell
    pub interface: Option<Interface>,
    /// the package of its framework, where the source tells
    pub package: Option<&'static str>,
    /// the smaller, the likelier it is what is served
    pub rank: usize,
}

/// What a source has that may be served, the likeliest first.
pub(super) fn objects(file: &str, text: &str) -> Vec<Object> {
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".py");
    let lines = logical_lines(text);
    let package = imported(&lines);
    let mut found: Vec<Object> = Vec::new();
    for line in &lines {
        let object = match made(line) {
            Some((name, row)) => Object {
                name: format!("{name}{}", row.attribute),
                is_factory: false,
                interface: Some(row.interface),
                package: Some(row.package),
                ..blank(file)
            },
            None => {
                match bound(line, stem).map(|name| (name, false)).or_else(|| factory(line).map(|name| (name, true))) {
                    Some((name, is_factory)) => Object {
                        name: name.to_owned(),
                        is_factory,
                        interface: package.map(|row| row.interface).or(of_stem(stem)),
                        package: package.map(|row| row.package),
                        ..blank(file)
                    },
                    None => continue,
                }
            }
        };
        // A later line that binds the name anew, as middleware does, is the same object.
        if !found.iter().any(|known| known.name == object.name) {
            found.push(object);
        }
    }
    for object in &mut found {
        object.rank = rank(object, stem);
    }
    found.sort_by_key(|object| object.rank);
    found
}

fn blank(file: &str) -> Object {
    Object { file: file.to_owned(), name: String::new(), is_factory: false, interface: None, package: None, rank: 0 }
}

fn rank(object: &Object, stem: &str) -> usize {
    let place = |of: &[&str], name: &str| of.iter().position(|known| *known == name).unwrap_or(of.len());
    let by_module = place(&MODULES, stem);
    let by_name = place(&NAMES, object.name.split('.').next().unwrap_or_default());
    let depth = object.file.matches('/').count();
    let by_kind = if ["wsgi", "asgi"].contains(&stem) { 0 } else { 100 + 100 * usize::from(object.is_factory) };
    by_kind + 10 * by_module + 3 * depth + by_name
}

fn of_stem(stem: &str) -> Option<Interface> {
    match stem {
        "wsgi" => Some(Interface::Wsgi),
        "asgi" => Some(Interface::Asgi),
        _ => None,
    }
}

/// Lines outside of texts in triple quotes and of brackets that are still open, with what the brackets hold.
fn logical_lines(text: &str) -> Vec<String> {
    const LONGEST: usize = 2000;
    let mut lines: Vec<String> = Vec::new();
    let (mut quote, mut depth) = (None, 0_usize);
    for line in text.lines().take(20_000) {
        let was_inside = quote.is_some() || depth > 0;
        let mut code = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            if let Some(end) = quote {
                match rest.find(end) {
                    Some(at) => (rest, quote) = (&rest[at + 3..], None),
                    None => rest = "",
                }
                continue;
            }
            if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
                (quote, rest) = (Some(&rest[..3]), &rest[3..]);
                continue;
            }
            let c = rest.chars().next().unwrap_or_default();
            match c {
                '#' => break,
                '"' | '\'' => {
                    // What a text of one line says is never code.
                    let end = rest[1..].find(c).map_or(rest.len(), |at| at + 2);
                    code.push_str(&rest[..end]);
                    rest = &rest[end..];
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
        match lines.last_mut().filter(|_| was_inside) {
            Some(last) if last.len() < LONGEST => last.push_str(code.trim()),
            Some(_) => {}
            None => lines.push(code),
        }
    }
    lines
}

/// The first framework that is imported, at whatever depth.
fn imported(lines: &[String]) -> Option<&'static Row> {
    let of = |line: &String| {
        let line = line.trim();
        let rest = line.strip_prefix("from ").or_else(|| line.strip_prefix("import "))?;
        let name = rest.split([' ', '.', ',']).next()?;
        ROWS.iter().find(|row| row.package == name)
    };
    lines.iter().find_map(of)
}

/// `app = Flask(…)` at the top of a module.
fn made(line: &str) -> Option<(&str, &'static Row)> {
    let (name, value) = assignment(line)?;
    let (callee, _) = value.split_once('(')?;
    let is_call =
        |row: &&Row| callee == row.call || callee.strip_suffix(row.call).is_some_and(|front| front.ends_with('.'));
    Some((name, ROWS.iter().find(is_call)?))
}

/// A name of the application that is bound by something else: `app = create_app()`, `from shop import app`.
fn bound<'l>(line: &'l str, stem: &str) -> Option<&'l str> {
    let is_known = |name: &&str| NAMES.contains(name);
    if let Some((name, value)) = assignment(line) {
        let callee = value.split('(').next().unwrap_or_default();
        let last = callee.rsplit('.').next().unwrap_or_default();
        let is_made = value.contains('(') && FACTORIES.contains(&last);
        return Some(name).filter(|name| is_made || (of_stem(stem).is_some() && is_known(name)));
    }
    // Elsewhere an import is what a module uses, and not what it offers.
    let names = line.strip_prefix("from ").filter(|_| of_stem(stem).is_some())?.split_once(" import ")?.1;
    names
        .split(',')
        .map(|name| name.trim().trim_matches(['(', ')']))
        .map(|name| name.rsplit(" as ").next().unwrap_or(name))
        .find(is_known)
}

/// `def create_app(…)` at the top of a module, which can be called without arguments.
fn factory(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("def ")?;
    let (name, rest) = rest.split_once('(')?;
    let (arguments, _) = rest.rsplit_once(')')?;
    let mut depth = 0_usize;
    let mut is_required = false;
    for argument in arguments.split(|c| match c {
        '(' | '[' | '{' => {
            depth += 1;
            false
        }
        ')' | ']' | '}' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => c == ',' && depth == 0,
    }) {
        let argument = argument.trim();
        is_required |= !argument.is_empty() && !argument.starts_with(['*', '/']) && !argument.contains('=');
    }
    (FACTORIES.contains(&name) && !is_required).then_some(name)
}

/// `name = value` or `name: annotation = value`, not indented.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (target, value) = line.split_once('=')?;
    let name = target.split(':').next()?.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !value.starts_with('=')).then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_by_the_lines_that_make_them() {
        #[rustfmt::skip]
        let cases = [ // file           text                                                      name, F for a factory, interface
            ("app.py",       "from flask import Flask\napp = Flask(__name__)\n",                  "app wsgi"),
            ("app.py",       "import flask\napp: flask.Flask = flask.Flask(\n    __name__,\n)\n", "app wsgi"),
            ("app.py",       "app = Flask(__name__)\napp = ProxyFix(app)\n",                      "app wsgi"),
            ("main.py",      "from fastapi import FastAPI\napi = FastAPI()\n",                    "api asgi"),
            ("main.py",      "app = Litestar([index])\n",                                         "app asgi"),
            ("main.py",      "app = Starlette(routes=[\n  Route('/', x),\n])\n",                  "app asgi"),
            ("dash_app.py",  "import dash\nd = dash.Dash(__name__)\n",                            "d.server wsgi"),
            ("a.py",         "import falcon.asgi\napp = falcon.asgi.App()\n",                     "app asgi"),
            ("a.py",         "app = App()\n",                                                     ""),
            ("a/wsgi.py",    "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n", "application wsgi"),
            ("wsgi.py",      "from shop import app as application\n",                             "application wsgi"),
            ("wsgi.py",      "from shop import create_app\napp = create_app()\n",                 "app wsgi"),
            ("asgi.py",      "import x\napp = x.y\n",                                             "app asgi"),
            ("run.py",       "from shop import create_app\nsite = create_app('prod')\n",          "site ?"),
            ("shop.py",      "from shop import app\n",                                            ""),
            ("__init__.py",  "from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n", "create_app F wsgi"),
            ("__init__.py",  "def create_app(config: dict[str, int] | None = None, *, a=(1, 2)) -> Flask:\n    import flask\n", "create_app F wsgi"),
            ("__init__.py",  "def create_app(config):\n    pass\n",                               ""),
            ("__init__.py",  "def create_app(\n    a=1,\n    b=2,\n):\n    pass\n",               "create_app F ?"),
            ("app.py",       "\"\"\"Example:\napp = Flask(__name__)\n\"\"\"\n",                   ""),
            ("app.py",       "def f():\n    app = Flask(__name__)\n",                             ""),
            ("app.py",       "# app = Flask(__name__)\nx = \"app = Flask(\"\n",                   ""),
            ("app.py",       "if app == Flask(1): pass\napp == Flask()\n",                        ""),
            ("app.py",       "x = ((((\n",                                                        ""),
            ("app.py",       "",                                                                  ""),
        ];
        for (file, text, expected) in cases {
            let told = objects(file, text).into_iter().map(|object| {
                let interface = match object.interface {
                    Some(Interface::Wsgi) => "wsgi",
                    Some(Interface::Asgi) => "asgi",
                    None => "?",
                };
                format!("{}{} {interface}", object.name, if object.is_factory { " F" } else { "" })
            });
            assert_eq!(told.collect::<Vec<_>>().join(", "), expected, "{file}: {text}");
        }
    }

    #[test]
    fn the_likeliest_is_first() {
        let rank = |file: &str, text: &str| objects(file, text)[0].rank;
        let order = [
            rank("wsgi.py", "application = get_wsgi_application()"),
            rank("shop/wsgi.py", "application = get_wsgi_application()"),
            rank("app.py", "app = Flask(1)"),
            rank("main.py", "app = Flask(1)"),
            rank("shop/other.py", "app = Flask(1)"),
            rank("shop/__init__.py", "def create_app(): pass"),
        ];
        assert!(order.is_sorted(), "{order:?}");
    }
}
