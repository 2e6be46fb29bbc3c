//! Check of the lock that travels in the package: what is installed is what was locked, and the SBOM says so.

use crate::{Evidence, Finding, InstalledDistribution, Outcome, count};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_pylock::{Lock, LockedPackage};
use wheelhaul_wheel::{digest_of_library, is_compared};

const AGAIN: &str = "build the RPM again from the committed lock";

/// A distribution in `lib`.
struct Installed<'a> {
    dist: &'a InstalledDistribution,
    /// as its METADATA says
    version: Version,
}

/// `lock`
pub(crate) fn lock(evidence: &Evidence) -> Outcome {
    let Some(lock) = &evidence.lock else { return Outcome::not_made("the package has no lock that can be read") };
    let library = evidence.library();
    let mut findings = Vec::new();
    let mut installed: BTreeMap<PackageName, Vec<Installed<'_>>> = BTreeMap::new();
    let distributions = evidence.distributions();
    let (inside, beside): (Vec<&InstalledDistribution>, Vec<&InstalledDistribution>) =
        distributions.all.iter().partition(|dist| dist.folder() == library);
    for dist in inside {
        let Some(metadata) = dist.readable() else {
            findings.push(Finding::error(&*dist.info, "its METADATA cannot be read", "a package of the lock", AGAIN));
            continue;
        };
        let version = metadata.version.clone();
        installed.entry(metadata.name.clone()).or_default().push(Installed { dist, version });
    }
    for package in &lock.packages {
        findings.extend(faults_of(evidence, package, &installed.remove(&package.name).unwrap_or_default()));
    }
    for one in installed.values().flatten() {
        findings.push(Finding::error(&*one.dist.info, "the lock does not have it", "packages of the lock", AGAIN));
    }
    let below = format!("{library}/");
    for (path, row) in evidence.described.files.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below))
    {
        if row.is_file() && !distributions.is_of_dependency(path) {
            let expected = "nothing but what the locked packages install";
            findings.push(Finding::error(path, "it belongs to no distribution", expected, AGAIN));
        }
    }
    if beside.len() != 1 {
        let found = format!("{} lie in it", count(beside.len(), "distribution"));
        findings.push(Finding::error(evidence.root(), found, "the application's and no other", AGAIN));
    }
    findings.extend(older(evidence, lock));
    findings.extend(sbom_faults(evidence, lock));
    Outcome::Made { looked_at: count(lock.packages.len(), "package"), findings }
}

/// Where a package is not installed once and as it was locked.
fn faults_of(evidence: &Evidence, package: &LockedPackage, installed: &[Installed<'_>]) -> Vec<Finding> {
    let LockedPackage { name, version, .. } = package;
    let [one] = installed else {
        let infos: Vec<&str> = installed.iter().map(|one| &*one.dist.info).collect();
        let found = match infos.as_slice() {
            [] => format!("`{name}` of the lock is not in it"),
            many => format!("`{name}` is in it {} times: {}", many.len(), many.join(", ")),
        };
        return vec![Finding::error(evidence.library(), found, format!("{name} {version}, once"), AGAIN)];
    };
    // `1.0` and `1.0.0` are one version (PEP 440), and a file name and METADATA may write it in either way.
    if one.version != *version {
        return vec![Finding::error(
            &*one.dist.info,
            format!("it is {name} {}", one.version),
            version.to_string(),
            AGAIN,
        )];
    }
    let Some(locked) = &package.contents else { return Vec::new() };
    let info = &*one.dist.info;
    let dist_info = info.rsplit('/').next().unwrap_or(info);
    let mut files = BTreeMap::new();
    let is_held = |path: &str| !path.starts_with("../") && is_compared(path, dist_info);
    for listed in one.dist.listed().iter().filter(|listed| is_held(&listed.relative)) {
        let row = listed.path.as_deref().and_then(|path| evidence.described.files.get(path));
        files.insert(listed.relative.as_str(), row.map(|row| row.digest.clone()).unwrap_or_default());
    }
    let found = digest_of_library(&files);
    let expected = format!("{locked}, that of `{}`", package.wheel);
    let differs = format!("what is installed has the digest {found}");
    if found == *locked { Vec::new() } else { vec![Finding::error(info, differs, expected, AGAIN)] }
}

/// A lock without digests of the contents: nothing could be held against it, which is no pass.
fn older(evidence: &Evidence, lock: &Lock) -> Option<Finding> {
    let without: Vec<&PackageName> =
        lock.packages.iter().filter(|package| package.contents.is_none()).map(|package| &package.name).collect();
    let (first, others) = without.split_first()?;
    let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    let found = format!("it has no digest of what `{first}`{others} installs, so the contents were not compared");
    let path = format!("/usr/share/doc/{}/{}", evidence.described.name, Lock::file_name(&lock.target));
    let cure = "lock with this version of the tool (`cargo xtask lock`), and build the RPM again";
    Some(Finding::error(path, found, "`contents` of each package", cure).warning())
}

/// Where the SBOM of the package does not say what the lock says.
fn sbom_faults(evidence: &Evidence, lock: &Lock) -> Vec<Finding> {
    let path = format!("/usr/share/doc/{}/sbom.cdx.json", evidence.described.name);
    let fault = |found: String, expected: String| Finding::error(&path, found, expected, AGAIN);
    let Some(text) = evidence.texts.get(&path) else {
        return vec![fault("it is not there".to_owned(), "the package's SBOM".to_owned())];
    };
    let components = match serde_json::from_str::<Value>(text) {
        Ok(document) => document["components"].as_array().cloned().unwrap_or_default(),
        Err(error) => return vec![fault(format!("it cannot be read: {error}"), "CycloneDX as JSON".to_owned())],
    };
    let told = |component: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let hashes = component["hashes"].as_array().into_iter().flatten();
        let sha256 = hashes.filter(|hash| hash["alg"] == "SHA-256").map(|hash| text(&hash["content"])).next();
        (text(&component["name"]), text(&component["version"]), sha256.unwrap_or_default())
    };
    let told: BTreeSet<_> = components.iter().map(told).collect();
    let locked =
        |package: &LockedPackage| (package.name.to_string(), package.version.to_string(), package.sha256.clone());
    let locked: BTreeSet<_> = lock.packages.iter().map(locked).collect();
    let in_words = |(name, version, sha256): &(String, String, String)| format!("{name} {version}, sha256 {sha256}");
    let lacking = locked.difference(&told).map(|one| fault("it lacks a package".to_owned(), in_words(one)));
    let strange =
        told.difference(&locked).map(|one| fault(format!("it has {}", in_words(one)), "what the lock has".to_owned()));
    lacking.chain(strange).collect()
}
