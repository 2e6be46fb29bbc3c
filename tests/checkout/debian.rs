//! What the tests that make a Debian root have in common: where it comes from, and where it is kept.

use std::process::Command;

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::command::run;

/// Where roots are kept: beside what else the tests install.
pub fn roots_folder() -> anyhow::Result<Utf8PathBuf> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/xtask/test-roots");
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize_utf8()?;
    // the overlay's options are split at these, and a hook's words are quoted
    if folder.as_str().contains([',', ':', '\\', '\'']) {
        bail!(
            "`{folder}` cannot be mounted: it has a comma, colon, backslash or quote\nhint: clone into a folder without them"
        );
    }
    Ok(folder)
}

/// The Debian archive that this machine itself installs from.
pub fn debian_archive() -> anyhow::Result<String> {
    let listed = run(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Origin: Debian",
        "Label: Debian",
    ]))?
    .text()?;
    listed.lines().next().map(str::to_owned).context(
        "apt on this machine names no Debian archive\n\
         hint: run the test on Debian, after `apt-get update`",
    )
}
