//! What the tests need of the host.

use anyhow::bail;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path};

/// What the tests need beside cargo and python3: a program, and the Debian package that has it.
#[rustfmt::skip]
pub(super) const NEEDS: &[(&str, &str)] = &[
    ("cc",             "gcc"),
    ("cpio",           "cpio"),
    ("createrepo_c",   "createrepo-c"),
    ("dnf",            "dnf"),
    ("faketime",       "faketime"),
    ("git",            "git"),
    ("gpg",            "gnupg"),
    ("gzip",           "gzip"),
    ("ip",             "iproute2"),
    ("kill",           "procps"),
    ("mmdebstrap",     "mmdebstrap"),
    ("openssl",        "openssl"),
    ("podman",         "podman"),
    ("rpm",            "rpm"),
    ("rpm2cpio",       "rpm2cpio"),
    ("rpmbuild",       "rpm"),
    ("rpmsign",        "rpm"),
    ("rpmlint",        "rpmlint"),
    ("rpmspec",        "rpm"),
    ("shellcheck",     "shellcheck"),
    ("strace",         "strace"),
    ("systemd-analyze", "systemd"),
    ("systemd-nspawn", "systemd-container"),
    ("systemd-sysusers", "systemd"),
    ("valgrind",       "valgrind"),
    ("zstd",           "zstd"),
];

/// Installs what is missing, through apt.
pub(super) fn set_up(sys: &Sys) -> anyhow::Result<()> {
    let mut packages: Vec<&str> =
        NEEDS.iter().filter(|(program, _)| on_path(program).is_none()).map(|(_, package)| *package).collect();
    if !python_makes_environments(sys) {
        packages.push("python3-venv");
    }
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if on_path("apt-get").is_none() {
        return Err(Problem::with_hint(
            format!("programs that the tests need are missing; in Debian's packages: {list}"),
            "install them with this system's package manager",
        ));
    }
    sys.say(format!("installing through apt what the tests need: {list}"));
    let apt = |words: &[&str]| -> anyhow::Result<()> {
        let words: Vec<&str> = ["apt-get", "-qq", "-y"].iter().chain(words).copied().collect();
        let program = match (is_root(sys), on_path("sudo")) {
            (true, _) => Program::new(words[0]).args(words[1..].iter().copied()),
            (false, Some(sudo)) => Program::new(sudo).args(["-n"]).args(words.iter().copied()),
            (false, None) => bail!("only root can install packages: run `apt-get install {list}` as root"),
        };
        let _spinner = sys.spinner(&words.join(" "));
        sys.run(&program.env("DEBIAN_FRONTEND", "noninteractive"))?;
        Ok(())
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages.as_slice()].concat())
}

fn python_makes_environments(sys: &Sys) -> bool {
    let check = |python: &str| sys.run(&Program::new(python).args(["-c", "import ensurepip, venv"])).is_ok();
    ["python3", "python"].into_iter().any(check)
}

fn is_root(sys: &Sys) -> bool {
    sys.run(&Program::new("id").args(["-u"])).is_ok_and(|said| said.out.trim() == "0")
}
