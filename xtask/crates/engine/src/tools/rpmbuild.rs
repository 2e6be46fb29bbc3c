//! rpmbuild: the other builder, which the distributions use.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path};

/// el7's; what a spec of this tool needs beyond it depends on the box.
const LEAST: (u32, u32) = (4, 11);

/// What is built from a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// the RPM for the box
    Binary,
    /// spec and sources in one file
    Source,
}

/// A found rpmbuild.
#[derive(Debug)]
pub(crate) struct RpmBuild<'a> {
    sys: &'a Sys,
    program: Utf8PathBuf,
}

impl<'a> RpmBuild<'a> {
    /// Takes rpmbuild from the PATH.
    pub(crate) fn find(sys: &'a Sys) -> anyhow::Result<Self> {
        let hint = "install it: `dnf install rpm-build`, or `apt-get install rpm`; or leave `--builder` and `--source` out, since this tool writes RPMs by itself";
        let program = on_path("rpmbuild").ok_or_else(|| Problem::with_hint("`rpmbuild` is not on the PATH", hint))?;
        let printed = sys.run(&Program::new(&program).args(["--version"]))?.out;
        if version_of(&printed).is_none_or(|version| version < LEAST) {
            let what =
                format!("`{program}` is too old ({}); at least {}.{} is needed", printed.trim(), LEAST.0, LEAST.1);
            return Err(Problem::with_hint(what, hint));
        }
        Ok(Self { sys, program })
    }

    /// Builds from a spec.
    ///
    /// - Takes: `topdir`, with `SPECS`, `SOURCES` and what rpmbuild makes beside them; `spec`, relative to it;
    ///   `epoch`, the time that everything made gets, in seconds since 1970.
    /// - Fails: with rpmbuild's last words.
    pub(crate) fn build(
        &self,
        product: Product,
        topdir: &Utf8Path,
        spec: &Utf8Path,
        arch: &str,
        epoch: u32,
    ) -> anyhow::Result<()> {
        let plain = Plain::of(topdir)?;
        let words = match product {
            Product::Binary => ["-bb", "--clean"].as_slice(),
            Product::Source => &["-bs", "--nodeps"],
        };
        // Nothing is compiled, so any host builds for any processor.
        let command = Program::new(&self.program)
            .args(words.iter().copied())
            .args(["--target", arch, "--define"])
            .args([format!("_topdir {}", plain.path), plain.path.join(spec).into_string()])
            .env("SOURCE_DATE_EPOCH", epoch.to_string())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .in_folder(&plain.path);
        self.sys.run(&command)?;
        Ok(())
    }
}

/// A path as the shell and the macros of every rpmbuild take it.
struct Plain {
    path: Utf8PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Plain {
    /// The path itself, or a link to it where it has spaces and the like.
    fn of(path: &Utf8Path) -> anyhow::Result<Self> {
        if path.as_str().chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c)) {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let folder = wheelhaul_host::private("xtask-").tempdir()?;
        let link = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?.join("rpmbuild");
        #[cfg(unix)]
        fs_err::os::unix::fs::symlink(path, &link)?;
        Ok(Self { path: link, _folder: Some(folder) })
    }
}

/// Of `RPM version 4.18.0`.
fn version_of(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.split_whitespace().last()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_last_word() {
        #[rustfmt::skip]
        let cases = [
            ("RPM version 4.18.0\n",  Some((4, 18))),
            ("RPM version 4.11.3",    Some((4, 11))),
            ("RPM-Version 6.0.1",     Some((6, 0))),
            ("nonsense",              None),
            ("",                      None),
        ];
        for (printed, version) in cases {
            assert_eq!(version_of(printed), version, "{printed}");
        }
    }
}
