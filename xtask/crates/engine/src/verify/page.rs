//! `--report`: the same, as a page for the person who approves the packages.

use crate::diff::gather;
use crate::report::MadeFile;
use crate::verify::{Examined, JudgeOptions, Judging, Report, verify_files};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_host::{Sys, sha256_of};
use wheelhaul_verify::review::{Delivered, Review, page};
use wheelhaul_verify::{Difference, Evidence};

/// Judges files, and writes the page of all of them where one is asked for; it and the packages of before are relative
/// to `here`.
pub(super) fn verify_and_report(
    sys: &Sys,
    asked: &JudgeOptions,
    files: &[(String, Utf8PathBuf)],
    judging: &Judging,
    here: &Utf8Path,
) -> anyhow::Result<Report> {
    let Some(shown) = &judging.report else { return verify_files(sys, asked, files, &mut |_| ()) };
    let path = here.join(shown);
    let since: Vec<Utf8PathBuf> = judging.since.iter().map(|old| here.join(old)).collect();
    let read = files.iter().map(|(_, file)| file).chain(&since);
    refuse_early(&path, shown, &read.collect::<Vec<_>>())?;
    let before = Before::read(&since, &judging.since, files.len())?;
    let mut reviews = Vec::new();
    let mut report = verify_files(sys, asked, files, &mut |examined| {
        reviews.push(delivered(examined).map(|delivered| (before.compare(examined), delivered)));
    })?;
    before.all_met(&reviews)?;
    let text = page(&reviews.into_iter().collect::<anyhow::Result<Vec<_>>>()?)?;
    sys.write(&path, text.as_bytes()).with_context(|| format!("failed to write the report `{shown}`"))?;
    let sha256 = hex(&Sha256::digest(&text));
    report.report = Some(MadeFile { path: shown.to_string(), size: text.len() as u64, sha256 });
    Ok(report)
}

/// The packages of the last delivery.
struct Before {
    packages: Vec<Old>,
    /// whether one package is compared with one, whatever they are called
    is_pair: bool,
}

struct Old {
    shown: String,
    file: String,
    evidence: Evidence,
    met: Cell<bool>,
}

impl Before {
    fn read(paths: &[Utf8PathBuf], shown: &[Utf8PathBuf], files: usize) -> anyhow::Result<Self> {
        let mut packages = Vec::new();
        for (path, shown) in paths.iter().zip(shown) {
            let evidence = gather(path).with_context(|| format!("the package of before, `{shown}`, cannot be read"))?;
            let file = path.file_name().unwrap_or_default().to_owned();
            packages.push(Old { shown: shown.to_string(), file, evidence, met: Cell::new(false) });
        }
        Ok(Self { is_pair: packages.len() == 1 && files == 1, packages })
    }

    /// What the page says of a package, with what changed since the one of before that is for the same box.
    fn compare(&self, examined: &Examined) -> Review {
        let review = review(examined);
        let Ok(new) = &examined.evidence else { return review };
        let box_of = |evidence: &Evidence| {
            let target = evidence.target.as_ref().map(|target| target.name.clone());
            (evidence.described.name.clone(), evidence.described.arch.clone(), target)
        };
        let old = self.packages.iter().find(|old| self.is_pair || box_of(&old.evidence) == box_of(new));
        let Some(old) = old else { return review };
        old.met.set(true);
        review.since(&Difference::between(&old.evidence, new), &old.file)
    }

    /// A package of before that nothing was compared with was named in error.
    fn all_met(&self, reviews: &[anyhow::Result<(Review, Delivered)>]) -> anyhow::Result<()> {
        let unmet = self.packages.iter().filter(|old| !old.met.get() && (!self.is_pair || reviews.is_empty()));
        let faults = unmet.map(|old| {
            Problem::with_hint(
                format!("`{}` is for another box than every package here, or another package", old.shown),
                "name behind `--since` the package of before for the same target",
            )
        });
        all_of("packages of before have no package to be compared with", faults.collect())
    }
}

/// What the page in the bundle says of one: what is the same on every host.
pub(crate) fn review_of_bytes(examined: &Examined) -> Review {
    let Ok(evidence) = &examined.evidence else { return review(examined) };
    let (asked, judged): (Vec<_>, Vec<_>) =
        examined.judged.iter().cloned().partition(|judged| judged.check.asks_host(evidence));
    let names: Vec<&str> = asked.iter().map(|judged| judged.check.name).collect();
    Review::of(evidence, &judged).without(&names)
}

/// What the page says of one.
fn review(examined: &Examined) -> Review {
    let review = match &examined.evidence {
        Ok(evidence) => Review::of(evidence, &examined.judged),
        Err(error) => Review::unreadable(&format!("{error:#}")),
    };
    match &examined.lived {
        Some(lived) => review.lived(lived),
        None => review,
    }
}

/// The file as it lies there.
fn delivered(examined: &Examined) -> anyhow::Result<Delivered> {
    Ok(Delivered {
        file: examined.path.file_name().unwrap_or_default().to_owned(),
        size: fs_err::metadata(&examined.path)?.len(),
        sha256: sha256_of(&examined.path)?,
        signature: examined.evidence.as_ref().ok().and_then(|evidence| evidence.signatures.signer()),
    })
}

/// What would be lost, or found out after minutes of reading.
fn refuse_early(path: &Utf8Path, shown: &Utf8Path, read: &[&Utf8PathBuf]) -> anyhow::Result<()> {
    ensure!(!path.is_dir(), "the report cannot be written: `{shown}` is a folder");
    // It is put in place by a rename: of `/dev/null` nothing would be left.
    if fs_err::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(Problem::with_hint(
            format!("the report cannot be written: `{shown}` is a link, a device or a pipe"),
            "name a file of its own behind `--report`",
        ));
    }
    let same = |file: &Utf8PathBuf| {
        file == path
            || path.canonicalize_utf8().is_ok_and(|path| file.canonicalize_utf8().is_ok_and(|file| file == path))
    };
    if shown.extension() == Some("rpm") || read.iter().any(|file| same(file)) {
        return Err(Problem::with_hint(
            format!("the report would be written over `{shown}`"),
            "name the page behind `--report`, and the packages after it: `verify --report review.html a.rpm`",
        ));
    }
    Ok(())
}
