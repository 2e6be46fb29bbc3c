//! Which files of a repository an application needs when it runs.

use std::collections::BTreeSet;

/// Folders that are of the repository and not of the application, wherever they are.
const NEVER: &[&str] = &["__pycache__", "doc", "docs", "examples", "htmlcov", "node_modules", "test", "tests", "venv"];
/// Folders that are so at the top.
const NEVER_AT_TOP: &[&str] = &[
    "ansible",
    "artifacts",
    "benchmarks",
    "build",
    "charts",
    "ci",
    "client",
    "contrib",
    "deploy",
    "deployment",
    "deployments",
    "dist",
    "docker",
    "e2e",
    "env",
    "example",
    "frontend",
    "helm",
    "hooks",
    "images",
    "infra",
    "infrastructure",
    "instance",
    "integration_tests",
    "k8s",
    "kubernetes",
    "licenses",
    "man",
    "notebooks",
    "ops",
    "packaging",
    "requirements",
    "screenshots",
    "scripts",
    "target",
    "terraform",
    "tools",
    "xtask",
];
/// Modules that are of the repository.
const NO_MODULES: &[&str] = &["conftest.py", "dodo.py", "fabfile.py", "hatch_build.py", "noxfile.py", "setup.py"];
/// Ends of files that are sources of others, or that nothing reads on the box.
const NO_DATA: &[&str] = &[
    "bat", "c", "cfg", "coffee", "cpp", "drawio", "go", "h", "in", "ipynb", "less", "lock", "map", "po", "pot", "ps1",
    "puml", "pxd", "pyc", "pyi", "pyx", "rs", "sass", "scss", "service", "sh", "spec", "tf", "toml", "ts", "tsx",
    "typed",
];
/// First parts of names of texts for people, in lower case.
const TEXTS: &[&str] = &[
    "authors",
    "changelog",
    "changes",
    "code_of_conduct",
    "codeowners",
    "contributing",
    "copying",
    "dockerfile",
    "gemfile",
    "history",
    "jenkinsfile",
    "justfile",
    "licence",
    "license",
    "makefile",
    "manifest",
    "news",
    "notice",
    "package-lock",
    "pipfile",
    "procfile",
    "readme",
    "requirements",
    "runtime",
    "security",
    "todo",
    "tox",
    "tsconfig",
    "vagrantfile",
    "yarn",
];
/// Ends of files beside the modules at the top that an application reads; most others there configure tools.
const DATA_AT_TOP: &[&str] = &["csv", "db", "htm", "html", "j2", "jinja", "jinja2", "mo", "sql", "sqlite3"];
/// What makes a folder a project of its own.
const OTHER_PROJECTS: &[&str] = &[
    "Cargo.toml",
    "Chart.yaml",
    "Pipfile",
    "go.mod",
    "main.tf",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "setup.py",
];

/// Whether an application reads a file when it runs, as far as names tell.
///
/// - Takes: `path`, relative to the application's folder; `all`, every file there, which tell other projects.
pub(crate) fn is_needed(path: &str, all: &BTreeSet<&str>) -> bool {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let (folders, name) = inner.rsplit_once('/').unwrap_or(("", inner));
    let mut folders = folders.split('/').filter(|folder| !folder.is_empty()).peekable();
    let Some(top) = folders.peek().copied() else { return is_needed_at_top(name) };
    if NEVER_AT_TOP.contains(&top.to_ascii_lowercase().as_str())
        || folders.any(|folder| folder.starts_with('.') || NEVER.contains(&folder.to_ascii_lowercase().as_str()))
        || (inner.len() == path.len()
            && OTHER_PROJECTS.iter().any(|file| all.contains(format!("{top}/{file}").as_str())))
    {
        return false;
    }
    match end_of(name) {
        "py" => is_module(name),
        end => !name.starts_with('.') && !NO_DATA.contains(&end) && !is_text_for_people(name),
    }
}

fn is_needed_at_top(name: &str) -> bool {
    match end_of(name) {
        "py" => is_module(name),
        end => DATA_AT_TOP.contains(&end) || name == "alembic.ini" || is_config_file(name),
    }
}

fn is_module(name: &str) -> bool {
    let is_test = name.starts_with("test_") || name.ends_with("_test.py") || name == "tests.py";
    !is_test && !name.starts_with('.') && !NO_MODULES.contains(&name)
}

/// Whether a file at the top of an application is one that an administrator edits: `config.yaml`, `settings.toml`.
pub(crate) fn is_config_file(name: &str) -> bool {
    const ENDS: [&str; 7] = ["cfg", "conf", "ini", "json", "toml", "yaml", "yml"];
    const STEMS: [&str; 8] =
        ["app", "application", "conf", "config", "configuration", "log_config", "logging", "settings"];
    name.rsplit_once('.').is_some_and(|(stem, end)| STEMS.contains(&stem) && ENDS.contains(&end))
}

fn is_text_for_people(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    TEXTS.contains(&stem) || lower.starts_with("requirements") || lower == "package.json"
}

fn end_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, end)| end)
}

/// What to pack of an application that no build backend builds: modules and folders at its top, folders with a `/`.
///
/// - Takes: `tracked`, its files, relative to its folder.
pub(crate) fn modules_of(tracked: &BTreeSet<&str>) -> Vec<String> {
    let needed = tracked.iter().filter(|path| is_needed(path, tracked));
    let tops: BTreeSet<String> = needed
        .map(|path| path.split_once('/').map_or((*path).to_owned(), |(top, _)| format!("{top}/")))
        .filter(|top| !is_config_file(top))
        .collect();
    tops.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_needed() {
        #[rustfmt::skip]
        let cases = [
            ("app.py",                      true),
            ("tasks.py",                    true),
            ("manage.py",                   true),
            ("gunicorn.conf.py",            true),
            ("config.yaml",                 true),
            ("alembic.ini",                 true),
            ("schema.sql",                  true),
            ("shop/templates/a.html",       true),
            ("shop/content/page.md",        true),
            ("shop/models/model.bin",       true),
            ("templates/README.html",       false),
            ("migrations/env.py",           true),
            ("migrations/script.py.mako",   true),
            ("locale/de/LC_MESSAGES/a.mo",  true),
            ("locale/de/LC_MESSAGES/a.po",  false),
            ("prompts/system.txt",          true),
            ("src/shop/a.json",             true),
            ("src/conftest.py",             false),
            ("setup.py",                    false),
            ("conftest.py",                 false),
            ("test_app.py",                 false),
            ("tests/data/a.json",           false),
            ("shop/tests/a.json",           false),
            ("shop/tests.py",               false),
            ("docs/conf.py",                false),
            ("scripts/release.py",          false),
            ("shop/scripts/nightly.py",     true),
            ("frontend/src/a.js",           false),
            ("web-ui/index.html",           false),
            ("shop/README.md",              false),
            ("shop/py.typed",               false),
            ("shop/static/app.scss",        false),
            ("shop/static/.gitkeep",        false),
            (".github/workflows/ci.yml",    false),
            ("README.md",                   false),
            ("Dockerfile",                  false),
            ("docker-compose.yml",          false),
            ("requirements-dev.txt",        false),
            ("sonar-project.properties",    false),
            ("poetry.lock",                 false),
        ];
        let all = BTreeSet::from(["web-ui/package.json"]);
        for (path, expected) in cases {
            assert_eq!(is_needed(path, &all), expected, "{path}");
        }
    }

    #[test]
    fn modules_are_the_tops_of_what_is_needed() {
        let tracked = BTreeSet::from([
            "app.py",
            "config.yaml",
            "dist/package.toml",
            "migrations/env.py",
            "README.md",
            "shop/__init__.py",
            "shop/a.css",
            "static/a.css",
            "templates/a.html",
            "tests/test_a.py",
            "test_b.py",
        ]);
        assert_eq!(modules_of(&tracked), ["app.py", "migrations/", "shop/", "static/", "templates/"]);
    }
}
