//! Python of this host: it carries uv and pip where they are not on the PATH, nothing else.

use crate::tools::interpreter::candidates;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path, own_folder, sha256_of};

/// Programs of Python in their exact releases, which pip installs by the digests of their wheels.
#[derive(Debug)]
pub struct Pinned {
    /// where they are, below `target/xtask`
    pub folder: &'static str,
    /// for pip: each with the digests of all its wheels
    requirements: &'static str,
}

impl Pinned {
    /// `uv==0.13.9`
    fn release(&self) -> &'static str {
        self.requirements
            .lines()
            .find(|line| line.contains("=="))
            .and_then(|line| line.split(' ').next())
            .unwrap_or_default()
    }
}

/// Where the host has no uv, or one that is too old.
pub const UV: Pinned = Pinned { folder: "tools-uv-0.13.9", requirements: include_str!("pinned/uv.txt") };
/// Where the pip of the host is too old.
pub(crate) const PIP: Pinned = Pinned { folder: "tools-pip-26.2", requirements: include_str!("pinned/pip.txt") };
/// Where a file is to be fetched whose metadata newer pips refuse.
pub(crate) const PIP_OF_OLD: Pinned =
    Pinned { folder: "tools-pip-24.0", requirements: include_str!("pinned/pip_of_old.txt") };
/// Where the host has no createrepo_c.
pub(crate) const CREATEREPO: Pinned =
    Pinned { folder: "tools-createrepo-c-1.2.5", requirements: include_str!("pinned/createrepo.txt") };
/// For the target's Python, which builds a wheel from an sdist.
pub(crate) const SDIST_BUILD: &str = include_str!("pinned/sdist_build.txt");

/// The folder of wheels that a build without a network needs, beside those that are packed.
pub(crate) fn wheels_of_tools(sys: &Sys) -> Utf8PathBuf {
    sys.root.join("dist/wheels/tools")
}

/// The first Python on the PATH, whatever its version.
pub(crate) fn first() -> Option<Utf8PathBuf> {
    ["python3", "python"].into_iter().find_map(on_path)
}

/// The minors that carry a current uv and pip, newest first.
fn minors() -> impl Iterator<Item = u32> {
    (8..=20).rev()
}

/// The newest Python of this host that makes environments: the first on the PATH may be an old one's environment, in which
/// a team works on what it ships.
pub fn newest(sys: &Sys) -> anyhow::Result<Utf8PathBuf> {
    let mut asked: BTreeMap<Utf8PathBuf, Option<u32>> = BTreeMap::new();
    for minor in minors() {
        for path in candidates(&format!("3.{minor}")) {
            let answer = *asked.entry(path.clone()).or_insert_with_key(|path| minor_of(sys, path));
            if answer == Some(minor) {
                return Ok(path);
            }
        }
    }
    const INSTALL: &str = "install Python 3.8 or newer: `apt-get install python3 python3-venv`, or from python.org";
    Err(match first() {
        None => Problem::with_hint("there is no `python3` on the PATH", INSTALL),
        Some(first) => Problem::with_hint(
            format!(
                "no Python of this host is 3.8 or newer and makes environments; the first on the PATH is `{first}`"
            ),
            INSTALL,
        ),
    })
}

/// The minor of a final release of Python 3 that makes environments.
fn minor_of(sys: &Sys, path: &Utf8Path) -> Option<u32> {
    const WHO: &str = "import ensurepip, sys, venv; v = sys.version_info; print(v[0], v[1], v[3])";
    let said = sys.run(&Program::new(path).args(["-I", "-c", WHO])).ok()?.out;
    let words: Vec<&str> = said.split_whitespace().collect();
    let ["3", minor, "final"] = words[..] else { return None };
    minor.parse().ok()
}

/// The folder of programs of a private environment below `target/xtask`, made if it is not there.
///
/// What is downloaded for it stays in `dist/wheels/tools`, from where `--offline` installs it.
///
/// # Errors
/// With `--offline`, also if neither is there.
pub(crate) fn private_environment(sys: &Sys, pinned: &Pinned) -> anyhow::Result<Utf8PathBuf> {
    require(sys, pinned)?;
    environment(sys, &|| newest(sys), pinned.folder, pinned.requirements, Some(&wheels_of_tools(sys)))
}

/// Refuses what could not be installed without a network, before anything is.
pub(crate) fn require(sys: &Sys, pinned: &Pinned) -> anyhow::Result<()> {
    if !sys.offline || sys.workspace().join(pinned.folder).is_dir() {
        return Ok(());
    }
    if !is_at_hand(sys, pinned)? {
        let release = pinned.release();
        return Err(Problem::with_hint(
            format!("`dist/wheels/tools` has no wheel of {release}, which would be installed for this"),
            format!(
                "bring it where there is a network: `python3 -m pip download --no-deps --only-binary :all: --dest dist/wheels/tools {release}`"
            ),
        ));
    }
    newest(sys).map(drop)
}

/// Whether the wheel that a private environment is made of is there.
fn is_at_hand(sys: &Sys, pinned: &Pinned) -> anyhow::Result<bool> {
    let digests: Vec<&str> = releases(pinned.requirements).into_iter().flat_map(|(_, digests)| digests).collect();
    for entry in wheels_of_tools(sys).read_dir_utf8().into_iter().flatten() {
        let path = entry?.into_path();
        if path.extension() == Some("whl") && digests.contains(&sha256_of(&path)?.as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Each release of a requirements file: its name, and the digests of its wheels.
fn releases(requirements: &str) -> Vec<(&str, Vec<&str>)> {
    let mut releases: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in requirements.lines() {
        if let Some((_, digest)) = line.split_once("--hash=sha256:") {
            releases.last_mut().into_iter().for_each(|(_, all)| all.push(digest.trim_end_matches(" \\")));
        } else if let Some((name, _)) = line.split_once("==") {
            releases.push((name, Vec::new()));
        }
    }
    releases
}

/// The folder of programs of an environment below `target/xtask`, made if it is not there.
///
/// It appears by rename, so it is complete, whoever made it. Its scripts name the folder that it was made in:
/// only binaries and `python -m` can be started from it.
///
/// - Takes: `python`, asked only where the environment is to be made; `requirements`, with digests; `wheels`, a folder
///   that keeps what is installed.
pub fn environment(
    sys: &Sys,
    python: &dyn Fn() -> anyhow::Result<Utf8PathBuf>,
    name: &str,
    requirements: &str,
    wheels: Option<&Utf8Path>,
) -> anyhow::Result<Utf8PathBuf> {
    // Two that want the same at once in one run: the second finds it made.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().expect("no thread panics");
    let folder = sys.workspace().join(name);
    let programs = if cfg!(windows) { "Scripts" } else { "bin" };
    if folder.is_dir() {
        return Ok(trusted(&folder)?.join(programs));
    }
    let packages: BTreeSet<&str> = releases(requirements).into_iter().map(|(name, _)| name).collect();
    let packages = Vec::from_iter(packages).join(", ");
    let spinner = sys.spinner(&format!("putting {packages} into target/xtask"));
    let (keep, scratch) = sys.scratch()?;
    let fresh = scratch.join("venv");
    sys.run(&Program::new(python()?).args(["-m", "venv", fresh.as_str()])).map_err(|error| {
        Problem::around(
            error,
            format!("failed to make a private environment for {packages}"),
            "on Debian and Ubuntu: `apt-get install python3-venv`",
        )
    })?;
    let list = scratch.join("requirements.txt");
    fs_err::write(&list, requirements)?;
    let pip = |words: &[&str]| {
        let command = Program::new(fresh.join(programs).join("python"))
            .args(["-m", "pip"])
            .args(words.iter().copied())
            .args(["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:"])
            .args(["--require-hashes", "--requirement", list.as_str()]);
        sys.run(&command).with_context(|| format!("failed to install {packages} into a private environment"))
    };
    match wheels {
        None => drop(pip(&["install"])?),
        Some(wheels) => {
            if !sys.offline {
                fs_err::create_dir_all(wheels)?;
                pip(&["download", "--dest", wheels.as_str()])?;
            }
            pip(&["install", "--no-index", "--find-links", wheels.as_str()])?;
        }
    }
    // Nobody else enters it, whatever the umask.
    #[cfg(unix)]
    fs_err::set_permissions(&fresh, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    // Another run may have been faster; its environment is as good.
    if let Err(error) = fs_err::rename(&fresh, &folder)
        && !folder.is_dir()
    {
        return Err(error.into());
    }
    drop(keep);
    spinner.finish_and_clear();
    Ok(trusted(&folder)?.join(programs))
}

/// The folder of an environment, whose programs will be run.
fn trusted(folder: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    own_folder(folder).map_err(|why| {
        Problem::around(why.into(), format!("nothing in `{folder}` is run"), "remove it, and it is made again")
    })
}

/// Whether a version, as `uv --version` or `pip --version` print it, is at least `least`.
pub(crate) fn is_at_least(printed: &str, least: (u32, u32)) -> bool {
    let numbers = printed.split_whitespace().nth(1).map(|version| {
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    });
    numbers.is_some_and(|numbers| numbers >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_versions_are_compared_as_numbers() {
        #[rustfmt::skip]
        let cases = [
            ("uv 0.13.9 (x86_64-unknown-linux-gnu)", (0, 9),  true),
            ("uv 0.8.22",                            (0, 9),  false),
            ("pip 23.2.1 from /x (python 3.11)",     (23, 0), true),
            ("pip 9.0.3 from /x (python 3.6)",       (23, 0), false),
            ("nonsense",                             (0, 1),  false),
        ];
        for (printed, least, enough) in cases {
            assert_eq!(is_at_least(printed, least), enough, "{printed}");
        }
    }
    #[test]
    fn every_pinned_release_has_digests_of_wheels() {
        let names = |requirements: &'static str| {
            let all = releases(requirements);
            let digests = all.iter().flat_map(|(_, digests)| digests);
            let is_digest = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(digests.clone().all(is_digest) && all.iter().all(|(_, digests)| !digests.is_empty()), "{all:?}");
            all.into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(names(UV.requirements), ["uv"]);
        assert_eq!(names(PIP.requirements), ["pip"]);
        assert_eq!(names(PIP_OF_OLD.requirements), ["pip"]);
        assert_eq!(names(CREATEREPO.requirements), ["createrepo-c"]);
        assert_eq!(names(SDIST_BUILD), ["pip", "setuptools", "wheel"]);
    }
}
