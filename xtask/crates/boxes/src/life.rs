//! Since which minor release a box has a Python, and until when the box's vendor supports it.

use crate::table::{BoxRow, PythonRow, Until};
use crate::target::Target;
use wheelhaul_base::calendar::Month;

/// How long before its end a Python's support is told of, in months.
const NOTICE: i32 = 6;

impl BoxRow {
    /// The last month in which the vendor supports a Python of this box; none where no source tells.
    pub fn end_of(&self, python: &PythonRow) -> Option<Month> {
        match python.until {
            Until::Box => Some(self.until),
            Until::Month(month) => Some(month),
            Until::Unknown => None,
        }
    }

    /// `9.2` for the Python that came with it; none for those of the box's first release, and where no source tells.
    pub fn since(&self, python: &PythonRow) -> Option<String> {
        let (release, minor) = (self.release?, python.since.filter(|minor| *minor > 0)?);
        Some(format!("{release}.{minor}"))
    }

    /// A Python with what is known of its life: `3.11 (from 9.2, until May 2026)`.
    pub fn in_words(&self, python: &PythonRow) -> String {
        let since = self.since(python).map(|since| format!("from {since}"));
        let until = match python.until {
            Until::Month(month) => Some(format!("until {month}")),
            Until::Box | Until::Unknown => None,
        };
        let facts: Vec<String> = since.into_iter().chain(until).collect();
        let (major, minor) = python.version;
        match facts.is_empty() {
            true => format!("{major}.{minor}"),
            false => format!("{major}.{minor} ({})", facts.join(", ")),
        }
    }
}

impl Target {
    /// The row of its Python, where the vendor's own package brings it. A box of one's own has it where its `%dist`,
    /// its glibc and that package are those of a row.
    pub fn row(&self) -> Option<(&'static BoxRow, &'static PythonRow)> {
        let row = self.box_row()?;
        let of_python = |python: &&PythonRow| {
            python.version == self.interpreter.version && self.interpreter.package.as_deref() == Some(python.package)
        };
        Some((row, row.pythons.iter().find(of_python)?))
    }

    /// What is to be said of the support of its Python in a month: nothing until half a year before its end.
    pub fn end_of_support(&self, now: Month) -> Option<String> {
        let (row, python) = self.row()?;
        let end = row.end_of(python)?;
        if end.since(now) > NOTICE {
            return None;
        }
        let verb = if now > end { "ended" } else { "ends" };
        let lives_longer = |other: &&PythonRow| row.end_of(other).is_none_or(|other| other > end);
        let others: Vec<String> = row.pythons.iter().filter(lives_longer).map(|other| row.in_words(other)).collect();
        let cure = match others.is_empty() {
            true => "no other of this box is supported longer".to_owned(),
            false => format!("this box also has {}", others.join(", ")),
        };
        Some(format!("the vendor's support of Python {} on {} {verb} in {end}; {cure}", self.python(), row.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_from_half_a_year_before_it() {
        #[rustfmt::skip]
        let cases = [ // box    python         in       what is said
            ("el9-x86_64",   "3.12", "2026-09", None),
            ("el9-x86_64",   "3.12", "2026-10", Some("the vendor's support of Python 3.12 on el9 ends in April 2027; this box also has 3.9, 3.14 (from 9.8)")),
            ("el9-x86_64",   "3.12", "2027-04", Some("ends in April 2027")),
            ("el9-x86_64",   "3.12", "2027-05", Some("ended in April 2027")),
            ("el9-aarch64",  "3.11", "2025-10", None),
            ("el9-aarch64",  "3.11", "2026-12", Some("ended in May 2026; this box also has 3.9, 3.12 (from 9.4, until April 2027), 3.14 (from 9.8)")),
            ("el9-x86_64",   "3.9",  "2031-10", None),
            ("el9-x86_64",   "3.9",  "2031-11", Some("ends in May 2032; this box also has 3.14 (from 9.8)")),
            ("el9-x86_64",   "3.14", "2040-01", None),
            ("el10-x86_64",  "3.12", "2034-10", None),
            ("el8-x86_64",   "3.9",  "2024-01", None),
            ("el8-x86_64",   "3.9",  "2026-12", Some("ended in November 2025; this box also has 3.6, 3.11 (from 8.8, until May 2026), 3.12 (from 8.10)")),
            ("al2023-x86_64", "3.11", "2027-05", Some("ends in October 2027")),
            ("al2023-x86_64", "3.13", "2028-11", None),
            ("al2023-x86_64", "3.13", "2028-12", Some("ends in June 2029; no other of this box is supported longer")),
            ("el7-x86_64",   "3.6",  "2023-11", None),
            ("el7-x86_64",   "3.6",  "2024-07", Some("ended in June 2024; no other of this box is supported longer")),
        ];
        for (name, python, now, said) in cases {
            let target = Target::find(name, Some(python), None).unwrap();
            let found = target.end_of_support(Month::of(format!("{now}-15").parse().unwrap()));
            match (&found, said) {
                (None, None) => {}
                (Some(found), Some(said)) => assert!(found.contains(said), "{name} {python} {now}: {found}"),
                _ => panic!("{name} {python} {now}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_box_of_ones_own_has_the_life_of_a_package_that_it_shares_with_a_known_one() {
        let known = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let now = Month { year: 2026, month: 12 };
        let said = |record: &crate::record::BoxRecord| {
            Target::own("own", "3.11.13", record).unwrap().end_of_support(now).is_some()
        };
        let mut record = known.whole_record();
        assert!(said(&record));
        record.python_package = None;
        assert!(!said(&record));
        let mut record = known.whole_record();
        record.release = Some("corp9".to_owned());
        assert!(!said(&record));
    }
}
