//! Settings of a unit by which whoever controls the service could get further, root included.

use crate::service::facts::ServiceFacts;
use wheelhaul_systemd::{CommandLine, assignment, split_commands, split_words};

/// A setting that systemd takes and that is better not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// what is set, and what that allows
    pub what: String,
    /// what to do instead
    pub cure: &'static str,
}

/// Folders that every service can write: its own `/tmp` (PrivateTmp) is as easily filled as the real one.
const SHARED: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// Keys that make a folder for the service, and below what.
const OWN_FOLDERS: [(&str, &str); 4] = [
    ("StateDirectory", "/var/lib"),
    ("CacheDirectory", "/var/cache"),
    ("LogsDirectory", "/var/log"),
    ("RuntimeDirectory", "/run"),
];

impl ServiceFacts<'_> {
    /// The dangers in `[service.unit]`, `[service.environment]` and the command.
    pub fn dangers(&self) -> Vec<Danger> {
        let variables = self.service.environment.iter();
        let variables = variables.map(|(name, value)| ("Environment".to_owned(), assignment(name, value)));
        let keys =
            self.service.unit.iter().flat_map(|(key, lines)| lines.0.iter().map(|line| (key.clone(), line.clone())));
        let lines: Vec<(String, String)> = variables.chain(keys).collect();
        let mut found = dangers(self.name, self.root, lines.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        found.extend(self.likely_background());
        found
    }

    /// The one command that a package of this tool gives to root: it runs in a unit of its own, which takes no
    /// variables of the service, and it names programs by their paths.
    pub(super) fn restart_command(name: &str) -> String {
        format!("+/usr/bin/systemctl --no-block try-restart {name}.service")
    }
}

/// The dangers in the keys of a unit's [Service].
///
/// `package` is the name of the package, and of its service, user and folders; `root` is where it lies, `/opt/NAME`.
pub fn dangers<'a>(package: &str, root: &str, lines: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<Danger> {
    let writable = writable_folders(package, lines.clone());
    let mut found = Vec::new();
    for (key, value) in lines {
        match key {
            "Environment" => found.extend(variables(package, root, value, &writable)),
            "ExecSearchPath" => found.extend(search_path(key, value, (package, root), &writable)),
            "PermissionsStartOnly" if is_true(value) => found.push(Danger {
                what:
                    "`PermissionsStartOnly` runs all commands but ExecStart as root, with the service's environment: \
                       whoever controls that controls root"
                        .to_owned(),
                cure: "leave it out",
            }),
            "ExecPaths" => {}
            _ if key.starts_with("Exec") && value != ServiceFacts::restart_command(package) => {
                found.extend(raised(key, value))
            }
            _ => {}
        }
    }
    found
}

/// Commands with a sign that gives them more rights than the service: `+`, `!` and `!!` (systemd.service(5)).
fn raised(key: &str, value: &str) -> Vec<Danger> {
    // What cannot be cut into commands is refused by others.
    let (commands, _) = split_commands(value).unwrap_or_default();
    let raised = commands.into_iter().filter(|command| command.prefix.contains(['+', '!']));
    let danger = |command: CommandLine| Danger {
        what: format!(
            "`{key}` runs `{}` as root, by the `{}` before it, with the service's environment: \
             whoever controls that (PATH, LD_PRELOAD) controls root",
            command.words[0], command.prefix
        ),
        cure: "run it as the service's user, or in a unit of your own that takes no variables of the service",
    };
    raised.map(danger).collect()
}

/// Variables by which the loader, Python or a shell takes code from elsewhere.
fn variables(package: &str, root: &str, value: &str, writable: &[String]) -> Vec<Danger> {
    let words = split_words(value).map(|words| words.words).unwrap_or_default();
    let mut found = Vec::new();
    for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
        if name == "PATH" {
            found.extend(search_path(name, value, (package, root), writable));
        } else if name.starts_with("LD_") {
            found.push(Danger {
                what: format!(
                    "`{name}` is taken by the loader of every program that the unit starts: code from there runs in \
                     all of them, also in those of an administrator's drop-in that run as root"
                ),
                cure: "leave it out; libraries that the box lacks come with a wheel, or from a package of the box",
            });
        } else if name.starts_with("PYTHON") {
            found.push(Danger {
                what: format!("`{name}` is taken by every Python that the unit starts and that is not isolated"),
                cure: "leave it out: the application's own Python is isolated, and does not look at it",
            });
        }
    }
    found
}

/// Entries of a search path in which the service can put programs.
fn search_path(name: &str, value: &str, (package, root): (&str, &str), writable: &[String]) -> Vec<Danger> {
    let mut found = Vec::new();
    for entry in value.split(':') {
        let place = match normal(&without_specifiers(entry, package)) {
            None => "which is looked up in the working directory".to_owned(),
            // Its programs are root's, also where `ReadWritePaths` names a folder above them.
            Some(path) if path == format!("{root}/bin") => continue,
            Some(path) => match writable.iter().find(|folder| is_at_or_below(&path, folder)) {
                Some(folder) => format!("where the service can write (`{folder}`)"),
                None => continue,
            },
        };
        found.push(Danger {
            what: format!(
                "`{name}` has the entry `{entry}`, {place}: whoever gets into the service puts programs there, \
                 and other commands of the unit run them"
            ),
            cure: "name only folders that root alone can write",
        });
    }
    found
}

/// The folders that the service can write, and those that a drop-in may well give it.
fn writable_folders<'a>(package: &str, lines: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut folders = given_folders(package, lines);
    folders.extend(OWN_FOLDERS.iter().map(|(_, base)| format!("{base}/{package}")));
    folders
}

/// The folders that every service can write, and those that keys of [Service] give to this one.
pub(super) fn given_folders<'a>(package: &str, lines: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut folders: Vec<String> = SHARED.iter().map(|folder| (*folder).to_owned()).collect();
    for (key, value) in lines {
        let base = OWN_FOLDERS.iter().find(|(own, _)| *own == key).map(|(_, base)| *base);
        let is_free = matches!(key, "ReadWritePaths" | "ReadWriteDirectories");
        if base.is_none() && !is_free {
            continue;
        }
        for word in split_words(value).map(|words| words.words).unwrap_or_default() {
            let word = without_specifiers(&word, package);
            match base {
                // systemd 254 takes `FOLDER:LINK`.
                Some(base) => folders.extend(word.split(':').filter_map(|name| normal(&format!("{base}/{name}")))),
                None => folders.extend(normal(word.trim_start_matches(['-', '+']))),
            }
        }
    }
    folders
}

/// A path with systemd's specifiers as they are for a service of the system (systemd.unit(5)).
fn without_specifiers(text: &str, package: &str) -> String {
    let mut made = String::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        if sign != '%' {
            made.push(sign);
            continue;
        }
        match signs.next() {
            Some('%') => made.push('%'),
            Some('C') => made.push_str("/var/cache"),
            Some('E') => made.push_str("/etc"),
            Some('L') => made.push_str("/var/log"),
            Some('N' | 'p' | 'u' | 'g') => made.push_str(package),
            Some('S') => made.push_str("/var/lib"),
            Some('T') => made.push_str("/tmp"),
            Some('V') => made.push_str("/var/tmp"),
            Some('h') => made.push_str("/root"),
            Some('t') => made.push_str("/run"),
            Some(other) => made.extend(['%', other]),
            None => made.push('%'),
        }
    }
    made
}

/// An absolute path without `.`, `..` and doubled slashes; none for one that is not absolute.
pub(super) fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    // `/var/run` is a link to `/run` on every box.
    let start = if parts.starts_with(&["var", "run"]) { 1 } else { 0 };
    Some(format!("/{}", parts[start..].join("/")))
}

pub(super) fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) || folder == "/"
}

pub(super) fn is_true(value: &str) -> bool {
    ["1", "yes", "y", "true", "t", "on"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_danger_is_named_and_what_is_harmless_is_not() {
        #[rustfmt::skip]
        let cases: &[(&str, &str, &[&str])] = &[ // key, value                                              what each danger starts with
            ("ExecStop",             "/usr/bin/a b",                                                        &[]),
            ("ExecStop",             "-/usr/bin/a +b",                                                      &[]),
            ("ExecStop",             "+/usr/bin/a",                                                         &["`ExecStop` runs `/usr/bin/a` as root, by the `+`"]),
            ("ExecReload",           "-@:+/usr/bin/a a",                                                    &["`ExecReload` runs `/usr/bin/a` as root, by the `-@:+`"]),
            ("ExecStopPost",         "!/usr/bin/a",                                                         &["`ExecStopPost` runs `/usr/bin/a` as root, by the `!`"]),
            ("ExecStopPost",         "!!/usr/bin/a",                                                        &["`ExecStopPost` runs `/usr/bin/a` as root, by the `!!`"]),
            ("ExecReload",           "/usr/bin/a ; +/usr/bin/b ; -+/usr/bin/c",                             &["`ExecReload` runs `/usr/bin/b`", "`ExecReload` runs `/usr/bin/c`"]),
            ("ExecReload",           "\"+/usr/bin/a b\"",                                                   &["`ExecReload` runs `/usr/bin/a b`"]),
            ("ExecStart",            "+/usr/bin/systemctl --no-block try-restart app.service",              &[]),
            ("ExecStart",            "+/usr/bin/systemctl --no-block try-restart other.service",            &["`ExecStart` runs"]),
            ("ExecReloadPost",       "+/usr/bin/a",                                                         &["`ExecReloadPost` runs"]),
            ("ExecPaths",            "+/usr/bin",                                                           &[]),
            ("PermissionsStartOnly", "yes",                                                                 &["`PermissionsStartOnly` runs all commands"]),
            ("PermissionsStartOnly", "no",                                                                  &[]),
            ("Environment",          "A=b LD=c OLD_PRELOAD=d",                                              &[]),
            ("Environment",          "LD_PRELOAD=/usr/lib64/a.so",                                          &["`LD_PRELOAD` is taken by the loader"]),
            ("Environment",          "A=b \"LD_LIBRARY_PATH=/opt/oracle lib\" LD_AUDIT=x",                  &["`LD_LIBRARY_PATH` is", "`LD_AUDIT` is"]),
            ("Environment",          "PYTHONPATH=/opt/x",                                                   &["`PYTHONPATH` is taken by every Python"]),
            ("Environment",          "PATH=/opt/app/bin:/usr/local/bin:/usr/bin:/var/lib/apps/bin",         &[]),
            ("Environment",          "PATH=/var/lib/app/bin:/usr/bin",                                      &["`PATH` has the entry `/var/lib/app/bin`, where the service can write (`/var/lib/app`)"]),
            ("Environment",          "PATH=/usr/bin:/var/lib/app",                                          &["`PATH` has the entry `/var/lib/app`,"]),
            ("Environment",          "PATH=/opt/../var//lib/./app/bin",                                     &["`PATH` has the entry `/opt/../var//lib/./app/bin`, where"]),
            ("Environment",          "PATH=%S/%N/bin:%t/app:%C/app:%L/app:%T/x:%V",                         &["`PATH` has the entry `%S/%N/bin`, where", "`PATH` has the entry `%t/app`", "`PATH` has the entry `%C/app`", "`PATH` has the entry `%L/app`", "`PATH` has the entry `%T/x`", "`PATH` has the entry `%V`"]),
            ("Environment",          "PATH=/var/run/app:/run/app/x:/dev/shm/x:/var/tmp:/tmp/",              &["`PATH` has the entry `/var/run/app`", "`PATH` has the entry `/run/app/x`", "`PATH` has the entry `/dev/shm/x`", "`PATH` has the entry `/var/tmp`", "`PATH` has the entry `/tmp/`"]),
            ("Environment",          "PATH=bin:/usr/bin",                                                   &["`PATH` has the entry `bin`, which is looked up in the working directory"]),
            ("Environment",          "PATH=/usr/bin:",                                                      &["`PATH` has the entry ``, which is looked up in the working directory"]),
            ("Environment",          "PATH=",                                                               &["`PATH` has the entry ``,"]),
            ("Environment",          "PATH=.:/usr/bin:",                                                    &["`PATH` has the entry `.`,", "`PATH` has the entry ``,"]),
            ("ExecSearchPath",       "/usr/bin:/var/cache/app",                                             &["`ExecSearchPath` has the entry `/var/cache/app`"]),
        ];
        for (key, value, expected) in cases {
            let found = dangers("app", "/opt/app", [(*key, *value)].into_iter());
            assert_eq!(found.len(), expected.len(), "{key}={value}: {found:?}");
            for (danger, start) in found.iter().zip(*expected) {
                assert!(danger.what.starts_with(start), "{key}={value}: {}", danger.what);
            }
        }
    }

    #[test]
    fn folders_that_the_unit_gives_to_the_service_count() {
        #[rustfmt::skip]
        let cases = [ // key, value                        PATH                          whether that is a danger
            ("StateDirectory",       "other app/x",      "/var/lib/other/bin",          true),
            ("CacheDirectory",       "one:two",          "/var/cache/two",              true),
            ("RuntimeDirectory",     "shop",             "/run/shop/bin",               true),
            ("LogsDirectory",        "shop",             "/var/log/shop",               true),
            ("ReadWritePaths",       "-/srv/shop /mnt",  "/srv/shop/bin",               true),
            ("ReadWriteDirectories", "/srv/%N",          "/srv/app/bin",                true),
            ("ReadWritePaths",       "/",                "/usr/bin",                    true),
            ("ReadWritePaths",       "/opt/app",         "/opt/app/bin:/usr/bin",       false),
            ("ReadWritePaths",       "/opt/app /srv",    "/srv/other/bin",              true),
            ("ReadOnlyPaths",        "/srv/shop",        "/srv/shop/bin",               false),
            ("StateDirectory",       "other",            "/var/lib/another",            false),
        ];
        for (key, value, path, is_danger) in cases {
            let path = format!("PATH={path}");
            let found = dangers("app", "/opt/app", [("Environment", path.as_str()), (key, value)].into_iter());
            assert_eq!(found.len(), usize::from(is_danger), "{key}={value} {path}: {found:?}");
        }
    }
}
