//! What each distribution's own gcc left on the box: its C++ library, its support library, and the processor that
//! all of it was compiled for.
//!
//! Sources: gcc, libstdc++ and libgcc are the package versions of each release (4.8.5, 8.5, 11, 14; al2023 has 11).
//! GLIBCXX and CXXABI of a gcc: "ABI Policy and Guidelines" of the libstdc++ manual, "Versioning". Symbols of libgcc
//! carry the version of the gcc that brought them (`libgcc-std.ver` and those of the processors in its sources), so
//! that gcc's own version is the highest. Levels of x86-64: "Building Red Hat Enterprise Linux 9 for the x86-64-v2
//! microarchitecture level" and "Considerations in adopting RHEL 10" by Red Hat, "System requirements" of AWS's guide to
//! al2023; el7 and el8 run on every x86-64.

use crate::Target;

/// The runtimes of one release of a distribution.
#[derive(Debug, PartialEq, Eq)]
pub struct Runtimes {
    /// the end of an RPM's release there, `el9`
    dist: &'static str,
    /// the C library beside them
    glibc: (u16, u16),
    /// versions of symbols by their family: the highest that the box has, `("GLIBCXX", &[3, 4, 29])`
    pub families: [(&'static str, &'static [u64]); 3],
    /// the level of x86-64 that its own programs need: 2 is `x86-64-v2`
    pub x86_level: u8,
}

#[rustfmt::skip]
const RUNTIMES: &[Runtimes] = &[
    Runtimes { dist: "el7",      glibc: (2, 17), x86_level: 1, families: [("GLIBCXX", &[3, 4, 19]), ("CXXABI", &[1, 3, 7]),  ("GCC", &[4, 8, 5])] },
    Runtimes { dist: "el8",      glibc: (2, 28), x86_level: 1, families: [("GLIBCXX", &[3, 4, 25]), ("CXXABI", &[1, 3, 11]), ("GCC", &[8, 5])] },
    Runtimes { dist: "el9",      glibc: (2, 34), x86_level: 2, families: [("GLIBCXX", &[3, 4, 29]), ("CXXABI", &[1, 3, 13]), ("GCC", &[11, 5])] },
    Runtimes { dist: "el10",     glibc: (2, 39), x86_level: 3, families: [("GLIBCXX", &[3, 4, 33]), ("CXXABI", &[1, 3, 15]), ("GCC", &[14, 2])] },
    Runtimes { dist: "amzn2023", glibc: (2, 34), x86_level: 2, families: [("GLIBCXX", &[3, 4, 29]), ("CXXABI", &[1, 3, 13]), ("GCC", &[11, 4])] },
];

/// The runtimes of a box.
///
/// - Gives: none for a box that is no release of the table, by the end of its RPMs' releases and its glibc: a
///   box of one's own is one where its rpm says so, as those of the rebuilds do.
pub fn runtimes(target: &Target) -> Option<&'static Runtimes> {
    let has = &target.distribution;
    RUNTIMES.iter().find(|row| row.dist == has.dist && row.glibc == has.glibc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ROWS, Record, known_targets};

    #[test]
    fn every_known_box_has_its_runtimes_and_nothing_else_has() {
        for target in known_targets() {
            let found = runtimes(&target).expect(&target.name);
            assert!(target.name.starts_with("al2023") || target.name.starts_with(found.dist), "{}", target.name);
        }
        assert_eq!(RUNTIMES.len(), ROWS.len());
        let like = |change: fn(&mut Record)| {
            let known = Target::find("el9-x86_64", None, None).unwrap();
            let mut record = known.whole_record();
            change(&mut record);
            runtimes(&Target::own("own", &known.python_full.to_string(), &record).unwrap()).map(|found| found.dist)
        };
        assert_eq!(like(|_| ()), Some("el9"));
        assert_eq!(like(|record| record.glibc = Some("2.36".to_owned())), None);
        assert_eq!(like(|record| record.release = Some("deb12".to_owned())), None);
    }
}
