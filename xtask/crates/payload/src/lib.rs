//! What is done with every byte of a payload. This crate is compiled with full optimisation, and so that the others
//! need not be; it knows neither Python nor the header of an RPM.
//!
//! Generic functions are compiled by the crate that calls them, with its optimisation: so readers and writers are
//! `dyn` here.
//!
//! - Reading: [`Inflater`] unpacks a file of a zip archive; [`Unpacked`] the payload of an RPM, which [`read_ahead`]
//!   runs on a core of its own.
//! - Writing: [`Packer`] makes zstd frames or gzip members, [`in_order`] makes pieces side by side.
//! - [`cpio`] frames the files of a payload.

pub mod cpio;
mod gzip;
mod inflate;
mod pack;
mod parallel;
mod read_ahead;
mod unpack;

pub use gzip::{OWN_MEMBER, deflate_identity};
pub use inflate::{Inflater, PackedFile, Sink};
pub use pack::{PackBuffers, Packer, zstd_identity};
pub use parallel::in_order;
pub use read_ahead::{Ahead, read_ahead};
pub use unpack::Unpacked;

/// What is compressed at once, in bytes. zstd is a third faster on a whole frame than on a stream, whose window wraps
/// around; a larger frame wins little and takes its size in memory on every core. A frame of this size is also unpacked
/// at once.
pub const FRAME_BYTES: usize = 4 << 20;
