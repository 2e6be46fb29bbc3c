//! What the texts of a service are made from.

use pep440_rs::Version;
use wheelhaul_boxes::Target;
use wheelhaul_config::{Service, Tls};

/// What the texts of a service are made from.
#[derive(Debug, Clone, Copy)]
pub struct ServiceFacts<'a> {
    /// of the RPM, the unit and the user
    pub name: &'a str,
    /// one line
    pub summary: &'a str,
    /// `/opt/NAME`
    pub root: &'a str,
    /// `[service]`
    pub service: &'a Service,
    /// the box
    pub target: &'a Target,
    /// of the package that brings the server, as it is locked; none where that does not matter or is not known yet
    pub server_version: Option<&'a Version>,
}

/// The program by which root runs a command as the service.
pub fn run_program(name: &str) -> String {
    format!("/usr/bin/{name}-run")
}

impl ServiceFacts<'_> {
    /// Certificate and key on the box, unless TLS is off.
    pub fn certificate(&self) -> Option<(String, String)> {
        match &self.service.tls {
            Tls::Off => None,
            Tls::SelfSigned => {
                Some((format!("/var/lib/{0}/tls.crt", self.name), format!("/var/lib/{0}/tls.key", self.name)))
            }
            Tls::Given { cert, key } => Some((cert.to_string(), key.to_string())),
        }
    }
}
