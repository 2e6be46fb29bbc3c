//! The command that starts the server, with address, port and certificate as that one takes them.

use crate::problem::Problem;
use crate::service::Facts;

/// How a server that is known takes its address, port and certificate.
pub(super) struct Server {
    /// console script, and module
    names: &'static [&'static str],
    listen: &'static [&'static str],
    tls: &'static [&'static str],
    /// whether it tells systemd when it is ready (`sd_notify`)
    pub notifies: bool,
    /// whether it takes its code and configuration anew on SIGHUP
    pub reloads: bool,
}

#[rustfmt::skip]
const SERVERS: &[Server] = &[
    Server { names: &["gunicorn"],  listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies: true,  reloads: true },
    Server { names: &["hypercorn"], listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies: false, reloads: false },
    Server { names: &["uvicorn"],   listen: &["--host", "{host}", "--port", "{port}"],  tls: &["--ssl-certfile", "{cert}", "--ssl-keyfile", "{key}"], notifies: false, reloads: false },
    Server { names: &["waitress-serve", "waitress"], listen: &["--host", "{host}", "--port", "{port}"], tls: &[],                                    notifies: false, reloads: false },
];

/// How the first word of `service.command` is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `/opt/NAME/bin/WORD`, run by the launcher
    Script,
    /// `/opt/NAME/bin/WORD`, a program of its own
    Binary,
    /// `python -m WORD`
    Module,
}

impl Facts<'_> {
    /// The Python that runs programs of the package: interpreter, isolation, launcher.
    fn python(&self) -> [String; 3] {
        [self.target.interpreter.path.to_owned(), "-ISB".to_owned(), format!("{}/bin/python", self.root)]
    }

    /// The words of `ExecStart`.
    ///
    /// - Fails: for a server that is not known and whose command does not say where the port goes; for
    ///   TLS with a server that has none.
    pub fn command(&self, program: Program) -> anyhow::Result<Vec<String>> {
        let (word, rest) = self.service.command.split_first().expect("checked by `Config`");
        let script = format!("{}/bin/{word}", self.root);
        let mut words: Vec<String> = match program {
            Program::Binary => vec![script],
            Program::Script => self.python().into_iter().chain([script]).collect(),
            Program::Module => self.python().into_iter().chain(["-m".to_owned(), word.clone()]).collect(),
        };
        words.extend(rest.iter().cloned());
        let says_port = rest.iter().any(|word| word.contains("{port}"));
        if !says_port {
            let server = self.server().ok_or_else(|| {
                Problem::with_hint(
                    format!("`service.command` does not say where the port goes, and `{word}` is no server that is known"),
                    "write `{address}`, `{port}`, `{cert}` and `{key}` where its options take them; known are gunicorn, hypercorn, uvicorn and waitress",
                )
            })?;
            words.extend(server.listen.iter().map(|word| (*word).to_owned()));
            if self.certificate().is_some() {
                if server.tls.is_empty() {
                    return Err(Problem::with_hint(
                        format!("`{word}` cannot serve TLS by itself"),
                        "set `service.tls = \"off\"` and put a reverse proxy in front, or serve with gunicorn",
                    ));
                }
                words.extend(server.tls.iter().map(|word| (*word).to_owned()));
            }
        }
        let (cert, key) = self.certificate().unwrap_or_default();
        let address = &self.service.address;
        let bound = if address.contains(':') { format!("[{address}]") } else { address.clone() };
        let fill = |word: String| {
            word.replace("{address}", &bound)
                .replace("{host}", address)
                .replace("{port}", &self.service.port.to_string())
                .replace("{cert}", &cert)
                .replace("{key}", &key)
        };
        Ok(words.into_iter().map(fill).collect())
    }

    pub(super) fn server(&self) -> Option<&'static Server> {
        SERVERS.iter().find(|server| server.names.contains(&self.service.command[0].as_str()))
    }
}
