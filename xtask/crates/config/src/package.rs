//! `[package]`: names and texts of the RPM, and where it is on the box.

use crate::check_sonames;
use crate::dependency::Dependencies;
use crate::simple_dependency::RpmDependency;
use anyhow::Context as _;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use wheelhaul_base::problem::Problem;
use wheelhaul_licenses::Spdx;

/// `[package]`: what is not given is taken from the wheel's metadata.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Package")]
pub struct PackageSettings {
    /// the RPM's name; also of `/opt/NAME`, of the unit and of the user that runs it
    #[schemars(extend("examples" = ["my-app"]))]
    pub name: String,
    /// the RPM's release, `1` if absent: raised when the same version is packed again. The distribution is added to it:
    /// `1` becomes `1.el9`
    #[serde(default = "first", deserialize_with = "number_or_text")]
    #[schemars(with = "ReleaseValue", extend("examples" = [1]))]
    pub release: String,
    /// the folder on the box that has the application's; `/opt` if absent
    #[serde(default = "opt")]
    #[schemars(extend("examples" = ["/opt"]))]
    pub prefix: String,
    /// one line that says what the application is; of the wheel's metadata if absent
    #[schemars(extend("examples" = ["Reports about quality"]))]
    pub summary: Option<String>,
    /// the application's licence as an SPDX expression; of the wheel's metadata if absent
    #[schemars(with = "Option<String>", extend("format" = "spdx-expression", "examples" = ["MIT"]))]
    pub license: Option<Spdx>,
    /// the home page; of the wheel's metadata if absent
    #[schemars(extend("examples" = ["https://app.example"]))]
    pub url: Option<String>,
    /// libraries of the box that files of wheels ask for and the RPM does not require: of plug-ins, of drivers
    #[serde(default)]
    #[schemars(extend("examples" = [["libcuda.so.1"]]))]
    pub optional_libraries: BTreeSet<String>,
    /// packages, or what packages provide, that the box must have, in rpm's syntax; dnf installs them along
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-dependency" }, "examples" = [["redis >= 6"]]))]
    pub requires: Vec<RpmDependency>,
    /// what dnf installs along where it can; el7's rpm knows none
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-dependency" }, "examples" = [["logrotate"]]))]
    pub recommends: Vec<RpmDependency>,
    /// what cannot be installed beside the RPM
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-conflict" }, "examples" = [["other-app"]]))]
    pub conflicts: Vec<RpmDependency>,
    /// packages that the RPM takes the place of: dnf removes them
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-obsoleted" }, "examples" = [["old-app < 2"]]))]
    pub obsoletes: Vec<RpmDependency>,
    /// who ships the RPM; the wheel's author if absent
    #[schemars(extend("examples" = ["Example Ltd"]))]
    pub vendor: Option<String>,
    /// whether byte-code is shipped; if absent, where an interpreter of the target's minor is on the host
    #[schemars(extend("examples" = [true]))]
    pub byte_code: Option<bool>,
    /// how hard the payload is compressed; 9 if absent, and 6 for gzip
    #[schemars(range(min = 1, max = 19), extend("examples" = [9]))]
    pub compression_level: Option<i32>,
}

/// Levels of zstd; gzip takes 9 at most, and larger ones as that.
pub const LEVELS: RangeInclusive<i32> = 1..=19;

fn first() -> String {
    "1".to_owned()
}

/// A release as people write it: `1` or `"1.2"`.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum ReleaseValue {
    Number(u32),
    Text(String),
}

fn number_or_text<'de, D: Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    Ok(match ReleaseValue::deserialize(reader)? {
        ReleaseValue::Number(number) => number.to_string(),
        ReleaseValue::Text(text) => text,
    })
}

fn opt() -> String {
    "/opt".to_owned()
}

impl PackageSettings {
    /// The application's own folder on the box, `/opt/NAME`.
    pub fn root(&self) -> String {
        format!("{}/{}", self.prefix, self.name)
    }

    /// The folders above [`Self::root`] that no package of the distribution has, outermost first.
    pub fn prefix_folders(&self) -> Vec<&str> {
        let ends = self.prefix.match_indices('/').skip(1).map(|(at, _)| at).chain([self.prefix.len()]);
        ends.map(|end| &self.prefix[..end]).filter(|folder| !STANDARD.contains(folder)).collect()
    }

    /// Refuses what rpm, systemd or the box would not take.
    pub(super) fn faults(&self) -> Vec<anyhow::Error> {
        let checks = [
            check_name(&self.name).context("key `package.name`"),
            check_prefix(&self.prefix).context("key `package.prefix`"),
            check_release(&self.release).context("key `package.release`"),
            check_sonames("package.optional-libraries", &self.optional_libraries),
        ];
        let mut faults: Vec<anyhow::Error> = checks.into_iter().filter_map(Result::err).collect();
        for (key, text) in [("summary", &self.summary), ("url", &self.url), ("vendor", &self.vendor)] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.chars().any(char::is_control)) {
                let what = format!("key `package.{key}` is empty or has line breaks");
                faults.push(Problem::with_hint(what, "write one line, or leave it out"));
            }
        }
        faults.extend(self.dependencies().faults("package"));
        if self.url.as_ref().is_some_and(|url| url.contains(' ')) {
            faults.push(Problem::with_hint("key `package.url` has a space", "write it as `%20`"));
        }
        faults
    }
}

/// Folders that the distribution's own packages have (Filesystem Hierarchy Standard 3.0).
const STANDARD: [&str; 10] =
    ["/opt", "/srv", "/usr", "/usr/lib", "/usr/libexec", "/usr/local", "/usr/share", "/var", "/var/lib", "/var/opt"];
/// Where no application can live: the service does not see it, it goes at a reboot, or it is the system's.
const FORBIDDEN: [&str; 17] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr/bin",
    "/usr/sbin",
    "/var/run",
    "/var/tmp",
];
/// The first line of a script, `#!PREFIX/NAME/bin/python`, is read up to 127 bytes by the kernels of el7 and el8.
const LONGEST_PREFIX: usize = 64;

/// A folder on the box that applications can live in.
fn check_prefix(prefix: &str) -> anyhow::Result<()> {
    let is_plain = prefix.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        })
    });
    let below = |folder: &str| prefix.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_forbidden =
        FORBIDDEN.iter().any(|folder| below(folder)) || ["/usr", "/usr/lib", "/var", "/var/lib"].contains(&prefix);
    if is_plain && !is_forbidden && prefix.len() <= LONGEST_PREFIX {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`{}` is no place for an application", prefix.escape_debug()),
        format!(
            "give an absolute path of letters, digits, `.`, `_` and `-`, {LONGEST_PREFIX} at most, such as \"/opt\", \"/srv\" or \"/opt/company\""
        ),
    ))
}

/// A name that rpm, systemd and useradd all take.
fn check_name(name: &str) -> anyhow::Result<()> {
    let good = name.len() <= 31
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c));
    if good {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`{name}` cannot name an RPM, a unit and a user at once"),
        "use a lower-case letter, then at most 30 lower-case letters, digits, `_` and `-`",
    ))
}

/// RPM's rule for releases: no dash, and nothing that its version comparison does not know.
fn check_release(release: &str) -> anyhow::Result<()> {
    let good = release.starts_with(|c: char| c.is_ascii_digit())
        && release.chars().all(|c| c.is_ascii_alphanumeric() || "._+~^".contains(c));
    let of_distribution = |end: &str| ["el", "al20", "amzn20"].iter().any(|start| end.starts_with(start));
    if let Some((_, end)) = release.rsplit_once('.').filter(|(_, end)| of_distribution(end)) {
        return Err(Problem::with_hint(
            format!("`{release}` names a distribution"),
            format!("leave `.{end}` out: each target adds its own"),
        ));
    }
    if good { Ok(()) } else { Err(Problem::with_hint(format!("`{release}` is not a release"), "for example: \"1\"")) }
}

impl PackageSettings {
    /// The dependencies that hold for every target.
    pub fn dependencies(&self) -> Dependencies {
        Dependencies {
            requires: self.requires.clone(),
            recommends: self.recommends.clone(),
            conflicts: self.conflicts.clone(),
            obsoletes: self.obsoletes.clone(),
        }
    }
}
