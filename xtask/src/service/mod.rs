//! The service as text: unit, sysusers file, scriptlets, and the command that starts the server.

mod command;
mod scriptlets;
mod unit;

pub use command::Program;
pub use scriptlets::Scriptlets;

use crate::config::{Service, Tls};
use crate::target::Target;

/// What the texts are made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
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
}

impl Facts<'_> {
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

    /// sysusers.d(5), so that image-based systems agree with `%pre`.
    pub fn sysusers(&self) -> String {
        format!("u {0} - \"{1}\" /var/lib/{0} /sbin/nologin\n", self.name, self.summary.replace(['"', '\\', '%'], ""))
    }
}

#[cfg(test)]
mod tests {
    use super::unit::line_of;
    use super::*;

    fn service(command: &[&str], port: u16, tls: Tls) -> Service {
        Service {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            port,
            address: "0.0.0.0".to_owned(),
            tls,
        }
    }

    fn facts<'a>(service: &'a Service, target: &'a Target) -> Facts<'a> {
        Facts { name: "report", summary: "A report at 100%", root: "/opt/report", service, target }
    }

    #[test]
    fn commands_get_address_and_certificate_as_their_server_takes_them() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let python = "/usr/bin/python3.11 -ISB /opt/report/bin/python";
        #[rustfmt::skip]
        let cases = [ // command                                tls              program            ExecStart
            (vec!["gunicorn", "a:b"],                           Tls::Off,        Program::Script, format!("{python} /opt/report/bin/gunicorn a:b --bind 0.0.0.0:9091")),
            (vec!["gunicorn", "a:b"],                           Tls::SelfSigned, Program::Script, format!("{python} /opt/report/bin/gunicorn a:b --bind 0.0.0.0:9091 --certfile /var/lib/report/tls.crt --keyfile /var/lib/report/tls.key")),
            (vec!["uvicorn", "a:b"],                            Tls::Off,        Program::Module, format!("{python} -m uvicorn a:b --host 0.0.0.0 --port 9091")),
            (vec!["own", "--at", "{address}:{port}", "50% \"x\""], Tls::Off,     Program::Binary, "/opt/report/bin/own --at 0.0.0.0:9091 \"50%% \\\"x\\\"\"".to_owned()),
        ];
        for (command, tls, program, line) in cases {
            let service = service(&command, 9091, tls);
            assert_eq!(line_of(&facts(&service, &target).command(program).unwrap()), line);
        }
        for (command, tls) in [(vec!["own"], Tls::Off), (vec!["waitress-serve", "a:b"], Tls::SelfSigned)] {
            let service = service(&command, 9091, tls);
            assert!(facts(&service, &target).command(Program::Script).is_err(), "{command:?}");
        }
    }

    #[test]
    fn an_old_systemd_gets_what_it_knows_and_its_state_from_the_scriptlet() {
        for (name, protect, filters, makes) in
            [("el7-x86_64", "ProtectSystem=full\n", false, true), ("el8-x86_64", "ProtectSystem=strict\n", true, false)]
        {
            let target = Target::find(name, None, None).unwrap();
            let service = service(&["gunicorn", "a:b"], 9091, Tls::SelfSigned);
            let facts = facts(&service, &target);
            let unit = facts.unit(Program::Script).unwrap();
            assert!(unit.contains(protect) && unit.contains("@system-service") == filters, "{name}:\n{unit}");
            let pre = facts.scriptlets().pre;
            assert!(pre.contains("chown report:report /var/lib/report") == makes && !pre.contains("STATE"), "{pre}");
            assert!(pre.ends_with("exit 0\n"), "{pre}");
        }
    }

    #[test]
    fn a_unit_has_only_keys_that_its_systemd_knows() {
        for (name, has, lacks) in
            [("el8-x86_64", "StateDirectory=", "ProtectProc="), ("el9-x86_64", "ProtectProc=", "PrivatePIDs=")]
        {
            let target = Target::find(name, None, None).unwrap();
            let service = service(&["gunicorn", "a:b"], 80, Tls::SelfSigned);
            let unit = facts(&service, &target).unit(Program::Script).unwrap();
            assert!(unit.contains(has) && !unit.contains(lacks), "{name}:\n{unit}");
            assert!(
                unit.contains("AmbientCapabilities=CAP_NET_BIND_SERVICE")
                    && unit.contains("Description=A report at 100%%\n")
            );
        }
    }
}
