//! Versions of RPMs sort, by rpm's own comparison, as PEP 440 sorts those that they are made from.

use crate::packaging::comparison::Lcg;
use crate::packaging::{ask_packaging, run};
use anyhow::{Context as _, ensure};
use pep440_rs::Version;
use serde_json::json;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::process::Command;
use std::str::FromStr as _;
use wheelhaul_package::rpm::rpm_version;

/// Pieces of PEP 440 versions, each list with the empty one.
pub const RELEASES: [&str; 14] = [
    "0",
    "0.9",
    "1",
    "1.0",
    "1.0.0",
    "1.0.0.0",
    "1.0.0.1",
    "1.0.0.0.1",
    "1.0.1",
    "1.1",
    "1.10",
    "2.0",
    "2024.1",
    "2024.01.00",
];
pub const PRES: [&str; 6] = ["", "a1", "a2", "b1", "rc1", "rc10"];
pub const POSTS: [&str; 4] = ["", ".post0", ".post1", ".post2"];
pub const DEVS: [&str; 4] = ["", ".dev0", ".dev1", ".dev2"];
pub const EPOCHS: [&str; 2] = ["", "1!"];
/// Local versions whose parts are numbers or letters; see [`MIXED`].
const LOCALS: [&str; 14] =
    ["", "+0", "+1", "+2", "+10", "+a", "+ab", "+zz", "+post", "+1.a", "+1.1", "+a.1", "+ubuntu.22.4", "+local"];
/// As teams write them, from PyPI.
const REAL: [&str; 30] = [
    "0.0.1",
    "0.1.0a0",
    "0.1.0.dev20240101",
    "0.9.9.9",
    "1.0.0rc1",
    "1.0.0-rc.2",
    "1.0b2.post345.dev456",
    "1.0.0.post20231201",
    "1.2.3.4.5",
    "1.2.3+cpu",
    "1.2.3+cu",
    "1.16.0",
    "1.26.4",
    "2.0.0b1",
    "2.9.0.post0",
    "2004d",
    "2023.3.post1",
    "2024.1",
    "2024.2.2",
    "2026.10.18",
    "23.12b1",
    "3.0.0.dev0",
    "3.0",
    "3.10.0",
    "3.9.18",
    "4.2.11",
    "5!1.0",
    "6.0rc1.post1",
    "20240117",
    "9.0.0+local.1",
];

/// Every version of the pieces, without a local one.
fn public_versions() -> Vec<String> {
    let mut versions = Vec::new();
    for epoch in EPOCHS {
        for release in RELEASES {
            for pre in PRES {
                for post in POSTS {
                    versions.extend(DEVS.iter().map(|dev| format!("{epoch}{release}{pre}{post}{dev}")));
                }
            }
        }
    }
    versions
}

#[test]
fn rpm_sorts_versions_as_packaging_does() -> anyhow::Result<()> {
    let mut taste = Lcg(4);
    let public = public_versions();
    let mut versions = public.clone();
    versions.extend((0..2_000).map(|_| format!("{}{}", public[taste.below(public.len())], taste.pick(&LOCALS))));
    versions.extend(REAL.iter().filter(|text| Version::from_str(text).is_ok()).map(|text| (*text).to_owned()));
    // Those of one release with each local version beside what is just above and below.
    for public in ["1.0", "1.0rc1", "1.0.post1", "1.0.dev1", "1.0.0.1", "1!2.0"] {
        versions.extend(LOCALS.iter().map(|local| format!("{public}{local}")));
    }
    let places: Vec<usize> = serde_json::from_value(ask_packaging("versions", &json!(versions))?)?;
    let mut by_place: Vec<usize> = (0..versions.len()).collect();
    by_place.sort_by_key(|index| places[*index]);
    // Neighbours are the hardest, those that are equal among them, and any two must do as well.
    let near = by_place.windows(4).flat_map(|few| [(few[0], few[1]), (few[0], few[2]), (few[3], few[0])]);
    let any = (0..5_000).map(|_| (taste.below(versions.len()), taste.below(versions.len())));
    let pairs: Vec<(usize, usize)> = near.chain(any).collect();
    let ours =
        compare_with_rpm(&pairs.iter().map(|(a, b)| (evr(&versions[*a]), evr(&versions[*b]))).collect::<Vec<_>>())?;
    let mut differing = BTreeSet::new();
    let mut equal = 0;
    for ((a, b), ours) in pairs.iter().zip(ours) {
        let theirs = places[*a].cmp(&places[*b]);
        equal += usize::from(theirs == Ordering::Equal && versions[*a] != versions[*b]);
        if ours != theirs {
            differing.insert(format!(
                "`{}` and `{}`: rpm says {ours:?} of `{}` and `{}`, packaging {theirs:?}",
                versions[*a],
                versions[*b],
                evr(&versions[*a]),
                evr(&versions[*b])
            ));
        }
    }
    println!("{} pairs of {} versions, {equal} of them two spellings of one", pairs.len(), versions.len());
    ensure!(equal > 500, "only {equal} pairs are two spellings of one version");
    let shown: Vec<&str> = differing.iter().take(20).map(String::as_str).collect();
    ensure!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), pairs.len(), shown.join("\n"));
    Ok(())
}

/// What remains: parts of a local version that mix letters and digits.
///
/// PEP 440 compares such a part as a text that is older than every number. rpm splits it, compares its digits as
/// numbers, and takes a split part for two. Any spelling that sorts right would spell the digits in letters, and
/// nobody could read it. Between two builds of one release with such names the release of the RPM decides best.
const MIXED: [(&str, &str, Ordering); 4] = [
    ("1.0+a10", "1.0+a9", Ordering::Greater),
    ("1.0+3a", "1.0+2", Ordering::Greater),
    ("1.0+ab1", "1.0+ab.1", Ordering::Equal),
    ("1.0+g1a2b", "1.0+g1a2", Ordering::Greater),
];

#[test]
fn limits_of_local_versions_are_what_they_were() -> anyhow::Result<()> {
    for (a, b, expected) in MIXED {
        let ours = compare_with_rpm(&[(evr(a), evr(b))])?;
        ensure!(ours == [expected], "rpm says {ours:?} of `{a}` and `{b}`: correct `MIXED`");
        // Whatever the part, it stays between its release and the next.
        for (below, above) in [("1.0", a), (a, "1.0.post0.dev0"), (a, "1.0.0.0.1"), (b, "1.0.1.dev1"), ("1.0rc9", b)] {
            ensure!(compare_with_rpm(&[(evr(below), evr(above))])? == [Ordering::Less], "`{below}` and `{above}`");
        }
    }
    let different = MIXED.iter().map(|(a, b, expected)| {
        let places: Vec<usize> = serde_json::from_value(ask_packaging("versions", &json!([a, b]))?)?;
        Ok(places[0].cmp(&places[1]) != *expected)
    });
    let different = different.collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(different == [true, true, true, false], "{different:?}");
    Ok(())
}

/// Epoch and version as rpm compares them.
fn evr(version: &str) -> String {
    let (epoch, text) = rpm_version(&Version::from_str(version).expect("made by PEP 440's grammar"));
    format!("{}:{text}", epoch.unwrap_or(0))
}

/// Compares pairs by the rpm of this host; its Lua aborts where one script prints too much.
fn compare_with_rpm(pairs: &[(String, String)]) -> anyhow::Result<Vec<Ordering>> {
    const SCRIPT: &str =
        "%{lua: for line in io.lines() do local a, b = line:match('(%S+) (%S+)') print(rpm.vercmp(a, b), '') end}";
    let mut all = Vec::new();
    for pairs in pairs.chunks(1_000) {
        let lines: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
        let said = run(Command::new("rpm").args(["--eval", SCRIPT]), &lines)?;
        let answers: Vec<Ordering> = said
            .split_whitespace()
            .map(|number| Ok(number.parse::<i32>()?.cmp(&0)))
            .collect::<anyhow::Result<_>>()
            .with_context(|| format!("rpm said {said}"))?;
        ensure!(answers.len() == pairs.len(), "rpm answered {} of {} pairs", answers.len(), pairs.len());
        all.extend(answers);
    }
    Ok(all)
}
