//! What every crate of wheelhaul uses: errors with their cures, bounded TOML, texts that are safe to show, dates, templates.
//!
//! Nothing here does I/O.

mod bomb;
pub mod calendar;
pub mod hex;
pub mod problem;
pub mod python_text;
pub mod templates;
pub mod text;
pub mod toml_text;

pub use bomb::is_bomb;
