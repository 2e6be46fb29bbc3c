//! The disk of a machine: a Debian root that behaves like RHEL where the two differ.

use std::process::Command;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use wheelhaul_base::hex::hex;

use crate::checkout::command::run;
use crate::checkout::debian::{debian_archive, roots_folder};

/// What an RPM of a web service meets on a small server; `curl` and `ss` are for the test itself.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,rpm,dnf,python3,openssl,ca-certificates,\
                        procps,iproute2,passwd,login,mount,curl";

/// RHEL has one `/usr`; Debian does from bookworm on, and before where mmdebstrap is told.
const MERGED_USR: &str = "--setup-hook=/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh";
const SPLIT_USR: [&str; 1] = ["bullseye"];

/// What every machine gets alike, beside its packages.
#[rustfmt::skip]
const OPTIONS: [&str; 7] = [
    "--quiet",
    "--variant=essential",
    // dpkg asks the disk to sync every file; this one lives in memory
    "--dpkgopt=force-unsafe-io",
    // a mirror that is frozen or far behind is good enough, and so is a suite whose dates look wrong
    "--aptopt=Acquire::Check-Valid-Until \"false\"",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
];

/// Run by mmdebstrap with the new root as `$1`, after the packages are in.
const LIKE_RHEL: &str = r#"
set -eu
umask 022
cd "$1"
# Debian keeps root's rpm database in ~/.rpmdb
mkdir -p etc/rpm var/lib/rpm
printf '%%_dbpath /var/lib/rpm\n' > etc/rpm/macros
chroot . rpm --initdb
# dnf as on a box that has nothing but files to install from
mkdir -p etc/dnf etc/yum.repos.d
printf '[main]\ngpgcheck=1\nbest=True\nclean_requirements_on_remove=True\n' > etc/dnf/dnf.conf
# RHEL leaves a new service disabled until the administrator enables it; Debian enables it
mkdir -p usr/lib/systemd/system-preset usr/share/licenses
printf 'disable *\n' > usr/lib/systemd/system-preset/99-default-disable.preset
# scriptlets are run by bash; Debian's sh is dash
ln -sf bash bin/sh
# a server, not a desktop
ln -sf /usr/lib/systemd/system/multi-user.target etc/systemd/system/default.target
# jobs of Debian that have nothing to do here, and one mount that a container may not make
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
            fstrim.timer dev-hugepages.mount systemd-networkd.service \
            systemd-resolved.service systemd-timesyncd.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
done
# mmdebstrap copies the workstation's name and resolver, and writes no hosts
printf 'machine\n' > etc/hostname
printf '127.0.0.1 localhost\n::1 localhost\n' > etc/hosts
rm -f etc/resolv.conf
# empty: systemd makes a new one at each first boot
rm -f etc/machine-id
: > etc/machine-id
"#;

/// Builds in memory: `$1` is a folder to mount it on, the rest is the command. The mount is in a
/// namespace of its own and ends with it.
const IN_MEMORY: &str = r#"
set -eu
mount -t tmpfs -o mode=0755 stage "$1"
export TMPDIR="$1"
shift
exec "$@"
"#;

/// An unpacked root. Nothing writes to it; each machine lays its own disk over it.
#[derive(Debug)]
pub struct Root {
    dir: Utf8PathBuf,
}

impl Root {
    /// The root of `suite` (`bullseye` or later), built by mmdebstrap when it is not there yet.
    ///
    /// - Keeps: `NAME.tar.zst` and the unpacked `NAME` in the tests' folder of roots, where the name
    ///   holds a digest of the recipe: a changed recipe makes a new root.
    /// - Network: only for the first build, from the Debian archive in this machine's apt sources.
    pub fn prepare(suite: &str) -> anyhow::Result<Self> {
        Self::prepare_with(suite, &[])
    }

    /// The same with further packages of the suite.
    pub fn prepare_with(suite: &str, packages: &[&str]) -> anyhow::Result<Self> {
        let cache = roots_folder()?;
        let packages = [&[PACKAGES], packages].concat().join(",");
        let name = format!("{suite}-{}", &hex(&Sha256::digest(recipe(suite, &packages)))[..12]);
        let archive = cache.join(format!("{name}.tar.zst"));
        let dir = cache.join(&name);
        if !archive.is_file() {
            build(suite, &packages, &archive).with_context(|| format!("failed to build `{archive}`"))?;
        }
        if !dir.is_dir() {
            unpack(&archive, &dir).with_context(|| {
                format!("failed to unpack `{archive}`\nhint: delete it; the next run makes it anew")
            })?;
        }
        Ok(Self { dir })
    }

    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The tar that it was unpacked from.
    #[allow(dead_code, reason = "for the test that gives it to the tool")]
    pub fn archive(&self) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}.tar.zst", self.dir))
    }
}

/// Everything that decides what the root holds, except the archive's own state.
fn recipe(suite: &str, packages: &str) -> String {
    [&[suite, packages, LIKE_RHEL], &OPTIONS[..], setup_of(suite)].concat().join("\n")
}

/// What a suite needs beside.
fn setup_of(suite: &str) -> &'static [&'static str] {
    if SPLIT_USR.contains(&suite) { &[MERGED_USR] } else { &[] }
}

/// Makes the root and packs it, under a temporary name until it is whole.
fn build(suite: &str, packages: &str, archive: &Utf8Path) -> anyhow::Result<()> {
    let folder = archive.parent().context("the archive has no folder")?;
    let stage = tempfile::Builder::new().prefix(".stage-").tempdir_in(folder)?;
    let part = tempfile::Builder::new().prefix(".part-").suffix(".tar.zst").tempfile_in(folder)?;
    let hook = tempfile::Builder::new().prefix(".hook-").tempfile_in(folder)?;
    fs::write(hook.path(), LIKE_RHEL)?;

    run(Command::new("unshare")
        .args(["--mount", "sh", "-c", IN_MEMORY, "sh"])
        .arg(stage.path())
        .arg("mmdebstrap")
        .args(OPTIONS)
        .args(setup_of(suite))
        .arg(format!("--include={packages}"))
        .arg(format!("--customize-hook=sh '{}' \"$1\"", hook.path().display()))
        .arg(suite)
        .arg(part.path())
        .arg(debian_archive()?))?
    .text()?;
    part.persist(archive)?;
    Ok(())
}

fn unpack(archive: &Utf8Path, dir: &Utf8Path) -> anyhow::Result<()> {
    let folder = dir.parent().context("the root has no folder")?;
    let part = tempfile::Builder::new().prefix(".unpack-").tempdir_in(folder)?;
    run(Command::new("tar")
        .args(["--extract", "--zstd", "--xattrs", "--numeric-owner", "--file"])
        .arg(archive)
        .arg("--directory")
        .arg(part.path()))?
    .text()?;
    // another run may have been faster; its root is as good
    match fs::rename(part.path(), dir) {
        Err(_) if dir.is_dir() => Ok(()),
        renamed => renamed.map_err(Into::into),
    }
}
