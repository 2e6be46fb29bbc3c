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

use crate::verify::Judging;
use camino::Utf8PathBuf;

/// What `trial` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A root file system of the box: a folder, a tar of one, or `podman:IMAGE`
    pub root: String,
    /// RPMs that this tool made
    pub rpms: Vec<Utf8PathBuf>,
    /// The older release that is upgraded from; goes with one FILE
    pub from: Option<Utf8PathBuf>,
    /// Install this RPM first, such as the interpreter's; can be given several times
    pub also: Vec<Utf8PathBuf>,
    /// how they are judged
    pub judging: Judging,
}
