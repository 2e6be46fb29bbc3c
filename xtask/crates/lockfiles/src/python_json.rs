//! JSON as Python's `json.dumps(…, sort_keys=True)` writes it, which several tools hash.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use wheelhaul_base::hex::hex;

/// What stands between the items: Python's two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// `", "` and `": "`, the default
    Wide,
    /// `","` and `":"`
    Tight,
}

/// The sha256, in hex, of a value's JSON.
pub(crate) fn digest(value: &Value, spacing: Spacing) -> String {
    let mut text = String::new();
    write(value, spacing, &mut text);
    hex(&Sha256::digest(text))
}

/// The parsers of JSON and TOML limit how deep a value is, so this may follow it.
fn write(value: &Value, spacing: Spacing, text: &mut String) {
    let (comma, colon) = match spacing {
        Spacing::Wide => (", ", ": "),
        Spacing::Tight => (",", ":"),
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { comma });
                write(item, spacing, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                text.push_str(if index == 0 { "" } else { comma });
                write_string(key, text);
                text.push_str(colon);
                write(item, spacing, text);
            }
            text.push('}');
        }
    }
}

/// Python's default is ASCII: everything else is escaped, beyond 16 bits as a pair of surrogates.
fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").expect("a string takes all");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_python_does() {
        #[rustfmt::skip]
        let cases = [ // value                               wide                             tight
            (json!({"b": [1, 2.5], "a": null, "B": {}}), r#"{"B": {}, "a": null, "b": [1, 2.5]}"#, r#"{"B":{},"a":null,"b":[1,2.5]}"#),
            (json!(["é\u{1f600}\u{7f}\u{1}", true]),     r#"["\u00e9\ud83d\ude00\u007f\u0001", true]"#, r#"["\u00e9\ud83d\ude00\u007f\u0001",true]"#),
            (json!("\"\\/\n\r\t\u{8}\u{c}"),             r#""\"\\/\n\r\t\b\f""#,               r#""\"\\/\n\r\t\b\f""#),
            (json!([]),                                  "[]",                                 "[]"),
        ];
        for (value, wide, tight) in cases {
            for (spacing, expected) in [(Spacing::Wide, wide), (Spacing::Tight, tight)] {
                let mut text = String::new();
                write(&value, spacing, &mut text);
                assert_eq!(text, expected);
            }
        }
    }
}
