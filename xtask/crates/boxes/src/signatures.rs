//! Signatures that the rpm of a box does not verify.

use crate::table::BOXES;

/// Why a box does not verify a signature by an algorithm, such as `EdDSA`; `None` if it does.
///
/// The end of `release`, the RPM's, names the distribution: `1.el8`.
pub fn why_unverified(algorithm: &str, release: &str) -> Option<String> {
    let row = BOXES.iter().find(|row| release.split(['.', '_', '+']).any(|part| part == row.dist))?;
    let (_, why) = row.unverified.iter().find(|(title, _)| *title == algorithm)?;
    Some(format!(
        "the rpm of {} does not verify {algorithm} ({why}): sign with an RSA key, which every rpm verifies",
        row.dist
    ))
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
