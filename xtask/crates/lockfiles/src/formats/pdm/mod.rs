//! PDM: `pdm.lock`, and the `pyproject.toml` that it was made from.

mod lock;
mod project;
#[cfg(test)]
mod tests;

pub(super) use lock::parse;
