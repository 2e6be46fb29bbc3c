//! Texts as a terminal and a page may show them: nothing in them is unseen.

use std::borrow::Cow;

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
