//! `cargo xtask dist`: the main job, lock to bundle.

use crate::build_stamps;
use crate::builder::BuildOptions;
use crate::locking;
use crate::locking::State;
use crate::report::MadeFile;
use crate::repository;
pub use crate::repository::Filled;
use crate::repository::Repository;
use crate::rpm;
use crate::rpm::{Built, RpmFile};
use crate::rpmbuild;
use crate::rpmbuild::digest_of;
use crate::sign::{Signed, Signer};
use crate::summary::Summary;
use crate::support;
use crate::verified;
use crate::verified::Verdict;
use crate::{Project, offline, verify};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::io::Write;
use wheelhaul_base::hex::hex;
use wheelhaul_package::pages::public_key_name;
use wheelhaul_package::sbom;
use wheelhaul_pylock::Lock;
use wheelhaul_verify::review;
use wheelhaul_verify::review::Delivered;

/// The RPMs in the bundle are compressed already: gzip's frame is wanted, its effort would win nothing.
const EFFORT: Compression = Compression::none();

/// What `dist` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Fail with exit code 1 if a lock is not what the team's lock says now, instead of making it anew
    pub locked: bool,
    /// Put the RPMs into the dnf repository in DIR too, which is made if it is not there, and signed when they are
    pub repo: Option<Utf8PathBuf>,
    /// Sign nothing, although `dist/package.toml` names a key
    pub no_sign: bool,
    /// how the RPMs are built
    pub build: BuildOptions,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// `--locked`, and a lock is stale: nothing was made
    Stale(Stale),
    /// the RPMs were made
    Made(Box<Made>),
}

/// Locks that are not what the team's lock says now.
#[derive(Debug, Serialize)]
pub struct Stale {
    /// each with its reasons
    pub stale: Vec<String>,
    /// whether the team's own lock is one of them
    #[serde(skip)]
    pub is_team_lock_stale: bool,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Made {
    /// in the order of the targets
    pub rpms: Vec<Verified>,
    /// what `verify` says of each, in the same order
    pub verify: Vec<verify::Rpm>,
    /// whether the RPMs are signed
    pub signed: bool,
    /// fingerprint or id of what signed
    pub issuer: Option<String>,
    /// what it signed with
    #[serde(skip)]
    pub algorithm: Option<String>,
    /// whether `dist/package.toml` names a key, and nothing was to be signed with it
    #[serde(skip)]
    pub leaves_out_signing: bool,
    /// what is carried over; none where not every check passed
    #[serde(flatten)]
    pub delivery: Option<Delivery>,
    /// time and bytes
    #[serde(flatten)]
    pub summary: Summary,
}

/// An RPM that was made and verified.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// the file
    #[serde(flatten)]
    pub file: RpmFile,
    /// whether an earlier run verified the same bytes
    pub verified_before: bool,
}

/// What is carried over.
#[derive(Debug, Serialize)]
pub struct Delivery {
    /// the archive with all of it
    pub bundle: MadeFile,
    /// the repositories of `--repo`
    pub repositories: Vec<Filled>,
}

impl Report {
    /// Whether a lock is stale, or not every check passed.
    pub fn findings(&self) -> bool {
        match self {
            Self::Stale(_) => true,
            Self::Made(made) => made.delivery.is_none(),
        }
    }
}

/// The task; the folder of `--repo` is relative to `here`.
pub(crate) fn run(project: &Project, options: &Options, here: &Utf8Path) -> anyhow::Result<Report> {
    // Without it everything else would be in vain.
    let rpmbuild = rpmbuild::find(project, &options.build)?;
    rpm::refuse_early(project)?;
    let current = project.steps.during("lock", || locking::inspect(project))?;
    let of_team = current.team_stale.iter().map(|reason| format!("{}: {reason}", project.config.app.lock));
    let stale: Vec<String> = of_team.chain(current.stale(project)).collect();
    if !options.locked || stale.is_empty() {
        offline::refuse_missing(project, &current, options.repo.is_some())?;
    }
    // Asked before anything is built.
    let key = project.config.sign.as_ref().map(|sign| sign.key.as_str());
    let signer = key.filter(|_| !options.no_sign).map(|key| Signer::find(&project.sys, key)).transpose()?;
    let repositories = match &options.repo {
        Some(folder) => repository::of(project, &camino::absolute_utf8(here.join(folder))?, signer.is_some())?,
        None => Vec::new(),
    };
    if options.locked && !stale.is_empty() {
        return Ok(Report::Stale(Stale { stale, is_team_lock_stale: current.team_stale.is_some() }));
    }
    let locks = project.steps.during("lock", || locking::bring_up_to_date(project, false))?;
    locks.warn(project, false);
    support::warn(project);
    for (target, _) in project.targets.iter().zip(&locks.all).filter(|(_, locked)| locked.state == State::Written) {
        project.sys.say(format!("wrote {}: commit it", project.shown(&project.lock_path(target))));
    }
    let mut built = rpm::build(project, locks.current(), &options.build, rpmbuild.as_ref())?;
    let verified = project.steps.during("verify", || judge(project, &built, signer.is_some()))?;
    let is_fine = verified.iter().all(|one| one.rpm.fine);
    let signed = match &signer {
        Some(signer) if is_fine => Some(project.steps.during("sign", || sign(signer, project, &mut built))?),
        _ => None,
    };
    let sums = built.iter().map(Built::sha256).collect::<anyhow::Result<Vec<_>>>()?;
    let mut rpms = Vec::new();
    for ((rpm, sha256), one) in built.iter().zip(&sums).zip(&verified) {
        let file = rpm.reported(project, Some(sha256.clone()))?;
        rpms.push(Verified { file, verified_before: one.before });
    }
    let verdicts = verified.iter().map(|one| one.rpm.clone()).collect();
    let folder = bundle_folder(project, &built)?;
    let delivery = match is_fine {
        true => Some(deliver(
            project,
            (&folder, verified),
            &built,
            &sums,
            signer.as_ref().zip(signed.as_ref()),
            &repositories,
        )?),
        false => {
            // Those of earlier runs would look like this one's.
            remove_bundles(project)?;
            None
        }
    };
    Ok(Report::Made(Box::new(Made {
        rpms,
        verify: verdicts,
        signed: signed.is_some(),
        leaves_out_signing: key.is_some() && signed.is_none(),
        algorithm: signed.as_ref().map(|signed| signed.algorithm.title().to_owned()),
        issuer: signed.map(|signed| signed.issuer),
        delivery,
        summary: rpm::summary(project, &built),
    })))
}

/// Makes the bundle, and fills the repositories.
fn deliver(
    project: &Project,
    (folder, verified): (&str, Vec<Verdict>),
    built: &[Built],
    sums: &[String],
    signing: Option<(&Signer<'_>, &Signed)>,
    repositories: &[Repository],
) -> anyhow::Result<Delivery> {
    let signed = signing.map(|(_, signed)| signed);
    let public_key = signed.map(|signed| signed.public_key.as_str());
    let bundle = project.out().join(format!("{folder}.tar.gz"));
    let (size, sha256) = project.steps.during("bundle", || {
        let pages = pages(project, verified, built, sums, signed)?;
        make_bundle(project, &bundle, (folder, pages), built, sums, public_key)
    })?;
    let signing = signing.map(|(signer, signed)| (signer, signed.public_key.as_str()));
    let repositories = project.steps.during("repository", || fill(repositories, project, built, signing))?;
    Ok(Delivery { bundle: MadeFile { path: project.shown(&bundle), size, sha256 }, repositories })
}

/// Verifies the RPMs. What will be signed has other bytes then, and nothing of it is noted.
fn judge(project: &Project, built: &[Built], will_be_signed: bool) -> anyhow::Result<Vec<Verdict>> {
    let digest = |rpm: &Built| rpm.on_disk.digest.clone().filter(|_| !will_be_signed);
    built.iter().map(|rpm| verified::verify(project, rpm, digest(rpm))).collect()
}

/// The page of each RPM for the reviewer, with its name: from what `verify` read before the RPM was signed, and the
/// digest of the file as it is now.
fn pages(
    project: &Project,
    verified: Vec<Verdict>,
    built: &[Built],
    sha256s: &[String],
    signed: Option<&Signed>,
) -> anyhow::Result<Vec<(String, String)>> {
    let signature = signed.map(|signed| format!("{} {}", signed.algorithm.title(), signed.issuer));
    let mut pages = Vec::new();
    for (one, (rpm, sha256)) in verified.into_iter().zip(built.iter().zip(sha256s)) {
        let delivered = Delivered {
            file: rpm.path.file_name().unwrap_or_default().to_owned(),
            size: rpm.on_disk.size,
            sha256: sha256.clone(),
            signature: signature.clone(),
        };
        let (page, one) = one.page(|review| review::page(&[(review, delivered)]))?;
        one.note(project, &page);
        pages.push((review::file_name(&rpm.target.name), page));
    }
    Ok(pages)
}

/// Signs the RPMs and their source packages in place; gives what is said of the last one.
fn sign(signer: &Signer<'_>, project: &Project, built: &mut [Built]) -> anyhow::Result<Signed> {
    let mut last = None;
    for rpm in built {
        let signed = signer.sign(&rpm.path, &project.shown(&rpm.path))?;
        rpm.on_disk.size = signed.size;
        rpm.on_disk.digest = None;
        last = Some(signed);
        if let Some((path, size)) = &mut rpm.source {
            *size = signer.sign(path, &project.shown(path))?.size;
        }
    }
    last.context("there is no target")
}

/// Removes the bundles in `dist/out`: files of their names that hold a folder of the same name.
fn remove_bundles(project: &Project) -> anyhow::Result<()> {
    let start = format!("{}-dist-", project.config.package.name);
    for entry in project.out().read_dir_utf8()? {
        let entry = entry?;
        let stem = entry.file_name().strip_suffix(".tar.gz").filter(|stem| stem.starts_with(&start));
        if entry.file_type()?.is_file() && stem.is_some_and(|stem| holds(entry.path(), stem)) {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether the first entry of an archive is in a folder of this name; a copy that somebody called otherwise is not.
fn holds(archive: &Utf8Path, folder: &str) -> bool {
    let first = || -> std::io::Result<bool> {
        let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(archive)?));
        let first = archive.entries()?.next().transpose()?;
        first.map_or(Ok(false), |entry| Ok(entry.path()?.starts_with(folder)))
    };
    first().unwrap_or(false)
}

/// Puts the RPMs into their repositories.
fn fill(
    repositories: &[Repository],
    project: &Project,
    built: &[Built],
    signing: Option<(&Signer<'_>, &str)>,
) -> anyhow::Result<Vec<Filled>> {
    let mut filled = Vec::new();
    for repository in repositories {
        let rpms: Vec<&Built> =
            built.iter().filter(|rpm| rpm.target.distribution.dist == repository.distribution).collect();
        let what = format!("failed to put the RPMs into the repository `{}`", repository.folder);
        filled.push(repository.add(project, &rpms, signing).context(what)?);
    }
    Ok(filled)
}

/// `NAME-dist-VERSION`; with `--target`, the targets too, so that it does not pass for the whole.
fn bundle_folder(project: &Project, built: &[Built]) -> anyhow::Result<String> {
    let name = &project.config.package.name;
    let mut folder = format!("{name}-dist-{}", built.first().context("there is no target")?.version);
    if project.targets.len() < project.config.targets.len() {
        folder.extend(project.targets.iter().map(|target| format!("-{}", target.name)));
    }
    Ok(folder)
}

/// Makes the bundle, unless the one that it would be lies there; gives its size in bytes and its sha256.
fn make_bundle(
    project: &Project,
    path: &Utf8Path,
    (folder, pages): (&str, Vec<(String, String)>),
    built: &[Built],
    sha256s: &[String],
    public_key: Option<&str>,
) -> anyhow::Result<(u64, String)> {
    let epoch = built.first().context("there is no target")?.epoch;
    let mut sums = String::new();
    let mut texts = pages;
    for (rpm, sha256) in built.iter().zip(sha256s) {
        let target = &rpm.target;
        sums.push_str(&format!("{sha256}  {}\n", rpm.path.file_name().unwrap_or_default()));
        let notes = if public_key.is_some() { &rpm.texts.signed_notes } else { &rpm.texts.install_notes };
        texts.push((format!("INSTALL.{}.md", target.name), notes.clone()));
        texts.push((Lock::file_name(&target.name), rpm.texts.lock.clone()));
        texts.push((format!("requirements.{}.txt", target.name), rpm.lock.to_requirements()));
        texts.push((sbom::file_name(&target.name), rpm.texts.sbom.clone()));
    }
    texts.extend(public_key.map(|key| (public_key_name(&project.config.package.name), key.to_owned())));
    texts.sort();
    sums.extend(texts.iter().map(|(file, text)| format!("{}  {file}\n", hex(&Sha256::digest(text)))));
    texts.push(("SHA256SUMS".to_owned(), sums));
    texts.sort();
    // SHA256SUMS, which is one of the texts, stands for the RPMs.
    let time = epoch.to_string();
    let words = texts.iter().flat_map(|(file, text)| [file.as_str(), text.as_str()]);
    let words = ["bundle", folder, &time].into_iter().chain(words);
    let name = build_stamps::name(project, words.map(str::as_bytes));
    let noted: Option<String> = name.as_deref().and_then(|name| build_stamps::noted(project, name));
    if let Some(sha256) = noted.filter(|sha256| build_stamps::whole(path, sha256).is_some()) {
        project.sys.detail(format!("`{}` is up to date", project.shown(path)));
        return Ok((fs_err::metadata(path)?.len(), sha256));
    }
    let sha256 = project.sys.create(path, |file| {
        // No name and no time in gzip's header, root and the commit's time in tar's: the same bytes anywhere.
        let gzip = GzBuilder::new().mtime(0).operating_system(255).write(&mut *file, EFFORT);
        let mut archive = tar::Builder::new(gzip);
        for (file, text) in &texts {
            append(&mut archive, &format!("{folder}/{file}"), text.len() as u64, epoch, text.as_bytes())?;
        }
        for rpm in built {
            let content = fs_err::File::open(&rpm.path)?;
            append(
                &mut archive,
                &format!("{folder}/{}", rpm.path.file_name().unwrap_or_default()),
                rpm.on_disk.size,
                epoch,
                content,
            )?;
        }
        archive.into_inner()?.finish()?;
        Ok(digest_of(file)?.sha256)
    })?;
    // Not where another run wrote its RPM in between.
    let is_ours = |rpm: &Built| {
        rpm.on_disk.digest.as_ref().is_some_and(|digest| build_stamps::is_still(&rpm.path, &digest.identity))
    };
    if let Some(name) = name.filter(|_| built.iter().all(is_ours)) {
        build_stamps::note(project, &name, &sha256);
    }
    Ok((fs_err::metadata(path)?.len(), sha256))
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    size: u64,
    mtime: u32,
    content: impl std::io::Read,
) -> anyhow::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(mtime.into());
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(tar::EntryType::Regular);
    archive.append_data(&mut header, path, content).with_context(|| format!("failed to bundle `{path}`"))
}
