//! Python of this host: it carries uv and pip where they are not on the PATH, nothing else.

use crate::problem::Problem;
use crate::sys::{Program, Sys, on_path, own_folder};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Mutex;

/// What is put into the private environment.
const PINNED: [&str; 2] = ["uv==0.13.9", "pip==26.2"];

/// The Python of this host.
pub fn find() -> anyhow::Result<Utf8PathBuf> {
    ["python3", "python"].into_iter().find_map(on_path).ok_or_else(|| {
        Problem::with_hint(
            "there is no `python3` on the PATH",
            "install Python 3.8 or newer: `apt-get install python3 python3-venv`, or from python.org",
        )
    })
}

/// The folder of programs of the private environment with pinned uv and pip, made if it is not there.
pub fn private_environment(sys: &Sys) -> anyhow::Result<Utf8PathBuf> {
    let name = format!("tools-{}", PINNED.join("-").replace("==", "-"));
    environment(sys, &find, &name, &PINNED)
}

/// The folder of programs of an environment below `target/xtask`, made if it is not there.
///
/// It appears by rename, so it is complete, whoever made it. Its scripts name the folder that it was made in:
/// only binaries and `python -m` can be started from it.
///
/// - Takes: `python`, asked only where the environment is to be made; `pip`, what `pip install` is given.
pub fn environment(
    sys: &Sys,
    python: &dyn Fn() -> anyhow::Result<Utf8PathBuf>,
    name: &str,
    pip: &[&str],
) -> anyhow::Result<Utf8PathBuf> {
    // Two that want the same at once in one run: the second finds it made.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().expect("no thread panics");
    let folder = sys.workspace().join(name);
    let programs = if cfg!(windows) { "Scripts" } else { "bin" };
    if folder.is_dir() {
        return Ok(trusted(&folder)?.join(programs));
    }
    let packages: Vec<&str> = pip.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let packages = packages.join(", ");
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
    let install = Program::new(fresh.join(programs).join("python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(pip.iter().copied());
    sys.run(&install).with_context(|| format!("failed to install {packages} into a private environment"))?;
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
pub fn is_at_least(printed: &str, least: (u32, u32)) -> bool {
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
}
