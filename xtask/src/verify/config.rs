//! Check of config files: secrets.

use crate::verify::{Evidence, Finding, Outcome, count};

/// `secrets`: warnings, which name the key and never the value.
pub fn secrets(evidence: &Evidence) -> Outcome {
    const CONFIG: u32 = 1;
    let configs: Vec<_> =
        evidence.described.files.iter().filter(|(_, row)| row.flags & CONFIG != 0).map(|(path, _)| path).collect();
    let mut findings = Vec::new();
    for path in &configs {
        let Some(text) = evidence.texts.get(*path) else { continue };
        for (index, line) in text.lines().enumerate() {
            if let Some(key) = secret_key(line) {
                let found = format!("line {}: `{key}` has a value", index + 1);
                let cure =
                    "ship it empty, and let the administrator set it on the box, in the file or in /etc/sysconfig";
                findings.push(Finding::error(*path, found, "no secret", cure).warning());
            }
        }
    }
    Outcome::Made { looked_at: count(configs.len(), "config file"), findings }
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
        ];
        for (line, key) in cases {
            assert_eq!(secret_key(line), key, "{line}");
        }
    }
}
