//! `[service]`: how the application is served.

use crate::problem::{Problem, all_of, shortened};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `[service]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// a console script or a module of the application or its dependencies, with its arguments
    pub command: Vec<String>,
    /// the port that is listened on
    pub port: u16,
    /// the address that is listened on; all of them if absent
    #[serde(default = "every_address")]
    pub address: String,
    /// where the certificate comes from
    #[serde(default)]
    pub tls: Tls,
    /// whether systemd listens in place of the server; where that one takes it, if absent
    pub socket_activation: Option<bool>,
    /// secrets that an administrator puts on the box, by name
    #[serde(default)]
    pub secrets: BTreeSet<String>,
    /// environment variables
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// keys of the unit's [Service], in place of this tool's or beside them
    #[serde(default)]
    pub unit: BTreeMap<String, Lines>,
}

/// The values of a key of a unit, a line each: `"1G"`, or a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "LinesValue")]
pub struct Lines(pub Vec<String>);

#[derive(Deserialize)]
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
#[serde(try_from = "TlsValue")]
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

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"self-signed\", \"off\" or { cert = \"/…\", key = \"/…\" }")]
enum TlsValue {
    Word(String),
    Files(TlsFiles),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsFiles {
    cert: Utf8PathBuf,
    key: Utf8PathBuf,
}

impl TryFrom<TlsValue> for Tls {
    type Error = String;

    fn try_from(value: TlsValue) -> Result<Self, String> {
        match value {
            TlsValue::Word(word) if word == "self-signed" => Ok(Self::SelfSigned),
            TlsValue::Word(word) if word == "off" => Ok(Self::Off),
            TlsValue::Files(TlsFiles { cert, key }) if is_box_path(&cert) && is_box_path(&key) => {
                Ok(Self::Given { cert, key })
            }
            TlsValue::Files(_) => Err("`cert` and `key` are absolute paths on the box".to_owned()),
            TlsValue::Word(word) => Err(format!(
                "`{word}` is not one of `self-signed`, `off` and a table `{{ cert = \"/…\", key = \"/…\" }}`"
            )),
        }
    }
}

fn is_box_path(path: &Utf8Path) -> bool {
    let path = path.as_str();
    path.starts_with('/')
        && !path.contains("..")
        && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

impl Service {
    /// Refuses what no server, no unit and no box would take.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.command.first().is_none_or(|word| word.is_empty()) {
            return Err(Problem::with_hint(
                "key `service.command` is empty",
                "for example: command = [\"gunicorn\", \"src.app:app\"]",
            ));
        }
        if self.command[0].contains(' ') {
            return Err(Problem::with_hint(
                format!("key `service.command`: `{}` is more than one word", self.command[0]),
                "write each word by itself: command = [\"gunicorn\", \"-w\", \"4\", \"src.app:app\"]",
            ));
        }
        if self.command.iter().any(|word| word.chars().any(char::is_control)) {
            return Err(Problem::with_hint(
                "key `service.command` has a control character",
                "a unit's line cannot hold it",
            ));
        }
        let address = &self.address;
        if address.parse::<std::net::IpAddr>().is_err() {
            return Err(Problem::with_hint(
                format!("key `service.address`: `{address}` is not an IP address"),
                "for example: \"127.0.0.1\"",
            ));
        }
        if self.port == 0 {
            return Err(Problem::with_hint("key `service.port` is 0", "name the port that clients ask, such as 9091"));
        }
        let secrets = self.secrets.iter().filter_map(|name| check_secret(name).err());
        let variables = self.environment.iter().filter_map(|(name, value)| check_variable(name, value).err());
        let keys = self.unit.iter().filter_map(|(key, lines)| check_lines(key, lines).err());
        all_of("keys of `[service]` cannot be used", secrets.chain(variables).chain(keys).collect())
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
