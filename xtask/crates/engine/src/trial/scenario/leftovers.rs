//! What is left when the package is gone: what ought to stay, what may, and what must not.

use crate::trial::steps::Notes;
use anyhow::bail;
use camino::Utf8Path;
use std::collections::BTreeSet;
use wheelhaul_verify::{Evidence, is_system_folder};

/// What stays of the user that was made; it is never removed.
const ACCOUNTS: [&str; 6] = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"];

/// How many are named.
const MOST_SHOWN: usize = 20;

/// Sorts what changed between before the installation and after the removal.
///
/// - Takes: `changes`, path and what happened; `by_hand`, what this tool put there itself.
/// - Fails: for what is left below the prefix, /opt or /usr, where only packages write.
pub(super) fn judge(
    changes: &[(String, String)],
    evidence: &Evidence,
    by_hand: &BTreeSet<String>,
) -> anyhow::Result<Notes> {
    let name = &evidence.described.name;
    let prefix = Utf8Path::new(evidence.root()).parent().map_or("/opt", Utf8Path::as_str);
    let kept = |path: &str| path.ends_with(".rpmsave") || path.ends_with(".rpmnew") || by_hand.contains(path);
    // with what is kept its folders are
    let holds_kept = |folder: &str| {
        let start = format!("{folder}/");
        changes.iter().any(|(path, _)| path.starts_with(&start) && kept(path))
    };
    let (mut faults, mut notes) = (Vec::new(), Notes::new());
    for (path, what) in changes {
        let text = format!("{path} ({what})");
        if is_own(path, name) {
            continue;
        }
        if kept(path) || is_folder_of_the_system(path, what) {
            notes.push(text);
        } else if !holds_kept(path) {
            match ["/opt", "/usr", prefix].iter().any(|place| is_below(path, place)) {
                true => faults.push(text),
                false => notes.push(text),
            }
        }
    }
    if !faults.is_empty() {
        bail!("left below places where only packages write:\n{}", shortened(&faults).join("\n"));
    }
    notes = shortened(&notes);
    notes.push("state and the user's account stay, as they ought to".to_owned());
    Ok(notes)
}

fn shortened(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = lines.iter().take(MOST_SHOWN).cloned().collect();
    if lines.len() > MOST_SHOWN {
        shown.push(format!("and {} more", lines.len() - MOST_SHOWN));
    }
    shown
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A folder that RHEL's `filesystem` brings and this root lacked: rpm makes it for a file in it, and leaves it there.
/// What is left inside is told by its own path.
fn is_folder_of_the_system(path: &str, what: &str) -> bool {
    is_system_folder(path) && what.starts_with("new: folder")
}

/// State of the service, and its account.
fn is_own(path: &str, name: &str) -> bool {
    let is_account = path.strip_prefix("/etc/").is_some_and(|file| ACCOUNTS.contains(&file.trim_end_matches('-')));
    let is_state = ["/var/lib", "/var/cache", "/var/log"].iter().any(|base| is_below(path, &format!("{base}/{name}")));
    let is_run = path.starts_with("/run/");
    is_account || is_state || is_run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_every_box_has_are_no_fault_of_the_package() {
        #[rustfmt::skip]
        let cases = [ // left                    what happened                                    of the system
            ("/usr/share/licenses",              "new: folder 755 0:0",                           true),
            ("/opt",                             "new: folder 755 0:0",                           true),
            ("/usr/share/licenses",              "was folder 755 0:0, is folder 700 0:0",         false),
            ("/usr/share/licenses",              "gone: was folder 755 0:0",                      false),
            ("/usr/share/licenses",              "new: file 644 0:0, 3 bytes",                    false),
            ("/usr/share/licenses/quality",      "new: folder 755 0:0",                           false),
            ("/opt/company",                     "new: folder 755 0:0",                           false),
        ];
        for (path, what, expected) in cases {
            assert_eq!(is_folder_of_the_system(path, what), expected, "{path} ({what})");
        }
    }
}
