//! What the box must have: `Requires`, in words and as rpm spells it.

use crate::Evidence;
use crate::review::listed;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the package requires.
#[derive(Debug, Serialize)]
pub(super) struct Needs {
    /// of the box's packages
    rows: Vec<Need>,
    /// of rpm, and of the package itself: nothing that anybody has to bring
    own: Vec<Need>,
}

#[derive(Debug, Serialize)]
struct Need {
    words: String,
    /// each as `rpm -qp --requires` prints it
    spelt: Vec<String>,
}

/// What a requirement is about, in the order of the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Python,
    Known(&'static str),
    Glibc,
    Library(String),
    Package(String),
    Others(&'static str),
    Rpm,
    Itself,
}

/// What the scriptlets of this tool call, and why.
#[rustfmt::skip]
const KNOWN: [(&str, &str); 6] = [
    ("/bin/sh",      "a shell, which runs the scriptlets"),
    ("coreutils",    "rm and its like, for the scriptlets"),
    ("shadow-utils", "useradd and groupadd, which make the service's user"),
    ("systemd",      "systemd, which runs the service"),
    ("openssl",      "openssl, which makes the certificate of the first start"),
    ("ca-certificates", "the certificates of authorities that the box trusts"),
];

/// The libraries that glibc's package brings.
const OF_GLIBC: [&str; 12] = [
    "libc.so.",
    "libm.so.",
    "libdl.so.",
    "libpthread.so.",
    "librt.so.",
    "libutil.so.",
    "libresolv.so.",
    "libanl.so.",
    "libcrypt.so.",
    "libnsl.so.",
    "ld-linux",
    "libmvec.so.",
];

impl Needs {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let target = evidence.target.as_ref();
        let interpreter = target.and_then(|target| target.interpreter.package.as_deref());
        let mut grouped: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
        for spelt in &evidence.described.requires {
            grouped.entry(kind_of(spelt, interpreter)).or_default().push(spelt.clone());
        }
        let described = &evidence.described;
        for (words, list) in [
            ("what is installed along where it can be", &described.recommends),
            ("what cannot be installed beside it", &described.conflicts),
            ("what it takes the place of, and dnf removes", &described.obsoletes),
        ] {
            if !list.is_empty() {
                grouped.insert(Kind::Others(words), list.clone());
            }
        }
        let python = target.map_or("Python".to_owned(), |target| format!("Python {}", target.python()));
        let needs = grouped.into_iter().map(|(kind, spelt)| {
            let need = Need { words: words_of(&kind, &spelt, &python), spelt };
            (matches!(kind, Kind::Rpm | Kind::Itself), need)
        });
        let (own, rows): (Vec<_>, Vec<_>) = needs.partition(|(is_own, _)| *is_own);
        let bare = |needs: Vec<(bool, Need)>| needs.into_iter().map(|(_, need)| need).collect();
        Self { rows: bare(rows), own: bare(own) }
    }
}

fn kind_of(spelt: &str, interpreter: Option<&str>) -> Kind {
    if spelt.starts_with('(') {
        return Kind::Package(spelt.to_owned());
    }
    let name = spelt.split(' ').next().unwrap_or_default();
    if name.starts_with("rpmlib(") {
        return Kind::Rpm;
    }
    if name.starts_with("config(") {
        return Kind::Itself;
    }
    if name.starts_with("python(abi)") || interpreter == Some(name) {
        return Kind::Python;
    }
    if let Some((_, words)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Kind::Known(words);
    }
    if OF_GLIBC.iter().any(|start| name.starts_with(start)) {
        return Kind::Glibc;
    }
    match name.split_once('(') {
        Some((library, _)) if library.contains(".so") => Kind::Library(library.to_owned()),
        _ => Kind::Package(name.to_owned()),
    }
}

fn words_of(kind: &Kind, spelt: &[String], python: &str) -> String {
    match kind {
        Kind::Python => format!("{python}, which runs the application"),
        Kind::Known(words) | Kind::Others(words) => (*words).to_owned(),
        Kind::Glibc => match spelt.iter().filter_map(|one| glibc_of(one)).max() {
            Some((major, minor)) => format!("the C library, glibc {major}.{minor} or later"),
            None => "the C library, glibc".to_owned(),
        },
        Kind::Library(name) => {
            let known = match name.as_str() {
                "libstdc++.so.6" => "the C++ library",
                "libgcc_s.so.1" => "the library of the compiler GCC",
                _ => "the library",
            };
            let versions: Vec<String> = spelt.iter().filter_map(|one| version_of(one)).map(str::to_owned).collect();
            match versions.as_slice() {
                [] => format!("{known} {name}"),
                versions => format!("{known} {name} with {}", listed(versions)),
            }
        }
        Kind::Package(name) if name.starts_with('(') => format!("packages: {name}"),
        Kind::Package(name) => format!("the package {name}"),
        Kind::Rpm => "an rpm that can read it".to_owned(),
        Kind::Itself => "its own configuration, which it brings".to_owned(),
    }
}

/// What stands in the first brackets: `libz.so.1(ZLIB_1.2.3.4)(64bit)`.
fn version_of(spelt: &str) -> Option<&str> {
    let (_, rest) = spelt.split_once('(')?;
    let (version, _) = rest.split_once(')')?;
    (!version.is_empty() && version != "64bit").then_some(version)
}

fn glibc_of(spelt: &str) -> Option<(u16, u16)> {
    let mut parts = version_of(spelt)?.strip_prefix("GLIBC_")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_told_in_words() {
        #[rustfmt::skip]
        let cases = [
            (&["python(abi) = 3.11"][..],                    "Python 3.11, which runs the application"),
            (&["python3.11"],                                "Python 3.11, which runs the application"),
            (&["systemd"],                                   "systemd, which runs the service"),
            (&["libc.so.6(GLIBC_2.9)(64bit)", "libm.so.6(GLIBC_2.34)(64bit)"], "the C library, glibc 2.34 or later"),
            (&["librt.so.1()(64bit)"],                       "the C library, glibc"),
            (&["libz.so.1(ZLIB_1.2.3.4)(64bit)"],            "the library libz.so.1 with ZLIB_1.2.3.4"),
            (&["libstdc++.so.6(CXXABI_1.3)(64bit)", "libstdc++.so.6(GLIBCXX_3.4)(64bit)"], "the C++ library libstdc++.so.6 with CXXABI_1.3 and GLIBCXX_3.4"),
            (&["libpq.so.5()(64bit)"],                       "the library libpq.so.5"),
            (&["rpmlib(FileDigests) <= 4.6.0-1"],            "an rpm that can read it"),
            (&["config(x) = 1-1"],                           "its own configuration, which it brings"),
            (&["something >= 2"],                            "the package something"),
            (&["(mariadb or mysql >= 8)"],                   "packages: (mariadb or mysql >= 8)"),
            (&["libc.so.6(GLIBC_PRIVATE)(64bit)"],           "the C library, glibc"),
        ];
        for (spelt, words) in cases {
            let spelt: Vec<String> = spelt.iter().map(|one| (*one).to_owned()).collect();
            let kinds: Vec<Kind> = spelt.iter().map(|one| kind_of(one, Some("python3.11"))).collect();
            assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{kinds:?}");
            assert_eq!(words_of(&kinds[0], &spelt, "Python 3.11"), words);
        }
    }
}
