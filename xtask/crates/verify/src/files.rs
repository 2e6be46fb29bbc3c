//! Checks of files as files: digests, modes, paths of the building host.

use crate::{Evidence, Finding, Outcome, count};
use wheelhaul_rpmfile::FileRow;

/// `digests`
pub fn digests(evidence: &Evidence) -> Outcome {
    let again = "the file was damaged or changed after it was built: build it again, or fetch it again";
    let mut findings: Vec<Finding> = evidence
        .digest_faults
        .iter()
        .map(|fault| Finding::error("", fault, "the digest that the package says", again))
        .collect();
    findings.extend(
        evidence.changed_files.iter().map(|path| {
            Finding::error(path, "its bytes have another digest", "the digest that the header says", again)
        }),
    );
    let described = &evidence.described;
    // An MD5 of the whole file beside these, as rpmbuild writes it, is looked at by no rpm that knows them.
    if described.file_digest_algorithm != 8 {
        let found = format!("files have digests of the algorithm {}", described.file_digest_algorithm);
        findings.push(Finding::error(
            "",
            found,
            "8, which is SHA-256",
            "build it with this tool, which writes SHA-256 only",
        ));
    }
    let files = described.files.values().filter(|row| row.is_file()).count();
    Outcome::Made { looked_at: format!("header, payload and {}", count(files, "file")), findings }
}

/// `modes`
pub fn modes(evidence: &Evidence) -> Outcome {
    let mut findings = Vec::new();
    for (path, row) in &evidence.described.files {
        let mode = row.mode & 0o7777;
        let shown = format!("{mode:04o} {}:{}", row.owner.user, row.owner.group);
        if mode & 0o6000 != 0 {
            let found = format!("it is setuid or setgid ({shown})");
            findings.push(Finding::error(path, found, "neither", "nothing in an application needs that"));
        }
        if mode & 0o1000 != 0 {
            let found = format!("it has the sticky bit ({shown})");
            findings.push(Finding::error(path, found, "none", "no folder of an application is everybody's"));
        }
        if let Some(found) = fault_of_access(&evidence.described.name, path, row) {
            let expected = if row.is_file() { "0644 or 0755 root:root" } else { "0755 root:root" };
            let cure = "build it with this tool, which sets modes and owners";
            findings.push(Finding::error(path, format!("{found} ({shown})"), expected, cure));
        }
        if mode & 0o002 != 0 {
            let found = format!("everybody may write it ({shown})");
            findings.push(Finding::error(path, found, "its owner alone", "make it 0644 or 0755"));
        }
        // Whoever owns a module, or the folder of one, can change what the next start runs.
        if row.owner.user != "root" && (!row.is_config() || mode & 0o111 != 0) {
            let found = format!("the service's user owns it ({shown})");
            findings.push(Finding::error(path, found, "an owner that is not the service", "code belongs to root"));
        }
        if row.owner.group != "root" && mode & 0o020 != 0 {
            let found = format!("the service's group may write it ({shown})");
            let cure = "what the service writes belongs under /var/lib";
            findings.push(Finding::error(path, found, "its owner alone", cure));
        }
    }
    Outcome::Made { looked_at: count(evidence.described.files.len(), "path"), findings }
}

/// Whose a path is and who reads it, where that is not as this tool sets it; config files have a check of their own.
fn fault_of_access(name: &str, path: &str, row: &FileRow) -> Option<&'static str> {
    let is_credentials = path == format!("/etc/{name}/credentials");
    let is_config = row.flags & 1 != 0;
    let (user, group) = (row.owner.user.as_str(), row.owner.group.as_str());
    let of_service = group == name && (is_credentials || is_config);
    let all = if row.is_file() { 0o444 } else { 0o555 };
    if is_credentials && row.mode & 0o007 != 0 {
        return Some("everybody may look into the folder of secrets");
    }
    match row.mode & all == all || of_service {
        false => Some("the service cannot read it"),
        true if !row.is_file() && user != "root" => Some("a folder is not root's"),
        true if group != "root" && !of_service => Some("it has another group than root's"),
        true => None,
    }
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
            let found = format!("its first line asks for `{interpreter}`");
            let cure = "let the wheel say `#!python`, or leave the script out";
            findings.push(Finding::error(path, found, "an interpreter of the box or of the package", cure));
        }
    }
    for (path, text) in &evidence.texts {
        if path.ends_with("/direct_url.json") && text.contains("file://") {
            let found = "it names the folder that the wheel was built from";
            findings.push(Finding::error(path, found, "no folder of another machine", "build the wheel without it"));
        }
        let is_elsewhere = |line: &&str| {
            let below = line.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            path.ends_with(".pth") && line.starts_with('/') && !below
        };
        for line in text.lines().filter(is_elsewhere) {
            let found = format!("it adds `{line}` to the import path");
            findings.push(Finding::error(path, found, format!("a folder below {root}"), "use a relative line"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_roots_and_code_is_read_by_the_service() {
        let row = |mode: u16, user: &str, group: &str, flags: u32| FileRow {
            mode,
            owner: wheelhaul_rpmfile::FileOwner { user: user.to_owned(), group: group.to_owned() }.into(),
            size: 1,
            digest: String::new(),
            flags,
            link: String::new(),
        };
        #[rustfmt::skip]
        let cases = [ // path              row                                   said
            ("/opt/a/x",                 row(0o100_644, "root", "root", 0),    None),
            ("/opt/a/x",                 row(0o100_600, "root", "root", 0),    Some("the service cannot read it")),
            ("/opt/a/x",                 row(0o100_644, "root", "a", 0),       Some("it has another group than root's")),
            ("/opt/a/x",                 row(0o100_640, "root", "a", 1),       None),
            ("/opt/a",                   row(0o040_755, "root", "root", 0),    None),
            ("/opt/a",                   row(0o040_750, "root", "root", 0),    Some("the service cannot read it")),
            ("/opt/a",                   row(0o040_755, "a", "root", 0),       Some("a folder is not root's")),
            ("/etc/a/credentials",       row(0o040_750, "root", "a", 0),       None),
            ("/etc/a/credentials",       row(0o040_755, "root", "a", 0),       Some("everybody may look into the folder of secrets")),
        ];
        for (path, row, said) in cases {
            assert_eq!(fault_of_access("a", path, &row), said, "{path} {row:?}");
        }
    }

    #[test]
    fn the_interpreter_of_a_first_line_is_its_first_word() {
        assert_eq!(interpreter_of(b"#! /usr/bin/env python\nx").as_deref(), Some("/usr/bin/env"));
        assert_eq!(interpreter_of(b"#!/opt/x/bin/python").as_deref(), Some("/opt/x/bin/python"));
        assert_eq!(interpreter_of(b"\x7fELF"), None);
    }
}
