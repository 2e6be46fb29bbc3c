//! The RPM: what it says ([`Package`]), how it is written natively, the spec and the sources that rpmbuild
//! makes the same one from, and how one is read back.
//!
//! Format: version 4 packages, as rpm 4.14 and later read them (rpm's docs, "RPM V4 Package format").

mod facts;
mod gzip;
mod header;
mod listed;
mod native;
mod package;
mod payload;
mod piece;
mod sources;
mod spec;
mod version;

pub use facts::Facts;
pub use native::{Plan, Written};
pub use package::{Change, Dependency, Package, Sense, lines, one_line};
pub use payload::WrittenPiece;
pub use piece::{KeptPieces, NewPiece, NothingKept, PieceKey};
pub use sources::{Part, Sources};
pub use spec::{SourceNames, spec};
pub use version::{bundled_version, rpm_version};
