//! The application's wheel without a build backend, of what `app.modules` names; and an application that says that no
//! backend builds it.

use crate::Project;
use crate::shipped::{modules_of, not_a_package};
use crate::tools::{git, git_repository, git_version};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use git::Tracked;
use pep508_rs::PackageName;
use std::collections::BTreeSet;
use std::io::Read;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, all_of, nearest};
use wheelhaul_config::{App, AppVersion, Modules};
use wheelhaul_host::{Sys, names_in};
use wheelhaul_wheel::{Plain, PlainFile, WheelName};

/// A wheel that is not written yet.
pub(crate) struct OwnWheel {
    plain: Plain,
    /// in the order of the wheel
    files: Vec<(PlainFile, Tracked)>,
}

impl OwnWheel {
    /// Finds what `app.modules` names among the files that git tracks.
    ///
    /// # Errors
    /// Once, naming every entry of which git tracks nothing; where the version cannot be told.
    pub(crate) fn gather(project: &Project, modules: &Modules<'_>) -> anyhow::Result<Self> {
        let (sys, app, config) = (&project.sys, project.app(), &project.config);
        let paths: Vec<&Utf8Path> = modules.entries.iter().map(|module| module.0.as_path()).collect();
        let listed = git::files_below(sys, &app, &paths)?;
        check_entries(sys, &app, modules, &listed)?;
        let name = PackageName::from_str(&config.package.name)
            .with_context(|| format!("`{}` cannot name a wheel", config.package.name))
            .context("key `package.name` of `dist/package.toml`")?;
        let version = match modules.version {
            AppVersion::Given(version) => version.clone(),
            AppVersion::Git => git_version::version(sys)?,
        };
        let licenses = licenses(sys, &app)?;
        let names = licenses.iter().map(|file| file.path.to_string()).collect();
        let plain = Plain { name, version, summary: config.package.summary.clone(), licenses: names };
        let is_packed = |file: &Tracked| {
            file.in_index && !config.app.config.contains(&file.path) && file.path.extension() != Some("pyc")
        };
        let own = listed.into_iter().filter(is_packed).map(|file| (file.path.to_string(), file));
        let licenses = licenses.into_iter().map(|file| (plain.license_path(file.path.as_str()), file));
        let all =
            own.chain(licenses).map(|(path, file)| (PlainFile { path, executable: file.executable }, file)).collect();
        Ok(Self { plain, files: all })
    }

    /// The files that it is made from.
    pub(crate) fn files(&self) -> Vec<Tracked> {
        self.files.iter().map(|(_, file)| file.clone()).collect()
    }

    /// What decides its bytes beside its files.
    pub(crate) fn described(&self) -> String {
        let paths: Vec<&str> = self.files.iter().map(|(file, _)| file.path.as_str()).collect();
        format!("{:?}\0{}", self.plain, paths.join("\0"))
    }

    /// Its name.
    pub(crate) fn name(&self) -> anyhow::Result<WheelName> {
        self.plain.wheel_name()
    }

    /// Writes it; see [`Plain::write`].
    pub(crate) fn write<W: std::io::Write>(&self, sys: &Sys, app: &Utf8Path, epoch: u32, into: W) -> anyhow::Result<W> {
        let files: Vec<PlainFile> = self.files.iter().map(|(file, _)| file.clone()).collect();
        let mut open = |place: usize| -> anyhow::Result<Box<dyn Read>> {
            let file = &self.files[place].1;
            Ok(match file.to_lf {
                true => Box::new(std::io::Cursor::new(file.read(app)?)),
                false => Box::new(sys.open(&app.join(&file.path))?),
            })
        };
        self.plain.write(epoch, &files, &mut open, into)
    }
}

/// Refuses an entry of which git tracks nothing.
fn untracked(sys: &Sys, app: &Utf8Path, path: &Utf8Path, listed: &[Tracked]) -> anyhow::Result<()> {
    let of_entry = || listed.iter().filter(|file| file.path.starts_with(path));
    if of_entry().any(|file| file.in_index) {
        return Ok(());
    }
    let there = app.join(path);
    let Ok(data) = there.symlink_metadata() else {
        let names: Vec<String> = names_in(app).into_iter().filter(|name| !name.starts_with('.')).take(40).collect();
        let near = nearest(path.as_str(), names.iter().map(String::as_str));
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        return Err(Problem::with_hint(
            format!("`{path}` is not there"),
            format!("{near}entries are relative to `app.path`, whose folder has {}", names.join(", ")),
        ));
    };
    if of_entry().next().is_some() {
        return Err(Problem::with_hint(
            format!("git does not track `{path}`"),
            format!("`git add {}`, and commit it", from_root(sys, &there)),
        ));
    }
    if data.is_dir() && there.read_dir_utf8()?.next().is_none() {
        return Err(Problem::with_hint(
            format!("`{path}` is an empty folder"),
            "leave it out: git keeps no empty folders, and neither does a wheel",
        ));
    }
    let rule = git_repository::ignored_by(sys, &there);
    let by = rule.map(|rule| format!(", by {rule}")).unwrap_or_default();
    Err(Problem::with_hint(
        format!("git ignores `{path}`{by}"),
        format!(
            "what is ignored is in no clone: add `!/{0}` after that line, and `git add {0}`; or leave the entry out",
            from_root(sys, &there)
        ),
    ))
}

fn from_root(sys: &Sys, path: &Utf8Path) -> String {
    path.strip_prefix(&sys.root).unwrap_or(path).as_str().trim_start_matches("./").replace('\\', "/")
}

/// The licences beside the application that git tracks.
fn licenses(sys: &Sys, app: &Utf8Path) -> anyhow::Result<Vec<Tracked>> {
    const KNOWN: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];
    let is_license = |name: &str| KNOWN.iter().any(|known| name.to_ascii_uppercase().starts_with(known));
    let is_plain = |name: &str| app.join(name).symlink_metadata().is_ok_and(|data| data.is_file());
    let names: Vec<Utf8PathBuf> =
        names_in(app).into_iter().filter(|name| is_license(name) && is_plain(name)).map(Into::into).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let files = git::files_below(sys, app, &names.iter().map(Utf8PathBuf::as_path).collect::<Vec<_>>())?;
    Ok(files.into_iter().filter(|file| file.in_index).collect())
}

/// Refuses entries of which git tracks nothing.
fn check_entries(sys: &Sys, app: &Utf8Path, modules: &Modules<'_>, listed: &[Tracked]) -> anyhow::Result<()> {
    let faults = modules.entries.iter().filter_map(|module| untracked(sys, app, &module.0, listed).err()).collect();
    all_of("entries cannot be packed", faults).context("key `app.modules` of `dist/package.toml`")
}

/// Refuses, before anything is fetched, an application that can be packed neither by a build backend nor by
/// `app.modules`, and entries of that which git does not track.
pub(crate) fn check(sys: &Sys, config: &App) -> anyhow::Result<()> {
    let (app, shown) = (sys.root.join(&config.path), &config.path);
    if let Some(modules) = config.modules() {
        let paths: Vec<&Utf8Path> = modules.entries.iter().map(|module| module.0.as_path()).collect();
        // Where git tells nothing, packing says so; locks are made without it.
        return match git::files_below(sys, &app, &paths) {
            Ok(listed) => check_entries(sys, &app, &modules, &listed),
            Err(_) => Ok(()),
        };
    }
    let project_file = app.join("pyproject.toml");
    let text = if project_file.is_file() { sys.read_text(&project_file)? } else { String::new() };
    let why = match not_a_package(&text) {
        Some(key) => format!("`{shown}/pyproject.toml` says that no wheel is built of it: `{key}`"),
        None if project_file.is_file() || app.join("setup.py").is_file() => return Ok(()),
        None => format!("the folder `{shown}` has no `pyproject.toml` that says how a wheel is built of it"),
    };
    let tracked = git::files(sys, &app, &[]).unwrap_or_default();
    let paths: BTreeSet<&str> = tracked.iter().map(|file| file.path.as_str()).collect();
    let named = modules_of(&paths).into_iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
    let named = if named.is_empty() { "\"app.py\", \"templates/\"".to_owned() } else { named.join(", ") };
    Err(Problem::with_hint(
        format!("key `app.path` of `dist/package.toml`: {}", why.replace("`./", "`")),
        format!(
            "let this tool pack it; under `[app]` in `dist/package.toml`:\nmodules = [{named}]\nversion = \"git\"   # or \"1.0.0\""
        ),
    ))
}

/// Why the version of an application without a build backend is not known.
pub(crate) fn fault_of_version(project: &Project) -> Option<anyhow::Error> {
    let modules = project.config.app.modules()?;
    (*modules.version == AppVersion::Git).then(|| git_version::version(&project.sys).err()).flatten()
}
