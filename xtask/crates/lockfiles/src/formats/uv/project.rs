//! What `uv.lock` remembers of the project file, and whether it still holds.

use crate::project_file::{Dependencies, as_json};
use crate::source::LockSource;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use wheelhaul_boxes::Requirement;
use wheelhaul_config::UnmetRequirement;

#[derive(Deserialize, Default)]
pub(super) struct Manifest {
    /// the projects of a workspace; none where the lock is of one project
    #[serde(default)]
    pub members: Vec<String>,
    /// requirements that replace those of every package
    #[serde(default)]
    overrides: Vec<Named>,
    /// packages that are left out of every package's requirements
    #[serde(default)]
    excludes: Vec<Named>,
    /// metadata that replaces that of a package
    #[serde(default, rename = "dependency-metadata")]
    metadata: Vec<Named>,
}

/// A package, by its name alone or in a table.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Table { name: String, version: Option<String> },
}

impl Manifest {
    /// The requirements that packages have by their own metadata and that the team replaced.
    ///
    /// `has` tells whether the lock has a package at a version.
    pub(super) fn unmet(&self, has: &dyn Fn(&PackageName, &Version) -> bool) -> Vec<UnmetRequirement> {
        // `aa-base`, `aa-base==2.0`
        let name = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(text.len());
            PackageName::from_str(&text[..end]).ok()
        };
        let of = self.overrides.iter().chain(&self.excludes).filter_map(|named| match named {
            Named::Name(text) | Named::Table { name: text, .. } => name(text).map(UnmetRequirement::of),
        });
        let by = self.metadata.iter().filter_map(|named| match named {
            Named::Name(text) => name(text).map(UnmetRequirement::by),
            Named::Table { name: text, version } => {
                let name = name(text)?;
                let is_there = |version: &String| Version::from_str(version).is_ok_and(|version| has(&name, &version));
                version.as_ref().is_none_or(is_there).then(|| UnmetRequirement::by(name.clone()))
            }
        });
        of.chain(by).collect()
    }
}

/// `[package.metadata]`: the requirements as the project file had them.
#[derive(Deserialize, Default)]
pub(super) struct Metadata {
    #[serde(default, rename = "requires-dist")]
    requires: Vec<LockedRequirement>,
    /// every extra, also one without requirements
    #[serde(default, rename = "provides-extras")]
    pub extras: Vec<String>,
    /// every group, also one without requirements
    #[serde(default, rename = "requires-dev")]
    pub groups: BTreeMap<String, Vec<LockedRequirement>>,
}

#[derive(Deserialize)]
pub(super) struct LockedRequirement {
    name: PackageName,
    #[serde(default)]
    extras: Vec<String>,
    specifier: Option<String>,
    marker: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

/// A requirement without its marker, which uv rewrites; without specifiers where it comes from elsewhere.
type Shape = (PackageName, BTreeSet<ExtraName>, BTreeSet<String>);

/// The requirements of each extra; those of the project itself under none.
type ByExtra = BTreeMap<Option<ExtraName>, BTreeSet<Shape>>;

/// Why uv would lock anew: the requirements in the project file beside the lock are others.
///
/// `None` also for a project file that is not the application's, or whose requirements are dynamic. `python` is the
/// lock's `requires-python` where it is that of this project alone.
pub(super) fn why_stale(
    source: &LockSource<'_>,
    name: &PackageName,
    metadata: &Metadata,
    python: Option<&str>,
) -> Option<String> {
    let text = source.beside("pyproject.toml")?;
    let file = as_json(text)?;
    let project = &file["project"];
    let name_now = PackageName::from_str(project["name"].as_str()?).ok()?;
    let dynamic = |key: &str| project["dynamic"].as_array().is_some_and(|keys| keys.iter().any(|it| it == key));
    if name_now != *name || dynamic("dependencies") || dynamic("optional-dependencies") {
        return None;
    }
    let wishes = Dependencies::parse(text).ok()?;
    let mut same = same_extras(name, metadata, &wishes, dynamic("version"))? && same_groups(metadata, &wishes)?;
    let of_groups = &file["tool"]["uv"]["dependency-groups"];
    if let (Some(now), Some(then), true) = (project["requires-python"].as_str(), python, of_groups.is_null()) {
        same &= same_pythons(&VersionSpecifiers::from_str(now).ok()?, &VersionSpecifiers::from_str(then).ok()?);
    }
    (!same).then(|| "`pyproject.toml` changed since it was locked: run `uv lock`".to_owned())
}

/// Whether the project and its extras ask for the same as when they were locked.
///
/// `is_built` tells whether the metadata may be that of a build backend, which may replace references of the project
/// to itself by what they mean.
fn same_extras(name: &PackageName, metadata: &Metadata, wishes: &Dependencies, is_built: bool) -> Option<bool> {
    let mut now = ByExtra::new();
    let plain = wishes.plain.iter().map(|wish| (None, wish));
    let extras = wishes.written.iter().flat_map(|(extra, of)| of.iter().map(move |wish| (Some(extra), wish)));
    for (extra, wish) in plain.chain(extras) {
        // uv has no other place to say which extra a requirement is of.
        if wish.marker.as_ref().is_some_and(|marker| marker.contains("extra")) {
            return None;
        }
        now.entry(extra.cloned()).or_default().insert(shape(wish));
    }
    let (mut then, mut elsewhere) = (ByExtra::new(), BTreeSet::new());
    for wish in &metadata.requires {
        let extra = extra_of(wish.marker.as_deref().unwrap_or_default())?;
        then.entry(extra).or_default().insert(locked(wish, &mut elsewhere)?);
    }
    if is_built {
        now = together(now, name);
        then = together(then, name);
    }
    let plain = |table: ByExtra| -> ByExtra {
        table.into_iter().map(|(extra, shapes)| (extra, without(shapes, &elsewhere))).collect()
    };
    let names = metadata.extras.iter().map(|extra| ExtraName::from_str(extra).ok());
    let names: BTreeSet<ExtraName> = names.collect::<Option<_>>()?;
    // Locks of the first revisions have no list of the extras.
    let same_names = names.is_empty() || names.iter().eq(wishes.written.keys());
    Some(same_names && plain(now) == plain(then))
}

fn same_groups(metadata: &Metadata, wishes: &Dependencies) -> Option<bool> {
    let groups: BTreeMap<ExtraName, &Vec<LockedRequirement>> = (metadata.groups.iter())
        .map(|(name, wishes)| Some((ExtraName::from_str(name).ok()?, wishes)))
        .collect::<Option<_>>()?;
    let mut same = groups.keys().all(|group| wishes.groups.contains_key(group));
    for (name, requirements) in &wishes.groups {
        let (mut then, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
        for wish in groups.get(name).copied().into_iter().flatten() {
            then.insert(locked(wish, &mut elsewhere)?);
        }
        let now = requirements.iter().map(shape).collect();
        same &= without(now, &elsewhere) == without(then, &elsewhere);
    }
    Some(same)
}

/// Everything under one key, without references of the project to itself.
fn together(table: ByExtra, own: &PackageName) -> ByExtra {
    let shapes: BTreeSet<Shape> = table.into_values().flatten().filter(|(name, ..)| name != own).collect();
    if shapes.is_empty() { ByExtra::new() } else { ByExtra::from([(None, shapes)]) }
}

/// The extra that a locked requirement is of, as uv writes it into the marker.
///
/// `None` if there are several.
fn extra_of(marker: &str) -> Option<Option<ExtraName>> {
    let mut found = None;
    for after in marker.split("extra == '").skip(1) {
        let extra = ExtraName::from_str(after.split('\'').next()?).ok()?;
        if found.as_ref().is_some_and(|found| *found != extra) {
            return None;
        }
        found = Some(extra);
    }
    Some(found)
}

/// Whether the same Pythons are allowed; uv writes the specifiers anew, and those of pre-releases and the like as of
/// the release, which are not judged here.
fn same_pythons(now: &VersionSpecifiers, then: &VersionSpecifiers) -> bool {
    let is_rewritten = |version: &Version| version.any_prerelease() || version.is_post() || version.is_local();
    if now.iter().any(|specifier| is_rewritten(specifier.version())) {
        return true;
    }
    let minors = (0..=9).map(|minor| [2, minor]).chain((0..=40).map(|minor| [3, minor])).chain([[4, 0]]);
    let all = minors.flat_map(|[major, minor]| (0..=30).map(move |patch| Version::new([major, minor, patch])));
    all.into_iter().all(|version| now.contains(&version) == then.contains(&version))
}

fn shape(requirement: &Requirement) -> Shape {
    let specifiers = requirement.versions.iter().map(ToString::to_string).collect();
    (requirement.name.clone(), requirement.extras.iter().cloned().collect(), specifiers)
}

/// A locked requirement; its name goes into `elsewhere` where `[tool.uv.sources]` takes it from there.
fn locked(wish: &LockedRequirement, elsewhere: &mut BTreeSet<PackageName>) -> Option<Shape> {
    let extras = wish.extras.iter().map(|extra| ExtraName::from_str(extra).ok()).collect::<Option<_>>()?;
    let versions = VersionSpecifiers::from_str(wish.specifier.as_deref().unwrap_or_default()).ok()?;
    let places = [&wish.git, &wish.url, &wish.path, &wish.directory, &wish.editable, &wish.r#virtual];
    if places.into_iter().any(Option::is_some) {
        elsewhere.insert(wish.name.clone());
    }
    Some((wish.name.clone(), extras, versions.iter().map(ToString::to_string).collect()))
}

fn without(shapes: BTreeSet<Shape>, elsewhere: &BTreeSet<PackageName>) -> BTreeSet<Shape> {
    let plain = |(name, extras, versions): Shape| match elsewhere.contains(&name) {
        true => (name, extras, BTreeSet::new()),
        false => (name, extras, versions),
    };
    shapes.into_iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use crate::reading::read;

    const PROJECT: &str = r#"
[project]
name = "shop"
requires-python = "~=3.9"
dependencies = ["flask[async]>=2", "shop[old]"]
[project.optional-dependencies]
old = ["idna; python_version < '3.10'"]
All = ["shop[old]", "redis"]
none = []
[dependency-groups]
dev = ["shop[old]", "ruff"]
own = ["shop"]
"#;

    const LOCK: &str = r#"
version = 1
requires-python = ">=3.9, <4"
[[package]]
name = "shop"
source = { virtual = "." }
[package.metadata]
requires-dist = [
    { name = "flask", extras = ["async"], specifier = ">=2" },
    { name = "idna", marker = "python_full_version < '3.10' and extra == 'old'" },
    { name = "redis", marker = "extra == 'all'" },
    { name = "shop", extras = ["old"] },
    { name = "shop", extras = ["old"], marker = "extra == 'all'" },
]
provides-extras = ["old", "all", "none"]
[package.metadata.requires-dev]
dev = [{ name = "ruff" }, { name = "shop", extras = ["old"] }]
own = [{ name = "shop" }]
"#;

    #[test]
    fn a_lock_is_stale_when_the_requirements_are_others() {
        let moved = "dependencies = [\"redis\", ";
        #[rustfmt::skip]
        let cases = [ // from               to                                 stale
            ("",                    "",                                false),
            ("name = \"shop\"",     "name = \"another\"",              false),
            ("~=3.9",               "<4,>=3.9rc1",                     false),
            ("~=3.9",               ">=3.9,<4.post1,!=3.9rc1",         false),
            ("~=3.9",               ">=3.9",                           true),
            ("~=3.9",               ">=3.10,<4",                       true),
            (">=2",                 ">=3",                             true),
            ("\"flask",             "\"six\", \"flask",                true),
            ("\nold =",             "\nolder =",                       true),
            ("none = []\n",         "",                                true),
            ("none = []",           "none = []\nmore = []",            true),
            ("dependencies = [",    moved,                             true),
            (", \"redis\"",         "",                                true),
            ("All =",               "all =",                           false),
            ("dev = [\"shop[old]\"", "dev = [\"shop[all]\"",           true),
            ("own = [",             "own = [{include-group = \"dev\"}, ", true),
            ("< '3.10'",            "< '3.10' and extra == 'x'",       false),
        ];
        for (from, to, stale) in cases {
            let project = PROJECT.replacen(from, to, 1);
            let pins = read(&[("uv.lock", LOCK), ("pyproject.toml", &project)], "").unwrap();
            assert_eq!(pins.stale.is_some_and(|why| why.contains("run `uv lock`")), stale, "{project}");
        }
        let moved = PROJECT.replacen(", \"redis\"", "", 1).replacen("dependencies = [", moved, 1);
        assert!(read(&[("uv.lock", LOCK), ("pyproject.toml", &moved)], "").unwrap().stale.is_some());
        let workspace = LOCK.replacen("[[package]]", "[manifest]\nmembers = [\"shop\", \"other\"]\n[[package]]", 1);
        let project = PROJECT.replace("~=3.9", ">=3.8");
        assert_eq!(read(&[("uv.lock", &workspace), ("pyproject.toml", &project)], "").unwrap().stale, None);
    }

    /// A build backend may write out what an extra asks of another one.
    #[test]
    fn metadata_that_was_built_is_compared_as_a_whole() {
        let built = LOCK
            .replace("    { name = \"shop\", extras = [\"old\"], marker = \"extra == 'all'\" },\n", "")
            .replace("    { name = \"shop\", extras = [\"old\"] },\n", "    { name = \"idna\" },\n");
        let dynamic = PROJECT.replacen("name = \"shop\"", "name = \"shop\"\ndynamic = [\"version\"]", 1);
        for (project, stale) in [(PROJECT, true), (&dynamic, false), (&dynamic.replace("redis", "rich"), true)] {
            let pins = read(&[("uv.lock", &built), ("pyproject.toml", project)], "").unwrap();
            assert_eq!(pins.stale.is_some(), stale, "{project}");
        }
    }
}
