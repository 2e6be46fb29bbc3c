//! Packs a Python web application into one RPM.
pub mod config;
pub mod decide;
pub mod layout;
pub mod lockfile;
pub mod pins;
pub mod problem;
pub mod rpm;
pub mod service;
pub mod sys;
pub mod target;
pub mod tools;
pub mod tree;
pub mod wheel;
pub mod wheelhouse;
