//! `[service.unit]`: which keys of [Service] and of [Unit] a project may set, and which this tool needs for itself.

use crate::service::confinement::confinement_keys;
use crate::service::facts::ServiceFacts;
use wheelhaul_base::problem::{Problem, all_of, nearest, shortened};
use wheelhaul_config::Lines;
use wheelhaul_systemd::{old_name_of, unit_key_since, unit_keys, unit_value_expects};

/// Keys that are not overridden, and why; the cure stands after it.
#[rustfmt::skip]
const OWN: &[(&[&str], &str, &str)] = &[
    (&["Type"], "how readiness is told follows from the server", "leave it out"),
    (&["ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition"], "it follows from `service.command`, `port`, `address` and `tls`", "say it there; a command of your own before it belongs to a drop-in on the box"),
    (&["User", "Group", "DynamicUser"], "files, state and secrets belong to the user of the package's name", "`SupplementaryGroups` adds rights of other groups"),
    (&["WorkingDirectory", "RootDirectory", "RootImage"], "some servers import from the working directory: it is one that only root can write", "leave it out"),
    (&["StateDirectory"], "certificate and home are there", "`CacheDirectory` and `LogsDirectory` are free"),
    (&["Environment", "EnvironmentFile"], "variables have a table of their own", "write them in `[service.environment]`; on the box they are in /etc/sysconfig/NAME"),
    (&["LoadCredential"], "secrets have a list of their own", "name them in `service.secrets`"),
    (&["Sockets"], "the socket follows from `port` and `address`", "leave it out"),
    (&["Description"], "it is the package's summary", "write it in `package.summary`"),
    (&["Documentation"], "it is what the package brings, INSTALL.md", "leave it out"),
];

/// The section that a key belongs to; one that both have had is one of [Service], where every systemd reads it.
pub(super) fn section_of(key: &str) -> Option<&'static str> {
    ["Service", "Unit"].into_iter().find(|section| unit_key_since(section, key).is_some())
}

impl ServiceFacts<'_> {
    /// Judges what a project asks of the unit.
    ///
    /// # Errors
    /// Once, for each key that the target's systemd does not know or that is this tool's own, for each value that it
    /// would not take, and for a socket that the server does not take.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut faults: Vec<anyhow::Error> =
            self.service.unit.keys().filter_map(|key| self.check_key(key).err()).collect();
        faults.extend(self.service.unit.iter().flat_map(|(key, lines)| self.check_values(key, lines)));
        faults.extend(self.check_socket().err());
        all_of("keys of `[service]` cannot be used", faults)
    }

    fn check_values(&self, key: &str, Lines(lines): &Lines) -> Vec<anyhow::Error> {
        let systemd = self.target.distribution.systemd;
        let is_own = OWN.iter().any(|(keys, ..)| keys.contains(&key));
        // An empty one takes the key out.
        let section = section_of(key).filter(|_| !is_own);
        if section == Some("Unit") && lines.iter().any(String::is_empty) {
            return vec![Problem::with_hint(
                format!("`service.unit.{key}` has an empty value, which resets nothing in [Unit]"),
                "leave the key out; what this tool itself writes there stays",
            )];
        }
        let judged = lines.iter().filter(|line| !line.is_empty() && section.is_some());
        let faults = judged.filter_map(|value| {
            let expected = unit_value_expects(systemd, key, value)?;
            let shown = shortened(value).escape_debug().to_string();
            let said = format!(
                "`{shown}` of `service.unit.{key}` is nothing that systemd {systemd} takes, which would ignore it"
            );
            Some(Problem::with_hint(said, format!("`{key}` takes {expected}")))
        });
        faults.collect()
    }

    fn check_key(&self, key: &str) -> anyhow::Result<()> {
        let shown = format!("key `service.unit.{}`", shortened(key).escape_debug());
        if let Some((_, why, cure)) = OWN.iter().find(|(keys, ..)| keys.contains(&key)) {
            return Err(Problem::with_hint(format!("{shown} is not for overriding: {why}"), *cure));
        }
        let systemd = self.target.distribution.systemd;
        match section_of(key).and_then(|section| unit_key_since(section, key)) {
            Some(since) if since <= systemd => Ok(()),
            // The unit has none of it there, so there is nothing to loosen.
            Some(_) if confinement_keys().any(|own| own == key) => Ok(()),
            Some(since) => Err(Problem::with_hint(
                format!("{shown} is known from systemd {since} on, and `{}` has {systemd}", self.target.name),
                match old_name_of(key) {
                    Some(old) => format!("`{old}` is what systemd {systemd} knows for it, and so do later ones"),
                    None => "leave it out; on a box that knows it, `systemctl edit` adds it".to_owned(),
                },
            )),
            None => {
                let near = nearest(key, unit_keys("Service").chain(unit_keys("Unit")));
                let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                Err(Problem::with_hint(
                    format!("{shown} is not a key of [Service] or [Unit] that is known"),
                    format!("`{}`: {near}systemd.directives(7) lists them", shortened(key).escape_debug()),
                ))
            }
        }
    }
}
