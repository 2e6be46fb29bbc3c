//! What a tree is laid out from, and what comes of it.

use crate::service::ServiceProgram;
use crate::tree::{BoxPath, Content, Tree};
use camino::Utf8PathBuf;
use std::sync::Arc;
use wheelhaul_boxes::Target;
use wheelhaul_config::Config;
use wheelhaul_wheel::{Archive, ByteCode, Checked, Contents, WheelName};

/// An opened wheel.
pub struct Wheel<R> {
    /// its name
    pub name: WheelName,
    /// of its file, in lower-case hex
    pub sha256: String,
    /// its archive
    pub archive: Archive<R>,
    /// what of it was found right in this run, with whichever target
    pub checked: Arc<Checked>,
    /// what it holds
    pub contents: Contents,
    /// what was compiled from it for the target's Python, if anything was
    pub byte_code: Option<ByteCode<R>>,
    /// the time of its files on the box, in seconds since 1970
    pub mtime: u32,
}

impl<R> Wheel<R> {
    /// The archive that a content of this wheel is in, and its place there; none for what this tool made.
    pub fn find(&self, content: &Content) -> Option<(&Archive<R>, usize)> {
        match content {
            Content::Bytes(_) => None,
            Content::Member { place, .. } => Some((&self.archive, *place)),
            Content::ByteCode { place, .. } => self.byte_code.as_ref().map(|code| (&code.archive, *place)),
        }
    }
}

/// The folder of a wheel's modules: the application's own folder for its wheel, `lib` in that for the others.
pub fn library(root: &BoxPath, is_application: bool) -> anyhow::Result<BoxPath> {
    if is_application { Ok(root.clone()) } else { root.join("lib") }
}

/// What a tree is laid out from.
pub struct Parts<'a, R> {
    /// `package.toml`
    pub config: &'a Config,
    /// the box
    pub target: &'a Target,
    /// the dependencies, then the application as the last
    pub wheels: &'a [Wheel<R>],
    /// the application's config files: path below its folder, and bytes
    pub config_files: &'a [(Utf8PathBuf, Vec<u8>)],
    /// the lock that travels in the package
    pub lock_text: &'a str,
    /// what people read on the box
    pub install_notes: &'a str,
    /// what is in the package, as CycloneDX
    pub sbom: &'a str,
    /// one line about the application
    pub summary: &'a str,
    /// the time of files that are made here, in seconds since 1970
    pub epoch: u32,
}

/// A tree, and what the writer has to know beside it.
#[derive(Debug)]
pub struct Layout {
    /// everything that lands on the box
    pub tree: Tree,
    /// how the service's program is started
    pub program: ServiceProgram,
}
