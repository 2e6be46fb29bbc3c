//! What `uv.lock` remembers of the project file, and whether it still holds.

use crate::pins::project_file::Dependencies;
use crate::pins::uv_lock::Package;
use crate::pins::{Requirement, Source};
use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// `[package.metadata]`: the requirements as the project file had them.
#[derive(Deserialize, Default)]
pub(super) struct Metadata {
    #[serde(default, rename = "requires-dist")]
    requires: Vec<Wish>,
    /// every extra, also one without requirements
    #[serde(default, rename = "provides-extras")]
    pub extras: Vec<String>,
    /// every group, also one without requirements
    #[serde(default, rename = "requires-dev")]
    pub groups: BTreeMap<String, Vec<Wish>>,
}

#[derive(Deserialize)]
pub(super) struct Wish {
    name: PackageName,
    #[serde(default)]
    extras: Vec<String>,
    specifier: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

/// A requirement without its marker, which uv rewrites; without specifiers where it comes from elsewhere.
type Shape = (PackageName, BTreeSet<ExtraName>, BTreeSet<String>);

/// Why uv would lock anew: the requirements in the project file beside the lock are others.
///
/// Gives nothing for a project file that is not the application's, or whose requirements are dynamic.
pub(super) fn why_stale(source: &Source<'_>, root: &Package) -> Option<String> {
    let text = source.beside("pyproject.toml")?;
    let file = crate::pins::project_file::as_json(text)?;
    let project = &file["project"];
    let name = PackageName::from_str(project["name"].as_str()?).ok()?;
    let dynamic = |key: &str| project["dynamic"].as_array().is_some_and(|keys| keys.iter().any(|it| it == key));
    if name != root.name || dynamic("dependencies") || dynamic("optional-dependencies") {
        return None;
    }
    let wishes = Dependencies::parse(text).ok()?;
    let mut now: BTreeSet<Shape> = wishes.plain.iter().map(shape).collect();
    now.extend(wishes.extras.values().flatten().map(shape));
    let (then, elsewhere) = locked(&root.metadata.requires, &root.name)?;
    let mut same = without(now, &elsewhere) == then;
    let groups: BTreeMap<ExtraName, &Vec<Wish>> = (root.metadata.groups.iter())
        .map(|(name, wishes)| Some((ExtraName::from_str(name).ok()?, wishes)))
        .collect::<Option<_>>()?;
    for (name, requirements) in &wishes.groups {
        let (then, elsewhere) = locked(groups.get(name).map_or(&[][..], |wishes| wishes.as_slice()), &root.name)?;
        same &= without(requirements.iter().map(shape).collect(), &elsewhere) == then;
    }
    same &= groups.keys().all(|group| wishes.groups.contains_key(group));
    (!same).then(|| "`pyproject.toml` changed since it was locked: run `uv lock`".to_owned())
}

fn shape(requirement: &Requirement) -> Shape {
    let specifiers = requirement.versions.iter().map(ToString::to_string).collect();
    (requirement.name.clone(), requirement.extras.iter().cloned().collect(), specifiers)
}

/// The locked wishes, and the names of those that `[tool.uv.sources]` takes from elsewhere.
fn locked(wishes: &[Wish], own: &PackageName) -> Option<(BTreeSet<Shape>, BTreeSet<PackageName>)> {
    let mut shapes = BTreeSet::new();
    let mut elsewhere = BTreeSet::new();
    for wish in wishes.iter().filter(|wish| wish.name != *own) {
        let extras = wish.extras.iter().map(|extra| ExtraName::from_str(extra).ok()).collect::<Option<_>>()?;
        let versions = VersionSpecifiers::from_str(wish.specifier.as_deref().unwrap_or_default()).ok()?;
        let places = [&wish.git, &wish.url, &wish.path, &wish.directory, &wish.editable, &wish.r#virtual];
        if places.into_iter().any(Option::is_some) {
            elsewhere.insert(wish.name.clone());
        }
        shapes.insert((wish.name.clone(), extras, versions.iter().map(ToString::to_string).collect()));
    }
    Some((without(shapes, &elsewhere), elsewhere))
}

fn without(shapes: BTreeSet<Shape>, elsewhere: &BTreeSet<PackageName>) -> BTreeSet<Shape> {
    let plain = |(name, extras, versions): Shape| match elsewhere.contains(&name) {
        true => (name, extras, BTreeSet::new()),
        false => (name, extras, versions),
    };
    shapes.into_iter().map(plain).collect()
}
