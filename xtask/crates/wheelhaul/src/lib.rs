//! Packs a Python web application, with every dependency it needs, into one RPM for a Red Hat box that
//! has no internet access.

pub mod commands;
pub mod init;
pub mod pieces;
pub mod shipped;
pub mod templates;
pub mod tools;
pub mod wheelhouse;
