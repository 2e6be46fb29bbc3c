//! `cargo xtask rpm`: locks + wheelhouse + the application's wheel → an RPM a target.

use crate::commands::locking::{self, State};
use crate::commands::report::{Report, count, made};
use crate::commands::wheel::{self, AppWheel};
use crate::commands::{Project, fetch, report, rpmbuild};
use crate::config::Tls;
use crate::layout::{Parts, Wheel, check_interpreter, lay_out};
use crate::lockfile::Lock;
use crate::pages::Pages;
use crate::problem::{Problem, all_of};
use crate::rpm::{self, Package, rpm_version};
use crate::service;
use crate::sys::sha256_of;
use crate::target::{Compression, Target};
use crate::tools::git;
use crate::tools::rpmbuild::RpmBuild;
use crate::tree::Tree;
use crate::wheel::Offers;
use crate::wheelhouse::open_wheel;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use rawzip::FileReader;
use serde_json::{Value, json};

/// zstd 9 is 12 to 14 % larger than 19 for a twentieth of its time; gzip 9 is what el8 itself uses.
const LEVEL_ZSTD: i32 = 9;
const LEVEL_GZIP: i32 = 9;

/// Write an RPM for each target into `dist/out`
///
/// Takes the committed locks as they are. Fetches, through pip, the wheels that `dist/wheels` lacks; builds
/// the application's wheel; and streams both into the RPM in one pass. Each file is checked against its
/// wheel's RECORD on the way, each wheel against its lock. Two builds of one commit are equal byte for byte.
///
/// With `--sign`, finished RPMs of any builder are signed instead: gpg signs their header, with your agent,
/// smart card or HSM; the signature goes into the signature header, in place of any other, and all else stays
/// byte for byte. A signature holds the time when it was made.
#[derive(Debug, Args)]
#[command(
    after_help = "Look at the result with `rpm -qip`, `rpm -qlp` and `rpm -K`; judge it with `cargo xtask verify`.\n\n\
        Examples:\n  cargo xtask rpm                                       build\n  \
        cargo xtask rpm --sign dist/out/*.rpm                 sign what `dist --no-sign` left\n  \
        cargo xtask rpm --sign a.rpm --key ops@corp.example   anywhere, any RPM of format 4"
)]
pub struct Flags {
    #[command(flatten)]
    build: BuildFlags,
    /// Build nothing, and sign these finished RPMs in place through gpg; needs no repository
    #[arg(long, value_name = "RPM", num_args = 1.., conflicts_with_all = ["offline", "level", "target"])]
    pub sign: Vec<Utf8PathBuf>,
    /// The key to sign with, as gpg takes it; `[sign] key` of `dist/package.toml` if not given
    #[arg(long, value_name = "KEY", requires = "sign")]
    pub key: Option<String>,
    /// Print the spec of each target and write no RPM
    #[arg(long, conflicts_with_all = ["builder", "source"])]
    spec_only: bool,
}

/// How RPMs are built; also of `dist`.
#[derive(Debug, Clone, Args)]
pub struct BuildFlags {
    /// Start no program that reaches the network: every wheel must be in `dist/wheels`
    #[arg(long)]
    pub offline: bool,
    /// Compression level of the payload: 1 to 19 for zstd (el9 and later), 1 to 9 for gzip (el7, el8); 9 if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=19))]
    pub level: Option<i32>,
    /// What writes the RPM
    #[arg(long, value_enum, default_value_t = rpmbuild::Builder::Native, value_name = "BUILDER")]
    pub builder: rpmbuild::Builder,
    /// Let rpmbuild write a source package beside each RPM, which `rpmbuild --rebuild` turns into it again
    #[arg(long)]
    pub source: bool,
}

/// An RPM on disk.
#[derive(Debug, Clone)]
pub struct Built {
    /// the box that it is for
    pub target: Target,
    /// where it is
    pub path: Utf8PathBuf,
    /// in bytes
    pub size: u64,
    /// files and folders in it
    pub entries: usize,
    /// the time of the commit, in seconds since 1970
    pub epoch: u32,
    /// the notes that people read on the box
    pub install_notes: String,
    /// the same for a package that is signed
    pub signed_notes: String,
    /// the lock that it was made from
    pub lock: Lock,
    /// of the application, in RPM's spelling
    pub version: String,
    /// the source package and its size in bytes, where one was asked for
    pub source: Option<(Utf8PathBuf, u64)>,
}

impl Built {
    /// The RPM as JSON; `sha256` in lower-case hex.
    pub fn json(&self, project: &Project, sha256: &str) -> anyhow::Result<Value> {
        let mut value = made(&project.shown(&self.path), self.size, sha256);
        value["target"] = json!(self.target.name);
        value["entries"] = json!(self.entries);
        if let Some((path, size)) = &self.source {
            value["source"] = made(&project.shown(path), *size, &sha256_of(path)?);
        }
        Ok(value)
    }

    /// The RPM in a line, and its source package in another.
    pub fn line(&self, project: &Project) -> String {
        let entries = count(self.entries, "path");
        let mut text = format!("{}: {}, {entries}\n", project.shown(&self.path), report::size(self.size));
        if let Some((path, size)) = &self.source {
            text.push_str(&format!("{}: {}\n", project.shown(path), report::size(*size)));
        }
        text
    }
}

/// Everything that a builder makes an RPM from.
pub struct Ready<'a> {
    /// the box that it is for
    pub target: &'a Target,
    /// what its header says
    pub package: Package,
    /// what lands on the box
    pub tree: Tree,
    /// what the tree was laid out from
    pub wheels: Vec<Wheel<FileReader>>,
    /// `NAME-VERSION-RELEASE.ARCH.rpm`
    pub file_name: String,
    /// the lock, as it travels in the package
    pub lock_text: String,
    install_notes: String,
    signed_notes: String,
}

/// What the RPMs of all targets have in common.
pub struct Gathered {
    /// the application's wheel
    pub app: AppWheel,
    /// the application's config files: path below its folder, and bytes
    config_files: Vec<(Utf8PathBuf, Vec<u8>)>,
    /// what it was built from, in words
    origin: String,
}

/// The task.
pub fn run(project: &Project, flags: &Flags) -> anyhow::Result<Report> {
    refuse_early(project)?;
    if flags.spec_only {
        return rpmbuild::print_specs(project, &current_locks(project)?, &flags.build);
    }
    let built = build(project, current_locks(project)?, &flags.build, None)?;
    let text = built.iter().map(|rpm| rpm.line(project)).collect();
    let mut rpms: Vec<Value> = Vec::new();
    // Reading a large RPM once more for its digest takes a while: only for those who get to see it.
    if project.wants_json {
        for rpm in &built {
            rpms.push(rpm.json(project, &sha256_of(&rpm.path)?)?);
        }
    }
    Ok(Report::fine(text, json!({"rpms": rpms})))
}

/// Builds the RPMs of all targets.
///
/// - Takes: `locks`, current and in the order of the targets; `offers`, where the index was just asked,
///   so that it is not asked again.
pub fn build(
    project: &Project,
    locks: Vec<Lock>,
    flags: &BuildFlags,
    offers: Option<&Offers>,
) -> anyhow::Result<Vec<Built>> {
    // Asked first: without an answer all the fetching would be in vain.
    let rpmbuild = rpmbuild::find(project, flags)?;
    let gathered = gather(project, &locks, flags, offers)?;
    let mut built = Vec::new();
    for (target, lock) in project.targets.iter().zip(locks) {
        let rpm = build_one(project, target, lock, &gathered, flags, rpmbuild.as_ref())
            .with_context(|| format!("failed to build the RPM for `{}`", target.name))?;
        built.push(rpm);
    }
    Ok(built)
}

/// Fills the wheelhouse and builds the application's wheel.
pub fn gather(
    project: &Project,
    locks: &[Lock],
    flags: &BuildFlags,
    offers: Option<&Offers>,
) -> anyhow::Result<Gathered> {
    let epoch = git::epoch(&project.sys)?;
    let origin = origin(project)?;
    let of: Vec<_> = project.targets.iter().zip(locks).collect();
    fetch::fill_wheelhouse(project, &of, flags.offline, offers)?;
    let app = wheel::build(project, epoch, flags.offline)?;
    let paths = &project.config.app.config;
    let contents = git::contents(&project.sys, &project.app(), paths)?;
    Ok(Gathered { app, config_files: paths.iter().cloned().zip(contents).collect(), origin })
}

/// What can be known to be wrong before anything is asked, fetched or built.
pub fn refuse_early(project: &Project) -> anyhow::Result<()> {
    let mut faults: Vec<anyhow::Error> =
        project.targets.iter().filter_map(|target| check_interpreter(target).err()).collect();
    faults.extend(unreadable_config_files(project));
    if let Some(target) = project.targets.first() {
        let (name, service) = (project.config.package.name.as_str(), &project.config.service);
        let facts = service::Facts { name, summary: "", root: "", service, target };
        // Which kind of program it is the wheels will tell; how it is given address and certificate is the same.
        faults.extend(facts.command(service::Program::Script).err());
    }
    faults.extend(server_left_out(project));
    all_of("things stand in the way of an RPM", faults)
}

/// The server of `service.command`, where the lock has it for groups alone that nobody asked for.
fn server_left_out(project: &Project) -> Option<anyhow::Error> {
    let server = project.config.service.command.first()?;
    let (_, pins) = project.pins().ok()?;
    let entries = || pins.pins.iter().filter(|pin| pin.name.as_ref() == server);
    let groups = entries().find_map(|pin| pin.left_out.as_ref())?;
    entries().all(|pin| pin.left_out.is_some()).then(|| {
        Problem::with_hint(
            format!("`{server}` of `service.command` is locked for the group {groups} alone, which goes on no box"),
            "name the group under `[app]` in `dist/package.toml`: groups = [\"…\"]",
        )
    })
}

/// What the RPM is built from, in words, and a warning of what differs from the commit: it is packed as it is,
/// with the commit's time and version.
fn origin(project: &Project) -> anyhow::Result<String> {
    let changed = git::uncommitted(&project.sys, &[&project.config.app.path, "dist".into(), &project.config.app.lock])?;
    if let Some(first) = changed.first() {
        let others = if changed.len() > 1 { format!(" and {} more", changed.len() - 1) } else { String::new() };
        project.sys.say(format!("warning: `{first}`{others} not committed: the RPM is not that of the last commit"));
    }
    Ok(match (git::commit(&project.sys), changed.is_empty()) {
        (Some(commit), true) => format!("commit {commit}"),
        (Some(commit), false) => format!("commit {commit}, with changes that are not committed"),
        (None, _) => "files that are not committed".to_owned(),
    })
}

/// The locks on disk; a stale one is an error, since the RPM would not hold what the team locked.
fn current_locks(project: &Project) -> anyhow::Result<Vec<Lock>> {
    let locks = locking::inspect(project)?;
    locks.warn(project, false);
    let mut current = Vec::new();
    let mut faults = Vec::new();
    for (target, locked) in project.targets.iter().zip(locks.all) {
        match (locked.lock, locked.state) {
            (Some(lock), _) => current.push(lock),
            (None, State::Stale(reasons)) => faults.push(Problem::with_hint(
                format!("`{}` is stale: {}", project.shown(&project.lock_path(target)), reasons.join("; ")),
                "run `cargo xtask lock`, or `cargo xtask dist` without `--locked`",
            )),
            (None, _) => faults.push(anyhow::anyhow!("there is no lock of `{}`", target.name)),
        }
    }
    all_of("locks are stale", faults)?;
    Ok(current)
}

fn build_one(
    project: &Project,
    target: &Target,
    lock: Lock,
    gathered: &Gathered,
    flags: &BuildFlags,
    rpmbuild: Option<&RpmBuild<'_>>,
) -> anyhow::Result<Built> {
    let ready = prepare(project, target, &lock, gathered, flags.level)?;
    let path = project.out().join(&ready.file_name);
    let (size, source) = match rpmbuild {
        Some(rpmbuild) => rpmbuild::make(project, &ready, rpmbuild, flags, &path)?,
        None => (write_natively(project, &ready, &path)?, None),
    };
    Ok(Built {
        target: target.clone(),
        path,
        size,
        entries: ready.tree.entries().len(),
        epoch: gathered.app.epoch,
        install_notes: ready.install_notes,
        signed_notes: ready.signed_notes,
        lock,
        version: ready.package.version,
        source,
    })
}

/// Writes an RPM by this tool itself; gives its size in bytes.
pub fn write_natively(project: &Project, ready: &Ready<'_>, path: &Utf8Path) -> anyhow::Result<u64> {
    let spinner = project.sys.spinner(&format!("writing {}", ready.file_name));
    let write = |file: &mut fs_err::File| rpm::write(&ready.package, &ready.tree, &ready.wheels, file);
    let written = project.sys.create(path, write)?;
    spinner.finish_and_clear();
    Ok(written.size)
}

/// Lays out what a target's RPM is made from.
pub fn prepare<'a>(
    project: &Project,
    target: &'a Target,
    lock: &Lock,
    gathered: &Gathered,
    level: Option<i32>,
) -> anyhow::Result<Ready<'a>> {
    let config = &project.config;
    let app = &gathered.app;
    let wheels = open_wheels(project, lock, app)?;
    let metadata = &wheels.last().context("the application is one of the wheels")?.contents.metadata;
    let pages = Pages::new(config, target, metadata);
    let facts = rpm::Facts {
        name: &config.package.name,
        version: &metadata.version,
        release: &config.package.release,
        target,
        needs_openssl: config.service.tls == Tls::SelfSigned,
        libraries: lock.libraries(),
    };
    let license = config.package.license.clone().or(metadata.license.clone());
    if license.is_none() && project.targets.first() == Some(target) {
        project.sys.say("warning: the application's metadata has no licence; `package.license` can name it");
    }
    if let Some(fault) = pages.fault_of_summary().filter(|_| project.targets.first() == Some(target)) {
        project.sys.say(format!("warning: {fault}"));
    }
    let install_notes = pages.install_notes(&facts, false)?;
    let signed_notes = pages.install_notes(&facts, true)?;
    let lock_text = lock.to_text(target)?;
    let parts = Parts {
        config,
        target,
        wheels: &wheels,
        config_files: &gathered.config_files,
        lock_text: &lock_text,
        install_notes: &install_notes,
        summary: &pages.summary,
        epoch: app.epoch,
    };
    let layout = lay_out(&parts)?;
    let service = service::Facts {
        name: facts.name,
        summary: &pages.summary,
        root: &pages.root,
        service: &config.service,
        target,
    };
    let (epoch, version) = rpm_version(&metadata.version);
    let package = Package {
        name: facts.name.to_owned(),
        epoch,
        version,
        release: facts.full_release(),
        arch: target.arch.to_owned(),
        description: pages.description(&facts)?,
        license: license.unwrap_or_else(|| "LicenseRef-Unknown".to_owned()),
        url: config.package.url.clone().or(metadata.home_page.clone()),
        vendor: config.package.vendor.clone().or(metadata.author.clone()),
        origin: gathered.origin.clone(),
        requires: facts.requires(),
        provides: facts.provides(),
        scriptlets: service.scriptlets(),
        build_time: app.epoch,
        compression: target.distribution.compression,
        level: level_for(target.distribution.compression, level),
        summary: pages.summary,
    };
    let file_name = facts.file_name();
    Ok(Ready { target, package, tree: layout.tree, file_name, lock_text, install_notes, signed_notes, wheels })
}

fn level_for(compression: Compression, wanted: Option<i32>) -> i32 {
    match compression {
        Compression::Zstd => wanted.unwrap_or(LEVEL_ZSTD),
        Compression::Gzip => wanted.unwrap_or(LEVEL_GZIP).min(9),
    }
}

/// The wheels of the lock in its order, then the application's.
fn open_wheels(project: &Project, lock: &Lock, app: &AppWheel) -> anyhow::Result<Vec<Wheel<FileReader>>> {
    let wheelhouse = project.wheelhouse();
    let mut wheels = Vec::new();
    let mut faults = Vec::new();
    for package in &lock.packages {
        // A mirror may not know when a file was uploaded; then the commit's time is used.
        let mtime = package.uploaded_at().unwrap_or(app.epoch);
        match wheelhouse.open(package) {
            Ok((archive, contents)) => wheels.push(Wheel { name: package.wheel.clone(), archive, contents, mtime }),
            Err(fault) => faults.push(fault),
        }
    }
    all_of("wheels are refused", faults)?;
    let (archive, contents) = open_wheel(&app.path, &app.name)?;
    wheels.push(Wheel { name: app.name.clone(), archive, contents, mtime: app.epoch });
    Ok(wheels)
}

fn unreadable_config_files(project: &Project) -> Vec<anyhow::Error> {
    let unreadable = |path: &Utf8PathBuf| {
        Some(Problem::around(
            fs_err::read(project.app().join(path)).err()?.into(),
            format!("the config file `{path}` cannot be read"),
            "`app.config` in `dist/package.toml` is relative to `app.path`",
        ))
    };
    project.config.app.config.iter().filter_map(unreadable).collect()
}
