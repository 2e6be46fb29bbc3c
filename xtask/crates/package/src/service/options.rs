//! Options of servers that cannot work in the unit: those that put the server into the background, make it another
//! user, or let it write where the service cannot.

use crate::service::dangers::{Danger, given_folders, is_at_or_below, normal};
use crate::service::facts::ServiceFacts;
use Effect::*;
use wheelhaul_base::problem::{Problem, all_of, shortened};
use wheelhaul_config::Service;
use wheelhaul_systemd::split_words;

/// What an option makes of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// a process of its own, whose start looks to systemd like its end
    Background,
    /// another user or group
    Account,
    /// groups of its user, which only root can set
    Groups,
    /// a file with the number of its process
    PidFile,
    /// a file that it logs into
    Log,
}

/// An option of a server.
struct Row {
    /// console scripts and modules
    servers: &'static [&'static str],
    /// `-D`, `--daemon`
    spellings: &'static [&'static str],
    takes_value: bool,
    effect: Effect,
}

const fn flag(servers: &'static [&'static str], spellings: &'static [&'static str], effect: Effect) -> Row {
    Row { servers, spellings, takes_value: false, effect }
}

const fn value(servers: &'static [&'static str], spellings: &'static [&'static str], effect: Effect) -> Row {
    Row { servers, spellings, takes_value: true, effect }
}

/// From the servers' own `--help`: gunicorn 18 to 23, hypercorn 0.17, uWSGI 2.0, celery 5, Airflow 2, Twisted 24,
/// granian 2, mod_wsgi 5, circus 0.18, PasteDeploy's `paster`.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    flag (&["gunicorn"],                          &["-D", "--daemon"],                            Background),
    value(&["gunicorn"],                          &["-u", "--user"],                              Account),
    value(&["gunicorn"],                          &["-g", "--group"],                             Account),
    flag (&["gunicorn"],                          &["--initgroups"],                              Groups),
    value(&["gunicorn"],                          &["-p", "--pid"],                               PidFile),
    value(&["gunicorn"],                          &["--access-logfile"],                          Log),
    value(&["gunicorn"],                          &["--error-logfile", "--log-file"],             Log),
    value(&["hypercorn"],                         &["-u", "--user"],                              Account),
    value(&["hypercorn"],                         &["-g", "--group"],                             Account),
    value(&["hypercorn"],                         &["-p", "--pid"],                               PidFile),
    value(&["hypercorn"],                         &["--access-logfile", "--access-log"],          Log),
    value(&["hypercorn"],                         &["--error-logfile", "--error-log", "--log-file"], Log),
    value(&["uwsgi", "pyuwsgi"],                  &["-d", "--daemonize", "--daemonize2"],         Background),
    value(&["uwsgi", "pyuwsgi"],                  &["--uid", "--gid"],                            Account),
    value(&["uwsgi", "pyuwsgi"],                  &["--pidfile", "--pidfile2", "--safe-pidfile", "--safe-pidfile2"], PidFile),
    value(&["uwsgi", "pyuwsgi"],                  &["--logto", "--logto2"],                       Log),
    flag (&["celery"],                            &["-D", "--detach"],                            Background),
    value(&["celery", "twistd"],                  &["--uid", "--gid"],                            Account),
    value(&["celery", "twistd"],                  &["--pidfile"],                                 PidFile),
    value(&["celery"],                            &["-f", "--logfile"],                           Log),
    value(&["twistd"],                            &["-u", "-g"],                                  Account),
    value(&["twistd"],                            &["-l", "--logfile"],                           Log),
    flag (&["airflow"],                           &["-D", "--daemon"],                            Background),
    value(&["airflow"],                           &["--pid"],                                     PidFile),
    value(&["airflow"],                           &["-l", "--log-file"],                          Log),
    value(&["granian"],                           &["--pid-file"],                                PidFile),
    value(&["mod_wsgi-express"],                  &["--user", "--group"],                         Account),
    flag (&["circusd", "paster", "pserve"],       &["--daemon"],                                  Background),
    value(&["circusd"],                           &["--pidfile"],                                 PidFile),
    value(&["paster", "pserve"],                  &["--pid-file"],                                PidFile),
    value(&["paster", "pserve"],                  &["--user", "--group"],                         Account),
];

/// Servers that go into the background unless they are told not to, and how they are told.
const BACKGROUND_UNLESS: [(&str, [&str; 2]); 2] =
    [("twistd", ["-n", "--nodaemon"]), ("supervisord", ["-n", "--nodaemon"])];

/// What a server that is not in the table would hardly call anything else.
const LIKELY_BACKGROUND: [&str; 3] = ["--daemon", "--daemonize", "--detach"];

/// Short options of gunicorn without a value, which others may follow in one word.
const OTHER_FLAGS: &str = "R";

/// Settings of gunicorn's configuration file with the effects of its options.
#[rustfmt::skip]
const SETTINGS: [(&str, Effect); 7] = [
    ("daemon", Background), ("user", Account), ("group", Account), ("initgroups", Groups), ("pidfile", PidFile),
    ("accesslog", Log), ("errorlog", Log),
];

/// An option as it is written, with its value.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    shown: String,
    value: String,
    effect: Effect,
}

impl ServiceFacts<'_> {
    /// Refuses options of the command, and of `GUNICORN_CMD_ARGS`, that cannot work in the unit.
    pub(super) fn check_options(&self) -> anyhow::Result<()> {
        let Some((word, rest)) = self.service.command.split_first() else { return Ok(()) };
        let server = program_of(word);
        let mut faults = Vec::new();
        if let Some((_, options)) = BACKGROUND_UNLESS.iter().find(|(name, _)| *name == server)
            && !rest.iter().any(|word| options.contains(&word.as_str()))
        {
            faults.push(Problem::with_hint(
                format!("key `service.command`: `{word}` goes into the background by itself, and systemd would take it for ended"),
                format!("add `{}`", options[1]),
            ));
        }
        let in_command = found(server, rest).into_iter();
        faults.extend(in_command.filter_map(|found| self.fault_of("key `service.command`", &found)));
        if let Some(more) = self.service.environment.get("GUNICORN_CMD_ARGS").filter(|_| server == "gunicorn") {
            let words = split_words(more).map(|words| words.words).unwrap_or_default();
            let place = "key `service.environment`: `GUNICORN_CMD_ARGS`";
            faults.extend(found(server, &words).into_iter().filter_map(|found| self.fault_of(place, &found)));
        }
        all_of("options of the server cannot be used", faults)
    }

    /// Judges gunicorn's configuration file by the settings that it assigns as plain values.
    ///
    /// `place` is the file as messages name it.
    pub fn faults_of_settings(&self, place: &str, text: &str) -> Vec<anyhow::Error> {
        let place = format!("`{place}`, which gunicorn reads");
        settings(text).into_iter().filter_map(|found| self.fault_of(&place, &found)).collect()
    }

    /// An option of a server that is not in the table, by which it would likely go into the background.
    pub(super) fn likely_background(&self) -> Option<Danger> {
        let server = program_of(&self.service.command[0]);
        if ROWS.iter().any(|row| row.servers.contains(&server)) {
            return None;
        }
        let option = self.service.command.iter().skip(1).find(|word| LIKELY_BACKGROUND.contains(&word.as_str()))?;
        Some(Danger {
            what: format!(
                "`service.command` has `{option}`: where that puts the server into the background, systemd takes it for ended"
            ),
            cure: "leave it out: a unit starts what stays in the foreground",
        })
    }

    fn fault_of(&self, place: &str, Found { shown, value, effect }: &Found) -> Option<anyhow::Error> {
        let shown = shortened(shown).escape_debug().to_string();
        let (what, cure) = match effect {
            Background => (
                "puts the server into the background, and systemd would take it for ended".to_owned(),
                "leave it out: systemd keeps the service running by itself".to_owned(),
            ),
            Account if value == self.name => return None,
            Account => (
                format!("names another account than `{}`, which the service runs as and cannot leave", self.name),
                "leave it out: the unit has `User` and `Group`".to_owned(),
            ),
            Groups => (
                "sets the groups of the process, which only root can".to_owned(),
                "leave it out; `SupplementaryGroups` of `[service.unit]` adds groups".to_owned(),
            ),
            PidFile | Log if self.can_write(value) => return None,
            PidFile => (
                "writes where the service cannot".to_owned(),
                format!(
                    "leave it out, since systemd knows the process; or set `RuntimeDirectory = \"{0}\"` in `[service.unit]` and name a file in `/run/{0}`",
                    self.name
                ),
            ),
            Log => (
                "writes where the service cannot".to_owned(),
                format!(
                    "write `-` in place of the file: the journal has it then; or set `LogsDirectory = \"{0}\"` in `[service.unit]` and name a file in `/var/log/{0}`",
                    self.name
                ),
            ),
        };
        Some(Problem::with_hint(format!("{place}: `{shown}` {what}"), cure))
    }

    /// Whether the service can make a file, as far as its unit tells.
    fn can_write(&self, file: &str) -> bool {
        // None, the standard output, or a package whose name could not be read.
        if ["", "-"].contains(&file) || file.starts_with("/dev/") || self.name.is_empty() {
            return true;
        }
        let lines =
            self.service.unit.iter().flat_map(|(key, lines)| lines.0.iter().map(|line| (key.as_str(), line.as_str())));
        let mut folders = given_folders(self.name, lines);
        folders.push(format!("/var/lib/{}", self.name));
        normal(file).is_some_and(|file| folders.iter().any(|folder| file != *folder && is_at_or_below(&file, folder)))
    }
}

/// gunicorn's configuration file as the command names it, relative to the application's folder on the box; its default
/// if it names none.
pub fn settings_file(service: &Service) -> Option<String> {
    let words = &service.command;
    if program_of(words.first()?) != "gunicorn" {
        return None;
    }
    let named = |at: usize| match words[at].as_str() {
        "-c" | "--config" => words.get(at + 1).map(String::as_str),
        word => word.strip_prefix("--config=").or_else(|| word.strip_prefix("-c")),
    };
    let file = (1..words.len()).rev().find_map(named).unwrap_or("gunicorn.conf.py");
    Some(match file.strip_prefix("python:") {
        Some(module) => format!("{}.py", module.replace('.', "/")),
        None => {
            let file = file.strip_prefix("file:").unwrap_or(file);
            file.strip_prefix("./").unwrap_or(file).to_owned()
        }
    })
}

/// `gunicorn`, of `gunicorn` and of `gunicorn.app.wsgiapp`.
fn program_of(word: &str) -> &str {
    word.split('.').next().unwrap_or(word)
}

/// The options of a server's command that are in the table.
fn found(server: &str, words: &[String]) -> Vec<Found> {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.servers.contains(&server)).collect();
    let mut all = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        if word.starts_with("--") {
            all.extend(long_option(&rows, word, next));
        } else if let Some(letters) = word.strip_prefix('-') {
            all.extend(short_options(&rows, letters, next));
        }
    }
    all
}

/// `--pid FILE`, `--pid=FILE`, and the beginnings of names that argparse and getopt take.
fn long_option(rows: &[&Row], word: &str, next: &str) -> Option<Found> {
    const SHORTEST: usize = "--us".len();
    let (name, joined) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let is_exact = |row: &&&Row| row.spellings.contains(&name);
    let is_begun = |row: &&&Row| name.len() >= SHORTEST && row.spellings.iter().any(|full| full.starts_with(name));
    let row = rows.iter().find(is_exact).or_else(|| rows.iter().find(is_begun))?;
    Some(row.found(name, joined, next))
}

/// `-D`, `-p FILE`, `-pFILE`, `-Dp FILE`; what follows a letter that is not known may be its value.
fn short_options(rows: &[&Row], letters: &str, next: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for (at, letter) in letters.char_indices() {
        let name = format!("-{letter}");
        let behind = &letters[at + letter.len_utf8()..];
        match rows.iter().find(|row| row.spellings.contains(&name.as_str())) {
            Some(row) if row.takes_value => {
                all.push(row.found(&name, (!behind.is_empty()).then_some(behind), next));
                break;
            }
            Some(row) => all.push(row.found(&name, None, next)),
            None if OTHER_FLAGS.contains(letter) => {}
            None => break,
        }
    }
    all
}

impl Row {
    fn found(&self, name: &str, joined: Option<&str>, next: &str) -> Found {
        let value = if self.takes_value { joined.unwrap_or(next).trim_start_matches('=') } else { "" };
        let shown = if value.is_empty() { name.to_owned() } else { format!("{name} {value}") };
        Found { shown, value: value.to_owned(), effect: self.effect }
    }
}

/// The settings of the table that a configuration file assigns as plain values at its top level; the last one counts.
fn settings(text: &str) -> Vec<Found> {
    let mut all: Vec<(&str, Option<Found>)> = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        // What is indented belongs to a condition or a function.
        let Some((name, effect)) = SETTINGS.iter().find(|(known, _)| *known == name.trim_end()) else { continue };
        all.retain(|(other, _)| other != name);
        let found = literal(value).map(|value| Found { shown: format!("{name} = {value}"), value, effect: *effect });
        all.push((name, found));
    }
    let is_set = |found: &Found| match found.effect {
        Background | Groups => !["False", "0"].contains(&found.value.as_str()),
        Account | PidFile | Log => !["None", ""].contains(&found.value.as_str()),
    };
    all.into_iter().filter_map(|(_, found)| found).filter(is_set).collect()
}

/// A plain value of Python, without its quotes.
fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(quote) = text.chars().next().filter(|sign| ['"', '\''].contains(sign)) {
        let (inner, behind) = text[1..].split_once(quote)?;
        let behind = behind.trim_start();
        return (behind.is_empty() || behind.starts_with('#')).then(|| inner.to_owned());
    }
    let word = text.split('#').next().unwrap_or_default().trim();
    let is_plain =
        ["True", "False", "None"].contains(&word) || (!word.is_empty() && word.chars().all(|c| c.is_ascii_digit()));
    is_plain.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_every_spelling() {
        #[rustfmt::skip]
        let cases = [ // command                                      what is found
            ("gunicorn a:b",                                          ""),
            ("gunicorn -w 4 --timeout 60 -k gthread -n name a:b",     ""),
            ("gunicorn --daemon a:b",                                 "--daemon"),
            ("gunicorn -D a:b",                                       "-D"),
            ("gunicorn --daem a:b",                                   "--daem"),
            ("gunicorn -RDw4 a:b",                                    "-D"),
            ("gunicorn -wD a:b",                                      ""),
            ("gunicorn.app.wsgiapp -Dp x.pid a:b",                    "-D|-p x.pid"),
            ("gunicorn -px.pid a:b",                                  "-p x.pid"),
            ("gunicorn a:b --pid=x.pid",                              "--pid x.pid"),
            ("gunicorn a:b --user www --group=www",                   "--user www|--group www"),
            ("gunicorn a:b -uwww -g www",                             "-u www|-g www"),
            ("gunicorn a:b --initgroups",                             "--initgroups"),
            ("gunicorn a:b --log-file - --access-logfile /x",         "--log-file -|--access-logfile /x"),
            ("gunicorn a:b --log-level debug --paste x --preload",    ""),
            ("hypercorn a:b -p x.pid -u 33",                          "-p x.pid|-u 33"),
            ("hypercorn a:b --access-log -",                          "--access-log -"),
            ("uvicorn a:b --reload --root-path /x",                   ""),
            ("waitress-serve --call a:b",                             ""),
            ("uwsgi --http {port} -d log --uid=www --pidfile /x",     "-d log|--uid www|--pidfile /x"),
            ("celery -A shop worker -D --pidfile=%n.pid",             "-D|--pidfile %n.pid"),
            ("celery -A Dshop worker",                                ""),
            ("own --daemon --user x {port}",                          ""),
        ];
        for (command, expected) in cases {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            let found: Vec<String> =
                found(program_of(&words[0]), &words[1..]).into_iter().map(|one| one.shown).collect();
            assert_eq!(found.join("|"), expected, "{command}");
        }
    }

    #[test]
    fn settings_are_read_where_they_are_plain() {
        #[rustfmt::skip]
        let cases = [ // gunicorn.conf.py                                    what is found
            ("workers = 4\nbind = 'x'\n",                                    ""),
            ("daemon = True\n",                                              "daemon = True"),
            ("daemon=True  # always\nuser = \"www\"\n",                      "daemon = True|user = www"),
            ("daemon = True\ndaemon = False\n",                              ""),
            ("daemon = is_local()\nuser = None\npidfile = ''\n",             ""),
            ("if x:\n    daemon = True\n# daemon = True\n",                  ""),
            ("pidfile = '/run/a.pid'\nerrorlog = '-'\naccesslog = log\n",    "pidfile = /run/a.pid|errorlog = -"),
            ("raw_env = ['user=x']\ngroup = 33\ninitgroups = True",          "group = 33|initgroups = True"),
            ("user = 'é\n",                                                  ""),
        ];
        for (text, expected) in cases {
            let found: Vec<String> = settings(text).into_iter().map(|one| one.shown).collect();
            assert_eq!(found.join("|"), expected, "{text}");
        }
    }
}
