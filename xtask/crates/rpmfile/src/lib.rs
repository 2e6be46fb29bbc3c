//! RPM files, version 4: headers, payloads, signatures and the order of versions (rpm's docs, "RPM V4 Package format").
//!
//! Nothing here knows of Python, and nothing does I/O of its own: readers and writers come from the caller.

mod ahead;
mod compare;
pub mod cpio;
mod described;
mod front;
pub mod ordered;
mod read;
mod signature;
mod tagged;
pub mod tags;
mod unpacked;
mod vouching;

pub use compare::compare_versions;
pub use cpio::LARGE_FILE;
pub use described::{Described, FileRow, Origin, Owner};
pub use front::Front;
pub use read::{Bytes, INTRO, LEAD, Opened};
pub use signature::{Algorithm, Signature};
pub use vouching::{PAYLOAD_SHA256, SignatureFacts, Vouching};
