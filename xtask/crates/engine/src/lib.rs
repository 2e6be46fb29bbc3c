//! The engine of wheelhaul: every task as a function of plain options, for the command line and for tasks of a team's own.
//!
//! [`Setting`] says where a task works and how much it says. Each task is a function here; its options and its report are
//! in the module of its name. A report is plain values that serialise to the JSON of `--format json`; none of them is
//! text for people, which the command line makes.
//!
//! `lock` is the only step that decides; everything after it is a function of what is committed:
//!
//! ```text
//! lock ──▶ wheel ──▶ rpm ──▶ verify ──▶ dist (all of them, and the bundle)
//!                                  └──▶ trial, diff, rebuild, sign: of finished RPMs
//! ```
//!
//! | what | where |
//! |---|---|
//! | each task, from its options to its report | `tasks`, then the module of its name |
//! | a loaded repository, and what it lacks | `project`, `inputs`, `early`, `offline` |
//! | locks | `team_lock`, `locking`, `lock_checks`, `upgrade`, `fetch`, `sdist` |
//! | wheels | `wheelhouse`, `own_wheel`, `shipped`, `byte_code` |
//! | RPMs | `prepare`, `rpmbuild`, `pieces`, `outputs`, `verified`, `repository` |
//! | what `init` finds out | [`discover`] |
//! | programs of this host, one file each | [`tools`] |
//! | programs that are started on a box | [`templates`] |

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod accepting;
mod build_stamps;
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
mod own_wheel;
mod package_info;
mod pieces;
mod prepare;
mod project;
pub mod rebuild;
pub mod report;
mod repository;
mod required;
pub mod rpm;
mod rpmbuild;
pub mod schema;
mod sdist;
mod server;
mod shipped;
pub mod sign;
mod steps;
mod summary;
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
mod wheelhouse;

use project::Project;
pub use required::hold as hold_required_version;
pub use tasks::{
    Setting, checks, clean, diff, dist, explain, init, lock, rebuild, rpm, schema, script, sign, specs, target,
    targets, trial, verify, wheel,
};
pub use wheelhaul_host::{Sys, Verbosity, find_root};
