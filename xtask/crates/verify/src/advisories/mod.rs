//! Known vulnerabilities, from data that was fetched where there is a network: records of the OSV schema
//! (<https://ossf.github.io/osv-schema/>) and reports of pip-audit. All of it is untrusted text.

mod affected;
mod read;
mod report;

pub use affected::{Affected, Affectedness};
pub use read::Advisories;
pub use report::{AuditReport, Reported};

use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::BTreeMap;

/// More candidates for a version without the vulnerability are not tried.
const MOST_TRIED: usize = 50;

/// A vulnerability, as far as it concerns one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// in its database: `PYSEC-2021-66`
    pub id: String,
    /// in others: `CVE-2020-28493`
    pub aliases: Vec<String>,
    /// one line; empty where there is none
    pub summary: String,
    /// vectors and other scores, as they stand in the data: `CVSS:3.1/AV:N/…`
    pub severity: Vec<String>,
    /// which versions have it
    pub affected: Affected,
}

impl Advisory {
    /// Its id and its aliases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// The least version after `version` that fixes one of the advisories and has none of them.
pub fn least_fix(advisories: &[&Advisory], version: &Version) -> Option<Version> {
    let mut later: Vec<&Version> =
        advisories.iter().flat_map(|advisory| &advisory.affected.fixed).filter(|fixed| *fixed > version).collect();
    later.sort();
    later.dedup();
    let is_free = |fixed: &&&Version| {
        advisories.iter().all(|advisory| advisory.affected.judge(fixed) == Affectedness::Unaffected)
    };
    later.iter().take(MOST_TRIED).find(is_free).map(|fixed| (*fixed).clone())
}

/// Records by the package that they are of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// how many there are on packages of Python, withdrawn ones included
    pub count: usize,
    /// the day of the last change, `2026-11-20`; empty where none says it
    pub newest: String,
    /// those on the packages that were asked for
    pub of: BTreeMap<PackageName, Vec<Advisory>>,
}

/// A text as one line for a report: without control characters, cut at `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for c in text.chars() {
        let c = if c.is_control() || is_of_layout(c) { ' ' } else { c };
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if length == most {
            line.truncate(line.trim_end().len());
            line.push('…');
            break;
        }
        line.push(c);
        length += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// Separators of lines, and what turns the direction of a text.
fn is_of_layout(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_nothing_that_moves_a_terminal() {
        #[rustfmt::skip]
        let cases = [
            ("a  b\r\n\tc ",           "a b c"),
            ("\u{1b}[31mred\u{202e}x", "[31mred…"),
            ("\u{1b}[3m\u{202e}x",     "[3m x"),
            ("123456789",              "12345678…"),
            ("12345678",               "12345678"),
            ("",                       ""),
        ];
        for (text, line) in cases {
            assert_eq!(one_line(text, 8), line, "{text:?}");
        }
    }

    #[test]
    fn the_least_fix_is_free_of_every_one() {
        let advisory = |fixed: &[&str], events: &[(&str, &str)]| {
            let mut affected = Affected::of_events(events);
            affected.fixed.extend(fixed.iter().map(|text| text.parse::<Version>().unwrap()));
            Advisory { id: "X".to_owned(), aliases: vec![], summary: String::new(), severity: vec![], affected }
        };
        let one = advisory(&[], &[("introduced", "0"), ("fixed", "2.0"), ("introduced", "3.0"), ("fixed", "3.1")]);
        let two = advisory(&[], &[("introduced", "1.0"), ("fixed", "3.0")]);
        let fix = |all: &[&Advisory], from: &str| least_fix(all, &from.parse().unwrap()).map(|v| v.to_string());
        assert_eq!(fix(&[&one], "1.5").as_deref(), Some("2.0"));
        assert_eq!(fix(&[&one, &two], "1.5").as_deref(), Some("3.1"));
        assert_eq!(fix(&[&one], "3.0.5").as_deref(), Some("3.1"));
        assert_eq!(fix(&[&two], "3.0"), None);
    }
}
