//! The command that starts the server, with address, port and certificate as that one takes them.

use crate::service::dangers::is_true;
use crate::service::facts::ServiceFacts;
use pep440_rs::Version;
use std::net::IpAddr;
use wheelhaul_base::problem::Problem;
use wheelhaul_config::Service;

/// A server that is known: how it takes its address, port and certificate.
pub struct Server {
    /// its package
    pub package: &'static str,
    /// console script, and module
    names: &'static [&'static str],
    listen: &'static [&'static str],
    tls: &'static [&'static str],
    /// the first version that tells systemd when it is ready (`sd_notify`)
    notifies_since: Option<&'static str>,
    /// whether it takes its code and configuration anew on SIGHUP
    pub(super) reloads: bool,
    /// the options that say where it listens
    pub(super) places: &'static [&'static str],
    /// how it is told to take over the socket that systemd opened, the first of which is 3 (`sd_listen_fds`), with TLS on it
    /// as well; `None` for one that cannot
    pub(super) inherits: Option<&'static [&'static str]>,
}

/// All of them.
#[rustfmt::skip]
pub const SERVERS: &[Server] = &[
    // It looks for sockets by itself, and takes its own place where there are none.
    Server { package: "gunicorn",  names: &["gunicorn"],  listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies_since: Some("20.0"), reloads: true,  places: &["-b", "--bind"],                                        inherits: Some(&["--bind", "{address}:{port}"]) },
    Server { package: "hypercorn", names: &["hypercorn"], listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies_since: None,        reloads: false, places: &["-b", "--bind", "--insecure-bind", "--quic-bind"],      inherits: Some(&["--bind", "fd://3"]) },
    Server { package: "uvicorn",   names: &["uvicorn"],   listen: &["--host", "{host}", "--port", "{port}"],  tls: &["--ssl-certfile", "{cert}", "--ssl-keyfile", "{key}"], notifies_since: None,        reloads: false, places: &["--host", "--port", "--uds", "--fd"],                   inherits: Some(&["--fd", "3"]) },
    Server { package: "waitress",  names: &["waitress-serve", "waitress"], listen: &["--host", "{host}", "--port", "{port}"], tls: &[],                                    notifies_since: None,        reloads: false, places: &["--host", "--port", "--listen", "--unix-socket"],       inherits: None },
];

impl Server {
    /// Its console script.
    pub fn script(&self) -> &'static str {
        self.names[0]
    }

    /// Whether it is told on its command line to take a socket over, in place of an address.
    pub(super) fn is_told_of_sockets(&self) -> bool {
        self.inherits.is_some_and(|words| words != self.listen)
    }

    /// Whether it can serve TLS.
    pub fn has_tls(&self) -> bool {
        !self.tls.is_empty()
    }
}

/// How the first word of `service.command` is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceProgram {
    /// `/opt/NAME/bin/WORD`, run by the launcher
    Script,
    /// `/opt/NAME/bin/WORD`, a program of its own
    Binary,
    /// `python -m WORD`
    Module,
}

impl ServiceFacts<'_> {
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

    /// Whether a start waits until the server answers. Those that tell systemd do so too early: gunicorn's workers load
    /// the application later.
    ///
    /// What waits is confined as the service is: it cannot ask where the unit is shut off from its own addresses, and the
    /// connections come through a socket of systemd's.
    pub fn waits(&self) -> bool {
        let lines = |key: &str| self.service.unit.get(key).into_iter().flat_map(|lines| lines.0.iter());
        let is_shut_off = lines("PrivateNetwork").next_back().is_some_and(|value| is_true(value))
            || (lines("IPAddressDeny").any(|value| !value.is_empty()) && lines("IPAddressAllow").next().is_none())
            || lines("RestrictAddressFamilies")
                .next_back()
                .is_some_and(|value| !value.is_empty() && !value.contains("AF_INET"));
        !is_shut_off
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
        let says = |text: &String| text.contains("{cert}");
        let takes_certificate = self.service.command.iter().any(says)
            || self.service.environment.values().any(says)
            || (!self.says_port() && self.server().is_some_and(|server| !server.tls.is_empty()));
        self.certificate().is_some() && takes_certificate
    }

    /// Whether the server tells systemd when it is ready.
    pub fn notifies(&self) -> bool {
        let since = self.server().and_then(|server| server.notifies_since);
        let since = since.map(|since| since.parse::<Version>().expect("the table has versions"));
        since.is_some_and(|since| self.server_version.is_none_or(|version| *version >= since))
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

    /// Whether the address is one that the network gives to the host.
    pub(super) fn has_own_address(&self) -> bool {
        let address = self.service.address.parse::<IpAddr>();
        address.is_ok_and(|address| !address.is_unspecified() && !address.is_loopback())
    }

    /// The words of `ExecStart`.
    ///
    /// # Errors
    /// For a server that is not known and whose command does not say where the port goes; for TLS with a server that
    /// has none; for options that cannot work in the unit.
    pub fn command(&self, program: ServiceProgram) -> anyhow::Result<Vec<String>> {
        self.check_options()?;
        let (word, rest) = self.service.command.split_first().expect("checked by `Config`");
        let script = format!("{}/bin/{word}", self.root);
        let mut words: Vec<String> = match program {
            ServiceProgram::Binary => vec![script],
            ServiceProgram::Script => self.script("python").into_iter().chain([script]).collect(),
            ServiceProgram::Module => {
                self.script("python").into_iter().chain(["-m".to_owned(), word.clone()]).collect()
            }
        };
        let in_environment = || self.service.environment.values().any(|value| value.contains("{port}"));
        if let Some(server) = self.server().filter(|_| !self.says_port()) {
            let listen = server.inherits.filter(|_| self.is_socket_activated()).unwrap_or(server.listen);
            words.extend(listen.iter().map(|word| (*word).to_owned()));
            if self.certificate().is_some() {
                if server.tls.is_empty() {
                    return Err(Problem::with_hint(
                        format!("`{word}` cannot serve TLS by itself"),
                        "set `service.tls = \"off\"` and put a reverse proxy in front, or serve with gunicorn",
                    ));
                }
                words.extend(server.tls.iter().map(|word| (*word).to_owned()));
            }
        } else if !self.says_port() && !in_environment() {
            return Err(Problem::with_hint(
                format!("`service.command` does not say where the port goes, and `{word}` is no server that is known"),
                "write `{address}`, `{port}`, `{cert}` and `{key}` where its options, or its variables in `[service.environment]`, take them; known are gunicorn, hypercorn, uvicorn and waitress",
            ));
        }
        // Behind ours: waitress takes no option after the application, and elsewhere the last one counts.
        words.extend(rest.iter().cloned());
        Ok(words.iter().map(|word| self.filled(word)).collect())
    }

    /// A word of the command or a value of the environment, with what stands for the place to listen at put in.
    pub(super) fn filled(&self, text: &str) -> String {
        let (cert, key) = self.certificate().unwrap_or_default();
        text.replace("{address}", &self.bound_address())
            .replace("{host}", &self.service.address)
            .replace("{port}", &self.service.port.to_string())
            .replace("{cert}", &cert)
            .replace("{key}", &key)
    }

    pub(super) fn server(&self) -> Option<&'static Server> {
        server_of(self.service)
    }
}

/// The server that a command starts, where it is known.
pub fn server_of(service: &Service) -> Option<&'static Server> {
    SERVERS.iter().find(|server| server.names.contains(&service.command[0].as_str()))
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
