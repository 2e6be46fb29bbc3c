//! RPM files, version 4: headers, signatures and the order of versions (rpm's docs, "RPM V4 Package format").
//!
//! Nothing here knows of Python, and nothing does I/O of its own: readers and writers come from the caller. The files
//! build on each other in this order:
//!
//! - `header`: the one parser of headers, and the numbers of tags.
//! - `header_decode`, `header_encode`: values of tags from a header, and a header of values.
//! - `metadata`: what a header says of the package and its files.
//! - `signature`, `signatures`: OpenPGP packets, and what a package is signed with.
//! - `preamble`: all before the payload, and a new signature put into it.
//! - `read`: a whole RPM.
//! - `compare`: which of two versions is newer.

mod compare;
mod header;
mod header_decode;
mod header_encode;
mod metadata;
mod preamble;
mod read;
mod signature;
mod signatures;

pub use compare::compare_versions;
pub use header::{INTRO, LEAD, PAYLOAD_SHA256, Region};
pub use header_encode::{TagData, encode_header};
pub use metadata::{FileOwner, FileRow, Origin, RpmMetadata};
pub use preamble::Preamble;
pub use read::{Opened, RpmDigests, Visit};
pub use signature::{Algorithm, Signature};
pub use signatures::{SignatureFacts, Signatures};
