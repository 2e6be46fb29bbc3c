//! What a project file says: name, version, and whether its build backend finds the application.

use crate::shipped::{Backend, not_a_package};
use std::collections::BTreeSet;
use wheelhaul_base::toml_text;

/// A project as its `pyproject.toml`, `setup.py` or `setup.cfg` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Project {
    /// as written
    pub name: Option<String>,
    /// none where it is computed
    pub version: Option<String>,
    /// `>=3.11`, or as Poetry writes it, `^3.11`
    pub requires_python: Option<String>,
    /// why no wheel can be built by its build backend; none where one can
    pub not_built: Option<String>,
    /// the members of a uv workspace, as written
    pub members: Vec<String>,
}

impl Project {
    /// Reads the project of a folder.
    ///
    /// - Takes: `pyproject`, its text where the file is there; `files`, all files below the folder, relative to it.
    pub(super) fn read(pyproject: Option<&str>, files: &BTreeSet<&str>) -> Self {
        let file: toml::Table = pyproject.and_then(|text| toml_text::read(text, "").ok()).unwrap_or_default();
        let text = |path: &[&str]| {
            let (last, folders) = path.split_last()?;
            let table = folders.iter().try_fold(&file, |table, key| table.get(*key)?.as_table())?;
            Some(table.get(*last)?.as_str()?.to_owned())
        };
        let members = file.get("tool").and_then(|tool| tool.get("uv")?.get("workspace")?.get("members")?.as_array());
        let members = members.into_iter().flatten().filter_map(|member| Some(member.as_str()?.to_owned())).collect();
        Self {
            name: text(&["project", "name"]).or_else(|| text(&["tool", "poetry", "name"])),
            version: text(&["project", "version"]).or_else(|| text(&["tool", "poetry", "version"])),
            requires_python: text(&["project", "requires-python"])
                .or_else(|| text(&["tool", "poetry", "dependencies", "python"])),
            not_built: not_built(pyproject, &file, files),
            members,
        }
    }
}

/// Why a build backend would build no wheel, or not one with the application.
fn not_built(pyproject: Option<&str>, file: &toml::Table, files: &BTreeSet<&str>) -> Option<String> {
    let has_setup = files.contains("setup.py") || files.contains("setup.cfg");
    let Some(pyproject) = pyproject else {
        return (!has_setup).then(|| "there is no `pyproject.toml`".to_owned());
    };
    if let Some(key) = not_a_package(pyproject) {
        return Some(format!("`pyproject.toml` says `{key}`"));
    }
    let poetry = file.get("tool").and_then(|tool| tool.get("poetry"));
    if !file.contains_key("build-system") && !has_setup {
        return Some("`pyproject.toml` has no `[build-system]`".to_owned());
    }
    let name = file.get("project").and_then(|project| project.get("name")).or_else(|| poetry?.get("name"));
    if name.is_none() && !has_setup {
        return Some("`pyproject.toml` has no `[project]` with a name".to_owned());
    }
    let name = name.and_then(toml::Value::as_str).unwrap_or_default().replace(['-', '.'], "_").to_lowercase();
    let has = |path: String| files.contains(path.as_str());
    let is_module =
        || ["", "src/"].iter().any(|root| has(format!("{root}{name}.py")) || has(format!("{root}{name}/__init__.py")));
    let says = |path: &[&str]| path.iter().try_fold(file.get("tool")?, |table, key| table.get(*key)).map(drop);
    let why = |tool: &str| Some(format!("{tool} finds no package `{name}` here"));
    match Backend::of(pyproject) {
        Backend::Setuptools
            if !has_setup && says(&["setuptools", "packages"]).or(says(&["setuptools", "py-modules"])).is_none() =>
        {
            many_tops(files)
        }
        Backend::Hatchling if !is_module() && says(&["hatch", "build"]).is_none() => why("hatchling"),
        Backend::Poetry if !is_module() && says(&["poetry", "packages"]).is_none() => why("Poetry"),
        Backend::Flit if !is_module() && says(&["flit", "module"]).is_none() => why("flit"),
        Backend::Uv if !is_module() && says(&["uv", "build-backend"]).is_none() => why("uv"),
        _ => None,
    }
}

/// Why setuptools would not discover packages by itself: several folders at the top ("Automatic discovery").
fn many_tops(files: &BTreeSet<&str>) -> Option<String> {
    const LEFT_OUT: [&str; 29] = [
        "benchmark",
        "benchmarks",
        "bin",
        "build",
        "ci",
        "debian",
        "dist",
        "doc",
        "docs",
        "documentation",
        "example",
        "examples",
        "htmlcov",
        "manpages",
        "news",
        "newsfragments",
        "requirements",
        "scripts",
        "tasks",
        "test",
        "tests",
        "python",
        "target",
        "tools",
        "unit_tests",
        "util",
        "utils",
        "venv",
        "xtask",
    ];
    if files.iter().any(|path| path.starts_with("src/")) {
        return None;
    }
    let is_name = |top: &str| {
        top.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !top.starts_with(|c: char| c.is_ascii_digit())
    };
    let tops: BTreeSet<&str> = files
        .iter()
        .filter_map(|path| path.split_once('/').map(|(top, _)| top))
        .filter(|top| is_name(top) && !LEFT_OUT.contains(top))
        .collect();
    match tops.len() {
        0 if files.contains("app.py") || files.contains("main.py") => {
            let modules = files.iter().filter(|path| path.ends_with(".py") && !path.contains('/')).count();
            (modules > 1).then(|| "setuptools finds several modules at the top, and takes none of them".to_owned())
        }
        0 | 1 => None,
        _ => {
            let names: Vec<String> = tops.iter().take(6).map(|top| format!("`{top}`")).collect();
            Some(format!("setuptools finds several folders at the top, and takes none of them: {}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_that_would_not_find_the_application_is_known_before() {
        let built = "[build-system]\nrequires = []\n[project]\nname = 'my-shop'\n";
        let of = |backend: &str| format!("[build-system]\nbuild-backend = '{backend}'\n[project]\nname = 'my-shop'\n");
        #[rustfmt::skip]
        let cases: [(Option<String>, &[&str], &str); 17] = [
            (None,                                          &["app.py"],                                "there is no `pyproject.toml`"),
            (None,                                          &["setup.py"],                              ""),
            (Some("[tool.ruff]".to_owned()),                &["app.py"],                                "has no `[build-system]`"),
            (Some("[project]\nname = 'a'".to_owned()),      &["a/__init__.py"],                         "has no `[build-system]`"),
            (Some("[tool.uv]\npackage = false".to_owned()), &["a/__init__.py"],                         "`[tool.uv] package = false`"),
            (Some(built.to_owned()),                        &["shop/__init__.py", "tests/a.py"],        ""),
            (Some(built.to_owned()),                        &["shop/__init__.py", "templates/a.html"],  "several folders at the top, and takes none of them: `shop`, `templates`"),
            (Some(built.to_owned()),                        &["src/shop/__init__.py", "deploy/a.yml"],  ""),
            (Some(format!("{built}[tool.setuptools]\npackages = ['shop']")), &["shop/__init__.py", "templates/a.html"], ""),
            (Some(built.to_owned()),                        &["app.py", "models.py"],                   "several modules"),
            (Some(of("hatchling.build")),                   &["src/my_shop/__init__.py"],               ""),
            (Some(of("hatchling.build")),                   &["app/__init__.py"],                       "hatchling finds no package `my_shop`"),
            (Some(of("poetry.core.masonry.api")),           &["app.py"],                                "Poetry finds no package"),
            (Some(of("uv_build")),                          &["src/my_shop/__init__.py"],               ""),
            (Some(of("flit_core.buildapi")),                &["my_shop.py"],                            ""),
            (Some(of("pdm.backend")),                       &["app/__init__.py"],                       ""),
            (Some("not toml".to_owned()),                   &["app.py"],                                "has no `[build-system]`"),
        ];
        for (text, files, says) in cases {
            let files = files.iter().copied().collect();
            let read = Project::read(text.as_deref(), &files).not_built.unwrap_or_default();
            assert!(if says.is_empty() { read.is_empty() } else { read.contains(says) }, "{text:?} {files:?}: {read}");
        }
    }

    #[test]
    fn names_and_versions_are_read() {
        let poetry = "[tool.poetry]\nname = 'shop'\nversion = '1.2'\n[tool.poetry.dependencies]\npython = '^3.11'\n";
        let read = Project::read(Some(poetry), &BTreeSet::new());
        assert_eq!(
            (read.name.as_deref(), read.version.as_deref(), read.requires_python.as_deref()),
            (Some("shop"), Some("1.2"), Some("^3.11"))
        );
        let uv = "[project]\nname = 'all'\ndynamic = ['version']\n[tool.uv.workspace]\nmembers = ['packages/*']\n";
        let read = Project::read(Some(uv), &BTreeSet::new());
        assert_eq!(
            (read.name.as_deref(), read.version, read.members),
            (Some("all"), None, vec!["packages/*".to_owned()])
        );
    }
}
