//! A dependency as Poetry writes it, in locks and in project files alike.

use crate::pin::{Need, Versions};
use crate::poetry_constraint::{parse, platform_marker, python_marker};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::str::FromStr as _;

/// The value of a package's key: one dependency, or several for different Pythons ("multiple constraints").
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(super) enum DependencyValue {
    /// a constraint alone
    Version(String),
    /// a table
    One(Box<Dependency>),
    /// a list of tables
    Several(Vec<DependencyValue>),
}

/// One dependency; keys for other sources than an index do not matter: the entry of the lock has them.
#[derive(Deserialize, Clone)]
pub(super) struct Dependency {
    version: Option<String>,
    python: Option<String>,
    platform: Option<String>,
    markers: Option<String>,
    /// only with an extra
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    extras: Vec<String>,
}

impl DependencyValue {
    /// Each dependency on its own; a bare version is one.
    pub(super) fn each(&self) -> Vec<Dependency> {
        match self {
            Self::Version(version) => vec![Dependency {
                version: Some(version.clone()),
                python: None,
                platform: None,
                markers: None,
                optional: false,
                extras: Vec::new(),
            }],
            Self::One(one) => vec![Dependency::clone(one)],
            // Poetry nests no lists.
            Self::Several(values) => {
                let flat = |value: &Self| if matches!(value, Self::Several(_)) { Vec::new() } else { value.each() };
                values.iter().flat_map(flat).collect()
            }
        }
    }
}

impl Dependency {
    /// The dependency as an edge of the graph.
    pub(super) fn need(&self, name: &str) -> anyhow::Result<Need> {
        let own = self.markers.clone().filter(|marker| !marker.trim().is_empty() && marker != "*");
        let of_python = self.python.as_deref().map(python_marker).transpose()?.flatten();
        let of_platform = self.platform.as_deref().map(platform_marker).transpose()?;
        let markers: Vec<String> = [own, of_python, of_platform].into_iter().flatten().collect();
        let marker = match markers.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(several.iter().map(|marker| format!("({marker})")).collect::<Vec<_>>().join(" and ")),
        };
        Ok(Need {
            name: PackageName::from_str(name)?,
            extras: self.extras.iter().map(|extra| ExtraName::from_str(extra)).collect::<Result<_, _>>()?,
            versions: Versions::OneOf(parse(self.version.as_deref().unwrap_or("*"))?),
            entry: None,
            marker,
            of_extra: None,
        })
    }
}
