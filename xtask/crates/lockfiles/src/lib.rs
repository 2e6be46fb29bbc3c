//! What the team locked: pins, read from the lock of their own tool, each with its place in it.
//!
//! | files | what they do |
//! |---|---|
//! | `formats` | the table of formats, and a folder for each: text → [`Pins`] |
//! | `filter`, `walk`, `unknown` | [`Pins`] and a target → what the box gets |
//! | `pins`, `pin`, `direct_files` | what a lock says |
//! | `source`, `application`, `selection` | what a lock is read from, and what the team wants of it |
//! | `own_needs`, `project_file`, `python` | what the application's own files ask for |
//! | `poetry_constraint`, `python_json`, `file_names`, `hashes`, `paths` | syntax that several formats share |
//!
//! Locks come in two kinds. A flat one says of each package under which marker it is installed. A graph says
//! who needs what, and [`filter`] walks it from its roots. Both become [`Pins`].
//!
//! A new format is a row in `formats` and a folder below it. Nothing here reads a file.

mod application;
mod direct_files;
mod file_names;
mod filter;
mod formats;
mod hashes;
mod own_needs;
mod paths;
mod pin;
mod pins;
mod poetry_constraint;
mod project_file;
mod python;
mod python_json;
#[cfg(test)]
mod reading;
mod selection;
mod source;
mod unknown;
mod walk;

pub use application::Application;
pub use direct_files::{DirectFile, FileLocation};
pub use file_names::name_in_url;
pub use filter::{DroppedPin, Filtered, KeptPin, Why, filter};
pub use formats::pipenv::pipfile_requirements;
pub use formats::requirements::{Resolved, to_requirements};
pub use formats::{LockFormat, LockTool, LockUpgrade, parse, parse_text, texts_of, texts_of_requirements};
pub use own_needs::{has_dependencies, own_needs};
pub use pin::{Need, Obstacle, Pin, Versions};
pub use pins::{Constraint, Pins};
pub use python::Pythons;
pub use selection::Selection;
pub use source::{LockSource, LockTexts};
pub use unknown::Unknown;
