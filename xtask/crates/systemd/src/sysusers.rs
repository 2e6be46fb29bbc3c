//! Files of sysusers.d(5): users and groups that systemd makes.

use crate::words::split_words;
use std::collections::BTreeSet;
use wheelhaul_base::problem::shortened;

/// Users and groups that something makes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MadeUsers {
    /// their names
    pub users: BTreeSet<String>,
    /// their names
    pub groups: BTreeSet<String>,
}

/// A file that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sysusers {
    /// what its lines make
    pub made: MadeUsers,
    /// line, and what is wrong with it
    pub faults: Vec<(usize, String)>,
    /// how many lines say something
    pub lines: usize,
}

/// The line of a user with a group of its own and no shell. A colon in its description would end the field in
/// /etc/passwd, so it is left out with all that systemd would read.
pub fn sysusers_line(name: &str, description: &str, home: &str) -> String {
    format!("u {name} - \"{}\" {home} /sbin/nologin\n", description.replace(['"', '\\', '%', ':'], ""))
}

impl Sysusers {
    /// Reads a file.
    pub fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            file.lines += 1;
            if let Err(what) = parse_line(line, &mut file.made) {
                file.faults.push((index + 1, what));
            }
        }
        file
    }
}

fn parse_line(line: &str, made: &mut MadeUsers) -> Result<(), String> {
    let words = split_words(line)?;
    // `-` and an empty one say nothing.
    let field = |at: usize| words.words.get(at).map(String::as_str).filter(|word| !matches!(*word, "" | "-"));
    let kind = field(0).unwrap_or_default();
    let shown = |text: &str| shortened(text).escape_debug().to_string();
    if !matches!(kind, "u" | "g" | "m" | "r") {
        return Err(format!("`{}` is none of u, g, m and r", shown(kind)));
    }
    let name = field(1);
    match (kind, name) {
        ("r", Some(name)) => return Err(format!("a range has no name, and this one has `{}`", shown(name))),
        ("r", None) => {}
        (_, None) => return Err("it has no name".to_owned()),
        (_, Some(name)) if !is_name(name) => return Err(format!("`{}` names no user", shown(name))),
        _ => {}
    }
    let id = field(2);
    match (kind, id) {
        ("m", None) => return Err("it names no group".to_owned()),
        ("m", Some(group)) if !is_name(group) => return Err(format!("`{}` names no group", shown(group))),
        ("r", id) if !id.is_some_and(is_range) => return Err("it has no range of numbers".to_owned()),
        ("u", Some(id)) if !is_user_id(id) => return Err(format!("`{}` is no ID", shown(id))),
        ("g", Some(id)) if !is_number(id) && !id.starts_with('/') => return Err(format!("`{}` is no ID", shown(id))),
        _ => {}
    }
    if kind != "u" && (3..6).any(|at| field(at).is_some()) {
        return Err("only users have a description, a home and a shell".to_owned());
    }
    if field(3).is_some_and(|gecos| gecos.contains([':', '\n'])) {
        return Err("its description has a `:` or a line break".to_owned());
    }
    for (what, path) in [("home", field(4)), ("shell", field(5))] {
        if path.is_some_and(|path| !path.starts_with(['/', '%']) || path.contains(':')) {
            return Err(format!("its {what} is no absolute path"));
        }
    }
    if words.words.len() > 6 {
        return Err("it has more than six words".to_owned());
    }
    let name = name.unwrap_or_default().to_owned();
    match kind {
        "g" => drop(made.groups.insert(name)),
        "u" => {
            // One that takes a group that is there by its number or name gets none of its own.
            if !id.is_some_and(|id| id.contains(':')) {
                made.groups.insert(name.clone());
            }
            made.users.insert(name);
        }
        _ => {}
    }
    Ok(())
}

/// systemd's strict names.
fn is_name(name: &str) -> bool {
    name.len() <= 31
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// 65535 and the highest number mean "none".
fn is_number(id: &str) -> bool {
    id.parse::<u32>().is_ok_and(|id| id != u32::MAX && id != 0xffff) && !id.starts_with('+')
}

fn is_user_id(id: &str) -> bool {
    match id.split_once(':') {
        Some((user, group)) => (user == "-" || is_number(user)) && (is_number(group) || is_name(group)),
        None => is_number(id) || id.starts_with('/'),
    }
}

fn is_range(range: &str) -> bool {
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let are_ordered = low.parse::<u32>().ok() <= high.parse::<u32>().ok();
    is_number(low) && is_number(high) && are_ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_sysusers_has_them() {
        #[rustfmt::skip]
        let cases = [ // line                                            fault
            ("u app - \"An app\" /var/lib/app /sbin/nologin",            ""),
            ("u app",                                                    ""),
            ("u app 999",                                                ""),
            ("u app 999:users - -",                                      ""),
        ("u app -:users",                                            ""),
        ("u app - a\\q",                                             ""),
            ("u app /usr/bin/app",                                       ""),
            ("u! app - - / /bin/sh",                                     "`u!` is none of"),
            ("g app -",                                                  ""),
            ("m app wheel",                                              ""),
            ("r - 500-900",                                              ""),
            ("x app",                                                    "`x` is none of"),
            ("u",                                                        "no name"),
            ("u 1app",                                                   "`1app` names no user"),
            ("u a.b.c/d",                                                "names no user"),
            ("u app x",                                                  "`x` is no ID"),
            ("u app 65535",                                              "`65535` is no ID"),
            ("m app",                                                    "no group"),
            ("r app 1-2",                                                "a range has no name"),
            ("r - x",                                                    "no range"),
        ("r - 900-500",                                              "no range"),
            ("u app - \"a:b\"",                                          "a `:`"),
            ("u app - a var/lib",                                        "home is no absolute path"),
            ("u app - a /var/lib nologin",                               "shell is no absolute path"),
            ("g app - text",                                             "only users"),
            ("u app - \"open",                                           "a quote is not closed"),
            ("u app - a / /bin/sh more",                                 "more than six"),
        ];
        for (line, fault) in cases {
            match parse_line(line, &mut MadeUsers::default()) {
                Ok(()) => assert!(fault.is_empty(), "{line}"),
                Err(what) => assert!(!fault.is_empty() && what.contains(fault), "{line}: {what}"),
            }
        }
        let Sysusers { made, faults, lines } = Sysusers::parse("# c\n\nu app - a\ng other\nu b 5:other\n");
        assert_eq!((faults.len(), lines), (0, 3));
        assert_eq!(made.users.into_iter().collect::<Vec<_>>(), ["app", "b"]);
        assert_eq!(made.groups.into_iter().collect::<Vec<_>>(), ["app", "other"]);
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let line = sysusers_line("app", "An app: 100% \"good\"", "/var/lib/app");
        assert_eq!(line, "u app - \"An app 100 good\" /var/lib/app /sbin/nologin\n");
        let read = Sysusers::parse(&line);
        assert!(read.faults.is_empty() && read.made.users.contains("app"), "{read:?}");
    }
}
