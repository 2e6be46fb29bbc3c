//! Units of two packages, key by key.

use crate::verify::Evidence;
use crate::verify::difference::lines::{Lines, kind_of};
use crate::verify::difference::{KeyChange, Kind, UnitChange};
use std::collections::BTreeSet;

/// Where systemd finds the units of packages.
const UNITS: &str = "/usr/lib/systemd/system/";
/// Where it finds their users.
const USERS: &str = "/usr/lib/sysusers.d/";

/// The lines of a unit, in their order: section, key, value. One that ends with `\` goes on in the next
/// (systemd.syntax(7)).
#[derive(Debug, Default)]
pub(super) struct Keys<'a>(Vec<(&'a str, &'a str, String)>);

impl<'a> Keys<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let mut keys = Vec::new();
        let mut section = "";
        let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
            } else if let Some((key, value)) = line.split_once('=') {
                let mut value = value.trim().to_owned();
                while value.ends_with('\\')
                    && let Some(more) = lines.next()
                {
                    value.pop();
                    value.push(' ');
                    value.push_str(more);
                }
                keys.push((section, key.trim(), value));
            }
        }
        Self(keys)
    }

    /// The values of a key, in their order.
    pub(super) fn all(&self, section: &str, key: &str) -> Vec<&str> {
        let of_key = self.0.iter().filter(|(of, name, _)| *of == section && *name == key);
        of_key.map(|(_, _, value)| value.as_str()).collect()
    }
}

pub(super) fn between(old: &Evidence, new: &Evidence, lines: &mut Lines) -> Vec<UnitChange> {
    let is_unit = |path: &&String| path.starts_with(UNITS) || path.starts_with(USERS);
    let paths: BTreeSet<&String> = old.texts.keys().chain(new.texts.keys()).filter(is_unit).collect();
    let changed = paths.into_iter().filter_map(|path| {
        let (before, now) = (old.texts.get(path), new.texts.get(path));
        let kind = kind_of(before, now)?;
        let (before, now) = (before.map_or("", String::as_str), now.map_or("", String::as_str));
        let by_key = kind == Kind::Changed && path.starts_with(UNITS);
        let keys = if by_key { key_changes(before, now) } else { Vec::new() };
        Some(UnitChange { path: path.clone(), kind, keys, diff: lines.diff(before, now) })
    });
    changed.collect()
}

/// In the order of the new unit, then those that are gone.
fn key_changes(old: &str, new: &str) -> Vec<KeyChange> {
    let (old, new) = (Keys::parse(old), Keys::parse(new));
    let (before, now) = (old.by_key(), new.by_key());
    let mut seen = BTreeSet::new();
    let all = new.0.iter().chain(&old.0).map(|(section, key, _)| (*section, *key)).filter(|key| seen.insert(*key));
    let none = Vec::new();
    let changed = all.filter_map(|key| {
        let (old, new) = (before.get(&key).unwrap_or(&none), now.get(&key).unwrap_or(&none));
        let (section, name) = (key.0.to_owned(), key.1.to_owned());
        (old != new).then(|| KeyChange { section, key: name, old: old.clone(), new: new.clone() })
    });
    changed.collect()
}

impl Keys<'_> {
    fn by_key(&self) -> std::collections::BTreeMap<(&str, &str), Vec<String>> {
        let mut all: std::collections::BTreeMap<(&str, &str), Vec<String>> = std::collections::BTreeMap::new();
        for (section, key, value) in &self.0 {
            all.entry((*section, *key)).or_default().push(value.clone());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_with_all_their_lines() {
        let old = "[Unit]\nAfter=a\n[Service]\nEnvironment=A=1\n# no key=x\nEnvironment=B=2\nUser = x\nGone=1\n";
        let new =
            "[Unit]\nAfter=a\n[Service]\nEnvironment=A=1\nEnvironment=B=3\nUser=x\nExecStart=/a \\\n; note\n  b\n";
        let said: Vec<String> = key_changes(old, new)
            .into_iter()
            .map(|change| format!("[{}] {}: {:?} {:?}", change.section, change.key, change.old, change.new))
            .collect();
        assert_eq!(
            said,
            [
                r#"[Service] Environment: ["A=1", "B=2"] ["A=1", "B=3"]"#,
                r#"[Service] ExecStart: [] ["/a  b"]"#,
                r#"[Service] Gone: ["1"] []"#,
            ]
        );
    }

    #[test]
    fn a_unit_that_is_no_unit_has_no_keys() {
        for text in ["", "[", "[]", "=", "\\", "a=\\", "[x]\n\\\n"] {
            let keys = Keys::parse(text);
            assert!(keys.all("Service", "ExecStart").is_empty(), "{text}");
        }
    }
}
