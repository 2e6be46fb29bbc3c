//! How each build backend is told to pack a file.

use crate::shipped::Lacking;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::toml_text;

/// What builds an application's wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// setuptools, also where nothing is said (PEP 517)
    Setuptools,
    /// hatchling
    Hatchling,
    /// Poetry's
    Poetry,
    /// flit_core
    Flit,
    /// pdm-backend
    Pdm,
    /// uv's
    Uv,
    /// another
    Other,
    /// none: `app.modules`
    Modules,
}

impl Backend {
    /// The backend that a `pyproject.toml` names.
    pub(crate) fn of(pyproject: &str) -> Self {
        let file: toml::Table = toml_text::read(pyproject, "").unwrap_or_default();
        let system = file.get("build-system").and_then(toml::Value::as_table);
        let name = system.and_then(|system| system.get("build-backend")).and_then(toml::Value::as_str);
        const KNOWN: [(&str, Backend); 7] = [
            ("setuptools", Backend::Setuptools),
            ("hatchling", Backend::Hatchling),
            ("poetry", Backend::Poetry),
            ("flit_core", Backend::Flit),
            ("flit", Backend::Flit),
            ("pdm", Backend::Pdm),
            ("uv_build", Backend::Uv),
        ];
        let Some(name) = name else { return Self::Setuptools };
        let first = name.split(['.', ':']).next().unwrap_or_default();
        KNOWN.iter().find(|(known, _)| *known == first).map_or(Self::Other, |(_, backend)| *backend)
    }
}

/// The key by which a `pyproject.toml` says that the project is not built: uv's or Poetry's.
pub(crate) fn not_a_package(pyproject: &str) -> Option<&'static str> {
    let file: toml::Table = toml_text::read(pyproject, "").ok()?;
    let tool = file.get("tool")?;
    let is_false = |tool_name: &str, key: &str| {
        tool.get(tool_name).and_then(|table| table.get(key)).and_then(toml::Value::as_bool) == Some(false)
    };
    match (is_false("uv", "package"), is_false("poetry", "package-mode")) {
        (true, _) => Some("[tool.uv] package = false"),
        (_, true) => Some("[tool.poetry] package-mode = false"),
        _ => None,
    }
}

/// How a build backend is told to pack what it left out.
///
/// - Takes: `packages`, the folders at the top of the wheel.
pub(crate) fn cure(backend: Backend, lacking: &[Lacking], packages: &BTreeSet<&str>) -> String {
    let (inside, beside): (Vec<&Lacking>, Vec<&Lacking>) =
        lacking.iter().partition(|one| package_of(one, packages).is_some());
    let mut lines = Vec::new();
    if backend == Backend::Modules {
        return format!(
            "if the application needs them, name them in `dist/package.toml`: modules = […, {}]",
            quoted(lacking)
        );
    }
    if !inside.is_empty() {
        lines.push(format!("to pack what is inside a package: {}", of_package(backend, &inside, packages)));
    }
    if !beside.is_empty() {
        lines.push(format!("to pack what is beside the packages: {}", of_top(backend, &beside, packages)));
    }
    lines.push("what the application does not need when it runs may be absent".to_owned());
    lines.join("\n")
}

/// The package that a missing path is in.
fn package_of<'p>(one: &Lacking, packages: &BTreeSet<&'p str>) -> Option<&'p str> {
    let path = one.path.strip_prefix("src/").unwrap_or(&one.path);
    let (top, _) = path.split_once('/').filter(|(_, rest)| !rest.is_empty())?;
    packages.get(top).copied()
}

fn quoted(lacking: &[Lacking]) -> String {
    lacking.iter().map(|one| format!("\"{}\"", one.path)).collect::<Vec<_>>().join(", ")
}

fn globs(lacking: &[&Lacking]) -> Vec<String> {
    lacking.iter().map(|one| format!("\"{}{}\"", one.path, if one.path.ends_with('/') { "**" } else { "" })).collect()
}

fn of_package(backend: Backend, inside: &[&Lacking], packages: &BTreeSet<&str>) -> String {
    let all = globs(inside).join(", ");
    match backend {
        Backend::Setuptools => {
            let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for one in inside.iter().filter(|one| !one.has_modules) {
                let Some(package) = package_of(one, packages) else { continue };
                let path = one.path.strip_prefix("src/").unwrap_or(&one.path);
                let path = path.strip_prefix(package).unwrap_or(path).trim_start_matches('/');
                let end = if path.ends_with('/') { "**" } else { "" };
                tables.entry(package).or_default().push(format!("\"{path}{end}\""));
            }
            let mut said: Vec<String> = tables
                .iter()
                .map(|(package, globs)| format!("`{package} = [{}]` under `[tool.setuptools.package-data]` in `pyproject.toml`", globs.join(", ")))
                .collect();
            if inside.iter().any(|one| one.has_modules) {
                said.push(
                    "for modules, an `__init__.py` in their folder and `[tool.setuptools.packages.find]` (or each package in `packages` of `[tool.setuptools]`)"
                        .to_owned(),
                );
            }
            said.push("or `include-package-data` with lines such as `recursive-include PACKAGE/templates *` in `MANIFEST.in`".to_owned());
            said.join("; ")
        }
        Backend::Hatchling => format!(
            "take it out of `exclude`, or add `artifacts = [{all}]` under `[tool.hatch.build.targets.wheel]` in `pyproject.toml`"
        ),
        Backend::Poetry => poetry(inside),
        Backend::Flit => "flit packs all of its one module: take the files out of `exclude` of `[tool.flit.sdist]`, or name the module".to_owned(),
        Backend::Pdm => format!("`includes = [{all}]` under `[tool.pdm.build]` in `pyproject.toml`"),
        Backend::Uv => "take it out of `source-exclude` and `wheel-exclude` of `[tool.uv.build-backend]` in `pyproject.toml`".to_owned(),
        Backend::Other | Backend::Modules => "the documentation of the build backend tells".to_owned(),
    }
}

fn of_top(backend: Backend, beside: &[&Lacking], packages: &BTreeSet<&str>) -> String {
    let (modules, data): (Vec<&Lacking>, Vec<&Lacking>) = beside.iter().partition(|one| one.has_modules);
    let all = globs(beside).join(", ");
    let into = packages.first().map_or("a package".to_owned(), |package| format!("`{package}/`"));
    let own = "or let this tool pack the application, by `modules` under `[app]` in `dist/package.toml`";
    let by_backend = match backend {
        Backend::Setuptools => {
            let mut said = Vec::new();
            let names = |of_folders: bool| -> Vec<String> {
                let chosen = modules.iter().filter(|one| one.path.ends_with('/') == of_folders);
                chosen
                    .map(|one| {
                        format!(
                            "\"{}\"",
                            one.path.trim_start_matches("src/").trim_end_matches('/').trim_end_matches(".py")
                        )
                    })
                    .collect()
            };
            for (key, names) in [("packages", names(true)), ("py-modules", names(false))] {
                if !names.is_empty() {
                    said.push(format!(
                        "add {} to `{key}` under `[tool.setuptools]` in `pyproject.toml`",
                        names.join(", ")
                    ));
                }
            }
            if !data.is_empty() {
                said.push(format!(
                    "setuptools packs no data there: move it into {into} (`git mv`), and make it `package-data`"
                ));
            }
            said.join("; ")
        }
        Backend::Hatchling => {
            let rows = beside
                .iter()
                .map(|one| one.path.trim_end_matches('/'))
                .map(|path| format!("`\"{path}\" = \"{path}\"`"));
            format!(
                "{} under `[tool.hatch.build.targets.wheel.force-include]` in `pyproject.toml`",
                rows.collect::<Vec<_>>().join(", ")
            )
        }
        Backend::Poetry => poetry(beside),
        Backend::Pdm => format!("`includes = [{all}]` under `[tool.pdm.build]` in `pyproject.toml`"),
        Backend::Flit | Backend::Uv => format!("it packs nothing beside the module: move it into {into} (`git mv`)"),
        Backend::Other | Backend::Modules => format!("move it into {into} (`git mv`)"),
    };
    format!("{by_backend}; {own}")
}

fn poetry(lacking: &[&Lacking]) -> String {
    let rows = globs(lacking).into_iter().map(|glob| format!("{{ path = {glob}, format = [\"sdist\", \"wheel\"] }}"));
    format!("`include = [{}]` under `[tool.poetry]` in `pyproject.toml`", rows.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_is_read_and_is_setuptools_where_nothing_is_said() {
        #[rustfmt::skip]
        let cases = [
            ("",                                                             Backend::Setuptools),
            ("[build-system]\nrequires = []",                                Backend::Setuptools),
            ("[build-system]\nbuild-backend = 'setuptools.build_meta'",      Backend::Setuptools),
            ("[build-system]\nbuild-backend = 'setuptools.build_meta:__legacy__'", Backend::Setuptools),
            ("[build-system]\nbuild-backend = 'hatchling.build'",            Backend::Hatchling),
            ("[build-system]\nbuild-backend = 'poetry.core.masonry.api'",    Backend::Poetry),
            ("[build-system]\nbuild-backend = 'flit_core.buildapi'",         Backend::Flit),
            ("[build-system]\nbuild-backend = 'pdm.backend'",                Backend::Pdm),
            ("[build-system]\nbuild-backend = 'uv_build'",                   Backend::Uv),
            ("[build-system]\nbuild-backend = 'own'",                        Backend::Other),
            ("not toml",                                                     Backend::Setuptools),
        ];
        for (text, backend) in cases {
            assert_eq!(Backend::of(text), backend, "{text}");
        }
    }

    #[test]
    fn each_backend_has_its_lines() {
        let one = |path: &str, has_modules| Lacking { path: path.to_owned(), files: 2, has_modules };
        let lacking =
            [one("shop/templates/", false), one("static/", false), one("app.py", true), one("src/shop/a.json", false)];
        let packages = BTreeSet::from(["shop"]);
        #[rustfmt::skip]
        let cases = [
            (Backend::Setuptools, vec!["`shop = [\"templates/**\", \"a.json\"]` under `[tool.setuptools.package-data]`", "MANIFEST.in",
                                       "add \"app\" to `py-modules`", "move it into `shop/`", "`modules` under `[app]`"]),
            (Backend::Hatchling,  vec!["artifacts = [\"shop/templates/**\", \"src/shop/a.json\"]", "`\"static\" = \"static\"`, `\"app.py\" = \"app.py\"`"]),
            (Backend::Poetry,     vec!["{ path = \"static/**\", format = [\"sdist\", \"wheel\"] }"]),
            (Backend::Flit,       vec!["it packs nothing beside the module: move it into `shop/`"]),
            (Backend::Pdm,        vec!["`includes = [\"static/**\", \"app.py\"]` under `[tool.pdm.build]`"]),
            (Backend::Uv,         vec!["`[tool.uv.build-backend]`", "move it into `shop/`"]),
            (Backend::Other,      vec!["documentation of the build backend"]),
            (Backend::Modules,    vec!["modules = […, \"shop/templates/\", \"static/\", \"app.py\", \"src/shop/a.json\"]"]),
        ];
        for (backend, says) in cases {
            let cure = cure(backend, &lacking, &packages);
            for part in says {
                assert!(cure.contains(part), "{backend:?}: `{part}` is not in {cure}");
            }
        }
    }

    #[test]
    fn a_project_that_is_no_package_says_so() {
        #[rustfmt::skip]
        let cases = [
            ("[tool.uv]\npackage = false",            Some("[tool.uv] package = false")),
            ("[tool.uv]\npackage = true",             None),
            ("[tool.poetry]\npackage-mode = false",   Some("[tool.poetry] package-mode = false")),
            ("[tool.poetry]\nname = 'a'",             None),
            ("[project]\nname = 'a'",                 None),
            ("tool = 5",                              None),
            ("not toml",                              None),
        ];
        for (text, key) in cases {
            assert_eq!(not_a_package(text), key, "{text}");
        }
    }
}
