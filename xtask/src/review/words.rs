//! Numbers and names as people read them.

use crate::rpm::Seal;

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
pub(super) fn sealed(seal: &Seal) -> String {
    match seal {
        Seal::None => "not signed".to_owned(),
        Seal::By { algorithm, issuer } if issuer.is_empty() => {
            format!("signed with {}; it does not say by which key", algorithm.title())
        }
        Seal::By { algorithm, issuer } => format!("signed with {} by the key {}", algorithm.title(), in_fours(issuer)),
        Seal::Unreadable => "signed, in a way that this tool cannot read".to_owned(),
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
    use crate::rpm::Algorithm;

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
        let by = |issuer: &str| Seal::By { algorithm: Algorithm::Rsa, issuer: issuer.to_owned() };
        assert_eq!(sealed(&Seal::None), "not signed");
        assert_eq!(sealed(&by("00112233AABB")), "signed with RSA by the key 0011 2233 AABB");
        assert_eq!(sealed(&by("")), "signed with RSA; it does not say by which key");
    }
}
