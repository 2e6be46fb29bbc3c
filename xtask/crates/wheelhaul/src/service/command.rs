//! The command that starts the server, with address, port and certificate as that one takes them.

use crate::config::Service;
use crate::problem::Problem;
use crate::service::Facts;

/// A server that is known: how it takes its address, port and certificate.
pub struct Server {
    /// its package
    pub package: &'static str,
    /// console script, and module
    names: &'static [&'static str],
    listen: &'static [&'static str],
    tls: &'static [&'static str],
    /// whether it tells systemd when it is ready (`sd_notify`)
    pub(super) notifies: bool,
    /// whether it takes its code and configuration anew on SIGHUP
    pub(super) reloads: bool,
    /// whether it takes over the sockets that systemd opened (`sd_listen_fds`), with TLS on them as well
    pub(super) inherits: bool,
}

/// All of them.
#[rustfmt::skip]
pub const SERVERS: &[Server] = &[
    Server { package: "gunicorn",  names: &["gunicorn"],  listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies: true,  reloads: true,  inherits: true },
    Server { package: "hypercorn", names: &["hypercorn"], listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies: false, reloads: false, inherits: false },
    Server { package: "uvicorn",   names: &["uvicorn"],   listen: &["--host", "{host}", "--port", "{port}"],  tls: &["--ssl-certfile", "{cert}", "--ssl-keyfile", "{key}"], notifies: false, reloads: false, inherits: false },
    Server { package: "waitress",  names: &["waitress-serve", "waitress"], listen: &["--host", "{host}", "--port", "{port}"], tls: &[],                                    notifies: false, reloads: false, inherits: false },
];

impl Server {
    /// Its console script.
    pub fn script(&self) -> &'static str {
        self.names[0]
    }

    /// Whether it can serve TLS.
    pub fn has_tls(&self) -> bool {
        !self.tls.is_empty()
    }
}

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
    /// A Python script of the package on the target's interpreter, isolated.
    fn script(&self, name: &str) -> [String; 3] {
        [self.target.interpreter.path.to_owned(), "-ISB".to_owned(), format!("{}/bin/{name}", self.root)]
    }

    /// What makes the self-signed certificate, or tells whether it is due.
    pub(super) fn certificate_command(&self, options: &[&str]) -> Vec<String> {
        let mut words = self.script("self-signed-certificate").to_vec();
        words.extend(options.iter().map(|option| (*option).to_owned()));
        words.push(format!("/var/lib/{}", self.name));
        if !matches!(self.service.address.as_str(), "0.0.0.0" | "::") {
            words.push(self.service.address.clone());
        }
        words
    }

    /// Whether a start waits until the server answers: one that does not tell systemd, and one that does so
    /// before it can answer (gunicorn, whose workers load the application later) where that shows by TLS.
    pub fn waits(&self) -> bool {
        !self.notifies() || self.serves_tls()
    }

    /// What waits until the server answers.
    pub(super) fn wait_command(&self) -> Vec<String> {
        let mut words = self.script("wait-until-ready").to_vec();
        words.extend([self.service.address.clone(), self.service.port.to_string()]);
        words.extend(self.serves_tls().then(|| "tls".to_owned()));
        words
    }

    /// Whether the server is given the certificate.
    fn serves_tls(&self) -> bool {
        let takes_certificate = self.service.command.iter().any(|word| word.contains("{cert}"))
            || (!self.says_port() && self.server().is_some_and(|server| !server.tls.is_empty()));
        self.certificate().is_some() && takes_certificate
    }

    /// Whether the server tells systemd when it is ready.
    pub fn notifies(&self) -> bool {
        self.server().is_some_and(|server| server.notifies)
    }

    /// Whether the command itself says where address and port go.
    fn says_port(&self) -> bool {
        self.service.command.iter().skip(1).any(|word| word.contains("{port}"))
    }

    /// The address as it stands before a port: `[::1]`.
    pub(super) fn bound_address(&self) -> String {
        let address = &self.service.address;
        if address.contains(':') { format!("[{address}]") } else { address.clone() }
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
            Program::Script => self.script("python").into_iter().chain([script]).collect(),
            Program::Module => self.script("python").into_iter().chain(["-m".to_owned(), word.clone()]).collect(),
        };
        if !self.says_port() {
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
        // Behind ours: waitress takes no option after the application, and elsewhere the last one counts.
        words.extend(rest.iter().cloned());
        let (cert, key) = self.certificate().unwrap_or_default();
        let (address, bound) = (&self.service.address, self.bound_address());
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

/// The modules of the applications, of words such as `module:object`.
pub fn application_modules(service: &Service) -> Vec<&str> {
    let words = service.command.iter().skip(1).filter_map(|word| word.split_once(':'));
    let are_names = |(module, object): &(&str, &str)| is_dotted(module) && is_dotted(object.trim_end_matches("()"));
    words.filter(are_names).map(|(module, _)| module).collect()
}

/// Whether a text is a dotted name of Python's, in ASCII.
pub(super) fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
