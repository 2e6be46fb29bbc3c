//! Our lock, `dist/pylock.<target>.toml`: PEP 751, exactly one file a package, `path` and no URL.

use anyhow::{Context as _, bail};
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use wheelhaul_base::calendar::seconds_since_1970;
use wheelhaul_base::hex::is_sha256;
use wheelhaul_base::toml_text;
use wheelhaul_boxes::{BoxRecord, Target};
use wheelhaul_config::UnmetRequirement;
use wheelhaul_wheel::WheelName;
use wheelhaul_wheel::elf::{ElfNeed, highest};

/// The folder of the wheels, beside the lock.
pub const WHEELS: &str = "wheels";

/// A lock of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// the target's name, `el9-x86_64`
    pub target: String,
    /// the full version of Python that markers were judged with
    pub python_full: String,
    /// the box's record, for a target that the tool's table does not have
    pub record: Option<BoxRecord>,
    /// sha256 of all that the lock was made from, in hex: equal means that nothing has to be done
    pub inputs: String,
    /// the rules that it was made by; nothing in a lock of before they were written down
    pub rules: String,
    /// requirements that the team overrode or excluded, and that need not be met; in order
    pub unmet: Vec<UnmetRequirement>,
    /// in the order of names
    pub packages: Vec<LockedPackage>,
}

/// One package with its one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// normalized
    pub name: PackageName,
    /// the exact version
    pub version: Version,
    /// the file's name
    pub wheel: WheelName,
    /// in bytes, where the index says it
    pub size: Option<u64>,
    /// lower-case hex
    pub sha256: String,
    /// RFC 3339 in UTC, where the index says it; the files' time in the RPM
    pub uploaded: Option<String>,
    /// the source distribution that the wheel was built from on a host, where no index has it
    pub built_from: Option<BuiltFrom>,
    /// the digest of what it installs ([`wheelhaul_wheel::library_digest`]), in lower-case hex; none in a lock of before
    pub contents: Option<String>,
    /// what its ELF files need of the box and no wheel of the lock brings, in order, each once
    pub requires: Vec<ElfNeed>,
}

/// The source distribution of a wheel that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuiltFrom {
    /// the file's name
    pub name: String,
    /// lower-case hex
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    lock_version: String,
    environments: Vec<String>,
    requires_python: String,
    created_by: String,
    #[serde(default)]
    packages: Vec<FilePackage>,
    tool: Tool,
}

#[derive(Serialize, Deserialize)]
struct FilePackage {
    name: String,
    version: String,
    wheels: Vec<FileWheel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<PackageTool>,
}

#[derive(Serialize, Deserialize)]
struct PackageTool {
    xtask: PackageTable,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PackageTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    built_from: Option<BuiltFrom>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contents: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requires: Vec<ElfNeed>,
}

impl PackageTable {
    /// The table of a package; none where there is nothing to say.
    fn of(package: &LockedPackage) -> Option<PackageTool> {
        let LockedPackage { built_from, contents, requires, .. } = package.clone();
        let is_needed = built_from.is_some() || contents.is_some() || !requires.is_empty();
        is_needed.then_some(PackageTool { xtask: Self { built_from, contents, requires } })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FileWheel {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<toml::value::Datetime>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    hashes: FileHashes,
}

#[derive(Serialize, Deserialize)]
struct FileHashes {
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Tool {
    xtask: XtaskTable,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct XtaskTable {
    target: String,
    python_full: String,
    inputs: String,
    #[serde(default)]
    rules: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unmet: Vec<UnmetRequirement>,
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    record: Option<BoxRecord>,
}

impl Lock {
    /// The lock's path below `dist/`; PEP 751 allows no dot in the name between.
    pub fn file_name(target: &str) -> String {
        format!("pylock.{target}.toml")
    }

    /// Reads a lock that this tool wrote.
    ///
    /// - Fails: for anything that it would not have written: more than one file a package, a name
    ///   that does not match its file, a path outside the wheelhouse.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml_text::read(text, "write it anew with `cargo xtask lock`")?;
        if file.lock_version != "1.0" {
            bail!("its `lock-version` is `{}` instead of `1.0`", file.lock_version);
        }
        let packages = file
            .packages
            .into_iter()
            .map(|package| {
                let name = package.name.clone();
                read_package(package).with_context(|| format!("package `{name}`"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(pair) = packages.windows(2).find(|pair| pair[0].name >= pair[1].name) {
            bail!("package `{}` stands twice or out of order", pair[1].name);
        }
        let XtaskTable { target, python_full, inputs, rules, unmet, record } = file.tool.xtask;
        Ok(Self { target, python_full, record, inputs, rules, unmet, packages })
    }

    /// The box that the lock is for, by what the lock alone says.
    ///
    /// - Fails: for a target that is neither known nor described in the lock, or whose record no box has.
    pub fn target(&self) -> anyhow::Result<Target> {
        match &self.record {
            Some(record) => Target::own(&self.target, &self.python_full, record),
            None => {
                let minor = self.python_full.rsplit_once('.').map_or("", |(minor, _)| minor);
                Target::find(&self.target, Some(minor), Some(&self.python_full))
            }
        }
    }

    /// Writes the lock; the same lock is always the same bytes.
    pub fn to_text(&self, target: &Target) -> anyhow::Result<String> {
        let package = |package: &LockedPackage| {
            anyhow::Ok(FilePackage {
                name: package.name.to_string(),
                version: package.version.to_string(),
                wheels: vec![FileWheel {
                    name: package.wheel.to_string(),
                    upload_time: match &package.uploaded {
                        Some(text) => Some(text.parse().with_context(|| format!("upload time `{text}`"))?),
                        None => None,
                    },
                    path: format!("{WHEELS}/{}", package.wheel),
                    size: package.size,
                    hashes: FileHashes { sha256: package.sha256.clone() },
                }],
                tool: PackageTable::of(package),
            })
        };
        let file = File {
            lock_version: "1.0".to_owned(),
            environments: vec![target.marker()],
            requires_python: format!("=={}.*", target.python()),
            created_by: "xtask".to_owned(),
            packages: self.packages.iter().map(package).collect::<anyhow::Result<_>>()?,
            tool: Tool {
                xtask: XtaskTable {
                    target: self.target.clone(),
                    python_full: self.python_full.clone(),
                    inputs: self.inputs.clone(),
                    rules: self.rules.clone(),
                    unmet: self.unmet.clone(),
                    record: self.record.clone(),
                },
            },
        };
        let body = toml::to_string(&file).context("failed to write the lock")?;
        Ok(format!("# Written by `cargo xtask lock`; commit it, and do not edit it by hand.\n{body}"))
    }

    /// What all wheels together need of the box, in order: of each library the highest version.
    pub fn requires(&self) -> Vec<ElfNeed> {
        highest(self.packages.iter().flat_map(|package| package.requires.iter().cloned()))
    }

    /// The lock as pip reads it: pinned, with hashes, without an index.
    pub fn to_requirements(&self) -> String {
        let line = |p: &LockedPackage| format!("{}=={} \\\n    --hash=sha256:{}\n", p.name, p.version, p.sha256);
        self.packages.iter().map(line).collect()
    }
}

impl LockedPackage {
    /// When the wheel was uploaded, in seconds since 1970, where the lock says it.
    pub fn uploaded_at(&self) -> Option<u32> {
        seconds_since_1970(self.uploaded.as_deref()?)
    }
}

fn read_package(package: FilePackage) -> anyhow::Result<LockedPackage> {
    let [file] = package.wheels.as_slice() else {
        bail!("it has {} wheels instead of one", package.wheels.len());
    };
    let wheel = WheelName::from_str(&file.name)?;
    let name = PackageName::from_str(&package.name)?;
    let version = Version::from_str(&package.version)?;
    if file.path != format!("{WHEELS}/{wheel}") {
        bail!("its path is `{}` instead of `{WHEELS}/{wheel}`", file.path);
    }
    if wheel.name != name || wheel.version != version {
        bail!("`{wheel}` is not a wheel of {name} {version}");
    }
    if !is_sha256(&file.hashes.sha256) {
        bail!("`{}` is not a sha256 digest in lower-case hex", file.hashes.sha256);
    }
    let PackageTable { built_from, contents, requires } = package.tool.map(|tool| tool.xtask).unwrap_or_default();
    if let Some(source) = built_from.as_ref().filter(|source| !is_sha256(&source.sha256)) {
        bail!("`{}` of its `built-from` is not a sha256 digest in lower-case hex", source.sha256);
    }
    if let Some(digest) = contents.as_ref().filter(|digest| !is_sha256(digest)) {
        bail!("its `contents` is `{digest}`, which is no sha256 digest in lower-case hex");
    }
    Ok(LockedPackage {
        name,
        version,
        wheel,
        size: file.size,
        sha256: file.hashes.sha256.clone(),
        uploaded: file.upload_time.map(|time| time.to_string()),
        built_from,
        contents,
        requires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        Lock {
            target: "el9-x86_64".to_owned(),
            python_full: "3.11.13".to_owned(),
            record: None,
            inputs: "0".repeat(64),
            rules: "1".to_owned(),
            unmet: vec!["*: b".parse().unwrap()],
            packages: vec![LockedPackage {
                name: PackageName::from_str("flask").unwrap(),
                version: Version::from_str("3.0.3").unwrap(),
                wheel: "flask-3.0.3-py3-none-any.whl".parse().unwrap(),
                size: Some(101_735),
                sha256: "ab".repeat(32),
                uploaded: Some("2024-04-07T19:26:08Z".to_owned()),
                built_from: None,
                contents: Some("ef".repeat(32)),
                requires: Vec::new(),
            }],
        }
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let text = lock().to_text(&target).unwrap();
        assert_eq!(Lock::parse(&text).unwrap(), lock());
        assert_eq!(Lock::parse(&text).unwrap().to_text(&target).unwrap(), text);
        assert!(!text.contains("://"), "{text}");
        assert!(text.contains("path = \"wheels/flask-3.0.3-py3-none-any.whl\""), "{text}");
        let mut built = lock();
        let source = BuiltFrom { name: "flask-3.0.3.tar.gz".to_owned(), sha256: "cd".repeat(32) };
        built.packages[0].built_from = Some(source);
        built.packages[0].requires = ElfNeed::new("libyaml-0.so.2", "").into_iter().collect();
        let text = built.to_text(&target).unwrap();
        assert!(text.contains("requires = [\"libyaml-0.so.2()(64bit)\"]"), "{text}");
        assert_eq!(built.requires(), built.packages[0].requires);
        assert_eq!(Lock::parse(&text).unwrap(), built);
        let odd = text.replace("libyaml-0.so.2()", "libyaml-0.so.2 ()");
        assert!(format!("{:#}", Lock::parse(&odd).unwrap_err()).contains("not the name of a library"));
        assert_eq!(lock().to_requirements(), format!("flask==3.0.3 \\\n    --hash=sha256:{}\n", "ab".repeat(32)));
    }

    #[test]
    fn a_lock_knows_its_box_by_itself() {
        assert_eq!(lock().target().unwrap(), Target::find("el9-x86_64", Some("3.11"), None).unwrap());
        let record = BoxRecord {
            release: Some("deb12".to_owned()),
            tags: vec!["py3-none-any".to_owned()],
            markers: [("platform_release".to_owned(), "6.1.0".to_owned())].into(),
            ..Target::find("el9-x86_64", Some("3.11"), None).unwrap().whole_record()
        };
        let target = Target::own("debian12", "3.11.2", &record).unwrap();
        let own = Lock {
            target: target.name.clone(),
            python_full: target.python_full.to_string(),
            record: target.record(),
            ..lock()
        };
        let text = own.to_text(&target).unwrap();
        let read = Lock::parse(&text).unwrap();
        assert_eq!(read, own, "{text}");
        assert_eq!(read.target().unwrap(), target, "{text}");
        let known = Lock { target: "el9-x86_64".to_owned(), ..own.clone() };
        assert!(known.target().is_err(), "a record of its own must not stand in for a known one");
        assert!(Lock { record: None, ..own }.target().is_err());
    }

    #[test]
    fn an_edited_lock_is_refused() {
        let text = lock().to_text(&Target::find("el9-x86_64", Some("3.11"), None).unwrap()).unwrap();
        #[rustfmt::skip]
        let cases = [ // replaced                      by                      says
            ("lock-version = \"1.0\"",  "lock-version = \"2.0\"",  "instead of `1.0`"),
            ("path = \"wheels/",        "path = \"../",            "instead of `wheels/"),
            ("version = \"3.0.3\"",     "version = \"3.0.4\"",     "is not a wheel of flask 3.0.4"),
            ("sha256 = \"ab",           "sha256 = \"AB",           "lower-case hex"),
            ("contents = \"ef",         "contents = \"EF",         "`contents`"),
            ("[tool.xtask]",            "[tool.other]",            "missing field `xtask`"),
        ];
        for (from, to, says) in cases {
            let error = Lock::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{to}: {error:#}\n{text}");
        }
    }
}
