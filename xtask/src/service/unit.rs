//! The unit of systemd.service(5), with the keys that the target's systemd knows.

use crate::config::Tls;
use crate::service::{Facts, Program};
use std::fmt::Write as _;

impl Facts<'_> {
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

/// Writes words as a line of systemd.service(5): quoted where needed, `%` and `$` taken literally.
pub(super) fn line_of(words: &[String]) -> String {
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
