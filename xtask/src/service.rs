//! The service as text: unit, sysusers file, scriptlets, and the command that starts the server.
//!
//! Scriptlets are plain `systemctl` with a daemon-reload of their own, the same on every target: RHEL's
//! `%systemd_*` macros leave reloading to file triggers of systemd's package, which some rpm versions
//! run too late or not at all.

use crate::config::{Service, Tls};
use crate::problem::Problem;
use crate::target::Target;
use std::fmt::Write as _;

/// How a server that is known takes its address, port and certificate.
struct Server {
    /// console script, and module
    names: &'static [&'static str],
    listen: &'static [&'static str],
    tls: &'static [&'static str],
    /// whether it tells systemd when it is ready (`sd_notify`)
    notifies: bool,
    /// whether it takes its code and configuration anew on SIGHUP
    reloads: bool,
}

#[rustfmt::skip]
const SERVERS: &[Server] = &[
    Server { names: &["gunicorn"],  listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies: true,  reloads: true },
    Server { names: &["hypercorn"], listen: &["--bind", "{address}:{port}"],            tls: &["--certfile", "{cert}", "--keyfile", "{key}"],         notifies: false, reloads: false },
    Server { names: &["uvicorn"],   listen: &["--host", "{host}", "--port", "{port}"],  tls: &["--ssl-certfile", "{cert}", "--ssl-keyfile", "{key}"], notifies: false, reloads: false },
    Server { names: &["waitress-serve", "waitress"], listen: &["--host", "{host}", "--port", "{port}"], tls: &[],                                    notifies: false, reloads: false },
];

/// How the first word of `service.command` is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `/opt/NAME/bin/WORD`, run by the launcher
    Script,
    /// `/opt/NAME/bin/WORD`, a program of its own
    Binary,
    /// `python -m WORD`
    Module,
}

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

    /// The Python that runs programs of the package: interpreter, isolation, launcher.
    fn python(&self) -> [String; 3] {
        [self.target.interpreter.path.to_owned(), "-ISB".to_owned(), format!("{}/bin/python", self.root)]
    }

    /// The words of `ExecStart`.
    ///
    /// - Fails: for a server that is not known and whose command does not say where the port goes; for
    ///   TLS with a server that has none.
    pub fn command(&self, program: Program) -> anyhow::Result<Vec<String>> {
        let (word, rest) = self.service.command.split_first().expect("checked by `Config`");
        let script = format!("{}/bin/{word}", self.root);
        let mut words: Vec<String> = match program {
            Program::Binary => vec![script],
            Program::Script => self.python().into_iter().chain([script]).collect(),
            Program::Module => self.python().into_iter().chain(["-m".to_owned(), word.clone()]).collect(),
        };
        words.extend(rest.iter().cloned());
        let says_port = rest.iter().any(|word| word.contains("{port}"));
        if !says_port {
            let server = self.server().ok_or_else(|| {
                Problem::with_hint(
                    format!("`service.command` does not say where the port goes, and `{word}` is no server that is known"),
                    "write `{address}`, `{port}`, `{cert}` and `{key}` where its options take them; known are gunicorn, hypercorn, uvicorn and waitress",
                )
            })?;
            words.extend(server.listen.iter().map(|word| (*word).to_owned()));
            if self.certificate().is_some() {
                if server.tls.is_empty() {
                    return Err(Problem::with_hint(
                        format!("`{word}` cannot serve TLS by itself"),
                        "set `service.tls = \"off\"` and put a reverse proxy in front, or serve with gunicorn",
                    ));
                }
                words.extend(server.tls.iter().map(|word| (*word).to_owned()));
            }
        }
        let (cert, key) = self.certificate().unwrap_or_default();
        let address = &self.service.address;
        let bound = if address.contains(':') { format!("[{address}]") } else { address.clone() };
        let fill = |word: String| {
            word.replace("{address}", &bound)
                .replace("{host}", address)
                .replace("{port}", &self.service.port.to_string())
                .replace("{cert}", &cert)
                .replace("{key}", &key)
        };
        Ok(words.into_iter().map(fill).collect())
    }

    fn server(&self) -> Option<&'static Server> {
        SERVERS.iter().find(|server| server.names.contains(&self.service.command[0].as_str()))
    }

    /// The unit file; keys that the target's systemd does not know are left out.
    pub fn unit(&self, program: Program) -> anyhow::Result<String> {
        let notifies = self.server().is_some_and(|server| server.notifies);
        let mut service: Vec<(&str, String)> = vec![
            ("Type", if notifies { "notify" } else { "simple" }.to_owned()),
            ("User", self.name.to_owned()),
            ("Group", self.name.to_owned()),
            ("WorkingDirectory", self.root.to_owned()),
            ("StateDirectory", self.name.to_owned()),
            ("StateDirectoryMode", "0750".to_owned()),
            ("Environment", format!("HOME=/var/lib/{}", self.name)),
            ("EnvironmentFile", format!("-/etc/sysconfig/{}", self.name)),
        ];
        if self.service.tls == Tls::SelfSigned {
            let words = [
                self.target.interpreter.path.to_owned(),
                "-ISB".to_owned(),
                format!("{}/bin/self-signed-certificate", self.root),
                format!("/var/lib/{}", self.name),
            ];
            service.push(("ExecStartPre", line_of(&words)));
        }
        service.push(("ExecStart", line_of(&self.command(program)?)));
        if self.server().is_some_and(|server| server.reloads) {
            service.push(("ExecReload", "/bin/kill -s HUP $MAINPID".to_owned()));
        }
        service.extend([
            ("KillMode", "mixed".to_owned()),
            ("TimeoutStopSec", "60".to_owned()),
            ("Restart", "on-failure".to_owned()),
            ("RestartSec", "2".to_owned()),
        ]);
        if self.service.port < 1024 {
            service.push(("AmbientCapabilities", "CAP_NET_BIND_SERVICE".to_owned()));
            service.push(("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE".to_owned()));
        } else {
            service.push(("CapabilityBoundingSet", String::new()));
            service.push(("PrivateUsers", "yes".to_owned()));
        }
        let systemd = self.target.distribution.systemd;
        service.extend(
            HARDENING.iter().filter_map(|(key, value)| Some((*key, value_for(systemd, key, value)?.to_owned()))),
        );
        let mut text = format!(
            "[Unit]\nDescription={}\nDocumentation=file:/usr/share/doc/{}/INSTALL.md\nAfter=network.target\n\n[Service]\n",
            // A backslash at the end would join the next line.
            self.summary.replace('%', "%%").trim_end_matches('\\'),
            self.name
        );
        for (key, value) in service.iter().filter(|(key, _)| self.target.knows("Service", key)) {
            writeln!(text, "{key}={value}").expect("a String takes all");
        }
        text.push_str("\n[Install]\nWantedBy=multi-user.target\n");
        Ok(text)
    }

    /// sysusers.d(5), so that image-based systems agree with `%pre`.
    pub fn sysusers(&self) -> String {
        format!("u {0} - \"{1}\" /var/lib/{0} /sbin/nologin\n", self.name, self.summary.replace(['"', '\\', '%'], ""))
    }

    /// The four scriptlets.
    pub fn scriptlets(&self) -> Scriptlets {
        let fill = |text: &str| text.replace("NAME", self.name);
        // Where systemd does not make the folder of the state, `%pre` does.
        let state = if self.target.knows("Service", "StateDirectory") { "" } else { STATE };
        Scriptlets {
            pre: fill(&PRE.replace("STATE", state)),
            post: fill(POST),
            preun: fill(PREUN),
            postun: fill(POSTUN),
        }
    }
}

/// What confines the service, beside its user. systemd.exec(5).
const HARDENING: &[(&str, &str)] = &[
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("PrivateIPC", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("ProcSubset", "pid"),
    ("LockPersonality", "yes"),
    ("RemoveIPC", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallErrorNumber", "EPERM"),
    ("UMask", "0077"),
];

/// The value of a key as a systemd knows it; none where it knows no value that would do.
///
/// systemd's NEWS: `ProtectSystem=strict` came with 232, and groups of system calls (`@system-service`) with
/// 231. An older one takes a group for a call that it does not know, and would allow next to none.
fn value_for(systemd: u16, key: &str, value: &'static str) -> Option<&'static str> {
    match key {
        "ProtectSystem" if systemd < 232 => Some("full"),
        "SystemCallFilter" | "SystemCallErrorNumber" if systemd < 231 => None,
        _ => Some(value),
    }
}

/// The scriptlets, for `/bin/sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlets {
    /// before the files are there
    pub pre: String,
    /// after the files are there
    pub post: String,
    /// before the files go
    pub preun: String,
    /// after the files are gone
    pub postun: String,
}

const PRE: &str = "\
getent group NAME >/dev/null || groupadd -r NAME || exit 1
getent passwd NAME >/dev/null || \\
    useradd -r -g NAME -d /var/lib/NAME -M -s /sbin/nologin -c \"Service NAME\" NAME || exit 1
STATEexit 0
";
const STATE: &str = "\
mkdir -p -m 0750 /var/lib/NAME && chown NAME:NAME /var/lib/NAME || exit 1
";
const POST: &str = "\
if [ \"$1\" -eq 1 ]; then
    systemctl --no-reload preset NAME.service >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
fi
exit 0
";
const PREUN: &str = "\
if [ \"$1\" -eq 0 ]; then
    if [ -d /run/systemd/system ]; then
        systemctl --no-reload disable --now NAME.service >/dev/null 2>&1 || :
    else
        systemctl --no-reload disable NAME.service >/dev/null 2>&1 || :
    fi
fi
exit 0
";
const POSTUN: &str = "\
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    if [ \"$1\" -ge 1 ]; then
        systemctl try-restart NAME.service >/dev/null 2>&1 || :
    fi
fi
exit 0
";

/// Writes words as a line of systemd.service(5): quoted where needed, `%` and `$` taken literally.
fn line_of(words: &[String]) -> String {
    let quoted = |word: &String| {
        let word = word.replace('%', "%%").replace('$', "$$");
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:=@%$+,[]{}".contains(c)) {
            word
        } else {
            format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
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
