//! Pins of a target and the index's offers → our lock, or every reason why not.

mod questions;

pub use questions::{Question, questions};

use crate::{Candidate, NoWheel, OfferedSdist, Offers, choose, offer_of};
use anyhow::ensure;
use pep440_rs::Version;
use pep508_rs::PackageName;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{BoxRecord, TagRanks, Target};
use wheelhaul_config::{Build, SdistSettings, UnmetRequirement};
use wheelhaul_lockfiles::{Filtered, LockTexts, Pin, Selection};
use wheelhaul_pylock::{Lock, LockedPackage};

/// Changes when a newer tool decides otherwise from the same inputs.
pub const RULES: &str = "6";

/// The sha256, in hex, of all that a target's lock is made from, but for the index.
pub fn inputs_digest(
    texts: &LockTexts,
    selection: &Selection,
    sdist: &SdistSettings,
    unmet: &[UnmetRequirement],
    target: &Target,
) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    };
    let glibc = format!("{}.{}", target.distribution.glibc.0, target.distribution.glibc.1);
    for part in [RULES, &target.name, &target.python_full.to_string(), &glibc, &settings_text(selection, sdist)] {
        add(part);
    }
    // Of a known target the name, the version and glibc say it all, under these rules.
    if let Some(record) = target.record() {
        add(&record_text(&record));
    }
    for unmet in unmet {
        add(&unmet.to_string());
    }
    for (path, text) in texts {
        add(path.as_str());
        // Line ends are the work tree's and not the lock's: a checkout on Windows has others.
        let text = text.as_deref().unwrap_or_default();
        if text.contains('\r') { add(&text.replace("\r\n", "\n")) } else { add(text) }
    }
    hex(&hasher.finalize())
}

/// Settings as the digest has them. Committed locks hold the digest, so no name of a type may decide this text.
fn settings_text(selection: &Selection, sdist: &SdistSettings) -> String {
    let Selection { extras, groups } = selection;
    let SdistSettings { build, system_libraries } = sdist;
    format!(
        "Selection {{ extras: {extras:?}, groups: {groups:?} }} \
         Sdist {{ build: {build:?}, system_libraries: {system_libraries:?} }}"
    )
}

/// A record as the digest has it: see [`settings_text`].
fn record_text(record: &BoxRecord) -> String {
    let BoxRecord { arch, glibc, systemd, payload, release, title, python_package, python_path, tags, markers } =
        record;
    format!(
        "Record {{ arch: {arch:?}, glibc: {glibc:?}, systemd: {systemd:?}, payload: {payload:?}, release: {release:?}, \
         title: {title:?}, python_package: {python_package:?}, python_path: {python_path:?}, tags: {tags:?}, \
         markers: {markers:?} }}"
    )
}

/// What was decided for a target: one file for each pin, or none.
#[derive(Debug, Default)]
pub struct Decision<'a> {
    /// the pins with a wheel that fits
    pub packages: Vec<LockedPackage>,
    /// the pins whose wheel is to be built from their source distribution
    pub builds: Vec<ToBuild<'a>>,
    /// the pins without a usable file
    pub unfit: Vec<Unfit<'a>>,
}

/// A pin whose wheel is to be built.
#[derive(Debug)]
pub struct ToBuild<'a> {
    /// what is built
    pub pin: &'a Pin,
    /// the release that the pin means
    pub version: &'a Version,
    /// from what
    pub sdist: &'a OfferedSdist,
}

/// A pin without a usable file.
#[derive(Debug)]
pub struct Unfit<'a> {
    /// the pin
    pub pin: &'a Pin,
    reason: NoWheel,
    sdist: Option<&'a OfferedSdist>,
    may_build: bool,
}

/// Chooses one file for each pin.
///
/// - Takes: `offers` of every pin, and `build`, the packages that may be built where no wheel fits.
pub fn decide<'a>(filtered: &Filtered<'a>, offers: &'a Offers, target: &Target, build: &Build) -> Decision<'a> {
    let ranks = TagRanks::new(target.tags());
    let mut decision = Decision::default();
    for pin in filtered.kept.iter().map(|kept| kept.pin) {
        let found = offer_of(offers, pin);
        let (version, offer) = found.unzip();
        let sdist = offer.and_then(|offer| offer.sdist.as_ref());
        match choose(pin, offer.map_or(&[], |offer| &offer.wheels), &ranks) {
            Ok(chosen) => decision.packages.push(package_of(chosen)),
            Err(reason) => {
                let may_build = build.allows(&pin.name);
                let accepted = |sdist: &&OfferedSdist| pin.hashes.is_empty() || pin.hashes.contains(&sdist.sha256);
                match sdist.filter(accepted).filter(|_| may_build) {
                    Some(sdist) => {
                        let version = version.unwrap_or(&pin.version);
                        decision.builds.push(ToBuild { pin, version, sdist });
                    }
                    None => decision.unfit.push(Unfit { pin, reason, sdist, may_build }),
                }
            }
        }
    }
    decision
}

/// A target's lock.
///
/// - Takes: `inputs` as [`inputs_digest`] gives it; `packages` in any order.
pub fn lock_of(target: &Target, inputs: String, mut packages: Vec<LockedPackage>) -> Lock {
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Lock {
        target: target.name.clone(),
        python_full: target.python_full.to_string(),
        record: target.record(),
        inputs,
        rules: RULES.to_owned(),
        unmet: Vec::new(),
        packages,
    }
}

/// A wheel as our lock has it.
pub fn package_of(wheel: &Candidate) -> LockedPackage {
    LockedPackage {
        name: wheel.name.name.clone(),
        version: wheel.name.version.clone(),
        wheel: wheel.name.clone(),
        size: wheel.size,
        sha256: wheel.sha256.clone(),
        uploaded: wheel.uploaded.clone(),
        built_from: None,
        contents: None,
        requires: Vec::new(),
    }
}

impl Unfit<'_> {
    /// Whether another release could help: no file of this one fits.
    pub fn lacks_wheel(&self) -> bool {
        self.reason.fit_without_hash.is_empty()
    }

    /// Why the pin cannot be packed, and how to go on.
    ///
    /// - Takes: `nearest`, the release nearest to the pin that has a wheel which fits, where one was found.
    pub fn into_error(self, target: &Target, nearest: Option<&Version>) -> anyhow::Error {
        let Self { pin, reason, sdist, may_build } = self;
        let what = format!("`{}=={}`", pin.name, pin.version);
        if !reason.fit_without_hash.is_empty() {
            return Problem::with_hint(
                format!(
                    "{what} has wheels that fit, but the lock ({}) has no hash of them: {}",
                    pin.place,
                    reason.fit_without_hash.join(", ")
                ),
                "the lock was made on another platform, or the files of the index changed; lock again so that it has the hashes of every platform (`pipenv lock`, `pip-compile --generate-hashes`, `uv pip compile --generate-hashes --universal`)",
            );
        }
        let mut offered: Vec<&str> = reason.offered.iter().map(String::as_str).take(8).collect();
        if reason.offered.len() > offered.len() {
            offered.push("…");
        }
        if sdist.is_some() {
            offered.push("an sdist");
        }
        let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
        let mut ways = Vec::new();
        match (nearest, &pin.files[..]) {
            (Some(version), _) => ways.push(format!("lock {version}, the nearest release with such a wheel")),
            (None, []) => {
                ways.push("no release of it has such a wheel: choose a target with another Python".to_owned())
            }
            (None, _) => ways.push("place a wheel for this target in the lock".to_owned()),
        }
        match sdist {
            Some(_) if may_build => ways.push(
                "give the lock the hash of its sdist, which may be built but is not among the lock's hashes".to_owned(),
            ),
            Some(_) => ways
                .push(format!("let the sdist be built: `[sdist] build = [\"{}\"]` in `dist/package.toml`", pin.name)),
            None => ways.push("publish a wheel of your own to your index".to_owned()),
        }
        ways.push(format!("`cargo xtask lock --explain {}` shows every file", pin.name));
        Problem::with_hint(
            format!("{what} has no wheel for {}\noffered: {offered}", target.in_words()),
            format!("`{}`: {}", pin.name, ways.join("; or ")),
        )
    }
}

/// Why a lock on disk is not what the pins say now; empty where it is.
///
/// - Takes: `lock`, the parsed file; `filtered`, the pins of its target now.
pub fn disagreements(lock: &Lock, filtered: &Filtered<'_>, target: &Target, inputs: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    let locked: BTreeMap<&PackageName, &LockedPackage> =
        lock.packages.iter().map(|package| (&package.name, package)).collect();
    let ranks = TagRanks::new(target.tags());
    for pin in filtered.kept.iter().map(|kept| kept.pin) {
        match locked.get(&pin.name) {
            None => reasons.push(format!("`{}` is missing", pin.name)),
            Some(package) if !pin.is_of(&package.version) => {
                reasons.push(format!("`{}` is {} instead of {}", pin.name, package.version, pin.version));
            }
            Some(package) if !pin.hashes.is_empty() && !pin.hashes.contains(digest_of_file(package)) => {
                reasons.push(format!("the hash of `{}` is not among those of the team's lock", package.wheel));
            }
            Some(package) if package.wheel.rank(&ranks).is_none() => {
                reasons.push(format!("`{}` does not fit {}", package.wheel, target.in_words()));
            }
            Some(_) => {}
        }
    }
    for package in
        lock.packages.iter().filter(|package| !filtered.kept.iter().any(|kept| kept.pin.name == package.name))
    {
        reasons.push(format!("`{}` is no longer locked for this target", package.name));
    }
    if reasons.is_empty() && lock.rules != RULES {
        reasons.push("it was made by other rules than this tool's: an older one did not write down which libraries of the box the wheels need".to_owned());
    } else if reasons.is_empty() && lock.inputs != inputs {
        reasons.push("the team's lock, what it is made from, the target, or what is asked for in `dist/package.toml` changed since".to_owned());
    }
    reasons
}

/// The digest of the file that the team's lock knows: the wheel, or the sdist that it was built from.
fn digest_of_file(package: &LockedPackage) -> &String {
    package.built_from.as_ref().map_or(&package.sha256, |source| &source.sha256)
}

/// Parses a lock of a target; that of another one is an error.
pub fn read_lock(text: &str, target: &Target) -> anyhow::Result<Lock> {
    let lock = Lock::parse(text)?;
    ensure!(lock.target == target.name, "it is the lock of `{}`", lock.target);
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use wheelhaul_base::problem::{all_of, hints_of};
    use wheelhaul_lockfiles::{FileLocation, filter, parse_text};

    fn offers(files: &[(&str, char)]) -> Offers {
        let mut offers = Offers::new();
        for (file, digit) in files {
            let candidate = Candidate {
                name: file.parse().unwrap(),
                at: FileLocation::Url("https://index.example/x".to_owned()),
                size: Some(1),
                sha256: digit.to_string().repeat(64),
                uploaded: None,
            };
            let key = (candidate.name.name.clone(), candidate.name.version.clone());
            offers.entry(key).or_default().wheels.push(candidate);
        }
        offers
    }

    /// Locks that teams have committed hold it: a name in this code must not change it.
    #[test]
    fn the_digest_of_the_inputs_is_that_of_locks_which_teams_have() {
        let target = Target::find("el9-x86_64", None, None).unwrap();
        let digest = inputs_digest(&LockTexts::new(), &Selection::default(), &SdistSettings::default(), &[], &target);
        assert_eq!(digest, "1728f58637fbe35f822e6860ae9e5a4df7789b80e2c204f4ce36429ad3dd8a16");
        let selection = Selection { extras: vec!["web".parse().unwrap()], groups: vec!["docs".parse().unwrap()] };
        let sdist = SdistSettings {
            build: Build::Only(["pyyaml".parse().unwrap()].into()),
            system_libraries: ["libyaml-0.so.2".to_owned()].into(),
        };
        assert_eq!(
            settings_text(&selection, &sdist),
            "Selection { extras: [ExtraName(\"web\")], groups: [ExtraName(\"docs\")] } \
             Sdist { build: Only({PackageName(\"pyyaml\")}), system_libraries: {\"libyaml-0.so.2\"} }"
        );
        let record = BoxRecord { python_package: None, ..target.whole_record() };
        assert_eq!(
            record_text(&record),
            "Record { arch: Some(\"x86_64\"), glibc: Some(\"2.34\"), systemd: Some(252), payload: Some(Zstd), \
             release: Some(\"el9\"), title: Some(\"RHEL 9 and its rebuilds\"), python_package: None, \
             python_path: Some(\"/usr/bin/python3.9\"), tags: [], markers: {} }"
        );
    }

    #[test]
    fn every_pin_without_a_file_is_named_with_what_is_offered() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let text = format!("a==1\nb==1\nc==1 --hash=sha256:{}\n", "c".repeat(64));
        let pins = parse_text("requirements.txt", &text).unwrap();
        let filtered = filter(&pins, &target).unwrap();
        let offers = offers(&[("a-1-cp311-cp311-win_amd64.whl", 'a'), ("c-1-py3-none-any.whl", 'd')]);
        let decision = decide(&filtered, &offers, &target, &Build::None);
        assert!(decision.packages.is_empty());
        let nearest: Version = "1.1".parse().unwrap();
        let errors: Vec<anyhow::Error> =
            decision.unfit.into_iter().map(|unfit| unfit.into_error(&target, Some(&nearest))).collect();
        let error = all_of("packages have no file for this target", errors).unwrap_err();
        let said = format!("{error}\n{}", hints_of(&error).join("\n"));
        for part in [
            "3 packages",
            "`a==1` has no wheel for CPython 3.11, glibc 2.34, x86_64",
            "cp311-cp311-win_amd64",
            "offered: nothing",
            "has no hash of them: c-1-py3-none-any.whl",
            "lock 1.1, the nearest release",
        ] {
            assert!(said.contains(part), "`{part}` is missing in {said}");
        }
    }

    #[test]
    fn an_sdist_is_built_where_that_is_allowed_and_its_hash_is_the_teams() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let source = |sha256: String| OfferedSdist {
            name: "a-1.tar.gz".to_owned(),
            at: FileLocation::Url(String::new()),
            sha256,
            uploaded: None,
            subdirectory: None,
        };
        let named = Build::Only(["a".parse().unwrap()].into());
        #[rustfmt::skip]
        let cases = [ // line in the lock                              allowed       is built
            ("a==1".to_owned(),                                        &Build::None, false),
            ("a==1".to_owned(),                                        &named,       true),
            ("a==1".to_owned(),                                        &Build::All,  true),
            (format!("a==1 --hash=sha256:{}", "e".repeat(64)),         &named,       true),
            (format!("a==1 --hash=sha256:{}", "f".repeat(64)),         &named,       false),
        ];
        for (line, build, built) in cases {
            let pins = parse_text("requirements.txt", &line).unwrap();
            let filtered = filter(&pins, &target).unwrap();
            let mut offers = offers(&[("a-1-cp311-cp311-win_amd64.whl", 'a')]);
            offers.values_mut().for_each(|offer| offer.sdist = Some(source("e".repeat(64))));
            let decision = decide(&filtered, &offers, &target, build);
            assert_eq!((decision.builds.len(), decision.unfit.len()), if built { (1, 0) } else { (0, 1) }, "{line}");
        }
    }

    #[test]
    fn a_lock_on_disk_is_held_against_the_pins() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let pins = parse_text("requirements.txt", "a==1\nb==1").unwrap();
        let filtered = filter(&pins, &target).unwrap();
        let offers = offers(&[("a-1-py3-none-any.whl", 'a'), ("b-1-py3-none-any.whl", 'b')]);
        let packages = decide(&filtered, &offers, &target, &Build::None).packages;
        let lock = lock_of(&target, "x".to_owned(), packages);
        assert!(disagreements(&lock, &filtered, &target, "x").is_empty());
        assert_eq!(
            disagreements(&lock, &filtered, &target, "y"),
            [
                "the team's lock, what it is made from, the target, or what is asked for in `dist/package.toml` changed since"
            ]
        );
        let older = Lock { rules: String::new(), ..lock.clone() };
        assert!(disagreements(&older, &filtered, &target, "y")[0].starts_with("it was made by other rules"));
        let pins = parse_text("requirements.txt", "a==2\nc==1").unwrap();
        let filtered = filter(&pins, &target).unwrap();
        assert_eq!(
            disagreements(&lock, &filtered, &target, "y"),
            ["`a` is 1 instead of 2", "`c` is missing", "`b` is no longer locked for this target"]
        );
    }

    #[test]
    fn the_digest_changes_with_every_value_of_a_box() {
        let known = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let digest = |change: &dyn Fn(&mut wheelhaul_boxes::BoxRecord)| {
            let mut record = known.whole_record();
            change(&mut record);
            let target = Target::own("own", "3.11.13", &record).unwrap();
            inputs_digest(&LockTexts::new(), &Selection::default(), &SdistSettings::default(), &[], &target)
        };
        let digests: BTreeSet<String> = [
            digest(&|_| ()),
            digest(&|record| record.glibc = Some("2.28".to_owned())),
            digest(&|record| record.systemd = Some(239)),
            digest(&|record| record.tags = vec!["py3-none-any".to_owned()]),
            digest(&|record| drop(record.markers.insert("platform_release".to_owned(), "6".to_owned()))),
            digest(&|record| record.python_path = Some("/opt/python/bin/python3.11".to_owned())),
        ]
        .into();
        assert_eq!(digests.len(), 6);
        // It is in every lock: another name of a type or field must not make all of them stale.
        assert_eq!(digest(&|_| ()), "008c6ed414aa7575c0b8a7c124f152970706a80b0835c5dd620b3a5d2d1f75f3");
    }
}
