//! Units of two packages, key by key.

use crate::difference::lines::{Lines, kind_of};
use crate::difference::{ChangeKind, KeyChange, UnitChange};
use crate::{Evidence, sysusers, units};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_systemd::UnitText;

pub(super) fn between(old: &Evidence, new: &Evidence, lines: &mut Lines) -> Vec<UnitChange> {
    let is_unit = |path: &&String| path.starts_with(units::FOLDER) || path.starts_with(sysusers::FOLDER);
    let paths: BTreeSet<&String> = old.texts.keys().chain(new.texts.keys()).filter(is_unit).collect();
    let changed = paths.into_iter().filter_map(|path| {
        let (before, now) = (old.texts.get(path), new.texts.get(path));
        let kind = kind_of(before, now)?;
        let (before, now) = (before.map_or("", String::as_str), now.map_or("", String::as_str));
        let by_key = kind == ChangeKind::Changed && path.starts_with(units::FOLDER);
        let keys = if by_key { key_changes(path, before, now) } else { Vec::new() };
        Some(UnitChange { path: path.clone(), kind, keys, diff: lines.diff(before, now) })
    });
    changed.collect()
}

/// In the order of the new unit, then those that are gone.
fn key_changes(path: &str, old: &str, new: &str) -> Vec<KeyChange> {
    let (old, new) = (UnitText::parse(path, old), UnitText::parse(path, new));
    let (before, now) = (by_key(&old), by_key(&new));
    let mut seen = BTreeSet::new();
    let all = new.keys.iter().chain(&old.keys).map(|key| (key.section, key.key)).filter(|key| seen.insert(*key));
    let none = Vec::new();
    let changed = all.filter_map(|key| {
        let (old, new) = (before.get(&key).unwrap_or(&none), now.get(&key).unwrap_or(&none));
        let (section, name) = (key.0.to_owned(), key.1.to_owned());
        (old != new).then(|| KeyChange { section, key: name, old: old.clone(), new: new.clone() })
    });
    changed.collect()
}

fn by_key<'a>(unit: &'a UnitText<'a>) -> BTreeMap<(&'a str, &'a str), Vec<String>> {
    let mut all: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for key in &unit.keys {
        all.entry((key.section, key.key)).or_default().push(key.value.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_with_all_their_lines() {
        let old = "[Unit]\nAfter=a\n[Service]\nEnvironment=A=1\n# no key=x\nEnvironment=B=2\nUser = x\nGone=1\n";
        let new =
            "[Unit]\nAfter=a\n[Service]\nEnvironment=A=1\nEnvironment=B=3\nUser=x\nExecStart=/a \\\n; note\n  b\n";
        let said: Vec<String> = key_changes("/usr/lib/systemd/system/x.service", old, new)
            .into_iter()
            .map(|change| format!("[{}] {}: {:?} {:?}", change.section, change.key, change.old, change.new))
            .collect();
        assert_eq!(
            said,
            [
                r#"[Service] Environment: ["A=1", "B=2"] ["A=1", "B=3"]"#,
                r#"[Service] ExecStart: [] ["/a    b"]"#,
                r#"[Service] Gone: ["1"] []"#,
            ]
        );
    }
}
