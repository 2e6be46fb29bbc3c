//! The RPM: what it says ([`Package`]), how it is written natively, and how one is read back.
//!
//! Format: version 4 packages, as rpm 4.14 and later read them (rpm's docs, "RPM V4 Package format").

mod cpio;
mod header;
mod native;
mod ordered;
mod package;
mod payload;
mod read;
mod version;

pub use native::{Written, write};
pub use package::{Dependency, Facts, Package, Sense};
pub use read::{Described, FileRow, Opened, Owner};
pub use version::{bundled_version, rpm_version};
