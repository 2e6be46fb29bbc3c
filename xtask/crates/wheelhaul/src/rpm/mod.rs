//! The RPM: what it says ([`Package`]), how it is written natively, the spec and the sources that rpmbuild
//! makes the same one from, and how one is read back.
//!
//! Format: version 4 packages, as rpm 4.14 and later read them (rpm's docs, "RPM V4 Package format").

mod ahead;
mod compare;
mod cpio;
mod described;
mod facts;
mod front;
mod gzip;
mod header;
mod listed;
mod native;
mod ordered;
mod package;
mod payload;
mod piece;
mod read;
mod signature;
mod sources;
mod spec;
mod tagged;
mod tags;
mod unpacked;
mod version;
mod vouching;

pub use compare::compare_versions;
pub use described::{Described, FileRow, Origin, Owner};
pub use facts::Facts;
pub use front::Front;
pub use native::{Plan, Written};
pub use package::{Change, Dependency, Package, Sense, lines, one_line};
pub use payload::WrittenPiece;
pub use piece::{KeptPieces, NewPiece, NothingKept, PieceKey};
pub use read::{Bytes, Opened};
pub use signature::{Algorithm, Signature};
pub use sources::{Part, Sources};
pub use spec::{SourceNames, spec};
pub use version::{bundled_version, rpm_version};
pub use vouching::{SignatureFacts, Vouching};
