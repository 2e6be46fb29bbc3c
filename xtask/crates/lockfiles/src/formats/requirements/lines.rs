//! Text → lines as pip sees them: line ends, continuations, comments, environment variables.

use wheelhaul_base::python_text::{is_space, lines};

/// More text than the values of variables may add to a line.
const MOST_ADDED: usize = 1 << 20;

/// Joins continued lines, and drops comments and empty lines; a number is that of the first physical line.
pub(super) fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut logical = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut close = |(number, line): (usize, String)| {
        let line = without_comment(&line).trim_matches(is_space);
        if !line.is_empty() {
            logical.push((number, line.to_owned()));
        }
    };
    for (index, raw) in lines(text).into_iter().enumerate() {
        let is_comment = raw.trim_start_matches(is_space).starts_with('#');
        if raw.ends_with('\\') && !is_comment {
            let (_, line) = open.get_or_insert_with(|| (index + 1, String::new()));
            line.push_str(raw.trim_matches('\\'));
            continue;
        }
        let (number, mut line) = open.take().unwrap_or_else(|| (index + 1, String::new()));
        // A comment line ends a continued one.
        if is_comment {
            line.push(' ');
        }
        line.push_str(raw);
        close((number, line));
    }
    open.into_iter().for_each(close);
    logical
}

/// A comment starts at a `#` at the line's start or after white space.
fn without_comment(line: &str) -> &str {
    let mut starts = line.match_indices('#').map(|(at, _)| at);
    let start = starts.find(|at| *at == 0 || line[..*at].ends_with(is_space));
    &line[..start.unwrap_or(line.len())]
}

/// A line with the values of its environment variables.
#[derive(Default)]
pub(super) struct Expanded {
    /// it may hold credentials now
    pub text: String,
    /// the variables that were put in
    pub put_in: Vec<String>,
}

/// Puts in the variables that are set and not empty, each written `${NAME}`: capitals, digits and `_`.
///
/// - Gives: none where the values are longer than any line's.
pub(super) fn expanded(line: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<Expanded> {
    let mut expanded = Expanded::default();
    let mut rest = line;
    while let Some((before, name, after)) = next_variable(rest) {
        expanded.text.push_str(before);
        match variable(name).filter(|value| !value.is_empty()) {
            Some(value) => {
                expanded.text.push_str(&value);
                expanded.put_in.push(name.to_owned());
            }
            None => expanded.text.push_str(&format!("${{{name}}}")),
        }
        if expanded.text.len() > line.len() + MOST_ADDED {
            return None;
        }
        rest = after;
    }
    expanded.text.push_str(rest);
    Some(expanded)
}

/// The first variable of a text: what is before it, its name, and what is after it.
pub(super) fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.match_indices("${").find_map(|(at, _)| {
        let name = &text[at + 2..];
        let end = name.find(|c| !is_name(c))?;
        let after = name[end..].strip_prefix('}')?;
        (end > 0).then(|| (&text[..at], &name[..end], after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_dropped_as_pip_does() {
        #[rustfmt::skip]
        let cases = [ // text                      lines
            ("a\r\n\r\nb\x0bc\u{2028}d",           vec![(1, "a"), (3, "b"), (4, "c"), (5, "d")]),
            ("a \\\n  b \\\n c\nd",                vec![(1, "a   b  c"), (4, "d")]),
            ("a \\\n# comment \\\nb",              vec![(1, "a"), (3, "b")]),
            ("a # x \\\n b",                       vec![(1, "a")]),
            ("a#b #c",                             vec![(1, "a#b")]),
            ("\\\\a\\\\\nb",                       vec![(1, "ab")]),
            ("a\\",                                vec![(1, "a")]),
            ("\x1f#x\n a \x1c",                    vec![(2, "a")]),
        ];
        for (text, expected) in cases {
            let lines = logical_lines(text);
            let lines: Vec<(usize, &str)> = lines.iter().map(|(number, line)| (*number, line.as_str())).collect();
            assert_eq!(lines, expected, "{text:?}");
        }
    }

    #[test]
    fn variables_that_are_set_are_put_in() {
        let variable = |name: &str| match name {
            "A_1" => Some("x".to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(600_000)),
            _ => None,
        };
        #[rustfmt::skip]
        let cases = [
            ("${A_1}${A_1}-$A_1-${a}",  Some("xx-$A_1-${a}")),
            ("${EMPTY}${UNSET}${}",     Some("${EMPTY}${UNSET}${}")),
            ("${${A_1}}",               Some("${x}")),
            ("${A_1",                   Some("${A_1")),
            ("${LONG}${LONG}",          None),
        ];
        for (line, text) in cases {
            assert_eq!(expanded(line, &variable).map(|expanded| expanded.text).as_deref(), text, "{line}");
        }
    }
}
