//! Of the files that an index offers for a pin, the one that the box gets.

use anyhow::bail;
use camino::Utf8PathBuf;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use wheelhaul_boxes::TagRanks;
use wheelhaul_lockfiles::{DirectFile, FileLocation, Pin};
use wheelhaul_wheel::WheelName;

/// A wheel that the index, or the team's lock itself, offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// its parsed name
    pub name: WheelName,
    /// where it is; never written to a committed file
    pub at: FileLocation,
    /// in bytes, where the index says it
    pub size: Option<u64>,
    /// in lower-case hex
    pub sha256: String,
    /// when it was uploaded, in RFC 3339, where the index says it
    pub uploaded: Option<String>,
}

/// A source distribution that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedSdist {
    /// the file's name
    pub name: String,
    /// where it is; never written to a committed file
    pub at: FileLocation,
    /// in lower-case hex
    pub sha256: String,
    /// when it was uploaded, in RFC 3339, where the index says it
    pub uploaded: Option<String>,
    /// the folder of it that is built; none for the whole
    pub subdirectory: Option<Utf8PathBuf>,
}

/// What is offered for one version of a package.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// its wheels, in the order of the index
    pub wheels: Vec<Candidate>,
    /// its source distribution
    pub sdist: Option<OfferedSdist>,
}

impl Offer {
    /// The files that a lock places itself.
    ///
    /// - Fails: for a name that is neither a wheel's nor a source distribution's, or of another package.
    pub fn placed(pin: &Pin) -> anyhow::Result<Self> {
        let mut offer = Self::default();
        for DirectFile { name, at, size, sha256, subdirectory } in &pin.files {
            let (at, sha256) = (at.clone(), sha256.clone());
            if !name.ends_with(".whl") {
                offer.sdist = Some(OfferedSdist {
                    name: name.clone(),
                    at,
                    sha256,
                    uploaded: None,
                    subdirectory: subdirectory.clone(),
                });
                continue;
            }
            let wheel = WheelName::from_str(name)?;
            if wheel.name != pin.name || wheel.version != pin.version {
                bail!("`{name}` ({}) is not a wheel of {} {}", pin.place, pin.name, pin.version);
            }
            offer.wheels.push(Candidate { name: wheel, at, size: *size, sha256, uploaded: None });
        }
        Ok(offer)
    }
}

/// Offers by name and version.
pub type Offers = BTreeMap<(PackageName, Version), Offer>;

/// What is offered for a pin: for its version, else for the highest with a local part, where that will do.
pub fn offer_of<'a>(offers: &'a Offers, pin: &Pin) -> Option<(&'a Version, &'a Offer)> {
    let of_name =
        offers.range((pin.name.clone(), pin.version.clone())..).take_while(|((name, _), _)| *name == pin.name);
    let mut found = None;
    for ((_, version), offer) in of_name.take_while(|((_, version), _)| pin.is_of(version)) {
        if *version == pin.version {
            return Some((version, offer));
        }
        found = Some((version, offer));
    }
    found
}

/// Why no wheel was chosen for a pin.
#[derive(Debug)]
pub struct NoWheel {
    /// the names of wheels that fit the box and are not among the hashes of the team's lock
    pub fit_without_hash: Vec<String>,
    /// the tags of the wheels that are offered, as in their names
    pub offered: Vec<String>,
}

/// Chooses one wheel for a pin.
///
/// - Takes: `offered`, the wheels of that name and version, in any order; `ranks` of the target.
/// - Ties: the lower rank wins, then the higher build tag (none ranks lowest), then the file name.
/// - Fails: where no wheel fits, or none that fits has a hash of the pin's, where it has any.
/// - Source: PEP 425 "Use"; binary distribution format, "File name convention".
pub fn choose<'a>(pin: &Pin, offered: &'a [Candidate], ranks: &TagRanks) -> Result<&'a Candidate, NoWheel> {
    let accepted = |candidate: &Candidate| pin.hashes.is_empty() || pin.hashes.contains(&candidate.sha256);
    let fitting = || offered.iter().filter(|c| c.name.rank(ranks).is_some());
    fitting()
        .filter(|candidate| accepted(candidate))
        .min_by_key(|c| (c.name.rank(ranks), Reverse(c.name.build.clone()), c.name.to_string()))
        .ok_or_else(|| NoWheel {
            fit_without_hash: fitting().map(|candidate| candidate.name.to_string()).collect(),
            offered: offered.iter().map(|candidate| candidate.name.tag_text()).collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_boxes::Target;
    use wheelhaul_lockfiles::parse_text;

    fn candidate(tags: &str, digit: &str) -> Candidate {
        Candidate {
            name: format!("a-1-{tags}.whl").parse().unwrap(),
            at: FileLocation::Url(String::new()),
            size: None,
            sha256: digit.repeat(64),
            uploaded: None,
        }
    }

    #[test]
    fn the_best_tag_with_an_accepted_hash_is_chosen() {
        let ranks = TagRanks::new(Target::find("el9-x86_64", Some("3.11"), None).unwrap().tags());
        let any = "a==1".to_owned();
        let only = |digit: &str| format!("a==1 --hash=sha256:{}", digit.repeat(64));
        #[rustfmt::skip]
        let cases = [ // line in the lock, files offered,                                                     chosen
            (any.clone(),  vec!["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"],                          Some(1)),
            (any.clone(),  vec!["cp39-abi3-manylinux_2_28_x86_64", "cp39-abi3-manylinux_2_17_x86_64"],         Some(0)),
            (any.clone(),  vec!["cp39-abi3-manylinux_2_35_x86_64", "cp39-abi3-manylinux_2_17_x86_64"],         Some(1)),
            (any.clone(),  vec!["1-py3-none-any", "10-py3-none-any", "py3-none-any"],                          Some(1)),
            (any.clone(),  vec!["cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-win_amd64"],                  None),
            (only("0"),    vec!["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"],                          Some(0)),
            (only("7"),    vec!["py3-none-any"],                                                               None),
        ];
        for (line, tags, chosen) in cases {
            let pins = parse_text("requirements.txt", &line).unwrap();
            let files: Vec<Candidate> =
                tags.iter().enumerate().map(|(i, tags)| candidate(tags, &i.to_string())).collect();
            let got = choose(&pins.pins[0], &files, &ranks);
            assert_eq!(
                got.ok().map(|c| c.name.to_string()),
                chosen.map(|i: usize| files[i].name.to_string()),
                "{line} {tags:?}"
            );
        }
    }
}
