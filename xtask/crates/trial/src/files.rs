//! Everything on a machine's disk, so that what a package leaves behind can be told.

use crate::Machine;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Books of rpm, dnf, systemd and the journal, caches, and what is not on the disk.
const NOT_LOOKED_AT: [&str; 10] = [
    "/mnt",
    "/root/.cache",
    "/tmp",
    "/usr/lib/sysimage/rpm",
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
    /// All files and folders of the machine's disk, and the first level of /run; read from outside, and no link
    /// is followed.
    pub fn list(machine: &Machine) -> anyhow::Result<Self> {
        let top = machine.seen_from_outside()?;
        let mut files = BTreeMap::new();
        let disk = top.symlink_metadata()?.dev();
        walk(&top, disk, &mut files);
        for entry in fs_err::read_dir(top.join("run"))?.flatten() {
            files.insert(format!("/run/{}", entry.file_name().to_string_lossy()), "in /run".to_owned());
        }
        Ok(Self(files))
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

fn walk(top: &Path, disk: u64, files: &mut BTreeMap<String, String>) {
    // a stack, since a package may nest folders as deep as it likes
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        // what a running machine removes meanwhile is not there
        let Ok(entries) = fs_err::read_dir(top.join(folder.trim_start_matches('/'))) else { continue };
        for entry in entries.flatten() {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let Ok(data) = entry.metadata() else { continue };
            if NOT_LOOKED_AT.contains(&path.as_str()) || (data.is_dir() && data.dev() != disk) {
                continue;
            }
            let (mode, owner) = (data.mode() & 0o7777, format!("{}:{}", data.uid(), data.gid()));
            let kind = match data.mode() & 0o170_000 {
                0o040_000 => "folder",
                0o100_000 => "file",
                0o120_000 => "link",
                _ => "special file",
            };
            let size = if data.is_dir() { String::new() } else { format!(", {} bytes", data.size()) };
            files.insert(path.clone(), format!("{kind} {mode:o} {owner}{size}"));
            if data.is_dir() {
                folders.push(path);
            }
        }
    }
}
