//! One file an outside program: its minimum version, the hint to install it, small named functions.

pub(crate) mod backend;
mod backend_wheels;
pub mod build;
pub(crate) mod client_hints;
pub(crate) mod compile;
pub(crate) mod compile_only;
pub(crate) mod createrepo;
pub mod git;
pub(crate) mod git_repository;
pub(crate) mod git_version;
pub(crate) mod gpg;
pub mod interpreter;
pub(crate) mod lockers;
pub(crate) mod pip;
pub mod python;
pub(crate) mod rpmbuild;
pub mod shell;
pub mod uv;
