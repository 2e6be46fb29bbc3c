//! Poetry: `poetry.lock`, and its tables in the `pyproject.toml` that it was made from.

mod dependency;
mod lock;
mod project;
#[cfg(test)]
mod tests;

pub(super) use lock::parse;
pub(crate) use project::Project;
