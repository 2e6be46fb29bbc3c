//! What the tests that make a Debian root have in common: where it comes from, and where it is kept.

use std::process::Command;

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::command::run;

/// Where roots are kept, below the user's cache folder.
pub fn cache_folder() -> anyhow::Result<Utf8PathBuf> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let base = match (set("XDG_CACHE_HOME"), set("HOME")) {
        (Some(cache), _) => Utf8PathBuf::from(cache),
        (None, Some(home)) => Utf8Path::new(&home).join(".cache"),
        (None, None) => bail!("no folder to keep the root in\nhint: set XDG_CACHE_HOME"),
    };
    let folder = base.join("xtask-roots");
    // the overlay's options are split at these, and a hook's words are quoted
    if folder.as_str().contains([',', ':', '\\', '\'']) {
        bail!("`{folder}` cannot be mounted: it has a comma, colon, backslash or quote\nhint: set XDG_CACHE_HOME");
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
