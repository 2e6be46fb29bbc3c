//! The checks that need no RPM, made on the wheels of a lock: what `verify` would refuse is refused before anything is
//! built. The files lie where the RPM will have them.

use crate::{CHECKS, Evidence, Finding, Outcome, settle};
use rawzip::ReaderAt;
use std::collections::BTreeMap;
use wheelhaul_boxes::Target;
use wheelhaul_rpmfile::{FileRow, RpmMetadata};
use wheelhaul_wheel::elf::{ElfFacts, OfWheel};
use wheelhaul_wheel::{Archive, Contents, Scheme};

/// The checks that are made on wheels.
const OF_WHEELS: [&str; 5] = ["tags", "elf", "symbols", "hardening", "extensions"];

/// The files of wheels as evidence.
pub struct WheelEvidence {
    root: String,
    target: Target,
    described: RpmMetadata,
    texts: BTreeMap<String, String>,
    elf: BTreeMap<String, Result<ElfFacts, String>>,
    /// path → the wheel that has it
    whose: BTreeMap<String, String>,
}

/// A finding, with the wheel that it is of.
pub struct OfOneWheel {
    /// the distribution, `numpy-2.0`
    pub wheel: String,
    /// what was found
    pub finding: Finding,
}

impl WheelEvidence {
    /// - Takes: `root`, the application's folder on the box.
    pub fn new(root: String, target: &Target) -> Self {
        Self {
            root,
            target: target.clone(),
            described: RpmMetadata::default(),
            texts: BTreeMap::new(),
            elf: BTreeMap::new(),
            whose: BTreeMap::new(),
        }
    }

    /// Adds a wheel.
    pub fn add<R: ReaderAt>(&mut self, archive: &Archive<R>, contents: &Contents, elf: &OfWheel) -> anyhow::Result<()> {
        let info = format!("{}/lib/{}", self.root, contents.dist_info);
        let wheel = contents.dist_info.trim_end_matches(".dist-info");
        // RECORD as it will be installed: with the places of the files, not of the archive's members.
        let mut record = String::new();
        for placed in &contents.files {
            let (folder, from_library) = match placed.scheme {
                Scheme::Library => ("lib/", ""),
                Scheme::Scripts => ("bin/", "../bin/"),
                Scheme::Data => ("", "../"),
                Scheme::Headers => ("include/", "../include/"),
            };
            let path = format!("{}/{folder}{}", self.root, placed.path);
            let size = archive.members()[placed.place].size;
            let row = FileRow { mode: 0o100_644, size, ..FileRow::default() };
            record.push_str(&format!("\"{from_library}{}\",,\n", placed.path.replace('"', "\"\"")));
            self.whose.insert(path.clone(), wheel.to_owned());
            self.described.files.insert(path, row);
        }
        for name in ["METADATA", "WHEEL"] {
            if let Some(place) = archive.find(&format!("{}/{name}", contents.dist_info)) {
                self.texts.insert(format!("{info}/{name}"), archive.read_text(place)?);
            }
        }
        self.texts.insert(format!("{info}/RECORD"), record);
        for file in &elf.files {
            self.elf.insert(format!("{}/{}", self.root, file.path), file.facts.clone());
        }
        Ok(())
    }
}

/// Makes the checks that need no RPM.
///
/// - Gives: each finding with the name of its check, in the order of the checks.
pub fn judge_wheels(wheels: WheelEvidence) -> Vec<(&'static str, OfOneWheel)> {
    let WheelEvidence { root, target, described, texts, elf, whose } = wheels;
    let evidence = Evidence::of_files(root, target, described, texts, elf);
    let mut all = Vec::new();
    for check in CHECKS.iter().filter(|check| OF_WHEELS.contains(&check.name)) {
        let Outcome::Made { mut findings, .. } = (check.judge)(&evidence) else { continue };
        settle(&mut findings);
        all.extend(findings.into_iter().map(|finding| {
            let wheel = whose.get(&finding.path).cloned().unwrap_or_default();
            (check.name, OfOneWheel { wheel, finding })
        }));
    }
    all
}
