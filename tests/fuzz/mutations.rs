//! Good texts and bytes → bad ones.

use crate::packaging::comparison::Lcg;

/// No input is longer: CI has other things to do.
const LONGEST: usize = 64 << 10;

/// Pieces that mean something to one of the parsers.
#[rustfmt::skip]
const PIECES: [&str; 64] = [
    "-", "_", ".", "..", "==", "===", "~=", ";", " ; ", "[", "]", "(", ")", "{", "}", "'", "\"", "'''", "\"\"\"", "\\",
    "\\\n", "\n", "\r", "\r\n", "\n\n", "\0", "#", " #", "@", " @ ", " --", "--hash=sha256:", "-r ", "-c ", "-e ", ",", "*", "!",
    "1!", "+", "%", "%2e%2e%2f", "${HOME}", "/", "://", "9999999999999999999999", "0", "-1", "1e999", "nan", "null", "true",
    "\u{feff}", "ä", "İ", "\u{2028}", "\u{200b}", "💥", " and ", " or ", "python_version", "extra", " in ", "\\u0000",
];

/// A text changed in one to four places.
pub fn changed(good: &str, other: &str, taste: &mut Lcg) -> String {
    let mut text = good.to_owned();
    for _ in 0..=taste.below(4) {
        text = change(&text, other, taste);
    }
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST).unwrap_or(text.len());
    text.truncate(end);
    text
}

fn place_in(text: &str, taste: &mut Lcg) -> usize {
    let mut at = taste.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Two places, the first not after the second; near each other more often than not.
fn part_of(text: &str, taste: &mut Lcg) -> (usize, usize) {
    let start = place_in(text, taste);
    let most = if taste.one_in(3) { text.len() } else { 30 };
    let mut end = (start + taste.below(most + 1)).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (start, end)
}

fn change(text: &str, other: &str, taste: &mut Lcg) -> String {
    let (start, end) = part_of(text, taste);
    let (front, part, back) = (&text[..start], &text[start..end], &text[end..]);
    match taste.below(10) {
        0 => format!("{front}{back}"),
        1 => format!("{front}{part}{part}{back}"),
        // A part many times: what is linear stays so.
        2 => format!("{front}{}{back}", part.repeat(1 + taste.below((LONGEST / part.len().max(64)).max(1)))),
        3 => {
            let (from, to) = part_of(other, taste);
            format!("{front}{}{back}", &other[from..to])
        }
        4 => format!("{front}{}", &other[place_in(other, taste)..]),
        5 => {
            let deep = 1 + taste.below(200);
            let (open, close) =
                taste.pick(&[("(", ")"), ("[", "]"), ("{", "}"), ("{\"a\":", "}"), ("{a=", "}"), ("'", "'")]);
            format!("{front}{}{part}{}{back}", open.repeat(deep), close.repeat(deep))
        }
        6 => front.to_owned(),
        7 => format!("{front}{}{back}", char::from(taste.below(128) as u8)),
        // A line to another place.
        8 if !text.is_empty() => {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            let line = lines.remove(taste.below(lines.len()));
            lines.insert(taste.below(lines.len() + 1), line);
            lines.concat()
        }
        _ => format!("{front}{}{part}{back}", taste.pick(&PIECES)),
    }
}

/// Bytes changed in one to eight places, or cut off.
pub fn changed_bytes(good: &[u8], taste: &mut Lcg) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=taste.below(8) {
        let at = taste.below(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        match taste.below(6) {
            0 => bytes[at] ^= 1 << taste.below(8),
            1 => bytes[at] = taste.pick(&[0, 1, 0x7f, 0x80, 0xff]),
            2 => bytes.insert(at, taste.below(256) as u8),
            3 if bytes.len() > 1 => drop(bytes.remove(at)),
            4 if taste.one_in(4) => bytes.truncate(at.max(1)),
            _ => {
                let end = (at + taste.below(64)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}
