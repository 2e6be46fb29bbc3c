//! Ranges of advisories have the versions that they have by `packaging`.

use crate::packaging::ask_packaging;
use crate::packaging::comparison::Lcg;
use crate::versions::{DEVS, EPOCHS, POSTS, PRES, RELEASES};
use anyhow::ensure;
use serde_json::json;
use wheelhaul_verify::advisories::{Affected, Affectedness};

fn version(taste: &mut Lcg) -> String {
    let [epoch, release, pre, post, dev] = [&EPOCHS[..], &RELEASES, &PRES, &POSTS, &DEVS].map(|list| taste.pick(list));
    let local = if taste.one_in(20) { "+local.1" } else { "" };
    match taste.one_in(3) {
        true => format!("{epoch}{release}{pre}{post}{dev}{local}"),
        false => format!("{release}{pre}{local}"),
    }
}

/// Up to six events in any order, some of them of one version.
fn events(taste: &mut Lcg) -> Vec<(&'static str, String)> {
    let mut events = Vec::new();
    if taste.one_in(2) {
        events.push(("introduced", "0".to_owned()));
    }
    for _ in 0..=taste.below(5) {
        let kind = taste.pick(&["introduced", "fixed", "introduced", "fixed", "last_affected", "limit"]);
        let same = events.last().filter(|_| taste.one_in(8)).map(|(_, at)| at.clone());
        let at = if kind == "limit" && taste.one_in(4) { "*".to_owned() } else { same.unwrap_or(version(taste)) };
        if kind == "limit" || at != "*" {
            events.push((kind, at));
        }
    }
    events
}

#[test]
fn ranges_have_the_versions_that_packaging_says() -> anyhow::Result<()> {
    let mut taste = Lcg(11);
    let mut ranges = Vec::new();
    for _ in 0..3_000 {
        let versions: Vec<String> = (0..20).map(|_| version(&mut taste)).collect();
        ranges.push((events(&mut taste), versions));
    }
    let theirs: Vec<Vec<bool>> = serde_json::from_value(ask_packaging("ranges", &json!(ranges))?)?;
    let (mut affected, mut all) = (0, 0);
    let mut differing = Vec::new();
    for ((events, versions), theirs) in ranges.iter().zip(&theirs) {
        let borrowed: Vec<(&str, &str)> = events.iter().map(|(kind, at)| (*kind, at.as_str())).collect();
        let range = Affected::of_events(&borrowed);
        for (version, has) in versions.iter().zip(theirs) {
            // The one intended difference: a local version has what its public one has.
            if version.contains('+') && !has {
                continue;
            }
            all += 1;
            affected += usize::from(*has);
            let ours = range.judge(&version.parse().map_err(anyhow::Error::msg)?);
            if ours != if *has { Affectedness::Affected } else { Affectedness::Unaffected } {
                differing.push(format!("`{version}` in {events:?}: {ours:?}, and packaging says {has}"));
            }
        }
    }
    println!("{all} versions, {affected} of them affected");
    ensure!(all > 50_000 && affected > all / 5 && affected < all * 4 / 5, "the generator is lopsided");
    let shown: Vec<&str> = differing.iter().take(10).map(String::as_str).collect();
    ensure!(differing.is_empty(), "{} differ:\n{}", differing.len(), shown.join("\n"));
    Ok(())
}
