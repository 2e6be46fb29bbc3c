//! What a root file system may be given as: a folder, a tar of one, or an image of the local store.

use crate::{RootFacts, Sandbox};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use std::str::FromStr;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path};

/// In seconds, as `timeout` takes it: for unpacking a root, and for exporting an image.
const UNPACK_LIMIT: &str = "900";

/// What it may be, as a hint.
const SHAPES: &str =
    "ROOT is a folder, a tar (plain, or packed by gzip, xz or zstd, with that program on the host), or `podman:IMAGE`";

/// Where a root comes from, as the command line says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootSource {
    /// a folder or a tar
    Path(Utf8PathBuf),
    /// `podman:IMAGE`
    Image(String),
}

impl FromStr for RootSource {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let Some(image) = text.strip_prefix("podman:") else {
            ensure!(!text.is_empty(), "it is empty");
            return Ok(Self::Path(text.into()));
        };
        let is_name = image.starts_with(|c: char| c.is_ascii_alphanumeric())
            && image.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@+".contains(c));
        ensure!(is_name, "`{}` is no name of an image", image.escape_debug());
        Ok(Self::Image(image.to_owned()))
    }
}

impl std::fmt::Display for RootSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path.as_str()),
            Self::Image(image) => write!(f, "podman:{image}"),
        }
    }
}

/// A root as a folder; machines lay disks of their own over it.
#[derive(Debug)]
pub struct Root {
    pub(super) folder: Utf8PathBuf,
    /// what it is
    pub facts: RootFacts,
}

impl Root {
    /// Opens a root: a folder as it is, anything else unpacked on `ground`.
    ///
    /// - Fails: where there is none, and for the root of another processor than the host's.
    pub fn open(sys: &Sys, source: &RootSource, sandbox: &Sandbox) -> anyhow::Result<Self> {
        let folder = match source {
            RootSource::Path(path) => {
                let path = sys.root.join(path);
                let there = std::fs::metadata(&path)
                    .map_err(|error| Problem::around(error.into(), format!("`{path}` cannot be opened"), SHAPES))?;
                match (there.is_dir(), there.is_file()) {
                    (true, _) => path.canonicalize_utf8()?,
                    (_, true) => unpack(sys, &path, sandbox)?,
                    // tar would wait for a pipe
                    _ => return Err(Problem::with_hint(format!("`{path}` is neither a folder nor a file"), SHAPES)),
                }
            }
            RootSource::Image(image) => {
                let archive = export(sys, image, sandbox)?;
                let folder = unpack(sys, &archive, sandbox)?;
                fs_err::remove_file(archive)?;
                folder
            }
        };
        let facts = RootFacts::read(&folder)?;
        if let Some(arch) = &facts.arch
            && !runs_on(arch, std::env::consts::ARCH)
        {
            return Err(Problem::with_hint(
                format!("`{source}` is a root for {arch}, and this host is {}", std::env::consts::ARCH),
                format!("run it on a host with {arch}; from its bytes, `verify FILE` judges the package here"),
            ));
        }
        Ok(Self { folder, facts })
    }

    /// A folder that is known to be a root of this host's processor.
    pub fn at(folder: &Utf8Path) -> anyhow::Result<Self> {
        Ok(Self { folder: folder.to_owned(), facts: RootFacts::read(folder)? })
    }
}

/// Whether a host runs the programs of a root, both as they are called by rpm and by Rust.
fn runs_on(root: &str, host: &str) -> bool {
    let host = if host == "powerpc64" { "ppc64le" } else { host };
    root == host || (root == "i686" && host == "x86_64")
}

/// A program that ends with this process, and after a while.
fn bounded(words: &[&str]) -> Program {
    let tied = ["--pdeathsig", "KILL"];
    Program::new("setpriv")
        .args(tied)
        .args(["timeout", "--kill-after=5", UNPACK_LIMIT, "setpriv"])
        .args(tied)
        .args(words.iter().copied())
}

fn unpack(sys: &Sys, archive: &Utf8Path, sandbox: &Sandbox) -> anyhow::Result<Utf8PathBuf> {
    let folder = sandbox.folder().join("root");
    fs_err::create_dir(&folder)?;
    let spinner = sys.spinner(&format!("unpacking {archive}"));
    // what is behind it finds the compressor; a machine makes its own devices
    let words = [
        "tar",
        "--extract",
        "--file",
        archive.as_str(),
        "--directory",
        folder.as_str(),
        "--numeric-owner",
        "--same-owner",
        "--preserve-permissions",
        "--xattrs",
        "--xattrs-include=security.capability",
        "--exclude=./dev/*",
        "--exclude=dev/*",
        "--delay-directory-restore",
    ];
    let unpacked = sys.run(&bounded(&words));
    spinner.finish_and_clear();
    unpacked.map_err(|error| Problem::around(error, format!("failed to unpack `{archive}`"), SHAPES))?;
    Ok(folder)
}

/// Writes an image of the local store as a tar; nothing is pulled.
fn export(sys: &Sys, image: &str, sandbox: &Sandbox) -> anyhow::Result<Utf8PathBuf> {
    let program = ["podman", "docker"].into_iter().find(|program| on_path(program).is_some()).ok_or_else(|| {
        Problem::with_hint(
            "this host has neither `podman` nor `docker`",
            "`dnf install podman`, or export the image elsewhere and give the tar: `podman export`",
        )
    })?;
    let name = sandbox.folder().file_name().context("a folder has a name")?.to_owned();
    sandbox.holds_container(program, &name)?;
    sys.run(&bounded(&[program, "create", "--pull=never", "--name", &name, image, "/bin/true"])).map_err(|error| {
        Problem::around(
            error,
            format!("`{program}` has no image `{image}`, or cannot use it"),
            format!("see `{program} images`; nothing is pulled here: `{program} pull` or `{program} load` it first"),
        )
    })?;
    let archive = sandbox.folder().join("image.tar");
    let spinner = sys.spinner(&format!("exporting {image}"));
    let exported = sys.run(&bounded(&[program, "export", "--output", archive.as_str(), &name]));
    spinner.finish_and_clear();
    exported.with_context(|| format!("failed to export `{image}`"))?;
    sys.run(&bounded(&[program, "rm", "--force", &name]))?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_named() {
        #[rustfmt::skip]
        let cases = [
            ("/srv/root",                      Some("/srv/root")),
            ("ubi9.tar.xz",                    Some("ubi9.tar.xz")),
            ("podman:ubi9:latest",             Some("podman:ubi9:latest")),
            ("podman:index.example/a/b@sha256:12", Some("podman:index.example/a/b@sha256:12")),
            ("podman:",                        None),
            ("podman:--privileged",            None),
            ("podman:a b",                     None),
            ("",                               None),
        ];
        for (text, shown) in cases {
            let parsed = RootSource::from_str(text).ok().map(|source| source.to_string());
            assert_eq!(parsed.as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn a_root_runs_on_its_own_processor() {
        let cases = [("x86_64", "x86_64", true), ("aarch64", "x86_64", false), ("i686", "x86_64", true)];
        for (root, host, runs) in cases {
            assert_eq!(runs_on(root, host), runs, "{root} on {host}");
        }
    }
}
