//! What the package takes of the box: user, port, folders, room on the disk; read from its units and its files.

use crate::Evidence;
use crate::review::size;
use serde::Serialize;
use std::collections::BTreeMap;

/// Facts, each with its name.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    rows: Vec<Fact>,
    /// where it answers on the box itself: `https://localhost:9091/`
    #[serde(skip)]
    pub(super) address: Option<String>,
}

#[derive(Debug, Serialize)]
struct Fact {
    name: &'static str,
    /// a line each
    values: Vec<String>,
}

/// Folders that systemd makes for a service, and where.
#[rustfmt::skip]
const FOLDERS: [(&str, &str, &str); 5] = [
    ("StateDirectory",         "/var/lib",   "state, kept when the package goes"),
    ("CacheDirectory",         "/var/cache", "cache"),
    ("LogsDirectory",          "/var/log",   "logs"),
    ("RuntimeDirectory",       "/run",       "while it runs"),
    ("ConfigurationDirectory", "/etc",       "configuration"),
];

impl Place {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let described = &evidence.described;
        let units: Vec<(&str, &str)> = evidence
            .texts
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix("/usr/lib/systemd/system/")?, text.as_str())))
            .collect();
        let values = |key: &'static str| units.iter().flat_map(move |(_, text)| values_of(text, key));
        let distinct = |mut all: Vec<String>| {
            all.sort();
            all.dedup();
            all
        };
        let commands = || values("ExecStart").chain(values("ExecStartPost"));
        let starts = || commands().map(|line| line.split_whitespace().collect::<Vec<&str>>());
        let ports =
            values("ListenStream").map(str::to_owned).chain(starts().filter_map(|words| bound(&words))).collect();
        let ports = distinct(ports);
        let is_tls = starts().any(|words| words.iter().any(|word| *word == "tls" || word.contains("certfile")));
        let address = ports.iter().find_map(|bound| {
            let port: u16 = bound.rsplit(':').next()?.parse().ok()?;
            Some(format!("{}://localhost:{port}/", if is_tls { "https" } else { "http" }))
        });
        let mut folders = Vec::new();
        for (key, below, what) in FOLDERS {
            let names = distinct(values(key).flat_map(str::split_whitespace).map(str::to_owned).collect());
            folders.extend(names.into_iter().map(|name| format!("{below}/{name} ({what})")));
        }
        let config = described.files.iter().filter(|(_, row)| row.is_config()).map(|(path, _)| path.clone());
        let interpreter = evidence.target.as_ref().map(|target| target.interpreter.path.clone());
        let rows = vec![
            Fact { name: "Interpreter", values: interpreter.into_iter().collect() },
            Fact { name: "Service", values: units.iter().map(|(name, _)| (*name).to_owned()).collect() },
            Fact { name: "User", values: users(&distinct(values("User").map(str::to_owned).collect())) },
            Fact { name: "Listens on", values: ports },
            Fact { name: "Its folder", values: vec![evidence.root().to_owned()] },
            Fact { name: "Writes to", values: folders },
            Fact { name: "Configuration", values: config.collect() },
            Fact { name: "Room on the disk", values: room(evidence) },
        ];
        Self { rows: rows.into_iter().filter(|fact| !fact.values.is_empty()).collect(), address }
    }
}

fn users(users: &[String]) -> Vec<String> {
    match users {
        [] => vec!["root".to_owned()],
        users => users.iter().map(|user| format!("{user}, which the package makes")).collect(),
    }
}

/// What stands behind `KEY=` in a unit.
fn values_of<'a>(text: &'a str, key: &'static str) -> impl Iterator<Item = &'a str> {
    let values = text.lines().filter_map(move |line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='));
    values.map(str::trim).filter(|value| !value.is_empty())
}

/// Where a command listens, of those servers that this tool knows.
fn bound(words: &[&str]) -> Option<String> {
    let behind = |option: &str| {
        let at = words.iter().position(|word| *word == option)?;
        words.get(at + 1).copied()
    };
    let ready = || {
        let at = words.iter().position(|word| word.ends_with("/wait-until-ready"))?;
        Some(format!("{}:{}", words.get(at + 1)?, words.get(at + 2)?))
    };
    let bind = behind("--bind").filter(|place| place.contains(':')).map(str::to_owned);
    let host = || Some(format!("{}:{}", behind("--host")?, behind("--port")?));
    bind.or_else(host).or_else(ready)
}

/// Room by the folder at the top, the largest first.
fn room(evidence: &Evidence) -> Vec<String> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, row) in evidence.described.files.iter().filter(|(_, row)| row.is_file()) {
        let behind = path.get(1..).and_then(|rest| rest.find('/'));
        let top = behind.map_or(path.as_str(), |at| &path[..=at]);
        *sums.entry(top).or_default() += row.size;
    }
    let mut sums: Vec<(&str, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(top, bytes)| (std::cmp::Reverse(*bytes), *top));
    sums.into_iter().take(8).map(|(top, bytes)| format!("{} below {top}", size(bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_listen_at_are_read_from_commands() {
        #[rustfmt::skip]
        let cases = [
            ("python gunicorn --bind 0.0.0.0:9091 app:app",      Some("0.0.0.0:9091")),
            ("python uvicorn --host :: --port 8000 app:app",     Some(":::8000")),
            ("python -ISB /opt/x/bin/wait-until-ready ::1 80",   Some("::1:80")),
            ("python /opt/x/bin/wait-until-ready ::1",           None),
            ("python gunicorn --bind",                           None),
        ];
        for (command, place) in cases {
            let words: Vec<&str> = command.split_whitespace().collect();
            assert_eq!(bound(&words).as_deref(), place, "{command}");
        }
    }

    #[test]
    fn keys_of_units_are_whole_words() {
        let unit = "[Service]\nUser=x\nUserName=y\n# User=z\nUser =  w \nUser=\n";
        assert_eq!(values_of(unit, "User").collect::<Vec<_>>(), ["x", "w"]);
    }
}
