//! TOML from outside: read without overflowing the stack, and told of without the line itself, which may hold a
//! credential.
//!
//! The `toml` crate limits its recursion by counting tables as they open and close, and loses count in a text
//! such as `x = [{p,""{a}:{p,""{a}:`: a few kilobytes of it end the process by a stack overflow. Every TOML
//! text from outside is held to [`check_depth`] first, which cuts a text into the same words as that crate does.

use crate::problem::Problem;
use anyhow::bail;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

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

/// Reads a text most of which is one array of tables, `[[KEY]]`, as locks are: the same as [`read`] in a fraction of
/// its memory, which is what reading costs most of its time for.
///
/// The `toml` crate makes some thirty times a text's size of it before anything is read. So the entries are read in
/// pieces, and the rest as if the array were empty. Where a piece is not taken, or the text is not cut easily, it is
/// read whole: then it says what is wrong.
///
/// - Takes: `put`, which puts the entries where `T` has them.
pub fn read_entries<T, E>(text: &str, key: &str, cure: &str, put: impl FnOnce(&mut T, Vec<E>)) -> anyhow::Result<T>
where
    T: DeserializeOwned,
    E: DeserializeOwned,
{
    match in_pieces(text, key, PIECE) {
        Some((mut whole, entries)) => {
            put(&mut whole, entries);
            Ok(whole)
        }
        None => read(text, cure),
    }
}

/// The rest of a text, and its entries; none where it has to be read whole.
fn in_pieces<T: DeserializeOwned, E: DeserializeOwned>(text: &str, key: &str, size: usize) -> Option<(T, Vec<E>)> {
    let Pieces { rest, entries } = Pieces::cut(text, key, size)?;
    let whole = toml::from_str(&rest).ok()?;
    let mut all = Vec::new();
    for piece in entries {
        let mut table: BTreeMap<String, Vec<E>> = toml::from_str(piece).ok()?;
        all.append(table.get_mut(key)?);
        // A header that is indented is not seen as one.
        (table.len() == 1).then_some(())?;
    }
    Some((whole, all))
}

/// Bytes of a piece, and one entry more: as much as a processor's cache has room for what the parser makes of it.
const PIECE: usize = 16 << 10;

/// A text cut before tables at its top level.
struct Pieces<'a> {
    /// all but the entries, below an empty array in their place: another one is an error
    rest: String,
    /// each with one entry or several, whole
    entries: Vec<&'a str>,
}

impl<'a> Pieces<'a> {
    /// Cuts a text; none where its headers are not plain, or its entries do not stand apart.
    fn cut(text: &'a str, key: &str, size: usize) -> Option<Self> {
        if text.len() < size {
            return None;
        }
        let mut headers = Vec::new();
        walk(text, |at| headers.push(at)).ok()?;
        let mut rest = format!("{key} = []\n");
        let mut entries = Vec::new();
        let (mut start, mut is_entry) = (0, false);
        for at in headers.into_iter().chain([text.len()]) {
            let header = Header::of(&text[at..], key)?;
            let ends = match header {
                Header::Entry => !is_entry || at - start >= size,
                Header::Within if !is_entry => return None,
                Header::Within => false,
                Header::Other => is_entry,
                Header::End => true,
            };
            if ends {
                if is_entry {
                    entries.push(&text[start..at])
                } else {
                    rest.push_str(&text[start..at])
                }
                (start, is_entry) = (at, matches!(header, Header::Entry));
            }
        }
        (!entries.is_empty()).then_some(Self { rest, entries })
    }
}

/// What a table's header says.
enum Header {
    /// `[[KEY]]`
    Entry,
    /// `[KEY.x]` or `[[KEY.x]]`
    Within,
    Other,
    /// the text is over
    End,
}

impl Header {
    /// Reads the header that a text starts with; none for one with quotes.
    fn of(text: &str, key: &str) -> Option<Self> {
        let Some(inner) = text.strip_prefix('[') else { return text.is_empty().then_some(Self::End) };
        let (is_entry, inner) = match inner.strip_prefix('[') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let inner = inner.trim_start_matches([' ', '\t']);
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')?;
        let (first, behind) = inner.split_at(end);
        let behind = behind.trim_start_matches([' ', '\t']);
        match (first == key, behind.starts_with("]]"), behind.starts_with('.') || behind.starts_with(']')) {
            (_, _, false) => None,
            _ if first.is_empty() => None,
            (true, true, _) if is_entry => Some(Self::Entry),
            (true, ..) => Some(Self::Within),
            (false, ..) => Some(Self::Other),
        }
    }
}

/// Refuses a text whose brackets are deeper than any file's.
///
/// A bracket that does not match closes nothing here, so the depth is never taken for less than it is; what
/// else is wrong with such a text the parser says better.
pub fn check_depth(text: &str) -> anyhow::Result<()> {
    walk(text, |_| ())
}

/// The same, telling of each bracket that opens a line outside of all others: where a table's header starts.
fn walk(text: &str, mut header: impl FnMut(usize)) -> anyhow::Result<()> {
    let mut open: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match KINDS[usize::from(*byte)] {
            Kind::Space => {}
            Kind::Open if open.is_empty() && (at == 1 || bytes[at - 2] == b'\n') => {
                header(at - 1);
                open.push(*byte);
            }
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

    /// Whatever stands in whatever order: what is read in pieces is what is read at once.
    #[test]
    fn pieces_say_what_the_whole_says() {
        #[rustfmt::skip]
        let parts = [
            "[[p]]\nname = 'a'\n",
            "[[p]]\nname = \"\"\"\n[[p]]\n[q]\n\"\"\"\nfiles = [\n{a = 1},\n[[1], [2]],\n]\n",
            "[[ p ]]  # [[p]]\nx = '''\n[p]\n'''\n",
            "[p.more]\ny = 1\n",
            "[[p.list]]\nz = 1\n[p.list.of]\nz = 2\n",
            "\t[[p]]\nname = 'indented'\n",
            "[[\"p\"]]\nname = 'quoted'\n",
            "[\"p\".x]\n",
            "[p]\nname = 'single'\n",
            "[q]\nr = 1\n",
            "[q.s]\nr = [\n1,\n]\n",
            "  [u]\nr = 2\n",
            "[[q2]]\nr = 3\n",
            "[pp]\n# [[p]]\n",
            "[p-p]\n",
            "k = 1\n",
            "p = []\n",
            "p.x = 1\n",
            "x = ]\n",
            "x = [\n[p]\n",
            "[[p]\n",
            "[]\n",
            "\r\n",
        ];
        let mut random = 1_u64;
        let mut pieces = 0;
        for round in 0..60_000 {
            let mut text = String::new();
            let mut draw = |most: usize| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as usize % most
            };
            for _ in 0..=draw(7) {
                // The first few are what locks are made of.
                let of = if draw(3) == 0 { parts.len() } else { 5 };
                text.push_str(parts[draw(of)]);
            }
            let size = 1 + draw(60);
            let whole = toml::from_str::<BTreeMap<String, toml::Value>>(&text).ok();
            let read = in_pieces::<BTreeMap<String, toml::Value>, toml::Value>(&text, "p", size);
            if let Some((mut rest, entries)) = read {
                pieces += 1;
                rest.insert("p".to_owned(), toml::Value::Array(entries));
                assert_eq!(Some(rest), whole, "round {round}, {size}:\n{text}");
            }
        }
        assert!(pieces > 5_000, "only {pieces} were read in pieces");
    }

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
