//! What the package's units say of where the service answers, and of what an administrator must put there first.

use wheelhaul_systemd::UnitText;

/// The values of a key of [Service], split into words without their quotes.
fn words(unit: &UnitText<'_>, key: &str) -> Vec<String> {
    let values = unit.all("Service", key).into_iter();
    values.flat_map(|line| line.split_whitespace().map(|word| word.trim_matches('"').to_owned())).collect()
}

/// Where the administrator puts each secret: its file.
pub(super) fn secrets(unit: &UnitText<'_>) -> Vec<String> {
    let lines = unit.all("Service", "LoadCredential").into_iter();
    lines.filter_map(|line| line.split_once(':')).map(|(_, path)| path.to_owned()).collect()
}

/// The certificate and the key that the command is given.
pub(super) fn certificate(unit: &UnitText<'_>) -> Option<(String, String)> {
    let words = words(unit, "ExecStart");
    let after = |options: [&str; 2]| {
        let at = words.iter().position(|word| options.contains(&word.as_str()))?;
        words.get(at + 1).cloned()
    };
    Some((after(["--certfile", "--ssl-certfile"])?, after(["--keyfile", "--ssl-keyfile"])?))
}

/// Where a service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// `0.0.0.0`, `::1`
    pub address: String,
    pub port: u16,
    pub tls: bool,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let address = if self.address.contains(':') { format!("[{}]", self.address) } else { self.address.clone() };
        write!(f, "{scheme}://{address}:{}/", self.port)
    }
}

/// Reads it from the socket, else from what waits until the server answers, else from the server's options.
///
/// - Takes: the service's unit, and the socket's where there is one.
pub(super) fn place_of(service: &UnitText<'_>, socket: Option<&UnitText<'_>>) -> Option<Place> {
    let waiting = words(service, "ExecStartPost");
    let waits = waiting.iter().position(|word| word.ends_with("/wait-until-ready"));
    let waits = waits.map(|at| &waiting[at + 1..]).unwrap_or_default();
    let tls = certificate(service).is_some() || waits.get(2).is_some_and(|word| word == "tls");
    let from_socket = socket.and_then(|unit| unit.last("Socket", "ListenStream")).and_then(bound);
    let from_wait = || Some((waits.first()?.clone(), waits.get(1)?.parse().ok()?));
    let (address, port) = from_socket.or_else(from_wait).or_else(|| from_options(&words(service, "ExecStart")))?;
    Some(Place { address, port, tls })
}

/// `[::]:80`, `0.0.0.0:80`, `:80`, `80`
fn bound(text: &str) -> Option<(String, u16)> {
    let (address, port) = text.rsplit_once(':').unwrap_or(("", text));
    let address = address.trim_matches(['[', ']']);
    let address = if address.is_empty() { "0.0.0.0" } else { address };
    Some((address.to_owned(), port.parse().ok()?))
}

fn from_options(words: &[String]) -> Option<(String, u16)> {
    let after = |options: &[&str]| {
        let at = words.iter().rposition(|word| options.contains(&word.as_str()))?;
        words.get(at + 1).map(String::as_str)
    };
    let joined = |option: &str| words.iter().rev().find_map(|word| word.strip_prefix(option));
    if let Some(place) = after(&["--bind", "-b"]).or_else(|| joined("--bind=")) {
        return bound(place);
    }
    let port = after(&["--port", "-p"]).or_else(|| joined("--port="))?.parse().ok()?;
    let host = after(&["--host"]).or_else(|| joined("--host=")).unwrap_or("127.0.0.1");
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_read_from_the_units() {
        let wait = "ExecStartPost=/usr/bin/python3.9 -ISB /opt/a/bin/wait-until-ready";
        let tls = "--certfile /c --keyfile /k";
        #[rustfmt::skip]
        let cases = [ // service                                                           socket                    place
            (format!("ExecStart=/p g --bind 0.0.0.0:91 {tls}\n{wait} 0.0.0.0 91 tls\n"), "ListenStream=0.0.0.0:91\n", Some("https://0.0.0.0:91/")),
            ("ExecStart=/p g --bind 0.0.0.0:91 a:b\n".to_owned(),                          "ListenStream=[::]:92\n",   Some("http://[::]:92/")),
            (format!("ExecStart=/p u --host ::1 --port 93 a:b\n{wait} ::1 93\n"),          "",                         Some("http://[::1]:93/")),
            ("ExecStart=/p g --bind 1.2.3.4:94 -b 1.2.3.4:95\n".to_owned(),                "",                         Some("http://1.2.3.4:95/")),
            ("ExecStart=/p w --port=96 a:b\n".to_owned(),                                  "",                         Some("http://127.0.0.1:96/")),
            ("ExecStart=/p w a:b\n".to_owned(),                                            "",                         None),
            ("ExecStart=/p w --port x\n".to_owned(),                                       "",                         None),
            ("ExecStart=/p w --port 99999\n".to_owned(),                                   "",                         None),
            (String::new(),                                                                "ListenStream=/run/a\n",    None),
        ];
        for (service, socket, place) in cases {
            let (service, socket) = (format!("[Service]\n{service}"), format!("[Socket]\n{socket}"));
            let socket = UnitText::parse("a.socket", &socket);
            let found = place_of(&UnitText::parse("a.service", &service), Some(&socket)).map(|place| place.to_string());
            assert_eq!(found.as_deref(), place, "{service}");
        }
    }

    #[test]
    fn what_an_administrator_puts_there_is_read() {
        let text = "[Service]\nLoadCredential=a:/etc/x/credentials/a\nLoadCredential=b:/b\n# c\n\
                    ExecStart=/p g --certfile /etc/c --keyfile \"/etc/k\"\nBroken\n";
        let unit = UnitText::parse("a.service", text);
        assert_eq!(secrets(&unit), ["/etc/x/credentials/a", "/b"]);
        assert_eq!(certificate(&unit), Some(("/etc/c".to_owned(), "/etc/k".to_owned())));
        assert_eq!(certificate(&UnitText::parse("a.service", "")), None);
    }
}
