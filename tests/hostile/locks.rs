//! Locks that are graphs, and project files: mutations of good ones, and shapes that cost much.

use crate::texts::{mutated, survives};
use crate::{Random, cpu_time};
use camino::Utf8Path;
use std::time::Duration;
use wheelhaul_boxes::Target;
use wheelhaul_lockfiles::{Application, LockSource, LockTexts, Pins, Selection, filter, parse};

const PROJECT: &str = r#"
[project]
name = "shop"
dependencies = ["flask[async]>=2 ; python_version >= '3.8'"]
[project.optional-dependencies]
cache = ["redis>=4"]
all = ["shop[cache]"]
[dependency-groups]
docs = ["markdown", {include-group = "dev"}]
dev = ["six"]
[tool.poetry.dependencies]
python = "^3.8 || ~3.7"
flask = {version = ">=2,<4", extras = ["async"], platform = "linux || win32", python = "<3.12"}
redis = [{version = "^4.0.1", optional = true}, {version = "5.*", markers = "os_name == 'posix'"}]
[tool.poetry.extras]
cache = ["redis"]
[tool.poetry.group.docs.dependencies]
markdown = "*"
"#;

const UV: &str = r#"
version = 1
requires-python = ">=3.8"
[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "flask", version = "2", extra = ["async"], marker = "python_full_version >= '3.8'" }]
[package.optional-dependencies]
cache = [{ name = "redis" }]
[package.metadata]
requires-dist = [{ name = "flask", extras = ["async"], specifier = ">=2" }]
[package.metadata.requires-dev]
docs = []
[[package]]
name = "flask"
version = "2"
source = { registry = "https://index.example/simple" }
[package.optional-dependencies]
async = [{ name = "redis" }]
[[package]]
name = "redis"
version = "5"
source = { path = "vendor/redis-5-py3-none-any.whl" }
wheels = [{ filename = "x", hash = "sha256:aa00000000000000000000000000000000000000000000000000000000000000" }]
"#;

const POETRY: &str = r#"
[[package]]
name = "flask"
version = "2.5"
python-versions = ">=3.8, !=3.9.*"
[package.dependencies]
redis = {version = "^5 || 4.*", optional = true, markers = "extra == \"async\""}
[package.extras]
async = ["redis (>=4)"]
[[package]]
name = "redis"
version = "5"
groups = ["main", "docs"]
markers = {main = "extra == \"cache\""}
[package.source]
type = "url"
url = "https://code.example/redis-5.whl"
[extras]
cache = ["redis"]
[metadata]
lock-version = "2.0"
python-versions = "^3.8"
content-hash = "x"
[metadata.files]
redis = [{file = "r", hash = "sha256:aa00000000000000000000000000000000000000000000000000000000000000"}]
"#;

const PDM: &str = r#"
[metadata]
groups = ["default", "cache", "docs"]
lock_version = "4.5.0"
content_hash = "sha256:x"
[[metadata.targets]]
requires_python = "~=3.8"
platform = "manylinux_2_17_x86_64"
[[package]]
name = "flask"
version = "2"
dependencies = ["redis>=4; python_version < '3.12'"]
[[package]]
name = "flask"
version = "2"
extras = ["async"]
dependencies = ["flask==2"]
[[package]]
name = "redis"
version = "5"
requires_python = ">=3.8"
"#;

const LOCKS: [(&str, &str); 3] = [("uv.lock", UV), ("poetry.lock", POETRY), ("pdm.lock", PDM)];

fn read(name: &str, text: &str, project: &str, wanted: &str) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new(name);
    let texts = LockTexts::from([
        (lock.to_owned(), Some(text.to_owned())),
        ("pyproject.toml".into(), Some(project.to_owned())),
    ]);
    let names = || if wanted.is_empty() { Vec::new() } else { vec![wanted.parse().unwrap()] };
    let selection = Selection {
        extras: if wanted == "cache" { names() } else { Vec::new() },
        groups: if wanted == "docs" { names() } else { Vec::new() },
    };
    let app = Application::in_folder(Utf8Path::new("."));
    parse(&LockSource { lock, app, texts: &texts, selection: &selection, variable: &|_| None })
}

fn read_and_filter(name: &str, text: &str, project: &str, wanted: &str) {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    if let Ok(pins) = read(name, text, project, wanted) {
        let _ = filter(&pins, &target);
    }
}

#[test]
fn mutated_graphs_never_panic() {
    for (name, text) in LOCKS {
        assert!(read(name, text, PROJECT, "").is_ok(), "{:#}", read(name, text, PROJECT, "").unwrap_err());
        for wanted in ["", "cache", "docs"] {
            survives(text, 1200, |text| read_and_filter(name, text, PROJECT, wanted));
            let flat = text
                .replace("lock-version = \"2.0\"", "lock-version = \"2.1\"")
                .replace("name = \"flask\"\n", "name = \"flask\"\ngroups = [\"main\"]\n");
            survives(&flat, 600, |text| read_and_filter(name, text, PROJECT, wanted));
        }
    }
}

#[test]
fn mutated_project_files_never_panic() {
    for (name, text) in LOCKS {
        survives(PROJECT, 1500, |project| read_and_filter(name, text, project, "docs"));
    }
    let pipfile = "[[source]]\nname = \"m\"\n[packages]\nfoo = {version = \"*\", extras = [\"x\"]}\n";
    let lock = r#"{"_meta": {"pipfile-spec": 6, "hash": {"sha256": "x"}}, "default": {}}"#;
    survives(pipfile, 1500, |project| {
        let texts = LockTexts::from([
            ("Pipfile.lock".into(), Some(lock.to_owned())),
            ("Pipfile".into(), Some(project.to_owned())),
        ]);
        let (lock, app) = (Utf8Path::new("Pipfile.lock"), Application::in_folder(Utf8Path::new(".")));
        let selection = Selection::default();
        drop(parse(&LockSource { lock, app, texts: &texts, selection: &selection, variable: &|_| None }));
    });
}

#[test]
fn random_bytes_are_no_lock() {
    let mut random = Random(0xfeed_beef_0000_0003);
    for _ in 0..500 {
        let text = mutated(&"[]{}\"'=\n.package version".repeat(3), &mut random);
        for (name, _) in LOCKS {
            read_and_filter(name, &text, &text, "");
        }
    }
}

/// Many entries, edges, extras or includes: the time stays in proportion.
#[test]
fn large_graphs_take_time_in_proportion() {
    let count = 4000;
    let numbered = |line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let entry = |i: usize, of: usize, edges: &str| {
        format!(
            "[[package]]\nname = \"a{i}\"\nversion = \"{of}\"\nsource = {{ registry = \"x\" }}\ndependencies = [{edges}]\n"
        )
    };
    let root = |edges: &str| {
        format!("version = 1\n[[package]]\nname = \"shop\"\nsource = {{ virtual = \".\" }}\ndependencies = [{edges}]\n")
    };
    let chain =
        root("{ name = \"a0\" }") + &numbered(&|i| entry(i, 1, &format!("{{ name = \"a{}\" }}", (i + 1) % count)));
    let same = root(&numbered(&|i| format!("{{ name = \"b\", version = \"{i}\" }},")))
        + &numbered(&|i| entry(0, i, "").replace("a0", "b"));
    let extras = root(&numbered(&|i| format!("{{ name = \"a0\", extra = [\"e{i}\"] }},")))
        + &entry(0, 1, &numbered(&|_| "{ name = \"a0\", marker = \"extra == 'e1'\" },".to_owned()));
    let groups = format!(
        "[dependency-groups]\n{}",
        numbered(&|i| format!("g{i} = [{{include-group = \"g{}\"}}]\n", (i + 1) % count))
    );
    let cases = [
        ("uv.lock", chain.as_str(), PROJECT),
        ("uv.lock", &same, PROJECT),
        ("uv.lock", &extras, PROJECT),
        ("pdm.lock", PDM, &groups),
    ];
    for (place, (name, text, project)) in cases.into_iter().enumerate() {
        let start = cpu_time();
        read_and_filter(name, text, project, "");
        let took = cpu_time() - start;
        println!("case {place}: {took:?}");
        assert!(took < Duration::from_secs(3), "case {place} took {took:?}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!("x = {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    for (name, text) in LOCKS {
        assert!(read(name, &format!("{deep}{text}"), PROJECT, "").is_err());
        read_and_filter(name, text, &format!("{deep}{PROJECT}"), "");
    }
}
