//! `trial`: living through the package on a throw-away machine without network.

#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod facts;
#[cfg(unix)]
mod rpm;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod shown;
#[cfg(unix)]
mod steps;
#[cfg(unix)]
mod story;
#[cfg(unix)]
mod unit;

#[cfg(unix)]
pub use bench::{Bench, Wish};
#[cfg(unix)]
pub use shown::{is_bad, json, rows, text};

use crate::commands::verify::Judging;
use camino::Utf8PathBuf;
use clap::Args;

/// Live through finished RPMs on a throw-away machine: install, start, ask, restart, reboot, upgrade and remove
///
/// The machine has no network, and is made from ROOT: a root file system of the box as a folder, a tar of one, or
/// `podman:IMAGE`. ROOT itself is not changed. Each package is judged as `verify` does, too. Without FILE, the RPMs
/// in `dist/out` of the configured targets. Needs Linux and root.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask trial /srv/el9-root shop.rpm                    made by `dnf --installroot`\n  \
    cargo xtask trial el9.tar.gz shop-2.rpm --from shop-1.rpm   and the upgrade\n  \
    cargo xtask trial podman:IMAGE shop.rpm --also python.rpm   with what the image lacks")]
pub struct Flags {
    /// A root file system of the box: a folder, a tar of one, or `podman:IMAGE`
    #[arg(value_name = "ROOT")]
    pub root: String,
    /// RPMs that this tool made
    #[arg(value_name = "FILE")]
    pub rpms: Vec<Utf8PathBuf>,
    /// The older release that is upgraded from; goes with one FILE
    #[arg(long, value_name = "OLD.rpm", requires = "rpms")]
    pub from: Option<Utf8PathBuf>,
    /// Install this RPM first, such as the interpreter's; can be given several times
    #[arg(long, value_name = "RPM")]
    pub also: Vec<Utf8PathBuf>,
    /// how they are judged
    #[command(flatten)]
    pub judging: Judging,
}
