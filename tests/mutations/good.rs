//! Good RPMs.
