//! Check of secrets: in config files, units, scriptlets, and in what the application itself brings. Dependencies are
//! not looked at: many ship the keys and certificates of their tests.

use crate::secret_scan::{SecretKind, Spotted, Spotter};
use crate::units::Unit;
use crate::{Evidence, Finding, Outcome, count};
use std::collections::BTreeSet;
use wheelhaul_systemd::split_words;

const CURE: &str = "leave it out; on the box, `secrets` of `[service]`, the config file or /etc/sysconfig has it";
/// More keys in one file say nothing new.
const MOST_KEYS: usize = 50;

/// `secrets`: what is found names the line and the kind, and never the secret.
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let mut findings = Vec::new();
    for (path, found) in &evidence.spotted {
        let is_config = evidence.described.files.get(path).is_some_and(|row| row.is_config());
        findings.extend(found.iter().filter_map(|spotted| finding_of(path, "", spotted, is_config)));
    }
    findings.extend(keys_of_configs(evidence));
    findings.extend(named_files(evidence));
    for unit in Unit::all(evidence) {
        findings.extend(spotted_in(unit.path, "", evidence.texts.get(unit.path).map_or("", String::as_str)));
        for key in unit.keys().iter().filter(|key| key.key == "Environment") {
            let words = split_words(&key.value).unwrap_or_default().words;
            let secrets = words.iter().filter_map(|word| secret_key(word));
            findings.extend(secrets.map(|secret| key_finding(unit.path, key.line, secret)));
        }
    }
    for (name, text) in &evidence.described.scriptlets {
        findings.extend(spotted_in("", &format!("%{name}, "), text));
        let lines = text.lines().enumerate();
        findings.extend(lines.filter_map(|(index, line)| {
            let found = format!("%{name}, line {}: `{}` has a value", index + 1, assigned(line)?);
            Some(Finding::error("", found, "no secret", CURE).warning())
        }));
    }
    let looked_at = count(evidence.own_files, "file");
    Outcome::Made { looked_at: format!("{looked_at} of the application, units and scriptlets"), findings }
}

fn spotted_in(path: &str, place: &str, text: &str) -> Vec<Finding> {
    let mut spotter = Spotter::default();
    spotter.take(text.as_bytes());
    spotter.finish().iter().filter_map(|spotted| finding_of(path, place, spotted, true)).collect()
}

/// In code, a password that is a word stands for one: documentation and tests have them.
fn finding_of(path: &str, place: &str, spotted: &Spotted, is_config: bool) -> Option<Finding> {
    let (what, weighs) = match spotted.kind {
        SecretKind::PrivateKey => ("a private key".to_owned(), true),
        SecretKind::Token(whose) => (format!("what looks like a token of {whose}"), true),
        SecretKind::AccessKeyId => ("what looks like an access key ID of AWS".to_owned(), false),
        SecretKind::Url { is_example } if is_example && !is_config => return None,
        SecretKind::Url { .. } => ("a URL with a password".to_owned(), false),
    };
    let found = format!("{place}line {}: {what}", spotted.line);
    let finding = Finding::error(path, found, "no secret", CURE);
    Some(if weighs && !is_of_tests(path) { finding } else { finding.warning() })
}

/// Keys of tests open nothing.
fn is_of_tests(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "test" | "tests" | "testing" | "fixtures"))
}

fn key_finding(path: &str, line: usize, key: &str) -> Finding {
    let key = wheelhaul_base::problem::shortened(key);
    let found = format!("line {line}: `{}` has a value", key.escape_debug());
    let cure = "ship it empty, and let the administrator set it on the box, in the file or in /etc/sysconfig";
    Finding::error(path, found, "no secret", cure).warning()
}

/// Keys of config files that are named like secrets.
fn keys_of_configs(evidence: &Evidence) -> Vec<Finding> {
    let configs = evidence.described.files.iter().filter(|(_, row)| row.is_config()).map(|(path, _)| path);
    let mut findings = Vec::new();
    for path in configs {
        let Some(text) = evidence.texts.get(path) else { continue };
        let spotted = evidence.spotted.get(path).map_or(&[][..], Vec::as_slice);
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let keys =
            lines.flat_map(|(number, line)| pairs(line).filter_map(move |pair| Some((number, secret_key(pair)?))));
        // What is known by its shape was said.
        let keys = keys.filter(|(number, _)| !spotted.iter().any(|spotted| spotted.line == *number));
        findings.extend(keys.take(MOST_KEYS).map(|(number, key)| key_finding(path, number, key)));
    }
    findings
}

/// Files of the application whose name says that they hold secrets, or that they came along by mistake.
fn named_files(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, row) in &evidence.described.files {
        let Some(below) = evidence.of_application(path) else { continue };
        if let Some(end) = repository_in(below) {
            let folder = &path[..path.len() - below.len() + end];
            if seen.insert(folder) {
                let found = "a repository came along, with its history and the settings of who built it";
                let cure = "leave it out of the application's wheel";
                findings.push(Finding::error(folder, found, "the application alone", cure));
            }
            continue;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some((what, weighs)) = named(name).filter(|_| row.is_file() && row.size > 0) {
            let finding = Finding::error(path, format!("by its name it is {what}"), "no secret", CURE);
            findings.push(if weighs && !is_of_tests(path) { finding } else { finding.warning() });
        }
    }
    findings
}

/// Where the name of a repository's folder ends.
fn repository_in(path: &str) -> Option<usize> {
    let mut start = 0;
    path.split('/').find_map(|part| {
        let end = start + part.len();
        start = end + 1;
        matches!(part, ".git" | ".hg" | ".svn").then_some(end)
    })
}

/// What a file is by its name, and whether that is an error.
fn named(name: &str) -> Option<(&'static str, bool)> {
    const SAMPLES: [&str; 5] = [".example", ".sample", ".template", ".dist", ".defaults"];
    if SAMPLES.iter().any(|end| name.ends_with(end)) {
        return None;
    }
    Some(match name {
        "id_dsa" | "id_ecdsa" | "id_ed25519" | "id_rsa" => ("a private key of SSH", true),
        ".netrc" | "_netrc" | ".pgpass" | ".pypirc" | ".git-credentials" => ("a file of passwords", true),
        ".env" | ".htpasswd" | ".npmrc" => ("a file that often has passwords", false),
        _ if name.starts_with(".env.") => ("a file that often has passwords", false),
        _ => match name.rsplit_once('.') {
            Some((_, "p12" | "pfx" | "jks" | "kdbx" | "keystore")) => ("a store of keys", false),
            _ => return None,
        },
    })
}

/// The variable of a shell's line that holds a secret.
fn assigned(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("export ");
    let (name, value) = line.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !value.starts_with(['$', '`', '='])).then(|| secret_key(line))?
}

/// The pairs of key and value in a line: many where it has a mapping in braces (JSON, YAML, inline tables of TOML), as
/// a JSON in one line has.
fn pairs(line: &str) -> impl Iterator<Item = &str> {
    let starts = |text: &str| text.starts_with(['{', '"']) && !text.starts_with("{{");
    let value = line.split_once([':', '=']).map_or("", |(_, value)| value.trim_start());
    let is_flow = starts(line.trim_start()) || (starts(value) && !value.starts_with('"'));
    let mut quote = None;
    let mut is_escaped = false;
    let mut before = ' ';
    line.split(move |c| {
        let cuts = is_flow && quote.is_none() && before != '$' && matches!(c, '{' | '}' | ',');
        match quote {
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped && quote == Some('"');
        before = c;
        cuts
    })
}

/// The key of a line of YAML, TOML, INI or JSON that holds a secret, if its value is one.
fn secret_key(line: &str) -> Option<&str> {
    const WORDS: [&str; 8] =
        ["token", "password", "passwd", "passphrase", "secret", "api_key", "apikey", "private_key"];
    let line = line.trim_start_matches([' ', '\t', '-', '{']);
    if line.starts_with(['#', ';', '/']) {
        return None;
    }
    let (key, value) = line.split_once([':', '='])?;
    let key = key.trim().trim_matches(['"', '\'']);
    let lower = key.to_ascii_lowercase().replace('-', "_");
    // It says where the secret is.
    if ["_file", "_path", "_dir", "_directory"].iter().any(|end| lower.ends_with(end)) {
        return None;
    }
    let value = value.split(" #").next().unwrap_or(value).trim().trim_end_matches([',', '}']).trim();
    let bare = value.trim_matches(['"', '\'']);
    let is_reference =
        bare.starts_with('$') || (bare.starts_with('<') && bare.ends_with('>')) || bare.starts_with("{{");
    let is_empty = matches!(bare, "" | "null" | "~" | "None" | "|" | ">" | "{" | "[" | "[]" | "true" | "false")
        || bare.starts_with('#');
    (WORDS.iter().any(|word| lower.contains(word)) && !is_empty && !is_reference).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_key_and_placeholders_are_none() {
        #[rustfmt::skip]
        let cases = [
            ("  api_auth_token: abc123",          Some("api_auth_token")),
            ("password = \"x\"",                  Some("password")),
            ("\"clientSecret\": \"x\",",          Some("clientSecret")),
            ("- db-password: 'x' # note",         Some("db-password")),
            ("  api_auth_token: \"\"   # set it", None),
            ("api_auth_token:",                   None),
            ("# password: x",                     None),
            ("password: ${DB_PASSWORD}",          None),
            ("token: <your token>",               None),
            ("token: null",                       None),
            ("app_name: secretary",               None),
            ("password_file: /etc/x/password",    None),
        ];
        for (line, key) in cases {
            assert_eq!(secret_key(line), key, "{line}");
        }
    }

    #[test]
    fn a_line_with_braces_has_many_keys() {
        #[rustfmt::skip]
        let cases: [(&str, &[&str]); 12] = [
            (r#"{"a": 1, "password": "x"}"#,                   &["password"]),
            (r#"{"db": {"password": "x"}, "token": "y"}"#,     &["password", "token"]),
            (r#""a": 1, "token": "x","#,                       &["token"]),
            (r#"db = { user = "a", password = "b" }"#,         &["password"]),
            ("db: {user: a, password: b}",                     &["password"]),
            (r#"{"a": "b, password: x"}"#,                     &[]),
            (r#"{"a": "\", password: x"}"#,                    &[]),
            (r#"{"password": "", "token": null}"#,             &[]),
            (r#"{"password": ""} }"#,                          &[]),
            ("motd: hello, password: x",                       &[]),
            ("password: ${DB_PASSWORD:-x}",                    &[]),
            ("token: {{ vault, token: x }}",                   &[]),
        ];
        for (line, keys) in cases {
            assert_eq!(pairs(line).filter_map(secret_key).collect::<Vec<_>>(), keys, "{line}");
        }
    }

    #[test]
    fn a_scriptlet_keeps_no_secret_in_a_variable() {
        #[rustfmt::skip]
        let cases = [
            ("DB_PASSWORD=abc",                               Some("DB_PASSWORD")),
            ("    export API_TOKEN='abc'",                    Some("API_TOKEN")),
            ("token=$(cat /etc/x)",                           None),
            ("TOKEN=$1",                                      None),
            ("systemctl preset token.service || :",           None),
            ("before=$(systemctl show token.socket)",         None),
            ("if [ \"$token\" = x ]; then",                   None),
        ];
        for (line, name) in cases {
            assert_eq!(assigned(line), name, "{line}");
        }
    }

    #[test]
    fn files_are_known_by_their_names() {
        #[rustfmt::skip]
        let cases = [
            ("id_rsa",            Some(true)),
            (".pypirc",           Some(true)),
            (".env",              Some(false)),
            (".env.production",   Some(false)),
            (".env.example",      None),
            ("store.p12",         Some(false)),
            ("id_rsa.pub",        None),
            ("cacert.pem",        None),
            ("env.py",            None),
        ];
        for (name, weighs) in cases {
            assert_eq!(named(name).map(|(_, weighs)| weighs), weighs, "{name}");
        }
        for (path, end) in
            [(".git/config", Some(4)), ("a/.git/b/.git", Some(6)), ("a.git/b", None), (".gitignore", None)]
        {
            assert_eq!(repository_in(path), end, "{path}");
        }
    }
}
