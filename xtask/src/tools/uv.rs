//! uv: the client of the index, and the builder of the application's wheel.

use crate::decide::Question;
use crate::problem::Problem;
use crate::sys::{Program, Sys, on_path};
use crate::tools::python;
use crate::wheel::{Candidate, Offers, WheelName};
use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The first uv whose `pip compile` writes `pylock.toml` with sizes and digests as it is read here.
const LEAST: (u32, u32) = (0, 9);

/// A found uv.
#[derive(Debug)]
pub struct Uv<'a> {
    sys: &'a Sys,
    program: Utf8PathBuf,
}

impl<'a> Uv<'a> {
    /// Takes uv from the PATH if it is new enough, else from the private environment.
    pub fn find(sys: &'a Sys) -> anyhow::Result<Self> {
        if let Some(program) = on_path("uv") {
            let printed = sys.run(&Program::new(&program).args(["--version"]))?.out;
            if python::is_at_least(&printed, LEAST) {
                return Ok(Self { sys, program });
            }
            sys.detail(format!("`{program}` is too old ({}): a private one is used", printed.trim()));
        }
        Ok(Self { sys, program: python::private_environment(sys)?.join("uv") })
    }

    /// Asks the index, in one call, for every file of every pin.
    ///
    /// - Takes: `questions`; `python`, the lowest version of the targets; `folder`, whose uv
    ///   configuration (an index, for one) is used.
    /// - Fails: where the index lacks a pin, with uv's words.
    pub fn offers(&self, questions: &[Question], python: &str, folder: &Utf8Path) -> anyhow::Result<Offers> {
        let (_keep, scratch) = self.sys.scratch()?;
        let input = scratch.join("pins.txt");
        let lines: String = questions
            .iter()
            .map(|question| {
                let marker = if question.marker.is_empty() { String::new() } else { format!(" ; {}", question.marker) };
                format!("{}=={}{marker}\n", question.name, question.version)
            })
            .collect();
        self.sys.write(&input, lines.as_bytes())?;
        let spinner = self.sys.spinner("asking the index");
        let words = ["pip", "compile", "--quiet", "--universal", "--no-deps", "--no-header", "--format", "pylock.toml"];
        let command = with_settings(Program::new(&self.program))
            .args(words)
            .args(["--python-version", python, input.as_str()])
            .in_folder(folder);
        let said = self.sys.run(&command).map_err(|error| {
            let hint = hint_for(&error.to_string());
            Problem::around(error, "uv could not get the files of the pins from the index", hint)
        })?;
        spinner.finish_and_clear();
        read_offers(&said.out).context("failed to read what uv wrote")
    }

    /// Builds a wheel from a source tree, under a umask that every host can have.
    ///
    /// Build backends record the permissions of files that they write, and so the caller's umask.
    pub fn build_wheel(&self, source: &Utf8Path, into: &Utf8Path, epoch: u32, offline: bool) -> anyhow::Result<()> {
        let spinner = self.sys.spinner("building the application's wheel");
        let mut words = vec!["build", "--quiet", "--wheel", "--out-dir", into.as_str(), source.as_str()];
        if offline {
            words.push("--offline");
        }
        let command = if cfg!(unix) {
            Program::new("sh").args(["-c", "umask 022 && exec \"$@\"", "sh", self.program.as_str()])
        } else {
            Program::new(&self.program)
        };
        let command = with_settings(command).args(words).env("SOURCE_DATE_EPOCH", epoch.to_string()).in_folder(source);
        self.sys.run(&command).context("failed to build the application's wheel")?;
        spinner.finish_and_clear();
        Ok(())
    }
}

/// A missing Python is never fetched: this tool needs none of a particular version.
fn with_settings(program: Program) -> Program {
    program.env("UV_PYTHON_DOWNLOADS", "never")
}

/// The cure, by what uv said.
fn hint_for(said: &str) -> &'static str {
    const NOT_THERE: [&str; 3] =
        ["was not found in the package registry", "there is no version of", "No solution found"];
    if NOT_THERE.iter().any(|words| said.contains(words)) {
        "the index does not have what is locked, or not for this Python: correct the lock; an index of your own goes into uv.toml or UV_DEFAULT_INDEX (pip's configuration is not read for this)"
    } else {
        "is there a network? behind a proxy that inspects TLS, set SSL_CERT_FILE to your company's certificates, or UV_SYSTEM_CERTS=1; an index of your own goes into uv.toml or UV_DEFAULT_INDEX (pip's configuration is not read for this)"
    }
}

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
fn read_offers(text: &str) -> anyhow::Result<Offers> {
    crate::brackets::check_depth(text)?;
    let lock: Lock = toml::from_str(text)?;
    let mut offers = Offers::new();
    for package in lock.packages {
        let name = PackageName::from_str(&package.name)?;
        let Some(version) = &package.version else { bail!("package `{name}` has no version") };
        let offer = offers.entry((name, Version::from_str(version)?)).or_default();
        offer.has_sdist |= package.sdist.is_some();
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
    let url = match (file.url, file.path) {
        (Some(url), _) => url,
        (None, Some(path)) => path,
        (None, None) => bail!("one of its wheels has no place"),
    };
    let last = url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
    let name = file.name.unwrap_or_else(|| percent_decoded(last));
    let Some(sha256) = file.hashes.get("sha256") else {
        return Err(Problem::with_hint(
            format!("the index gives no sha256 of `{name}`"),
            "let your index serve PEP 503 pages with `#sha256=`, or PEP 691",
        ));
    };
    Ok(Candidate {
        name: WheelName::from_str(&name)?,
        size: file.size,
        sha256: sha256.to_ascii_lowercase(),
        uploaded: file.uploaded.map(|time| time.to_string()),
        url,
    })
}

/// Names of wheels have `+` escaped in URLs, and hardly anything else.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let pair: Option<[u8; 2]> =
            (byte == b'%').then(|| bytes.clone().take(2).collect::<Vec<_>>().try_into().ok()).flatten();
        match pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                bytes.by_ref().take(2).for_each(drop);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_uv_writes_is_read() {
        let text = format!(
            "lock-version = \"1.0\"\n[[packages]]\nname = \"torch\"\nversion = \"2.0+cpu\"\nsdist = {{ url = \"https://index.example/t.tar.gz\", hashes = {{ sha256 = \"0\" }} }}\n\
             wheels = [{{ url = \"https://index.example/torch-2.0%2Bcpu-cp311-cp311-linux_x86_64.whl?x#y\", upload-time = 2024-04-07T19:26:08Z, size = 5, hashes = {{ sha256 = \"{}\" }} }}]\n",
            "A".repeat(64)
        );
        let offers = read_offers(&text).unwrap();
        let offer = &offers[&(PackageName::from_str("torch").unwrap(), Version::from_str("2.0+cpu").unwrap())];
        assert!(offer.has_sdist);
        assert_eq!(offer.wheels[0].name.to_string(), "torch-2.0+cpu-cp311-cp311-linux_x86_64.whl");
        assert_eq!(offer.wheels[0].sha256, "a".repeat(64));
        assert_eq!(offer.wheels[0].uploaded.as_deref(), Some("2024-04-07T19:26:08Z"));
        assert!(read_offers(&text.replace("sha256", "md5")).unwrap_err().to_string().contains("torch"));
    }
}
