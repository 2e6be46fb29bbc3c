//! What a repository tells of its application, and the files by which this tool is set up in it: names and texts of
//! files in, a draft and texts out.

mod companions;
mod detect;
mod lock;
mod notes;
mod object;
mod package_toml;
mod project;
mod python;
mod serve;

pub use companions::{Way, cargo_files, pipelines, with_hook};
pub(crate) use companions::{ignore_lines, taken_back};
pub(crate) use detect::{Draft, drafts, wanted};
pub(crate) use lock::Lock;
pub use notes::Note;
pub(crate) use package_toml::package_toml;
pub(crate) use python::allowed;

use std::collections::{BTreeMap, BTreeSet};

/// What was seen of a repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// the name of its folder
    pub name: String,
    /// every file that git tracks or would add, relative to the repository, with `/`
    pub files: BTreeSet<String>,
    /// the texts of those that [`wanted`] names, as far as they are texts
    pub texts: BTreeMap<String, String>,
    /// the folder that is asked about, relative to the repository and ending in `/`; empty for all of it
    pub below: String,
    /// what is typed to start this tool
    pub typed: String,
    /// whether a tag names a version
    pub has_tag: bool,
    /// files and folders that git ignores, folders with a `/` at their end
    pub ignored: Vec<String>,
}

impl Seen {
    fn has(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The files below a folder, relative to it.
    fn below<'s>(&'s self, folder: &str) -> BTreeSet<&'s str> {
        self.files.iter().filter_map(|path| path.strip_prefix(folder)).collect()
    }
}
