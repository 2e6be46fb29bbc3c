//! Faults of texts that others read: units, scriptlets, the service's user, configuration, secrets.

use crate::forge::tags::Data;
use crate::forge::{CONFIG, File, Forge, NOREPLACE};
use crate::{Row, row};

const UNIT: &str = "/usr/lib/systemd/system/small.service";
const SOCKET: &str = "/usr/lib/systemd/system/small.socket";
const TIMER: &str = "/usr/lib/systemd/system/small-certificate.timer";
const SYSUSERS: &str = "/usr/lib/sysusers.d/small.conf";
const YAML: &str = "/opt/small/config.yaml";
const JSON: &str = "/opt/small/settings.json";
const TOML: &str = "/opt/small/settings.toml";
const PRE: u32 = 1023;
const POST: u32 = 1024;
const POSTUN: u32 = 1026;
const POST_PROGRAM: u32 = 1086;

fn service_line(rpm: &mut Forge, line: &str) {
    rpm.replace(UNIT, "[Service]\n", &format!("[Service]\n{line}\n"));
}

/// Put together, so that nobody takes this file for one with a key in it.
fn private_key() -> String {
    format!("-----BEGIN {0} KEY-----\n{1}\n-----END {0} KEY-----\n", "RSA PRIVATE", "MIIEowIBAAKCAQEA".repeat(4))
}

/// A config file, as this tool packs one.
fn config(text: &str) -> File {
    File { mode: 0o100_640, flags: CONFIG | NOREPLACE, group: "small".to_owned(), ..File::plain(text) }
}

/// Ships a list with one finding that somebody has judged.
fn accept(rpm: &mut Forge, entry: &str) {
    rpm.add("/usr/share/doc/small/accepted.toml", File::plain(format!("[[accept]]\n{entry}")));
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("unit-keys", "a key that nobody knows", "Restrat", |rpm| service_line(rpm, "Restrat=always")),
        row("unit-keys", "a key that is too new", "PrivatePIDs", |rpm| service_line(rpm, "PrivatePIDs=yes")),
        row("unit-keys", "a key of another section", "OnCalendar", |rpm| service_line(rpm, "OnCalendar=daily")),
        row("unit-keys", "a key of the socket", "small.socket", |rpm| rpm.replace(SOCKET, "NoDelay=", "NoDalay=")),
        row("unit-keys", "a key of the timer", "small-certificate.timer", |rpm| rpm.replace(TIMER, "OnCalendar=", "OnKalender=")),

        row("units", "a line before the first section", UNIT, |rpm| { let text = rpm.text(UNIT); rpm.file(UNIT).content = format!("Type=simple\n{text}").into_bytes() }),
        row("units", "a line without `=`", UNIT, |rpm| service_line(rpm, "PrivateTmp yes")),
        row("units", "a section without its bracket", UNIT, |rpm| rpm.replace(UNIT, "[Install]", "[Install")),
        row("units", "a section that nobody knows", "Servce", |rpm| { rpm.append(UNIT, "[Servce]\nUser=root\n") }),
        row("units", "neither yes nor no", "NoNewPrivileges", |rpm| rpm.replace(UNIT, "NoNewPrivileges=yes", "NoNewPrivileges=maybe")),
        row("units", "a time that is none", "TimeoutStopSec", |rpm| rpm.replace(UNIT, "TimeoutStopSec=60", "TimeoutStopSec=soon")),
        row("units", "a word that is none of the choice", "Restart", |rpm| rpm.replace(UNIT, "Restart=on-failure", "Restart=perhaps")),
        row("units", "a command of root", "runs `/bin/kill` as root, by the `-+`", |rpm| rpm.replace(UNIT, "ExecReload=/bin/kill", "ExecReload=-+/bin/kill")),
        row("units", "commands of root by an old key", "`PermissionsStartOnly` runs", |rpm| service_line(rpm, "PermissionsStartOnly=yes")),
        row("units", "a library for the loader", "`LD_PRELOAD` is taken by the loader", |rpm| service_line(rpm, "Environment=A=b LD_PRELOAD=/opt/small/x.so")),
        row("units", "a path that the service writes", "`PATH` has the entry `/var/lib/small/bin`", |rpm| service_line(rpm, "Environment=PATH=/usr/bin:/var/lib/small/bin")),
        row("units", "a path below a folder of its own", "`PATH` has the entry `/var/cache/x/bin`", |rpm| service_line(rpm, "CacheDirectory=x\nEnvironment=PATH=/var/cache/x/bin")),
        row("units", "a program without its path", "ExecReload", |rpm| rpm.replace(UNIT, "ExecReload=/bin/kill", "ExecReload=bin/kill")),
        row("units", "a quote that does not end", UNIT, |rpm| rpm.replace(UNIT, "ExecReload=/bin/kill", "ExecReload=/bin/kill \"x")),
        row("units", "a mode that is none", "StateDirectoryMode", |rpm| rpm.replace(UNIT, "StateDirectoryMode=0750", "StateDirectoryMode=rwx")),
        row("units", "a socket without an address", "ListenStream", |rpm| rpm.replace(SOCKET, "ListenStream=0.0.0.0:8000", "ListenStream=0.0.0.0:99999")),
        row("units", "a timer that is none", "OnCalendar", |rpm| rpm.replace(TIMER, "OnCalendar=daily", "OnCalendar=sometimes")),
        row("units", "a unit that is not UTF-8", SOCKET, |rpm| rpm.file(SOCKET).content.extend(b"# \xff\xfe\n")),

        row("scriptlets", "a syntax error", "post", |rpm| rpm.replace_in_tag(POST, "then", "than")),
        row("scriptlets", "a quote that does not end", "pre", |rpm| rpm.replace_in_tag(PRE, "exit 0", "echo \"x")),
        row("scriptlets", "syntax of bash alone", "postun", |rpm| rpm.replace_in_tag(POSTUN, "if [ -d", "x=(1 2)\nif [ -d")),
        row("scriptlets", "a program that is not there", "/bin/zsh", |rpm| drop(rpm.tags.insert(POST_PROGRAM, Data::Text("/bin/zsh".to_owned())))),
        row("scriptlets", "a script in Lua", "<lua>", |rpm| drop(rpm.tags.insert(POST_PROGRAM, Data::Text("<lua>".to_owned())))),

        row("sysusers", "a line that is none", "small.conf", |rpm| rpm.append(SYSUSERS, "hello\n")),
        row("sysusers", "a kind that is none", "small.conf", |rpm| rpm.append(SYSUSERS, "x other - - - -\n")),
        row("sysusers", "a quote that does not end", "small.conf", |rpm| rpm.replace(SYSUSERS, "\"small\"", "\"small")),
        row("sysusers", "a number that is none", "small.conf", |rpm| rpm.append(SYSUSERS, "u other abc - - -\n")),
        row("sysusers", "a name that is none", "small.conf", |rpm| rpm.append(SYSUSERS, "u 0ther! - - - -\n")),
        row("sysusers", "the user is not made", "small", |rpm| rpm.replace(SYSUSERS, "u small ", "u other ")),
        row("sysusers", "nothing makes the user", "small", |rpm| drop(rpm.remove(SYSUSERS))),
        row("sysusers", "the service's user is another", "nobody", |rpm| rpm.replace(UNIT, "User=small", "User=nobody2")),
        row("sysusers", "a file of a user that nobody makes", "ghost", |rpm| rpm.file(YAML).group = "ghost".to_owned()),

        row("config", "replaced by the next upgrade", YAML, |rpm| rpm.file(YAML).flags = CONFIG),
        row("config", "everybody may read it", YAML, |rpm| rpm.file(YAML).mode = 0o100_644),
        row("config", "JSON that is none", JSON, |rpm| rpm.append(JSON, "}\n")),
        row("config", "TOML that is none", TOML, |rpm| rpm.append(TOML, "c = \n")),
        row("config", "YAML with a tab", YAML, |rpm| rpm.append(YAML, "d:\n\te: 1\n")),
        row("config", "the service may not read it", YAML, |rpm| rpm.file(YAML).group = "root".to_owned()),
        row("config", "the service owns it", YAML, |rpm| rpm.file(YAML).user = "small".to_owned()),
        row("config", "it can be executed", YAML, |rpm| rpm.file(YAML).mode = 0o100_750),

        row("secrets", "a token", "api_token", |rpm| rpm.append(YAML, "api_token: x81Hs9dkQpZ7\n")),
        row("secrets", "a password in JSON", "db_password", |rpm| rpm.file(JSON).content = b"{\"db_password\": \"hunter2\"}\n".to_vec()),
        row("secrets", "a password in one line of JSON", "password", |rpm| rpm.file(JSON).content = b"{\"a\": 1, \"password\": \"hunter2\"}\n".to_vec()),
        row("secrets", "a private key in config", YAML, |rpm| { let key = private_key(); rpm.append(YAML, &format!("key: |\n{key}")) }),
        row("secrets", "an address with a password", YAML, |rpm| rpm.append(YAML, "database: postgresql://app:hunter2@db.example/app\n")),
        row("secrets", "a key of a cloud", YAML, |rpm| rpm.append(YAML, &format!("cloud: {}{}\n", "AKIA", "IOSFODNN7EXAMPLZ"))),
        row("secrets", "a private key beside the application", "server.key", |rpm| rpm.add_to("small", "/opt/small/small/server.key", File::plain(private_key()))),
        row("secrets", "a private key in a module of the application", "small/__init__.py", |rpm| rpm.append("/opt/small/small/__init__.py", &format!("KEY = '''{}'''\n", private_key()))),
        row("secrets", "a secret of the unit", UNIT, |rpm| service_line(rpm, "Environment=DB_PASSWORD=hunter2")),
        row("secrets", "a secret in another config file", "more.ini", |rpm| rpm.add("/opt/small/more.ini", config("[db]\npassword = hunter2\n"))),

        row("accepted", "a list that is none", "cannot be read", |rpm| accept(rpm, "check = 1\n")),
        row("accepted", "what nobody can accept", "cannot be accepted", |rpm| accept(rpm, "check = \"digests\"\npath = \"**\"\nwhy = \"x\"\n")),
        row("accepted", "for a while that is over", "held until 2020-01-01", |rpm| accept(rpm, "check = \"elf\"\npath = \"**\"\nwhy = \"x\"\nuntil = \"2020-01-01\"\n")),
        row("accepted", "for nothing that is found", "is for no finding", |rpm| accept(rpm, "check = \"elf\"\npath = \"nowhere/**\"\nwhy = \"x\"\n")),
    ]
}
