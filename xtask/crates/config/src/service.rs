//! `[service]`: how the application is served.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::{Problem, shortened};

/// `[service]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// a console script or a module of the application or its dependencies, with its arguments
    #[schemars(length(min = 1), extend("examples" = [["gunicorn", "app:app"]]))]
    pub command: Vec<String>,
    /// the port that is listened on
    #[schemars(range(min = 1), extend("examples" = [8000]))]
    pub port: u16,
    /// the address that is listened on; all of them if absent
    #[serde(default = "every_address")]
    #[schemars(extend("examples" = ["127.0.0.1"]))]
    pub address: String,
    /// where the certificate comes from: made on the box, nowhere (plain HTTP), or files that an administrator puts there;
    /// `self-signed` if absent
    #[serde(default)]
    #[schemars(with = "TlsValue", extend("examples" = ["off"]))]
    pub tls: Tls,
    /// whether systemd listens in place of the server; where that one takes it, if absent
    #[schemars(extend("examples" = [false]))]
    pub socket_activation: Option<bool>,
    /// secrets that an administrator puts on the box, by name
    #[serde(default)]
    #[schemars(extend("examples" = [["db-password"]]))]
    pub secrets: BTreeSet<String>,
    /// environment variables; `{address}`, `{host}`, `{port}`, `{cert}` and `{key}` are filled in as in `command`
    #[serde(default)]
    #[schemars(extend("examples" = [{ "LOG_LEVEL": "info" }]))]
    pub environment: BTreeMap<String, String>,
    /// keys of the unit's [Service], in place of this tool's or beside them, and of its [Unit], beside them
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, LinesValue>", extend("examples" = [{ "MemoryMax": "1G" }]))]
    pub unit: BTreeMap<String, Lines>,
}

/// The values of a key of a unit, a line each: `"1G"`, or a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "LinesValue")]
pub struct Lines(pub Vec<String>);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a text, or a list of texts for a key that stands in several lines")]
enum LinesValue {
    One(String),
    Many(Vec<String>),
}

impl From<LinesValue> for Lines {
    fn from(value: LinesValue) -> Self {
        match value {
            LinesValue::One(line) => Self(vec![line]),
            LinesValue::Many(lines) => Self(lines),
        }
    }
}

fn every_address() -> String {
    "0.0.0.0".to_owned()
}

/// `service.tls`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "TlsValue")]
pub enum Tls {
    /// made on the box at the first start
    #[default]
    SelfSigned,
    /// plain HTTP
    Off,
    /// an administrator puts them there
    Given {
        /// absolute path on the box
        cert: Utf8PathBuf,
        /// absolute path on the box
        key: Utf8PathBuf,
    },
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum TlsValue {
    Word(TlsWord),
    Files(TlsFiles),
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum TlsWord {
    SelfSigned,
    Off,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TlsFiles {
    /// the certificate, an absolute path on the box
    #[schemars(with = "String", extend("format" = "path-on-the-box", "examples" = ["/etc/pki/tls/certs/my-app.crt"]))]
    cert: Utf8PathBuf,
    /// its private key, an absolute path on the box
    #[schemars(with = "String", extend("format" = "path-on-the-box", "examples" = ["/etc/pki/tls/private/my-app.key"]))]
    key: Utf8PathBuf,
}

impl From<TlsValue> for Tls {
    fn from(value: TlsValue) -> Self {
        match value {
            TlsValue::Word(TlsWord::SelfSigned) => Self::SelfSigned,
            TlsValue::Word(TlsWord::Off) => Self::Off,
            TlsValue::Files(TlsFiles { cert, key }) => Self::Given { cert, key },
        }
    }
}

/// Whether a text can be the place of a file on the box.
pub(super) fn is_box_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains("..")
        && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

impl Service {
    /// Refuses what no server, no unit and no box would take.
    pub(super) fn faults(&self) -> Vec<anyhow::Error> {
        let mut faults = Vec::new();
        match self.command.first().map(String::as_str) {
            None | Some("") => faults.push(Problem::with_hint(
                "key `service.command` is empty",
                "write what is started: `command = [\"gunicorn\", \"app:app\"]`",
            )),
            Some(first) if first.contains(' ') => {
                let words: Vec<&str> = self.command.iter().flat_map(|word| word.split_whitespace()).collect();
                faults.push(Problem::with_hint(
                    format!("key `service.command`: `{}` is more than one word", shortened(first)),
                    format!("write each word by itself: `command = {words:?}`"),
                ));
            }
            Some(_) => {}
        }
        if self.command.iter().any(|word| word.chars().any(char::is_control)) {
            let what = "key `service.command` has a control character";
            faults.push(Problem::with_hint(what, "a unit's line cannot hold it"));
        }
        if self.address.parse::<std::net::IpAddr>().is_err() {
            let cure = match self.address.as_str() {
                "localhost" => "write `address = \"127.0.0.1\"`",
                "*" | "" => "write `address = \"0.0.0.0\"`, which is every address, or leave it out",
                _ => "write an address, such as `address = \"127.0.0.1\"`; the port is `port`",
            };
            let address = shortened(&self.address);
            faults.push(Problem::with_hint(format!("key `service.address`: `{address}` is not an IP address"), cure));
        }
        faults.extend(self.secrets.iter().filter_map(|name| check_secret(name).err()));
        faults.extend(self.environment.iter().filter_map(|(name, value)| check_variable(name, value).err()));
        faults.extend(self.unit.iter().filter_map(|(key, lines)| check_lines(key, lines).err()));
        faults
    }
}

/// A name that systemd takes for a credential, and that can name a file.
fn check_secret(name: &str) -> anyhow::Result<()> {
    let good = (1..=128).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if good {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("key `service.secrets`: `{}` cannot name a secret", shortened(name).escape_debug()),
        "it names the file that an administrator makes, such as \"db-password\"; the secret itself stays out",
    ))
}

/// A variable that reaches the application (systemd.exec(5), "Environment=").
fn check_variable(name: &str, value: &str) -> anyhow::Result<()> {
    let key = format!("key `service.environment`: `{}`", shortened(name).escape_debug());
    let is_name = name.len() <= 256
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(Problem::with_hint(format!("{key} is no name of a variable"), "use letters, digits and `_`"));
    }
    if value.chars().any(char::is_control) {
        return Err(Problem::with_hint(format!("{key} has a control character"), "a unit's line cannot hold it"));
    }
    const SYSTEMD: [&str; 6] =
        ["CREDENTIALS_DIRECTORY", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "MAINPID", "NOTIFY_SOCKET"];
    if SYSTEMD.contains(&name) {
        return Err(Problem::with_hint(format!("{key} is set by systemd"), "leave it out"));
    }
    if name.starts_with("PYTHON") {
        return Err(Problem::with_hint(
            format!("{key} would have no effect: the interpreter is isolated (`python -I`)"),
            "leave it out, and let the application do what it is for",
        ));
    }
    Ok(())
}

/// Lines that stay lines. Which keys there are the target's systemd says.
fn check_lines(key: &str, Lines(lines): &Lines) -> anyhow::Result<()> {
    let shown = format!("key `service.unit.{}`", shortened(key).escape_debug());
    if lines.is_empty() {
        return Err(Problem::with_hint(format!("{shown} is an empty list"), "\"\" resets a key; or leave it out"));
    }
    // A backslash at the end joins the next line (systemd.syntax(7)).
    if lines.iter().any(|line| line.chars().any(char::is_control) || line.ends_with('\\')) {
        return Err(Problem::with_hint(
            format!("{shown} has a line break, another control character or a `\\` at its end"),
            "write a list for a key that stands in several lines",
        ));
    }
    Ok(())
}
