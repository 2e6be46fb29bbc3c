//! What a box has to bring, spelt as rpm's own generator (`elfdeps`) spells it.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use wheelhaul_boxes::is_soname;

/// A library of 64 bits, with the version of symbols that is asked for: `libc.so.6(GLIBC_2.17)(64bit)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ElfNeed {
    library: String,
    version: String,
}

impl ElfNeed {
    /// Takes `libc.so.6` and `GLIBC_2.17`, or nothing for any version.
    ///
    /// - Gives: none for names that no library and no version of a distribution has, as rpm's generator
    ///   leaves them out.
    pub fn new(library: &str, version: &str) -> Option<Self> {
        let is_library = is_soname(library) && (library.starts_with("lib") || library.starts_with("ld"));
        let is_version = version.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c));
        (is_library && is_version).then(|| Self { library: library.to_owned(), version: version.to_owned() })
    }

    /// `libc.so.6`
    pub fn library(&self) -> &str {
        &self.library
    }

    /// Whether each box has the library: glibc's, gcc's (PEP 600) and zlib, which rpm itself needs.
    pub fn is_everywhere(&self) -> bool {
        const EVERYWHERE: [&str; 13] = [
            "ld-linux-aarch64.so.1",
            "ld-linux-x86-64.so.2",
            "libc.so.6",
            "libdl.so.2",
            "libgcc_s.so.1",
            "libm.so.6",
            "libnsl.so.1",
            "libpthread.so.0",
            "libresolv.so.2",
            "librt.so.1",
            "libstdc++.so.6",
            "libutil.so.1",
            "libz.so.1",
        ];
        EVERYWHERE.contains(&self.library.as_str())
    }
}

impl ElfNeed {
    /// Whether one of these says it too: the library, with a version of the same family that is not lower.
    pub fn is_said_by(&self, others: &[Self]) -> bool {
        let (family, numbers) = family_of(&self.version);
        others.iter().filter(|other| other.library == self.library).any(|other| {
            let (of, has) = family_of(&other.version);
            self.version.is_empty() || (family == of && has >= numbers)
        })
    }
}

impl fmt::Display for ElfNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})(64bit)", self.library, self.version)
    }
}

impl FromStr for ElfNeed {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text.strip_suffix(")(64bit)").and_then(|rest| rest.split_once('('));
        let need = parts.and_then(|(library, version)| Self::new(library, version));
        need.with_context(|| format!("`{}` is not the name of a library", text.escape_debug()))
    }
}

impl From<ElfNeed> for String {
    fn from(need: ElfNeed) -> Self {
        need.to_string()
    }
}

impl TryFrom<String> for ElfNeed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: anyhow::Error| error.to_string())
    }
}

/// What says it all: of each library and family of versions the highest, which has all below it; a library
/// without a version where none is asked for.
///
/// - Gives: in the order of names.
pub fn highest(needs: impl IntoIterator<Item = ElfNeed>) -> Vec<ElfNeed> {
    let mut libraries: BTreeMap<String, BTreeMap<String, (Vec<u64>, String)>> = BTreeMap::new();
    for ElfNeed { library, version } in needs {
        let families = libraries.entry(library).or_default();
        if version.is_empty() {
            continue;
        }
        let (family, numbers) = family_of(&version);
        let best = families.entry(family.to_owned()).or_insert_with(|| (numbers.clone(), version.clone()));
        if (&numbers, &version) > (&best.0, &best.1) {
            *best = (numbers, version);
        }
    }
    let mut all = BTreeSet::new();
    for (library, families) in libraries {
        if families.is_empty() {
            all.insert(ElfNeed { library: library.clone(), version: String::new() });
        }
        all.extend(families.into_values().map(|(_, version)| ElfNeed { library: library.clone(), version }));
    }
    all.into_iter().collect()
}

/// `GLIBC_2.17` is `GLIBC` and 2, 17; `OPENSSL_1_1_0` is `OPENSSL` and 1, 1, 0; what does not end in numbers is a
/// family of its own.
pub(super) fn family_of(version: &str) -> (&str, Vec<u64>) {
    let start = version.rfind(|c: char| !c.is_ascii_digit() && !"._".contains(c)).map_or(0, |at| at + 1);
    let numbers: Option<Vec<u64>> =
        version[start..].split(['.', '_']).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => (&version[..start], numbers),
        _ => (version, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(texts: &[&str]) -> Vec<ElfNeed> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_need_is_spelt_as_rpm_spells_it_and_nothing_else_is_one() {
        for text in ["libc.so.6(GLIBC_2.17)(64bit)", "libz.so.1()(64bit)", "ld-linux-aarch64.so.1()(64bit)"] {
            assert_eq!(text.parse::<ElfNeed>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "libz.so.1",
            "libz.so.1()",
            "libz()(64bit)",
            "/usr/lib/libz.so.1()(64bit)",
            "libz.so.1(a b)(64bit)",
            "libz.so.1(A)(B)(64bit)",
            "libz.so.1\n()(64bit)",
            "_x.cpython-311-x86_64-linux-gnu.so()(64bit)",
        ] {
            assert!(bad.parse::<ElfNeed>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_need_is_said_by_its_own_family_and_not_by_less() {
        let header = needs(&["libc.so.6(GLIBC_2.17)(64bit)", "libstdc++.so.6(CXXABI_1.3.11)(64bit)"]);
        for (need, is_said) in [
            ("libc.so.6()(64bit)", true),
            ("libc.so.6(GLIBC_2.9)(64bit)", true),
            ("libc.so.6(GLIBC_2.17)(64bit)", true),
            ("libc.so.6(GLIBC_2.34)(64bit)", false),
            ("libc.so.6(GLIBC_ABI_DT_RELR)(64bit)", false),
            ("libstdc++.so.6(GLIBCXX_3.4)(64bit)", false),
            ("libm.so.6()(64bit)", false),
        ] {
            assert_eq!(need.parse::<ElfNeed>().unwrap().is_said_by(&header), is_said, "{need}");
        }
    }

    #[test]
    fn the_highest_of_each_family_says_it_all() {
        let all = needs(&[
            "libc.so.6()(64bit)",
            "libc.so.6(GLIBC_2.9)(64bit)",
            "libc.so.6(GLIBC_2.17)(64bit)",
            "libc.so.6(GLIBC_2.2.5)(64bit)",
            "libc.so.6(GLIBC_ABI_DT_RELR)(64bit)",
            "libm.so.6()(64bit)",
            "libstdc++.so.6(CXXABI_1.3.11)(64bit)",
            "libstdc++.so.6(CXXABI_1.3.9)(64bit)",
            "libstdc++.so.6(GLIBCXX_3.4)(64bit)",
            "libstdc++.so.6(GLIBCXX_3.4.21)(64bit)",
            "libssl.so.1.1(OPENSSL_1_1_0)(64bit)",
            "libssl.so.1.1(OPENSSL_1_1_1)(64bit)",
            "libx.so.1(X_99999999999999999999999)(64bit)",
            "libx.so.1(X_1)(64bit)",
        ]);
        let kept = needs(&[
            "libc.so.6(GLIBC_2.17)(64bit)",
            "libc.so.6(GLIBC_ABI_DT_RELR)(64bit)",
            "libm.so.6()(64bit)",
            "libssl.so.1.1(OPENSSL_1_1_1)(64bit)",
            "libstdc++.so.6(CXXABI_1.3.11)(64bit)",
            "libstdc++.so.6(GLIBCXX_3.4.21)(64bit)",
            "libx.so.1(X_1)(64bit)",
            "libx.so.1(X_99999999999999999999999)(64bit)",
        ]);
        assert_eq!(highest(all.clone()), kept);
        assert_eq!(highest(all.into_iter().rev()), kept);
    }
}
