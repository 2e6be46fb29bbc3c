//! Extras and groups that are asked for, held against those that the lock knows.

use crate::Source;
use pep508_rs::ExtraName;
use std::collections::BTreeSet;
use wheelhaul_base::problem::{Problem, all_of, nearest};

/// Checks `app.extras` and `app.groups` at once.
///
/// - Fails: once, naming every unknown one, with the nearest known one and all of them.
pub fn check(source: &Source<'_>, extras: &BTreeSet<ExtraName>, groups: &BTreeSet<ExtraName>) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for (kind, wanted, known) in
        [("extra", &source.selection.extras, extras), ("group", &source.selection.groups, groups)]
    {
        faults.extend(wanted.iter().filter(|name| !known.contains(name)).map(|name| {
            let known = known.iter().map(AsRef::as_ref);
            unknown(kind, name.as_ref(), &known.collect::<Vec<&str>>())
        }));
    }
    all_of("names are not known to the lock", faults)
}

/// The error for one name.
///
/// - Takes: `kind`, as in `app.extras` without its `s`.
pub fn unknown(kind: &str, name: &str, known: &[&str]) -> anyhow::Error {
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
