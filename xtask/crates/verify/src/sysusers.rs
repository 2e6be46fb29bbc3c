//! Check of users: sysusers.d(5), and that those who own files or run the service are made by the package.

use crate::rhel_names::system_user;
use crate::units::Unit;
use crate::{Evidence, Finding, Outcome, count};
use std::collections::BTreeSet;
use wheelhaul_package::service::split;

/// Where systemd finds the users of packages.
pub(super) const FOLDER: &str = "/usr/lib/sysusers.d/";
/// Larger than any such file; what is larger is not read.
const MOST_TEXT: usize = 64 << 10;

/// Users and groups that something makes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Made {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

/// `sysusers`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let cure = "build the RPM again with this tool, which makes the user of the package's name";
    let mut findings = Vec::new();
    let mut by_file = Made::default();
    let mut lines = 0;
    for (path, row) in evidence.described.files.range(FOLDER.to_owned()..) {
        if !path.starts_with(FOLDER) {
            break;
        }
        match evidence.texts.get(path).filter(|text| text.len() <= MOST_TEXT) {
            Some(text) => {
                let (made, faults, read) = parse(text);
                lines += read;
                by_file.users.extend(made.users);
                by_file.groups.extend(made.groups);
                findings.extend(faults.into_iter().map(|(line, what)| {
                    Finding::error(path, format!("line {line}: {what}"), "a line as sysusers.d(5) has it", cure)
                }));
            }
            None if row.is_file() => {
                let found = "it is not UTF-8, or too large to be read";
                findings.push(Finding::error(path, found, "lines as sysusers.d(5) has them", cure));
            }
            None => {}
        }
    }
    let by_script = made_by_script(evidence.described.scriptlets.get("pre").map_or("", String::as_str));
    for (where_from, user, group) in wanted(evidence) {
        for (kind, name, made) in
            [("user", user, [&by_file.users, &by_script.users]), ("group", group, [&by_file.groups, &by_script.groups])]
        {
            let Some(name) = name.filter(|name| name != "root") else { continue };
            let shown = name.escape_debug();
            let by: Vec<&str> = ["the sysusers file", "%pre"]
                .into_iter()
                .zip(made)
                .filter(|(_, made)| !made.contains(&name))
                .map(|(by, _)| by)
                .collect();
            if !by.is_empty() {
                let found = format!("its {kind} `{shown}` is not made by {}", by.join(" and "));
                findings.push(Finding::error(&where_from, found, format!("a {kind} that the package makes"), cure));
            }
        }
    }
    findings.extend(services_of_root(evidence));
    let name = &evidence.described.name;
    if let Some(package) = system_user(name).filter(|_| by_file.users.contains(name)) {
        let found = format!("the user `{name}` is one of {package}, whose files the service could then read");
        let cure = "give the package another name in `dist/package.toml`";
        findings.push(Finding::error("", found, "a user of its own", cure));
    }
    Outcome::Made { looked_at: count(lines, "line"), findings }
}

/// Who is asked for: where, user, group. One row for each pair, with the first place of it.
fn wanted(evidence: &Evidence) -> Vec<(String, Option<String>, Option<String>)> {
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for unit in Unit::all(evidence) {
        let value = |key: &str| unit.parsed.last("Service", key).filter(|value| !value.is_empty()).map(str::to_owned);
        wanted.push((unit.path.to_owned(), value("User"), value("Group")));
    }
    for (path, row) in &evidence.described.files {
        if (row.owner.user != "root" || row.owner.group != "root") && seen.insert(&row.owner) {
            wanted.push((path.clone(), Some(row.owner.user.clone()), Some(row.owner.group.clone())));
        }
    }
    wanted
}

/// Services that would run as root.
fn services_of_root(evidence: &Evidence) -> Vec<Finding> {
    let cure = "build the RPM again with this tool, whose units have the user of the package's name";
    let services = Unit::all(evidence).filter(|unit| unit.path.ends_with(".service"));
    let of_root = services
        .filter(|unit| unit.parsed.last("Service", "User").is_none_or(|user| matches!(user, "" | "root" | "0")));
    of_root.map(|unit| Finding::error(unit.path, "it runs as root", "a user of its own", cure)).collect()
}

/// Reads a file: who is made, line and fault, and how many lines say something.
fn parse(text: &str) -> (Made, Vec<(usize, String)>, usize) {
    let mut made = Made::default();
    let mut faults = Vec::new();
    let mut read = 0;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        read += 1;
        if let Err(what) = parse_line(line, &mut made) {
            faults.push((index + 1, what));
        }
    }
    (made, faults, read)
}

fn parse_line(line: &str, made: &mut Made) -> Result<(), String> {
    let words = split(line)?;
    // `-` and an empty one say nothing.
    let field = |at: usize| words.words.get(at).map(String::as_str).filter(|word| !matches!(*word, "" | "-"));
    let kind = field(0).unwrap_or_default();
    let shown = |text: &str| wheelhaul_base::problem::shortened(text).escape_debug().to_string();
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

/// What `useradd` and `groupadd` of a script make: the last word of each such command.
fn made_by_script(script: &str) -> Made {
    let mut made = Made::default();
    for command in script.replace("\\\n", " ").split(['\n', ';', '|', '&']) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (Some(program), Some(name)) = (words.first(), words.last()) else { continue };
        let name = name.trim_matches(['"', '\'']).to_owned();
        match *program {
            "useradd" => drop(made.users.insert(name)),
            "groupadd" => drop(made.groups.insert(name)),
            _ => {}
        }
    }
    made
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
            match parse_line(line, &mut Made::default()) {
                Ok(()) => assert!(fault.is_empty(), "{line}"),
                Err(what) => assert!(!fault.is_empty() && what.contains(fault), "{line}: {what}"),
            }
        }
        let (made, faults, lines) = parse("# c\n\nu app - a\ng other\nu b 5:other\n");
        assert_eq!((faults.len(), lines), (0, 3));
        assert_eq!(made.users.into_iter().collect::<Vec<_>>(), ["app", "b"]);
        assert_eq!(made.groups.into_iter().collect::<Vec<_>>(), ["app", "other"]);
    }

    #[test]
    fn a_script_makes_whom_its_commands_name() {
        let script = "getent group app >/dev/null || groupadd -r app || exit 1\n\
            getent passwd app >/dev/null || \\\n    useradd -r -g app -c \"Service app\" app || exit 1\nexit 0\n";
        let made = made_by_script(script);
        assert!(made.users.contains("app") && made.groups.contains("app"), "{made:?}");
        assert_eq!(made_by_script("# useradd app\necho useradd app\n"), Made::default());
    }
}
