//! What the machine really has, told to its rpm: Debian's packages are not in rpm's database.
//!
//! Installed as a package without files, so that `rpm -U` judges `Requires` honestly: what is not
//! there is refused as on a real box.

use std::collections::BTreeSet;

use anyhow::{Context, bail};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Machine, Root};

/// Debian package, and the RHEL package with the same content.
#[rustfmt::skip]
const NAMES: [(&str, &str); 30] = [
    ("bash",            "bash"),
    ("ca-certificates", "ca-certificates"),
    ("coreutils",       "coreutils"),
    ("curl",            "curl"),
    ("dbus",            "dbus"),
    ("findutils",       "findutils"),
    ("grep",            "grep"),
    ("gzip",            "gzip"),
    ("iproute2",        "iproute"),
    ("libbz2-1.0",      "bzip2-libs"),
    ("libc6",           "glibc"),
    ("libexpat1",       "expat"),
    ("libffi8",         "libffi"),
    ("libgcc-s1",       "libgcc"),
    ("liblzma5",        "xz-libs"),
    ("libsqlite3-0",    "sqlite-libs"),
    ("libssl3",         "openssl-libs"),
    ("libstdc++6",      "libstdc++"),
    ("libsystemd0",     "systemd-libs"),
    ("libuuid1",        "libuuid"),
    ("openssl",         "openssl"),
    ("passwd",          "shadow-utils"),
    ("procps",          "procps-ng"),
    ("python3",         "python3"),
    ("rpm",             "rpm"),
    ("sed",             "sed"),
    ("systemd",         "systemd"),
    ("tar",             "tar"),
    ("util-linux",      "util-linux"),
    ("zlib1g",          "zlib"),
];

/// Sonames and symbol versions of every library the loader finds, in the words of rpm's generator.
const LIBRARIES: &str = "ldconfig -p | sed -n 's/.* => //p' | xargs realpath -q | sort -u \
                         | /usr/lib/rpm/elfdeps --provides";

/// Path and version of every interpreter.
const PYTHONS: &str = r#"
for python in /usr/bin/python3.*; do
    case "$python" in *[!0-9.]) continue;; esac
    "$python" -I -c 'import platform, sys; print("%d.%d" % sys.version_info[:2], platform.python_version())'
done"#;

const PROGRAMS: &str = r"find /usr/bin /usr/sbin -mindepth 1 -maxdepth 1 ! -type d -printf '%p\n'";

/// Declares to the machine's rpm what the machine has, by an RPM that its own rpmbuild makes.
pub fn install(machine: &Machine) -> anyhow::Result<()> {
    build(machine)?;
    machine.text(&["rpm", "--install", BUILT]).map(drop)
}

/// The RPM that tells an rpm what a root has.
#[allow(dead_code, reason = "for the test that gives it to the tool")]
pub fn of(root: &Root) -> anyhow::Result<Vec<u8>> {
    let share = tempfile::tempdir()?;
    let shared = camino::Utf8Path::from_path(share.path()).context("the temporary folder is not UTF-8")?;
    let machine = Machine::unbooted(root, shared)?;
    build(&machine)?;
    let encoded = machine.text(&["base64", "--wrap=0", BUILT])?;
    BASE64_STANDARD.decode(encoded).context("`base64` wrote something else")
}

const BUILT: &str = "/var/tmp/what-this-machine-has.rpm";

fn build(machine: &Machine) -> anyhow::Result<()> {
    let mut provides = BTreeSet::new();
    provides.extend(packages(machine)?);
    provides.extend(pythons(machine)?);
    provides.extend(lines(machine, LIBRARIES)?);
    provides.extend(lines(machine, PROGRAMS)?.into_iter().filter(|path| is_plain(path)));
    // RHEL's /bin is a link to /usr/bin as well; scriptlets name the shell by its old path
    provides.extend(["/bin/sh", "/bin/bash"].map(str::to_owned));
    // any linker of this century writes this hash table, and glibc reads it
    provides.insert("rtld(GNU_HASH)".to_owned());

    let spec = spec(&provides);
    machine.script(&format!(
        "top=$(mktemp -d)\n\
         cat > \"$top/machine.spec\" <<'END'\n{spec}END\n\
         rpmbuild --quiet -bb --define \"_topdir $top\" --define '_rpmfilename machine.rpm' \"$top/machine.spec\"\n\
         mv \"$top/RPMS/machine.rpm\" {BUILT}\n\
         rm -rf \"$top\""
    ))?;
    Ok(())
}

fn spec(provides: &BTreeSet<String>) -> String {
    let provides: String = provides.iter().map(|name| format!("Provides: {name}\n")).collect();
    format!(
        "Name: what-this-machine-has\nVersion: 1\nRelease: 1\nLicense: none\nBuildArch: noarch\n\
         AutoReqProv: no\nSummary: What this machine really has\n{provides}\
         %description\nDeclares what this machine really has.\n%files\n"
    )
}

/// `NAME = VERSION` by RHEL's name, for the Debian packages that are installed.
fn packages(machine: &Machine) -> anyhow::Result<Vec<String>> {
    let format = "--showformat=${Package} ${Version} ${db:Status-Status}\n";
    let listed = machine.text(&["dpkg-query", "--show", format])?;
    let mut provides = Vec::new();
    for line in listed.lines() {
        let [package, version, status] = line.split(' ').collect::<Vec<_>>()[..] else {
            bail!("`dpkg-query` wrote `{line}`, which is not a name, a version and a state");
        };
        let rhel = NAMES.iter().find(|(debian, _)| *debian == package);
        if let (Some((_, name)), "installed") = (rhel, status) {
            provides.push(format!("{name} = {}", upstream(version)));
        }
    }
    Ok(provides)
}

/// `1:3.0.17-1~deb12u2` → `3.0.17`: without epoch, Debian's revision and what Debian appended.
fn upstream(version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(rest, _)| rest);
    let version = version.split(['+', '~']).next().unwrap_or(version);
    version.replace('-', ".")
}

fn pythons(machine: &Machine) -> anyhow::Result<Vec<String>> {
    let mut provides = Vec::new();
    for line in lines(machine, PYTHONS)? {
        let (minor, full) = line
            .split_once(' ')
            .with_context(|| format!("an interpreter wrote `{line}`, which is not two versions"))?;
        provides.push(format!("python(abi) = {minor}"));
        provides.push(format!("python{minor} = {full}"));
    }
    Ok(provides)
}

fn lines(machine: &Machine, script: &str) -> anyhow::Result<Vec<String>> {
    Ok(machine.script(script)?.lines().map(str::to_owned).collect())
}

/// A path that a spec can spell; `[` is a program, too.
fn is_plain(path: &str) -> bool {
    path.chars().all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c))
}

#[test]
fn upstream_version_of_a_debian_version() {
    #[rustfmt::skip]
    let cases = [
        ("252.39-1~deb12u1",     "252.39"),
        ("1:1.2.13.dfsg-1",      "1.2.13.dfsg"),
        ("3.11.2-1+b1",          "3.11.2"),
        ("4.18.0+dfsg-1+deb12u1","4.18.0"),
        ("2.0-rc1-3",            "2.0.rc1"),
        ("20230311",             "20230311"),
    ];
    for (debian, expected) in cases {
        assert_eq!(upstream(debian), expected, "{debian}");
    }
}
