//! Check of users: sysusers.d(5), and that those who own files or run the service are made by the package.

use crate::rhel_names::system_user;
use crate::units::Unit;
use crate::{Evidence, Finding, Outcome, count};
use std::collections::BTreeSet;
use wheelhaul_systemd::{MadeUsers, Sysusers};

/// Where systemd finds the users of packages.
pub(super) const FOLDER: &str = "/usr/lib/sysusers.d/";
/// Larger than any such file; what is larger is not read.
const MOST_TEXT: usize = 64 << 10;

/// `sysusers`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let cure = "build the RPM again with this tool, which makes the user of the package's name";
    let mut findings = Vec::new();
    let mut by_file = MadeUsers::default();
    let mut lines = 0;
    for (path, row) in evidence.described.files.range(FOLDER.to_owned()..) {
        if !path.starts_with(FOLDER) {
            break;
        }
        match evidence.texts.get(path).filter(|text| text.len() <= MOST_TEXT) {
            Some(text) => {
                let read = Sysusers::parse(text);
                lines += read.lines;
                by_file.users.extend(read.made.users);
                by_file.groups.extend(read.made.groups);
                findings.extend(read.faults.into_iter().map(|(line, what)| {
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

/// What `useradd` and `groupadd` of a script make: the last word of each such command.
fn made_by_script(script: &str) -> MadeUsers {
    let mut made = MadeUsers::default();
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
    fn a_script_makes_whom_its_commands_name() {
        let script = "getent group app >/dev/null || groupadd -r app || exit 1\n\
            getent passwd app >/dev/null || \\\n    useradd -r -g app -c \"Service app\" app || exit 1\nexit 0\n";
        let made = made_by_script(script);
        assert!(made.users.contains("app") && made.groups.contains("app"), "{made:?}");
        assert_eq!(made_by_script("# useradd app\necho useradd app\n"), MadeUsers::default());
    }
}
