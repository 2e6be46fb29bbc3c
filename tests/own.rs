//! Only what this tool made is removed, and no program and no answer comes from a folder that somebody else controls.

#[path = "disturbed/app.rs"]
#[allow(dead_code, reason = "shared with the tests of disturbed builds")]
mod app;
#[path = "own/attacks.rs"]
mod attacks;
#[path = "hostile/boxes.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod boxes;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "own/clone.rs"]
mod clone;
#[path = "locking/index.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod index;
#[path = "signing/keys.rs"]
#[allow(dead_code, reason = "shared with the tests of signatures")]
mod keys;
#[path = "own/removed.rs"]
mod removed;
#[path = "locking/repository.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod repository;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod zip;

use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use std::process::Command;

/// The number of a user who is nobody here.
const STRANGER: &str = "65534:65534";

fn temporary() -> anyhow::Result<(tempfile::TempDir, Utf8PathBuf)> {
    let keep = tempfile::tempdir()?;
    let folder = Utf8PathBuf::try_from(keep.path().canonicalize()?)?;
    Ok((keep, folder))
}

/// Gives a file or folder, with all that is in it, to a stranger; false where this user may not.
fn give_away(path: &Utf8Path) -> anyhow::Result<bool> {
    Ok(run(Command::new("chown").args(["-R", "-h", STRANGER, path.as_str()]))?.succeeded())
}

fn set_mode(path: &Utf8Path, mode: u32) -> anyhow::Result<()> {
    Ok(fs_err::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?)
}

fn mode(path: &Utf8Path) -> anyhow::Result<u32> {
    Ok(std::os::unix::fs::PermissionsExt::mode(&fs_err::metadata(path)?.permissions()) & 0o7777)
}
