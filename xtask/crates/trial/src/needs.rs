//! What the host must have, to make a machine at all and to boot one.

use camino::Utf8Path;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::on_path;

/// Program, and the package that holds it, as Red Hat and Debian call it.
#[rustfmt::skip]
const PROGRAMS: [(&str, &str, &str); 8] = [
    ("cp",      "coreutils",  "coreutils"),
    ("find",    "findutils",  "findutils"),
    ("mount",   "util-linux", "mount"),
    ("nsenter", "util-linux", "util-linux"),
    ("setpriv", "util-linux", "util-linux"),
    ("tar",     "tar",        "tar"),
    ("timeout", "coreutils",  "coreutils"),
    ("unshare", "util-linux", "util-linux"),
];

/// Refuses to go on where no machine can be made.
///
/// - Fails: once, naming all that is missing, with what gives it.
pub fn check_needs() -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        return Err(Problem::with_hint(
            "a machine can be made on Linux only",
            "run it on a Linux host, as root; the RPM alone is enough there",
        ));
    }
    let mut faults = Vec::new();
    if !is_root() {
        faults.push(Problem::with_hint(
            "only root can mount a file system and install packages in it",
            "run it with `sudo`",
        ));
    }
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, ..)| on_path(program).is_none()).collect();
    if !missing.is_empty() {
        let listed = |texts: Vec<&str>| {
            let mut texts = texts;
            texts.sort_unstable();
            texts.dedup();
            texts.join(" ")
        };
        let programs: Vec<String> = missing.iter().map(|(program, ..)| format!("`{program}`")).collect();
        faults.push(Problem::with_hint(
            format!("this host lacks {}", programs.join(", ")),
            format!(
                "`dnf install {}`, or `apt-get install {}`",
                listed(missing.iter().map(|(_, red_hat, _)| *red_hat).collect()),
                listed(missing.iter().map(|(_, _, debian)| *debian).collect())
            ),
        ));
    }
    all_of("things are missing to live through the package", faults)
}

fn is_root() -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
    effective == Some("0")
}

/// Why systemd cannot be booted on this host, whatever the root is.
pub fn boot_obstacle() -> Option<anyhow::Error> {
    let map = fs_err::read_to_string("/proc/self/uid_map").unwrap_or_default();
    if !owns_every_user(&map) {
        return Some(Problem::with_hint(
            "this runs in a user namespace, where systemd-nspawn cannot",
            "run it as root of a host: a workstation, a virtual machine or a runner of its own",
        ));
    }
    if on_path("systemd-nspawn").is_none() {
        return Some(Problem::with_hint(
            "this host lacks `systemd-nspawn`",
            "`dnf install systemd-container`, or `apt-get install systemd-container`",
        ));
    }
    (!Utf8Path::new("/sys/fs/cgroup").is_dir())
        .then(|| Problem::with_hint("this host has no control groups", "mount a cgroup2 file system on /sys/fs/cgroup"))
}

/// Whether a map of users is that of the host itself: all of them, as they are (user_namespaces(7)).
fn owns_every_user(map: &str) -> bool {
    map.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_namespace_shows_in_its_map() {
        #[rustfmt::skip]
        let cases = [
            ("         0          0 4294967295\n",              true),
            ("         0       1000          1\n",              false),
            ("0 1000 1\n1 100000 65536\n",                      false),
            ("0 0 65536\n",                                     false),
            ("",                                                false),
        ];
        for (map, expected) in cases {
            assert_eq!(owns_every_user(map), expected, "{map:?}");
        }
    }
}
