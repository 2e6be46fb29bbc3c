//! How the user started this program: in help and hints.

use std::sync::OnceLock;

static NAME: OnceLock<&str> = OnceLock::new();

/// Says once, at the start, what the user typed: `wheelhaul`, or `cargo xtask`.
pub fn set_typed_name(name: &'static str) {
    // The first one is what the process was started as.
    let _ = NAME.set(name);
}

/// What the user typed before the task; `wheelhaul` where nobody said it, as in a test.
pub fn typed_name() -> &'static str {
    NAME.get().copied().unwrap_or("wheelhaul")
}
