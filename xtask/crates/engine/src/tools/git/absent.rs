//! Files that git knows and the work tree lacks.

use super::{Listed, candidates, check, differing};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::Sys;

/// The error for a checkout that lacks files below `folder` which git knows: much else that is wrong may follow from that.
///
/// - Takes: `skipped`, folders and files at the top of `folder` that are passed over.
pub(crate) fn refuse_incomplete(sys: &Sys, folder: &Utf8Path, skipped: &[&str]) -> anyhow::Result<()> {
    // Where git does not answer, the build says so.
    let listed = candidates(sys, folder, &[".".to_owned()], skipped).unwrap_or_default();
    let is_missing = |file: &&Listed| {
        file.mode.is_some() && check(folder, &file.path, file.mode.as_deref()).is_ok_and(|is_there| !is_there)
    };
    let missing: Vec<(String, bool)> =
        listed.iter().filter(is_missing).map(|file| (file.path.clone(), file.is_left_out)).collect();
    are_missing(folder, &missing)
        .map_or(Ok(()), |error| all_of("files of the application cannot be packed", vec![error]))
}

/// The error for files that git knows and the work tree lacks, each with whether git left it out on purpose.
pub(super) fn are_missing(folder: &Utf8Path, missing: &[(String, bool)]) -> Option<anyhow::Error> {
    let (first, is_left_out) = missing.iter().min_by_key(|(_, is_left_out)| !is_left_out)?;
    let others = if missing.len() > 1 { format!(" and {} more files", missing.len() - 1) } else { String::new() };
    let (why, cure) = match is_left_out {
        true => {
            let all = missing.iter().filter(|(_, is_left_out)| *is_left_out);
            let place = all.map(|(path, _)| folder.join(path)).reduce(|a, b| common(&a, &b)).unwrap_or_default();
            let place = if missing.len() > 1 { place } else { place.parent().unwrap_or(&place).to_owned() };
            let top = folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder);
            let add = match place.strip_prefix(top).map(differing::slashed) {
                Ok(place) if !place.is_empty() => format!("`git sparse-checkout add {place}` or "),
                _ => String::new(),
            };
            ("is left out of", format!("in `{top}`: {add}`git sparse-checkout disable` brings back what is left out"))
        }
        false => (
            "was removed from",
            format!("in `{folder}`: `git restore {first}` brings it back, and `git rm {first}` takes it out of git"),
        ),
    };
    Some(Problem::with_hint(format!("git has `{}`{others}: it {why} this checkout", first.escape_debug()), cure))
}

/// The folder that two paths have in common.
fn common(a: &Utf8Path, b: &Utf8Path) -> Utf8PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}
