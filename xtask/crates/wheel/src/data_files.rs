//! Which files of a wheel's `.data/data` may land in the application's own folder.
//!
//! That folder is the prefix (binary distribution format, "The .data directory"), and Python imports from it, before it
//! looks at the dependencies. So what can be imported there would stand before all of them.

use crate::WheelName;
use crate::placed::{Placed, Scheme};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::{Problem, all_of};

/// Folders of the application's own: what lies there was put there by this tool, or by an installer's other schemes.
const LAYOUT: [(&str, &str); 5] = [
    ("bin", "programs belong to its scripts (`[project.scripts]`, or `script-files` of setuptools)"),
    ("lib", "modules and their libraries belong into its packages"),
    ("lib64", "modules and their libraries belong into its packages"),
    ("libexec", "programs belong to its scripts (`[project.scripts]`, or `script-files` of setuptools)"),
    ("sbin", "programs belong to its scripts (`[project.scripts]`, or `script-files` of setuptools)"),
];
/// Folders that hold data by their names (Filesystem Hierarchy Standard): examples in Python may be among it.
const OF_DATA: [&str; 7] = ["doc", "docs", "etc", "include", "man", "share", "var"];

/// Refuses data files that Python would import, or that would lie in a folder of the layout.
///
/// # Errors
/// Names every such file and folder, once.
pub(super) fn check(files: &[Placed]) -> anyhow::Result<()> {
    let faults: BTreeMap<String, &str> = data_of(files).filter_map(fault_of_data).collect();
    let faults = faults.into_iter().map(|(what, cure)| Problem::with_hint(format!("data file: {what}"), hint(cure)));
    all_of("data files of the wheel cannot be installed", faults.collect())
}

fn hint(cure: &str) -> String {
    format!(
        "{cure}; data belongs below `share/`. Where the wheel is not yours, lock a release without it, or ask its author"
    )
}

/// Why a file, by its path below the application's own folder, must not be among the data files of a wheel, and what its
/// author has to do.
pub fn fault_of_data(path: &str) -> Option<(String, &'static str)> {
    let Some((folder, rest)) = path.split_once('/') else {
        return if is_importable(path) || path.ends_with(".pth") {
            Some((format!("`{path}` would be a module that stands before all dependencies"), MODULE))
        } else if LAYOUT.iter().any(|(name, _)| *name == path) {
            Some((format!("`{path}` has the name of a folder of the application's own"), MODULE))
        } else {
            None
        };
    };
    if let Some((_, cure)) = LAYOUT.iter().find(|(name, _)| *name == folder) {
        Some((format!("it would lie in `{folder}/`, a folder of the application's own"), cure))
    } else if [".dist-info", ".egg-info"].iter().any(|end| folder.ends_with(end)) {
        Some((format!("`{folder}/` would be a second distribution"), MODULE))
    } else if folder == "__pycache__" {
        Some((format!("`{path}` would be taken in place of a module's source"), MODULE))
    } else if is_importable(rest) && rest.starts_with("__init__.") {
        Some((format!("`{folder}/` would be a package that stands before all dependencies"), MODULE))
    } else {
        None
    }
}

const MODULE: &str = "modules belong into its packages (`packages` and `py-modules`, not `data-files`, of setuptools)";

/// What a wheel has at the top of the folders that are imported from.
#[derive(Debug)]
pub struct Tops {
    wheel: String,
    /// the folders of its packages
    packages: BTreeSet<String>,
    /// folders of its data files, each with a module in it
    with_modules: BTreeMap<String, String>,
}

impl Tops {
    /// Those of a wheel with these files.
    pub fn of(name: &WheelName, files: &[Placed]) -> Self {
        let library = files.iter().filter(|placed| placed.scheme == Scheme::Library);
        let folders = library.filter_map(|placed| placed.path.split_once('/'));
        let modules = data_of(files).filter_map(|path| path.split_once('/').map(|(folder, rest)| (path, folder, rest)));
        let modules = modules.filter(|(_, folder, rest)| is_importable(rest) && !OF_DATA.contains(folder));
        Self {
            wheel: name.to_string(),
            packages: folders.map(|(folder, _)| folder.to_owned()).collect(),
            with_modules: modules.map(|(path, folder, _)| (folder.to_owned(), path.to_owned())).collect(),
        }
    }
}

/// Refuses folders of data files with modules in them that have the name of a package of some wheel: both would be
/// parts of one namespace, the one with the data files first.
///
/// # Errors
/// Names every such folder, once.
pub fn check_namespaces(wheels: &[Tops]) -> anyhow::Result<()> {
    let faults = wheels.iter().flat_map(|wheel| wheel.with_modules.iter().map(move |found| (wheel, found)));
    let faults = faults.filter_map(|(wheel, (folder, path))| {
        let owner = wheels.iter().find(|other| other.packages.contains(folder))?;
        let what = format!(
            "`{}`: its data file `{path}` would be a module of the package `{folder}` of `{}`",
            wheel.wheel, owner.wheel
        );
        Some(Problem::with_hint(what, hint(MODULE)))
    });
    all_of("data files of wheels would be modules", faults.collect())
}

fn data_of(files: &[Placed]) -> impl Iterator<Item = &str> {
    files.iter().filter(|placed| placed.scheme == Scheme::Data).map(|placed| placed.path.as_str())
}

/// Whether Python takes a file for a module.
fn is_importable(path: &str) -> bool {
    [".py", ".pyc", ".so"].iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;
    use wheelhaul_base::problem::hints_of;

    fn placed(scheme: Scheme, path: &str) -> Placed {
        Placed { scheme, path: path.to_owned(), place: 0, digest: Digest::Sha256([0; 32]) }
    }

    #[test]
    fn a_folder_of_data_is_no_part_of_somebodys_package() {
        let tops = |wheel: &str, packages: &[&str], data: &[(&str, &str)]| Tops {
            wheel: wheel.to_owned(),
            packages: packages.iter().map(|name| (*name).to_owned()).collect(),
            with_modules: data.iter().map(|(folder, path)| ((*folder).to_owned(), (*path).to_owned())).collect(),
        };
        let evil = || tops("evil", &["evil"], &[("google", "google/auth.py"), ("examples", "examples/a.py")]);
        assert!(check_namespaces(&[evil(), tops("b", &["b"], &[])]).is_ok());
        let error = check_namespaces(&[evil(), tops("b", &["google"], &[])]).unwrap_err().to_string();
        assert_eq!(error, "`evil`: its data file `google/auth.py` would be a module of the package `google` of `b`");
        assert!(check_namespaces(&[tops("own", &["own"], &[("own", "own/x.py")])]).is_err());
    }

    #[test]
    fn what_python_would_import_and_folders_of_the_layout_are_refused() {
        #[rustfmt::skip]
        let cases = [ // below .data/data                       what the error says
            ("yaml.py",                                         "`yaml.py` would be a module"),
            ("yaml.pyc",                                        "`yaml.pyc` would be a module"),
            ("_yaml.cpython-311-x86_64-linux-gnu.so",           "would be a module"),
            ("evil.pth",                                        "`evil.pth` would be a module"),
            ("yaml/__init__.py",                                "`yaml/` would be a package"),
            ("yaml/__init__.abi3.so",                           "`yaml/` would be a package"),
            ("yaml/__init__.pyc",                               "`yaml/` would be a package"),
            ("share/__init__.py",                               "`share/` would be a package"),
            ("__pycache__/app.cpython-311.pyc",                 "in place of a module's source"),
            ("flask-9.dist-info/METADATA",                      "a second distribution"),
            ("flask.egg-info/PKG-INFO",                         "a second distribution"),
            ("lib/yaml.py",                                     "`lib/`, a folder of the application's own"),
            ("lib/libmkl.so.2",                                 "it would lie in `lib/`"),
            ("lib",                                             "`lib` has the name of a folder"),
            ("lib64/x",                                         "it would lie in `lib64/`"),
            ("bin/tool",                                        "it would lie in `bin/`"),
            ("sbin/tool",                                       "it would lie in `sbin/`"),
            ("libexec/tool",                                    "it would lie in `libexec/`"),
            ("share/yaml.py",                                   ""),
            ("share/man/man1/x.1",                              ""),
            ("share/jupyter/hooks/__init__.py",                 ""),
            ("etc/jupyter/jupyter_config.py",                   ""),
            ("etc/app.conf",                                    ""),
            ("include/x.h",                                     ""),
            ("README",                                          ""),
            ("libfoo.so.2",                                     ""),
            ("examples/one.py",                                 ""),
        ];
        for (path, says) in cases {
            match check(&[placed(Scheme::Data, path)]) {
                Ok(()) => assert!(says.is_empty(), "{path}"),
                Err(error) => {
                    assert!(!says.is_empty() && format!("{error:#}").contains(says), "{path}: {error:#}");
                    assert!(hints_of(&error)[0].contains("below `share/`"), "{path}");
                }
            }
            // The same files are at home in the folder that is imported from.
            assert!(check(&[placed(Scheme::Library, path)]).is_ok(), "{path}");
        }
    }
}
