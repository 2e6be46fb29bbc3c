//! Requirements that a team left unmet on purpose: by overrides and excludes of their own tool, or by `app.unmet`.

use anyhow::Context as _;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `wants-new: heavy-gui`: what the one requires of the other need not be met. `*` stands for every package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UnmetRequirement {
    /// the package that requires something; every package without one
    pub by: Option<PackageName>,
    /// what it requires; everything without one
    pub of: Option<PackageName>,
}

impl UnmetRequirement {
    /// What any package requires of `of`.
    pub fn of(of: PackageName) -> Self {
        Self { by: None, of: Some(of) }
    }

    /// Whatever `by` requires.
    pub fn by(by: PackageName) -> Self {
        Self { by: Some(by), of: None }
    }

    /// Whether it covers a requirement.
    pub fn covers(&self, by: &PackageName, of: Option<&PackageName>) -> bool {
        self.by.as_ref().is_none_or(|name| name == by) && self.of.as_ref().is_none_or(|name| Some(name) == of)
    }
}

impl FromStr for UnmetRequirement {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let read = || {
            let (by, of) = text.split_once(':')?;
            let name = |text: &str| match text.trim() {
                "*" => Some(None),
                text => PackageName::from_str(text).ok().map(Some),
            };
            let unmet = Self { by: name(by)?, of: name(of)? };
            (unmet.by.is_some() || unmet.of.is_some()).then_some(unmet)
        };
        read().context("it is not `PACKAGE: WHAT IT REQUIRES`, with `*` in place of one of them for all packages")
    }
}

impl TryFrom<String> for UnmetRequirement {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: anyhow::Error| format!("{error:#}"))
    }
}

impl From<UnmetRequirement> for String {
    fn from(unmet: UnmetRequirement) -> Self {
        unmet.to_string()
    }
}

impl fmt::Display for UnmetRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<PackageName>| name.as_ref().map_or("*".to_owned(), ToString::to_string);
        write!(f, "{}: {}", name(&self.by), name(&self.of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_who_requires_what() {
        let (by, of): (PackageName, PackageName) = ("wants-new".parse().unwrap(), "heavy-gui".parse().unwrap());
        #[rustfmt::skip]
        let cases = [ // written            read                         covers by/of, by/other, other/of
            ("wants-new: heavy-gui",        Some("wants-new: heavy-gui"), [true,  false, false]),
            ("Wants_New:Heavy.GUI",         Some("wants-new: heavy-gui"), [true,  false, false]),
            ("*: heavy-gui",                Some("*: heavy-gui"),         [true,  false, true]),
            ("wants-new: *",                Some("wants-new: *"),         [true,  true,  false]),
            ("*: *",                        None,                         [false; 3]),
            ("heavy-gui",                   None,                         [false; 3]),
            ("wants-new: heavy-gui>=2",     None,                         [false; 3]),
        ];
        for (text, read, covers) in cases {
            let unmet = text.parse::<UnmetRequirement>().ok();
            assert_eq!(unmet.as_ref().map(ToString::to_string).as_deref(), read, "{text}");
            let is_covered =
                |a: &PackageName, b: Option<&PackageName>| unmet.as_ref().is_some_and(|unmet| unmet.covers(a, b));
            assert_eq!(
                [is_covered(&by, Some(&of)), is_covered(&by, Some(&by)), is_covered(&of, Some(&of))],
                covers,
                "{text}"
            );
        }
        assert!(UnmetRequirement::by(by.clone()).covers(&by, None) && !UnmetRequirement::of(of).covers(&by, None));
    }
}
