//! Wheels + application + config + service → [`Tree`](crate::tree::Tree).

mod builder;
mod parts;
mod wheels;

pub use builder::{check_interpreter, lay_out};
pub use parts::{Layout, Parts, Wheel, library};
pub use wheels::license_texts;
