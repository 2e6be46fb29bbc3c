//! Which of two versions is newer, as rpm says (`rpmvercmp` of rpm's `rpmio/rpmvercmp.c`, 4.15 and later).

use std::cmp::Ordering;

/// Compares two versions, or two releases.
///
/// Digits and letters are compared part by part, whatever stands between them; a number is newer than a word, a
/// longer version newer than its beginning. `~` sorts below the end, `^` above it and below everything else.
pub fn compare_versions(old: &str, new: &str) -> Ordering {
    let (mut old, mut new) = (old.as_bytes(), new.as_bytes());
    let is_separator = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^');
    loop {
        for side in [&mut old, &mut new] {
            *side = &side[side.iter().position(|byte| !is_separator(byte)).unwrap_or(side.len())..];
        }
        match (old.first(), new.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => (old, new) = (&old[1..], &new[1..]),
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), None) => return Ordering::Greater,
            (Some(b'^'), Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            (Some(first), Some(second)) => {
                let digits = first.is_ascii_digit();
                match (digits, second.is_ascii_digit()) {
                    (true, false) => return Ordering::Greater,
                    (false, true) => return Ordering::Less,
                    _ => {}
                }
                let (a, b) = (part(&mut old, digits), part(&mut new, digits));
                let by_length = if digits { a.len().cmp(&b.len()) } else { Ordering::Equal };
                match by_length.then_with(|| a.cmp(b)) {
                    Ordering::Equal => {}
                    other => return other,
                }
            }
            (first, second) => return first.is_some().cmp(&second.is_some()),
        }
    }
}

/// Takes the letters or digits at the start; a number without its leading zeros.
fn part<'a>(rest: &mut &'a [u8], digits: bool) -> &'a [u8] {
    let belongs = |byte: &u8| if digits { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
    let (part, left) = rest.split_at(rest.iter().position(|byte| !belongs(byte)).unwrap_or(rest.len()));
    *rest = left;
    match digits {
        true => &part[part.iter().position(|byte| *byte != b'0').unwrap_or(part.len())..],
        false => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_rpm_sorts_them() {
        #[rustfmt::skip]
        let cases = [ // `rpm --eval '%{lua: print(rpm.vercmp("1.0", "1.0"))}'`
            ("1.0",      "1.0",       Ordering::Equal),
            ("1.0",      "1.0.0",     Ordering::Less),
            ("1.9",      "1.10",      Ordering::Less),
            ("1.09",     "1.9",       Ordering::Equal),
            ("1.0~rc1",  "1.0",       Ordering::Less),
            ("1.0~~dev", "1.0~a1",    Ordering::Less),
            ("1.0^git1", "1.0",       Ordering::Greater),
            ("1.0^git1", "1.0.1",     Ordering::Less),
            ("1.0.post", "1.0.1",     Ordering::Less),
            ("1.0a",     "1.0",       Ordering::Greater),
            ("1_0",      "1.0",       Ordering::Equal),
            ("1.0.",     "1.0",       Ordering::Equal),
            ("",         "1",         Ordering::Less),
            ("é",        "",          Ordering::Equal),
            ("99999999999999999999999", "100000000000000000000000", Ordering::Less),
        ];
        for (old, new, expected) in cases {
            assert_eq!(compare_versions(old, new), expected, "{old} {new}");
            assert_eq!(compare_versions(new, old), expected.reverse(), "{new} {old}");
        }
    }
}
