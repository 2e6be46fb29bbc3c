//! Check of units: that every line says something to systemd, and what it seems to say.

use crate::{Evidence, Finding, Outcome, count, no_target};
use wheelhaul_package::service::dangers;
use wheelhaul_systemd::{UnitKey, UnitText, doubled, faults_of_key, faults_of_service};

/// Where systemd finds the units of packages.
pub(super) const FOLDER: &str = "/usr/lib/systemd/system/";

/// A unit of the package.
pub(super) struct Unit<'a> {
    pub path: &'a str,
    pub parsed: UnitText<'a>,
}

impl<'a> Unit<'a> {
    /// The service's own.
    pub(super) fn own(evidence: &'a Evidence) -> Option<Self> {
        let path = format!("{FOLDER}{}.service", evidence.described.name);
        Self::all(evidence).find(|unit| unit.path == path)
    }

    /// Every one that is text.
    pub(super) fn all(evidence: &'a Evidence) -> impl Iterator<Item = Self> {
        let units = evidence.texts.range(FOLDER.to_owned()..).take_while(|(path, _)| path.starts_with(FOLDER));
        units.map(|(path, text)| Self { path, parsed: UnitText::parse(path, text) })
    }

    pub(super) fn keys(&self) -> &[UnitKey<'a>] {
        &self.parsed.keys
    }
}

pub(super) fn no_unit() -> Outcome {
    Outcome::not_made("the package has no unit of its name")
}

/// `units`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    if Unit::own(evidence).is_none() && !evidence.has(&format!("{FOLDER}{}.service", evidence.described.name)) {
        return no_unit();
    }
    let systemd = target.distribution.systemd;
    let cure = "correct `[service]` in `dist/package.toml`, or build the RPM again with this tool";
    let mut findings = Vec::new();
    let mut seen = 0;
    for (path, row) in evidence.described.files.range(FOLDER.to_owned()..) {
        if !path.starts_with(FOLDER) {
            break;
        }
        if row.is_file() && !evidence.texts.contains_key(path) {
            findings.push(Finding::error(path, "it is not UTF-8", "a unit as systemd.syntax(7) has it", cure));
        }
    }
    for unit in Unit::all(evidence) {
        seen += 1;
        let mut say = |line: usize, what: String, expected: &str| {
            findings.push(Finding::error(unit.path, format!("line {line}: {what}"), expected, cure));
        };
        for (line, what) in &unit.parsed.faults {
            say(*line, what.clone(), "lines as systemd.syntax(7) has them");
        }
        for key in unit.keys() {
            for (what, expected) in faults_of_key(systemd, key) {
                say(key.line, what, &expected);
            }
        }
        let whole =
            Some(&unit).filter(|unit| unit.path.ends_with(".service")).map(|unit| faults_of_service(&unit.parsed));
        let whole = whole.into_iter().flatten();
        findings.extend(whole.map(|(what, expected)| Finding::error(unit.path, what, expected, cure)));
        let service = unit.keys().iter().filter(|key| key.section == "Service");
        let dangers =
            dangers(&evidence.described.name, evidence.root(), service.map(|key| (key.key, key.value.as_str())));
        let expected = "nothing by which the service gets further";
        findings.extend(
            dangers.into_iter().map(|danger| Finding::error(unit.path, danger.what, expected, danger.cure).warning()),
        );
        findings.extend(doubled(&unit.parsed).into_iter().map(|key| {
            let found = format!("line {}: a second `{}` takes the place of the first", key.line, key.key);
            Finding::error(unit.path, found, "one of it", "leave out the one that is not meant").warning()
        }));
    }
    Outcome::Made { looked_at: count(seen, "unit"), findings }
}
