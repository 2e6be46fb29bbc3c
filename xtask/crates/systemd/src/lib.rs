//! What systemd understands: units, their keys and values by version, command lines, calendar events, sysusers files.
//!
//! | files | what they do |
//! |---|---|
//! | `unit_text`, `words` | read a unit, and the words of its values |
//! | `section`, `quoting` | write them |
//! | `unit_keys` | keys by the version that brought them |
//! | `unit_values`, `calendar` | values of keys |
//! | `unit_faults` | what systemd would ignore or refuse in a unit |
//! | `sysusers` | files of sysusers.d(5) |
//!
//! Everything here takes texts and does no I/O. What a package should have in them is not decided here.

mod calendar;
mod quoting;
mod section;
mod sysusers;
mod unit_faults;
mod unit_keys;
mod unit_text;
mod unit_values;
mod words;

pub use quoting::{assignment, command_line, literal};
pub use section::UnitSection;
pub use sysusers::{MadeUsers, Sysusers, sysusers_line};
pub use unit_faults::{faults_of_key, faults_of_service, starts_program};
pub use unit_keys::{knows, newest_looked_at, old_name_of, unit_key_since, unit_keys};
pub use unit_text::{UnitKey, UnitText, doubled};
pub use unit_values::unit_value_expects;
pub use words::{CommandLine, Words, split_commands, split_words};
