//! The templates of this tool: what people read on the box, and the programs that start the others.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use std::sync::LazyLock;

/// The script that tells what a box is; run there by the box's Python, and no template: nothing is put in.
pub fn probe() -> String {
    with_lf(include_str!("templates/probe.py"))
}

/// The JSON schema of what `verify --format json` prints.
pub fn verify_schema() -> String {
    with_lf(include_str!("templates/verify.schema.json"))
}

/// A text as it is shipped: rustc takes it in with the line ends of the work tree that it was built from.
fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The script that compiles wheels to byte-code; run here by a Python of the target's minor, and no template.
pub const COMPILE: &str = include_str!("templates/compile.py");

/// The script that tells whether sources compile; run here by a Python of the target's minor, and no template.
pub const COMPILE_ONLY: &str = include_str!("templates/compile_only.py");

/// The templates of this tool, strict about names and without escaping: none of them is HTML.
pub fn templates() -> &'static Environment<'static> {
    static PARSED: LazyLock<Environment<'static>> = LazyLock::new(parse);
    &PARSED
}

fn parse() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    for (name, text) in [
        ("launcher.py", include_str!("templates/launcher.py")),
        ("console_script.py", include_str!("templates/console_script.py")),
        ("certificate.py", include_str!("templates/certificate.py")),
        ("wait_until_ready.py", include_str!("templates/wait_until_ready.py")),
        ("verify.sh", include_str!("templates/verify.sh")),
        ("INSTALL.md", include_str!("templates/INSTALL.md")),
        ("package.spec", include_str!("templates/package.spec")),
        ("NAME.repo", include_str!("templates/NAME.repo")),
        ("description.txt", include_str!("templates/description.txt")),
    ] {
        environment.add_template_owned(name, with_lf(text)).expect("the templates of this tool parse");
    }
    environment
}
