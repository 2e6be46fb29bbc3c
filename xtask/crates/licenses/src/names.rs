//! Names that only one licence has. Sources: the SPDX licence list; PyPI's classifiers (`trove-classifiers`);
//! PEP 639, "Rejected ideas: mapping license identifiers to classifiers", for what is ambiguous.

/// What people write into `License`, without case, `the`, `license` and punctuation.
const NAMES: [(&str, &str); 34] = [
    ("2 clause bsd", "BSD-2-Clause"),
    ("3 clause bsd", "BSD-3-Clause"),
    ("agplv3+", "AGPL-3.0-or-later"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache v2", "Apache-2.0"),
    ("apache v2.0", "Apache-2.0"),
    ("apache version 2.0", "Apache-2.0"),
    ("apache software 2.0", "Apache-2.0"),
    ("apache software version 2.0", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("bsd 2 clause", "BSD-2-Clause"),
    ("bsd 3 clause", "BSD-3-Clause"),
    ("expat", "MIT"),
    ("gnu gplv3+", "GPL-3.0-or-later"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("isc", "ISC"),
    ("lgplv2.1+", "LGPL-2.1-or-later"),
    ("lgplv3+", "LGPL-3.0-or-later"),
    ("mit", "MIT"),
    ("modified bsd", "BSD-3-Clause"),
    ("mozilla public 2.0", "MPL-2.0"),
    ("mozilla public 2.0 mpl 2.0", "MPL-2.0"),
    ("mpl 2.0", "MPL-2.0"),
    ("mplv2.0", "MPL-2.0"),
    ("new bsd", "BSD-3-Clause"),
    ("psfl", "PSF-2.0"),
    ("python software foundation", "PSF-2.0"),
    ("revised bsd", "BSD-3-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("unlicense", "Unlicense"),
    ("zlib", "Zlib"),
    ("zpl 2.1", "ZPL-2.1"),
];

/// Classifiers that mean one licence; those of a family alone (`BSD License`, `GNU … (GPL)`) are not here.
const CLASSIFIERS: [(&str, &str); 35] = [
    ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
    ("OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)", "BlueOak-1.0.0"),
    ("OSI Approved :: Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"),
    ("OSI Approved :: Common Development and Distribution License 1.0 (CDDL-1.0)", "CDDL-1.0"),
    ("OSI Approved :: Eclipse Public License 1.0 (EPL-1.0)", "EPL-1.0"),
    ("OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)", "EPL-2.0"),
    ("OSI Approved :: European Union Public Licence 1.1 (EUPL 1.1)", "EUPL-1.1"),
    ("OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"),
    ("OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
    ("OSI Approved :: GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
    ("OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
    ("OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("OSI Approved :: Historical Permission Notice and Disclaimer (HPND)", "HPND"),
    ("OSI Approved :: ISC License (ISCL)", "ISC"),
    ("OSI Approved :: Intel Open Source License", "Intel"),
    ("OSI Approved :: MIT License", "MIT"),
    ("OSI Approved :: MIT No Attribution License (MIT-0)", "MIT-0"),
    ("OSI Approved :: Mozilla Public License 1.0 (MPL)", "MPL-1.0"),
    ("OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"),
    ("OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("OSI Approved :: Mulan Permissive Software License v2 (MulanPSL-2.0)", "MulanPSL-2.0"),
    ("OSI Approved :: Nokia Open Source License (NOKOS)", "Nokia"),
    ("OSI Approved :: Open Software License 3.0 (OSL-3.0)", "OSL-3.0"),
    ("OSI Approved :: PostgreSQL License", "PostgreSQL"),
    ("OSI Approved :: Python License (CNRI Python License)", "CNRI-Python"),
    ("OSI Approved :: Python Software Foundation License", "PSF-2.0"),
    ("OSI Approved :: SIL Open Font License 1.1 (OFL-1.1)", "OFL-1.1"),
    ("OSI Approved :: Sleepycat License", "Sleepycat"),
    ("OSI Approved :: The Unlicense (Unlicense)", "Unlicense"),
    ("OSI Approved :: Universal Permissive License (UPL)", "UPL-1.0"),
    ("OSI Approved :: University of Illinois/NCSA Open Source License", "NCSA"),
    ("OSI Approved :: Vovida Software License 1.0", "VSL-1.0"),
    ("OSI Approved :: Zero-Clause BSD (0BSD)", "0BSD"),
    ("OSI Approved :: zlib/libpng License", "Zlib"),
];

/// Families that the text of a licence settles, by the start of their identifiers.
const FAMILIES: [(&str, &str); 3] = [
    ("OSI Approved :: Apache Software License", "Apache-"),
    ("OSI Approved :: BSD License", "BSD-"),
    ("OSI Approved :: MIT License", "MIT"),
];

/// The identifier of a name that only one licence has.
pub(super) fn known(name: &str) -> Option<&'static str> {
    if name.len() > 80 {
        return None;
    }
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| c.is_whitespace() || ",-()".contains(c));
    let plain: Vec<&str> = words
        .filter(|word| !matches!(*word, "" | "the" | "license" | "licence"))
        .map(|word| word.trim_end_matches('.'))
        .collect();
    let plain = plain.join(" ");
    NAMES.iter().find(|(known, _)| *known == plain).map(|(_, id)| *id)
}

/// The identifier of a classifier, without `License :: `.
pub(super) fn by_classifier(classifier: &str) -> Option<&'static str> {
    CLASSIFIERS.iter().find(|(known, _)| *known == classifier).map(|(_, id)| *id)
}

/// Whether a licence is one of those that a classifier means.
pub(super) fn is_of_family(id: &str, classifier: &str) -> bool {
    FAMILIES.iter().any(|(family, start)| *family == classifier && id.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_one_of_spdx() {
        for id in NAMES.iter().chain(&CLASSIFIERS).map(|(_, id)| id) {
            assert!(spdx::license_id(id).is_some_and(|found| !found.is_deprecated()), "{id}");
        }
    }

    #[test]
    fn names_are_known_however_they_are_written() {
        #[rustfmt::skip]
        let cases = [
            ("MIT License",                    Some("MIT")),
            ("The MIT License",                Some("MIT")),
            ("Apache License, Version 2.0",    Some("Apache-2.0")),
            ("Apache 2.0",                     Some("Apache-2.0")),
            ("3-Clause BSD License",           Some("BSD-3-Clause")),
            ("New BSD",                        Some("BSD-3-Clause")),
            ("GNU GPLv3+",                     Some("GPL-3.0-or-later")),
            ("Apache Software License",        None),
            ("BSD",                            None),
            ("GPLv3",                          None),
            ("MIT, or so",                     None),
            ("",                               None),
        ];
        for (name, id) in cases {
            assert_eq!(known(name), id, "{name}");
        }
    }
}
