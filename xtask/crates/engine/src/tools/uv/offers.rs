//! What uv writes of the files of pins: PEP 751.

use anyhow::{Context as _, bail};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;
use wheelhaul_base::problem::Problem;
use wheelhaul_base::toml_text;
use wheelhaul_lockfiles::{FileLocation, name_in_url};
use wheelhaul_select::{Candidate, OfferedSdist, Offers};
use wheelhaul_wheel::WheelName;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(default)]
    wheels: Vec<File>,
    sdist: Option<File>,
}

#[derive(Deserialize)]
struct File {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    size: Option<u64>,
    #[serde(rename = "upload-time")]
    uploaded: Option<toml::value::Datetime>,
    hashes: BTreeMap<String, String>,
}

/// Reads PEP 751 as uv writes it; a package that stands twice, for two forks, is one offer.
pub(super) fn read_offers(text: &str) -> anyhow::Result<Offers> {
    let lock: Lock = toml_text::read(text, "")?;
    let mut offers = Offers::new();
    for package in lock.packages {
        let name = PackageName::from_str(&package.name)?;
        let Some(version) = &package.version else { bail!("package `{name}` has no version") };
        let offer = offers.entry((name, Version::from_str(version)?)).or_default();
        if let Some(file) = package.sdist {
            offer.sdist = sdist(file).with_context(|| format!("package `{}`", package.name))?.or(offer.sdist.take());
        }
        for file in package.wheels {
            let candidate = candidate(file).with_context(|| format!("package `{}`", package.name))?;
            if !offer.wheels.contains(&candidate) {
                offer.wheels.push(candidate);
            }
        }
    }
    Ok(offers)
}

fn candidate(file: File) -> anyhow::Result<Candidate> {
    let (name, url) = name_and_url(&file)?;
    let Some(sha256) = file.hashes.get("sha256") else {
        return Err(Problem::with_hint(
            format!("the index gives no sha256 of `{name}`"),
            "let your index serve PEP 503 pages with `#sha256=`, or PEP 691",
        ));
    };
    Ok(Candidate {
        name: WheelName::from_str(&name)?,
        at: FileLocation::Url(url),
        size: file.size,
        sha256: sha256.to_ascii_lowercase(),
        uploaded: file.uploaded.map(|time| time.to_string()),
    })
}

/// A source distribution; one without a sha256 is of no use, and no reason to stop.
fn sdist(file: File) -> anyhow::Result<Option<OfferedSdist>> {
    let (name, url) = name_and_url(&file)?;
    Ok(file.hashes.get("sha256").map(|sha256| OfferedSdist {
        name,
        at: FileLocation::Url(url),
        sha256: sha256.to_ascii_lowercase(),
        uploaded: file.uploaded.map(|time| time.to_string()),
        subdirectory: None,
    }))
}

fn name_and_url(file: &File) -> anyhow::Result<(String, String)> {
    let url = match (&file.url, &file.path) {
        (Some(url), _) => url,
        (None, Some(path)) => path,
        (None, None) => bail!("one of its files has no place"),
    };
    let name = match &file.name {
        Some(name) => name.clone(),
        None => name_in_url(url)?,
    };
    Ok((name, url.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_uv_writes_is_read() {
        let text = format!(
            "lock-version = \"1.0\"\n[[packages]]\nname = \"torch\"\nversion = \"2.0+cpu\"\nsdist = {{ url = \"https://index.example/t.tar.gz\", hashes = {{ sha256 = \"ab\" }} }}\n\
             wheels = [{{ url = \"https://index.example/torch-2.0%2Bcpu-cp311-cp311-linux_x86_64.whl?x#y\", upload-time = 2024-04-07T19:26:08Z, size = 5, hashes = {{ sha256 = \"{}\" }} }}]\n",
            "A".repeat(64)
        );
        let offers = read_offers(&text).unwrap();
        let offer = &offers[&(PackageName::from_str("torch").unwrap(), Version::from_str("2.0+cpu").unwrap())];
        assert_eq!(
            offer.sdist.as_ref().map(|sdist| (sdist.name.as_str(), sdist.sha256.as_str())),
            Some(("t.tar.gz", "ab"))
        );
        assert_eq!(offer.wheels[0].name.to_string(), "torch-2.0+cpu-cp311-cp311-linux_x86_64.whl");
        assert_eq!(offer.wheels[0].sha256, "a".repeat(64));
        assert_eq!(offer.wheels[0].uploaded.as_deref(), Some("2024-04-07T19:26:08Z"));
        assert!(read_offers(&text.replace("sha256", "md5")).unwrap_err().to_string().contains("torch"));
    }
}
