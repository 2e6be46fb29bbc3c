//! The templates of this tool: what people read on the box, and the programs that start the others.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use std::borrow::Cow;
use std::sync::LazyLock;

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

/// A shell script with a program as one of its words; in single quotes, where the shell reads nothing but their end.
fn shell_around(script: &str, program: &str) -> String {
    let word = format!("'{}'", program.replace('\'', "'\\''"));
    with_lf(script).replace("@PROGRAM@", &word)
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

/// The script that asks a build backend what it needs; run here, and no template.
pub const BUILD_REQUIRES: &str = include_str!("templates/build_requires.py");

/// What the programs of a machine are: shell and Python, no templates. `machine` says what each is for.
pub mod machine {
    /// process 1 of a machine's namespaces, for the host's `sh`
    pub const KEEPER: &str = include_str!("templates/keeper.sh");
    /// removes what a machine leaves, for the host's `sh`
    pub const WARDEN: &str = include_str!("templates/warden.sh");
    /// asks the service for `/`, for the machine's Python
    pub const ASK: &str = include_str!("templates/ask.py");
}

/// The templates of this tool, strict about names and without escaping: none of them is HTML.
pub fn templates() -> &'static Environment<'static> {
    static PARSED: LazyLock<Environment<'static>> = LazyLock::new(parse);
    &PARSED
}

fn parse() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    for (name, text) in [
        ("launcher.py", include_str!("templates/launcher.py")),
        ("console_script.py", include_str!("templates/console_script.py")),
        ("run.py", include_str!("templates/run.py")),
        ("certificate.py", include_str!("templates/certificate.py")),
        ("wait_until_ready.py", include_str!("templates/wait_until_ready.py")),
        ("verify.sh", include_str!("templates/verify.sh")),
        ("INSTALL.md", include_str!("templates/INSTALL.md")),
        ("spec.txt", include_str!("templates/spec.txt")),
        ("NAME.repo", include_str!("templates/NAME.repo")),
        ("description.txt", include_str!("templates/description.txt")),
    ] {
        environment.add_template_owned(name, with_lf(text)).expect("the templates of this tool parse");
    }
    environment
}

/// The stylesheet of the page for reviewers.
pub fn stylesheet() -> String {
    with_lf(include_str!("templates/report.css"))
}

/// The template of the page for reviewers, `report.html`. Every text that is put in is escaped, and what would not be
/// seen in it, or would turn the order of what is, is shown by its number: nothing that a package says can be more
/// than text.
pub fn html() -> &'static Environment<'static> {
    static PARSED: LazyLock<Environment<'static>> = LazyLock::new(parse_html);
    &PARSED
}

fn parse_html() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => Ok(out.write_str(&escaped(text))?),
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment.add_filter("prose", prose);
    let text = with_lf(include_str!("templates/report.html"));
    environment.add_template_owned("report.html", text).expect("the templates of this tool parse");
    environment
}

/// A text as HTML, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + text.len() / 8);
    for c in visible(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            c => shown.push(c),
        }
    }
    shown
}

/// A sentence of this tool as HTML: what stands in backticks is code.
fn prose(text: &str) -> Value {
    let mut shown = String::with_capacity(text.len() + 32);
    let mut parts = text.split('`').enumerate().peekable();
    while let Some((index, part)) = parts.next() {
        let escaped = escaped(part);
        match (index % 2, parts.peek().is_some()) {
            (0, _) => shown.push_str(&escaped),
            (_, true) => shown.extend(["<code>", &escaped, "</code>"]),
            // One that nothing closes is a backtick.
            (_, false) => shown.extend(["`", &escaped]),
        }
    }
    Value::from_safe_string(shown)
}

/// A text with what nobody sees shown by its number: `\u{202e}`. Line ends and tabs stay.
///
/// Controls, marks of direction (Unicode's annex 9, section 2), characters without width, and what is no character.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unseen(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The same in one line: a line end inside a name would start a line that looks like one of this tool's own.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        shown if shown.contains('\n') => Cow::Owned(shown.replace('\n', "\\n")),
        shown => shown,
    }
}

/// One line of a report, with its end.
pub fn line(text: &str) -> String {
    format!("{}\n", one_line(text))
}

/// A JSON document with the same characters escaped, as JSON escapes them: all of them are inside of its strings.
pub fn visible_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unseen(c) {
            true => shown.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            false => shown.push(c),
        }
    }
    shown
}

fn is_unseen(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_become_code_and_all_else_is_escaped() {
        #[rustfmt::skip]
        let cases = [
            ("run `x -a` or `y`", "run <code>x -a</code> or <code>y</code>"),
            ("`<b>`<i>",          "<code>&lt;b&gt;</code>&lt;i&gt;"),
            ("it's ` alone <",    "it&#39;s ` alone &lt;"),
            ("`a` and `b",        "<code>a</code> and `b"),
            ("",                  ""),
        ];
        for (text, shown) in cases {
            assert_eq!(prose(text).as_str(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_not_seen_is_shown_by_its_number() {
        #[rustfmt::skip]
        let cases = [
            ("a\tb\nc ü 💥 漢",      "a\tb\nc ü 💥 漢"),
            ("exe\u{202e}fdp.py",    r"exe\u{202e}fdp.py"),
            ("a\u{200b}b\u{feff}",   r"a\u{200b}b\u{feff}"),
            ("a\0b\x1b[2J\r",        r"a\u{0}b\u{1b}[2J\u{d}"),
            ("\u{85}\u{2028}\u{e0041}", r"\u{85}\u{2028}\u{e0041}"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown, "{text:?}");
        }
        assert_eq!(one_line("a\n\x1b[1mb\tc"), "a\\n\\u{1b}[1mb\tc");
    }

    #[test]
    fn json_stays_the_same_document_and_has_nothing_unseen() {
        let value = serde_json::json!({"a\u{9b}\x7f\u{202e}": ["\x1b[2J\u{e0041}\u{feff}", "ü\n💥\"\\"]});
        let shown = visible_json(&format!("{value:#}\n"));
        assert!(!shown.contains(is_unseen) && shown.contains("\\u009b") && shown.contains("\\udb40\\udc41"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
