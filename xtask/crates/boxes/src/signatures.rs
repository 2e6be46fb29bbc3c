//! Signatures that the rpm of a box does not verify.

/// Algorithms of signatures, the ends of releases whose rpm does not verify them, and since when one does.
///
/// Sources: rpm's `digest_openssl.c` and `digest_libgcrypt.c` at the release tags; el10 verifies with Sequoia.
const UNVERIFIED: &[(&str, &[&str], &str)] = &[
    ("EdDSA", &["el7", "el8"], "that came with rpm 4.16"),
    ("ECDSA", &["el7", "el8", "el9", "amzn2023"], "that came with Sequoia"),
];

/// Why a box does not verify a signature by an algorithm; none where it does.
///
/// - Takes: `algorithm`, such as `EdDSA`; `release`, the RPM's, whose end names the distribution: `1.el8`.
pub fn why_unverified(algorithm: &str, release: &str) -> Option<String> {
    let is_for = |id: &&&str| release.split(['.', '_', '+']).any(|part| part == **id);
    let rows = UNVERIFIED.iter().filter(|(title, _, _)| *title == algorithm);
    rows.filter_map(|(_, ids, why)| Some((ids.iter().find(is_for)?, why))).next().map(|(id, why)| {
        format!("the rpm of {id} does not verify {algorithm} ({why}): sign with an RSA key, which every rpm verifies")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_whose_rpm_lacks_an_algorithm_are_named() {
        #[rustfmt::skip]
        let cases = [
            ("RSA", "1.el7",      None),
            ("EdDSA", "1.el7",      Some("el7")),
            ("EdDSA", "1.el8",      Some("el8")),
            ("EdDSA", "1.el8_10.2", Some("el8")),
            ("EdDSA", "1.el9",      None),
            ("EdDSA", "1.el80",     None),
            ("ECDSA", "1.el9",      Some("el9")),
            ("ECDSA", "1.el10",     None),
            ("ECDSA", "1.amzn2023", Some("amzn2023")),
            ("DSA", "1.el7",      None),
            ("EdDSA", "1.corp8",    None),
        ];
        for (algorithm, release, expected) in cases {
            let said = why_unverified(algorithm, release);
            let named = expected.map(|name| format!("the rpm of {name} "));
            assert_eq!(said.is_some(), named.is_some(), "{algorithm:?} on {release}: {said:?}");
            assert!(said.zip(named).is_none_or(|(said, named)| said.starts_with(&named)), "{algorithm:?} on {release}");
        }
    }
}
