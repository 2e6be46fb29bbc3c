//! What lands on the box as text, and the spec.

use minijinja::Environment;
use std::sync::LazyLock;
use wheelhaul_base::templates::environment_of;

/// The templates of a package, by the name of their file.
pub fn templates() -> &'static Environment<'static> {
    static PARSED: LazyLock<Environment<'static>> = LazyLock::new(|| {
        environment_of(&[
            ("launcher.py", include_str!("templates/launcher.py")),
            ("console_script.py", include_str!("templates/console_script.py")),
            ("run.py", include_str!("templates/run.py")),
            ("certificate.py", include_str!("templates/certificate.py")),
            ("wait_until_ready.py", include_str!("templates/wait_until_ready.py")),
            ("verify.sh", include_str!("templates/verify.sh")),
            ("INSTALL.md", include_str!("templates/INSTALL.md")),
            ("spec.txt", include_str!("templates/spec.txt")),
            ("description.txt", include_str!("templates/description.txt")),
            ("NAME.repo", include_str!("templates/NAME.repo")),
        ])
    });
    &PARSED
}
