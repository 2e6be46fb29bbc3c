//! Reading the data, in whichever of its forms it comes.

use crate::advisories::affected::{AffectedText, SeverityText};
use crate::advisories::report::DependencyText;
use crate::advisories::{Advisory, Affected, AuditReport, Records, one_line};
use anyhow::{Context as _, bail, ensure};
use pep508_rs::PackageName;
use rawzip::ReaderAt;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::value::MapAccessDeserializer};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr as _;
use wheelhaul_base::problem::Problem;
use wheelhaul_wheel::{Archive, Inflater};

/// Known vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advisories {
    /// records of the OSV schema
    Records(Records),
    /// a report of pip-audit
    AuditReport(AuditReport),
}

/// A text up to this is read: a report, a record, some thousands of records.
const MOST_TEXT: u64 = 64 << 20;
/// A record of an archive: the largest of PyPI's have some hundred kilobytes.
const MOST_RECORD: u64 = 16 << 20;
/// All records of an archive, unpacked.
const MOST_RECORDS: u64 = 1 << 30;

const FORMS: &str = "it is to be a record of the OSV schema, an array or lines of them, a zip of `*.json` as OSV publishes \
    it for PyPI, or the report of `pip-audit --format json`";

/// A record, or a report.
#[derive(Deserialize)]
struct Document {
    id: Option<String>,
    modified: Option<String>,
    withdrawn: Option<String>,
    aliases: Option<Vec<String>>,
    summary: Option<String>,
    details: Option<String>,
    severity: Option<Vec<SeverityText>>,
    affected: Option<Vec<AffectedText>>,
    dependencies: Option<Vec<DependencyText>>,
}

impl Advisories {
    /// Reads a file.
    ///
    /// - Takes: `reader` over the whole file, `size` of it in bytes; `wanted`, the packages whose advisories are
    ///   kept: memory grows with those, and with the largest record.
    /// - Fails: for what has none of the forms, for data without a record on PyPI's packages, for sizes
    ///   beyond all that is published.
    pub fn read<R: ReaderAt>(reader: R, size: u64, wanted: &BTreeSet<PackageName>) -> anyhow::Result<Self> {
        let mut collector = Collector { wanted, records: Records::default(), report: None };
        let mut magic = [0; 4];
        let length = size.min(4) as usize;
        reader.read_exact_at(&mut magic[..length], 0)?;
        if magic.starts_with(b"PK") {
            collector.read_archive(reader, size)?;
        } else {
            ensure!(size <= MOST_TEXT, "it has {size} bytes, and at most {MOST_TEXT} are read unless it is a zip");
            let mut bytes = vec![0; size as usize];
            reader.read_exact_at(&mut bytes, 0)?;
            let text = std::str::from_utf8(&bytes).context("it is not UTF-8").map_err(no_form)?;
            collector.read_text(text.trim_start_matches('\u{feff}')).map_err(no_form)?;
        }
        collector.finish()
    }
}

fn no_form(error: anyhow::Error) -> anyhow::Error {
    Problem::around(error, "it cannot be read", FORMS)
}

/// An error that does not repeat a text of any length.
fn shortly(error: serde_json::Error) -> anyhow::Error {
    anyhow::anyhow!(one_line(&error.to_string(), 300))
}

struct Collector<'w> {
    wanted: &'w BTreeSet<PackageName>,
    records: Records,
    report: Option<AuditReport>,
}

impl Collector<'_> {
    fn read_archive<R: ReaderAt>(&mut self, reader: R, size: u64) -> anyhow::Result<()> {
        let archive = Archive::open(reader, size).context("failed to read the archive")?;
        let records = || archive.members().iter().enumerate().filter(|(_, member)| member.path.ends_with(".json"));
        let sum = records().fold(0_u64, |sum, (_, member)| sum.saturating_add(member.size));
        ensure!(sum <= MOST_RECORDS, "its records have {sum} bytes unpacked, and at most {MOST_RECORDS} are read");
        let mut inflater = Inflater::default();
        let mut bytes = Vec::new();
        for (place, member) in records() {
            let size = member.size;
            ensure!(size <= MOST_RECORD, "`{}` has {size} bytes, and at most {MOST_RECORD} are read", member.path);
            bytes.clear();
            archive.unpack(place, &mut inflater, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            let document = serde_json::from_slice(&bytes).map_err(shortly);
            document.and_then(|document| self.take(document)).with_context(|| format!("`{}`", member.path))?;
        }
        Ok(())
    }

    /// Reads one value, or one a line.
    fn read_text(&mut self, text: &str) -> anyhow::Result<()> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let first = lines.next().map(|(_, line)| line).context("it is empty")?;
        if lines.next().is_none() || serde_json::from_str::<IgnoredAny>(first).is_err() {
            return self.read_value(text);
        }
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            self.read_value(line).with_context(|| format!("line {}", index + 1))?;
        }
        Ok(())
    }

    fn read_value(&mut self, text: &str) -> anyhow::Result<()> {
        let mut reader = serde_json::Deserializer::from_str(text);
        Value(self).deserialize(&mut reader).map_err(shortly)?;
        reader.end().map_err(shortly)
    }

    fn take(&mut self, document: Document) -> anyhow::Result<()> {
        let Document { id, modified, withdrawn, aliases, summary, details, severity, affected, dependencies } =
            document;
        if let Some(dependencies) = dependencies {
            ensure!(self.report.is_none(), "it has two reports");
            self.report = Some(AuditReport::read(dependencies)?);
            return Ok(());
        }
        let Some(id) = id else { bail!("it has no `id`, as a record has, and no `dependencies`, as a report has") };
        let mut on_python = false;
        let mut found: Vec<(PackageName, Affected, Vec<SeverityText>)> = Vec::new();
        for mut entry in affected.into_iter().flatten() {
            let Some(package) = &entry.package else { continue };
            let ecosystem = package.ecosystem.as_deref().unwrap_or_default();
            if ecosystem.split(':').next() != Some("PyPI") {
                continue;
            }
            on_python = true;
            let name = package.name.as_deref().and_then(|name| PackageName::from_str(name).ok());
            let Some(name) = name.filter(|name| self.wanted.contains(name)) else { continue };
            let severity = entry.severity.take().unwrap_or_default();
            match found.iter_mut().find(|(known, _, _)| *known == name) {
                Some((_, affected, _)) => affected.add(entry)?,
                None => {
                    let mut affected = Affected::default();
                    affected.add(entry)?;
                    found.push((name, affected, severity));
                }
            }
        }
        if !on_python {
            return Ok(());
        }
        self.records.count += 1;
        let day = modified.as_deref().and_then(day_of).unwrap_or_default();
        if day > self.records.newest.as_str() {
            self.records.newest = day.to_owned();
        }
        if withdrawn.is_some() || found.is_empty() {
            return Ok(());
        }
        let aliases: Vec<String> = aliases.into_iter().flatten().map(|alias| one_line(&alias, 60)).collect();
        let summary = summary.filter(|text| !text.trim().is_empty()).or(details).unwrap_or_default();
        let summary = one_line(&summary, 200);
        let severity = severity.unwrap_or_default();
        for (name, affected, own) in found {
            let scores = severity.iter().chain(&own).filter_map(|severity| severity.score.as_deref());
            let severity = scores.take(4).map(|score| one_line(score, 120)).collect();
            let (id, aliases, summary) = (one_line(&id, 60), aliases.clone(), summary.clone());
            self.records.of.entry(name).or_default().push(Advisory { id, aliases, summary, severity, affected });
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<Advisories> {
        match self.report {
            Some(_) if self.records.count > 0 => bail!("it has records and a report, and may be one of them"),
            Some(report) => Ok(Advisories::AuditReport(report)),
            None if self.records.count == 0 => {
                Err(Problem::with_hint("it has no record on packages of PyPI, so that it tells nothing", FORMS))
            }
            None => Ok(Advisories::Records(self.records)),
        }
    }
}

/// `2026-11-20` of `2026-11-20T12:00:00Z`.
fn day_of(time: &str) -> Option<&str> {
    let day = time.get(..10)?;
    let fits = |(place, byte): (usize, u8)| if place == 4 || place == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    day.bytes().enumerate().all(fits).then_some(day)
}

/// A document, or an array of them, which go to the collector one by one.
struct Value<'a, 'w>(&'a mut Collector<'w>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        let document = Document::deserialize(MapAccessDeserializer::new(map))?;
        self.0.take(document).map_err(|error| serde::de::Error::custom(format!("{error:#}")))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        let mut place = 0;
        while let Some(document) = items.next_element::<Document>()? {
            place += 1;
            let named = |error| serde::de::Error::custom(format!("record {place}: {error:#}"));
            self.0.take(document).map_err(named)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;

    const RECORD: &str = r#"{"id": "PYSEC-1", "modified": "2026-01-02T00:00:00Z", "aliases": ["CVE-1"], "summary": "Bad\nthing",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}], "extra": {"x": [[]]},
        "affected": [{"package": {"ecosystem": "PyPI", "name": "My_Pkg"}, "versions": ["1.0"]}]}"#;
    const REPORT: &str = r#"{"dependencies": [{"name": "my-pkg", "version": "1.0", "vulns": [{"id": "PYSEC-1",
        "fix_versions": ["1.1"], "aliases": ["CVE-1"], "description": "Bad"}]}, {"name": "b", "skip_reason": "local"}], "fixes": []}"#;

    fn read(text: &str) -> anyhow::Result<Advisories> {
        let wanted = ["my-pkg", "b"].iter().map(|name| PackageName::from_str(name).unwrap()).collect();
        Advisories::read(text.as_bytes().to_vec(), text.len() as u64, &wanted)
    }

    #[test]
    fn every_form_is_read() {
        let line = RECORD.replace('\n', " ").replace("thing", " ");
        let other = r#"{"id": "Y", "affected": [{"package": {"ecosystem": "PyPI", "name": "other"}}]}"#;
        let withdrawn = line.replace("\"id\"", "\"withdrawn\": \"2026-01-01T00:00:00Z\", \"id\"");
        #[rustfmt::skip]
        let cases = [ // text                                          records, of the package
            (RECORD.to_owned(),                                        1, 1),
            (format!("\u{feff}\n{RECORD}\n"),                          1, 1),
            (format!("[{RECORD}, {other}, {RECORD}]"),                 3, 2),
            (format!("{line}\n\n{other}\r\n{line}"),                   3, 2),
            (withdrawn,                                                1, 0),
            (RECORD.replace("My_Pkg", "other"),                        1, 0),
            (RECORD.replace("My_Pkg", "-x-"),                          1, 0),
            (RECORD.replace("PyPI", "PyPI:https://index.example"),     1, 1),
        ];
        for (text, records, of_package) in cases {
            let Advisories::Records(found) = read(&text).unwrap() else { panic!("{text} is no report") };
            let kept: usize = found.of.values().map(Vec::len).sum();
            assert_eq!((found.count, kept), (records, of_package), "{text}");
        }
        let Advisories::Records(found) = read(RECORD).unwrap() else { panic!("no records") };
        let (name, advisories) = found.of.first_key_value().unwrap();
        let Advisory { id, aliases, summary, severity, .. } = &advisories[0];
        assert_eq!((name.as_ref(), id.as_str(), summary.as_str()), ("my-pkg", "PYSEC-1", "Bad thing"));
        assert_eq!((aliases, severity), (&vec!["CVE-1".to_owned()], &vec!["CVSS:3.1/AV:N".to_owned()]));
        assert_eq!(found.newest, "2026-01-02");
        let Advisories::AuditReport(report) = read(REPORT).unwrap() else { panic!("no report") };
        assert_eq!(report.of.len(), 2);
    }

    #[test]
    fn what_tells_nothing_is_refused() {
        let report = |dependency: &str| format!("{{\"dependencies\": [{dependency}]}}");
        #[rustfmt::skip]
        let cases = [
            (String::new(),                                        "it is empty"),
            ("[]".to_owned(),                                      "no record on packages of PyPI"),
            (RECORD.replace("PyPI", "npm"),                        "no record on packages of PyPI"),
            ("{}".to_owned(),                                      "it has no `id`"),
            (format!("[{RECORD}, {{}}]"),                          "record 2: it has no `id`"),
            ("3".to_owned(),                                       "an object or an array"),
            (format!("{RECORD}x"),                                 "trailing"),
            (RECORD[..80].to_owned(),                              "EOF"),
            (RECORD.replace("[\"1.0\"]", "[1]"),                   "expected a string"),
            (format!("{}\n{}", REPORT.replace('\n', " "), RECORD.replace('\n', " ")), "records and a report"),
            (report(r#"{"version": "1"}"#),                        "no `name`"),
            (report(r#"{"name": "b"}"#),                           "neither `version` nor"),
            (report(r#"{"name": "b", "version": "1", "vulns": [{}]}"#), "has no `id`"),
            (report(r#"{"name": "b", "version": "1"}, {"name": "B", "version": "2"}"#), "twice"),
            ("[".repeat(100_000),                                  "invalid type"),
            (format!("{{\"id\": {}", "[".repeat(100_000)),         "invalid type"),
            ("PK\u{3}\u{4}".to_owned(),                            "archive"),
        ];
        for (text, says) in cases {
            let shown: String = text.chars().take(100).collect();
            let error = read(&text).map(drop).expect_err(&shown);
            assert!(format!("{error:#}").contains(says), "{shown}: {error:#}");
        }
        assert!(hints_of(&read("3").unwrap_err())[0].contains("pip-audit"));
    }
}
