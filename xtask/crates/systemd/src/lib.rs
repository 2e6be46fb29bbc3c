//! What systemd understands: keys of units by the release that brought them, their values, calendar events.
//!
//! Everything here takes texts and does no I/O.

mod calendar;
mod unit_keys;
mod unit_values;

pub use unit_keys::{unit_key_since, unit_keys};
pub use unit_values::unit_value_expects;
