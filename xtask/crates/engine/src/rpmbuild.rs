//! The builders: this tool, and the real rpmbuild with spec and sources below `dist/rpmbuild`.

use crate::Project;
use crate::build_stamps;
use crate::builder::{BuildOptions, Builder};
use crate::locking::Current;
use crate::pieces::{PIECES, Pieces};
use crate::prepare::{Ready, gather, prepare};
use crate::report::count;
use crate::summary::Share;
use crate::tools::rpmbuild::{Product, RpmBuild};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use rawzip::FileReader;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Seek as _, Write};
use std::time::{Duration, SystemTime};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{CACHES, sha256_of_rest, user_cache};
use wheelhaul_package::rpm;
use wheelhaul_package::rpm::{
    KeptPieces, NothingKept, RpmPlan, SourceArchives, SourceNames, SourcePart, WrittenPiece, spec,
};
use wheelhaul_pylock::Lock;

/// An RPM that was written, or lay there already.
pub(crate) struct OnDisk {
    /// in bytes
    pub size: u64,
    /// what each wheel is in it; nothing where rpmbuild wrote it
    pub shares: Vec<Share>,
    /// of the file as it was written; none where it is not wanted, or rpmbuild wrote it
    pub digest: Option<Digest>,
}

/// A file that was written, or found whole.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    /// in lower-case hex
    pub sha256: String,
    /// of the file that has it: by [`build_stamps::is_still`] it is told from another run's
    pub identity: String,
}

/// What is noted of an RPM.
#[derive(Serialize, Deserialize)]
struct Noted {
    sha256: String,
    size: u64,
    shares: Vec<Share>,
}

/// Writes an RPM by this tool itself, unless the one that it would be lies there.
pub(crate) fn write_natively(project: &Project, ready: &Ready<'_>, path: &Utf8Path) -> anyhow::Result<OnDisk> {
    project.steps.during("write", || {
        let plan = RpmPlan::new(&ready.package, &ready.tree, &ready.wheels)?;
        let name = build_stamps::name(project, [b"rpm".as_slice(), plan.name().as_bytes()]);
        let noted: Option<Noted> = name.as_deref().and_then(|name| build_stamps::noted(project, name));
        if let Some(Noted { sha256, size, shares }) = noted
            && let Some(identity) = build_stamps::whole(path, &sha256)
        {
            project.sys.detail(format!("`{}` is up to date", project.shown(path)));
            let shares = shares.into_iter().map(Share::reused).collect();
            return Ok(OnDisk { size, shares, digest: Some(Digest { sha256, identity }) });
        }
        let (written, digest) = write(project, ready, plan, path)?;
        let shares = shares_of(ready, &written.pieces);
        if let (Some(name), Some(digest)) = (name, &digest) {
            let sha256 = digest.sha256.clone();
            build_stamps::note(project, &name, &Noted { sha256, size: written.size, shares: shares.clone() });
        }
        Ok(OnDisk { size: written.size, shares, digest })
    })
}

fn write(
    project: &Project,
    ready: &Ready<'_>,
    plan: RpmPlan<'_, FileReader>,
    path: &Utf8Path,
) -> anyhow::Result<(rpm::WrittenRpm, Option<Digest>)> {
    let spinner = project.sys.spinner(&format!("writing {}", ready.file_name));
    let with = |kept: &dyn KeptPieces| {
        project.sys.create(path, |file| {
            let written = plan.write(kept, file)?;
            // Before it has its name: then it may be another run's.
            Ok((written, project.wants_digests.then(|| digest_of(file)).transpose()?))
        })
    };
    // What is built to be compared must not be what it is compared with.
    let kept = (!project.makes_elsewhere()).then(|| pieces(project));
    let (written, digest) = with(kept.as_ref().map_or(&NothingKept, |kept| kept))?;
    spinner.finish_and_clear();
    let reused = written.pieces.iter().filter(|piece| piece.is_kept).count();
    let made = count(written.pieces.len() - reused, "piece");
    let from = match &kept {
        Some(kept) => format!(", {reused} taken from `{}`", kept.folder()),
        None => ", as nothing of earlier runs is taken".to_owned(),
    };
    project.sys.detail(format!("{}: {made} compressed{from}", ready.file_name));
    for trouble in kept.iter().flat_map(Pieces::troubles) {
        project.sys.detail(trouble);
    }
    Ok((written, digest))
}

/// Of a file that is being written.
pub(crate) fn digest_of(file: &mut fs_err::File) -> anyhow::Result<Digest> {
    file.rewind()?;
    let sha256 = sha256_of_rest(file)?;
    Ok(Digest { sha256, identity: build_stamps::identity(&file.metadata()?) })
}

/// What each wheel is in a payload.
fn shares_of(ready: &Ready<'_>, pieces: &[WrittenPiece]) -> Vec<Share> {
    let mut shares: BTreeMap<Option<usize>, Share> = BTreeMap::new();
    for piece in pieces {
        let name = piece.wheel.and_then(|wheel| ready.wheels.get(wheel)).map(|wheel| &wheel.contents.metadata.name);
        let share = shares.entry(piece.wheel).or_default();
        share.name = name.map(ToString::to_string);
        share.pieces += 1;
        share.bytes += piece.size;
        share.archive_bytes += piece.archive_size;
        if piece.is_kept {
            share.reused += 1;
            share.reused_bytes += piece.size;
        }
    }
    shares.into_values().collect()
}

/// The pieces that are kept: in the user's cache, or for a user without a home in the repository's workspace.
fn pieces(project: &Project) -> Pieces {
    // It says so where the cache cannot be trusted, and the pieces then say why nothing is kept.
    let _ = project.sys.cache();
    Pieces::in_folder(user_cache().unwrap_or_else(|| project.sys.workspace()).join(CACHES).join(PIECES))
}

/// rpmbuild, where it is asked for.
pub(crate) fn find<'a>(project: &'a Project, options: &BuildOptions) -> anyhow::Result<Option<RpmBuild<'a>>> {
    let wanted = options.source || options.builder == Builder::Rpmbuild;
    wanted.then(|| RpmBuild::find(&project.sys)).transpose()
}

/// Writes an RPM into `path`, and its source package beside it, as the options want them.
///
/// - Gives: the RPM; path and size in bytes of the source package.
pub(crate) fn make(
    project: &Project,
    ready: &Ready<'_>,
    rpmbuild: &RpmBuild<'_>,
    options: &BuildOptions,
    path: &Utf8Path,
) -> anyhow::Result<(OnDisk, Option<(Utf8PathBuf, u64)>)> {
    project.steps.during("rpmbuild", || {
        let written = Written::write(project, ready)?;
        let on_disk = match options.builder {
            Builder::Native => write_natively(project, ready, path)?,
            Builder::Rpmbuild => {
                let size = written.build(rpmbuild, path)?;
                OnDisk { size, shares: Vec::new(), digest: None }
            }
        };
        let source = options.source.then(|| written.source(rpmbuild, &project.out())).transpose()?;
        Ok((on_disk, source))
    })
}

/// A spec.
#[derive(Debug, Clone, Serialize)]
pub struct Spec {
    /// the target's name
    pub target: String,
    /// its text
    pub spec: String,
}

/// The specs of all targets; the wheels are needed for the list of files.
pub(crate) fn specs(project: &Project, current: Current, options: &BuildOptions) -> anyhow::Result<Vec<Spec>> {
    if project.targets.len() > 1 && !project.wants_json {
        let names: Vec<&str> = project.targets.iter().map(|target| target.name.as_str()).collect();
        return Err(Problem::with_hint(
            format!("each target has a spec of its own, and there are {}", names.len()),
            format!("name one by `--target`: {}; or take them all as `--format json`", names.join(", ")),
        ));
    }
    let gathered = gather(project, &current)?;
    let mut specs = Vec::new();
    for (target, lock) in project.targets.iter().zip(current.locks) {
        let spec = prepare(project, target, lock, &gathered, options.level)
            .and_then(|ready| spec(&ready.package, &ready.tree, target, &names_of(&ready, &sources_of(&ready))))
            .with_context(|| format!("failed to write the spec for `{}`", target.name))?;
        specs.push(Spec { target: target.name.clone(), spec });
    }
    Ok(specs)
}

fn sources_of<'a>(ready: &'a Ready<'_>) -> SourceArchives<'a, FileReader> {
    SourceArchives::new(&ready.tree, &ready.wheels)
}

fn names_of(ready: &Ready<'_>, sources: &SourceArchives<'_, FileReader>) -> SourceNames {
    let stem = ready.file_name.trim_end_matches(".rpm");
    SourceNames {
        app: format!("{stem}.tar.gz"),
        dependencies: sources.has(SourcePart::Dependencies).then(|| format!("{stem}-dependencies.tar.gz")),
        lock: Lock::file_name(&ready.target.name),
    }
}

/// Spec and sources on disk.
struct Written<'a> {
    project: &'a Project,
    ready: &'a Ready<'a>,
    /// relative to the top folder
    spec: Utf8PathBuf,
}

/// Where all of it is: `dist/rpmbuild`.
fn topdir(project: &Project) -> Utf8PathBuf {
    project.dist().join("rpmbuild")
}

impl<'a> Written<'a> {
    /// Writes spec and sources, with the time of the commit and the lock.
    fn write(project: &'a Project, ready: &'a Ready<'a>) -> anyhow::Result<Self> {
        let sources = sources_of(ready);
        let names = names_of(ready, &sources);
        let text = spec(&ready.package, &ready.tree, ready.target, &names)?;
        let spinner = project.sys.spinner(&format!("writing the sources of {}", ready.file_name));
        let folder = topdir(project).join("SOURCES");
        let write = |path: &Utf8Path, fill: &mut dyn FnMut(&mut dyn Write) -> anyhow::Result<()>| {
            project.sys.create(path, |file| {
                fill(file)?;
                // A source package holds the times of its files.
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(ready.package.build_time.into());
                Ok(file.file().set_modified(time)?)
            })
        };
        write(&folder.join(&names.app), &mut |out| sources.write(SourcePart::App, out))?;
        if let Some(name) = &names.dependencies {
            write(&folder.join(name), &mut |out| sources.write(SourcePart::Dependencies, out))?;
        }
        write(&folder.join(&names.lock), &mut |out| Ok(out.write_all(ready.texts.lock.as_bytes())?))?;
        let spec = spec_path(project, ready);
        write(&topdir(project).join(&spec), &mut |out| Ok(out.write_all(text.as_bytes())?))?;
        spinner.finish_and_clear();
        project.sys.detail(format!("wrote {}", project.shown(&topdir(project).join(&spec))));
        Ok(Self { project, ready, spec })
    }

    /// Builds the RPM into `path`; gives its size in bytes.
    fn build(&self, rpmbuild: &RpmBuild<'_>, path: &Utf8Path) -> anyhow::Result<u64> {
        let made = Utf8Path::new("RPMS").join(&self.ready.package.arch).join(&self.ready.file_name);
        self.make(rpmbuild, Product::Binary, &made, path)
    }

    /// Builds the source package into `folder`; gives its path and its size in bytes.
    fn source(&self, rpmbuild: &RpmBuild<'_>, folder: &Utf8Path) -> anyhow::Result<(Utf8PathBuf, u64)> {
        let package = &self.ready.package;
        let stem = format!("{}-{}-{}", package.name, package.version, package.release);
        // By its name a source package is for no processor; the sources of this one are.
        let dist = &self.ready.target.distribution.dist;
        let shared = self.project.every_target.iter().filter(|target| target.distribution.dist == *dist).count() > 1;
        let arch = if shared { format!(".{}", package.arch) } else { String::new() };
        let path = folder.join(format!("{stem}{arch}.src.rpm"));
        let size =
            self.make(rpmbuild, Product::Source, &Utf8Path::new("SRPMS").join(format!("{stem}.src.rpm")), &path)?;
        Ok((path, size))
    }

    /// Lets rpmbuild make a product, and copies it to where it belongs.
    fn make(&self, rpmbuild: &RpmBuild<'_>, product: Product, made: &Utf8Path, path: &Utf8Path) -> anyhow::Result<u64> {
        let spinner = self.project.sys.spinner(&format!("rpmbuild {}", path.file_name().unwrap_or_default()));
        let topdir = topdir(self.project);
        let (arch, epoch) = (&self.ready.package.arch, self.ready.package.build_time);
        rpmbuild.build(product, &topdir, &self.spec, arch, epoch).context("rpmbuild failed")?;
        let mut from = fs_err::File::open(topdir.join(made)).context("rpmbuild made no such file")?;
        let size = self.project.sys.create(path, |file| Ok(std::io::copy(&mut from, file)?))?;
        spinner.finish_and_clear();
        Ok(size)
    }
}

/// `SPECS/NAME.spec`, as packagers look for it; a folder a target where there are several.
fn spec_path(project: &Project, ready: &Ready<'_>) -> Utf8PathBuf {
    let mut folder = Utf8PathBuf::from("SPECS");
    if project.every_target.len() > 1 {
        folder.push(&ready.target.name);
    }
    folder.join(format!("{}.spec", ready.package.name))
}
