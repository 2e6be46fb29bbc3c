//! A box of one's own, which the table does not have: its record → a target, and back.

use crate::record::{self, BoxRecord};
use crate::table::Compression;
use crate::target::{Distribution, Interpreter, Target, known_names};
use crate::versions::{check_full, not_final, parse_minor};
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use wheelhaul_base::problem::{Problem, all_of, shortened};

impl Target {
    /// Makes a target of one's own from its record.
    ///
    /// `name` is any that is not known, `python_full` is `X.Y.Z`.
    ///
    /// # Errors
    /// Names each value that no box has, or that contradicts another.
    pub fn own(name: &str, python_full: &str, record: &BoxRecord) -> anyhow::Result<Self> {
        check_own_name(name)?;
        let mut minor = python_full.split('.');
        let minor = format!("{}.{}", minor.next().unwrap_or_default(), minor.next().unwrap_or_default());
        let mut faults = Vec::new();
        let version = parse_minor(&minor)
            .map_err(|_| not_final(python_full, "3"))
            .and_then(|version| Ok((version, check_full(python_full, version)?)))
            .context("key `python-full`")
            .map_err(|fault| faults.push(fault));
        let checked = record::check(record).map_err(|fault| faults.push(fault));
        all_of("values cannot be used", faults)?;
        let (Ok((version, python_full)), Ok(checked)) = (version, checked) else { bail!("a value cannot be used") };
        let mut target = Self {
            name: name.to_owned(),
            distribution: Distribution {
                dist: record.release.clone().unwrap_or_else(|| release_of(name, &checked.arch)),
                title: record.title.clone().unwrap_or_else(|| name.to_owned()),
                glibc: checked.glibc,
                systemd: checked.systemd,
                compression: record.payload.unwrap_or(Compression::Gzip),
            },
            arch: checked.arch,
            interpreter: Interpreter {
                version,
                package: record.python_package.clone(),
                path: record.python_path.clone().unwrap_or_else(|| format!("/usr/bin/python{minor}")),
            },
            python_full,
            markers: BTreeMap::new(),
            own_tags: None,
            is_known: false,
        };
        // Kept is what differs from what follows: so a probe and a written record of one box are equal.
        let follows = target.environment();
        for name in ["python_version", "python_full_version"] {
            if let Some(given) = record.markers.get(name).filter(|given| Some(given.as_str()) != follows.text(name)) {
                return Err(Problem::with_hint(
                    format!("the marker value `{name}` is `{given}`, and `python-full` says {}", target.python_full),
                    "leave one of them out",
                ));
            }
        }
        target.markers = record.markers.clone();
        target.markers.retain(|name, value| follows.text(name) != Some(value.as_str()));
        target.own_tags = Some(checked.tags).filter(|tags| !tags.is_empty() && *tags != target.tags());
        Ok(target)
    }

    /// The record, for a target that the table does not have: with its name and full version of Python it
    /// makes the same target again.
    pub fn record(&self) -> Option<BoxRecord> {
        (!self.is_known).then(|| self.whole_record())
    }

    /// The record, also of a known target: what another box is described by.
    pub fn whole_record(&self) -> BoxRecord {
        BoxRecord {
            arch: Some(self.arch.clone()),
            glibc: Some(format!("{}.{}", self.distribution.glibc.0, self.distribution.glibc.1)),
            systemd: Some(self.distribution.systemd),
            payload: Some(self.distribution.compression),
            release: Some(self.distribution.dist.clone()),
            title: Some(self.distribution.title.clone()),
            python_package: self.interpreter.package.clone(),
            python_path: Some(self.interpreter.path.clone()),
            tags: self.own_tags.iter().flatten().map(ToString::to_string).collect(),
            markers: self.markers.clone(),
        }
    }
}

/// Judges the name of a box of one's own: it stands in the name of a file, and no row of the table has it.
pub fn check_own_name(name: &str) -> anyhow::Result<()> {
    let is_good = (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !is_good {
        return Err(Problem::with_hint(
            format!("`{}` cannot name a target", shortened(name).escape_debug()),
            "use at most 64 letters, digits, `_` and `-`, such as \"debian12-x86_64\"",
        ));
    }
    match known_names().iter().any(|known| known == name) {
        true => Err(Problem::with_hint(
            format!("`{name}` is a known target, and has a record already"),
            format!("give the box a name of its own, and keep what is known: name = \"own-{name}\", like = \"{name}\""),
        )),
        false => Ok(()),
    }
}

/// `debian12` for `debian12-x86_64`; a release has no dash.
fn release_of(name: &str, arch: &str) -> String {
    let front =
        name.strip_suffix(arch).map(|front| front.trim_end_matches(['-', '_'])).filter(|front| !front.is_empty());
    front.unwrap_or(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::known_targets;

    #[test]
    fn the_record_of_any_target_makes_it_again() {
        for known in known_targets() {
            let own = Target::own("own", &known.python_full.to_string(), &known.whole_record()).unwrap();
            assert_eq!((own.tags(), own.platforms()), (known.tags(), known.platforms()));
            assert_eq!((&own.distribution, &own.interpreter), (&known.distribution, &known.interpreter));
            assert_eq!(Target::own("own", &own.python_full.to_string(), &own.record().unwrap()).unwrap(), own);
            assert_eq!(known.record(), None);
        }
    }
}
