//! TOML from outside: read without overflowing the stack, and told of without the line itself, which may hold a
//! credential.
//!
//! The `toml` crate limits its recursion by counting tables as they open and close, and loses count in a text
//! such as `x = [{p,""{a}:{p,""{a}:`: a few kilobytes of it end the process by a stack overflow. Every TOML
//! text from outside is held to [`check_depth`] first, which cuts a text into the same words as that crate does.

use crate::problem::Problem;
use anyhow::bail;
use serde::de::DeserializeOwned;

/// Deeper than any lock or configuration, and less than the `toml` crate's own limit.
const MOST_DEPTH: usize = 64;

/// Reads a text.
///
/// - Takes: `cure`, for the hint.
/// - Fails: with the line and what is wrong there, but for the part of it that starts with a URL.
pub fn read<T: DeserializeOwned>(text: &str, cure: &str) -> anyhow::Result<T> {
    check_depth(text)?;
    toml::from_str(text).map_err(|error| {
        let line = text[..error.span().map_or(0, |span| span.start)].matches('\n').count() + 1;
        let what = error.message().split("://").next().unwrap_or_default();
        Problem::with_hint(format!("line {line}: {what}"), cure)
    })
}

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
        match KINDS[usize::from(*byte)] {
            Kind::Space => {}
            Kind::Comment => at = end_of(bytes, at, |byte| byte == b'\n' || byte == b'\r'),
            Kind::Quote => at = string_end(bytes, at - 1),
            Kind::Open => {
                open.push(*byte);
                if open.len() > MOST_DEPTH {
                    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
                    bail!("line {line}: its brackets are deeper than {MOST_DEPTH}");
                }
            }
            // In ASCII the closing bracket is two behind the opening one.
            Kind::Close if open.last().is_some_and(|open| open + 2 == *byte) => drop(open.pop()),
            Kind::Close => {}
            // A quote within a bare word starts no string.
            Kind::Word => at = end_of(bytes, at, |byte| !matches!(KINDS[usize::from(byte)], Kind::Word | Kind::Quote)),
        }
    }
    Ok(())
}

/// What a byte is outside of strings.
#[derive(Clone, Copy)]
enum Kind {
    Word,
    Space,
    Comment,
    Quote,
    Open,
    Close,
}

/// Looked up instead of compared: locks have tens of megabytes.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Word; 256];
    let of = [
        (b".=, \t\r\n".as_slice(), Kind::Space),
        (b"#".as_slice(), Kind::Comment),
        (b"'\"".as_slice(), Kind::Quote),
        (b"[{".as_slice(), Kind::Open),
        (b"]}".as_slice(), Kind::Close),
    ];
    let mut row = 0;
    while row < of.len() {
        let mut at = 0;
        while at < of[row].0.len() {
            kinds[of[row].0[at] as usize] = of[row].1;
            at += 1;
        }
        row += 1;
    }
    kinds
};

/// The first place from `at` on that is an end, or the end of all.
fn end_of(bytes: &[u8], mut at: usize, is_end: impl Fn(u8) -> bool) -> usize {
    while at < bytes.len() && !is_end(bytes[at]) {
        at += 1;
    }
    at
}

/// Where a string that starts at `start` is over; one that is not closed ends with its line.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let is_triple = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if is_triple { 3 } else { 1 };
    loop {
        at = end_of(bytes, at, |byte| byte == quote || byte == b'\\' || byte == b'\n');
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'\\') if quote == b'"' && matches!(bytes.get(at + 1), Some(b'\\' | b'"')) => at += 1,
            Some(b'\n') if !is_triple => return at,
            Some(byte) if *byte == quote && !is_triple => return at + 1,
            Some(_) if is_triple && bytes[at..].starts_with(&[quote; 3]) => {
                // Up to two quotes may stand before the three that close it.
                let more = bytes[at + 3..].iter().take(2).take_while(|byte| **byte == quote).count();
                return at + 3 + more;
            }
            Some(_) => {}
        }
        at += 1;
    }
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
