//! What an RPM consists of: where each file lands, the service, texts, the header; and how it is written.
//!
//! Nothing here does I/O of its own: readers, writers and the store of pieces come from the caller. The modules in the
//! order of the data:
//!
//! - [`tree`]: every path on the box, with where its content comes from; two claims on one path are an error.
//! - [`service`]: units, scriptlets, users and settings, from `package.toml` and the box.
//! - [`layout`]: wheels, application and texts → a tree.
//! - [`rpm`]: what the header says, the payload in pieces, the spec and the sources.
//! - [`sbom`]: the list of all that is in the package, as CycloneDX.
//! - [`pages`]: the texts that people read, made of templates.

pub mod layout;
pub mod pages;
pub mod rpm;
pub mod sbom;
pub mod service;
mod templates;
pub mod tree;

pub use templates::templates;
