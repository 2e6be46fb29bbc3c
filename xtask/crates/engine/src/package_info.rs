//! What a package says of what is in it: libraries of the box, licences and SBOM.

use crate::Project;
use crate::report::count;
use anyhow::Context as _;
use pep508_rs::PackageName;
use rawzip::FileReader;
use std::collections::BTreeMap;
use wheelhaul_base::problem::nearest;
use wheelhaul_boxes::Target;
use wheelhaul_licenses::Spdx;
use wheelhaul_package::layout::{Wheel, license_texts};
use wheelhaul_package::rpm::PackageFacts;
use wheelhaul_package::sbom::{Component, Subject, cyclonedx};
use wheelhaul_pylock::Lock;
use wheelhaul_wheel::closure::{ChosenDist, walk};
use wheelhaul_wheel::elf::{ElfNeed, OfWheel, highest, needs_of};

/// The licences of a package's distributions.
pub(crate) struct Licenses {
    /// in the order of the wheels, the application's as the last
    pub each: Vec<Spdx>,
    /// what those say whose licence is not known
    pub unknown: BTreeMap<PackageName, String>,
}

impl Licenses {
    /// Judges the licence of each wheel, by `package.toml` where that names it.
    pub(crate) fn judge(project: &Project, wheels: &[Wheel<FileReader>]) -> anyhow::Result<Self> {
        let texts = |wheel: &Wheel<FileReader>| {
            license_texts(&wheel.archive, &wheel.contents).with_context(|| format!("`{}`", wheel.name))
        };
        let mut each = Vec::new();
        let mut unknown = BTreeMap::new();
        for (place, wheel) in wheels.iter().enumerate() {
            let metadata = &wheel.contents.metadata;
            let given = match place + 1 == wheels.len() {
                true => project.config.package.license.as_ref(),
                false => project.config.licenses.get(&metadata.name),
            };
            each.push(match given {
                Some(license) => license.clone(),
                None => metadata.license.judge(&texts(wheel)?).unwrap_or_else(|said| {
                    unknown.insert(metadata.name.clone(), said);
                    Spdx::unknown(metadata.name.as_ref())
                }),
            });
        }
        Ok(Self { each, unknown })
    }

    /// `License:` of the package.
    pub(crate) fn all(&self) -> Spdx {
        Spdx::all_of(&self.each)
    }
}

/// Warns once of what is not known, and of names in `[licenses]` that no lock has.
pub(crate) fn warn(project: &Project, unknown: &BTreeMap<PackageName, String>, locks: &[&Lock]) {
    let names: Vec<&PackageName> = locks.iter().flat_map(|lock| &lock.packages).map(|package| &package.name).collect();
    let is_whole = project.targets.len() == project.config.targets.len();
    for name in project.config.licenses.keys().filter(|name| is_whole && !names.contains(name)) {
        let near = nearest(name.as_ref(), names.iter().map(|name| name.as_ref()));
        let meant = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        project.sys.say(format!("warning: `[licenses]` names `{name}`, which no lock has{meant}"));
    }
    if unknown.is_empty() {
        return;
    }
    let lines: Vec<String> = unknown.iter().map(|(name, said)| format!("\n  {name}: {said}")).collect();
    project.sys.say(format!(
        "warning: the licences of {} are not known, and stand in the RPM as `LicenseRef-NAME-Unknown`:{}\nhint: say them in \
         `dist/package.toml`: `NAME = \"MIT\"` under `[licenses]`, the application's own as `package.license`",
        count(unknown.len(), "package"),
        lines.concat()
    ));
}

/// What the wheels need of the box, by the lock and by what lies in the application's wheel.
///
/// - Gives: what the RPM requires, and what `package.toml` lets be absent.
pub(crate) fn libraries(
    project: &Project,
    lock: &Lock,
    application: &Wheel<FileReader>,
    target: &Target,
) -> anyhow::Result<(Vec<ElfNeed>, Vec<ElfNeed>)> {
    let mut own = OfWheel::read(&application.archive, &application.contents)
        .with_context(|| format!("`{}`", application.name))?;
    own.set_aside(target);
    let own = needs_of(&[own], &[]).into_iter().flatten();
    let optional = &project.config.package.optional_libraries;
    let all = highest(lock.requires().into_iter().chain(own));
    Ok(all.into_iter().partition(|need| !optional.contains(need.library())))
}

/// The SBOM of a package.
///
/// - Takes: `wheels`, those of the lock in its order, then the application's; their `licenses` in that order.
pub(crate) fn sbom(
    project: &Project,
    facts: &PackageFacts<'_>,
    lock: &Lock,
    wheels: &[Wheel<FileReader>],
    licenses: &Licenses,
    time: u32,
) -> anyhow::Result<String> {
    let (application, dependencies) = wheels.split_last().context("the application is one of the wheels")?;
    let license = licenses.each.last().context("the application has a licence")?;
    let folder = format!("{}/lib", project.config.package.root());
    let components: Vec<Component<'_>> = lock
        .packages
        .iter()
        .zip(dependencies)
        .zip(&licenses.each)
        .map(|((package, wheel), license)| {
            let own = format!("{}/sboms/", wheel.contents.dist_info);
            let paths = wheel.contents.files.iter().map(|file| &file.path).filter(|path| path.starts_with(&own));
            Component {
                name: &package.name,
                version: &package.version,
                wheel: &package.wheel,
                sha256: &package.sha256,
                license,
                sboms: paths.map(|path| format!("{folder}/{path}")).collect(),
            }
        })
        .collect();
    let application = &application.contents.metadata;
    let dist = |metadata| ChosenDist { metadata, extras: &[] };
    let mut dists: Vec<ChosenDist<'_>> = dependencies.iter().map(|wheel| dist(&wheel.contents.metadata)).collect();
    dists.push(ChosenDist { metadata: application, extras: &project.config.app.extras });
    let asks = walk(&dists, facts.target).asks;
    let subject = Subject { facts, application: &application.name, license, time };
    Ok(cyclonedx(&subject, &components, &asks))
}
