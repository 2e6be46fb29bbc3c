//! The command that serves an application: its object as the server in the lock takes it, or the one of a Procfile.

use crate::discover::object::Interface;
use wheelhaul_package::service::{SERVERS, Server};

/// The server with a console script.
fn of_script(script: &str) -> Option<&'static Server> {
    SERVERS.iter().find(|server| server.script() == script)
}

/// The servers of an interface, those first that are taken where several are locked.
pub(super) fn servers(interface: Interface) -> Vec<&'static Server> {
    let scripts: &[&str] = match interface {
        Interface::Wsgi => &["gunicorn", "waitress-serve", "hypercorn", "uvicorn"],
        Interface::Asgi => &["uvicorn", "hypercorn"],
    };
    scripts.iter().filter_map(|script| of_script(script)).collect()
}

/// Whether the server of a package can serve TLS; one that is not known is taken to.
pub(super) fn has_tls(package: &str) -> bool {
    SERVERS.iter().all(|known| known.package != package || known.has_tls())
}

/// The package of a server, by its console script.
pub(super) fn package_of(script: &str) -> &str {
    of_script(script).map_or(script, |known| known.package)
}

/// The command that serves `MODULE:OBJECT`.
pub(super) fn command(
    server: &Server,
    interface: Interface,
    module: &str,
    object: &str,
    is_factory: bool,
) -> Vec<String> {
    let plain = format!("{module}:{object}");
    let called = format!("{plain}()");
    let words: Vec<&str> = match (server.package, interface, is_factory) {
        ("gunicorn" | "hypercorn", _, true) => vec![server.script(), &called],
        ("uvicorn", Interface::Wsgi, true) => vec!["uvicorn", "--interface", "wsgi", "--factory", &plain],
        ("uvicorn", Interface::Wsgi, false) => vec!["uvicorn", "--interface", "wsgi", &plain],
        ("uvicorn", Interface::Asgi, true) => vec!["uvicorn", "--factory", &plain],
        ("waitress", _, true) => vec!["waitress-serve", "--call", &plain],
        _ => vec![server.script(), &plain],
    };
    words.into_iter().map(str::to_owned).collect()
}

/// A line of a Procfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    /// `web`, `worker`, `release`
    pub name: String,
    /// its command, as it is written
    pub line: String,
}

/// The lines of a Procfile.
pub(super) fn processes(procfile: &str) -> Vec<Process> {
    let line = |line: &str| {
        let (name, line) = line.split_once(':')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        is_name.then(|| Process { name: name.to_owned(), line: line.trim().to_owned() })
    };
    procfile.lines().filter_map(line).collect()
}

/// What a line of a Procfile says that a unit can say: the server with its words, without address and port.
///
/// - Gives: none for a line that only a shell understands, and for a server that is not known.
pub(super) fn of_procfile(line: &str) -> Option<Vec<String>> {
    // Options that say address and port, which `service.port` says here.
    const LISTEN: [&str; 6] = ["--bind", "-b", "--host", "--port", "-p", "--listen"];
    if line.contains(['|', '&', ';', '<', '>', '`', '"', '\'', '\\']) || line.contains("$(") {
        return None;
    }
    let mut words = line.split_whitespace().peekable();
    let mut kept = vec![of_script(words.next()?)?.script().to_owned()];
    while let Some(word) = words.next() {
        if LISTEN.contains(&word) {
            words.next();
        } else if !LISTEN.iter().any(|option| word.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))) {
            kept.push(word.to_owned());
        }
    }
    (!kept.iter().any(|word| word.contains('$'))).then_some(kept)
}

/// The module and the object of a command: its first word of the form `module:object`.
pub(super) fn application_of(command: &[String]) -> Option<(&str, &str)> {
    let are_names = |(module, object): &(&str, &str)| {
        let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        module.split('.').all(is_name) && object.split('.').all(|part| is_name(part.trim_end_matches("()")))
    };
    command.iter().skip(1).filter_map(|word| word.split_once(':')).find(are_names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_procfile_says_what_is_started() {
        #[rustfmt::skip]
        let cases = [
            ("gunicorn app:app",                                      "gunicorn app:app"),
            ("gunicorn --bind 0.0.0.0:$PORT -w 4 shop.web:app",       "gunicorn -w 4 shop.web:app"),
            ("gunicorn -b=:$PORT app:app",                            "gunicorn app:app"),
            ("uvicorn main:app --host 0.0.0.0 --port ${PORT:-5000}",  "uvicorn main:app"),
            ("waitress-serve --port=$PORT --call shop:create_app",    "waitress-serve --call shop:create_app"),
            ("gunicorn 'shop:create_app()'",                          ""),
            ("cd web && gunicorn app:app",                            ""),
            ("gunicorn -w $WEB_CONCURRENCY app:app",                  ""),
            ("python app.py",                                         ""),
            ("",                                                      ""),
        ];
        for (line, words) in cases {
            assert_eq!(of_procfile(line).unwrap_or_default().join(" "), words, "{line}");
        }
        let read = processes("# x\nweb: gunicorn app:app\nworker:  celery -A a worker\nodd line\n: x\n");
        let names: Vec<_> = read.iter().map(|process| (process.name.as_str(), process.line.as_str())).collect();
        assert_eq!(names, [("web", "gunicorn app:app"), ("worker", "celery -A a worker")]);
    }

    #[test]
    fn the_object_is_handed_over_as_each_server_takes_it() {
        #[rustfmt::skip]
        let cases = [
            ("gunicorn", Interface::Wsgi, false, "gunicorn a.b:app"),
            ("gunicorn", Interface::Wsgi, true,  "gunicorn a.b:app()"),
            ("uvicorn", Interface::Asgi, false, "uvicorn a.b:app"),
            ("uvicorn", Interface::Asgi, true,  "uvicorn --factory a.b:app"),
            ("uvicorn", Interface::Wsgi, false, "uvicorn --interface wsgi a.b:app"),
            ("hypercorn", Interface::Asgi, true,  "hypercorn a.b:app()"),
            ("waitress-serve", Interface::Wsgi, false, "waitress-serve a.b:app"),
            ("waitress-serve", Interface::Wsgi, true,  "waitress-serve --call a.b:app"),
        ];
        for (script, interface, is_factory, words) in cases {
            let command = command(of_script(script).unwrap(), interface, "a.b", "app", is_factory);
            assert_eq!(command.join(" "), words);
            assert_eq!(application_of(&command), Some(("a.b", words.split(':').next_back().unwrap())));
        }
    }
}
