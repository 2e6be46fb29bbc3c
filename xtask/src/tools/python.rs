//! Python of this host: it carries uv and pip where they are not on the PATH, nothing else.

use crate::problem::Problem;
use crate::sys::{Program, Sys, on_path};
use anyhow::Context as _;
use camino::Utf8PathBuf;

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
    let folder = sys.workspace().join(format!("tools-{}", PINNED.join("-").replace("==", "-")));
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    // It appears by rename, so it is complete, whoever made it. (Its scripts name the folder that it was
    // made in; only uv, a binary, and `python -m pip` are started from it.)
    if folder.is_dir() {
        return Ok(programs);
    }
    let spinner = sys.spinner("putting uv and pip into target/xtask");
    let (keep, scratch) = sys.scratch()?;
    let fresh = scratch.join("venv");
    let python = find()?;
    sys.run(&Program::new(python).args(["-m", "venv", fresh.as_str()])).map_err(|error| {
        Problem::around(
            error,
            "failed to make a private environment for uv and pip",
            "on Debian and Ubuntu: `apt-get install python3-venv`",
        )
    })?;
    let pip = Program::new(fresh.join(if cfg!(windows) { "Scripts" } else { "bin" }).join("python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PINNED);
    sys.run(&pip).context("failed to install uv and pip into the private environment")?;
    // Another run may have been faster; its environment is as good.
    if let Err(error) = fs_err::rename(&fresh, &folder)
        && !folder.is_dir()
    {
        return Err(error.into());
    }
    drop(keep);
    spinner.finish_and_clear();
    Ok(programs)
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
