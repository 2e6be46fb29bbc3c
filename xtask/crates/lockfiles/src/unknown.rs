//! Values of markers that nobody can know before the package runs on its box.

use pep508_rs::PackageName;
use std::collections::BTreeSet;
use wheelhaul_base::problem::shortened;

/// A marker whose answer depends on a value that the record of the box cannot know: it counts as empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// `platform_release`
    pub variable: String,
    /// of which package the marker is
    pub name: PackageName,
    /// as written
    pub marker: String,
}

impl Unknown {
    /// Those of a marker, by its variables that [`wheelhaul_boxes::Environment::unknowable`] names.
    pub(crate) fn of(name: &PackageName, marker: &str, variables: &[String]) -> impl Iterator<Item = Self> {
        let unknown =
            |variable: &String| Self { variable: variable.clone(), name: name.clone(), marker: marker.to_owned() };
        variables.iter().map(unknown)
    }

    /// One warning for each variable; `all` has each with the name of its target.
    pub fn warnings(all: &[(&str, &Self)]) -> Vec<String> {
        let variables: BTreeSet<&str> = all.iter().map(|(_, one)| one.variable.as_str()).collect();
        let warning = |variable: &str| {
            let of = || all.iter().filter(|(_, one)| one.variable == variable);
            let names: BTreeSet<&PackageName> = of().map(|(_, one)| &one.name).collect();
            let targets: BTreeSet<&str> = of().map(|(target, _)| *target).collect();
            let targets = targets.into_iter().collect::<Vec<_>>().join(" and ");
            let (_, first) = of().next()?;
            let (who, marker) = (&first.name, shortened(&first.marker));
            let which = match names.len() {
                1 => format!("`{who}`: the marker `{marker}` depends"),
                count => format!("`{who}` (`{marker}`) and {} more: their markers depend", count - 1),
            };
            Some(format!(
                "{which} on `{variable}`, which belongs to the running kernel and is not known of {targets}: it counts as empty"
            ))
        };
        variables.into_iter().filter_map(warning).collect()
    }
}
