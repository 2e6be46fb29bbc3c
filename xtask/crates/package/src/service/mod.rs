//! The service as text: units, sysusers file, scriptlets, and the command that starts the server.

mod command;
mod confinement;
mod dangers;
mod options;
mod overrides;
mod scriptlets;
mod section;
mod socket;
#[cfg(test)]
mod tests;
mod unit;
mod words;

pub use command::{Program, SERVERS, Server, application_modules, server_of};
pub use confinement::confinement_keys;
pub use dangers::{Danger, dangers};
pub use options::settings_file;
pub use scriptlets::Scriptlets;
pub use words::{Command, Words, commands, split};

use pep440_rs::Version;
use wheelhaul_boxes::Target;
use wheelhaul_config::{Service, Tls};

/// What the texts are made from.
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

    /// The units: file name and text.
    ///
    /// - Fails: for a command that cannot be written, and for what [`Self::check`] refuses.
    pub fn units(&self, program: Program) -> anyhow::Result<Vec<(String, String)>> {
        self.check()?;
        let mut units = vec![(format!("{}.service", self.name), self.unit(program)?)];
        if self.is_socket_activated() {
            units.push((format!("{}.socket", self.name), self.socket()));
        }
        if self.renews() {
            units.push((format!("{}-certificate.service", self.name), self.renewal()));
            units.push((format!("{}-certificate.timer", self.name), self.timer()));
        }
        Ok(units)
    }

    /// sysusers.d(5), so that image-based systems agree with `%pre`. A colon would end the field in /etc/passwd.
    pub fn sysusers(&self) -> String {
        format!(
            "u {0} - \"{1}\" /var/lib/{0} /sbin/nologin\n",
            self.name,
            self.summary.replace(['"', '\\', '%', ':'], "")
        )
    }
}
