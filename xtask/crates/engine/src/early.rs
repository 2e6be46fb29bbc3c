//! What can be known to be wrong before anything is asked, fetched or built: of `dist/package.toml` and the files that
//! it names. All of it is told at once.

use crate::team_lock::TeamLock;
use crate::upgrade::source;
use crate::{Project, module, own_wheel, server};
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;
use wheelhaul_base::problem::{Problem, all_of, hints_of, nearest};
use wheelhaul_boxes::{Target, known_targets};
use wheelhaul_config::{App, Service};
use wheelhaul_host::{Sys, names_in};
use wheelhaul_lockfiles::{LockFormat, LockUpgrade, Pins, Pythons};
use wheelhaul_package::service;

/// What is looked at; what could not be read is absent.
pub(crate) struct Around<'a> {
    /// the repository
    pub sys: &'a Sys,
    /// `[app]`
    pub app: Option<&'a App>,
    /// the package's name; empty where it is not known
    pub name: &'a str,
    /// the targets
    pub targets: &'a [Target],
    /// `[service]`
    pub service: Option<&'a Service>,
    /// the team's lock
    pub team_lock: &'a TeamLock,
    /// whether the lock is still to be made
    pub lock_to_come: bool,
}

impl<'a> Around<'a> {
    /// What is around a project.
    pub(crate) fn of(project: &'a Project) -> Self {
        let Project { sys, config, targets, team_lock, .. } = project;
        let (app, service) = (Some(&config.app), Some(&config.service));
        Self { sys, app, name: &config.package.name, targets, service, team_lock, lock_to_come: false }
    }

    /// All that is wrong.
    pub(crate) fn faults(&self) -> Vec<anyhow::Error> {
        let mut faults = self.faults_of_unit();
        let Some(app) = self.app else { return faults };
        let folder = self.sys.root.join(&app.path);
        let has_app = folder.is_dir();
        if has_app {
            faults.extend(own_wheel::check(self.sys, app).err());
            faults.extend(app.config.iter().filter_map(|path| self.fault_of_config(app, path)));
            faults.extend(self.faults_of_python(app, &folder));
        } else {
            faults.push(self.no_folder(app));
        }
        let pins = match self.pins(app) {
            Ok(pins) => pins,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        if let Some(pins) = pins {
            faults.extend(self.faults_of_lock(app, pins));
            let of_server = self.service.map(|service| server::faults(self.sys, service, pins, self.targets, app));
            let of_server = of_server.unwrap_or_default();
            // Of a misspelt server it is not worth saying that nobody knows how it takes its port.
            if of_server.is_empty() {
                faults.extend(self.fault_of_command());
            }
            faults.extend(of_server);
        } else {
            faults.extend(self.fault_of_command());
        }
        if let Some(service) = self.service.filter(|_| has_app) {
            faults.extend(module::faults(self.sys, service, &folder, pins));
            faults.extend(self.faults_of_settings(app, &folder));
        }
        faults
    }

    /// Whether server and unit go together.
    fn faults_of_unit(&self) -> Vec<anyhow::Error> {
        let Some(service) = self.service else { return Vec::new() };
        self.targets.iter().filter_map(|target| self.facts(service, target).check().err()).collect()
    }

    /// Whether it is known how the server takes its port.
    fn fault_of_command(&self) -> Option<anyhow::Error> {
        let (service, target) = (self.service?, self.targets.first()?);
        // Which kind of program it is the wheels will tell; how it is given address and certificate is the same.
        self.facts(service, target).command(service::ServiceProgram::Script).err()
    }

    fn facts(&self, service: &'a Service, target: &'a Target) -> service::ServiceFacts<'a> {
        service::ServiceFacts { name: self.name, summary: "", root: "", service, target, server_version: None }
    }

    /// What gunicorn's configuration file says that cannot work in the unit, where the file goes on the box.
    fn faults_of_settings(&self, app: &App, folder: &Utf8Path) -> Vec<anyhow::Error> {
        let Some((service, target)) = self.service.zip(self.targets.first()) else { return Vec::new() };
        let Some(file) = service::settings_file(service) else { return Vec::new() };
        // No backend packs a file of this name: where nothing names it, the box lacks it.
        let is_module = app.modules().is_some_and(|all| all.entries.iter().any(|module| module.0 == file));
        if file == "gunicorn.conf.py" && !is_module && !app.config.iter().any(|path| *path == file) {
            return Vec::new();
        }
        let places = [folder.join(&file), folder.join("src").join(&file)];
        let text = places.iter().find_map(|place| self.sys.read_text(place).ok());
        text.map_or_else(Vec::new, |text| self.facts(service, target).faults_of_settings(&file, &text))
    }

    fn no_folder(&self, app: &App) -> anyhow::Error {
        let shown = &app.path;
        let whole = self.sys.root.join(shown);
        if whole.is_file() {
            return Problem::with_hint(
                format!(
                    "key `app.path` of `dist/package.toml`: `{shown}` is a file, and has to be the folder of `pyproject.toml`"
                ),
                format!("write `path = \"{}\"` under `[app]`", folder_above(shown)),
            );
        }
        let found = folders_with(&self.sys.root, |folder| folder.join("pyproject.toml").is_file());
        let hint = match found.as_slice() {
            [] => "it is the folder of `pyproject.toml`, relative to the repository; `path = \".\"` is the repository itself".to_owned(),
            found => format!("{} under `[app]`: there is a `pyproject.toml`", to_write("path", found)),
        };
        Problem::with_hint(
            format!("key `app.path` of `dist/package.toml`: there is no folder `{shown}` in the repository"),
            hint,
        )
    }

    fn fault_of_config(&self, app: &App, path: &Utf8Path) -> Option<anyhow::Error> {
        let whole = self.sys.root.join(&app.path).join(path);
        let error = self.sys.open(&whole).err()?;
        let name = path.file_name().unwrap_or_default();
        let within =
            path.strip_prefix(&app.path).ok().filter(|within| self.sys.root.join(&app.path).join(within).is_file());
        let siblings = names_in(whole.parent().unwrap_or(&whole));
        let hint = match (within, nearest(name, siblings.iter().map(String::as_str))) {
            (Some(within), _) => format!("write `config = [\"{within}\"]` under `[app]`: it is relative to `app.path`"),
            (None, Some(near)) => format!(
                "did you mean `config = [\"{}\"]`? it is relative to `app.path`",
                path.with_file_name(near).as_str().replace('\\', "/")
            ),
            _ => "it is relative to `app.path`; leave it out if the application has no such file".to_owned(),
        };
        Some(Problem::around(
            error,
            format!("key `app.config` of `dist/package.toml`: the config file `{path}` cannot be read"),
            hint,
        ))
    }

    /// The pins of the lock; none where it is still to be made.
    fn pins(&self, app: &App) -> anyhow::Result<Option<&'a Pins>> {
        // What is there may be what an upgrade is to cure.
        if self.lock_to_come {
            return Ok(None);
        }
        let whole = self.sys.root.join(&app.lock);
        if let Err(error) = LockFormat::of(&app.lock)
            && !whole.is_dir()
        {
            let hint = self.locks_to_write(app).unwrap_or_default();
            return Err(Problem::around(error, "key `app.lock` of `dist/package.toml`", hint));
        }
        if whole.is_dir() || !whole.exists() {
            return Err(self.no_lock(app));
        }
        self.team_lock.read(self.sys, app).map(|(_, pins)| Some(pins))
    }

    /// The line for each lock that is there.
    fn locks_to_write(&self, app: &App) -> Option<String> {
        let found = self.locks_there(app);
        (!found.is_empty()).then(|| format!("{} under `[app]`", to_write("lock", &found)))
    }

    /// Each file that a team may call its lock.
    fn locks_there(&self, app: &App) -> Vec<Utf8PathBuf> {
        let mut folders = vec![Utf8PathBuf::from("."), app.path.clone()];
        folders.extend(app.lock.parent().map(Utf8Path::to_owned));
        folders.sort();
        folders.dedup();
        let mut found = Vec::new();
        for folder in folders {
            for name in names_in(&self.sys.root.join(&folder)) {
                let path = if folder == "." || folder == "" {
                    Utf8PathBuf::from(&name)
                } else {
                    format!("{folder}/{name}").into()
                };
                let is_list = name.ends_with(".txt");
                if LockFormat::of(&path).is_ok() && (!is_list || name.starts_with("requirements")) {
                    found.push(path);
                }
            }
        }
        found.dedup();
        found
    }

    fn no_lock(&self, app: &App) -> anyhow::Error {
        const NONE: &str = "lock the dependencies first, with the tool that your team locks with; or let `lock --upgrade` make a \
            `requirements.txt` from `requirements.in`, `pyproject.toml` or `Pipfile`";
        let lock = &app.lock;
        let what = if self.sys.root.join(lock).is_dir() { "is a folder" } else { "is not there" };
        Problem::with_hint(
            format!("key `app.lock` of `dist/package.toml`: the team's lock `{lock}` {what}"),
            self.lock_to_make(app).or_else(|| self.locks_to_write(app)).unwrap_or_else(|| NONE.to_owned()),
        )
    }

    /// How the lock is made that is not there, where what it is made from is there, and no other lock.
    fn lock_to_make(&self, app: &App) -> Option<String> {
        let lock = &app.lock;
        if !matches!(LockFormat::of(lock), Ok(LockFormat { upgrade: LockUpgrade::Resolve, .. })) {
            return None;
        }
        let source = source(self.sys, app).ok()?;
        let is_alone = self.locks_there(app).iter().all(|other| *other == source);
        is_alone.then(|| format!("`cargo xtask lock --upgrade` makes `{lock}` from `{source}`; commit it"))
    }

    /// The application's `requires-python`, held against every target.
    fn faults_of_python(&self, app: &App, folder: &Utf8Path) -> Vec<anyhow::Error> {
        let read = |name: &str| self.sys.read_text(&folder.join(name)).ok();
        let file = |name: &str| if app.path == "." { name.to_owned() } else { format!("{}/{name}", app.path) };
        let (name, pythons) = match read("pyproject.toml").map(|text| Pythons::of_pyproject(&text)) {
            Some(Err(error)) => return vec![unreadable(&file("pyproject.toml"), &error)],
            Some(Ok(Some(pythons))) => ("pyproject.toml", Some(pythons)),
            _ => match read("setup.cfg").as_deref().and_then(Pythons::of_setup) {
                Some(pythons) => ("setup.cfg", Some(pythons)),
                None => ("setup.py", read("setup.py").as_deref().and_then(Pythons::of_setup)),
            },
        };
        let Some(pythons) = pythons else { return Vec::new() };
        let of = |target: &Target| {
            let what = format!("`{}` says `{} = {:?}`", file(name), pythons.key, pythons.written);
            other_python(target, &what, &|version| pythons.contain(version))
        };
        self.targets.iter().filter_map(of).collect()
    }

    /// The lock's `requires-python`, held against every target.
    fn faults_of_lock(&self, app: &App, pins: &Pins) -> Vec<anyhow::Error> {
        let Some(requires) = &pins.requires_python else { return Vec::new() };
        let what = format!("the lock `{}` is for Python {requires}", app.lock);
        let of = |target: &Target| other_python(target, &what, &|version| requires.contains(version));
        self.targets.iter().filter_map(of).collect()
    }
}

/// Refuses what can be known to be wrong.
pub(crate) fn refuse(project: &Project, lock_to_come: bool) -> anyhow::Result<()> {
    all_of("mistakes", Around { lock_to_come, ..Around::of(project) }.faults())
}

/// A target whose Python will not do, with one that would.
fn other_python(target: &Target, what: &str, fits: &dyn Fn(&Version) -> bool) -> Option<anyhow::Error> {
    if fits(&target.python_full) {
        return None;
    }
    let known = known_targets();
    let newest = |same_box: bool| {
        let of = known.iter().filter(|other| (other.name == target.name) == same_box && other.arch == target.arch);
        of.filter(|other| fits(&other.python_full)).max_by(|a, b| a.python_full.cmp(&b.python_full))
    };
    let name = &target.name;
    let hint = match (newest(true), newest(false)) {
        (Some(other), _) => format!("write `python = \"{}\"` under `[[target]]` `{name}`", other.python()),
        (None, Some(other)) if known.iter().any(|known| known.name == *name) => {
            format!(
                "no Python of `{name}` will do: `{}` has {}; or let it allow {}",
                other.name,
                other.python(),
                target.python()
            )
        }
        _ => format!("choose another Python under `[[target]]` `{name}`, or let it allow {}", target.python()),
    };
    Some(Problem::with_hint(format!("{what}, and the target `{name}` has Python {}", target.python_full), hint))
}

fn unreadable(file: &str, error: &anyhow::Error) -> anyhow::Error {
    Problem::with_hint(format!("`{file}` cannot be read: {error:#}"), hints_of(error).join("; "))
}

/// `write `path = "a"``, or several of them.
fn to_write(key: &str, found: &[Utf8PathBuf]) -> String {
    let lines: Vec<String> = found.iter().take(5).map(|path| format!("`{key} = \"{path}\"`")).collect();
    format!("write {}", lines.join(" or "))
}

fn folder_above(path: &Utf8Path) -> String {
    let above = path.parent().map(|above| above.as_str()).filter(|above| !above.is_empty());
    above.unwrap_or(".").to_owned()
}

/// The repository and the folders in it, two levels deep, of which something is true; relative to it.
fn folders_with(root: &Utf8Path, is_it: impl Fn(&Utf8Path) -> bool) -> Vec<Utf8PathBuf> {
    let mut found: Vec<Utf8PathBuf> = is_it(root).then(|| ".".into()).into_iter().collect();
    for name in names_in(root).iter().filter(|name| !name.starts_with('.') && *name != "target") {
        let folder = root.join(name);
        found.extend(is_it(&folder).then(|| Utf8PathBuf::from(name)));
        let below = if folder.is_dir() { names_in(&folder) } else { Vec::new() };
        found.extend(
            below.iter().filter(|inner| is_it(&folder.join(inner))).map(|inner| format!("{name}/{inner}").into()),
        );
    }
    found
}
