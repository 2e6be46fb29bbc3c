//! `dist --repo`: a dnf repository in a folder, new releases beside the old ones.

use crate::Project;
use crate::rpm::Built;
use crate::sign::{Signer, open};
use crate::tools::createrepo::Createrepo;
use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Sys, private};
use wheelhaul_package::pages::{public_key_name, repository_file};
use wheelhaul_rpmfile::Preamble;

/// A repository: the RPMs for one distribution.
#[derive(Debug)]
pub(crate) struct Repository {
    /// absolute
    pub folder: Utf8PathBuf,
    /// `el9`
    pub distribution: String,
    createrepo: Createrepo,
}

/// What came of a repository.
#[derive(Debug, Clone, Serialize)]
pub struct Filled {
    /// its folder
    pub path: Utf8PathBuf,
    /// the names of the RPMs of this run in it
    pub rpms: Vec<String>,
    /// how many of them were put there by this run; the others were there
    #[serde(skip)]
    pub added: usize,
    /// whether its metadata are signed
    pub signed: bool,
}

/// The repositories that `dist --repo DIR` fills.
///
/// One in `folder` itself; with targets of several distributions, one in a folder of each: in a shared one dnf
/// would take the RPM with the highest release, whatever the box.
///
/// - Fails: before anything is built, where `folder` has metadata that this tool does not write, and would lose.
pub(crate) fn of(project: &Project, folder: &Utf8Path, signs: bool) -> anyhow::Result<Vec<Repository>> {
    let ids = |targets: &[wheelhaul_boxes::Target]| -> BTreeSet<String> {
        targets.iter().map(|target| target.distribution.dist.clone()).collect()
    };
    let shared = ids(&project.every_target).len() > 1;
    let mut repositories = Vec::new();
    for distribution in ids(&project.targets) {
        let folder = if shared { folder.join(&distribution) } else { folder.to_owned() };
        if folder.exists() && !folder.is_dir() {
            bail!("`{folder}` is there and is no folder, so it cannot be a repository");
        }
        let listed = folder.join("repodata/repomd.xml");
        if listed.is_file() {
            keeps_nothing_foreign(&project.sys.read_text(&listed)?)
                .with_context(|| format!("the repository `{folder}`"))?;
            if !signs && folder.join("repodata/repomd.xml.asc").is_file() {
                return Err(Problem::with_hint(
                    format!("the repository `{folder}` is signed, and what is built now would not be"),
                    "sign it (`[sign] key` in `dist/package.toml`, without `--no-sign`), or give another folder: boxes with `gpgcheck` refuse what is not signed",
                ));
            }
        }
        repositories.push(Repository { folder, distribution, createrepo: Createrepo::find(&project.sys)? });
    }
    Ok(repositories)
}

/// Refuses a `repomd.xml` that lists more than what is made from the RPMs themselves: groups, advisories, modules.
fn keeps_nothing_foreign(repomd: &str) -> anyhow::Result<()> {
    const MADE: [&str; 3] = ["primary", "filelists", "other"];
    const ENDS: [&str; 3] = ["", "_db", "_zck"];
    let is_made = |kind: &str| MADE.iter().any(|made| kind.strip_prefix(made).is_some_and(|end| ENDS.contains(&end)));
    let kinds = repomd.split("<data type=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    let foreign: Vec<String> = kinds
        .map(|(kind, _)| kind)
        .filter(|kind| !is_made(kind))
        .map(|kind| format!("`{}`", kind.escape_debug()))
        .collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("its metadata has {}, which would be lost", foreign.join(", ")),
        "give the packages of this tool a folder of their own",
    ))
}

impl Repository {
    /// Adds RPMs and writes the metadata anew, signed where `signing` says with what, and which public key goes with it.
    pub(crate) fn add(
        &self,
        project: &Project,
        rpms: &[&Built],
        signing: Option<(&Signer<'_>, &str)>,
    ) -> anyhow::Result<Filled> {
        let sys = &project.sys;
        let name = &project.config.package.name;
        fs_err::create_dir_all(&self.folder)?;
        let mut added = 0;
        for rpm in rpms {
            added += usize::from(self.put(project, rpm)?);
        }
        let epoch = rpms.iter().map(|rpm| rpm.epoch).max().context("there is no RPM")?;
        let (_keep, fresh) = sys.scratch()?;
        self.createrepo.write(sys, &self.folder, &fresh, epoch)?;
        if let Some((signer, public_key)) = signing {
            signer.sign_beside(&fresh.join("repodata/repomd.xml"))?;
            self.put_key(project, &public_key_name(name), public_key)?;
        }
        swap(sys, &fresh.join("repodata"), &self.folder.join("repodata"))?;
        self.offer(project, name, signing.is_some())?;
        let names = rpms.iter().filter_map(|rpm| rpm.path.file_name().map(str::to_owned)).collect();
        Ok(Filled { path: self.folder.clone(), rpms: names, added, signed: signing.is_some() })
    }

    /// Copies an RPM, unless the same package by the same signer is there: its signature differs by the time alone.
    /// Gives whether it did.
    fn put(&self, project: &Project, rpm: &Built) -> anyhow::Result<bool> {
        let name = rpm.path.file_name().context("an RPM has a name")?;
        let place = self.folder.join(name);
        if place.exists() {
            let new = open(&rpm.path)?.preamble()?;
            match open(&place).and_then(|mut opened| opened.preamble()) {
                Ok(old) if is_same(&old, &new) => {
                    project.sys.detail(format!("`{place}` is there already"));
                    return Ok(false);
                }
                Ok(old) if old.header() == new.header() => project.sys.say(format!(
                    "warning: `{place}` is replaced by the same package with another signature: boxes need the key of that"
                )),
                _ => project.sys.say(format!(
                    "warning: `{place}` is replaced by another package of the same name: boxes that have it installed will not see it; raise `package.release`"
                )),
            }
        }
        let time = UNIX_EPOCH + Duration::from_secs(rpm.epoch.into());
        project.sys.create(&place, |file| {
            std::io::copy(&mut fs_err::File::open(&rpm.path)?, file)?;
            // The metadata has the file's time.
            Ok(file.file().set_modified(time)?)
        })?;
        Ok(true)
    }

    /// Writes `NAME.repo` for a box; one that an administrator changed is kept.
    fn offer(&self, project: &Project, name: &str, signed: bool) -> anyhow::Result<()> {
        let place = self.folder.join(format!("{name}.repo"));
        let (text, other) = (repository_file(name, signed)?, repository_file(name, !signed)?);
        if place.is_file() {
            let before = project.sys.read(&place)?;
            if before != text.as_bytes() && before != other.as_bytes() {
                let words = if signed { "1" } else { "0" };
                project.sys.say(format!(
                    "kept `{place}`, which somebody changed; `gpgcheck` and `repo_gpgcheck` have to be {words} in it"
                ));
                return Ok(());
            }
        }
        project.sys.write(&place, text.as_bytes())
    }

    /// Writes the public key; says so where it is another one than before.
    fn put_key(&self, project: &Project, name: &str, text: &str) -> anyhow::Result<()> {
        let place = self.folder.join(name);
        if place.is_file() && project.sys.read(&place)? != text.as_bytes() {
            project.sys.say(format!(
                "warning: `{place}` differs from the one before: boxes have to import it; RPMs by another key still need that"
            ));
        }
        project.sys.write(&place, text.as_bytes())
    }
}

/// Whether two files hold one package, signed by one key or not at all.
fn is_same(old: &Preamble, new: &Preamble) -> bool {
    let signers = [old, new].map(|preamble| preamble.signature().map(|signature| signature.issuer));
    old.header() == new.header() && old.is_signed() == new.is_signed() && signers[0] == signers[1]
}

/// Puts finished metadata in the place of that which is there. What lies beside that and is no metadata of its stays.
///
/// The folder cannot be exchanged in one step; in between, and for a moment, there is none. A run that is killed just then
/// leaves a hidden folder `.repodata.xtask-…` with both.
fn swap(sys: &Sys, fresh: &Utf8Path, place: &Utf8Path) -> anyhow::Result<()> {
    let folder = place.parent().context("metadata are in a folder")?;
    // Beside its place, so that renames suffice; only this process removes it.
    let beside = private(".repodata.xtask-").tempdir_in(folder)?;
    let beside = Utf8Path::from_path(beside.path()).context("the repository's path is not UTF-8")?;
    let (new, old) = (beside.join("new"), beside.join("old"));
    // With the modes that a plain new folder and its files get.
    fs_err::create_dir(&new)?;
    for entry in fs_err::read_dir(fresh)? {
        let name = entry?.file_name();
        let name = name.to_str().context("createrepo_c gives plain names")?;
        sys.put(&fresh.join(name), &new.join(name))?;
    }
    let had_one = place.exists();
    if had_one {
        fs_err::rename(place, &old)?;
    }
    let moved = fs_err::rename(&new, place);
    if moved.is_err() && had_one {
        fs_err::rename(&old, place)?;
    }
    moved?;
    let is_listed = metadata_of(&sys.read_text(&old.join("repomd.xml")).unwrap_or_default());
    for entry in old.read_dir_utf8().into_iter().flatten() {
        let entry = entry?;
        if !is_listed(entry.file_name()) && place.join(entry.file_name()).symlink_metadata().is_err() {
            fs_err::rename(entry.path(), place.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Tells which files in `repodata` are the metadata that a `repomd.xml` lists, and that itself with its signature; those
/// that createrepo_c left behind earlier have a digest in front of their name.
fn metadata_of(repomd: &str) -> impl Fn(&str) -> bool + use<> {
    let of_repomd = ["repomd.xml", "repomd.xml.asc"];
    let listed: BTreeSet<String> = repomd
        .split("<location href=\"repodata/")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .collect();
    let is_digest = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    move |name| {
        let is_left = name.split_once('-').is_some_and(|(digest, kind)| {
            is_digest(digest) && ["primary.", "filelists.", "other."].iter().any(|made| kind.starts_with(made))
        });
        of_repomd.contains(&name) || listed.contains(name) || is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_metadata_stays() {
        let digest = "0a".repeat(32);
        let is_made = metadata_of("<location href=\"repodata/primary.xml.gz\"/><location href=\"repodata/odd\"/>");
        #[rustfmt::skip]
        let cases = [
            ("repomd.xml".to_owned(),                true),
            ("repomd.xml.asc".to_owned(),            true),
            ("primary.xml.gz".to_owned(),            true),
            ("odd".to_owned(),                       true),
            (format!("{digest}-filelists.xml.zst"),  true),
            (format!("{digest}-notes.txt"),          false),
            ("other.xml.gz".to_owned(),              false),
            ("tmp-thesis".to_owned(),                false),
            ("notes.txt".to_owned(),                 false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_made(&name), expected, "{name}");
        }
    }

    #[test]
    fn metadata_of_others_is_not_thrown_away() {
        #[rustfmt::skip]
        let cases = [
            ("",                                                    true),
            ("<data type=\"primary\"><data type=\"filelists_db\">", true),
            ("<data type=\"other_zck\">",                           true),
            ("<data type=\"primary\"><data type=\"group\">",        false),
            ("<data type=\"updateinfo\">",                          false),
            ("<data type=\"primary_x\">",                           false),
        ];
        for (repomd, fine) in cases {
            assert_eq!(keeps_nothing_foreign(repomd).is_ok(), fine, "{repomd}");
        }
    }
}
