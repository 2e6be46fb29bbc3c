//! A file of a wheel, and where it lands.

use crate::Digest;

/// Where a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// the folder that is imported from; `purelib` and `platlib` are one here
    Library,
    /// `bin`
    Scripts,
    /// the prefix
    Data,
    /// C headers
    Headers,
}

/// One file with its place.
#[derive(Debug)]
pub struct Placed {
    /// where it goes
    pub scheme: Scheme,
    /// below the scheme's folder
    pub path: String,
    /// in the archive
    pub place: usize,
    /// what RECORD says its bytes hash to
    pub digest: Digest,
}
