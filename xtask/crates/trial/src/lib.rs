//! Throw-away machines without network, made from the root file system of a box.
//!
//! ```text
//! RootSource::parse ─► Sandbox::make ─► Root::open ─► Machine::start ─► run, reboot ─► drop
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `source.rs` | what a root may be given as, and how it becomes a folder |
//! | `facts.rs` | what a root is, before anything of it runs |
//! | `needs.rs` | what the host must have |
//! | `sandbox.rs` | the folder and the control groups of a machine, and who removes them whatever happens |
//! | `cgroup.rs` | where control groups are made |
//! | `container.rs` | a machine, booted or not: start, commands inside, reboot, end |
//! | `files.rs` | everything on its disk, and what changed |
//!
//! Every process is below one that the kernel ends with this one, and every mount is in a namespace that ends
//! with them. What outlives a killed process is in one folder and in control groups of one name, and a process
//! outside (`templates/cleanup.sh`) removes those when this one is gone.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod cgroup;
mod container;
mod facts;
mod files;
mod needs;
mod sandbox;
mod source;

pub use container::{ContainerKind, Machine};
pub use facts::RootFacts;
pub use files::Files;
pub use needs::{boot_obstacle, check_needs};
pub use sandbox::Sandbox;
pub use source::{Root, RootSource};
