//! One file an outside program: its minimum version, the hint to install it, small named functions.

pub mod backend;
mod backend_wheels;
pub mod build;
mod client_hints;
pub mod compile;
pub mod compile_only;
pub mod createrepo;
pub mod git;
pub mod git_repository;
pub mod git_version;
pub mod gpg;
pub mod interpreter;
pub mod lockers;
pub mod pip;
pub mod python;
pub mod rpmbuild;
pub mod shell;
pub mod uv;
