//! `[service]`: how the application is served.

use crate::problem::Problem;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

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
        Ok(())
    }
}
