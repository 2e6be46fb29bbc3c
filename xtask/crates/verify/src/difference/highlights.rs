//! What a person ought to look at first.

use crate::Direction;
use crate::Evidence;
use crate::difference::service::Effect;
use crate::difference::{ChangeKind, Difference, LookAt, Upgrade};

pub(super) fn first(difference: &Difference, effects: &[Effect], old: &Evidence, new: &Evidence) -> Vec<LookAt> {
    let mut all = Vec::new();
    let mut look = |section: &'static str, what: String| all.push(LookAt { section, what });
    let (before, now) = (&difference.old, &difference.new);
    for (which, evidence) in [("old", old), ("new", new)] {
        let faults = evidence.digest_faults.len() + evidence.changed_files.len();
        if faults > 0 {
            look("package", format!("the {which} package is damaged, so nothing here is certain: verify it"));
        }
    }
    match difference.upgrade {
        Upgrade::Upgrade => {}
        Upgrade::Same => look(
            "package",
            format!(
                "both are {}: rpm takes the new one for installed already, and needs `--replacepkgs` or `dnf reinstall`",
                now.evr
            ),
        ),
        Upgrade::Downgrade => look(
            "package",
            format!(
                "{} is older than {}: rpm refuses it without `dnf downgrade` or `--oldpackage`",
                now.evr, before.evr
            ),
        ),
        Upgrade::OtherPackage => {
            look("package", format!("`{}` is another package than `{}`, and no upgrade of it", now.name, before.name))
        }
    }
    if before.arch != now.arch {
        look("package", format!("it is for {} instead of {}", now.arch, before.arch));
    }
    if before.target != now.target {
        let name = |target: &Option<String>| target.clone().unwrap_or_else(|| "an unknown target".to_owned());
        look("package", format!("it is for {} instead of {}", name(&now.target), name(&before.target)));
    }
    for effect in effects.iter().filter(|effect| effect.matters) {
        look("service", effect.said.clone());
    }
    match (&before.signature, &now.signature) {
        (Some(_), None) => look("package", "the old package is signed, and the new one is not".to_owned()),
        (Some(old), Some(new)) if old != new => {
            look("package", format!("another key has signed it: {new} instead of {old}"));
        }
        _ => {}
    }
    let own = format!("config({})", now.name);
    for name in difference.requires.added.iter().filter(|name| !name.starts_with(&own)) {
        look("requires", format!("the box must have `{name}`, which was not required before"));
    }
    for name in &difference.conflicts.added {
        look("conflicts", format!("it cannot be installed beside `{name}`, which it could before"));
    }
    for name in &difference.obsoletes.added {
        look("obsoletes", format!("it takes the place of `{name}`, which dnf then removes"));
    }
    for dist in difference.dists.changed.iter().filter(|dist| dist.direction == Direction::Down) {
        look("dists", format!("`{}` goes back from {} to {}", dist.name, dist.old, dist.new));
    }
    for change in &difference.dists.relicensed {
        look("dists", format!("the licence of `{}` is {} instead of {}", change.what, change.new, change.old));
    }
    for config in &difference.config {
        let what = match config.kind {
            ChangeKind::Added => "is new",
            ChangeKind::Removed => "goes",
            ChangeKind::Changed => "has another default",
        };
        look("config", format!("`{}` {what}: {}", config.path, config.on_the_box));
    }
    for script in &difference.scriptlets {
        look("scriptlets", format!("%{} {}, and runs as root", section_of(&script.name), word(script.kind)));
    }
    for file in difference.files.groups.iter().flat_map(|group| &group.changed) {
        for change in file.changes.iter().filter(|change| matches!(change.what.as_str(), "kind" | "mode" | "owner")) {
            look("files", format!("`{}`: {} {} instead of {}", file.path, change.what, change.new, change.old));
        }
    }
    shortened(all)
}

/// A scriptlet's name, as a spec has it.
fn section_of(name: &str) -> &str {
    if name == "verify" { "verifyscript" } else { name }
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "is new",
        ChangeKind::Removed => "is gone",
        ChangeKind::Changed => "has changed",
    }
}

/// No more of a section than a person reads: the rest is counted.
fn shortened(all: Vec<LookAt>) -> Vec<LookAt> {
    const MOST: usize = 20;
    let mut kept: Vec<LookAt> = Vec::new();
    let mut rest: Vec<(&'static str, usize)> = Vec::new();
    for look in all {
        let same = kept.iter().filter(|other| other.section == look.section).count();
        match (same < MOST, rest.iter_mut().find(|(section, _)| *section == look.section)) {
            (true, _) => kept.push(look),
            (false, Some((_, number))) => *number += 1,
            (false, None) => rest.push((look.section, 1)),
        }
    }
    for (section, number) in rest {
        let last = kept.iter().rposition(|look| look.section == section).map_or(kept.len(), |last| last + 1);
        kept.insert(
            last,
            LookAt { section, what: format!("and {}, see below", format_args!("{number} more of this kind")) },
        );
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_with_much_to_look_at_does_not_hide_the_others() {
        let of = |section: &'static str, number: usize| LookAt { section, what: number.to_string() };
        let all = (0..50).map(|number| of("files", number)).chain([of("units", 1)]).chain([of("files", 50)]).collect();
        let kept = shortened(all);
        let last: Vec<String> = kept.iter().skip(19).map(|look| format!("{} {}", look.section, look.what)).collect();
        assert_eq!(last, ["files 19", "files and 31 more of this kind, see below", "units 1"]);
    }
}
