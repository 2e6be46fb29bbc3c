//! Templates, strict about names; each crate has its own texts.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

/// An environment of named templates without escaping: none of them is HTML. A template is parsed when it is first used.
pub fn environment_of(templates: &'static [(&'static str, &'static str)]) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment
        .set_loader(|asked| Ok(templates.iter().find(|(name, _)| *name == asked).map(|(_, text)| with_lf(text))));
    environment
}

/// A text as it is shipped: rustc takes it in with the line ends of the work tree that it was built from.
pub fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// A shell script with a program as one of its words; in single quotes, where the shell reads nothing but their end.
pub fn shell_around(script: &str, program: &str) -> String {
    let word = format!("'{}'", program.replace('\'', "'\\''"));
    with_lf(script).replace("@PROGRAM@", &word)
}
