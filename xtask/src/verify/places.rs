//! Check of places: nothing lies where an application's package has nothing.

use crate::tree::BoxPath;
use crate::verify::{Evidence, Finding, Outcome, count};

/// `places`
pub fn judge(evidence: &Evidence) -> Outcome {
    let name = &evidence.described.name;
    let root = evidence.root();
    let folders = [root.to_owned(), format!("/usr/share/doc/{name}"), format!("/usr/share/licenses/{name}")];
    let units = [".service", ".socket", "-certificate.service", "-certificate.timer"];
    let mut files = units.map(|unit| format!("/usr/lib/systemd/system/{name}{unit}")).to_vec();
    // The folder for secrets; what is in it is the administrator's.
    files.extend([
        format!("/usr/lib/sysusers.d/{name}.conf"),
        format!("/etc/{name}"),
        format!("/etc/{name}/credentials"),
    ]);
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
            findings.push(Finding::error(path, format!("{error}"), "a plain path", cure));
        } else if !folders.iter().any(below) && !files.contains(path) && !is_above(path, row.is_file()) {
            let expected = format!("a path below {}", folders.join(", "));
            findings.push(Finding::error(path, "it lies outside of what an application's package has", expected, cure));
        }
        if !row.is_file() && row.mode & 0o170_000 != FOLDER {
            findings.push(Finding::error(path, format!("its mode is {:06o}", row.mode), "a file or a folder", cure));
        }
    }
    Outcome::Made { looked_at: count(evidence.described.files.len(), "path"), findings }
}
