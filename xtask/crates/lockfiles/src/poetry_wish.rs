//! What Poetry's tables wish of a package, in locks and in project files alike.

use crate::poetry_constraint::{parse, platform_marker, python_marker};
use crate::{Need, Versions};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::str::FromStr as _;

/// What a package or the project wishes of another: once, or several times for different Pythons.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum Wishes {
    /// a constraint alone
    Version(String),
    /// a table
    One(Box<Wish>),
    /// a list of tables
    Several(Vec<Wishes>),
}

/// One wish; keys for other sources than an index do not matter: the entry of the lock has them.
#[derive(Deserialize, Clone)]
pub struct Wish {
    version: Option<String>,
    python: Option<String>,
    platform: Option<String>,
    markers: Option<String>,
    #[serde(default)]
    /// only with an extra
    pub optional: bool,
    #[serde(default)]
    extras: Vec<String>,
}

impl Wishes {
    /// Each wish on its own; a bare version is one.
    pub fn each(&self) -> Vec<Wish> {
        match self {
            Self::Version(version) => vec![Wish {
                version: Some(version.clone()),
                python: None,
                platform: None,
                markers: None,
                optional: false,
                extras: Vec::new(),
            }],
            Self::One(wish) => vec![Wish::clone(wish)],
            // Poetry nests no lists.
            Self::Several(wishes) => {
                let flat = |wish: &Self| if matches!(wish, Self::Several(_)) { Vec::new() } else { wish.each() };
                wishes.iter().flat_map(flat).collect()
            }
        }
    }
}

impl Wish {
    /// The wish as an edge of the graph.
    pub fn need(&self, name: &str) -> anyhow::Result<Need> {
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
