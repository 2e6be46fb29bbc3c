//! `cargo xtask rpm`: locks + wheelhouse + the application's wheel → an RPM a target.

use crate::commands::locking::{self, State};
use crate::commands::report::{Report, count, made};
use crate::commands::wheel::{self, AppWheel};
use crate::commands::{Project, fetch, report};
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
use crate::wheel::Offers;
use crate::wheelhouse::open_wheel;
use anyhow::Context as _;
use camino::Utf8PathBuf;
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
#[derive(Debug, Args)]
#[command(
    after_help = "Look at the result with `rpm -qip`, `rpm -qlp` and `rpm -K`; judge it with `cargo xtask verify`."
)]
pub struct Flags {
    #[command(flatten)]
    build: BuildFlags,
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
    /// the lock that it was made from
    pub lock: Lock,
    /// of the application, in RPM's spelling
    pub version: String,
}

impl Built {
    /// The RPM as JSON; `sha256` in lower-case hex.
    pub fn json(&self, project: &Project, sha256: &str) -> Value {
        let mut value = made(&project.shown(&self.path), self.size, sha256);
        value["target"] = json!(self.target.name);
        value["entries"] = json!(self.entries);
        value
    }

    /// The RPM in a line.
    pub fn line(&self, project: &Project) -> String {
        format!("{}: {}, {}\n", project.shown(&self.path), report::size(self.size), count(self.entries, "path"))
    }
}

/// The task.
pub fn run(project: &Project, flags: &Flags) -> anyhow::Result<Report> {
    refuse_early(project)?;
    let built = build(project, current_locks(project)?, &flags.build, None)?;
    let text = built.iter().map(|rpm| rpm.line(project)).collect();
    let mut rpms: Vec<Value> = Vec::new();
    // Reading a large RPM once more for its digest takes a while: only for those who get to see it.
    if project.wants_json {
        for rpm in &built {
            rpms.push(rpm.json(project, &sha256_of(&rpm.path)?));
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
    let epoch = git::epoch(&project.sys)?;
    warn_of_uncommitted(project)?;
    let of: Vec<_> = project.targets.iter().zip(&locks).collect();
    fetch::fill_wheelhouse(project, &of, flags.offline, offers)?;
    let app = wheel::build(project, epoch, flags.offline)?;
    let paths = &project.config.app.config;
    let contents = git::contents(&project.sys, &project.app(), paths)?;
    let config_files: Vec<_> = paths.iter().cloned().zip(contents).collect();
    let mut built = Vec::new();
    for (target, lock) in project.targets.iter().zip(locks) {
        let rpm = build_one(project, target, lock, &app, &config_files, flags.level)
            .with_context(|| format!("failed to build the RPM for `{}`", target.name))?;
        built.push(rpm);
    }
    Ok(built)
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

/// Says what differs from the commit: it is packed as it is, with the commit's time and version.
fn warn_of_uncommitted(project: &Project) -> anyhow::Result<()> {
    let changed = git::uncommitted(&project.sys, &[&project.config.app.path, "dist".into(), &project.config.app.lock])?;
    if let Some(first) = changed.first() {
        let others = if changed.len() > 1 { format!(" and {} more", changed.len() - 1) } else { String::new() };
        project.sys.say(format!("warning: `{first}`{others} not committed: the RPM is not that of the last commit"));
    }
    Ok(())
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
    app: &AppWheel,
    config_files: &[(Utf8PathBuf, Vec<u8>)],
    level: Option<i32>,
) -> anyhow::Result<Built> {
    let config = &project.config;
    let wheels = open_wheels(project, &lock, app)?;
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
    let install_notes = pages.install_notes(&facts)?;
    let parts = Parts {
        config,
        target,
        wheels: &wheels,
        config_files,
        lock_text: &lock.to_text(target)?,
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
        version: version.clone(),
        release: facts.full_release(),
        arch: target.arch.to_owned(),
        description: pages.description(&facts)?,
        license: license.unwrap_or_else(|| "LicenseRef-Unknown".to_owned()),
        url: config.package.url.clone().or(metadata.home_page.clone()),
        vendor: config.package.vendor.clone().or(metadata.author.clone()),
        requires: facts.requires(),
        provides: facts.provides(),
        scriptlets: service.scriptlets(),
        build_time: app.epoch,
        compression: target.distribution.compression,
        level: level_for(target.distribution.compression, level),
        summary: pages.summary,
    };
    let path = project.out().join(facts.file_name());
    let spinner = project.sys.spinner(&format!("writing {}", facts.file_name()));
    let written = project.sys.create(&path, |file| rpm::write(&package, &layout.tree, &wheels, file))?;
    spinner.finish_and_clear();
    Ok(Built {
        target: target.clone(),
        path,
        size: written.size,
        entries: written.entries,
        epoch: app.epoch,
        install_notes,
        lock,
        version,
    })
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
        let error = fs_err::read(project.app().join(path)).err()?;
        Some(Problem::around(
            error.into(),
            format!("the config file `{path}` cannot be read"),
            "`app.config` in `dist/package.toml` is relative to `app.path`",
        ))
    };
    project.config.app.config.iter().filter_map(unreadable).collect()
}
