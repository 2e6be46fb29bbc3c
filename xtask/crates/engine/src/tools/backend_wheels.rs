//! The wheels that are kept for a build backend, for runs without a network.

use crate::tools::pip::file_url;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

/// The wheels that are kept for a backend.
#[derive(Debug)]
pub(crate) struct Kept {
    /// the folder of wheels
    pub folder: Utf8PathBuf,
    /// for uv: each release with its digest
    pub list: Utf8PathBuf,
}

impl Kept {
    /// The folder as a URL: uv splits a plain path at its commas.
    pub(crate) fn url(&self) -> String {
        file_url(&self.folder)
    }

    /// Copies the list beside a source tree, and gives its name from there, which has no comma.
    pub(crate) fn list_beside(&self, source: &Utf8Path) -> anyhow::Result<String> {
        const NAME: &str = "backend.txt";
        fs_err::copy(&self.list, source.parent().context("a source tree is in a folder")?.join(NAME))?;
        Ok(format!("../{NAME}"))
    }
}
