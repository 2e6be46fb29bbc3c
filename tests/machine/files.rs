//! Everything on the machine's disk, so that what a package leaves behind can be told.

use std::collections::BTreeMap;

use super::Machine;

/// Books of rpm, dnf, systemd and the journal, caches, and what is not on the disk.
const NOT_LOOKED_AT: [&str; 9] = [
    "/mnt",
    "/root/.cache",
    "/tmp",
    "/var/cache",
    "/var/lib/dnf",
    "/var/lib/rpm",
    "/var/lib/systemd",
    "/var/log",
    "/var/tmp",
];

/// Path → type, mode, owner, and size if it is no folder.
#[derive(Debug)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// All files and folders of the machine's disk, and the first level of /run.
    pub fn list(machine: &Machine) -> anyhow::Result<Self> {
        let skipped = NOT_LOOKED_AT.map(|path| format!("-path {path}")).join(" -o ");
        let listed = machine.script(&format!(
            r"find / -xdev \( {skipped} \) -prune -o -type d -printf '%p\t%y %m %u:%g\n' -o -printf '%p\t%y %m %u:%g %s\n'
              find /run -mindepth 1 -maxdepth 1 -printf '%p\tin /run\n'"
        ))?;
        let entries = listed.lines().filter_map(|line| line.split_once('\t'));
        Ok(Self(entries.map(|(path, facts)| (path.to_owned(), facts.to_owned())).collect()))
    }

    /// The paths that are new, gone or changed since `before`, sorted, with what happened.
    pub fn changed_since(&self, before: &Self) -> Vec<(String, String)> {
        let mut changes = BTreeMap::new();
        for (path, now) in &self.0 {
            match before.0.get(path) {
                None => changes.insert(path.clone(), format!("new: {now}")),
                Some(then) if then != now => changes.insert(path.clone(), format!("was {then}, is {now}")),
                Some(_) => None,
            };
        }
        for (path, then) in before.0.iter().filter(|(path, _)| !self.0.contains_key(*path)) {
            changes.insert(path.clone(), format!("gone: was {then}"));
        }
        changes.into_iter().collect()
    }
}
