//! What looks like a secret in a text, found while its bytes stream by.
//!
//! Tokens are known by the prefixes that who gives them out has published. What is kept of a find is its line and its
//! kind, never the secret.

/// A line is looked at in pieces of this many bytes.
const PIECE: usize = 16 << 10;
/// A piece starts with the end of the one before it: longer than any pattern.
const OVERLAP: usize = 512;
/// More finds in one file say nothing new.
const MOST_FINDS: usize = 50;
/// Lines between the head of a key and its first line of base64: `Proc-Type`, `DEK-Info`, an empty one.
const HEAD_LINES: u8 = 5;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// a private key: its head, and base64 behind it
    PrivateKey,
    /// a token: whose
    Token(&'static str),
    /// an AWS access key ID; the key itself looks like any text
    AccessKeyId,
    /// `scheme://user:password@host`
    Url {
        /// whether the password is a word that stands for one in documentation
        is_example: bool,
    },
}

/// A find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spotted {
    /// from 1
    pub line: usize,
    /// what it is
    pub kind: SecretKind,
}

/// Looks at a text that comes in pieces; what has a NUL near its start is no text.
#[derive(Debug, Default)]
pub struct Spotter {
    line: usize,
    rest: Vec<u8>,
    awaits_key: u8,
    is_binary: bool,
    found: Vec<Spotted>,
}

impl Spotter {
    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        if self.line == 0 {
            self.line = 1;
            self.is_binary = bytes[..bytes.len().min(8 << 10)].contains(&0);
        }
        if self.is_binary || self.found.len() >= MOST_FINDS {
            return;
        }
        let mut bytes = bytes;
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..end]);
            self.look();
            self.rest.clear();
            self.line += 1;
            self.awaits_key = self.awaits_key.saturating_sub(1);
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    /// What was found, by line.
    pub fn finish(mut self) -> Vec<Spotted> {
        if !self.is_binary {
            self.look();
        }
        self.found
    }

    fn extend(&mut self, mut bytes: &[u8]) {
        while self.rest.len() + bytes.len() > PIECE {
            let (now, later) = bytes.split_at(PIECE - self.rest.len());
            self.rest.extend_from_slice(now);
            self.look();
            self.rest.drain(..PIECE - OVERLAP);
            bytes = later;
        }
        self.rest.extend_from_slice(bytes);
    }

    fn look(&mut self) {
        let line = std::mem::take(&mut self.rest);
        if self.awaits_key > 0 && has_base64(&line) {
            self.awaits_key = 0;
            self.add(SecretKind::PrivateKey);
        }
        let mut is_inside_word = false;
        for (at, byte) in line.iter().enumerate() {
            let rest = &line[at..];
            match byte {
                b'-' if rest.starts_with(b"-----BEGIN ") => self.look_at_key(rest),
                b':' if rest.starts_with(b"://") => {
                    if let Some(is_example) = has_password(&rest[3..]) {
                        self.add(SecretKind::Url { is_example });
                    }
                }
                _ if !is_inside_word => {
                    if let Some(kind) = token_of(rest) {
                        self.add(kind);
                    }
                }
                _ => {}
            }
            is_inside_word = byte.is_ascii_alphanumeric() || *byte == b'_';
        }
        self.rest = line;
    }

    /// A head alone, as in code that looks for keys, is none.
    fn look_at_key(&mut self, rest: &[u8]) {
        let label = &rest[11..rest.len().min(11 + 48)];
        let Some(end) = label.windows(5).position(|window| window == b"-----") else { return };
        let label = &label[..end];
        if label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK") {
            match has_base64(&rest[11 + end + 5..]) {
                true => self.add(SecretKind::PrivateKey),
                false => self.awaits_key = HEAD_LINES + 1,
            }
        }
    }

    fn add(&mut self, kind: SecretKind) {
        let found = Spotted { line: self.line, kind };
        if self.found.len() < MOST_FINDS && !self.found.contains(&found) {
            self.found.push(found);
        }
    }
}

fn has_base64(bytes: &[u8]) -> bool {
    let mut run = 0;
    bytes.iter().any(|byte| {
        run = if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') { run + 1 } else { 0 };
        run == 40
    })
}

/// Prefix, how many characters follow at least, which beside letters and digits may be among them, and whose it is.
#[rustfmt::skip]
const TOKENS: &[(&[u8], usize, &[u8], &str)] = &[
    (b"AIza",        35, b"-_", "Google"),
    (b"SG.",         60, b"-_.", "SendGrid"),
    (b"ghp_",        36, b"",   "GitHub"),
    (b"gho_",        36, b"",   "GitHub"),
    (b"ghu_",        36, b"",   "GitHub"),
    (b"ghs_",        36, b"",   "GitHub"),
    (b"ghr_",        36, b"",   "GitHub"),
    (b"github_pat_", 60, b"_",  "GitHub"),
    (b"glpat-",      20, b"-_", "GitLab"),
    (b"hf_",         34, b"",   "Hugging Face"),
    (b"npm_",        36, b"",   "npm"),
    (b"pypi-AgE",    60, b"-_", "PyPI"),
    (b"rk_live_",    24, b"",   "Stripe"),
    (b"sk_live_",    24, b"",   "Stripe"),
    (b"xoxa-",       20, b"-",  "Slack"),
    (b"xoxb-",       20, b"-",  "Slack"),
    (b"xoxp-",       20, b"-",  "Slack"),
    (b"xoxr-",       20, b"-",  "Slack"),
];

fn token_of(rest: &[u8]) -> Option<SecretKind> {
    match rest[0] {
        b'A' if rest.starts_with(b"AKIA") || rest.starts_with(b"ASIA") => {
            let id = rest.get(4..20)?;
            let is_id = id.iter().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte));
            let ends = !rest.get(20).is_some_and(u8::is_ascii_alphanumeric);
            // As in AWS's own documentation.
            return (is_id && ends && !id.ends_with(b"EXAMPLE")).then_some(SecretKind::AccessKeyId);
        }
        b'A' | b'S' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'x' => {}
        _ => return None,
    }
    let (prefix, least, also, whose) = TOKENS.iter().find(|(prefix, ..)| rest.starts_with(prefix))?;
    let body = &rest[prefix.len()..];
    let length = body.iter().take_while(|byte| byte.is_ascii_alphanumeric() || also.contains(byte)).count();
    // A row of one character stands for a token.
    let is_varied = body[..length].iter().any(|byte| *byte != body[0]);
    (length >= *least && is_varied).then_some(SecretKind::Token(whose))
}

/// Whether a URL's authority has a password, and whether that is only an example.
///
/// - Takes: what is behind `://`.
fn has_password(rest: &[u8]) -> Option<bool> {
    const EXAMPLES: [&str; 14] = [
        "changeme",
        "example",
        "hunter2",
        "pass",
        "passw0rd",
        "passwd",
        "password",
        "pw",
        "pwd",
        "secret",
        "token",
        "user",
        "xxx",
        "yourpassword",
    ];
    let rest = &rest[..rest.len().min(256)];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b' ' | b'\t' | b'<' | b'>'));
    let authority = &rest[..end.unwrap_or(rest.len())];
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let (user, host) = (&authority[..at], &authority[at + 1..]);
    let colon = user.iter().position(|byte| *byte == b':')?;
    let password = std::str::from_utf8(&user[colon + 1..]).ok()?;
    let is_host = host.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'[');
    // What is put in later, and patterns of regular expressions.
    let is_reference =
        password.contains(['$', '{', '}', '(', ')', '*', '\\', '[', ']', '|']) || password.contains("...");
    let is_formatted =
        password.starts_with('%') && !password.get(1..3).is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
    let is_real = !password.is_empty() && is_host && !is_reference && !is_formatted;
    is_real.then(|| EXAMPLES.contains(&password.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, SecretKind)> {
        // In pieces of every length, with the same result.
        let by_size = |size: usize| {
            let mut spotter = Spotter::default();
            text.as_bytes().chunks(size).for_each(|piece| spotter.take(piece));
            spotter.finish().into_iter().map(|spotted| (spotted.line, spotted.kind)).collect::<Vec<_>>()
        };
        let whole = by_size(text.len().max(1));
        for size in [1, 7, 64] {
            assert_eq!(by_size(size), whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn secrets_are_known_by_their_shape() {
        let body = "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ";
        let head = |label: &str| format!("-----BEGIN {label}-----");
        let key = "PRIVATE KEY";
        #[rustfmt::skip]
        let cases = [
            (format!("{}\n{body}\n", head(key)),                                   vec![(2, SecretKind::PrivateKey)]),
            (format!("a\n{}\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\n{body}\n", head("RSA PRIVATE KEY")), vec![(6, SecretKind::PrivateKey)]),
            (format!("{{\"key\": \"{}\\n{body}\"}}", head("OPENSSH PRIVATE KEY")), vec![(1, SecretKind::PrivateKey)]),
            (format!("{}\n\n{body}", head("PGP PRIVATE KEY BLOCK")),               vec![(3, SecretKind::PrivateKey)]),
            (format!("if text.startswith(\"{}\"):\n    pass\n", head(key)),        vec![]),
            (format!("{}\n{body}\n", head("CERTIFICATE")),                         vec![]),
            (format!("{}\n{body}\n", head("PUBLIC KEY")),                          vec![]),
            (format!("token = ghp_{}", &body[..36]),                               vec![(1, SecretKind::Token("GitHub"))]),
            (format!("token = ghp_{}", &body[..20]),                               vec![]),
            (format!("token = ghp_{}", "x".repeat(36)),                            vec![]),
            (format!("a_ghp_{}", &body[..36]),                                     vec![]),
            (format!("\n\nxoxb-{}", &body[..30]),                                  vec![(3, SecretKind::Token("Slack"))]),
            (format!("AKIA{}", "ABCDEFGHIJ234567"),                                vec![(1, SecretKind::AccessKeyId)]),
            ("AKIAIOSFODNN7EXAMPLE".to_owned(),                                    vec![]),
            ("postgres://app:s3cr3t@db/app".to_owned(),                            vec![(1, SecretKind::Url { is_example: false })]),
            ("redis://:s3cr3t@[::1]:6379".to_owned(),                              vec![(1, SecretKind::Url { is_example: false })]),
            ("https://user:password@host".to_owned(),                              vec![(1, SecretKind::Url { is_example: true })]),
            ("postgres://app:%40x@db".to_owned(),                                  vec![(1, SecretKind::Url { is_example: false })]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(&text), expected, "{text}");
        }
        for text in [
            "postgres://app@db",
            "postgres://app:@db",
            "postgres://app:${PASSWORD}@db",
            "postgres://{user}:{password}@db",
            "postgres://%s:%s@db",
            "http://host:80/a@b",
            r"re.match(r'://(.*):(.*)@host')",
            "a: b@c",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn long_lines_and_binary_files_are_bounded() {
        let token = format!(" ghp_{}", "a1".repeat(18));
        for before in [PIECE - 20, PIECE - OVERLAP, 3 * PIECE + 5] {
            assert_eq!(
                found(&format!("{}{token}", " ".repeat(before))),
                [(1, SecretKind::Token("GitHub"))],
                "{before}"
            );
        }
        assert_eq!(found(&format!("\0{token}")[..1]), []);
        let mut spotter = Spotter::default();
        spotter.take(format!("\0{token}").as_bytes());
        assert_eq!(spotter.finish(), []);
        let many = format!("{token}\n").repeat(10 * MOST_FINDS);
        let mut spotter = Spotter::default();
        spotter.take(many.as_bytes());
        assert_eq!(spotter.finish().len(), MOST_FINDS);
    }
}
