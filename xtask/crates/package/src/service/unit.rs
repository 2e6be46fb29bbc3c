//! The unit of systemd.service(5), with the keys that the target's systemd knows.

use crate::service::command::ServiceProgram;
use crate::service::confinement::{CONFINEMENT, value_for};
use crate::service::facts::ServiceFacts;
use crate::service::overrides::section_of;
use wheelhaul_config::{Lines, Tls};
use wheelhaul_systemd::{UnitSection, assignment, command_line, literal, sysusers_line, unit_value_expects};

/// What an administrator's files below are, for secrets.
const CREDENTIALS: &str = "credentials";

/// systemd's own `PATH` for services of the system, systemd.exec(5).
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

impl ServiceFacts<'_> {
    /// The units: file name and text.
    ///
    /// # Errors
    /// For a command that cannot be written, and for what [`Self::check`] refuses.
    pub fn units(&self, program: ServiceProgram) -> anyhow::Result<Vec<(String, String)>> {
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

    /// `NAME.service`; keys that the target's systemd does not know are left out.
    pub(super) fn unit(&self, program: ServiceProgram) -> anyhow::Result<String> {
        let name = self.name;
        let mut unit = self.about(&literal(self.summary));
        // A start ends with an answer from the address; one of the host's own has to be there by then.
        let network = if self.has_own_address() { "network-online.target" } else { "network.target" };
        if self.has_own_address() {
            unit.add("Wants", network);
        }
        if self.is_socket_activated() {
            unit.add("Wants", format!("{name}.socket"));
            unit.add("After", format!("{network} {name}.socket"));
        } else {
            unit.add("After", network);
        }
        if self.renews() {
            unit.add("Wants", format!("{name}-certificate.timer"));
        }
        for secret in &self.service.secrets {
            unit.add("AssertPathExists", format!("{}/{secret}", self.credentials_folder()));
        }
        let mut service = self.service_section(program)?;
        self.limit_starts(&mut unit, &mut service);
        // Beside what is there: systemd takes no dependency away again.
        for (key, Lines(lines)) in self.service.unit.iter().filter(|(key, _)| section_of(key) == Some("Unit")) {
            lines.iter().for_each(|line| unit.add(key, line));
        }
        let mut install = UnitSection::new("Install", self.target.distribution.systemd);
        install.add("WantedBy", "multi-user.target");
        if self.is_socket_activated() {
            install.add("Also", format!("{name}.socket"));
        }
        Ok([unit.text(), service.text(), install.text()].join("\n"))
    }

    fn service_section(&self, program: ServiceProgram) -> anyhow::Result<UnitSection> {
        let name = self.name;
        let mut service = UnitSection::new("Service", self.target.distribution.systemd);
        service.add("Type", if self.notifies() { "notify" } else { "simple" });
        self.add_user(&mut service);
        service.add("WorkingDirectory", self.root);
        service.add("StateDirectory", name);
        service.add("StateDirectoryMode", "0750");
        service.add("Environment", format!("HOME=/var/lib/{name}"));
        service.add("Environment", assignment("PATH", &self.search_path()));
        self.add_secrets(&mut service);
        for (variable, value) in self.service.environment.iter().filter(|(variable, _)| *variable != "PATH") {
            service.add("Environment", assignment(variable, &self.filled(value)));
        }
        // Read later, so an administrator has the last word.
        service.add("EnvironmentFile", format!("-/etc/sysconfig/{name}"));
        if self.service.tls == Tls::SelfSigned {
            service.add("ExecStartPre", command_line(&self.certificate_command(&[])));
        }
        service.add("ExecStart", command_line(&self.command(program)?));
        if self.waits() {
            service.add("ExecStartPost", command_line(&self.wait_command()));
        }
        if self.server().is_some_and(|server| server.reloads) {
            service.add("ExecReload", "/bin/kill -s HUP $MAINPID");
        }
        service.add("KillMode", "mixed");
        service.add("TimeoutStopSec", "60");
        service.add("Restart", "on-failure");
        service.add("RestartSec", "2");
        self.add_confinement(&mut service);
        if self.service.port < 1024 && !self.is_socket_activated() {
            // A capability counts only in the user namespace that owns the network.
            let capability = ["CAP_NET_BIND_SERVICE".to_owned()];
            service.replace("PrivateUsers", &[]);
            service.replace("CapabilityBoundingSet", &capability);
            service.replace("AmbientCapabilities", &capability);
        }
        for (key, Lines(lines)) in self.service.unit.iter().filter(|(key, _)| self.target.knows("Service", key)) {
            // Where systemd takes no empty value, a key is reset by not being there.
            let systemd = self.target.distribution.systemd;
            let is_taken = |line: &&String| !line.is_empty() || unit_value_expects(systemd, key, line).is_none();
            service.replace(key, &lines.iter().filter(is_taken).cloned().collect::<Vec<_>>());
        }
        Ok(service)
    }

    /// `PATH` of the service: the programs of the package, then where a project says, else where systemd looks.
    fn search_path(&self) -> String {
        let own = format!("{}/bin", self.root);
        let searched = || self.service.unit.get("ExecSearchPath").map(|Lines(lines)| lines.join(":"));
        let others = self.service.environment.get("PATH").cloned().or_else(searched);
        let others = others.unwrap_or_else(|| SYSTEM_PATH.to_owned());
        match others.split(':').any(|entry| entry == own) {
            true => others,
            false if others.is_empty() => own,
            false => format!("{own}:{others}"),
        }
    }

    /// A service that never starts ends as failed, and its socket closes: nobody who asks is kept waiting for ever.
    ///
    /// systemd counts every start, also those of an administrator. Ten that take all the time that they may
    /// (`TimeoutStartSec=` is a minute and a half, `RestartSec=` is added) fit into the interval.
    fn limit_starts(&self, unit: &mut UnitSection, service: &mut UnitSection) {
        const STARTS: &str = "10";
        const WITHIN: &str = "20min";
        // systemd 230 took the keys out of [Service], and still reads them there: the project's own come later.
        let (section, key) = match self.target.knows("Unit", "StartLimitIntervalSec") {
            true => (unit, "StartLimitIntervalSec"),
            false => (service, "StartLimitInterval"),
        };
        for (key, value) in [(key, WITHIN), ("StartLimitBurst", STARTS)] {
            if !self.service.unit.contains_key(key) {
                section.add(key, value);
            }
        }
    }

    /// [Unit] with what every unit of the package says of itself.
    pub(super) fn about(&self, description: &str) -> UnitSection {
        let mut unit = UnitSection::new("Unit", self.target.distribution.systemd);
        unit.add("Description", description);
        unit.add("Documentation", format!("file:/usr/share/doc/{}/INSTALL.md", self.name));
        unit
    }

    pub(super) fn add_user(&self, service: &mut UnitSection) {
        service.add("User", self.name);
        service.add("Group", self.name);
    }

    pub(super) fn add_confinement(&self, service: &mut UnitSection) {
        let systemd = self.target.distribution.systemd;
        for (key, value) in CONFINEMENT {
            if let Some(value) = value_for(systemd, key, value) {
                service.add(key, value);
            }
        }
    }

    /// Where an administrator puts secrets, `/etc/NAME/credentials`.
    pub fn credentials_folder(&self) -> String {
        format!("/etc/{}/{CREDENTIALS}", self.name)
    }

    /// Whether systemd hands secrets over, so that only root has to be able to read them.
    pub fn loads_credentials(&self) -> bool {
        self.target.knows("Service", "LoadCredential")
    }

    /// The application reads `$CREDENTIALS_DIRECTORY/SECRET`, whoever sets that.
    fn add_secrets(&self, service: &mut UnitSection) {
        let folder = self.credentials_folder();
        if !self.service.secrets.is_empty() && !self.loads_credentials() {
            service.add("Environment", format!("CREDENTIALS_DIRECTORY={folder}"));
        }
        for secret in &self.service.secrets {
            service.add("LoadCredential", format!("{secret}:{folder}/{secret}"));
        }
    }
}
