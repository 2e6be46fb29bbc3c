//! What a machine stands on, and all of it that outlives a killed process: a folder and control groups.

use crate::cgroup;
use crate::cgroup::ControlGroup;
use wheelhaul_host::{NotOwn, Scratch, own_folder, private, this_user};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Removes what a machine leaves, for the host's `sh`.
const CLEANUP_SCRIPT: &str = include_str!("templates/cleanup.sh");

/// The start of a folder's name, and so of its control groups' and its container's.
const PREFIX: &str = "xtask-machine-";
/// The files in it that tell what else goes with it.
const GROUPS: &str = "groups";
const CONTAINER: &str = "container";

/// A folder, control groups where they can be made, and who removes both: when this is dropped, and when this
/// process is ended, whatever by.
#[derive(Debug)]
pub struct Sandbox {
    // held by this process and by the one that cleans up
    scratch: Scratch,
    groups: Vec<PathBuf>,
    no_groups: Option<anyhow::Error>,
    cleanup: Child,
}

impl Sandbox {
    /// Makes them, and removes what runs left behind whose cleanup process was killed too.
    pub fn make() -> anyhow::Result<Self> {
        let scratch = Scratch::new_after(&place()?, PREFIX, &remove_rest)?;
        let folder = scratch.folder();
        let (group, no_groups) = match ControlGroup::create(folder.file_name().context("a folder has a name")?) {
            Ok(group) => (Some(group), None),
            Err(error) => (None, Some(error)),
        };
        let groups = group.as_ref().map(|group| group.dirs().to_vec()).unwrap_or_default();
        let noted: String = groups.iter().map(|group| format!("{}\n", group.display())).collect();
        fs_err::write(folder.join(GROUPS), noted)?;
        let cleanup = Command::new("sh")
            .args(["-c", CLEANUP_SCRIPT, "sh"])
            .arg(folder)
            .args(&groups)
            .current_dir("/")
            .stdin(Stdio::piped())
            // It writes nothing: who has this open holds the folder.
            .stdout(scratch.lock()?)
            .stderr(Stdio::null())
            // Ctrl-C is for the group of the terminal
            .process_group(0)
            .spawn()
            .context("failed to run `sh`")?;
        // the cleanup process has it from here on
        std::mem::forget(group);
        Ok(Self { scratch, groups, no_groups, cleanup })
    }

    /// Its folder.
    pub fn folder(&self) -> &Utf8Path {
        self.scratch.folder()
    }

    /// A folder of its own for one machine.
    pub(super) fn plot(&self) -> anyhow::Result<Utf8PathBuf> {
        Ok(Utf8PathBuf::try_from(private("machine-").tempdir_in(self.folder())?.keep())?)
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
        Ok(fs_err::write(self.folder().join(CONTAINER), format!("{program}\n{name}\n"))?)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.cleanup.stdin.take());
        let _ = self.cleanup.wait();
    }
}

/// The folder of this tool that the grounds are in: `xtask-UID` below `TMPDIR`, or else /var/tmp: a root may have gigabytes.
/// Where somebody else took that name, a folder with a new one.
fn place() -> anyhow::Result<Utf8PathBuf> {
    let parent = match std::env::var("TMPDIR") {
        Ok(set) if !set.is_empty() => Utf8PathBuf::from(set),
        _ => Utf8PathBuf::from("/var/tmp"),
    };
    let parent = parent.canonicalize_utf8().with_context(|| format!("`{parent}` cannot be used"))?;
    let place = parent.join(format!("xtask-{}", this_user()));
    match own_folder(&place) {
        Ok(place) => Ok(place),
        Err(NotOwn::Foreign(_)) if place.symlink_metadata().is_ok() => {
            Ok(Utf8PathBuf::try_from(private("xtask-").tempdir_in(&parent)?.keep())?)
        }
        Err(why) => {
            Err(why).with_context(|| format!("no machine can be made in `{parent}`: name a folder by `TMPDIR`"))
        }
    }
}

/// Removes what goes with a sandbox that nobody holds any more, but for its folder.
fn remove_rest(folder: &Utf8Path) {
    let text = |name: &str| fs_err::read_to_string(folder.join(name)).unwrap_or_default();
    if let Some((program, name)) = text(CONTAINER).trim_end().split_once('\n') {
        // It may have gone, and so may the program.
        let _ = Command::new(program).args(["rm", "--force", name]).stdin(Stdio::null()).output();
    }
    for group in text(GROUPS).lines() {
        // The kernel keeps one with a process in it.
        let _ = cgroup::remove(std::path::Path::new(group));
    }
}
