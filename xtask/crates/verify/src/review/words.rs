//! Numbers and names as people read them.

/// A size as people read it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// `a`, `a and b`, `a, b and c`
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `108 519 408`, with spaces that do not break.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// Who signed, in words. That it says so proves nothing yet, and the words must not claim it.
///
/// - Takes: `RSA 0123ABC…`, the algorithm and the key.
pub(super) fn signed(signature: Option<&str>) -> String {
    match signature.map(|said| said.split_once(' ').unwrap_or((said, ""))) {
        None => "not signed".to_owned(),
        Some((algorithm, "")) => format!("signed with {algorithm}; it does not say by which key"),
        Some((algorithm, key)) if key.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("signed with {algorithm} by the key {}", in_fours(key))
        }
        Some((first, rest)) => format!("signed: {first} {rest}"),
    }
}

/// A fingerprint in groups of four, as gpg prints it.
fn in_fours(fingerprint: &str) -> String {
    let chars: Vec<char> = fingerprint.chars().collect();
    chars.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A file's name as a word of a shell.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+~-/=:@%,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1000, "1\u{a0}000"), (108_519_408, "108\u{a0}519\u{a0}408")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn names_become_words_of_a_shell() {
        #[rustfmt::skip]
        let cases = [
            ("a-1.0~rc1-1.el9.x86_64.rpm", "a-1.0~rc1-1.el9.x86_64.rpm"),
            ("a b.rpm",                    "'a b.rpm'"),
            ("a'$(rm -r x)'.rpm",          r"'a'\''$(rm -r x)'\''.rpm'"),
            ("",                           "''"),
        ];
        for (name, word) in cases {
            assert_eq!(quoted(name), word);
        }
    }

    #[test]
    fn signatures_are_told_and_not_vouched_for() {
        #[rustfmt::skip]
        let cases = [
            (None,                     "not signed"),
            (Some("RSA 00112233AABB"), "signed with RSA by the key 0011 2233 AABB"),
            (Some("RSA "),             "signed with RSA; it does not say by which key"),
            (Some("of a kind that this tool does not read"), "signed: of a kind that this tool does not read"),
        ];
        for (signature, words) in cases {
            assert_eq!(signed(signature), words);
        }
    }
}
