//! What an RPM is made from, made ready for either builder: wheels opened, tree laid out, header known.

use crate::Project;
use crate::byte_code;
use crate::byte_code::OnDisk;
use crate::fetch;
use crate::inputs;
use crate::locking::Current;
use crate::opened::ByName;
use crate::others;
use crate::package_info;
use crate::package_info::Licenses;
use crate::tools::git;
use crate::wheel;
use crate::wheel::AppWheel;
use crate::wheelhouse::open_wheel;
use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;
use pep508_rs::PackageName;
use rawzip::FileReader;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use wheelhaul_base::problem::all_of;
use wheelhaul_boxes::{Compression, Target};
use wheelhaul_config::Tls;
use wheelhaul_host::Stop;
use wheelhaul_package::layout::{Parts, Wheel, lay_out};
use wheelhaul_package::pages::Pages;
use wheelhaul_package::rpm;
use wheelhaul_package::rpm::{ChangelogEntry, RpmPackage, rpm_version};
use wheelhaul_package::service;
use wheelhaul_package::tree::Tree;
use wheelhaul_pylock::Lock;
use wheelhaul_wheel::Checked;

/// See "What a release costs" in the README for the figures.
const LEVEL_ZSTD: i32 = 9;
const LEVEL_GZIP: i32 = 6;

/// What travels in the package and beside it.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    /// the lock
    pub lock: String,
    /// the notes that people read on the box
    pub install_notes: String,
    /// the same for a package that is signed
    pub signed_notes: String,
    /// what is in the package, as CycloneDX
    pub sbom: String,
}

/// Everything that a builder makes an RPM from.
pub(crate) struct Ready<'a> {
    /// the box that it is for
    pub target: &'a Target,
    /// what its header says
    pub package: RpmPackage,
    /// what lands on the box
    pub tree: Tree,
    /// what the tree was laid out from
    pub wheels: Vec<Wheel<FileReader>>,
    /// `NAME-VERSION-RELEASE.ARCH.rpm`
    pub file_name: String,
    /// what travels with it
    pub texts: Texts,
    /// the version of the interpreter that compiled byte-code, where it is shipped
    pub byte_code: Option<String>,
    /// what those say whose licence is not known
    pub unknown_licenses: BTreeMap<PackageName, String>,
    /// the warning of libraries that the application opens by name
    pub opened_by_name: Option<String>,
    /// the lock that it was made from
    pub lock: Lock,
}

/// What every target's RPM is made from beside its lock.
pub(crate) struct Gathered {
    /// the application's wheel
    pub app: AppWheel,
    /// the application's config files: path below its folder, and bytes
    config_files: Vec<(Utf8PathBuf, Vec<u8>)>,
    /// of the application, as the changelog has it
    origin: String,
    /// what of the wheels was found right, by their sha256
    checked: Mutex<BTreeMap<String, Arc<Checked>>>,
}

impl Gathered {
    fn checked(&self, sha256: &str) -> Arc<Checked> {
        Arc::clone(self.checked.lock().expect("no thread panics").entry(sha256.to_owned()).or_default())
    }
}

/// Fills the wheelhouse and builds the application's wheel.
pub(crate) fn gather(project: &Project, current: &Current) -> anyhow::Result<Gathered> {
    let head = git::head(&project.sys)?;
    let epoch = git::epoch(head.as_ref())?;
    let origin = inputs::origin(project, head.as_ref(), &current.read)?;
    let config_files = inputs::config_files(project)?;
    let of: Vec<_> = project.targets.iter().zip(&current.locks).collect();
    let build = |stop: &Stop| wheel::build(project, epoch, stop);
    let offers = current.offers.as_ref();
    let app = fetch::fill_wheelhouse_beside(project, &of, offers, wheel::BUILDING, build)?;
    app.say(project);
    Ok(Gathered { app, config_files, origin, checked: Mutex::default() })
}

/// Lays out what a target's RPM is made from.
pub(crate) fn prepare<'a>(
    project: &Project,
    target: &'a Target,
    lock: Lock,
    gathered: &Gathered,
    level: Option<i32>,
) -> anyhow::Result<Ready<'a>> {
    project.steps.during("lay out", || make_ready(project, target, lock, gathered, level))
}

fn make_ready<'a>(
    project: &Project,
    target: &'a Target,
    lock: Lock,
    gathered: &Gathered,
    level: Option<i32>,
) -> anyhow::Result<Ready<'a>> {
    let Gathered { app, config_files, origin, .. } = gathered;
    let config = &project.config;
    let mut wheels = open_wheels(project, &lock, gathered)?;
    let files = on_disk(project, &lock, app);
    let byte_code = project.steps.during("byte-code", || byte_code::add(project, target, &mut wheels, &files))?;
    let application = wheels.last().context("the application is one of the wheels")?;
    let metadata = &application.contents.metadata;
    if u32::try_from(metadata.version.epoch()).is_err() {
        bail!(
            "the epoch of the application's version `{}` is larger than RPM's can be, {}",
            metadata.version,
            u32::MAX
        );
    }
    let pages = Pages::new(config, target, metadata, app.epoch);
    let (libraries, optional) = package_info::libraries(project, &lock, application, target)?;
    let opened_by_name = ByName::warning_of_application(config, target, &wheels, &libraries)?;
    let facts = rpm::PackageFacts {
        name: &config.package.name,
        version: &metadata.version,
        release: &config.package.release,
        target,
        needs_openssl: config.service.tls == Tls::SelfSigned,
        has_config: !config.app.config.is_empty(),
        libraries,
        others: others::of(project, target),
        bundled: lock.packages.iter().map(|package| (&package.name, &package.version)).collect(),
    };
    let [recommends, conflicts, obsoletes] = facts.about_others();
    let licenses = Licenses::judge(project, &wheels)?;
    if let Some(fault) = pages.fault_of_summary().filter(|_| project.targets.first() == Some(target)) {
        project.sys.say(format!("warning: {fault}"));
    }
    let texts = Texts {
        lock: lock.to_text(target)?,
        install_notes: pages.install_notes(&facts, false)?,
        signed_notes: pages.install_notes(&facts, true)?,
        sbom: package_info::sbom(project, &facts, &lock, &wheels, &licenses, app.epoch)?,
    };
    let parts = Parts {
        config,
        target,
        wheels: &wheels,
        config_files,
        lock_text: &texts.lock,
        install_notes: &texts.install_notes,
        sbom: &texts.sbom,
        summary: &pages.summary,
        epoch: app.epoch,
    };
    let layout = lay_out(&parts)?;
    let service = service::ServiceFacts {
        name: facts.name,
        summary: &pages.summary,
        root: &pages.root,
        service: &config.service,
        target,
        server_version: None,
    };
    let (epoch, version) = rpm_version(&metadata.version);
    let of_metadata = |text: &Option<String>| text.as_deref().and_then(rpm::one_line);
    let vendor = of_metadata(&config.package.vendor).or_else(|| of_metadata(&metadata.author));
    let url = of_metadata(&config.package.url).or_else(|| of_metadata(&metadata.home_page));
    let package = RpmPackage {
        name: facts.name.to_owned(),
        epoch,
        version,
        release: facts.full_release(),
        arch: target.arch.to_owned(),
        description: pages.description(&facts)?,
        license: licenses.all().to_string(),
        // A spec's tag takes one word.
        url: url.filter(|url| !url.contains(char::is_whitespace)),
        change: ChangelogEntry::new(vendor.as_deref().unwrap_or(facts.name), &facts.evr(), origin, app.epoch),
        vendor,
        requires: facts.requires(),
        provides: facts.provides(),
        suggests: facts.suggests(&optional),
        recommends,
        conflicts,
        obsoletes,
        scriptlets: service.scriptlets(layout.program)?,
        build_time: app.epoch,
        compression: target.distribution.compression,
        level: level_for(target.distribution.compression, level.or(config.package.compression_level)),
        summary: pages.summary,
    };
    let file_name = facts.file_name();
    let tree = layout.tree;
    // What the tree has of each file is enough from here on.
    wheels.iter_mut().for_each(|wheel| wheel.contents.files = Vec::new());
    let unknown_licenses = licenses.unknown;
    Ok(Ready { target, package, tree, file_name, texts, unknown_licenses, opened_by_name, byte_code, wheels, lock })
}

fn level_for(compression: Compression, wanted: Option<i32>) -> i32 {
    match compression {
        Compression::Zstd => wanted.unwrap_or(LEVEL_ZSTD),
        Compression::Gzip => wanted.unwrap_or(LEVEL_GZIP).min(9),
    }
}

/// The wheels of the lock in its order, then the application's.
fn open_wheels(project: &Project, lock: &Lock, gathered: &Gathered) -> anyhow::Result<Vec<Wheel<FileReader>>> {
    let wheelhouse = project.wheelhouse();
    let app = &gathered.app;
    let mut wheels = Vec::new();
    let mut faults = Vec::new();
    for package in &lock.packages {
        // A mirror may not know when a file was uploaded; then the commit's time is used.
        let mtime = package.uploaded_at().unwrap_or(app.epoch);
        match wheelhouse.open(package) {
            Ok((archive, contents)) => {
                let (name, sha256) = (package.wheel.clone(), package.sha256.clone());
                let checked = gathered.checked(&sha256);
                wheels.push(Wheel { name, sha256, archive, checked, contents, byte_code: None, mtime })
            }
            Err(fault) => faults.push(fault),
        }
    }
    all_of("wheels are refused", faults)?;
    let (archive, contents) = open_wheel(&app.path, &app.name)?;
    let (name, sha256) = (app.name.clone(), app.sha256.clone());
    let checked = gathered.checked(&sha256);
    wheels.push(Wheel { name, sha256, archive, checked, contents, byte_code: None, mtime: app.epoch });
    Ok(wheels)
}

/// The same wheels as files.
fn on_disk(project: &Project, lock: &Lock, app: &AppWheel) -> Vec<OnDisk> {
    let wheelhouse = project.wheelhouse();
    let locked = lock.packages.iter();
    let locked = locked.map(|package| OnDisk { path: wheelhouse.path(package), sha256: package.sha256.clone() });
    locked.chain([OnDisk { path: app.path.clone(), sha256: app.sha256.clone() }]).collect()
}
