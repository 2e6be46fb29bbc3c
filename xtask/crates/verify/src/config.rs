//! Check of config files: that the service reads them, nobody else does, and an upgrade keeps them.

use crate::{Evidence, Finding, Outcome, count};
use serde_json::Value;
use wheelhaul_base::problem::shortened;
use wheelhaul_base::toml_text::check_depth;

/// `config`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let name = &evidence.described.name;
    let again = "build it with this tool, which gives config files 0640, root and the service's group";
    let distributions = evidence.distributions();
    let mut findings = Vec::new();
    let (mut files, mut parsed, mut unparsed) = (0, 0, 0);
    for (path, row) in evidence.described.files.iter().filter(|(_, row)| row.is_config()) {
        files += 1;
        let shown = format!("{:04o} {}:{}", row.mode & 0o7777, row.owner.user, row.owner.group);
        let mut say = |found: &str, expected: &str| {
            findings.push(Finding::error(path, found, expected, again));
        };
        if !row.is_kept() {
            say("an upgrade would take the place of what the administrator wrote", "`%config(noreplace)`");
        }
        if row.mode & 0o111 != 0 {
            say(&format!("it can be executed ({shown})"), "0640: fapolicyd takes what can be executed for a program");
        }
        if row.owner.user != "root" {
            say(&format!("the service owns its own configuration ({shown})"), "root as its owner");
        }
        // What a wheel brings below `etc` is no secret; the application's own may come to hold one.
        let is_public = row.mode & 0o044 == 0o044 && distributions.owner_of(path).is_some();
        if row.mode & 0o007 != 0 && !is_public {
            say(&format!("everybody on the box may read it ({shown})"), "0640: it may come to hold a password");
        } else if !is_public && (row.owner.group != *name || row.mode & 0o040 == 0) {
            say(&format!("the service cannot read it ({shown})"), &format!("0640 and the group {name}"));
        }
        let Some(text) = evidence.texts.get(path) else {
            let cure = "save it as UTF-8";
            findings.push(Finding::error(path, "it is not UTF-8", "text", cure).warning());
            continue;
        };
        match fault_of(path, text) {
            Some(Ok(())) => parsed += 1,
            None => unparsed += 1,
            Some(Err(why)) => {
                parsed += 1;
                let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
                let cure = "correct the file in the application's repository";
                findings.push(Finding::error(path, why, format!("{ending}, as its name says"), cure));
            }
        }
    }
    let as_text = if unparsed > 0 { format!(", {unparsed} as UTF-8 alone") } else { String::new() };
    Outcome::Made { looked_at: format!("{}, {parsed} parsed{as_text}", count(files, "config file")), findings }
}

/// Whether a text is of the format that its name says, where that format is read here.
fn fault_of(path: &str, text: &str) -> Option<Result<(), String>> {
    let said = |error: String| shortened(&error).escape_debug().to_string();
    match path.rsplit('.').next().unwrap_or_default() {
        "json" => Some(serde_json::from_str::<Value>(text).map(drop).map_err(|error| {
            // Its own message ends with the place, and names no value.
            said(format!("it is no JSON: {error}"))
        })),
        "toml" => Some(check_toml(text).map_err(said)),
        // YAML is not read here, but for what no YAML has.
        "yaml" | "yml" => {
            tab_indented(text).map(|line| Err(format!("line {line} is indented by a tab, which no YAML is")))
        }
        _ => None,
    }
}

/// Without the line itself, which may hold a secret.
fn check_toml(text: &str) -> Result<(), String> {
    check_depth(text).map_err(|error| format!("{error:#}"))?;
    toml::from_str::<toml::Table>(text).map(drop).map_err(|error| {
        let line = text[..error.span().map_or(0, |span| span.start)].matches('\n').count() + 1;
        format!("it is no TOML: line {line}: {}", error.message().split("://").next().unwrap_or_default())
    })
}

/// The first line of a YAML whose key is indented by a tab; texts in blocks and quotes may have them.
fn tab_indented(text: &str) -> Option<usize> {
    let is_key = |line: &str| {
        let key = line.trim_start().split(':').next().unwrap_or_default();
        line.contains(':') && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) && !key.is_empty()
    };
    // A block, and a quote over several lines, are not followed.
    if text.lines().any(|line| line.trim_end().ends_with(['|', '>', '-', '+'])) || text.contains(['"', '\'']) {
        return None;
    }
    text.lines().position(|line| line.starts_with('\t') && is_key(line)).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_file_is_what_its_name_says() {
        #[rustfmt::skip]
        let cases = [ // name    text                       none: not parsed; else what is said
            ("a.json",         "{\"a\": [1, null]}",      Some("")),
            ("a.json",         "{\"a\": 1,}",             Some("it is no JSON: trailing comma at line 1 column 9")),
            ("a.json",         "",                        Some("it is no JSON: EOF")),
            ("a.toml",         "a = 1\n[b]\n",            Some("")),
            ("a.toml",         "a = 1\nb = hunter2\n",    Some("it is no TOML: line 2: ")),
            ("a.toml",         "a = 1\na = 2\n",          Some("it is no TOML: line 2: duplicate key")),
            ("a.yaml",         "a:\n  b: 1\n",            None),
            ("a.yaml",         "a:\n\tb: 1\n",            Some("line 2 is indented by a tab")),
            ("a.yml",          "a: |\n\tb: 1\n",          None),
            ("a.ini",          "[a]\nb = 1\n",            None),
            ("a.conf",         "",                        None),
        ];
        for (name, text, expected) in cases {
            match (fault_of(name, text), expected) {
                (None, None) | (Some(Ok(())), Some("")) => {}
                (Some(Err(why)), Some(part)) if !part.is_empty() && why.contains(part) && !why.contains("hunter2") => {}
                (found, _) => panic!("{name}: {text:?}: {found:?}"),
            }
        }
        let deep = "[".repeat(100_000);
        assert!(
            fault_of("a.json", &deep).unwrap().is_err() && fault_of("a.toml", &format!("a = {deep}")).unwrap().is_err()
        );
    }
}
