//! All that a lock is read from: texts, and what the team wants of it.

use crate::application::Application;
use crate::paths::{beside, folder_of};
use crate::selection::Selection;
use camino::{Utf8Path, Utf8PathBuf};
use pep508_rs::PackageName;
use std::collections::BTreeMap;

/// LockTexts by path relative to the repository; `None` for a file that is not there.
pub type LockTexts = BTreeMap<Utf8PathBuf, Option<String>>;

/// All that a lock is read from.
pub struct LockSource<'a> {
    /// the lock, relative to the repository; its name tells its format
    pub lock: &'a Utf8Path,
    /// what is packed anyway
    pub app: Application<'a>,
    /// the lock's text and those of the other files that reading it needs
    pub texts: &'a LockTexts,
    /// which extras and groups are wanted
    pub selection: &'a Selection,
    /// the value of an environment variable, for formats that put them in
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl LockSource<'_> {
    /// The text of the lock itself.
    pub(crate) fn text(&self) -> &str {
        self.texts.get(self.lock).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Whether a folder, as the lock writes it, is the application, which is packed anyway.
    pub(crate) fn is_application(&self, at: &str, name: Option<&PackageName>) -> bool {
        self.app.is_at(folder_of(self.lock), at, name)
    }

    /// The text of a file beside the lock, where it is there.
    pub(crate) fn beside(&self, name: &str) -> Option<&str> {
        self.texts.get(&beside(self.lock, name))?.as_deref()
    }
}
