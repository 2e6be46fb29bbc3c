//! `lock --explain`: what became of one package on one target, and of every file of it, in words.

use crate::{Candidate, Offer, Offers, choose, offer_of};
use pep508_rs::{ExtraName, PackageName};
use serde::Serialize;
use wheelhaul_base::text::{line, one_line};
use wheelhaul_boxes::{Asked, TagRanks, Target};
use wheelhaul_config::Build;
use wheelhaul_lockfiles::{Filtered, Need, Pin, Pins, Why};
use wheelhaul_wheel::closure::Asks;

/// One package on one target.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// the target's name
    pub target: String,
    /// `CPython 3.11, glibc 2.34, x86_64`
    pub is: String,
    /// its entries in the team's lock
    pub entries: Vec<Entry>,
    /// who needs it, `flask 3.0.3 (werkzeug>=3.0.0)`
    pub needed_by: Vec<String>,
}

/// One entry of the team's lock.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// as locked
    pub version: String,
    /// where it stands
    pub place: String,
    /// whether the box gets it
    pub kept: bool,
    /// why the box does not get it, in words
    pub reason: Option<String>,
    /// the marker that decides, as written
    pub marker: Option<String>,
    /// each comparison of the marker: its text, the value on the box, the answer
    pub comparisons: Vec<(String, String, bool)>,
    /// every file that is offered
    pub files: Vec<OfferedFile>,
}

/// One file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OfferedFile {
    /// its name
    pub name: String,
    /// what became of it
    pub verdict: FileVerdict,
    /// why, tag by tag
    pub reasons: Vec<String>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileVerdict {
    /// the box gets it
    Chosen,
    /// it would do, and another is better
    Fits,
    /// it would do, and the team's lock has no hash of it
    NotHashed,
    /// a source distribution
    Source,
    /// it is for another box
    DoesNotFit,
}

/// What is known of who asks for packages.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// of the chosen distributions, as far as they are known
    pub asks: &'a [Asks],
    /// what the application asks for, each with the file that says it
    pub own: &'a [(String, Need)],
}

/// Explains a package.
///
/// - Takes: `offers` of its kept pins; `known`, who asks for what.
pub fn explain(
    name: &PackageName,
    pins: &Pins,
    filtered: &Filtered<'_>,
    offers: &Offers,
    known: Known<'_>,
    target: &Target,
    build: &Build,
) -> Explanation {
    let environment = target.environment();
    let entry = |pin: &Pin| {
        let kept = filtered.kept.iter().any(|kept| std::ptr::eq(kept.pin, pin));
        let dropped = filtered.dropped.iter().find(|dropped| std::ptr::eq(dropped.pin, pin)).map(|d| &d.why);
        let marker = pin.marker.as_deref().or(dropped.and_then(Why::marker)).filter(|_| pin.left_out.is_none());
        let judged = marker.and_then(|marker| environment.judged(marker, &pins.asked).ok());
        let offer = offer_of(offers, pin).map(|(_, offer)| offer).filter(|_| kept);
        Entry {
            version: pin.version.to_string(),
            place: pin.place.clone(),
            kept,
            reason: dropped.map(|why| why.in_words(&target.name)),
            marker: marker.map(str::to_owned),
            comparisons: judged.unwrap_or_default().into_iter().map(|j| (j.comparison, j.value, j.holds)).collect(),
            files: offer.map_or_else(Vec::new, |offer| files(pin, offer, target, build)),
        }
    };
    Explanation {
        target: target.name.clone(),
        is: target.in_words(),
        entries: pins.pins.iter().filter(|pin| pin.name == *name).map(entry).collect(),
        needed_by: needed_by(name, pins, filtered, known, target),
    }
}

/// By the lock itself, where it is a graph, and by the metadata of the wheels.
fn needed_by(
    name: &PackageName,
    pins: &Pins,
    filtered: &Filtered<'_>,
    known: Known<'_>,
    target: &Target,
) -> Vec<String> {
    let Known { asks, own } = known;
    let environment = target.environment();
    let wants = |need: &Need, extras: &[ExtraName]| {
        let asked = Asked { extras: [extras, &pins.asked.extras].concat(), groups: pins.asked.groups.clone() };
        let holds = need.marker.as_ref().is_none_or(|marker| environment.holds(marker, &asked).unwrap_or(false));
        need.name == *name && holds && need.of_extra.as_ref().is_none_or(|extra| extras.contains(extra))
    };
    let mut needed = Vec::new();
    if pins.roots.iter().flatten().any(|need| wants(need, &[])) {
        needed.push("the application itself".to_owned());
    } else if let Some((file, _)) = own.iter().find(|(_, need)| wants(need, &[])) {
        needed.push(format!("the application itself (`{file}`)"));
    }
    for asked in asks.iter().filter(|asks| asks.name == *name) {
        let extra = asked.extra.as_ref().map(|extra| format!("[{extra}]")).unwrap_or_default();
        let version = filtered.kept.iter().find(|kept| kept.pin.name == asked.by).map(|kept| &kept.pin.version);
        let version = version.map(|version| format!(" {version}")).unwrap_or_default();
        needed.push(format!("{}{extra}{version} ({})", asked.by, asked.what));
    }
    for kept in &filtered.kept {
        let is_known = asks.iter().any(|asks| asks.name == *name && asks.by == kept.pin.name);
        if !is_known && kept.pin.needs.iter().any(|need| wants(need, &kept.extras)) {
            needed.push(format!("{} {} (by the team's lock)", kept.pin.name, kept.pin.version));
        }
    }
    needed
}

fn files(pin: &Pin, offer: &Offer, target: &Target, build: &Build) -> Vec<OfferedFile> {
    let ranks = TagRanks::new(target.tags());
    let chosen = choose(pin, &offer.wheels, &ranks).ok();
    let mut files: Vec<(FileVerdict, Option<usize>, OfferedFile)> = offer
        .wheels
        .iter()
        .map(|wheel| {
            let (verdict, reasons) = judge(wheel, pin, chosen, &ranks, target);
            let name = wheel.name.to_string();
            (verdict, wheel.name.rank(&ranks), OfferedFile { name, verdict, reasons })
        })
        .collect();
    if let Some(sdist) = &offer.sdist {
        let is_accepted = pin.hashes.is_empty() || pin.hashes.contains(&sdist.sha256);
        let reason = match (chosen, build.allows(&pin.name)) {
            (Some(_), _) => "a source distribution, where a wheel fits",
            (None, _) if !is_accepted => "the lock has no hash of it",
            (None, true) => "a wheel is built from it: `[sdist] build` allows it",
            (None, false) => "no wheel fits, and `[sdist] build` in `dist/package.toml` does not allow to build one",
        };
        let reasons = vec![reason.to_owned()];
        files.push((
            FileVerdict::Source,
            None,
            OfferedFile { name: sdist.name.clone(), verdict: FileVerdict::Source, reasons },
        ));
    }
    files.sort_by(|(a, a_rank, a_file), (b, b_rank, b_file)| (a, a_rank, &a_file.name).cmp(&(b, b_rank, &b_file.name)));
    files.into_iter().map(|(.., file)| file).collect()
}

fn judge(
    wheel: &Candidate,
    pin: &Pin,
    chosen: Option<&Candidate>,
    ranks: &TagRanks,
    target: &Target,
) -> (FileVerdict, Vec<String>) {
    let best = wheel.name.tags().filter_map(|tag| Some((ranks.rank(&tag)?, tag))).min_by_key(|(rank, _)| *rank);
    let Some((rank, tag)) = best else {
        let mut reasons: Vec<String> = Vec::new();
        for reason in wheel.name.tags().flat_map(|tag| target.why_not(&tag)) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        return (FileVerdict::DoesNotFit, reasons);
    };
    if !pin.hashes.is_empty() && !pin.hashes.contains(&wheel.sha256) {
        return (FileVerdict::NotHashed, vec![format!("`{tag}` fits, but the lock ({}) has no hash of it", pin.place)]);
    }
    match chosen {
        Some(chosen) if chosen == wheel => (FileVerdict::Chosen, vec![format!("`{tag}` is the best that is offered")]),
        Some(chosen) if chosen.name.rank(ranks) == Some(rank) => {
            (FileVerdict::Fits, vec![format!("`{tag}` fits as well; the build tag decides, then the name")])
        }
        _ => (FileVerdict::Fits, vec![format!("`{tag}` fits, and comes after that of the chosen one")]),
    }
}

impl Explanation {
    /// For people.
    pub fn to_text(&self, name: &PackageName) -> String {
        let mut text = line(&format!("{name} on {} ({})", self.target, self.is));
        match self.needed_by.as_slice() {
            [] if self.entries.iter().any(|entry| entry.kept) => {
                text.push_str("  needed by: nobody that is known; the team locked it\n");
            }
            [] => {}
            needed => text.push_str(&line(&format!("  needed by: {}", needed.join(", ")))),
        }
        for entry in &self.entries {
            text.push_str(&one_line(&format!("  {} ({}): ", entry.version, entry.place)));
            match (&entry.reason, &entry.marker) {
                (Some(reason), _) => text.push_str(&line(&format!("not for the box: {reason}"))),
                (None, Some(marker)) => text.push_str(&line(&format!("for the box, under its marker `{marker}`"))),
                (None, None) => text.push_str("for the box, without a marker\n"),
            }
            for (comparison, value, holds) in &entry.comparisons {
                text.push_str(&line(&format!("    `{comparison}` is {holds}: it is `{value}`")));
            }
            let width = entry.files.iter().map(|file| file.name.len()).max().unwrap_or(0);
            for file in &entry.files {
                let verdict = match file.verdict {
                    FileVerdict::Chosen => "chosen",
                    FileVerdict::Fits => "fits",
                    FileVerdict::NotHashed => "no hash",
                    FileVerdict::Source => "source",
                    FileVerdict::DoesNotFit => "no",
                };
                text.push_str(&line(&format!("    {verdict:<8} {:<width$}  {}", file.name, file.reasons.join("; "))));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_boxes::Requirement;
    use wheelhaul_lockfiles::{FileLocation, Versions, filter, parse_text};

    #[test]
    fn every_file_is_told_with_its_reason() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        let hash = |digit: &str| format!("--hash=sha256:{}", digit.repeat(64));
        let text = format!("a==1 ; python_version < '4' {} {} {}\n", hash("0"), hash("1"), hash("2"));
        let pins = parse_text("requirements.txt", &text).unwrap();
        let filtered = filter(&pins, &target).unwrap();
        let tags =
            ["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64", "cp311-abi3-linux_x86_64"];
        let wheel = |(index, tags): (usize, &&str)| Candidate {
            name: format!("a-1-{tags}.whl").parse().unwrap(),
            at: FileLocation::Url(String::new()),
            size: None,
            sha256: index.to_string().repeat(64),
            uploaded: None,
        };
        let offer = Offer { wheels: tags.iter().enumerate().map(wheel).collect(), sdist: None };
        let offers = Offers::from([(("a".parse().unwrap(), "1".parse().unwrap()), offer)]);
        let name = "a".parse().unwrap();
        let asks =
            [Asks { name: "a".parse().unwrap(), by: "b".parse().unwrap(), extra: None, what: "a>=1".to_owned() }];
        let requirement: Requirement = "a ; sys_platform == 'linux'".parse().unwrap();
        let marker = requirement.marker.clone();
        let need = |name: &str, marker| Need {
            name: name.parse().unwrap(),
            extras: Vec::new(),
            versions: Versions::Any,
            entry: None,
            marker,
            of_extra: None,
        };
        let own = [
            ("requirements.in".to_owned(), need("a", Some("sys_platform == 'win32'".to_owned()))),
            ("pyproject.toml".to_owned(), need("a", marker)),
        ];
        let told = explain(&name, &pins, &filtered, &offers, Known { asks: &asks, own: &own }, &target, &Build::None)
            .to_text(&name);
        let expected = "a on el9-x86_64 (CPython 3.11, glibc 2.34, x86_64)
  needed by: the application itself (`pyproject.toml`), b (a>=1)
  1 (line 1): for the box, under its marker `python_version < '4'`
    `python_version < '4'` is true: it is `3.11`
    chosen   a-1-cp311-cp311-manylinux_2_17_x86_64.whl  `cp311-cp311-manylinux_2_17_x86_64` is the best that is offered
    fits     a-1-py3-none-any.whl                       `py3-none-any` fits, and comes after that of the chosen one
    no hash  a-1-cp311-abi3-linux_x86_64.whl            `cp311-abi3-linux_x86_64` fits, but the lock (line 1) has no hash of it
    no       a-1-cp311-cp311-win_amd64.whl              `win_amd64` is for Windows
";
        assert_eq!(told, expected);
    }
}
