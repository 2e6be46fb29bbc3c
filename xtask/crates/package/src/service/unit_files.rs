//! The files that a package gives to systemd.

use crate::service::command::Program;
use crate::service::facts::ServiceFacts;
use wheelhaul_systemd::sysusers_line;

/// The program by which root runs a command as the service.
pub fn run_program(name: &str) -> String {
    format!("/usr/bin/{name}-run")
}

impl ServiceFacts<'_> {
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

    /// sysusers.d(5), so that image-based systems agree with `%pre`.
    pub fn sysusers(&self) -> String {
        sysusers_line(self.name, self.summary, &format!("/var/lib/{}", self.name))
    }
}
