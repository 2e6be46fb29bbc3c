//! The checks on an RPM in memory, with one text of it changed.

use crate::boxes::{CONFIG, Draft, pack, target};
use std::io::Cursor;
use wheelhaul_boxes::Target;
use wheelhaul_config::Config;
use wheelhaul_package::service::{ServiceFacts, ServiceProgram};
use wheelhaul_verify::{Evidence, Outcome, judge};

const UNIT: &str = "/usr/lib/systemd/system/demo.service";
const SYSUSERS: &str = "/usr/lib/sysusers.d/demo.conf";

/// What these checks say of the good package with a text changed: path and finding.
fn findings(path: &str, text: &str, checks: &[&str]) -> anyhow::Result<Vec<(String, String)>> {
    let (_, bytes) = pack(&[Draft::of("demo"), Draft::app()])?;
    let mut evidence = Evidence::gather(Cursor::new(bytes))?;
    evidence.texts.insert(path.to_owned(), text.to_owned());
    let mut found = Vec::new();
    for judged in judge(&evidence).into_iter().filter(|judged| checks.contains(&judged.check.name)) {
        match judged.outcome {
            Outcome::Made { findings, .. } => found.extend(findings.into_iter().map(|f| (f.path, f.found))),
            Outcome::NotMade { why, .. } => anyhow::bail!("{}: {why}", judged.check.name),
        }
    }
    Ok(found)
}

/// What is found in the service's unit.
pub fn unit(text: &str) -> anyhow::Result<Vec<String>> {
    Ok(findings(UNIT, text, &["units", "unit-keys"])?.into_iter().map(|(_, found)| found).collect())
}

/// What is found in the lines of the sysusers file, beside whom they make.
pub fn sysusers(text: &str) -> anyhow::Result<Vec<String>> {
    let found = findings(SYSUSERS, text, &["sysusers"])?.into_iter();
    Ok(found.filter(|(path, _)| path == SYSUSERS).map(|(_, found)| found).collect())
}

/// The scriptlets of a project with this `[service]`, for this box.
pub fn scriptlets(target: &str, command: &str, tls: &str) -> anyhow::Result<[String; 6]> {
    let text = CONFIG.replace("tls = \"off\"", &format!("tls = \"{tls}\""));
    let config = Config::parse(&text.replace("[\"serve\", \"--bind\", \"{address}:{port}\"]", command))?;
    let target = Target::find(target, None, None)?;
    let facts = ServiceFacts {
        name: "demo",
        summary: "A demo",
        root: "/opt/demo",
        service: &config.service,
        target: &target,
        server_version: None,
    };
    let scriptlets = facts.scriptlets(ServiceProgram::Script)?;
    Ok([scriptlets.pre, scriptlets.post, scriptlets.preun, scriptlets.postun, scriptlets.posttrans, scriptlets.verify])
}

/// The units and the sysusers file of a project with this summary.
pub fn written(summary: &str) -> anyhow::Result<(Vec<(String, String)>, String)> {
    let config = Config::parse(CONFIG)?;
    let target = target();
    let facts = ServiceFacts {
        name: "demo",
        summary,
        root: "/opt/demo",
        service: &config.service,
        target: &target,
        server_version: None,
    };
    Ok((facts.units(ServiceProgram::Script)?, facts.sysusers()))
}
