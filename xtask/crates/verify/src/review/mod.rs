//! The page for who lets a package into a secure site: what is in it, what it needs, what was checked, what changed,
//! how to install it and go back. Evidence and judgement → one HTML page that loads nothing and runs nothing.

mod changes;
mod checks;
mod contents;
mod files;
mod html;
mod lived;
mod needs;
mod place;
mod shares;
mod steps;
mod words;

pub use html::stylesheet;
pub use lived::{LivedStep, LivedThrough, Lot};
pub use words::{listed, size};

use crate::{Difference, Evidence, Judged, Owners, Verdict, in_a_line};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use changes::Changes;
use checks::CheckRow;
use contents::Contents;
use files::FileList;
use html::html;
use lived::Lived;
use minijinja::value::Serde;
use minijinja::{Value, context};
use needs::Needs;
use place::Place;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use steps::Step;
use wheelhaul_base::calendar::in_utc;

/// The file that is handed over.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// its name, without a folder
    pub file: String,
    /// in bytes
    pub size: u64,
    /// of the whole file, lower-case hex
    pub sha256: String,
    /// who says to have signed it, `RSA 0123ABC…`; none where it is not signed
    pub signature: Option<String>,
}

/// What the page says of one package. It holds no more of the payload than what is shown.
#[derive(Debug, Serialize)]
pub struct Review {
    state: &'static str,
    word: &'static str,
    verdict: String,
    /// the names of the checks that did not pass
    to_look_at: Vec<&'static str>,
    checks: Vec<CheckRow>,
    /// the names of checks that were made and are not in the page; empty for none
    left_out: String,
    /// whether a box was asked as well
    has_box: bool,
    /// on a machine, where one was asked for
    lived: Option<Lived>,
    /// since the last delivery, where that is known
    changes: Option<Changes>,
    /// the file of the last delivery
    since: Option<String>,
    /// nothing where the package cannot be read
    read: Option<Read>,
}

#[derive(Debug, Serialize)]
struct Read {
    name: String,
    /// `0.0.1-1.el9`
    evr: String,
    summary: String,
    license: String,
    target: String,
    arch: String,
    built: String,
    /// `commit 1234…`, who built it and when, as the changelog says
    from: String,
    by: String,
    contents: Contents,
    needs: Needs,
    place: Place,
    scriptlets: Vec<Script>,
    units: Vec<Script>,
    files: FileList,
    notes: Option<String>,
}

/// A text that is shown whole.
#[derive(Debug, Serialize)]
struct Script {
    title: String,
    /// when it is run, or what it is
    about: &'static str,
    text: String,
    lines: String,
}

impl Review {
    /// Takes what is shown out of what was read.
    ///
    /// - Takes: `judged`, of the same package.
    pub fn of(evidence: &Evidence, judged: &[Judged]) -> Self {
        let worst = judged.iter().map(|one| one.outcome.verdict()).max().unwrap_or(Verdict::NotMade);
        let not_passed = judged.iter().filter(|one| one.outcome.verdict() != Verdict::Ok);
        let described = &evidence.described;
        let owners = Owners::of(evidence);
        let origin = &described.origin;
        let epoch = origin.epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let read = Read {
            name: described.name.clone(),
            evr: format!("{epoch}{}-{}", described.version, described.release),
            summary: described.summary.clone(),
            license: described.license.clone(),
            target: evidence
                .target
                .as_ref()
                .map_or_else(String::new, |target| format!("{}: {}", target.distribution.title, target.in_words())),
            arch: described.arch.clone(),
            built: in_utc(described.build_time).replace('T', " ").replace('Z', " UTC"),
            from: origin.change.trim_start_matches("- Built from ").to_owned(),
            by: origin.by.clone(),
            contents: Contents::of(evidence, &owners),
            needs: Needs::of(evidence),
            place: Place::of(evidence),
            scriptlets: scriptlets(evidence),
            units: units(evidence),
            files: FileList::of(evidence, &owners),
            notes: evidence.texts.get(&format!("/usr/share/doc/{}/INSTALL.md", described.name)).cloned(),
        };
        Self {
            state: checks::state(worst),
            word: checks::sentence(worst),
            verdict: in_a_line(judged),
            to_look_at: not_passed.map(|one| one.check.name).collect(),
            checks: judged.iter().map(CheckRow::of).collect(),
            left_out: String::new(),
            has_box: evidence.on_box.is_some(),
            lived: None,
            changes: None,
            since: None,
            read: Some(read),
        }
    }

    /// With the names of checks that are left out, since they ask programs of the host.
    pub fn without(self, left_out: &[&str]) -> Self {
        Self { left_out: left_out.join(", "), ..self }
    }

    /// With what changed since the last delivery.
    ///
    /// - Takes: `file`, the name of that one, which one goes back to.
    pub fn since(self, difference: &Difference, file: &str) -> Self {
        Self { changes: Some(Changes::of(difference)), since: Some(file.to_owned()), ..self }
    }

    /// The page of a file that cannot be read.
    ///
    /// - Takes: `error`, in words.
    pub fn unreadable(error: &str) -> Self {
        let verdict = format!("It cannot be read: {error}");
        Self {
            state: "failed",
            word: checks::sentence(Verdict::Failed),
            verdict,
            to_look_at: Vec::new(),
            checks: Vec::new(),
            left_out: String::new(),
            has_box: false,
            lived: None,
            changes: None,
            since: None,
            read: None,
        }
    }

    fn title(&self, delivered: &Delivered) -> String {
        match &self.read {
            Some(read) => format!("{} {}", read.name, read.evr),
            None => delivered.file.clone(),
        }
    }
}

/// The page's name in a bundle.
pub fn file_name(target: &str) -> String {
    format!("report.{target}.html")
}

/// Writes the page: a section a package, and where there are several a list of them before.
///
/// Equal values give equal bytes: there is no clock in it, and no path of a host.
pub fn page(reviews: &[(Review, Delivered)]) -> anyhow::Result<String> {
    let style = stylesheet();
    // The policy lets in this very stylesheet: no other, no attribute, no script, no image, no request.
    let digest = STANDARD.encode(Sha256::digest(&style));
    let packages: Vec<Value> = reviews.iter().enumerate().map(|(index, one)| package(index, one)).collect();
    let title = match reviews {
        [(review, delivered)] => review.title(delivered),
        many => format!("{} packages", many.len()),
    };
    let text = html().get_template("report.html")?.render(context! {
        title => title,
        several => reviews.len() > 1,
        style => Value::from_safe_string(style),
        digest => Value::from_safe_string(digest),
        version => env!("CARGO_PKG_VERSION"),
        packages => packages,
    });
    text.context("failed to write the page for the reviewer")
}

fn package(index: usize, (review, delivered): &(Review, Delivered)) -> Value {
    let steps: Vec<Step> =
        review.read.as_ref().map(|read| steps::steps(read, delivered, review.since.as_deref())).unwrap_or_default();
    context! {
        id => format!("p{}", index + 1),
        title => review.title(delivered),
        file => &delivered.file,
        size => size(delivered.size),
        bytes => words::grouped(delivered.size),
        sha256 => &delivered.sha256,
        signature => words::signed(delivered.signature.as_deref()),
        review => Value::from(Serde(review)),
        steps => Value::from(Serde(&steps)),
    }
}

fn scriptlets(evidence: &Evidence) -> Vec<Script> {
    const ORDER: [(&str, &str, &str); 6] = [
        ("pre", "%pre", "before its files are put in place"),
        ("post", "%post", "after its files are in place"),
        ("preun", "%preun", "before its files are taken away"),
        ("postun", "%postun", "after its files are taken away, and after an upgrade"),
        ("posttrans", "%posttrans", "when all packages of the transaction are in place"),
        ("verify", "%verifyscript", "by `rpm -V`"),
    ];
    let scripts = ORDER.iter().filter_map(|(name, title, about)| {
        let text = evidence.described.scriptlets.get(name)?;
        Some(Script::new((*title).to_owned(), about, text))
    });
    scripts.collect()
}

/// Units, and the file that makes the user.
fn units(evidence: &Evidence) -> Vec<Script> {
    let folders =
        [("/usr/lib/systemd/system/", "unit of systemd"), ("/usr/lib/sysusers.d/", "user, for image-based systems")];
    let texts = evidence.texts.iter().filter_map(|(path, text)| {
        let (_, about) = folders.iter().find(|(folder, _)| path.starts_with(folder))?;
        Some(Script::new(path.clone(), about, text))
    });
    texts.collect()
}

impl Script {
    fn new(title: String, about: &'static str, text: &str) -> Self {
        let lines = crate::count(text.lines().count(), "line");
        Self { title, about, text: text.trim_end().to_owned(), lines }
    }
}
