//! The flags of `trial`.

use crate::command_line::flags::verify::JudgingFlags;
use camino::Utf8PathBuf;
use clap::Args;
use wheelhaul_engine::trial::Options;

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
pub(crate) struct Flags {
    /// A root file system of the box: a folder, a tar of one, or `podman:IMAGE`
    #[arg(value_name = "ROOT")]
    root: String,
    /// RPMs that this tool made
    #[arg(value_name = "FILE")]
    rpms: Vec<Utf8PathBuf>,
    /// The older release that is upgraded from; goes with one FILE
    #[arg(long, value_name = "OLD.rpm", requires = "rpms")]
    from: Option<Utf8PathBuf>,
    /// Install this RPM first, such as the interpreter's; can be given several times
    #[arg(long, value_name = "RPM")]
    also: Vec<Utf8PathBuf>,
    /// how they are judged
    #[command(flatten)]
    judging: JudgingFlags,
}

impl Flags {
    /// The same as plain values.
    pub(crate) fn options(&self) -> Options {
        Options {
            root: self.root.clone(),
            rpms: self.rpms.clone(),
            from: self.from.clone(),
            also: self.also.clone(),
            judging: self.judging.options(),
        }
    }
}
