//! Which versions an advisory is about: the OSV schema, "Evaluation", with the order of PEP 440.

use anyhow::ensure;
use pep440_rs::Version;
use serde::Deserialize;
use std::str::FromStr as _;

/// More versions and events than any advisory has.
const MOST: usize = 200_000;

/// An entry of `affected`, as it stands in a record.
#[derive(Default, Deserialize)]
pub(super) struct AffectedText {
    pub package: Option<PackageText>,
    pub versions: Option<Vec<String>>,
    pub ranges: Option<Vec<RangeText>>,
    pub severity: Option<Vec<SeverityText>>,
}

#[derive(Deserialize)]
pub(super) struct PackageText {
    pub ecosystem: Option<String>,
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SeverityText {
    pub score: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RangeText {
    #[serde(rename = "type")]
    kind: Option<String>,
    events: Option<Vec<EventText>>,
}

#[derive(Default, Deserialize)]
struct EventText {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What an event says; where several are of one version, they count in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Fixed,
    Introduced,
    LastAffected,
}

/// A range, ready to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    /// Whether it starts before every version.
    from_start: bool,
    /// By version, then by what they say.
    events: Vec<(Version, Change)>,
    /// Below one of them, where there are any.
    limits: Vec<Version>,
}

/// Whether a version has a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affectedness {
    /// it has
    Affected,
    /// it has not
    Unaffected,
    /// the data does not tell, and why
    Unknown(String),
}

/// The versions that have a vulnerability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    /// versions that fix it, in their order
    pub fixed: Vec<Version>,
    /// whether that is all of them but those, up to the last
    all: bool,
    versions: Vec<Version>,
    /// those of no order, which are compared as texts
    odd_versions: Vec<String>,
    ranges: Vec<Range>,
    /// why a range cannot be judged
    unknown: Option<String>,
    /// versions and events that were added
    size: usize,
}

impl Affected {
    /// All versions but those that fix it, up to the last of them.
    ///
    /// - Takes: `fixed`, in their order.
    pub(super) fn until(fixed: Vec<Version>) -> Self {
        Self { fixed, all: true, ..Self::default() }
    }

    /// Adds an entry on the same package.
    ///
    /// - Fails: for more entries than any advisory has.
    pub(super) fn add(&mut self, text: AffectedText) -> anyhow::Result<()> {
        let AffectedText { versions, ranges, .. } = text;
        let events = |range: &RangeText| 1 + range.events.as_ref().map_or(0, Vec::len);
        self.size += versions.as_ref().map_or(0, Vec::len) + ranges.iter().flatten().map(events).sum::<usize>();
        ensure!(self.size <= MOST, "it has more than {MOST} versions and events");
        let has_versions = versions.as_ref().is_some_and(|versions| !versions.is_empty());
        for text in versions.unwrap_or_default() {
            match Version::from_str(&text) {
                Ok(version) => self.versions.push(version),
                Err(_) => self.odd_versions.push(text),
            }
        }
        let mut has_range = false;
        let mut has_commits = false;
        for range in ranges.unwrap_or_default() {
            match range.kind.as_deref() {
                // An ecosystem may have versions of the other kind, too; PEP 440 orders both.
                Some("ECOSYSTEM" | "SEMVER") => {
                    has_range = true;
                    self.add_range(range.events.unwrap_or_default());
                }
                _ => has_commits = true,
            }
        }
        if has_commits && !has_range && !has_versions {
            self.unknown = Some("it names commits and no versions".to_owned());
        }
        self.fixed.sort();
        self.fixed.dedup();
        Ok(())
    }

    fn add_range(&mut self, texts: Vec<EventText>) {
        let mut range = Range { from_start: false, events: Vec::new(), limits: Vec::new() };
        let mut fixed = Vec::new();
        let mut is_limited = true;
        let mut odd = None;
        let mut read = |text: String| match Version::from_str(&text) {
            Ok(version) => Some(version),
            Err(_) => {
                odd = Some(super::one_line(&text, 40));
                None
            }
        };
        for event in texts {
            match event.introduced {
                Some(text) if text == "0" => range.from_start = true,
                Some(text) => range.events.extend(read(text).map(|version| (version, Change::Introduced))),
                None => {}
            }
            if let Some(version) = event.fixed.and_then(&mut read) {
                fixed.push(version.clone());
                range.events.push((version, Change::Fixed));
            }
            range.events.extend(event.last_affected.and_then(&mut read).map(|version| (version, Change::LastAffected)));
            match event.limit {
                Some(text) if text == "*" => is_limited = false,
                Some(text) => range.limits.extend(read(text)),
                None => {}
            }
        }
        if let Some(odd) = odd {
            self.unknown = Some(format!("a range of it has `{odd}`, which has no place in the order of PEP 440"));
            return;
        }
        if !is_limited {
            range.limits.clear();
        }
        range.events.sort();
        self.fixed.append(&mut fixed);
        self.ranges.push(range);
    }

    /// Whether a version has it; `1.0+local` has what `1.0` has, too.
    pub fn judge(&self, version: &Version) -> Affectedness {
        let is_fixed = || self.fixed.contains(version) || self.fixed.last().is_some_and(|last| last <= version);
        if self.all && !is_fixed() {
            return Affectedness::Affected;
        }
        let has = |version: &Version| {
            self.versions.contains(version)
                || self.odd_versions.iter().any(|text| *text == version.to_string())
                || self.ranges.iter().any(|range| range.has(version))
        };
        if has(version) || (version.is_local() && has(&version.clone().without_local())) {
            return Affectedness::Affected;
        }
        self.unknown.clone().map_or(Affectedness::Unaffected, Affectedness::Unknown)
    }

    /// Of one range, for tests: `("introduced", "0")`.
    #[doc(hidden)]
    pub fn of_events(events: &[(&str, &str)]) -> Self {
        let event = |(kind, at): &(&str, &str)| {
            let mut event = EventText::default();
            let field = match *kind {
                "introduced" => &mut event.introduced,
                "fixed" => &mut event.fixed,
                "last_affected" => &mut event.last_affected,
                _ => &mut event.limit,
            };
            *field = Some((*at).to_owned());
            event
        };
        let mut affected = Self::default();
        affected.add_range(events.iter().map(event).collect());
        affected
    }
}

impl Range {
    fn has(&self, version: &Version) -> bool {
        if !self.limits.is_empty() && !self.limits.iter().any(|limit| version < limit) {
            return false;
        }
        let mut has = self.from_start;
        for (at, change) in &self.events {
            match change {
                Change::Introduced if version >= at => has = true,
                Change::Fixed if version >= at => has = false,
                Change::LastAffected if version > at => has = false,
                _ => {}
            }
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events, a version, and whether it has what they are of.
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, Affectedness);

    #[test]
    fn ranges_are_judged_by_the_order_of_pep_440() {
        use Affectedness::{Affected as Yes, Unaffected as No};
        let unknown = |text: &str| {
            Affectedness::Unknown(format!("a range of it has `{text}`, which has no place in the order of PEP 440"))
        };
        #[rustfmt::skip]
        let cases: Vec<Row> = vec![
            (&[("introduced", "0")],                                                   "0.dev0",    Yes),
            (&[("introduced", "0"), ("fixed", "1.0.2")],                               "1.0.1",     Yes),
            (&[("introduced", "0"), ("fixed", "1.0.2")],                               "1.0.2",     No),
            (&[("introduced", "0"), ("fixed", "1.0.2")],                               "1.0.2rc1",  Yes),
            (&[("introduced", "0"), ("fixed", "1.0")],                                 "1.0.0",     No),
            (&[("introduced", "0"), ("fixed", "1.10")],                                "1.9",       Yes),
            (&[("introduced", "0"), ("fixed", "1.10")],                                "1!0.1",     No),
            (&[("introduced", "1.0"), ("last_affected", "1.0")],                       "1.0",       Yes),
            (&[("introduced", "1.0"), ("last_affected", "1.0")],                       "1.0.post1", No),
            (&[("introduced", "1.0"), ("last_affected", "1.0")],                       "1.0+cu118", Yes),
            (&[("introduced", "3.0"), ("fixed", "3.2"), ("introduced", "1.0"), ("fixed", "1.2")], "2.0", No),
            (&[("introduced", "3.0"), ("fixed", "3.2"), ("introduced", "1.0"), ("fixed", "1.2")], "3.1", Yes),
            (&[("introduced", "0"), ("introduced", "2.0"), ("fixed", "2.0")],          "2.0",       Yes),
            (&[("introduced", "0"), ("limit", "2.0")],                                 "2.0",       No),
            (&[("introduced", "0"), ("limit", "2.0"), ("limit", "3.0")],               "2.0",       Yes),
            (&[("introduced", "0"), ("limit", "2.0"), ("limit", "*")],                 "9",         Yes),
            (&[("introduced", "0"), ("fixed", "soon")],                                "1.0",       unknown("soon")),
            (&[("introduced", "0"), ("fixed", "99999999999999999999999")],             "1.0",       unknown("99999999999999999999999")),
            (&[("fixed", "1.0")],                                                      "0.9",       No),
            (&[],                                                                      "1.0",       No),
        ];
        for (events, version, expected) in cases {
            let found = Affected::of_events(events).judge(&version.parse().unwrap());
            assert_eq!(found, expected, "{events:?}, {version}");
        }
    }

    #[test]
    fn a_list_of_versions_counts_beside_ranges() {
        #[rustfmt::skip]
        let cases = [ // entry                                                                                 1.0    2.0
            (r#"{"versions": ["1.0.0", "odd one"]}"#,                                                          "yes", "no"),
            (r#"{"versions": null, "ranges": null}"#,                                                          "no",  "no"),
            (r#"{"versions": ["v1"], "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2"}]}]}"#,    "yes", "yes"),
            (r#"{"ranges": [{"type": "SEMVER", "events": [{"introduced": "2.0.0-alpha.1"}]}]}"#,               "no",  "yes"),
            (r#"{"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}"#,                              "?",   "?"),
            (r#"{"versions": ["2"], "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}"#,           "no",  "yes"),
            (r#"{"versions": ["2"], "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "x"}]}]}"#,          "?",   "yes"),
            (r#"{"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1", "fixed": "2"}]}]}"#,          "yes", "no"),
        ];
        for (text, one, two) in cases {
            let mut affected = Affected::default();
            affected.add(serde_json::from_str(text).unwrap()).unwrap();
            let word = |version: &str| match affected.judge(&version.parse().unwrap()) {
                Affectedness::Affected => "yes",
                Affectedness::Unaffected => "no",
                Affectedness::Unknown(_) => "?",
            };
            assert_eq!((word("1.0"), word("2.0")), (one, two), "{text}");
        }
    }
}
