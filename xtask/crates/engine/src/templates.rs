//! Programs that are started here or on a box.

use wheelhaul_base::templates::{shell_around, with_lf};

/// The script that tells what a box is, for its `sh`.
pub fn probe() -> String {
    shell_around(include_str!("templates/probe.sh"), &probe_program())
}

/// The Python program in [`probe`].
pub fn probe_program() -> String {
    with_lf(include_str!("templates/probe.py"))
}

/// The script that tells how an installed service does on a box, for its `sh`.
pub fn evidence() -> String {
    shell_around(include_str!("templates/evidence.sh"), &evidence_program())
}

/// The Python program in [`evidence`].
pub fn evidence_program() -> String {
    with_lf(include_str!("templates/evidence.py"))
}

/// The script that compiles wheels to byte-code; run here by a Python of the target's minor.
pub(crate) const COMPILE: &str = include_str!("templates/compile.py");

/// The script that tells whether sources compile; run here by a Python of the target's minor.
pub(crate) const COMPILE_ONLY: &str = include_str!("templates/compile_only.py");

/// The script that asks a build backend what it needs; run here.
pub(crate) const BUILD_REQUIRES: &str = include_str!("templates/build_requires.py");

/// The program that asks a service for `/`, for a machine's Python.
pub(crate) const ASK: &str = include_str!("templates/ask.py");
