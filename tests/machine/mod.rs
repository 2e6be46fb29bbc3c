//! A throw-away machine without network, made from a Debian root that behaves like RHEL.
//!
//! ```text
//! needs::check ─► Root::prepare ─► Releases::build ─► Machine::boot ─► provides::install ─► Steps
//! ```
//!
//! It is not RHEL: no SELinux, no FIPS mode, no fapolicyd, and a newer glibc than el9's. What is
//! real here: `rpm`, systemd, the scriptlets, the service's user, TLS, a reboot.

pub mod needs;
pub mod provides;
pub mod releases;
pub mod service;
pub mod suites;

mod boot;
mod root;
mod steps;

pub use boot::{Machine, wait_for};
pub use releases::Releases;
pub use root::Root;
pub use steps::Steps;
