//! Tree → `%files`: a folder stands whole where everything in it is as rpm takes it by itself, and else with
//! what is in it, so that people can read what is special.

use crate::tree::{BoxPath, EntryKind, Role, Tree, TreeEntry};
use anyhow::{bail, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What an entry is to rpm beside its bytes.
fn role_of(entry: &TreeEntry) -> Option<Role> {
    match &entry.kind {
        EntryKind::Folder => None,
        EntryKind::File { role, .. } => Some(*role),
    }
}

/// Whether mode and owner need no word: the sources carry such modes, and `%defattr` says root.
fn is_plain(entry: &TreeEntry) -> bool {
    let modes: &[u16] = match entry.kind {
        EntryKind::Folder => &[0o755],
        EntryKind::File { .. } => &[0o644, 0o755],
    };
    entry.group == "root" && modes.contains(&entry.mode)
}

/// The folders that can be listed whole, with the one role of everything in them; no config file is in any.
fn whole_folders(tree: &Tree) -> BTreeMap<&BoxPath, Role> {
    let entries: BTreeMap<&BoxPath, &TreeEntry> = tree.entries().collect();
    let mut roles: BTreeMap<&BoxPath, BTreeSet<Role>> = BTreeMap::new();
    let mut mixed: BTreeSet<&BoxPath> = BTreeSet::new();
    for (path, entry) in &entries {
        let role = role_of(entry);
        let special = !is_plain(entry) || role == Some(Role::Config);
        if special && role.is_none() {
            mixed.insert(path);
        }
        let mut owned = true;
        let mut above = path.parent();
        while let Some(folder) = above {
            above = folder.parent();
            match entries.get_key_value(&folder) {
                // What lies between would come along, and is not the package's.
                Some((folder, _)) if special || !owned => drop(mixed.insert(folder)),
                Some((folder, _)) => roles.entry(folder).or_default().extend(role),
                None => owned = false,
            }
        }
    }
    roles
        .into_iter()
        .filter(|(folder, roles)| roles.len() == 1 && !mixed.contains(folder))
        .filter_map(|(folder, roles)| Some((folder, *roles.first()?)))
        .collect()
}

/// The lines of `%files`, in the order of paths, each with its line end.
///
/// # Errors
/// For a name with characters that `%files` cannot write, where another one looks like it.
pub(super) fn lines(tree: &Tree) -> anyhow::Result<String> {
    let whole = whole_folders(tree);
    let mut text = String::new();
    for (path, entry) in tree.entries() {
        if has_whole_parent(path, &whole) {
            continue;
        }
        let mut words = Vec::new();
        let role = match (role_of(entry), whole.get(path)) {
            (Some(role), _) => role,
            (None, Some(role)) => *role,
            (None, None) => {
                words.push("%dir".to_owned());
                Role::Plain
            }
        };
        if !is_plain(entry) {
            words.push(format!("%attr({:04o},root,{})", entry.mode, entry.group));
        }
        match role {
            Role::Plain => {}
            Role::Config => words.push("%config(noreplace)".to_owned()),
            Role::Doc => words.push("%doc".to_owned()),
            Role::License => words.push("%license".to_owned()),
        }
        words.push(pattern_of(path, tree)?);
        writeln!(text, "{}", words.join(" ")).expect("a String takes all");
    }
    Ok(text)
}

fn has_whole_parent(path: &BoxPath, whole: &BTreeMap<&BoxPath, Role>) -> bool {
    path.parent().is_some_and(|parent| whole.contains_key(&parent))
}

/// The path as `%files` takes it: what the versions of rpm quote in different ways becomes `?`, which each
/// of them takes for any one character.
fn pattern_of(path: &BoxPath, tree: &Tree) -> anyhow::Result<String> {
    const SPECIAL: [char; 13] = [' ', '%', '*', '?', '[', ']', '{', '}', '"', '\'', '\\', '#', '\u{a0}'];
    let is_special = |c: char| SPECIAL.contains(&c) || c.is_whitespace() || !c.is_ascii();
    if !path.as_str().chars().any(is_special) {
        return Ok(path.to_string());
    }
    // rpm compares bytes where its locale is C.
    ensure!(path.as_str().is_ascii(), "`{path}` has to be listed by its name in a spec, and is not ASCII");
    let pattern = path.as_str().replace(is_special, "?");
    let fits = |other: &str| {
        other.len() == pattern.len()
            && other.bytes().zip(pattern.bytes()).all(|(a, b)| a == b || (b == b'?' && a != b'/'))
    };
    let mut same = tree.entries().map(|(other, _)| other).filter(|other| *other != path && fits(other.as_str()));
    if let Some(other) = same.next() {
        bail!("`{path}` and `{other}` cannot be told apart in a spec");
    }
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_of(rows: &[(&str, u16, &str, Role)], roots: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for (path, mode, group, role) in rows {
            let mut entry = TreeEntry::made("1", 0, "a test").with_mode(*mode).with_role(*role);
            entry.group = (*group).to_owned().into();
            tree.claim(BoxPath::new(*path).unwrap(), entry).unwrap();
        }
        for root in roots {
            tree.own_folders(&BoxPath::new(*root).unwrap(), 0).unwrap();
        }
        tree
    }

    #[test]
    fn folders_are_whole_where_nothing_in_them_is_special() {
        use Role::{Config, Doc, License, Plain};
        let tree = tree_of(
            &[
                ("/opt/x/bin/python", 0o755, "root", Plain),
                ("/opt/x/config.yaml", 0o640, "x", Config),
                ("/opt/x/deep/a/b", 0o644, "root", Plain),
                ("/opt/x/deep/c/secret", 0o600, "root", Plain),
                ("/opt/x/etc/a b%c.ini", 0o644, "root", Config),
                ("/usr/lib/systemd/system/x.service", 0o644, "root", Plain),
                ("/usr/share/doc/x/INSTALL.md", 0o644, "root", Doc),
                ("/usr/share/licenses/x/a/LICENSE", 0o644, "root", License),
                ("/usr/share/mixed/a", 0o644, "root", License),
                ("/usr/share/mixed/b", 0o644, "root", Doc),
            ],
            &["/opt/x", "/usr/share/doc/x", "/usr/share/licenses/x", "/usr/share/mixed"],
        );
        let expected = "\
%dir /opt/x
/opt/x/bin
%attr(0640,root,x) %config(noreplace) /opt/x/config.yaml
%dir /opt/x/deep
/opt/x/deep/a
%dir /opt/x/deep/c
%attr(0600,root,root) /opt/x/deep/c/secret
%dir /opt/x/etc
%config(noreplace) /opt/x/etc/a?b?c.ini
/usr/lib/systemd/system/x.service
%doc /usr/share/doc/x
%license /usr/share/licenses/x
%dir /usr/share/mixed
%license /usr/share/mixed/a
%doc /usr/share/mixed/b
";
        assert_eq!(lines(&tree).unwrap(), expected);
    }

    #[test]
    fn a_folder_that_is_not_owned_does_not_come_along() {
        let tree = tree_of(&[("/opt/x/a", 0o644, "root", Role::Plain)], &["/opt/x"]);
        let mut tree = tree;
        tree.claim(BoxPath::new("/opt/x/not/owned/b").unwrap(), TreeEntry::made("1", 0, "a test")).unwrap();
        assert_eq!(lines(&tree).unwrap(), "%dir /opt/x\n/opt/x/a\n/opt/x/not/owned/b\n");
    }

    #[test]
    fn names_that_cannot_be_written_or_told_apart_are_refused() {
        for names in [&["/opt/x/a b", "/opt/x/a-b"][..], &["/opt/x/ä"]] {
            let rows: Vec<_> = names.iter().map(|name| (*name, 0o600, "root", Role::Plain)).collect();
            assert!(lines(&tree_of(&rows, &[])).is_err(), "{names:?}");
        }
    }
}
