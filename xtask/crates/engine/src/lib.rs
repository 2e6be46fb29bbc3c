//! The engine of wheelhaul: every task as a function of plain options, for the command line and for tasks of a team's own.
//!
//! [`Setting`] says where a task works and how much it says; each task has its options in the module of its name. `lock` is the only step
//! that decides; everything after it is a function of what is committed.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod about;
mod accepting;
pub mod builder;
mod byte_code;
pub mod checks;
pub mod clean;
pub mod diff;
pub mod discover;
pub mod dist;
mod early;
mod fetch;
mod foreign;
pub mod init;
mod inputs;
mod lacks;
mod libraries;
mod loading;
pub mod lock;
mod lock_checks;
mod locking;
mod module;
mod offline;
mod opened;
mod others;
mod outputs;
mod own_wheel;
pub mod pieces;
mod prepare;
mod project;
pub mod rebuild;
pub mod report;
pub mod repository;
mod required;
pub mod rpm;
pub mod rpmbuild;
pub mod schema;
mod sdist;
mod server;
pub mod shipped;
pub mod sign;
mod steps;
pub mod summary;
mod support;
pub mod target;
mod tasks;
mod team_lock;
pub mod templates;
pub mod tools;
pub mod trial;
mod upgrade;
mod verified;
pub mod verify;
pub mod wheel;
pub mod wheelhouse;

pub use project::Project;
pub use required::hold as hold_required_version;
pub use tasks::{
    Setting, checks, clean, diff, dist, explain, init, lock, rebuild, rpm, schema, script, sign, specs, target,
    targets, trial, verify, wheel,
};
