//! Checks of files as files: digests, modes, paths of the building host, secrets.

use crate::tree::BoxPath;
use crate::verify::{Evidence, Finding, Outcome, count};

/// `digests`
pub fn digests(evidence: &Evidence) -> Outcome {
    let again = "the file was damaged or changed after it was built: build it again, or fetch it again";
    let mut findings: Vec<Finding> =
        evidence.digest_faults.iter().map(|fault| Finding::error("", fault, again)).collect();
    findings.extend(
        evidence
            .changed_files
            .iter()
            .map(|path| Finding::error(path, "its bytes do not have the digest of the header", again)),
    );
    let described = &evidence.described;
    // An MD5 of the whole file beside these, as rpmbuild writes it, is looked at by no rpm that knows them.
    if described.file_digest_algorithm != 8 {
        let what =
            format!("files have digests of the algorithm {} instead of SHA-256", described.file_digest_algorithm);
        findings.push(Finding::error("", what, "build it with this tool, which writes SHA-256 only"));
    }
    let files = described.files.values().filter(|row| row.is_file()).count();
    Outcome::Made { looked_at: format!("header, payload and {}", count(files, "file")), findings }
}

/// `places`
pub fn places(evidence: &Evidence) -> Outcome {
    let name = &evidence.described.name;
    let root = evidence.root();
    let folders = [root.to_owned(), format!("/usr/share/doc/{name}"), format!("/usr/share/licenses/{name}")];
    let files = [format!("/usr/lib/systemd/system/{name}.service"), format!("/usr/lib/sysusers.d/{name}.conf")];
    // Folders of `package.prefix`, which the package shares with others below it.
    let is_above = |path: &str, is_file: bool| !is_file && root.starts_with(&format!("{path}/"));
    let cure = "build it with this tool, which puts nothing there";
    let mut findings = Vec::new();
    for (path, row) in &evidence.described.files {
        const FOLDER: u16 = 0o040_000;
        let below = |folder: &String| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Err(error) = BoxPath::new(path.as_str()) {
            findings.push(Finding::error(path, format!("{error}"), cure));
        } else if !folders.iter().any(below) && !files.contains(path) && !is_above(path, row.is_file()) {
            findings.push(Finding::error(path, "it lies outside of what an application's package has", cure));
        }
        if !row.is_file() && row.mode & 0o170_000 != FOLDER {
            findings.push(Finding::error(
                path,
                format!("it is neither a file nor a folder (mode {:06o})", row.mode),
                cure,
            ));
        }
    }
    Outcome::Made { looked_at: count(evidence.described.files.len(), "path"), findings }
}

/// `modes`
pub fn modes(evidence: &Evidence) -> Outcome {
    let mut findings = Vec::new();
    for (path, row) in &evidence.described.files {
        let mode = row.mode & 0o7777;
        let shown = format!("{mode:04o} {}:{}", row.owner.user, row.owner.group);
        if mode & 0o6000 != 0 {
            findings.push(Finding::error(
                path,
                format!("it is setuid or setgid ({shown})"),
                "nothing in an application needs that",
            ));
        }
        if mode & 0o002 != 0 {
            findings.push(Finding::error(path, format!("everybody may write it ({shown})"), "make it 0644 or 0755"));
        }
        if row.owner.user != "root" && row.is_file() && mode & 0o111 != 0 {
            findings.push(Finding::error(
                path,
                format!("the service's user owns what can be executed ({shown})"),
                "code belongs to root",
            ));
        }
        if row.owner.group != "root" && mode & 0o020 != 0 {
            findings.push(Finding::error(
                path,
                format!("the service's group may write it ({shown})"),
                "what the service writes belongs under /var/lib",
            ));
        }
    }
    Outcome::Made { looked_at: count(evidence.described.files.len(), "path"), findings }
}

/// `host-paths`: `#!` lines, `.pth` lines and `direct_url.json` are where they come to stand.
pub fn host_paths(evidence: &Evidence) -> Outcome {
    let root = evidence.root();
    let mut findings = Vec::new();
    let interpreters = evidence.heads.iter().filter_map(|(path, head)| Some((path, interpreter_of(head)?)));
    for (path, interpreter) in interpreters {
        let of_box =
            ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"].iter().any(|folder| interpreter.starts_with(folder));
        let of_target = evidence.target.as_ref().is_some_and(|target| target.interpreter.path == interpreter);
        let of_package = interpreter.starts_with(&format!("{root}/")) && evidence.has(&interpreter);
        if !of_box && !of_target && !of_package {
            let what = format!("its first line asks for `{interpreter}`, which the box does not have");
            findings.push(Finding::error(path, what, "let the wheel say `#!python`, or leave the script out"));
        }
    }
    for (path, text) in &evidence.texts {
        if path.ends_with("/direct_url.json") && text.contains("file://") {
            findings.push(Finding::error(
                path,
                "it names the folder that the wheel was built from",
                "build the wheel without it",
            ));
        }
        for line in
            text.lines().filter(|line| path.ends_with(".pth") && line.starts_with('/') && !line.starts_with(root))
        {
            findings.push(Finding::error(path, format!("it adds `{line}` to the import path"), "use a relative line"));
        }
    }
    Outcome::Made { looked_at: count(evidence.heads.len(), "executable file"), findings }
}

/// The program of a `#!` line.
fn interpreter_of(head: &[u8]) -> Option<String> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let text = String::from_utf8_lossy(line);
    text.split_whitespace().next().map(str::to_owned)
}

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
                let what = format!("line {}: `{key}` has a value", index + 1);
                let cure =
                    "ship it empty, and let the administrator set it on the box, in the file or in /etc/sysconfig";
                findings.push(Finding::warning(*path, what, cure));
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

    #[test]
    fn the_interpreter_of_a_first_line_is_its_first_word() {
        assert_eq!(interpreter_of(b"#! /usr/bin/env python\nx").as_deref(), Some("/usr/bin/env"));
        assert_eq!(interpreter_of(b"#!/opt/x/bin/python").as_deref(), Some("/opt/x/bin/python"));
        assert_eq!(interpreter_of(b"\x7fELF"), None);
    }
}
