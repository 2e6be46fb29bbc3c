//! `[[target]]`: a known box, or one of the team's own, which is described, probed or like a known one.

use crate::check_inside;
use crate::{Dependencies, RpmDependency};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_boxes::{BoxRecord, Target, check_own_name, read_probe};

/// The texts of the probe files, by their paths as `package.toml` names them.
pub type Probes = BTreeMap<Utf8PathBuf, String>;

/// A box that is packed for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetTable {
    /// a known target such as `el9-x86_64`, which `target` lists; or any other name, with `box`, `probe` or `like`
    #[schemars(extend("examples" = ["el9-x86_64"]))]
    pub name: String,
    /// which Python of the box the application runs on, `3.11`; the box's own if absent
    #[schemars(extend("examples" = ["3.11"]))]
    pub python: Option<String>,
    /// its full version, `3.11.9`, as `python3 -V` prints it on the box, where markers depend on it
    #[schemars(extend("examples" = ["3.11.9"]))]
    pub python_full: Option<String>,
    /// `9.4`: the minor release that the boxes are at, where they lack what came later
    pub minor: Option<String>,
    /// the known target whose values are taken where `box` has none
    #[schemars(extend("examples" = ["el9-x86_64"]))]
    pub like: Option<String>,
    /// what the probe script printed on the box, relative to the repository; taken where `box` has no value
    #[schemars(with = "Option<String>", extend("examples" = ["dist/probes/BOX.json"]))]
    pub probe: Option<Utf8PathBuf>,
    /// what this box must have beside `package.requires`, in rpm's syntax
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-dependency" }, "examples" = [["redis >= 6"]]))]
    pub requires: Vec<RpmDependency>,
    /// what dnf installs along where it can, beside `package.recommends`
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-dependency" }, "examples" = [["logrotate"]]))]
    pub recommends: Vec<RpmDependency>,
    /// what cannot be installed beside the RPM, beside `package.conflicts`
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-conflict" }, "examples" = [["other-app"]]))]
    pub conflicts: Vec<RpmDependency>,
    /// packages that the RPM takes the place of, beside `package.obsoletes`
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = { "type": "string", "format": "rpm-obsoleted" }, "examples" = [["old-app < 2"]]))]
    pub obsoletes: Vec<RpmDependency>,
    /// what is known of a box of one's own
    #[serde(rename = "box")]
    pub record: Option<BoxRecord>,
}

impl TargetTable {
    /// The dependencies that this target adds to those of `[package]`.
    pub(super) fn dependencies(&self) -> Dependencies {
        Dependencies {
            requires: self.requires.clone(),
            recommends: self.recommends.clone(),
            conflicts: self.conflicts.clone(),
            obsoletes: self.obsoletes.clone(),
        }
    }

    fn is_own(&self) -> bool {
        self.record.is_some() || self.probe.is_some() || self.like.is_some()
    }

    /// The target, with the probe files that were read.
    ///
    /// # Errors
    /// For values that no box has, and a probe that was not read.
    pub fn target(&self, probes: &Probes) -> anyhow::Result<Target> {
        let (python, full) = (self.python.as_deref(), self.python_full.as_deref());
        if !self.is_own() {
            return Target::find_at(&self.name, python, full, self.minor.as_deref());
        }
        if self.minor.is_some() && self.like.is_none() {
            return Err(Problem::with_hint(
                "key `minor` is for a known box, or one like it",
                "leave it out: `probe` and `[target.box]` say themselves which Python the box has",
            ));
        }
        check_own_name(&self.name)?;
        let (known_full, under) = self.base(probes)?;
        let Some(full) = full.map(str::to_owned).or(known_full.clone()) else {
            return Err(Problem::with_hint(
                "key `python-full` is missing",
                "it is what `python3 -V` prints on the box, such as \"3.11.2\"",
            ));
        };
        let own = self.record.clone().unwrap_or_default();
        let mut under = under;
        if self.like.is_some() && own.python_path.is_some() {
            // Another interpreter is not the one that the known box's package brings.
            under.python_package = None;
        }
        let minor = |text: &str| text.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        if let (Some(like), Some(known)) = (&self.like, &known_full)
            && minor(known) != minor(&full)
            && own.python_path.is_none()
        {
            return Err(Problem::with_hint(
                format!("key `python-full` is `{full}`, and `{like}` would start Python {}", minor(known)),
                "say where it is: `python-path` in `[target.box]`; or take a Python of that box with `python`",
            ));
        }
        let record = own.over(under);
        let target = Target::own(&self.name, &full, &record)?;
        match python.filter(|python| *python != target.python()) {
            Some(python) => Err(Problem::with_hint(
                format!("key `python` is `{python}`, and the box's Python is {}", target.python_full),
                "leave `python` out: `python-full` says it",
            )),
            None => Ok(target),
        }
    }

    /// What is under `[target.box]`: the full version of Python where it is known, and a record.
    fn base(&self, probes: &Probes) -> anyhow::Result<(Option<String>, BoxRecord)> {
        match (&self.probe, &self.like) {
            (Some(_), Some(_)) => {
                Err(Problem::with_hint("both `probe` and `like` are given", "a probe says it all: leave `like` out"))
            }
            (Some(path), None) => {
                let text = probes.get(path).with_context(|| format!("`{path}` was not read"))?;
                let (full, record) = read_probe(text).with_context(|| format!("key `probe`: `{path}`"))?;
                Ok((Some(full), record))
            }
            (None, Some(like)) => {
                let known = Target::find_at(like, self.python.as_deref(), None, self.minor.as_deref());
                let known = known.context("key `like`")?;
                Ok((Some(known.python_full.to_string()), known.whole_record()))
            }
            (None, None) => Ok((None, BoxRecord::default())),
        }
    }

    /// Judges what can be judged before any probe file is read.
    fn check(&self) -> anyhow::Result<()> {
        if let Some(path) = self.probe.as_ref().filter(|_| self.like.is_none()) {
            check_own_name(&self.name)?;
            return check_inside(path).context("key `probe`");
        }
        self.target(&Probes::new()).map(drop)
    }
}

/// The paths of the probe files, each once.
pub(super) fn probes(tables: &[TargetTable]) -> Vec<&Utf8Path> {
    let mut paths: Vec<&Utf8Path> = tables.iter().filter_map(|table| table.probe.as_deref()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The targets of the tables in their order.
pub(super) fn targets(tables: &[TargetTable], probes: &Probes) -> anyhow::Result<Vec<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    let mut faults = Vec::new();
    for table in tables {
        match table.target(probes).with_context(|| format!("`[[target]]` `{}`", table.name)) {
            Ok(target) => targets.push(target),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("targets cannot be used", faults)?;
    for (index, target) in targets.iter().enumerate() {
        let same = |other: &&Target| other.distribution.dist == target.distribution.dist && other.arch == target.arch;
        if let Some(other) = targets[..index].iter().find(same) {
            return Err(Problem::with_hint(
                format!(
                    "`[[target]]` `{}` and `{}` would give RPMs of one name: both have the release `{}`",
                    other.name, target.name, target.distribution.dist
                ),
                "set another `box.release` for one of them",
            ));
        }
    }
    Ok(targets)
}

/// Judges the tables without the probe files; each fault with the number of its table.
pub(super) fn faults(tables: &[TargetTable]) -> Vec<(usize, anyhow::Error)> {
    let mut faults = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        if tables[..index].iter().any(|before| before.name == table.name) {
            let what = format!("the target `{}` is there twice", table.name);
            faults.push((index, Problem::with_hint(what, "write one `[[target]]` a box")));
        }
        faults.extend(table.dependencies().faults("target").into_iter().map(|fault| (index, fault)));
        let fault = table.check().err().map(|fault| fault.context(format!("`[[target]]` `{}`", table.name)));
        faults.extend(fault.map(|fault| (index, fault)));
    }
    if faults.is_empty() && probes(tables).is_empty() {
        faults.extend(targets(tables, &Probes::new()).err().map(|fault| (0, fault)));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;
    use wheelhaul_boxes::Asked;

    #[derive(Debug, Deserialize)]
    struct File {
        target: Vec<TargetTable>,
    }

    fn read(text: &str, probes: &Probes) -> anyhow::Result<Vec<Target>> {
        let file: File = toml::from_str(text)?;
        all_of("targets cannot be used", faults(&file.target).into_iter().map(|(_, fault)| fault).collect())?;
        targets(&file.target, probes)
    }

    const OWN: &str = "[[target]]\nname = \"debian12-x86_64\"\npython-full = \"3.11.2\"\n[target.box]\narch = \"x86_64\"\n\
        glibc = \"2.36\"\nsystemd = 252\npayload = \"zstd\"\nmarkers = { platform_release = \"6.1.0\" }\n";

    #[test]
    fn a_box_of_ones_own_is_what_its_record_says() {
        let target = read(OWN, &Probes::new()).unwrap().remove(0);
        assert_eq!(target.in_words(), "CPython 3.11, glibc 2.36, x86_64");
        assert_eq!((target.distribution.dist.as_str(), target.distribution.systemd), ("debian12", 252));
        assert_eq!(target.interpreter.path, "/usr/bin/python3.11");
        assert_eq!(target.interpreter.package, None);
        assert_eq!(target.platforms()[0], "manylinux_2_36_x86_64");
        let environment = target.environment();
        assert!(environment.unknowable("platform_release >= '6'", &Asked::default()).is_empty());
        assert_eq!(environment.unknowable("platform_version == '6'", &Asked::default()), ["platform_version"]);
        assert!(environment.holds("platform_release >= '5.14'", &Asked::default()).unwrap());
    }

    #[test]
    fn a_box_like_a_known_one_differs_in_what_is_written() {
        let text = "[[target]]\nname = \"corp9\"\nlike = \"el9-aarch64\"\npython = \"3.11\"\n\
            [target.box]\npython-path = \"/opt/python/bin/python3.11\"\nrelease = \"corp9\"\n";
        let target = read(text, &Probes::new()).unwrap().remove(0);
        assert_eq!(target.in_words(), "CPython 3.11, glibc 2.34, aarch64");
        assert_eq!(target.interpreter.path, "/opt/python/bin/python3.11");
        assert_eq!(target.interpreter.package, None, "el9's package brings another interpreter");
        let other = text.replace("python = \"3.11\"", "python-full = \"3.10.14\"");
        assert_eq!(read(&other, &Probes::new()).unwrap()[0].python(), "3.10");
        let error = read(&other.replace("python-path", "title"), &Probes::new()).unwrap_err();
        assert!(format!("{error:#}").contains("would start Python 3.9"), "{error:#}");
        assert_eq!(target.distribution.dist, "corp9");
        assert_ne!(Some(target.record()), Some(None));
    }

    fn probe(change: (&str, &str)) -> Probes {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let tags: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
        let value = serde_json::json!({
            "probe": 1, "markers": {"python_version": "3.11", "platform_release": "5.14.0-503.el9.x86_64"},
            "tags": tags, "glibc": "2.34", "arch": "x86_64", "python-full": "3.11.13",
            "python-path": "/usr/bin/python3.11", "python-package": "python3.11", "systemd": 252,
            "rpm": "4.16.1.3", "reads-zstd": true, "release": "el9", "os": {"name": "Some Linux 9"},
        });
        [("dist/probes/a.json".into(), value.to_string().replacen(change.0, change.1, 1))].into()
    }

    const KNOWN: &str = "[[target]]\nname = \"el9-x86_64\"\npython = \"3.12\"\n";
    const LIKE: &str = "[[target]]\nname = \"corp9\"\nlike = \"el9-x86_64\"\npython = \"3.11\"\n";
    const PROBED: &str = "[[target]]\nname = \"a\"\nprobe = \"dist/probes/a.json\"\n";

    #[test]
    fn a_probe_says_what_a_record_would() {
        let target = read(PROBED, &probe(("", ""))).unwrap().remove(0);
        let known = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        assert_eq!(target.tags(), known.tags());
        assert_eq!((target.interpreter.clone(), target.distribution.glibc), (known.interpreter, (2, 34)));
        // What follows from the rest is not kept.
        let record = target.record().unwrap();
        assert!(record.tags.is_empty());
        assert_eq!(record.markers.keys().collect::<Vec<_>>(), ["platform_release"]);
        let other = read(&format!("{PROBED}[target.box]\nsystemd = 239\n"), &probe(("252", "null"))).unwrap();
        assert_eq!(other[0].distribution.systemd, 239);
    }

    #[test]
    fn faults_name_the_target_the_key_and_the_cure() {
        #[rustfmt::skip]
        let cases = [ // file,  replaced               by                                  in the error                        in the hint
            (OWN, "debian12-x86_64",       "el9-x86_64",                       "`el9-x86_64` is a known target",   "a name of its own"),
            (OWN, "debian12-x86_64",       "../x",                             "`../x` cannot name a target",      "letters, digits"),
            (OWN, "python-full = \"3.11.2\"", "",                              "key `python-full` is missing",     "python3 -V"),
            (OWN, "3.11.2",                "3.11",                             "not a final release of Python 3.11", "python3 -V"),
            (OWN, "3.11.2",                "3.2.1",                            "Python 3.2.1 cannot be a target",  "a later one of that box"),
            (OWN, "arch = \"x86_64\"",     "arch = \"ppc64le\"",               "key `box.arch`: `ppc64le`",        "known are x86_64, aarch64"),
            (OWN, "glibc = \"2.36\"",      "glibc = \"2.65000\"",              "key `box.glibc`",                  "getconf GNU_LIBC_VERSION"),
            (OWN, "systemd = 252",         "",                                 "key `box.systemd`: it is missing", "systemctl --version"),
            (OWN, "payload = \"zstd\"",    "payload = \"xz\"",                 "unknown variant `xz`",             ""),
            (OWN, "payload = \"zstd\"",    "release = \"a-b\"",                "key `box.release`: `a-b`",         "letters, digits"),
            (OWN, "payload = \"zstd\"",    "python-path = \"/a b\"",           "key `box.python-path`: `/a b`",    "without blanks"),
            (OWN, "payload = \"zstd\"",    "python-path = \"/a/../b\"",        "key `box.python-path`",            "without blanks"),
            (OWN, "payload = \"zstd\"",    "python-package = \"a;b\"",         "key `box.python-package`: `a;b`",  "rpm -qf"),
            (OWN, "payload = \"zstd\"",    "tags = [\"cp311-cp311-musllinux_1_2_x86_64\"]", "is not of Linux with glibc", ""),
            (OWN, "payload = \"zstd\"",    "tags = [\"py2.py3-none-any\"]",    "key `box.tags`",                   ""),
            (OWN, "platform_release",      "platform_releas",                  "`platform_releas` is not a marker's variable", "did you mean `platform_release`?"),
            (OWN, "platform_release = \"6.1.0\"", "python_version = \"3.12\"", "`python_version` is `3.12`",       "leave one of them out"),
            (OWN, "platform_release = \"6.1.0\"", "platform_machine = \"arm\"", "`platform_machine` is `arm`",     "follows from `arch`"),
            (OWN, "python-full",           "python = \"3.12\"\npython-full",   "key `python` is `3.12`",           "leave `python` out"),
            (OWN, "python-full",           "like = \"el9\"\npython-full",      "key `like`: unknown target `el9`", "did you mean"),
            (PROBED, "probe",              "like = \"el9-x86_64\"\nprobe",     "both `probe` and `like`",          "leave `like` out"),
            (OWN, "python-full",           "minor = \"12.1\"\npython-full",   "key `minor` is for a known box",   "leave it out"),
            (LIKE, "\"3.11\"",             "\"3.11\"\nminor = \"9.1\"",        "RHEL 9 and its rebuilds at 9.1 has no Python 3.11", "it has 3.9; that came with 9.2"),
            (KNOWN, "\"3.12\"",            "\"3.12\"\nminor = \"9.3\"",        "at 9.3 has no Python 3.12",        "it has 3.9, 3.11; that came with 9.4"),
            (KNOWN, "\"3.12\"",            "\"3.12\"\nminor = \"8.10\"",       "`8.10` is not a minor release of RHEL 9", "VERSION_ID"),
            (KNOWN, "\"3.12\"",            "\"3.12\"\nminor = \"9\"",          "`9` is not a minor release of RHEL 9", "\"9.4\""),
            (KNOWN, "el9-x86_64\"",        "al2023-x86_64\"\nminor = \"2023.6\"", "Amazon Linux 2023 has no minor releases", "leave `minor` out"),
            (KNOWN, "\"3.12\"",            "\"3.13\"\nminor = \"9.9\"",        "at 9.9 has no Python 3.13",        "it has 3.9, 3.11, 3.12, 3.14"),
            (PROBED, "dist/probes",        "../probes",                        "does not lie below",               "relative path"),
        ];
        for (file, from, to, says, cure) in cases {
            let error = read(&file.replacen(from, to, 1), &probe(("", ""))).unwrap_err();
            let text = format!("{error:#}");
            assert!(text.contains(says), "{to}: {text}");
            assert!(hints_of(&error).join("\n").contains(cure), "{to}: {:?}", hints_of(&error));
        }
        #[rustfmt::skip]
        let cases = [ // in the probe             by                          in the error
            ("\"probe\":1",           "\"probe\":2",              "it was made by probe script 2"),
            ("{",                     "",                         "is not what the probe script prints"),
            ("\"systemd\":252",       "\"systemd\":null",         "key `box.systemd`: it is missing"),
            ("\"python-full\":\"3.11.13\"", "\"python-full\":\"3.12.1\"", "`python_version` is `3.11`"),
        ];
        for (from, to, says) in cases {
            let text = format!("{:#}", read(PROBED, &probe((from, to))).unwrap_err());
            assert!(text.contains(says) && text.contains("`[[target]]` `a`"), "{to}: {text}");
        }
    }

    #[test]
    fn two_targets_of_one_release_are_refused() {
        let text = format!("[[target]]\nname = \"el9-x86_64\"\n{OWN}release = \"el9\"\n");
        let text = text.replace("markers = { platform_release = \"6.1.0\" }\n", "");
        let error = read(&text, &Probes::new()).unwrap_err();
        assert!(error.to_string().contains("RPMs of one name"), "{error:#}");
    }
}
