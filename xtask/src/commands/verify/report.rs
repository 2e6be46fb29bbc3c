//! `cargo xtask verify --report`: the same, as a page for who lets the packages in.

use crate::commands::report::{Report, made, size};
use crate::commands::verify::{Asked, Examined, verify_files};
use crate::hex::hex;
use crate::problem::Problem;
use crate::review::{Delivered, Review};
use crate::rpm::Seal;
use crate::sys::{Sys, sha256_of};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

/// Judges files, and writes the page of all of them where one is asked for.
///
/// - Takes: `here`, what `page` is relative to.
pub fn verify_and_report(
    sys: &Sys,
    asked: &Asked,
    files: &[(String, Utf8PathBuf)],
    page: Option<&Utf8Path>,
    here: &Utf8Path,
) -> anyhow::Result<Report> {
    let Some(shown) = page else { return verify_files(sys, asked, files, &mut |_| ()) };
    let path = here.join(shown);
    refuse_early(&path, shown, files)?;
    let mut reviews = Vec::new();
    let mut report = verify_files(sys, asked, files, &mut |examined| {
        reviews.push(delivered(examined).map(|delivered| (review(examined), delivered)));
    })?;
    let text = crate::review::page(&reviews.into_iter().collect::<anyhow::Result<Vec<_>>>()?)?;
    sys.write(&path, text.as_bytes()).with_context(|| format!("failed to write the report `{shown}`"))?;
    report.json["report"] = made(shown.as_str(), text.len() as u64, &hex(&Sha256::digest(&text)));
    report.text.push_str(&format!("{shown}: {}, for the reviewer\n", size(text.len() as u64)));
    Ok(report)
}

/// What the page says of one.
pub fn review(examined: &Examined) -> Review {
    match &examined.evidence {
        Ok(evidence) => Review::of(evidence, &examined.judged),
        Err(error) => Review::unreadable(&format!("{error:#}")),
    }
}

/// The file as it lies there.
fn delivered(examined: &Examined) -> anyhow::Result<Delivered> {
    Ok(Delivered {
        file: examined.path.file_name().unwrap_or_default().to_owned(),
        size: fs_err::metadata(&examined.path)?.len(),
        sha256: sha256_of(&examined.path)?,
        seal: examined.evidence.as_ref().map_or(Seal::None, |evidence| evidence.described.seal.clone()),
    })
}

/// What would be lost, or found out after minutes of reading.
fn refuse_early(path: &Utf8Path, shown: &Utf8Path, files: &[(String, Utf8PathBuf)]) -> anyhow::Result<()> {
    ensure!(!path.is_dir(), "the report cannot be written: `{shown}` is a folder");
    let same = |file: &Utf8PathBuf| {
        file == path
            || path.canonicalize_utf8().is_ok_and(|path| file.canonicalize_utf8().is_ok_and(|file| file == path))
    };
    if shown.extension() == Some("rpm") || files.iter().any(|(_, file)| same(file)) {
        return Err(Problem::with_hint(
            format!("the report would be written over `{shown}`"),
            "name the page behind `--report`, and the packages after it: `verify --report review.html a.rpm`",
        ));
    }
    Ok(())
}
