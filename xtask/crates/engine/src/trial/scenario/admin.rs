//! What an administrator does beside `rpm` and `systemctl`: secrets, a certificate, edits of the configuration.

use super::Life;
use crate::trial::steps::Notes;
use crate::trial::unit::{certificate, secrets};
use anyhow::{Context as _, ensure};

/// Where a line that starts with `#` says nothing.
const COMMENTED: [&str; 9] = ["cfg", "conf", "env", "ini", "properties", "py", "toml", "yaml", "yml"];

/// Puts a word in the place of each secret, and a certificate where the package brings none.
pub(super) fn puts(life: &Life<'_>) -> anyhow::Result<Notes> {
    let mut notes = Notes::new();
    for path in secrets(&life.unit) {
        let script = "mkdir -p \"${1%/*}\" && umask 077 && printf 'a secret for trying' > \"$1\"";
        life.machine.text(&["sh", "-c", script, "sh", &path])?;
        notes.push(format!("{path}: a dummy"));
    }
    if let Some((cert, key)) = certificate(&life.unit)
        && !cert.starts_with(&format!("/var/lib/{}/", life.name()))
    {
        let group = life.unit.last("Service", "Group").unwrap_or("root");
        let script = "mkdir -p \"${1%/*}\" \"${2%/*}\" && openssl req -x509 -newkey rsa:2048 -nodes -days 2 \
                      -subj /CN=localhost -out \"$1\" -keyout \"$2\" && chgrp \"$3\" \"$2\" && chmod 640 \"$2\"";
        let made = life.machine.text(&["sh", "-c", script, "sh", &cert, &key, group]);
        made.context("failed to make a certificate in place of the administrator's; the root needs `openssl`")?;
        notes.push(format!("{cert}, {key}: self-signed"));
    }
    if notes.is_empty() {
        notes.push("nothing is wanted".to_owned());
    }
    Ok(notes)
}

/// The configuration files that the package installed first has.
pub(super) fn configs<'l>(life: &'l Life<'_>) -> Vec<&'l str> {
    let described = life.old.as_ref().unwrap_or(&life.evidence.described);
    let rows = described.files.iter().filter(|(_, row)| row.is_config() && row.is_file());
    rows.map(|(path, _)| path.as_str()).collect()
}

/// A configuration file that was edited.
pub(super) struct Edited {
    path: String,
    digest: String,
}

/// Adds a line that means nothing to each.
pub(super) fn edits(life: &Life<'_>, configs: &[&str]) -> anyhow::Result<Vec<Edited>> {
    let mut edited = Vec::new();
    for path in configs {
        let end = path.rsplit_once('.').map_or("", |(_, end)| end);
        let is_commented = COMMENTED.contains(&end) || path.starts_with("/etc/sysconfig/");
        let line = if is_commented { "# edited to see it kept" } else { "" };
        life.machine.text(&["sh", "-c", "printf '%s\\n' \"$2\" >> \"$1\"", "sh", path, line])?;
        edited.push(Edited { path: (*path).to_owned(), digest: digest(life, path)? });
    }
    Ok(edited)
}

fn digest(life: &Life<'_>, path: &str) -> anyhow::Result<String> {
    let said = life.machine.text(&["sha256sum", path])?;
    Ok(said.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Whether every edit is there as it was, and a default that changed lies beside it.
pub(super) fn edits_are_kept(life: &Life<'_>, edited: &[Edited]) -> anyhow::Result<Notes> {
    let new = &life.evidence.described;
    let mut notes = Notes::new();
    for Edited { path, digest: before } in edited {
        let Some(row) = new.files.get(path) else {
            let saved = format!("{path}.rpmsave");
            ensure!(is_there(life, &saved)?, "{path} went with the older release, and `{saved}` is not there");
            notes.push(format!("{path} is gone, the edited one is {saved}"));
            continue;
        };
        let old = life.old.as_ref().and_then(|old| old.files.get(path)).map(|row| &row.digest);
        let default_changed = old.is_some_and(|old| *old != row.digest);
        if !row.is_kept() && default_changed {
            let saved = format!("{path}.rpmsave");
            ensure!(is_there(life, &saved)?, "{path} was replaced, and `{saved}` is not there");
            notes.push(format!("{path} was replaced, the edited one is {saved}"));
            continue;
        }
        ensure!(digest(life, path)? == *before, "the edited {path} was not kept");
        let beside = format!("{path}.rpmnew");
        match (default_changed, is_there(life, &beside)?) {
            (true, true) => notes.push(format!("{path} is kept, the new default is {beside}")),
            (true, false) => anyhow::bail!("the default of {path} changed, and `{beside}` is not there"),
            (false, _) => notes.push(format!("{path} is kept")),
        }
    }
    Ok(notes)
}

fn is_there(life: &Life<'_>, path: &str) -> anyhow::Result<bool> {
    Ok(life.machine.run(&["test", "-e", path])?.succeeded())
}
