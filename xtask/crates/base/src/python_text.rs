//! Texts as Python's standard library cuts them: pip's requirements files are read by these rules.

use anyhow::bail;

/// What Python counts as white space: Unicode's, and the four separators of ASCII.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The lines of a text, as `str.splitlines` cuts it.
pub fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(line_length(rest));
        lines.push(line);
        let mut after_end = after.chars();
        after_end.next();
        rest = after.strip_prefix("\r\n").unwrap_or(after_end.as_str());
    }
    lines
}

/// How many bytes are before the end of the first line.
fn line_length(text: &str) -> usize {
    let mut from = 0;
    // Bytes that an end of a line can start with, which are rare; only then it is looked at as a character.
    let may_end = |byte: &u8| matches!(byte, b'\n'..=b'\r' | 0x1c..=0x1e | 0xc2 | 0xe2);
    while let Some(at) = text.as_bytes()[from..].iter().position(may_end) {
        from += at;
        match text[from..].chars().next() {
            Some('\u{85}' | '\u{2028}' | '\u{2029}') => return from,
            Some(c) if c.is_ascii() => return from,
            other => from += other.map_or(1, char::len_utf8),
        }
    }
    text.len()
}

/// Splits into words as `shlex.split` does: quotes, and `\` before a character.
///
/// # Errors
/// For a quote that is not closed, and for a `\` at the end.
pub fn shell_words(text: &str) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(c),
            (open, '\\') => match (characters.next(), open) {
                (None, _) => bail!("it ends in a `\\` that stands for nothing"),
                (Some(next), Some(_)) if next != '"' && next != '\\' => {
                    word.get_or_insert_default().extend(['\\', next]);
                }
                (Some(next), _) => word.get_or_insert_default().push(next),
            },
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        bail!("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_python_ends_them() {
        assert_eq!(lines("a\r\n\r\nb\x0bc\u{2028}d\u{e9}\n"), ["a", "", "b", "c", "d\u{e9}"]);
        assert!(lines("").is_empty() && is_space('\x1f') && is_space('\u{a0}'));
    }

    #[test]
    fn words_are_those_of_a_shell() {
        #[rustfmt::skip]
        let cases: [(&str, Option<&[&str]>); 5] = [
            (r#"a 'b "c"' "d \" \e" f\ g"#,  Some(&["a", r#"b "c""#, r#"d " \e"#, "f g"])),
            ("--x=''\t''",                  Some(&["--x=", ""])),
            ("",                            Some(&[])),
            ("a 'b",                        None),
            ("a\\",                         None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                shell_words(text).ok().as_deref(),
                expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).as_deref(),
                "{text}"
            );
        }
    }
}
