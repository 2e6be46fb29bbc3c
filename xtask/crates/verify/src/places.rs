//! Check of places: nothing lies where an application's package has nothing, or another package has its own.

use crate::rhel_names::{is_system_folder, system_config, system_package, system_program, system_unit};
use crate::{Evidence, Finding, Outcome, count};
use wheelhaul_package::service::run_program;
use wheelhaul_package::tree::BoxPath;

/// The ends of the units that this tool writes.
const UNITS: [&str; 4] = [".service", ".socket", "-certificate.service", "-certificate.timer"];
const FOLDER: u16 = 0o040_000;

/// `places`
pub(crate) fn judge(evidence: &Evidence) -> Outcome {
    let name = &evidence.described.name;
    let root = evidence.root();
    let folders = [root.to_owned(), format!("/usr/share/doc/{name}"), format!("/usr/share/licenses/{name}")];
    let mut files = UNITS.map(|unit| format!("/usr/lib/systemd/system/{name}{unit}")).to_vec();
    // The folder for secrets; what is in it is the administrator's.
    files.extend([
        run_program(name),
        format!("/usr/lib/sysusers.d/{name}.conf"),
        format!("/etc/{name}"),
        format!("/etc/{name}/credentials"),
    ]);
    // Folders of `package.prefix`, which the package shares with others below it.
    let is_above = |path: &str, is_file: bool| !is_file && root.starts_with(&format!("{path}/"));
    let cure = "build it with this tool, which puts nothing there";
    let mut findings = collisions(evidence);
    for (path, row) in &evidence.described.files {
        let below = |folder: &String| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Err(error) = BoxPath::new(path.as_str()) {
            findings.push(Finding::error(path, format!("{error}"), "a plain path", cure));
        } else if is_system_folder(path) {
            let found = "it is a folder of RHEL's `filesystem`, whose mode and owner this package would set";
            findings.push(Finding::error(path, found, "a folder of its own", cure));
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

/// Names that RHEL's own packages have.
fn collisions(evidence: &Evidence) -> Vec<Finding> {
    let cure = "give the package another name in `dist/package.toml`";
    let name = &evidence.described.name;
    let mut findings = Vec::new();
    if system_package(name) {
        let found = format!("RHEL has a package `{name}`: one of them would be taken for an upgrade of the other");
        findings.push(Finding::error("", found, "a name of its own", cure));
    }
    for path in evidence.described.files.keys() {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let (owner, what) = match folder {
            "/usr/lib/systemd/system" => (system_unit(stem), "unit"),
            "/usr/lib/sysusers.d" => (system_unit(stem), "sysusers file"),
            "/usr/bin" => (system_program(file), "program"),
            "/etc/sysconfig" => (system_unit(file), "file"),
            "/etc" => (system_config(file), "folder"),
            _ => continue,
        };
        if let Some(owner) = owner {
            let found = format!("RHEL's `{owner}` has a {what} of this name");
            findings.push(Finding::error(path, found, "a name of its own", cure));
        }
    }
    findings
}
