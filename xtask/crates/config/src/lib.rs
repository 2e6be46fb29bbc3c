//! `dist/package.toml`: text → checked [`Config`]. What the wheel's metadata knows is not asked for.

mod accept;
mod boxes;
mod checks;
mod dependency;
mod document;
mod lines;
mod modules;
mod package;
mod required;
mod rich;
mod schema;
mod sections;
mod service;
mod shape;
mod simple_dependency;
#[cfg(test)]
mod tests;
mod unknown;
mod unmet_requirement;
mod wishes;

pub use accept::{ACCEPTED_FILE, Accept, Policy};
pub use boxes::{Probes, TargetTable};
pub use checks::{ACCEPTABLE, NEVER};
pub use dependency::{Dependencies, Relation};
pub use modules::{AppVersion, ModulePath, Modules, taken_by_layout};
pub use package::{LEVELS, PackageSettings};
pub use required::{UnmetVersion, VERSION, unmet};
pub use schema::schema;
pub use sections::Mistakes;
pub use service::{Lines, Service, Tls};
pub use simple_dependency::RpmDependency;
pub use unmet_requirement::UnmetRequirement;

use anyhow::Context as _;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use document::Document;
use pep508_rs::{ExtraName, PackageName};
use schemars::JsonSchema;
use sections::{Section, Sections};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{Target, is_soname};
use wheelhaul_licenses::Spdx;

/// What is packed, and for which boxes.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// the versions of this tool that may be used, as PEP 440 writes sets of versions; checked before all else
    #[schemars(extend("examples" = [">=0.2,<0.3"]))]
    pub required_version: Option<String>,
    /// names and texts of the RPM
    pub package: PackageSettings,
    /// the application and its lock
    pub app: App,
    /// the boxes that are packed for, in the order of the file
    #[schemars(rename = "target", length(min = 1))]
    pub targets: Vec<TargetTable>,
    /// how the application is served
    pub service: Service,
    /// packages without a wheel
    #[schemars(with = "Option<SdistSettings>")]
    pub sdist: SdistSettings,
    /// the key that RPMs are signed with, if any
    pub sign: Option<Sign>,
    /// licences of packages whose metadata does not tell them
    #[schemars(with = "Option<BTreeMap<String, String>>", extend(
        "propertyNames" = { "format": "package-name" },
        "additionalProperties" = { "type": "string", "format": "spdx-expression", "examples": ["MIT"] },
    ))]
    pub licenses: BTreeMap<PackageName, Spdx>,
    /// findings of `verify` that somebody has judged; reports show them as accepted
    #[schemars(with = "Option<Vec<Accept>>")]
    pub accept: Vec<Accept>,
}

/// `[app]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// the folder of its `pyproject.toml`, relative to the repository; `.` for the repository itself
    #[schemars(with = "String", extend("examples" = ["."]))]
    pub path: Utf8PathBuf,
    /// the team's lock, relative to the repository
    #[schemars(with = "String", extend("examples" = ["requirements.txt"]))]
    pub lock: Utf8PathBuf,
    /// files that an administrator may change, relative to `path`; kept on upgrade
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("examples" = [["config.yaml"]]))]
    pub config: Vec<Utf8PathBuf>,
    /// extras of the application that go on the box
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "extra-name" }, "examples" = [["postgres"]]))]
    pub extras: Vec<ExtraName>,
    /// dependency groups that go on the box beside the plain dependencies; those for development stay out
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "extra-name" }, "examples" = [["web"]]))]
    pub groups: Vec<ExtraName>,
    /// requirements that need not be met, for locks that do not record what the team overrode or excluded:
    /// `PACKAGE: WHAT IT REQUIRES`, with `*` in place of one of them for all packages
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "unmet-requirement" }, "examples" = [["wants-new: heavy-gui"]]))]
    pub unmet: Vec<UnmetRequirement>,
    /// what is packed of an application that no build backend builds; empty where one does
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("examples" = [["app.py", "templates/"]]))]
    modules: Vec<ModulePath>,
    /// of such an application: `1.2.0`, or `git` for that of the nearest tag
    #[schemars(with = "Option<String>", extend("examples" = ["1.0.0"]))]
    version: Option<AppVersion>,
}

impl App {
    /// What is packed of an application that no build backend builds; none where one does.
    pub fn modules(&self) -> Option<Modules<'_>> {
        let version = self.version.as_ref()?;
        Some(Modules { entries: &self.modules, version }).filter(|modules| !modules.entries.is_empty())
    }
}

/// `[sdist]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SdistSettings {
    /// the packages that may be built from their source distribution where no wheel fits
    #[serde(default)]
    #[schemars(with = "BuildValue", extend("examples" = [["pyyaml"]]))]
    pub build: Build,
    /// libraries that the boxes have and what is built may ask for, `libyaml-0.so.2`; the RPM then requires them
    #[serde(default)]
    #[schemars(extend("examples" = [["libyaml-0.so.2"]]))]
    pub system_libraries: BTreeSet<String>,
}

/// `[sign]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// as gpg takes it: a fingerprint, an id, an e-mail address
    #[schemars(extend("examples" = ["packages@corp.example"]))]
    pub key: String,
}

/// `sdist.build`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BuildValue")]
pub enum Build {
    /// `[]`
    #[default]
    None,
    /// `["pyyaml"]`
    Only(BTreeSet<PackageName>),
    /// `"all"`
    All,
}

impl Build {
    /// Whether a package may be built.
    pub fn allows(&self, name: &PackageName) -> bool {
        match self {
            Self::None => false,
            Self::Only(names) => names.contains(name),
            Self::All => true,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum BuildValue {
    Word(BuildWord),
    Names(#[schemars(extend("items" = { "type": "string", "format": "package-name" }))] Vec<String>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum BuildWord {
    All,
}

impl TryFrom<BuildValue> for Build {
    type Error = String;

    fn try_from(value: BuildValue) -> Result<Self, String> {
        match value {
            BuildValue::Word(BuildWord::All) => Ok(Self::All),
            BuildValue::Names(names) if names.is_empty() => Ok(Self::None),
            BuildValue::Names(names) => names
                .iter()
                .map(|name| PackageName::from_str(name).map_err(|error| error.to_string()))
                .collect::<Result<_, _>>()
                .map(Self::Only),
        }
    }
}

impl Config {
    /// Reads and checks `package.toml`.
    ///
    /// # Errors
    /// Names all mistakes, each with its line, its key and the line to write.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Self::read(text).map_err(|mistakes| (*mistakes).into())
    }

    /// The same, with what can be used of a file that has mistakes.
    pub fn read(text: &str) -> Result<Self, Box<Mistakes>> {
        let (document, placed) = Document::parse(text);
        let mut sections = Sections::new(&document, placed);
        let package: Option<Section<PackageSettings>> = sections.read("package");
        let app: Option<Section<App>> = sections.read("app");
        let targets: Option<Vec<(usize, TargetTable)>> = sections.read_all("target");
        let (places, targets): (Vec<usize>, Vec<TargetTable>) = targets.unwrap_or_default().into_iter().unzip();
        let service: Option<Section<Service>> = sections.read("service");
        let sdist: Option<Section<SdistSettings>> = sections.read("sdist");
        let sign: Option<Section<Sign>> = sections.read("sign");
        let licenses: Option<Section<BTreeMap<PackageName, Spdx>>> = sections.read("licenses");
        let accept: Option<Vec<(usize, Accept)>> = sections.read_all("accept");
        sections.judge(package.iter().flat_map(|of| of.value.faults()));
        sections.judge(app.iter().flat_map(|of| of.value.faults()));
        sections.judge(service.iter().flat_map(|of| of.value.faults()));
        sections.judge(sdist.iter().flat_map(|of| of.value.faults()));
        sections.judge(sign.iter().flat_map(|of| of.value.faults()));
        for (index, error) in boxes::faults(&targets) {
            sections.placed.push(document.placed(error, "target", places.get(index).copied().unwrap_or(0)));
        }
        let (accept_places, accept): (Vec<usize>, Vec<Accept>) = accept.unwrap_or_default().into_iter().unzip();
        for (index, error) in accept::faults(&accept, &targets) {
            sections.placed.push(document.placed(error, "accept", accept_places[index]));
        }
        let mut placed = sections.placed;
        placed.sort_by_key(|(line, _)| *line);
        match (package, app, service) {
            (Some(package), Some(app), Some(service)) if placed.is_empty() => Ok(Self {
                required_version: document
                    .get("required-version")
                    .and_then(|v| v.get_ref().as_str())
                    .map(str::to_owned),
                package: package.value,
                app: app.value,
                targets,
                service: service.value,
                sdist: sdist.map(|of| of.value).unwrap_or_default(),
                sign: sign.map(|of| of.value),
                licenses: licenses.map(|of| of.value).unwrap_or_default(),
                accept,
            }),
            (_, app, service) => Err(Box::new(Mistakes {
                faults: placed.into_iter().map(|(_, error)| error).collect(),
                app: app.filter(|of| of.has(&["path", "lock"])).map(|of| of.value),
                targets,
                service: service.filter(|of| of.has(&["command"])).map(|of| of.value),
            })),
        }
    }

    /// The dependencies of the RPM for a target: those of `[package]`, and those that the target adds.
    pub fn dependencies(&self, target: &Target) -> Dependencies {
        let table = self.targets.iter().find(|table| table.name == target.name);
        let added = table.map(TargetTable::dependencies).unwrap_or_default();
        self.package.dependencies().and(&added)
    }

    /// The probe files that the targets are made from, relative to the repository.
    pub fn probes(&self) -> Vec<&Utf8Path> {
        boxes::probes(&self.targets)
    }

    /// The targets, in the order of the file.
    ///
    /// - Takes: `probes`, the texts of all of [`Self::probes`].
    pub fn targets(&self, probes: &Probes) -> anyhow::Result<Vec<Target>> {
        boxes::targets(&self.targets, probes)
    }
}

impl App {
    fn faults(&self) -> Vec<anyhow::Error> {
        let path = (self.path != ".").then(|| check_inside(&self.path).context("key `app.path`"));
        let lock = check_inside(&self.lock).context("key `app.lock`");
        let config = self.config.iter().map(|path| check_inside(path).context("key `app.config`"));
        let modules = modules::check(&self.modules, self.version.as_ref(), &self.config);
        path.into_iter().chain([lock]).chain(config).chain([modules]).filter_map(Result::err).collect()
    }
}

impl SdistSettings {
    fn faults(&self) -> Vec<anyhow::Error> {
        check_sonames("sdist.system-libraries", &self.system_libraries).err().into_iter().collect()
    }
}

impl Sign {
    fn faults(&self) -> Option<anyhow::Error> {
        (self.key.trim().is_empty() || self.key.chars().any(char::is_control)).then(|| {
            Problem::with_hint(
                "key `sign.key` is empty or has line breaks",
                "name a key as gpg takes it: a fingerprint, an id or an e-mail address; `gpg --list-secret-keys` shows them",
            )
        })
    }
}

/// Refuses what no file can ask for.
fn check_sonames(key: &str, libraries: &BTreeSet<String>) -> anyhow::Result<()> {
    match libraries.iter().find(|library| !is_soname(library)) {
        None => Ok(()),
        Some(odd) => Err(Problem::with_hint(
            format!("key `{key}`: `{}` is not the name of a library", odd.escape_debug()),
            "write it as the wheel asks for it, such as \"libyaml-0.so.2\"",
        )),
    }
}

fn check_inside(path: &Utf8Path) -> anyhow::Result<()> {
    let inside = path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
    let plain = path.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/") == path.as_str();
    if inside && plain && !path.as_str().is_empty() && !path.as_str().contains('\\') {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`{path}` does not lie below its folder"),
        "give a relative path with single `/`, without `.` and `..`",
    ))
}
