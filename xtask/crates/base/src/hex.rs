//! Bytes as hexadecimal text, which is how locks, RPM and people write digests.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Whether a text is bytes in lower-case hex.
pub fn is_hex_of(text: &str, bytes: &[u8]) -> bool {
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    text.len() == bytes.len() * 2 && text.as_bytes().chunks(2).zip(bytes).all(|(pair, byte)| pair == digits(byte))
}

/// Whether a text is a sha256 digest in lower-case hex.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A sha256 digest in lower-case hex, from hex in any case; `None` if the text is not one.
pub fn sha256_digest(text: &str) -> Option<String> {
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_lower_case() {
        assert_eq!(hex(&[0, 0x1f, 0xab]), "001fab");
        assert_eq!(sha256_digest(&"0F".repeat(32)), Some("0f".repeat(32)));
        assert!(sha256_digest("0f").is_none() && sha256_digest(&"0g".repeat(32)).is_none());
        assert!(is_sha256(&"0f".repeat(32)) && !is_sha256(&"0F".repeat(32)) && !is_sha256("0f"));
    }

    #[test]
    fn hex_is_compared_without_being_written() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], bool); 5] = [
            ("",     &[],           true),
            ("00ff", &[0x00, 0xff], true),
            ("00fe", &[0x00, 0xff], false),
            ("00FF", &[0x00, 0xff], false),
            ("00f",  &[0x00, 0xff], false),
        ];
        for (text, bytes, expected) in cases {
            assert_eq!(is_hex_of(text, bytes), expected, "{text}");
        }
    }
}
