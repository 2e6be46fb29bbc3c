//! From a repository's files to drafts of `dist/package.toml`, one for each application that is found.

use crate::discover::notes::{Note, note, of_ignored, of_lock, of_migrations};
use crate::discover::object::{Interface, Object, objects};
use crate::discover::project::Project;
use crate::discover::python;
use crate::discover::python::Said;
use crate::discover::serve::{Process, application_of, command, has_tls, of_procfile, package_of, processes, servers};
use crate::discover::{Lock, Seen};
use crate::shipped::{is_config_file, is_needed, modules_of};
use pep440_rs::{Version, VersionSpecifiers};
use std::collections::BTreeSet;
use std::str::FromStr as _;
use wheelhaul_config::taken_by_layout;
use wheelhaul_lockfiles::LockFormat;

/// How an application without a build backend is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnPacking {
    /// `app.modules`
    pub modules: Vec<String>,
    /// `app.version`
    pub version: String,
    /// why no backend builds it
    pub why: String,
}

/// An application, as it is packed and served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    /// what is typed to start this tool
    pub typed: String,
    /// `app.path`
    pub path: String,
    /// `package.name`
    pub name: String,
    /// none where a build backend builds it
    pub own: Option<OwnPacking>,
    /// `app.lock`
    pub lock: Lock,
    /// `app.config`
    pub config: Vec<String>,
    /// `service.command`
    pub command: Vec<String>,
    /// where the command is from, or why nothing is known of it
    pub command_from: String,
    /// whether the application's object was found
    pub is_served: bool,
    /// whether the server can serve TLS
    pub has_tls: bool,
    /// the file of example variables, and their names
    pub variables: Option<(String, Vec<String>)>,
    /// the Python that a file names
    pub python: Option<Said>,
    /// the Pythons that the project and its lock allow
    pub pythons: Vec<VersionSpecifiers>,
    /// what will go wrong
    pub notes: Vec<Note>,
}

/// Files by which a folder is a project of its own.
const PROJECT_FILES: [&str; 6] =
    ["Pipfile", "manage.py", "pyproject.toml", "requirements.in", "requirements.txt", "setup.py"];

/// Whether a folder that has a file of this name is a project of its own.
fn is_project_file(name: &str) -> bool {
    let mut tools = LockFormat::all().iter().filter(|format| format.tool().is_some());
    PROJECT_FILES.contains(&name) || tools.any(|format| format.name == name)
}

const ENV_EXAMPLES: [&str; 7] =
    [".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env", "sample.env"];

/// The files whose texts tell something, the likeliest first, and no more than a person would look at.
pub(crate) fn wanted(files: &BTreeSet<String>) -> Vec<String> {
    const NAMES: [&str; 7] = [
        ".python-version",
        ".tool-versions",
        "Dockerfile",
        "Procfile",
        "requirements.lock.txt",
        "runtime.txt",
        "setup.cfg",
    ];
    const MOST: usize = 400;
    let all: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    let tells = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_list = (name.ends_with(".txt") || name.ends_with(".in")) && path.contains("requirements");
        let is_source = name.ends_with(".py") && path.matches('/').count() <= 4 && is_needed(tail_of(path), &all);
        is_project_file(name)
            || LockFormat::all().iter().any(|format| format.name == name)
            || NAMES.contains(&name)
            || ENV_EXAMPLES.contains(&name)
            || is_list
            || is_source
    };
    let mut found: Vec<String> = files.iter().filter(tells).cloned().collect();
    found.sort_by_key(|path| (path.matches('/').count(), path.ends_with(".py"), path.clone()));
    found.truncate(MOST);
    found
}

/// The last three parts of a path: whether a test or an example is in it is told by those.
fn tail_of(path: &str) -> &str {
    path.rmatch_indices('/').nth(2).map_or(path, |(at, _)| &path[at + 1..])
}

/// The applications, the likeliest first; none where nothing of Python is there.
pub(crate) fn drafts(seen: &Seen) -> Vec<Draft> {
    let folders = project_folders(seen);
    let mut found: Vec<(String, Vec<Object>)> = folders.iter().map(|folder| (folder.clone(), Vec::new())).collect();
    for (path, text) in seen.texts.iter().filter(|(path, _)| path.ends_with(".py")) {
        let objects = objects(path, text);
        let Some((_, known)) = found
            .iter_mut()
            .filter(|(folder, _)| path.starts_with(folder.as_str()))
            .max_by_key(|(folder, _)| folder.len())
        else {
            continue;
        };
        known.extend(objects);
    }
    for (_, objects) in &mut found {
        objects.sort_by_key(|object| object.rank);
    }
    let is_served = |(folder, objects): &(String, Vec<Object>)| !objects.is_empty() || web_line(seen, folder).is_some();
    let served = found.iter().any(is_served);
    if served {
        found.retain(is_served);
    } else {
        // Nothing tells what is served: the project nearest to the top.
        found.truncate(1);
    }
    let is_below = |(folder, _): &(String, Vec<Object>)| {
        folder.starts_with(&seen.below) || seen.below.starts_with(folder.as_str())
    };
    if found.iter().any(is_below) {
        found.retain(is_below);
    }
    found.sort_by_key(|(folder, objects)| {
        (!folder.starts_with(&seen.below), objects.first().map_or(usize::MAX, |object| object.rank), folder.clone())
    });
    found.into_iter().map(|(folder, objects)| draft(seen, &folder, &objects)).collect()
}

/// Folders with a project file, each ending in `/` or empty, the nearest to the top first; the repository itself where
/// there is Python, and no project file.
fn project_folders(seen: &Seen) -> Vec<String> {
    let all: BTreeSet<&str> = seen.files.iter().map(String::as_str).collect();
    let mut folders: BTreeSet<String> = BTreeSet::new();
    for path in &seen.files {
        let (folder, name) = path.rfind('/').map_or(("", path.as_str()), |at| (&path[..=at], &path[at + 1..]));
        let is_of_tests = !folder.is_empty() && !is_needed(&format!("{}x.py", tail_of(folder)), &BTreeSet::new());
        if is_project_file(name) && !is_of_tests && !folder.split('/').any(|part| part == "node_modules") {
            folders.insert(folder.to_owned());
        }
    }
    let has_python = || all.iter().any(|path| path.ends_with(".py") && is_needed(tail_of(path), &all));
    if !folders.contains("") && has_python() {
        folders.insert(String::new());
    }
    let mut folders: Vec<String> = folders.into_iter().collect();
    folders.sort_by_key(|folder| (folder.matches('/').count(), folder.clone()));
    folders
}

/// The line of a Procfile that serves the web, and the other lines.
fn web_line(seen: &Seen, folder: &str) -> Option<(Process, Vec<Process>)> {
    let mut all = processes(seen.text(&format!("{folder}Procfile"))?);
    let place = all.iter().position(|process| process.name == "web")?;
    Some((all.remove(place), all))
}

fn draft(seen: &Seen, folder: &str, objects: &[Object]) -> Draft {
    let files = seen.below(folder);
    let project = Project::read(seen.text(&format!("{folder}pyproject.toml")), &files);
    let mut notes = Vec::new();
    let web = web_line(seen, folder);
    let of_procfile = web.as_ref().and_then(|(process, _)| of_procfile(&process.line));
    let object = best(objects, project.not_built.is_none());
    // Where the Procfile's module is, the imports begin at the Procfile's folder.
    let is_from_top =
        of_procfile.as_deref().and_then(application_of).is_some_and(|(module, _)| is_module(&files, module));
    let root = match object {
        Some(object) if !is_from_top => {
            import_root(&files, object.file.strip_prefix(folder).unwrap_or(&object.file), project.not_built.is_none())
        }
        _ => String::new(),
    };
    let app = if project.not_built.is_some() { format!("{folder}{root}") } else { folder.to_owned() };
    let mut above: Vec<&str> = folder.rmatch_indices('/').map(|(at, _)| &folder[..=at]).collect();
    above.push("");
    let path = if app.is_empty() { ".".to_owned() } else { app.trim_end_matches('/').to_owned() };
    let lock = Lock::choose(seen, &above, &path);
    let (command, command_from, package, is_served) = match (of_procfile, object) {
        (Some(command), _) => {
            let package = package_of(&command[0]).to_owned();
            (command, format!("`{folder}Procfile`"), package, true)
        }
        (None, Some(object)) => served(object, folder, &root, &lock),
        (None, None) => {
            let words = ["gunicorn", "app:app"].map(str::to_owned).to_vec();
            (words, "nothing was found: MODULE:OBJECT of the application".to_owned(), "gunicorn".to_owned(), false)
        }
    };
    let name = package_name(project.name.as_deref().unwrap_or_else(|| {
        folder.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&seen.name)
    }));
    let app_files = seen.below(&app);
    let own = project.not_built.clone().map(|why| own_packing(seen, &app_files, &project, why, &mut notes));
    notes.extend(of_lock(&lock, &package, seen));
    if !is_served {
        notes.push(note(
            "what is served was not found: `service.command` is a guess",
            "write the module and the object in it: command = [\"gunicorn\", \"shop.web:app\"], or `\"shop:create_app()\"`",
        ));
    }
    notes.extend(of_migrations(&app_files, &lock, &name, &command, own.is_some()));
    if let Some((web, others)) = &web {
        if !others.is_empty() {
            let names: Vec<String> =
                others.iter().map(|process| format!("`{}` ({})", process.name, process.line)).collect();
            notes.push(note(
                format!("`Procfile` has other processes, which are not packed: {}", names.join(", ")),
                format!("on the box, `sudo {name}-run COMMAND` runs one as the service, and a unit of your own keeps it running"),
            ));
        }
        if command_from.starts_with('`') && !command_from.contains("Procfile") {
            notes.push(note(
                format!("the line `{}` of `Procfile` is for a shell, and was not taken", web.line),
                "compare it with `service.command`",
            ));
        }
    }
    notes.extend(of_ignored(&app, &seen.ignored));
    let config = app_files
        .iter()
        .filter(|path| !path.contains('/') && is_config_file(path))
        .map(|path| (*path).to_owned())
        .collect();
    let folders: Vec<&str> = [app.as_str()].into_iter().chain(above.iter().copied()).collect();
    let variables = variables(seen, &folders);
    if let Some((file, names)) = &variables {
        let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
        notes.push(note(
            format!("the application reads variables that the box has to set (`{file}`): {}", shown.join(", ")),
            format!("fixed values go into `[service.environment]`, others into /etc/sysconfig/{name} on the box, secrets into `service.secrets`"),
        ));
    }
    let python = python::said(&seen.texts, &folders, Some(&lock.path));
    let mut pythons: Vec<VersionSpecifiers> =
        project.requires_python.as_deref().and_then(python::specifiers).into_iter().collect();
    pythons.extend(lock.pythons.iter().cloned());
    Draft {
        typed: seen.typed.clone(),
        path,
        name,
        own,
        config,
        is_served,
        has_tls: has_tls(&package),
        command,
        command_from,
        variables,
        python,
        pythons,
        lock,
        notes,
    }
}

/// The likeliest object; where a backend builds the wheel, one inside a package before one beside it.
fn best(objects: &[Object], is_built: bool) -> Option<&Object> {
    let is_beside = |object: &Object| is_built && !object.file.contains('/');
    objects.iter().min_by_key(|object| (is_beside(object), object.rank))
}

/// The folder that imports begin at, relative to the project and ending in `/`: above the outermost package.
fn import_root(files: &BTreeSet<&str>, file: &str, is_built: bool) -> String {
    if is_built {
        return if file.starts_with("src/") { "src/".to_owned() } else { String::new() };
    }
    let mut root = file.rfind('/').map_or("", |at| &file[..=at]);
    while !root.is_empty() && files.contains(format!("{root}__init__.py").as_str()) {
        root = root.trim_end_matches('/').rfind('/').map_or("", |at| &root[..=at]);
    }
    root.to_owned()
}

fn is_module(files: &BTreeSet<&str>, module: &str) -> bool {
    let path = module.replace('.', "/");
    [format!("{path}.py"), format!("{path}/__init__.py")].iter().any(|path| files.contains(path.as_str()))
}

/// The command for an object, where it is from, and the package of its server.
fn served(object: &Object, folder: &str, root: &str, lock: &Lock) -> (Vec<String>, String, String, bool) {
    let file = object.file.strip_prefix(folder).unwrap_or(&object.file);
    let file = file.strip_prefix(root).unwrap_or(file).trim_end_matches(".py");
    let module = file.trim_end_matches("/__init__").replace('/', ".");
    const ASGI: [&str; 6] = ["blacksheep", "fastapi", "litestar", "quart", "sanic", "starlette"];
    let is_asgi = || ASGI.iter().any(|name| lock.names.contains(*name)) && !lock.names.contains("flask");
    let interface = object.interface.unwrap_or_else(|| if is_asgi() { Interface::Asgi } else { Interface::Wsgi });
    let all = servers(interface);
    let server = all.iter().find(|server| lock.names.contains(server.package)).unwrap_or(&all[0]);
    let words = command(server, interface, &module, &object.name, object.is_factory);
    (words, format!("`{}`", object.file), server.package.to_owned(), true)
}

fn own_packing(
    seen: &Seen,
    files: &BTreeSet<&str>,
    project: &Project,
    why: String,
    notes: &mut Vec<Note>,
) -> OwnPacking {
    let (taken, modules): (Vec<String>, Vec<String>) = modules_of(files)
        .into_iter()
        .partition(|module| module.strip_suffix('/').is_some_and(|name| taken_by_layout(name).is_some()));
    for module in taken {
        let name = module.trim_end_matches('/');
        notes.push(note(
            format!(
                "`{module}` cannot be packed: on the box that folder holds {}",
                taken_by_layout(name).unwrap_or_default()
            ),
            format!("rename it (`git mv {name} …`) and its imports, and name it in `app.modules`"),
        ));
    }
    let given = project.version.as_deref().and_then(|version| Version::from_str(version).ok());
    let version = match given {
        Some(version) => version.to_string(),
        None if seen.has_tag => "git".to_owned(),
        None => "0.1.0".to_owned(),
    };
    // An empty list would be none; what is missing then is told by `wheel`.
    let modules = if modules.is_empty() { vec!["app.py".to_owned()] } else { modules };
    OwnPacking { modules, version, why }
}

/// The first file of example variables, with their names.
fn variables(seen: &Seen, folders: &[&str]) -> Option<(String, Vec<String>)> {
    let paths = folders.iter().flat_map(|folder| ENV_EXAMPLES.iter().map(move |name| format!("{folder}{name}")));
    let (path, text) = paths.into_iter().find_map(|path| Some((path.clone(), seen.text(&path)?)))?;
    let name = |line: &str| {
        let (name, _) = line.trim().trim_start_matches("export ").split_once('=')?;
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        is_name.then(|| name.to_owned())
    };
    let names: Vec<String> = text.lines().filter_map(name).collect();
    (!names.is_empty()).then_some((path, names))
}

/// A name that rpm, systemd and useradd take, of what the project is called.
fn package_name(text: &str) -> String {
    let mapped: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' })
        .collect();
    let start = mapped.find(|c: char| c.is_ascii_lowercase()).map_or("", |at| &mapped[at..]);
    let cut = start.get(..31).unwrap_or(start).trim_end_matches(['-', '_']);
    if cut.is_empty() { "app".to_owned() } else { cut.to_owned() }
}
