//! What an upgrade from one RPM to another changes on the box: evidence of both → values for a page, a terminal or
//! a program. Nothing is judged here but what a person ought to look at first.

mod dists;
mod files;
mod highlights;
mod lines;
mod service;
mod units;

pub use dists::{Direction, Dist, DistChange, Dists};
pub use files::{FileChange, FileChanges, FileGroup};

use crate::Evidence;
use lines::Lines;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use wheelhaul_base::calendar::in_utc;
use wheelhaul_rpmfile::compare_versions;

/// What differs between two RPMs. Every list is sorted, and empty where nothing differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// what the box has
    pub old: Side,
    /// what it gets
    pub new: Side,
    /// what rpm takes it for
    pub upgrade: Upgrade,
    /// what a person ought to look at first
    pub look_at: Vec<LookAt>,
    /// what the packages say of themselves, where it differs: `release`, `target`, `signature` …
    pub package: Vec<Change>,
    /// the Python distributions
    pub dists: Dists,
    /// files and folders, by the distribution that they belong to
    pub files: FileChanges,
    /// what the box must have
    pub requires: Names,
    /// what dnf installs along where it can
    pub recommends: Names,
    /// what cannot be installed beside it
    pub conflicts: Names,
    /// what it takes the place of
    pub obsoletes: Names,
    /// what the package says to have
    pub provides: Names,
    /// those that differ: `pre`, `post`, `preun`, `postun`, `posttrans`, `verify`
    pub scriptlets: Vec<TextChange>,
    /// units of systemd, and the sysusers file
    pub units: Vec<UnitChange>,
    /// config files
    pub config: Vec<ConfigChange>,
    /// what happens to the service, in sentences without a final dot; never empty
    pub service: Vec<String>,
}

/// One of the two RPMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// `quality_report`
    pub name: String,
    /// `0.0.1-1.el9`, with the epoch where there is one
    pub evr: String,
    /// `x86_64`
    pub arch: String,
    /// `el9-x86_64`; none where no lock travels in the package
    pub target: Option<String>,
    /// `3.11`, likewise
    pub python: Option<String>,
    /// seconds since 1970
    pub built: u32,
    /// what it was built from, as its changelog has it: `commit 12ab…`; empty where it does not tell
    pub built_from: String,
    /// who wrote it: `wheelhaul-0.2.0`, or a version of rpm
    pub builder: String,
    /// who says to have signed it, `RSA 0123abc…`, not verified
    pub signature: Option<String>,
    /// what is carried over, in bytes
    pub download: u64,
    /// what it takes on the box, in bytes
    pub installed: u64,
    /// files and folders
    pub paths: usize,
}

/// What rpm takes the new package for, beside the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upgrade {
    /// it is newer
    Upgrade,
    /// it has the same version and release: rpm takes it for installed already
    Same,
    /// it is older
    Downgrade,
    /// it has another name: both may be installed
    OtherPackage,
}

/// Something to look at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookAt {
    /// the section that has the details: `package`, `requires`, `config` …
    pub section: &'static str,
    /// what changed, and what that means; a phrase without a final dot
    pub what: String,
}

/// A value that is another one now; empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// which
    pub what: String,
    /// before
    pub old: String,
    /// now
    pub new: String,
}

/// Whether something is new, gone or another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// the new package alone has it
    Added,
    /// the old package alone has it
    Removed,
    /// both have it
    Changed,
}

/// Names as rpm prints them, `python3.11` or `config(x) = 1-1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// new ones
    pub added: Vec<String>,
    /// those that are gone
    pub removed: Vec<String>,
}

/// A text that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextChange {
    /// `post`
    pub name: String,
    /// how
    pub kind: ChangeKind,
    /// unified diff; none for a text that is too long to be shown line by line
    pub diff: Option<String>,
}

/// A unit or a sysusers file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitChange {
    /// on the box
    pub path: String,
    /// how
    pub kind: ChangeKind,
    /// of a unit, in its order; those of a unit that is there in one package only are left to `diff`
    pub keys: Vec<KeyChange>,
    /// unified diff; none for a text that is too long to be shown line by line
    pub diff: Option<String>,
}

/// A key of a unit whose lines differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyChange {
    /// `Service`
    pub section: String,
    /// `ExecStart`
    pub key: String,
    /// the values of its lines before
    pub old: Vec<String>,
    /// and now
    pub new: Vec<String>,
}

/// A config file that differs in content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigChange {
    /// on the box
    pub path: String,
    /// how
    pub kind: ChangeKind,
    /// what rpm does with it, a phrase without a final dot
    pub on_the_box: String,
    /// unified diff of the defaults; none where one is no text, or too long to be shown line by line
    pub diff: Option<String>,
}

impl Difference {
    /// Compares two packages.
    ///
    /// - Time: linear in the files; texts of more lines than a person reads are not compared line by line.
    pub fn between(old: &Evidence, new: &Evidence) -> Self {
        let mut lines = Lines::default();
        let (old_side, new_side) = (Side::of(old), Side::of(new));
        let effects = service::effects(old, new);
        let mut difference = Self {
            upgrade: upgrade(old, new),
            look_at: Vec::new(),
            package: package(&old_side, &new_side, old, new),
            dists: dists::between(old, new),
            files: files::between(old, new),
            requires: names(&old.described.requires, &new.described.requires),
            recommends: names(&old.described.recommends, &new.described.recommends),
            conflicts: names(&old.described.conflicts, &new.described.conflicts),
            obsoletes: names(&old.described.obsoletes, &new.described.obsoletes),
            provides: names(&old.described.provides, &new.described.provides),
            scriptlets: lines.scriptlets(old, new),
            units: units::between(old, new, &mut lines),
            config: lines.config(old, new),
            service: effects.iter().map(|effect| effect.said.clone()).collect(),
            old: old_side,
            new: new_side,
        };
        difference.look_at = highlights::first(&difference, &effects, old, new);
        difference
    }

    /// Whether the packages bring the same to the box: what is left are time, builder, signature and size.
    pub fn is_empty(&self) -> bool {
        let Self { upgrade, dists, files, scriptlets, units, config, .. } = self;
        let names = [&self.requires, &self.recommends, &self.conflicts, &self.obsoletes, &self.provides];
        *upgrade == Upgrade::Same
            && *dists == Dists { unchanged: dists.unchanged, ..Dists::default() }
            && files.groups.is_empty()
            && names.iter().all(|names| **names == Names::default())
            && scriptlets.is_empty()
            && units.is_empty()
            && config.is_empty()
    }
}

impl Side {
    fn of(evidence: &Evidence) -> Self {
        let described = &evidence.described;
        let change = described.origin.change.lines().next().unwrap_or_default();
        Self {
            name: described.name.clone(),
            evr: evr(evidence),
            arch: described.arch.clone(),
            target: evidence.target.as_ref().map(|target| target.name.clone()),
            python: evidence.target.as_ref().map(|target| target.python()),
            built: described.build_time,
            built_from: change.strip_prefix("- Built from ").unwrap_or_default().to_owned(),
            builder: described.origin.builder.clone(),
            signature: evidence.signatures.signer(),
            download: evidence.bytes.size,
            installed: described.origin.installed,
            paths: described.files.len(),
        }
    }
}

fn evr(evidence: &Evidence) -> String {
    let described = &evidence.described;
    let epoch = described.origin.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    format!("{epoch}{}-{}", described.version, described.release)
}

fn upgrade(old: &Evidence, new: &Evidence) -> Upgrade {
    let (old, new) = (&old.described, &new.described);
    if old.name != new.name {
        return Upgrade::OtherPackage;
    }
    let order = new.origin.epoch.unwrap_or(0).cmp(&old.origin.epoch.unwrap_or(0));
    let order = order.then_with(|| compare_versions(&new.version, &old.version));
    match order.then_with(|| compare_versions(&new.release, &old.release)) {
        Ordering::Less => Upgrade::Downgrade,
        Ordering::Equal => Upgrade::Same,
        Ordering::Greater => Upgrade::Upgrade,
    }
}

/// What packages say of themselves, where it differs.
fn package(old: &Side, new: &Side, old_evidence: &Evidence, new_evidence: &Evidence) -> Vec<Change> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (before, now) = (&old_evidence.described, &new_evidence.described);
    let epoch = |epoch: Option<u32>| epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
    #[rustfmt::skip]
    let rows = [
        ("name", old.name.clone(), new.name.clone()),
        ("epoch", epoch(before.origin.epoch), epoch(now.origin.epoch)),
        ("version", before.version.clone(), now.version.clone()),
        ("release", before.release.clone(), now.release.clone()),
        ("arch", old.arch.clone(), new.arch.clone()),
        ("target", text(&old.target), text(&new.target)),
        ("python", text(&old.python), text(&new.python)),
        ("summary", before.summary.clone(), now.summary.clone()),
        ("license", before.license.clone(), now.license.clone()),
        ("built", in_utc(old.built), in_utc(new.built)),
        ("built_from", old.built_from.clone(), new.built_from.clone()),
        ("builder", old.builder.clone(), new.builder.clone()),
        ("compression", compression(old_evidence), compression(new_evidence)),
        ("signature", text(&old.signature), text(&new.signature)),
    ];
    let changed = rows.into_iter().filter(|(_, old, new)| old != new);
    changed.map(|(what, old, new)| Change { what: what.to_owned(), old, new }).collect()
}

fn compression(evidence: &Evidence) -> String {
    format!("{} {}", evidence.described.compressor, evidence.described.origin.level)
}

fn names(old: &[String], new: &[String]) -> Names {
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (old.iter().collect(), new.iter().collect());
    Names {
        added: new.difference(&old).map(|name| (*name).clone()).collect(),
        removed: old.difference(&new).map(|name| (*name).clone()).collect(),
    }
}
