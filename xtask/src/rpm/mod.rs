//! The RPM: what it says ([`Package`]), how it is written natively, and how one is read back.
//!
//! Format: version 4 packages, as rpm 4.14 and later read them (rpm's docs, "RPM V4 Package format").

mod cpio;
mod front;
mod header;
mod native;
mod ordered;
mod package;
mod payload;
mod read;
mod signature;
mod version;

pub use front::Front;
pub use native::{Written, write};
pub use package::{Change, Dependency, Facts, Package, Sense};
pub use read::{Described, FileRow, Opened, Owner};
pub use signature::{Algorithm, Signature};
pub use version::rpm_version;
