//! Packs a Python web application, with every dependency it needs, into one RPM for a Red Hat box that
//! has no internet access.
//!
//! This crate is the command line, and the face of the library: [`main`] is the whole program, for a `cargo xtask` of a
//! team; each task is a function of plain options ([`dist`], [`verify`], …) for those who write tasks of their own.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod command_line;

pub use command_line::{Cli, Common, Printed, Shown, main, parse, verify_schema};
pub use wheelhaul_engine::*;
