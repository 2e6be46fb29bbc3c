//! Whether the application that `service.command` names, `module:object`, is in the application's folder.

use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::{Problem, nearest};
use wheelhaul_config::Service;
use wheelhaul_host::{Sys, names_in};
use wheelhaul_lockfiles::Pins;
use wheelhaul_package::service::application_modules;

/// Folders that a build backend usually takes modules from.
const ROOTS: [&str; 4] = ["", "src", "lib", "python"];
/// What a build file says where modules are not where their names say.
const MAPPED: [&str; 6] = ["package-dir", "package_dir", "force-include", "sources", "from =", "module-root"];

/// Modules that are neither in the application nor, as far as names tell, of a package that is locked.
pub(crate) fn faults(sys: &Sys, service: &Service, folder: &Utf8Path, pins: Option<&Pins>) -> Vec<anyhow::Error> {
    // A folder that is a package itself holds no others.
    let is_root = |root: &Utf8PathBuf| root == folder || (root.is_dir() && !root.join("__init__.py").is_file());
    let roots: Vec<Utf8PathBuf> = ROOTS
        .map(|root| if root.is_empty() { folder.to_owned() } else { folder.join(root) })
        .into_iter()
        .filter(is_root)
        .collect();
    let is_mapped = ["pyproject.toml", "setup.py", "setup.cfg"].iter().any(|file| {
        let text = sys.read_text(&folder.join(file)).unwrap_or_default();
        MAPPED.iter().any(|word| text.contains(word))
    });
    let mut faults = Vec::new();
    for module in application_modules(service) {
        let parts: Vec<&str> = module.split('.').collect();
        let top = parts[0];
        let of_package = pins.is_none_or(|pins| {
            let name = top.to_ascii_lowercase().replace('_', "-");
            pins.pins
                .iter()
                .any(|pin| pin.name.as_ref() == name || pin.name.as_ref().split('-').any(|part| part == name))
        });
        let has_top = roots.iter().any(|root| is_module(root, &[top]));
        if is_mapped || roots.iter().any(|root| is_module(root, &parts)) || (of_package && !has_top) {
            continue;
        }
        let near = near_module(&roots, &parts);
        let hint = match near {
            Some(near) => format!("did you mean `{near}:…`? It is the path of the file with dots, below `app.path`"),
            None => {
                let all: Vec<String> =
                    roots.iter().flat_map(|root| modules_in(root)).map(|name| format!("`{name}`")).collect();
                match all.is_empty() {
                    true => "`app.path` is the folder that it is in".to_owned(),
                    false => format!("modules there are {}", all.join(", ")),
                }
            }
        };
        faults.push(Problem::with_hint(
            format!("key `service.command` of `dist/package.toml`: the application has no module `{module}`"),
            hint,
        ));
    }
    faults
}

/// Whether a dotted name is a module or a package below a folder.
fn is_module(root: &Utf8Path, parts: &[&str]) -> bool {
    let path = parts.iter().fold(root.to_owned(), |path, part| path.join(part));
    if path.is_dir() || path.with_extension("py").is_file() || path.with_extension("pyx").is_file() {
        return true;
    }
    // A compiled module: `name.cpython-311-x86_64-linux-gnu.so`.
    let (name, folder) = (path.file_name().unwrap_or_default(), path.parent().unwrap_or(root));
    names_in(folder)
        .iter()
        .any(|file| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".so")))
}

/// The modules and packages of a folder.
fn modules_in(folder: &Utf8Path) -> Vec<String> {
    let of = |name: String| match name.strip_suffix(".py") {
        Some("setup" | "__init__" | "__main__" | "conftest" | "manage") => None,
        Some(module) => Some(module.to_owned()),
        None if folder.join(&name).join("__init__.py").is_file() && !name.starts_with("test") => Some(name),
        None => None,
    };
    names_in(folder).into_iter().filter_map(of).collect()
}

/// The module that was most likely meant: another of the same folder, or the same one in another folder.
fn near_module(roots: &[Utf8PathBuf], parts: &[&str]) -> Option<String> {
    let (last, above) = parts.split_last()?;
    for root in roots {
        let folder = above.iter().fold(root.clone(), |path, part| path.join(part));
        let modules = modules_in(&folder);
        if let Some(near) = nearest(last, modules.iter().map(String::as_str)) {
            return Some(above.iter().copied().chain([near]).collect::<Vec<_>>().join("."));
        }
    }
    for root in roots {
        for package in modules_in(root) {
            if is_module(&root.join(&package), parts) {
                return Some(format!("{package}.{}", parts.join(".")));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;

    fn service(command: &str) -> Service {
        toml::from_str(&format!("command = {command}\nport = 1\n")).unwrap()
    }

    fn pins(names: &[&str]) -> Pins {
        let lines: String = names.iter().map(|name| format!("{name}==1\n")).collect();
        wheelhaul_lockfiles::parse_text("requirements.txt", &lines).unwrap()
    }

    #[test]
    fn only_a_module_that_is_nowhere_is_told() {
        let kept = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(kept.path()).unwrap();
        let sys = Sys { root: folder.to_owned(), verbosity: wheelhaul_host::Verbosity::Quiet, offline: true };
        for file in [
            "app.py",
            "shop/__init__.py",
            "shop/wsgi.py",
            "src/web/__init__.py",
            "plain/inner.py",
            "fast.cpython-311-x86_64-linux-gnu.so",
        ] {
            let path = folder.join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        #[rustfmt::skip]
        let cases = [ // command                                             in the hint, where it is told
            ("[\"gunicorn\", \"app:app\"]",                                  None),
            ("[\"gunicorn\", \"shop.wsgi:application\"]",                    None),
            ("[\"gunicorn\", \"web:create_app()\"]",                         None),
            ("[\"gunicorn\", \"src.web:app\"]",                              None),
            ("[\"gunicorn\", \"plain.inner:app\"]",                          None),
            ("[\"gunicorn\", \"fast:app\"]",                                 None),
            ("[\"gunicorn\", \"--bind\", \"127.0.0.1:{port}\", \"app:app\"]", None),
            ("[\"gunicorn\", \"superset.app:create_app()\"]",                None),
            ("[\"gunicorn\", \"ap:app\"]",                                   Some("did you mean `app:…`?")),
            ("[\"gunicorn\", \"shop.wsgj:app\"]",                            Some("did you mean `shop.wsgi:…`?")),
            ("[\"gunicorn\", \"wsgi:app\"]",                                 Some("did you mean `shop.wsgi:…`?")),
            ("[\"gunicorn\", \"zzz.qqq:app\"]",                              Some("modules there are `app`, `shop`, `web`")),
        ];
        for (command, hint) in cases {
            let found = faults(&sys, &service(command), folder, Some(&pins(&["gunicorn", "apache-superset"])));
            let hints: Vec<String> = found.iter().flat_map(hints_of).collect();
            assert_eq!(found.len(), usize::from(hint.is_some()), "{command}: {found:?}");
            assert!(hint.is_none_or(|hint| hints[0].contains(hint)), "{command}: {hints:?}");
        }
        fs_err::write(folder.join("setup.cfg"), "[options]\npackage_dir =\n  zzz = other\n").unwrap();
        assert!(
            faults(&sys, &service("[\"gunicorn\", \"zzz.qqq:app\"]"), folder, Some(&pins(&["gunicorn"]))).is_empty()
        );
    }
}
