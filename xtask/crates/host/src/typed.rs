//! How the user started this program: in help and hints.

use std::borrow::Cow;
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

/// What all texts of this program call it. Files that it writes say so too, so that their bytes do not depend on how it was
/// started; only what a person reads is translated.
const IN_TEXTS: &str = "cargo xtask";

/// A text that names the command as the user typed it.
pub(super) fn as_typed(text: &str) -> Cow<'_, str> {
    match NAME.get() {
        Some(name) if *name != IN_TEXTS && text.contains(IN_TEXTS) => text.replace(IN_TEXTS, name).into(),
        _ => text.into(),
    }
}
