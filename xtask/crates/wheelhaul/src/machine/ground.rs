//! What a machine stands on, and all of it that outlives a killed process: a folder and control groups.

use crate::machine::cgroup::ControlGroup;
use crate::sys::private;
use crate::templates::machine::WARDEN;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The start of a folder's name; then the process that made it.
const PREFIX: &str = ".xtask-machine-";
/// Folders of another process namespace's runs are left alone so long.
const OLD: Duration = Duration::from_secs(3600);

/// A folder, control groups where they can be made, and who removes both: when this is dropped, and when this
/// process is ended, whatever by.
#[derive(Debug)]
pub struct Ground {
    folder: Utf8PathBuf,
    groups: Vec<PathBuf>,
    no_groups: Option<anyhow::Error>,
    warden: Child,
}

impl Ground {
    /// Makes them, and removes what runs left behind whose warden was killed too.
    ///
    /// The folder is below `TMPDIR`, or else /var/tmp: a root may have gigabytes.
    pub fn make() -> anyhow::Result<Self> {
        let parent = match std::env::var("TMPDIR") {
            Ok(set) if !set.is_empty() => Utf8PathBuf::from(set),
            _ => Utf8PathBuf::from("/var/tmp"),
        };
        sweep(&parent);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = private(&prefix).tempdir_in(&parent)?.keep();
        let folder = Utf8PathBuf::try_from(folder)?;
        let (group, no_groups) = match ControlGroup::create() {
            Ok(group) => (Some(group), None),
            Err(error) => (None, Some(error)),
        };
        let groups = group.as_ref().map(|group| group.dirs().to_vec()).unwrap_or_default();
        let warden = Command::new("sh")
            .args(["-c", WARDEN, "sh"])
            .arg(&folder)
            .args(&groups)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the group of the terminal
            .process_group(0)
            .spawn()
            .context("failed to run `sh`")?;
        // the warden's from here on
        std::mem::forget(group);
        Ok(Self { folder, groups, no_groups, warden })
    }

    /// Its folder.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// A folder of its own for one machine.
    pub(super) fn plot(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(Utf8PathBuf::try_from(private("machine-").tempdir_in(&self.folder)?.keep())?)
    }

    /// Its control groups.
    ///
    /// - Fails: where none could be made, with the reason.
    pub(super) fn groups(&self) -> anyhow::Result<&[PathBuf]> {
        match &self.no_groups {
            Some(why) => anyhow::bail!("{why:#}"),
            None => Ok(&self.groups),
        }
    }

    /// Notes a container that goes with this, too.
    pub(super) fn holds_container(&self, program: &str, name: &str) -> anyhow::Result<()> {
        Ok(fs_err::write(self.folder.join("container"), format!("{program}\n{name}\n"))?)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        drop(self.warden.stdin.take());
        let _ = self.warden.wait();
    }
}

fn sweep(parent: &Utf8Path) {
    for entry in parent.read_dir_utf8().into_iter().flatten().flatten() {
        let made_by = entry.file_name().strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let is_gone = made_by.is_some_and(|process| !Utf8Path::new("/proc").join(process).exists());
        let age = entry.metadata().ok().and_then(|data| data.modified().ok()?.elapsed().ok());
        if is_gone && age.is_some_and(|age| age > OLD) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
