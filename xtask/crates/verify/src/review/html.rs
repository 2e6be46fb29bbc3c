//! The template of the page for reviewers, and how texts become HTML.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use std::sync::LazyLock;
use wheelhaul_base::templates::with_lf;
use wheelhaul_base::text::visible;

/// The stylesheet of the page for reviewers.
pub fn stylesheet() -> String {
    with_lf(include_str!("../templates/report.css"))
}

/// The template of the page for reviewers, `report.html`. Every text that is put in is escaped, and what would not be
/// seen in it, or would turn the order of what is, is shown by its number: nothing that a package says can be more
/// than text.
pub(super) fn html() -> &'static Environment<'static> {
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
    let text = with_lf(include_str!("../templates/report.html"));
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
}
