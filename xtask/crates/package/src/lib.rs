//! What an RPM consists of: where each file lands, the service, texts, the header; and how it is written.

pub mod layout;
pub mod pages;
pub mod rpm;
pub mod sbom;
pub mod service;
pub mod templates;
pub mod tree;
