//! The line to write: what a person most likely meant by a value of the wrong type, or else an example.

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

/// Longer values are not repeated: an example shows more.
const LONGEST: usize = 120;

/// `port = 8000`, with a key that is quoted where it has to be.
pub(super) fn line(key: &str, value: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if is_bare { format!("{key} = {value}") } else { format!("{key:?} = {value}") }
}

/// A value as TOML writes it, in one line.
pub(super) fn toml_of(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        Value::Object(object) => {
            let pairs: Vec<String> = object.iter().map(|(key, value)| line(key, &toml_of(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        // Texts of JSON and TOML are written alike.
        plain => plain.to_string(),
    }
}

/// A value that the schema would take.
pub(super) fn example(schema: &Value) -> Value {
    if let Some(example) = schema["examples"].as_array().and_then(|examples| examples.first()) {
        return example.clone();
    }
    if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()).or(schema.get("const")) {
        return word.clone();
    }
    if let Some(first) = choices_of(schema).and_then(|choices| choices.first().copied()) {
        return example(first);
    }
    match schema["type"].as_str().unwrap_or_default() {
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "array" => json!([example(&schema["items"])]),
        "object" => json!({}),
        _ => json!("…"),
    }
}

/// The value that a person most likely meant, as TOML.
///
/// - Takes: `written`, the value as it is in the file.
pub(super) fn mended(schema: &Value, key: &str, value: &Spanned<DeValue<'_>>, written: &str) -> String {
    let meant = meant(schema, key, value.get_ref(), written);
    let meant = meant
        .or_else(|| choices_of(schema)?.into_iter().find_map(|one| self::meant(one, key, value.get_ref(), written)));
    match meant.map(|value| toml_of(&value)).filter(|text| text.len() <= LONGEST) {
        Some(text) => text,
        None => toml_of(&example(schema)),
    }
}

fn meant(schema: &Value, key: &str, value: &DeValue<'_>, written: &str) -> Option<Value> {
    match (schema["type"].as_str()?, value) {
        ("integer", DeValue::String(text)) => {
            let number: i64 = text.trim().parse().ok()?;
            let fits = schema["minimum"].as_i64().is_none_or(|least| number >= least)
                && schema["maximum"].as_i64().is_none_or(|most| number <= most);
            fits.then(|| json!(number))
        }
        ("boolean", DeValue::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(json!(true)),
            "false" | "no" | "off" | "0" => Some(json!(false)),
            _ => None,
        },
        ("boolean", DeValue::Integer(number)) => Some(json!(number.as_str() != "0")),
        // `python = 3.10` is the number 3.1, so the text counts.
        ("string", DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_)) if !has_words(schema) => {
            Some(json!(written))
        }
        ("string", DeValue::Array(entries)) if entries.len() == 1 && !has_words(schema) => {
            entries.iter().next().and_then(|entry| entry.get_ref().as_str()).map(|text| json!(text))
        }
        ("array", DeValue::String(text)) if schema["items"]["type"] == "string" => {
            let words = if key == "command" { words(text)? } else { vec![text.to_string()] };
            Some(json!(words)).filter(|_| !text.trim().is_empty())
        }
        ("array", DeValue::Array(entries)) if schema["items"]["type"] == "string" => {
            let plain = |entry: &DeValue<'_>| match entry {
                DeValue::String(text) => Some(text.to_string()),
                DeValue::Integer(number) => Some(number.as_str().to_owned()),
                DeValue::Float(number) => Some(number.as_str().to_owned()),
                DeValue::Boolean(value) => Some(value.to_string()),
                _ => None,
            };
            let texts: Option<Vec<String>> = entries.iter().map(|entry| plain(entry.get_ref())).collect();
            Some(json!(texts?))
        }
        _ => None,
    }
}

fn has_words(schema: &Value) -> bool {
    schema.get("enum").is_some() || schema.get("const").is_some()
}

/// The words of a command line, with quotes as a shell takes them; none where it has more than that.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let (mut quote, mut is_open) = (None, false);
    for c in text.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => (quote, is_open) = (Some(c), words_push(&mut words, is_open)),
            (c, None) if c.is_whitespace() => is_open = false,
            ('\\' | '$' | '`' | '|' | '&' | ';' | '<' | '>', None) => return None,
            (c, _) => {
                is_open = words_push(&mut words, is_open);
                words.last_mut()?.push(c);
            }
        }
    }
    quote.is_none().then_some(words)
}

/// Begins a word unless one is open.
fn words_push(words: &mut Vec<String>, is_open: bool) -> bool {
    if !is_open {
        words.push(String::new());
    }
    true
}

/// The choices of a schema, if it has several.
pub(super) fn choices_of(schema: &Value) -> Option<Vec<&Value>> {
    let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array())?;
    Some(choices.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_cut_into_words() {
        #[rustfmt::skip]
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("gunicorn app:app",                 Some(&["gunicorn", "app:app"])),
            ("  gunicorn  -w 4\tapp:app ",       Some(&["gunicorn", "-w", "4", "app:app"])),
            ("gunicorn 'app:create_app(\"x\")'", Some(&["gunicorn", "app:create_app(\"x\")"])),
            ("gunicorn --env=\"A B\" a:a",       Some(&["gunicorn", "--env=A B", "a:a"])),
            ("gunicorn ''",                      Some(&["gunicorn", ""])),
            ("a && b",                           None),
            ("a 'b",                             None),
            ("a $B",                             None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
