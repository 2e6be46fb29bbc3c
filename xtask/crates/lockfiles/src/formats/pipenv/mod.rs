//! pipenv: `Pipfile.lock`, and the `Pipfile` that it was made from.

mod lock;
mod pipfile;

pub(super) use lock::parse;
pub use pipfile::pipfile_requirements;
pub(crate) use pipfile::wanted_markers;
