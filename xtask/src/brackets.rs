//! How deep the brackets of a TOML text are, before it is parsed.
//!
//! The `toml` crate limits its recursion by counting tables as they open and close, and loses count in a text
//! such as `x = [{p,""{a}:{p,""{a}:`: a few kilobytes of it end the process by a stack overflow. Every TOML
//! text from outside is held to [`check_depth`] first, which cuts a text into the same words as that crate does.

use anyhow::bail;

/// Deeper than any lock or configuration, and less than the `toml` crate's own limit.
const MOST_DEPTH: usize = 64;

/// Refuses a text whose brackets are deeper than any file's.
///
/// A bracket that does not match closes nothing here, so the depth is never taken for less than it is; what
/// else is wrong with such a text the parser says better.
pub fn check_depth(text: &str) -> anyhow::Result<()> {
    let mut open: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'#' => at += until(&bytes[at..], b"\r\n"),
            b'"' | b'\'' => at = string_end(bytes, at - 1),
            b'[' | b'{' => {
                open.push(*byte);
                if open.len() > MOST_DEPTH {
                    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
                    bail!("line {line}: its brackets are deeper than {MOST_DEPTH}");
                }
            }
            // In ASCII the closing bracket is two behind the opening one.
            b']' | b'}' if open.last().is_some_and(|open| open + 2 == *byte) => drop(open.pop()),
            b'.' | b'=' | b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' => {}
            // A quote within a bare word starts no string.
            _ => at += until(&bytes[at..], b".=,[]{} \t#\r\n"),
        }
    }
    Ok(())
}

/// How many bytes stand before the first of `ends`.
fn until(bytes: &[u8], ends: &[u8]) -> usize {
    bytes.iter().position(|byte| ends.contains(byte)).unwrap_or(bytes.len())
}

/// Where a string that starts at `start` is over; one that is not closed ends with its line.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let is_triple = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if is_triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' && matches!(bytes.get(at + 1), Some(b'\\' | b'"')) => at += 1,
            b'\n' if !is_triple => return at,
            _ if *byte == quote && !is_triple => return at + 1,
            _ if is_triple && bytes[at..].starts_with(&[quote; 3]) => {
                // Up to two quotes may stand before the three that close it.
                let more = bytes[at + 3..].iter().take(2).take_while(|byte| **byte == quote).count();
                return at + 3 + more;
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_deep_is_refused() {
        let deep = |unit: &str| format!("x = {}", unit.repeat(100));
        #[rustfmt::skip]
        let cases = [
            ("a = [[1], [2]]\n[[b]]\nc = {d = {e = 1}}".to_owned(),  true),
            (deep("["),                                              false),
            (deep("{a="),                                            false),
            (deep("{p,\"\"{a}:"),                                    false),
            (deep("\n[[x]]\ny = {z = [1]} # [[[ {{{ \"\n"),          true),
            (deep("\ny = '[[['"),                                    true),
            (deep("\ny = \"[[[\\\"[[\""),                            true),
            (deep("\ny = '''[[\n[['''''"),                           true),
            (deep("\ny = \"\"\"[[\\\"\"\"[[\n\"\"\"\""),             true),
            (deep("[}"),                                             false),
            (deep("\ny = \"[["),                                     true),
            (deep("\ny = \"\\\n[["),                                 false),
            (deep("x\"[\""),                                         false),
            (deep("]}"),                                             true),
            ("\"\\".to_owned(),                                      true),
        ];
        for (text, is_fine) in cases {
            assert_eq!(check_depth(&text).is_ok(), is_fine, "{text}");
        }
        assert!(check_depth(&format!("\n\n{}", "[".repeat(65))).unwrap_err().to_string().starts_with("line 3"));
    }
}
