//! The target's Python on this host, whose pip builds a wheel from a source distribution.

use crate::tools::interpreter::candidates;
use crate::tools::pip::direct_reference;
use crate::tools::python;
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use wheelhaul_base::calendar::seconds_since_1970;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::Target;
use wheelhaul_host::{Bounds, Program, Sys};
use wheelhaul_select::OfferedSdist;

/// The cache of pip, which gives the names in it.
pub(crate) const CACHE_OF_PIP: &str = "pip";

/// What the interpreter says of itself, to be compared with the target.
const WHO: &str = "import platform, sys; print('%s %d.%d %s %s' % ((platform.python_implementation(),) + sys.version_info[:2] + (platform.system(), platform.machine())))";

/// The first time that a zip archive can hold: 1980-01-01.
const EARLIEST: u32 = 315_532_800;

/// An interpreter of this host that is like the target's.
#[derive(Debug)]
pub struct TargetPython<'a> {
    sys: &'a Sys,
    path: Utf8PathBuf,
}

impl<'a> TargetPython<'a> {
    /// Finds CPython of the target's minor, on Linux and the target's processor.
    pub fn find(sys: &'a Sys, target: &Target) -> anyhow::Result<Self> {
        let wanted = format!("CPython {} Linux {}", target.python(), target.arch);
        let program = format!("python{}", target.python());
        for path in candidates(&target.python()) {
            let said = sys.run(&Program::new(&path).args(["-I", "-c", WHO]));
            if said.is_ok_and(|said| said.out.trim() == wanted) {
                return Ok(Self { sys, path });
            }
        }
        Err(Problem::with_hint(
            format!("this host has no `{program}` that is {wanted}"),
            "put it on the PATH, lock on a host that has it, or publish a wheel that was built on one to your index; `rpm` then needs it no more, as long as `dist/wheels` has the wheel",
        ))
    }

    /// The interpreter.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Builds a wheel and puts it into `into`.
    ///
    /// pip checks the sha256. What makes two builds differ is fixed: time, hashing of sets, debug
    /// information with the folder in it, umask.
    pub fn build_wheel(&self, sdist: &OfferedSdist, into: &Utf8Path) -> anyhow::Result<()> {
        let python = self.environment()?;
        let (_keep, scratch) = self.sys.scratch()?;
        let list = scratch.join("source.txt");
        fs_err::write(&list, direct_reference(self.sys, &sdist.at, &sdist.sha256, sdist.subdirectory.as_deref())?)?;
        let _spinner = self.sys.spinner(&format!("building a wheel from `{}`", sdist.name));
        let epoch = sdist.uploaded.as_deref().and_then(seconds_since_1970).unwrap_or(EARLIEST).max(EARLIEST);
        let flags = |name: &str| format!("{} -g0", std::env::var(name).unwrap_or_default()).trim().to_owned();
        let cache = self
            .sys
            .repository_cache(CACHE_OF_PIP, Bounds::USUAL)
            .folder()
            .map_or_else(|| scratch.join("cache"), Utf8Path::to_owned);
        let command = Program::new("sh")
            .args(["-c", "umask 022 && exec \"$@\"", "sh", python.as_str(), "-m", "pip", "wheel"])
            .args(["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"])
            // Of its own: the user's may have a wheel that was built with other flags.
            .args(["--cache-dir", cache.as_str()])
            .args(["--require-hashes", "--wheel-dir", into.as_str(), "--requirement", list.as_str()])
            .env("SOURCE_DATE_EPOCH", epoch.to_string())
            .env("PYTHONHASHSEED", "0")
            .env("CFLAGS", flags("CFLAGS"))
            .env("CXXFLAGS", flags("CXXFLAGS"));
        self.sys.run(&command).map_err(|error| {
            Problem::around(
                error,
                format!("failed to build a wheel from `{}` with `{}`", sdist.name, self.path),
                "its build may need a compiler or libraries that this host lacks: look at the words above, all of them with `-v`",
            )
        })?;
        Ok(())
    }

    /// The Python of an environment with pip, setuptools and wheel, made if it is not there.
    fn environment(&self) -> anyhow::Result<Utf8PathBuf> {
        let id = &hex(&Sha256::digest(format!("{}\n{}", self.path, python::SDIST_BUILD)))[..8];
        let name = format!("build-{}-{id}", self.path.file_name().unwrap_or("python"));
        let python = || Ok(self.path.clone());
        Ok(python::environment(self.sys, &python, &name, python::SDIST_BUILD, None)?.join("python"))
    }
}
