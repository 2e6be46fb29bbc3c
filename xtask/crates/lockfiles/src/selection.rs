//! The extras and groups that the team wants on the box, and whether the lock knows them.

use pep508_rs::ExtraName;
use std::collections::BTreeSet;
use wheelhaul_base::problem::{Problem, all_of, nearest};
use wheelhaul_config::App;

/// What of the team's project goes on the box, beside its plain dependencies: `app.extras`, `app.groups`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// extras of the application
    pub extras: Vec<ExtraName>,
    /// dependency groups; those for development stay out unless they are named
    pub groups: Vec<ExtraName>,
}

impl Selection {
    /// What `[app]` says of it.
    pub fn of(app: &App) -> Self {
        Self { extras: app.extras.clone(), groups: app.groups.clone() }
    }

    /// Checks `app.extras` and `app.groups` at once.
    ///
    /// # Errors
    /// Names every one that is unknown, with the nearest known one and all of them.
    pub(crate) fn check(&self, extras: &BTreeSet<ExtraName>, groups: &BTreeSet<ExtraName>) -> anyhow::Result<()> {
        let mut faults = Vec::new();
        for (kind, wanted, known) in [("extra", &self.extras, extras), ("group", &self.groups, groups)] {
            faults.extend(wanted.iter().filter(|name| !known.contains(name)).map(|name| {
                let known = known.iter().map(AsRef::as_ref);
                unknown(kind, name.as_ref(), &known.collect::<Vec<&str>>())
            }));
        }
        all_of("names are not known to the lock", faults)
    }
}

/// The error for one name; `kind` is the name of the key without its `s`, as in `app.extras`.
fn unknown(kind: &str, name: &str, known: &[&str]) -> anyhow::Error {
    let listed = match known {
        [] => format!("the lock has no {kind}s: leave it out of `app.{kind}s`"),
        known => format!("known {kind}s: {}", known.join(", ")),
    };
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {listed}"),
        None => listed,
    };
    Problem::with_hint(format!("key `app.{kind}s` of `dist/package.toml`: the lock has no {kind} `{name}`"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = unknown("group", "dosc", &["dev", "docs"]);
        assert_eq!(error.to_string(), "key `app.groups` of `dist/package.toml`: the lock has no group `dosc`");
        assert_eq!(hints_of(&error), ["did you mean `docs`? known groups: dev, docs"]);
        assert_eq!(hints_of(&unknown("extra", "x", &[])), ["the lock has no extras: leave it out of `app.extras`"]);
    }
}
