//! What an RPM says of itself, before it is written by either builder.

use crate::service::Scriptlets;
use wheelhaul_base::calendar::Day;
use wheelhaul_boxes::Compression;

/// How a dependency's version is compared, and when it is needed: `RPMSENSE_*` of rpm's `rpmds.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sense(u32);

impl Sense {
    /// any version
    pub const ANY: Self = Self(0);
    /// this version
    pub const EQUAL: Self = Self(1 << 3);
    /// a feature that rpm itself must have, at this version or older
    pub const RPMLIB: Self = Self((1 << 24) | (1 << 1) | (1 << 3));
    /// that this package has config files
    pub const CONFIG: Self = Self((1 << 28) | (1 << 3));
    /// needed by `%posttrans`
    pub const POSTTRANS: Self = Self(1 << 5);
    /// runs a scriptlet
    pub const INTERPRETER: Self = Self(1 << 8);
    /// needed by `%pre`
    pub const PRE: Self = Self(1 << 9);
    /// needed by `%post`
    pub const POST: Self = Self(1 << 10);
    /// needed by `%preun`
    pub const PREUN: Self = Self(1 << 11);
    /// needed by `%postun`
    pub const POSTUN: Self = Self(1 << 12);
    /// needed by `%verifyscript`
    pub const VERIFY: Self = Self(1 << 13);
    /// a feature that rpm itself must have
    pub const OF_RPM: Self = Self(1 << 24);

    /// needed by one of the scriptlets, each
    pub const SCRIPTLETS: [Self; 6] = [Self::POSTTRANS, Self::PRE, Self::POST, Self::PREUN, Self::POSTUN, Self::VERIFY];

    /// Both at once.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another one is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How a spec writes the comparison; nothing for any version.
    pub const fn comparison(self) -> &'static str {
        const LESS: u32 = 1 << 1;
        const GREATER: u32 = 1 << 2;
        const EQUAL: u32 = 1 << 3;
        match self.0 & (LESS | GREATER | EQUAL) {
            0 => "",
            LESS => "<",
            GREATER => ">",
            EQUAL => "=",
            both if both & EQUAL == 0 => "<>",
            both if both & LESS != 0 => "<=",
            _ => ">=",
        }
    }

    /// The sense of a comparison, as a spec writes it.
    pub(super) fn of(comparison: &str) -> Self {
        let bit = |c| match c {
            '<' => 1 << 1,
            '>' => 1 << 2,
            '=' => 1 << 3,
            _ => 0,
        };
        Self(comparison.chars().map(bit).fold(0, |all, bit| all | bit))
    }

    /// The value of the header's flags.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// A name that is provided or required.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// `python(abi)`
    pub name: String,
    /// how
    pub sense: Sense,
    /// `3.11`, or nothing
    pub version: String,
}

impl Dependency {
    pub(super) fn new(name: impl Into<String>, sense: Sense, version: impl Into<String>) -> Self {
        Self { name: name.into(), sense, version: version.into() }
    }

    /// An rpm that reads files of [`LARGE_FILE`](crate::tree::LARGE_FILE) bytes and more.
    pub(super) fn large_files() -> Self {
        Self::new("rpmlib(LargeFiles)", Sense::RPMLIB, "4.12.0-1")
    }
}

/// An entry of the changelog, `rpm -q --changelog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// who ships the RPM, and which one: `Example Ltd - 1.0-1.el9`
    pub name: String,
    /// what it was built from, one line that starts with `- `
    pub text: String,
    /// seconds since 1970, noon of the day in UTC, as rpmbuild reads a date
    pub time: u32,
}

/// In seconds.
const ONE_DAY: u32 = 24 * 3600;

impl ChangelogEntry {
    /// The day in UTC, as a spec writes it: `Tue Nov 14 2023`.
    pub fn date(&self) -> String {
        Day::at(self.time).in_spec()
    }

    /// The entry of a release: `by` ships it, `evr` is its version, `from` says what it was built from, such as
    /// `commit 1234`, and `time` is in seconds since 1970.
    pub fn new(by: &str, evr: &str, from: &str, time: u32) -> Self {
        let noon = (time - time % ONE_DAY).saturating_add(ONE_DAY / 2);
        Self { name: format!("{by} - {evr}"), text: format!("- Built from {from}"), time: noon }
    }
}

/// Everything that the header says, but for the files.
#[derive(Debug, Clone)]
pub struct RpmPackage {
    /// `quality_report`
    pub name: String,
    /// PEP 440's, where it is not 0
    pub epoch: Option<u32>,
    /// in RPM's spelling
    pub version: String,
    /// `1.el9`
    pub release: String,
    /// `x86_64`
    pub arch: String,
    /// one line
    pub summary: String,
    /// what `rpm -qi` shows
    pub description: String,
    /// `License:`
    pub license: String,
    /// `URL:`
    pub url: Option<String>,
    /// `Vendor:`
    pub vendor: Option<String>,
    /// in the order of names
    pub requires: Vec<Dependency>,
    /// in the order of names
    pub provides: Vec<Dependency>,
    /// what it works without, in the order of names
    pub suggests: Vec<Dependency>,
    /// what dnf installs along where it can, in the order of names
    pub recommends: Vec<Dependency>,
    /// what cannot be installed beside it, in the order of names
    pub conflicts: Vec<Dependency>,
    /// what it takes the place of, in the order of names
    pub obsoletes: Vec<Dependency>,
    /// the four
    pub scriptlets: Scriptlets,
    /// the one entry of the changelog
    pub change: ChangelogEntry,
    /// seconds since 1970
    pub build_time: u32,
    /// of the payload
    pub compression: Compression,
    /// of the compressor
    pub level: i32,
}

/// A text from outside as one line of a header, and of a spec: without control characters, blanks around it or doubled,
/// and a `\` at its end, by which rpmbuild would join the next line.
/// None for a text of which nothing is left.
pub fn one_line(text: &str) -> Option<String> {
    let spaced = text.replace(char::is_control, " ");
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches(['\\', ' ']);
    (!line.is_empty()).then(|| line.to_owned())
}

/// A text of several lines, none of which rpmbuild would take for something else: `%` at the start for a section, `#` for
/// a comment, and a `\` at the end for a line that goes on.
pub fn lines(text: &str) -> String {
    let line = |line: &str| {
        let line = line.replace(char::is_control, " ");
        let line = line.trim_end().trim_end_matches(['\\', ' ']);
        let mark = match line.trim_start().chars().next() {
            Some('#') => "- ",
            Some('%') if line.starts_with('%') => " ",
            _ => "",
        };
        format!("{mark}{line}")
    };
    text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

impl RpmPackage {
    /// `VERSION-RELEASE`, with the epoch where there is one
    pub fn evr(&self) -> String {
        let epoch = self.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        format!("{epoch}{}-{}", self.version, self.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_is_one_line() {
        #[rustfmt::skip]
        let cases = [ // text                          line
            ("ACME",                                   Some("ACME")),
            ("A folded\n  author,\n\tand another",     Some("A folded author, and another")),
            (" \u{a0}blanks \t  around\r\n",           Some("blanks around")),
            ("100% %{nil} %(id)",                      Some("100% %{nil} %(id)")),
            ("at its end \\",                          Some("at its end")),
            ("at its end\\ \\\\",                     Some("at its end")),
            ("a\\b",                                   Some("a\\b")),
            ("\u{0}\u{85}\u{1b}[1m",                   Some("[1m")),
            ("\n\t \\",                                None),
            ("",                                       None),
        ];
        for (text, line) in cases {
            assert_eq!(one_line(text).as_deref(), line, "{text:?}");
        }
        assert_eq!(lines("# a\n#b\n\n  %x\n%files\nc # d\\\n e\tf \n\n"), "- # a\n- #b\n\n  %x\n %files\nc # d\n e f");
    }

    #[test]
    fn changes_have_the_day_of_their_time() {
        #[rustfmt::skip]
        let cases = [ // `LC_ALL=C date -u -d @TIME "+%a %b %d %Y"`
            (0,             "Thu Jan 01 1970"),
            (951_782_399,   "Mon Feb 28 2000"),
            (951_782_400,   "Tue Feb 29 2000"),
            (951_868_800,   "Wed Mar 01 2000"),
            (1_700_000_000, "Tue Nov 14 2023"),
            (1_735_689_599, "Tue Dec 31 2024"),
            (4_107_542_400, "Mon Mar 01 2100"),
            (u32::MAX,      "Sun Feb 07 2106"),
        ];
        for (time, date) in cases {
            assert_eq!(ChangelogEntry { name: String::new(), text: String::new(), time }.date(), date, "{time}");
        }
    }

    #[test]
    fn comparisons_are_written_as_specs_have_them() {
        for (bits, comparison) in [(0, ""), (2, "<"), (4, ">"), (8, "="), (10, "<="), (12, ">=")] {
            assert_eq!(Sense(bits | 1 << 9).comparison(), comparison, "{bits}");
        }
    }
}
