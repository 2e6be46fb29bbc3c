//! Packs a Python web application, with every dependency it needs, into one RPM for a Red Hat box that
//! has no internet access.
//!
//! This crate is the command line, and the face of the library: [`main`] is the whole program, for a `cargo xtask` of a
//! team; each task is a function of plain options ([`dist()`], [`verify()`], …) for those who write tasks of their own.
//! A task returns a report of plain values, which serialises to the JSON of `--format json`:
//!
//! ```rust
//! /// `cargo xtask bundle`: makes the packages, and prints the digest and the path of the archive to carry over.
//! fn bundle() -> anyhow::Result<()> {
//!     let setting = wheelhaul::Setting::of(".");
//!     let options = wheelhaul::dist::Options { locked: true, ..Default::default() };
//!     match wheelhaul::dist(&setting, &options)? {
//!         wheelhaul::dist::Report::Stale(stale) => anyhow::bail!("stale locks: {}", stale.stale.join("; ")),
//!         wheelhaul::dist::Report::Made(made) => match made.delivery {
//!             Some(delivery) => println!("{}  {}", delivery.bundle.sha256, delivery.bundle.path),
//!             None => anyhow::bail!("not every check passed"),
//!         },
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A report of one's own is printed like those here if it is [`Shown`].

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod command_line;

pub use command_line::{Cli, Common, Printed, Shown, main, parse, verify_schema};
pub use wheelhaul_engine::*;
