//! What `verify` says of the RPMs that `dist` built. The same bytes are judged once, as long as this program and those
//! of the host that are asked stay the same.

use crate::Project;
use crate::build_stamps;
use crate::rpm::Built;
use crate::rpmbuild::Digest;
use crate::tools::interpreter;
use crate::verify::{CheckResult, JudgeOptions, Rpm, review_of_bytes, verify_files};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::time::UNIX_EPOCH;
use wheelhaul_boxes::Target;
use wheelhaul_host::on_path;
use wheelhaul_verify::review::Review;

/// What was said of an RPM.
pub(crate) struct Verdict {
    /// the checks, and what they found
    pub rpm: Rpm,
    /// whether it was said of the same bytes by an earlier run
    pub before: bool,
    /// what the reviewer gets to see
    pub page: Page,
    /// what it is noted under, where it may be, and of which file
    noted_as: Option<(String, Utf8PathBuf, Digest)>,
}

/// The page for the reviewer.
pub(crate) enum Page {
    /// to be made
    Of(Box<Review>),
    /// as an earlier run made it
    Made(String),
}

/// What is noted of an RPM in which nothing was found.
#[derive(Serialize, Deserialize)]
struct Noted {
    rpm: Rpm,
    page: String,
}

/// Verifies an RPM, unless its bytes were verified before; without their digest, because they will change, nothing is kept.
pub(crate) fn verify(project: &Project, rpm: &Built, digest: Option<Digest>) -> anyhow::Result<Verdict> {
    let noted_as = digest.and_then(|digest| Some((name_of(project, rpm, &digest.sha256)?, rpm.path.clone(), digest)));
    let noted = noted_as.as_ref().and_then(|(name, ..)| build_stamps::noted(project, name));
    if let Some(Noted { rpm, page }) = noted {
        return Ok(Verdict { rpm, before: true, page: Page::Made(page), noted_as: None });
    }
    let file = (project.shown(&rpm.path), rpm.path.clone());
    let mut review = None;
    let report = verify_files(&project.sys, &JudgeOptions::default(), &[file], &mut |examined| {
        review = Some(review_of_bytes(examined))
    })?;
    Ok(Verdict {
        rpm: report.rpms.into_iter().next().context("it was looked at")?,
        before: false,
        page: Page::Of(Box::new(review.context("it was looked at")?)),
        noted_as,
    })
}

impl Verdict {
    /// The page for the reviewer: made by `make`, unless an earlier run made it.
    pub(crate) fn page(
        mut self,
        make: impl FnOnce(Review) -> anyhow::Result<String>,
    ) -> anyhow::Result<(String, Self)> {
        let page = match std::mem::replace(&mut self.page, Page::Made(String::new())) {
            Page::Of(review) => make(*review)?,
            Page::Made(page) => page,
        };
        Ok((page, self))
    }

    /// Notes what was said, with the page that was made, for runs to come.
    pub(crate) fn note(&self, project: &Project, page: &str) {
        let Some((name, path, digest)) = self.noted_as.as_ref().filter(|_| is_whole(&self.rpm)) else { return };
        // Another run may have put its RPM there before this one was read.
        if !build_stamps::is_still(path, &digest.identity) {
            return;
        }
        let noted = Noted { rpm: self.rpm.clone(), page: page.to_owned() };
        build_stamps::note(project, name, &noted);
    }
}

/// Whether a verdict stands as long as the host does: nothing was found, and every check was made.
fn is_whole(rpm: &Rpm) -> bool {
    let checks = rpm.checks();
    rpm.fine && !checks.is_empty() && checks.iter().all(|check| check.result != CheckResult::NotMade)
}

/// Names all that a verdict depends on.
fn name_of(project: &Project, rpm: &Built, sha256: &str) -> Option<String> {
    let asked_of_host = [shells(), interpreter_of(project, &rpm.target)];
    let shown = project.shown(&rpm.path);
    let words = ["verdict", sha256, &rpm.target.name, &shown].into_iter();
    build_stamps::name(project, words.chain(asked_of_host.iter().map(String::as_str)).map(str::as_bytes))
}

/// The shells that scriptlets are held against.
fn shells() -> String {
    ["bash", "sh"].iter().map(|name| on_path(name).map_or("none\n".to_owned(), |path| facts(&path))).collect()
}

/// The interpreter that modules are compiled by, where the package has no byte-code.
fn interpreter_of(project: &Project, target: &Target) -> String {
    let found = target.magic_tag().map(|tag| interpreter::find(&project.sys, target, tag));
    match found {
        Some(Ok(found)) => format!("{} {}", found.version, facts(&found.path)),
        Some(Err(why)) => format!("none: {why:#}"),
        None => "none".to_owned(),
    }
}

/// Changes when a program is another file.
fn facts(path: &Utf8Path) -> String {
    let data = path.metadata().ok();
    let time = data.as_ref().and_then(|data| data.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    format!("{path} {:?} {time:?}\n", data.map(|data| data.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_looked_at_whole_and_is_fine_is_kept() {
        let of = |fine: bool, results: &[&str]| {
            let check = |result: &&str| json!({"name": "a", "result": result, "looked_at": "b", "findings": []});
            let checks: Vec<_> = results.iter().map(check).collect();
            let rpm = json!({"path": "a.rpm", "fine": fine, "target": null, "checks": checks});
            is_whole(&serde_json::from_value(rpm).unwrap())
        };
        #[rustfmt::skip]
        let cases = [
            (true,  vec!["ok", "ok"],       true),
            (true,  vec!["ok", "warning"],  true),
            (true,  vec!["ok", "not made"], false),
            (false, vec!["ok", "failed"],   false),
            (false, vec!["ok"],             false),
            (true,  vec![],                 false),
        ];
        for (fine, results, kept) in cases {
            assert_eq!(of(fine, &results), kept, "{results:?}");
        }
        let unreadable = json!({"path": "a.rpm", "fine": true, "unreadable": "cut short", "checks": []});
        assert!(!is_whole(&serde_json::from_value(unreadable).unwrap()));
    }
}
