//! createrepo_c: writes the metadata of a dnf repository; that of the system, or the one on PyPI.

use crate::tools::python;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path};

/// A found createrepo_c.
#[derive(Debug)]
pub(crate) struct Createrepo {
    program: Utf8PathBuf,
    first: &'static [&'static str],
}

impl Createrepo {
    /// Takes the system's from the PATH, else that of a private environment.
    pub(crate) fn find(sys: &Sys) -> anyhow::Result<Self> {
        if let Some(program) = on_path("createrepo_c") {
            return Ok(Self { program, first: &[] });
        }
        let programs = python::private_environment(sys, &python::CREATEREPO).map_err(absent)?;
        // What pip writes beside it names the folder that it was made in.
        let first = &["-I", "-c", "import createrepo_c; createrepo_c.createrepo_c()"];
        Ok(Self { program: programs.join("python"), first })
    }

    /// Refuses what [`Self::find`] could not have without a network.
    pub(crate) fn require(sys: &Sys) -> anyhow::Result<()> {
        match on_path("createrepo_c") {
            Some(_) => Ok(()),
            None => python::require(sys, &python::CREATEREPO).map_err(absent),
        }
    }

    /// Writes `into/repodata` for the RPMs in `folder`, as yum of el7 and every dnf read it.
    ///
    /// gzip, since el7 and el8 read no zstd; no databases, which yum makes itself.
    ///
    /// - Takes: `epoch`, in seconds since 1970, which stands for the time it was made.
    pub(crate) fn write(&self, sys: &Sys, folder: &Utf8Path, into: &Utf8Path, epoch: u32) -> anyhow::Result<()> {
        let command = Program::new(&self.program)
            .args(self.first.iter().copied())
            .args(["--quiet", "--no-database", "--checksum", "sha256", "--general-compress-type", "gz"])
            .args(["--revision", &epoch.to_string(), "--set-timestamp-to-revision"])
            .args(["--outputdir", into.as_str(), folder.as_str()]);
        sys.run(&command).map(drop)
    }
}

fn absent(error: anyhow::Error) -> anyhow::Error {
    Problem::around(
        error,
        "there is no `createrepo_c`, which writes a repository's metadata",
        "install it: `apt-get install createrepo-c`, `dnf install createrepo_c`",
    )
}
