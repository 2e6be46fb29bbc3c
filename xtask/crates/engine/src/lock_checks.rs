//! What the wheels of a lock are judged by before it is written: that each distribution finds what it requires, and the
//! checks of `verify` that need no RPM.

use crate::accepting::Accepting;
use crate::upgrade::how_to_make;
use crate::{Project, libraries, opened};
use anyhow::Context as _;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_boxes::Target;
use wheelhaul_config::{ACCEPTABLE, UnmetRequirement};
use wheelhaul_lockfiles::{Filtered, LockFormat, LockUpgrade, Pins};
use wheelhaul_pylock::Lock;
use wheelhaul_verify::{Severity, WheelEvidence, judge_wheels};
use wheelhaul_wheel::closure::{ChosenDist, Fault, walk};
use wheelhaul_wheel::elf::OfWheel;
use wheelhaul_wheel::{Metadata, Tops, check_digests, check_namespaces, library_digest, opened_by_name};

/// More entries of `app.unmet` than a hint needs.
const MOST_KEYS: usize = 5;

/// The checks of all targets; what several of them have to say is said once.
pub(crate) struct LockChecks<'a> {
    project: &'a Project,
    /// what need not be met: by the team's lock, and by `app.unmet`
    unmet: BTreeSet<UnmetRequirement>,
    /// entries of `unmet` that a requirement needed
    used: BTreeSet<UnmetRequirement>,
    /// requirements that are not met, and need not be
    accepted: BTreeSet<String>,
    /// digests of wheels whose files were held against their RECORD
    unpacked: BTreeSet<String>,
    /// warnings, each with its targets
    warnings: BTreeMap<String, BTreeSet<String>>,
    /// what is remarked on
    notes: BTreeSet<String>,
    /// findings that `[[accept]]` names
    accepting: Accepting<'a>,
    /// where each distribution of the target has its METADATA, below the application's folder
    places: BTreeMap<PackageName, String>,
}

impl<'a> LockChecks<'a> {
    /// Checks for the wheels of `pins`.
    pub(crate) fn new(project: &'a Project, pins: &Pins) -> Self {
        let unmet = pins.unmet.iter().chain(&project.config.app.unmet).cloned().collect();
        let (used, accepted, unpacked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self {
            project,
            unmet,
            used,
            accepted,
            unpacked,
            warnings: BTreeMap::new(),
            notes: BTreeSet::new(),
            accepting: Accepting::of(project),
            places: BTreeMap::new(),
        }
    }

    /// Judges the wheels of one target. What their ELF files require of the box, the digest of what they install, and
    /// what need not be met are written to the lock.
    ///
    /// # Errors
    /// Names everything that is wrong with the wheels, or every requirement that is not met.
    pub(crate) fn check(&mut self, target: &Target, filtered: &Filtered<'_>, lock: &mut Lock) -> anyhow::Result<()> {
        let project = self.project;
        let (mut all, mut elf, mut tops) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_name = opened::ByName::default();
        let mut evidence = WheelEvidence::new(project.config.package.root(), target);
        let mut faults = Vec::new();
        for package in &mut lock.packages {
            let mut read = || {
                let (archive, contents) = project.wheelhouse().open(package)?;
                let in_wheel = || format!("wheel `{}`", package.wheel);
                let mut elf = OfWheel::read(&archive, &contents).with_context(in_wheel)?;
                let opened = opened_by_name(&archive, &contents).with_context(in_wheel)?;
                let digest = library_digest(&archive, &contents).with_context(in_wheel)?;
                // Targets share most wheels, and what is in one is the same for all.
                if self.unpacked.insert(package.sha256.clone()) {
                    check_digests(&archive, &contents).with_context(in_wheel)?;
                }
                evidence.add(&archive, &contents, &elf).with_context(in_wheel)?;
                // The box loads none of them, so they ask it for nothing.
                elf.set_aside(target);
                let top = Tops::of(&package.wheel, &contents.files);
                anyhow::Ok((contents, elf, opened, digest, top))
            };
            match read() {
                Ok((contents, of_wheel, opened, digest, top)) => {
                    tops.push(top);
                    package.contents = Some(digest);
                    by_name.add(&package.name, &of_wheel, opened);
                    self.notes.extend(opened::on_graphics(&package.name, &of_wheel));
                    let metadata = format!("lib/{}/METADATA", contents.dist_info);
                    self.places.insert(package.name.clone(), metadata);
                    all.push(contents.metadata);
                    elf.push(of_wheel);
                }
                Err(fault) => faults.push(fault),
            }
        }
        faults.extend(check_namespaces(&tops).err());
        all_of("wheels are refused", faults)?;
        self.judge_files(target, evidence)?;
        self.judge_requirements(target, filtered, lock, &all, &elf)?;
        for warning in by_name.warnings(&project.config, target, &lock.requires()) {
            self.warnings.entry(warning).or_default().insert(target.name.clone());
        }
        Ok(())
    }

    /// The checks of `verify` that need no RPM.
    fn judge_files(&mut self, target: &Target, evidence: WheelEvidence) -> anyhow::Result<()> {
        let mut faults = Vec::new();
        // Many files of one wheel have the same fault: the first one stands for them.
        let mut found: BTreeMap<(Severity, &str, String, String, String), Vec<String>> = BTreeMap::new();
        for (check, finding) in judge_wheels(evidence) {
            let whose = finding.wheel;
            let mut finding = finding.finding;
            let below = finding.path.strip_prefix(&self.project.config.package.root()).unwrap_or_default();
            if let Some(accepted) = self.accepting.by(target, check, below.trim_start_matches('/')) {
                finding.severity = Severity::Warning;
                finding.found.push_str(&format!("; {accepted}"));
            }
            found.entry((finding.severity, check, whose, finding.found, finding.cure)).or_default().push(finding.path);
        }
        let only = match self.project.config.targets.len() {
            0 | 1 => String::new(),
            _ => format!("; and `target = \"{}\"`, where the others do not need it", target.name),
        };
        for ((severity, check, wheel, found, cure), paths) in found {
            let more = if paths.len() == 1 { String::new() } else { format!(" and {} more", paths.len() - 1) };
            let what = format!("`{wheel}`: `{}`{more}: {found}", paths[0]);
            match severity {
                Severity::Error => {
                    let path = paths[0].strip_prefix(&self.project.config.package.root()).unwrap_or(&paths[0]);
                    let path = path.trim_start_matches('/');
                    let accept = match ACCEPTABLE.contains(&check) {
                        true => format!(
                            "; if it is right as it is, say so: `[[accept]]` with `check = \"{check}\"`, `path = \"{path}\"` and `why`{only}"
                        ),
                        false => String::new(),
                    };
                    faults.push(Problem::with_hint(
                        format!("{what} (check `{check}`)"),
                        format!("{cure}; `cargo xtask checks {check}` says why{accept}"),
                    ));
                }
                Severity::Warning | Severity::Accepted => {
                    self.warnings.entry(format!("{what} (check `{check}`)")).or_default().insert(target.name.clone());
                }
            }
        }
        all_of("wheels are refused", faults)
    }

    fn judge_requirements(
        &mut self,
        target: &Target,
        filtered: &Filtered<'_>,
        lock: &mut Lock,
        all: &[Metadata],
        elf: &[OfWheel],
    ) -> anyhow::Result<()> {
        let project = self.project;
        for dist in dists(all, filtered) {
            for extra in dist.extras.iter().filter(|extra| !dist.metadata.extras.contains(extra)) {
                let warning = format!("`{}` has no extra `{extra}`, which is asked for", dist.metadata.name);
                self.warnings.entry(warning).or_default().insert(target.name.clone());
            }
        }
        let closure = walk(&dists(all, filtered), target);
        for metadata in all {
            let is_asked =
                |name: &PackageName| closure.asks.iter().any(|asks| asks.by == metadata.name && asks.name == *name);
            for lenient in metadata.lenient.iter().filter(|lenient| is_asked(&lenient.name)) {
                let line = shortened(&lenient.line);
                let warning =
                    format!("`{}` requires `{line}`, whose versions cannot be read: any version counts", metadata.name);
                self.warnings.entry(warning).or_default().insert(target.name.clone());
            }
        }
        libraries::write_down(project, target, lock, elf, &closure.asks);
        lock.unmet = self.unmet.iter().cloned().collect();
        let (mut told, mut keys) = (Vec::new(), BTreeSet::new());
        for fault in closure.faults {
            let place = self.places.get(&fault.by).map_or("", String::as_str);
            if let Some(accepted) = self.accepting.by(target, "requires", place) {
                let warning = format!("`{}` {}; {accepted}", fault.by, fault.what);
                self.warnings.entry(warning).or_default().insert(target.name.clone());
                continue;
            }
            let covering: Vec<_> =
                self.unmet.iter().filter(|unmet| unmet.covers(&fault.by, fault.of.as_ref())).cloned().collect();
            match covering.is_empty() {
                true => {
                    keys.extend(fault.of.as_ref().map(|of| format!("\"{}: {of}\"", fault.by)));
                    told.push(self.told(&fault));
                }
                false => {
                    self.accepted.insert(format!("`{}` {}", fault.by, fault.what));
                    self.used.extend(covering);
                }
            }
        }
        let keys = Vec::from_iter(keys.iter().take(MOST_KEYS).map(String::as_str)).join(", ");
        all_of("requirements are not met on this target", told).map_err(|error| match keys.is_empty() {
            true => error,
            false => Problem::around(
                error,
                "the locked packages do not go together",
                format!(
                    "what is so on purpose (an override, an exclude) is accepted by `unmet = [{keys}]` under `[app]`"
                ),
            ),
        })
    }

    fn told(&self, fault: &Fault) -> anyhow::Error {
        let lock = &self.project.config.app.lock;
        let is_partial =
            fault.is_missing && matches!(LockFormat::of(lock), Ok(LockFormat { upgrade: LockUpgrade::Resolve, .. }));
        let cure = if is_partial { how_to_make(lock) } else { fault.cure.to_owned() };
        Problem::with_hint(format!("`{}` {}", fault.by, fault.what), cure)
    }

    /// Says what is accepted or doubtful.
    pub(crate) fn warn(&self) {
        let sys = &self.project.sys;
        for note in &self.notes {
            sys.say(format!("note: {note}"));
        }
        for (warning, targets) in &self.warnings {
            let targets = Vec::from_iter(targets.iter().map(String::as_str)).join(" and ");
            sys.say(format!("warning: {warning} (on {targets})"));
        }
        if !self.accepted.is_empty() {
            let used = Vec::from_iter(self.used.iter().map(|unmet| format!("`{unmet}`"))).join(", ");
            let accepted = Vec::from_iter(self.accepted.iter().map(String::as_str)).join("; ");
            sys.say(format!(
                "warning: not met, and accepted, because the team's lock or `unmet` under `[app]` says so ({used}): {accepted}"
            ));
        }
        for unmet in self.project.config.app.unmet.iter().filter(|unmet| !self.used.contains(unmet)) {
            sys.say(format!("warning: `unmet` under `[app]` has `{unmet}`, which covers nothing: take it out"));
        }
    }
}

/// Distributions with the extras that the team asked for.
pub(crate) fn dists<'a>(all: &'a [Metadata], filtered: &'a Filtered<'_>) -> Vec<ChosenDist<'a>> {
    let extras = |metadata: &Metadata| {
        filtered.kept.iter().find(|kept| kept.pin.name == metadata.name).map_or(&[][..], |kept| &kept.extras)
    };
    all.iter().map(|metadata| ChosenDist { metadata, extras: extras(metadata) }).collect()
}
