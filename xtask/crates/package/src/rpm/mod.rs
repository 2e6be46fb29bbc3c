//! The RPM: what it says ([`RpmPackage`]), how it is written natively, the spec and the sources that rpmbuild
//! makes the same one from, and how one is read back.
//!
//! Format: version 4 packages, as rpm 4.14 and later read them (rpm's docs, "RPM V4 Package format").

mod facts;
mod header;
mod native;
mod package;
mod payload;
mod piece;
mod sources;
mod spec;
mod spec_files;
mod version;

pub use facts::PackageFacts;
pub use native::{RpmPlan, WrittenRpm};
pub use package::{ChangelogEntry, Dependency, RpmPackage, Sense, lines, one_line};
pub use payload::WrittenPiece;
pub use piece::{KeptPieces, NewPiece, NothingKept, PieceKey};
pub use sources::{SourceArchives, SourcePart};
pub use spec::{SourceNames, spec};
pub use version::{bundled_version, rpm_version};
